//! Mirrors Endpoints that somebody else keeps into EndpointSlices (`pkg/controller/endpointslicemirroring`).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use kinds::{ENDPOINT_SLICE, ENDPOINTS, SERVICE};
use meta::{Key, KindId, Metadata, Object, Status};
use runtime::{Action, Cx, Reconciler, View, Watch};
use store::Change;
use value::{Map, Str, Value, map, value};

use crate::endpoint_slice::{self, MANAGED_BY, SERVICE_NAME};
use crate::{endpoints, pods, services};

const MANAGER: &str = "endpointslicemirroring-controller.k8s.io";
const SKIP: &str = "endpointslice.kubernetes.io/skip-mirror";
const LEADER: &str = "control-plane.alpha.kubernetes.io/leader";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// `--mirroring-max-endpoints-per-subset`
const ADDRESSES_MAX: usize = 1000;

pub(crate) struct Mirroring;

impl Reconciler for Mirroring {
    fn name(&self) -> &'static str {
        "endpointslice-mirroring"
    }

    fn kind(&self) -> KindId {
        ENDPOINTS
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::map(ENDPOINTS, of_endpoints),
            Watch::map(SERVICE, of_service),
            Watch::map(ENDPOINT_SLICE, |change, _, keys| keys.extend(endpoint_slice::touched(change, MANAGER))),
        ]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let live = endpoint_slice::slices_of(cx, key, MANAGER);
        let is_kept_here = |it: &Object| it.map_at("spec.selector").is_none();
        let is_wanted = cx.get(SERVICE, key).is_some_and(|it| is_kept_here(&it));
        let Some(endpoints) = cx.get(ENDPOINTS, key).filter(|it| is_wanted && is_mirrored(it)) else {
            for slice in live {
                delete(cx, &slice)?;
            }
            return Ok(Action::AwaitChange);
        };
        mirror(cx, &endpoints, live)?;
        Ok(Action::AwaitChange)
    }
}

fn is_mirrored(endpoints: &Object) -> bool {
    endpoints.meta.label(SKIP) != Some("true") && endpoints.meta.annotation(LEADER).is_none()
}

fn of_endpoints(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let key = change.object().key();
    // Those of Services that select pods are another controller's.
    let selects = view.get(SERVICE, &key).is_some_and(|it| it.map_at("spec.selector").is_some());
    let is_ours = [&change.before, &change.after].into_iter().flatten().any(|it| is_mirrored(it));
    if is_ours && !selects {
        keys.push(key);
    }
}

fn of_service(change: &Change, _: &View<'_>, keys: &mut Vec<Key>) {
    let selects = |it: &Arc<Object>| it.map_at("spec.selector").is_some();
    let is_news = match (&change.before, &change.after) {
        (Some(before), Some(after)) => selects(before) != selects(after),
        (before, after) => before.iter().chain(after).any(|it| !selects(it)),
    };
    if is_news {
        keys.push(change.object().key());
    }
}

