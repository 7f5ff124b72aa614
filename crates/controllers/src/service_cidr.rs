//! ServiceCIDRs are ready once they have a finalizer, and go once no address needs them (`pkg/controller/servicecidrs`); and
//! the addresses of Services stay what they are (`ipallocator/controller/repairip.go`).

use std::net::IpAddr;
use std::sync::Arc;

use kinds::service_cidr::{self, FINALIZER};
use kinds::{IP_ADDRESS, SERVICE, SERVICE_CIDR, ip_address};
use meta::{Key, KindId, Object, Status, names};
use runtime::{Action, Cx, Reconciler, View, Watch};
use sim::{Duration, Instant};
use store::Change;
use value::{Str, Value, time, value};

/// How long allocators have to notice that a range goes.
const GRACE: Duration = Duration::from_secs(10);

/// Keeps the ranges of Services' addresses.
pub(crate) struct ServiceCidrs;

impl Reconciler for ServiceCidrs {
    fn name(&self) -> &'static str {
        "service-cidr"
    }

    fn kind(&self) -> KindId {
        SERVICE_CIDR
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::itself(SERVICE_CIDR), Watch::map(SERVICE_CIDR, leaving), Watch::map(IP_ADDRESS, leaving)]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(range) = cx.get(SERVICE_CIDR, key) else {
            if key.name == service_cidr::DEFAULT.0 {
                cx.create(service_cidr::default_range())?;
            }
            return Ok(Action::AwaitChange);
        };
        let Some(deleted) = range.meta.deleted else { return get_ready(cx, &range) };
        if is_needed(&cx.view(), &range) {
            let why = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR";
            set_ready(cx, &range, "False", "Terminating", why)?;
            return Ok(Action::AwaitChange);
        }
        let left = (Instant::from_secs(u64::try_from(deleted).unwrap_or(0)) + GRACE).since(cx.now());
        if left > Duration::ZERO {
            return Ok(Action::RequeueAfter(left));
        }
        if range.meta.has_finalizer(FINALIZER) {
            cx.remove_finalizer(SERVICE_CIDR, key, FINALIZER)?;
        }
        Ok(Action::AwaitChange)
    }
}

/// Ranges that are being deleted look again at every change of ranges and addresses.
fn leaving(_: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    keys.extend(view.list(SERVICE_CIDR, None).filter(|it| it.meta.is_deleted()).map(|it| it.key()));
}

fn get_ready(cx: &mut Cx<'_>, range: &Arc<Object>) -> Result<Action, Status> {
    let mut range = range.clone();
    if !range.meta.has_finalizer(FINALIZER) {
        let mut update = Object::clone(&range);
        update.meta.finalizers = update.meta.finalizers.iter().cloned().chain([Str::from(FINALIZER)]).collect();
        range = cx.update(update)?;
    }
    set_ready(cx, &range, "True", "", "Kubernetes Service CIDR is ready")?;
    Ok(Action::AwaitChange)
}

fn set_ready(cx: &mut Cx<'_>, range: &Object, status: &str, reason: &str, message: &str) -> Result<(), Status> {
    let before = range.condition("Ready");
    let wanted = [("status", status), ("reason", reason), ("message", message)];
    if before.is_some_and(|it| wanted.iter().all(|(key, text)| it.str_at(key) == Some(text))) {
        return Ok(());
    }
    let condition = value!({
        "lastTransitionTime": time::format_secs(cx.now_secs()), "message": message, "reason": reason, "status": status,
        "type": "Ready",
    });
    let others = range.list_at("status.conditions").iter().filter(|it| it.str_at("type") != Some("Ready"));
    let conditions: Vec<Value> = others.cloned().chain([condition]).collect();
    cx.update_status(range, value!({ "conditions": conditions })).map(|_| ())
}

/// Whether an address is in a network.
fn contains((network, length): (IpAddr, u8), ip: IpAddr) -> bool {
    network.is_ipv4() == ip.is_ipv4() && names::network_of(ip, length) == names::network_of(network, length)
}

/// Whether addresses would belong to no range any more (`canDeleteCIDR`).
fn is_needed(view: &View<'_>, range: &Object) -> bool {
    let others = || {
        view.list(SERVICE_CIDR, None).filter(|it| it.name() != range.name()).flat_map(|it| service_cidr::networks(it))
    };
    let is_within = |own: (IpAddr, u8)| others().any(|it| it.1 <= own.1 && contains(it, own.0));
    if service_cidr::networks(range).all(is_within) {
        return false;
    }
    view.list(IP_ADDRESS, None).filter(|it| it.meta.label(ip_address::MANAGED_BY) == Some(ip_address::ALLOCATOR)).any(
        |it| {
            let Ok(ip) = it.name().parse::<IpAddr>() else { return false };
            service_cidr::networks(range).any(|it| contains(it, ip)) && !others().any(|it| contains(it, ip))
        },
    )
}

/// Gives Services addresses back that somebody has deleted.
pub(crate) struct AddressRepair;

impl Reconciler for AddressRepair {
    fn name(&self) -> &'static str {
        "ip-address-repair"
    }

    fn kind(&self) -> KindId {
        SERVICE
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::map(IP_ADDRESS, robbed)]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(service) = cx.get(SERVICE, key) else { return Ok(Action::AwaitChange) };
        for object in ip_address::of_service(&service).map(|ip| ip_address::given(ip, &service)) {
            if cx.get(IP_ADDRESS, &object.key()).is_some() {
                continue;
            }
            let family = object.meta.label(ip_address::FAMILY).unwrap_or("");
            let message = format!("Cluster IP [{family}]: {} is not allocated; repairing", object.name());
            cx.event(&service, "Warning", "ClusterIPNotAllocated", &message);
            cx.create(object)?;
        }
        Ok(Action::AwaitChange)
    }
}

/// A Service whose address has gone.
fn robbed(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let Some(address) = change.before.as_ref().filter(|_| change.after.is_none()) else { return };
    let parent = |key: &'static str| address.at("spec.parentRef").and_then(|it| it.str_at(key)).unwrap_or("");
    let key = Key::new(parent("namespace"), parent("name"));
    if parent("resource") == "services" && view.get(SERVICE, &key).is_some() {
        keys.push(key);
    }
}