/// Endpoints by what they offer: address family and ports.
type Groups = Vec<((&'static str, Value), BTreeMap<Str, Value>)>;

fn mirror(cx: &mut Cx<'_>, endpoints: &Arc<Object>, live: Vec<Arc<Object>>) -> Result<(), Status> {
    let (groups, n_invalid, n_skipped) = groups(endpoints);
    if n_invalid > 0 {
        let message = format!("Skipped {n_invalid} invalid IP addresses when mirroring to EndpointSlices");
        cx.event(endpoints, "Warning", "InvalidIPAddress", &message);
    }
    if n_skipped > n_invalid {
        let message = format!(
            "A max of {ADDRESSES_MAX} addresses can be mirrored to EndpointSlices per Endpoints subset. {n_skipped} addresses were skipped"
        );
        cx.event(endpoints, "Warning", "TooManyAddressesToMirror", &message);
    }
    let mut left = live;
    let mut create = Vec::new();
    for ((family, ports), wanted) in groups {
        let offers = |it: &Object| {
            it.str_at("addressType") == Some(family) && Value::from(sorted(it.list_at("ports").to_vec())) == ports
        };
        let slice = slice(endpoints, family, &ports, wanted);
        match left.iter().position(|it| offers(it)) {
            Some(place) => update(cx, &left.remove(place), slice)?,
            None => create.push(slice),
        }
    }
    // Slices that would go take in what would be new.
    for slice in create {
        let family = slice.str_at("addressType").map(str::to_owned);
        match left.iter().position(|it| it.str_at("addressType") == family.as_deref()) {
            Some(place) => update(cx, &left.remove(place), slice)?,
            None if endpoints.meta.is_deleted() => (),
            None => match cx.create(slice) {
                Err(status) if pods::is_namespace_terminating(&status) => return Ok(()),
                res => drop(res?),
            },
        }
    }
    left.iter().try_for_each(|it| delete(cx, it))
}

fn delete(cx: &mut Cx<'_>, slice: &Object) -> Result<(), Status> {
    match cx.delete(ENDPOINT_SLICE, &slice.key()) {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(()),
    }
}

/// Brings a live slice to the state of `wanted`, unless it has it.
fn update(cx: &mut Cx<'_>, live: &Object, mut wanted: Object) -> Result<(), Status> {
    wanted.meta.name = live.meta.name.clone();
    let same = live.body == wanted.body
        && live.meta.labels == wanted.meta.labels
        && live.meta.annotations == wanted.meta.annotations
        && live.meta.owners == wanted.meta.owners;
    if same { Ok(()) } else { cx.update(wanted).map(|_| ()) }
}

/// The addresses that can be mirrored; how many are none, and how many are left out in all.
fn groups(endpoints: &Object) -> (Groups, usize, usize) {
    let mut groups = Groups::new();
    let (mut n_invalid, mut n_skipped) = (0, 0);
    for subset in &endpoints::repacked(endpoints.list_at("subsets")) {
        let ports = Value::from(sorted(subset.list_at("ports").iter().map(port).collect()));
        let ready = subset.list_at("addresses").iter().map(|it| (it, true));
        let all = ready.chain(subset.list_at("notReadyAddresses").iter().map(|it| (it, false)));
        let mut n_added = 0;
        for (address, ready) in all {
            if n_added >= ADDRESSES_MAX {
                n_skipped += 1;
                continue;
            }
            let Some(ip) = address.str_at("ip").and_then(|it| it.parse::<IpAddr>().ok()) else {
                n_invalid += 1;
                n_skipped += 1;
                continue;
            };
            n_added += 1;
            let key = (if ip.is_ipv6() { "IPv6" } else { "IPv4" }, ports.clone());
            let group = match groups.iter().position(|(it, _)| *it == key).and_then(|idx| groups.get_mut(idx)) {
                Some(group) => group,
                None => groups.push_mut((key, BTreeMap::new())),
            };
            let id = format!("{ip} {}", address.str_at("targetRef.uid").unwrap_or(""));
            group.1.insert(id.into(), endpoint(address, ip, ready));
        }
    }
    (groups, n_invalid, n_skipped)
}

fn sorted(mut ports: Vec<Value>) -> Vec<Value> {
    ports.sort_by(|a, b| services::by_hash(a, b, endpoint_slice::printed));
    ports
}

fn port(port: &Value) -> Value {
    let mut res = port.as_map().cloned().unwrap_or_default();
    res.set_default("name", "");
    Value::Map(res)
}

fn endpoint(address: &Value, ip: IpAddr, ready: bool) -> Value {
    let mut res = map!({ "addresses": [ip.to_string()], "conditions": { "ready": ready } });
    for key in ["hostname", "nodeName", "targetRef"] {
        if let Some(it) = address.get(key).filter(|it| it.as_str() != Some("")) {
            res.insert(key, it);
        }
    }
    Value::Map(res)
}

fn slice(endpoints: &Object, family: &str, ports: &Value, wanted: BTreeMap<Str, Value>) -> Object {
    let mut labels = endpoints.meta.labels.clone();
    labels.insert(SERVICE_NAME, endpoints.name());
    labels.insert(MANAGED_BY, MANAGER);
    let kept = |key: &str| !matches!(key, services::TRIGGER_TIME | LAST_APPLIED);
    let meta =
        Metadata {
            labels,
            annotations: endpoints.meta.annotations.filtered(|key, _| kept(key)),
            ..Metadata::generated(&endpoints.meta.namespace, pods::prefix(endpoints.name()))
                .owned_by(pods::controller_ref(endpoints, "v1", "Endpoints"))
        };
    let ports = if ports.as_list().is_some_and(|it| it.is_empty()) { Value::Null } else { ports.clone() };
    let endpoints: Vec<Value> = wanted.into_values().take(ADDRESSES_MAX).collect();
    let body: Map = map!({ "addressType": family, "endpoints": value!(endpoints), "ports": ports });
    Object { kind: ENDPOINT_SLICE, meta, body }
}
