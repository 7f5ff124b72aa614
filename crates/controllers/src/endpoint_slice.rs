//! Keeps the EndpointSlices of Services that select pods (`pkg/controller/endpointslice`, `k8s.io/endpointslice`).

mod plan;
mod topology;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kinds::{ENDPOINT_SLICE, NODE, POD, SERVICE};
use meta::{Key, KindId, Metadata, Object, Status};
use runtime::{Action, Cx, Reconciler, Watch};
use store::Change;
use value::{Map, Str, Value, map, time};

use self::plan::{Group, Plan};
use crate::{pods, services};

pub(crate) const SERVICE_NAME: &str = "kubernetes.io/service-name";
pub(crate) const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const MANAGER: &str = "endpointslice-controller.k8s.io";
/// Labels that are not the Service's to choose.
const RESERVED: [&str; 3] = [SERVICE_NAME, MANAGED_BY, services::HEADLESS];

#[derive(Default)]
pub(crate) struct EndpointSlices {
    triggers: services::TriggerTimes,
    /// Services whose endpoints have hints by zones' CPU.
    hinted: BTreeSet<Key>,
}

impl Reconciler for EndpointSlices {
    fn name(&self) -> &'static str {
        "endpointslice"
    }

    fn kind(&self) -> KindId {
        SERVICE
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::itself(SERVICE),
            Watch::map(POD, services::of_pod).on(services::ENDPOINT_NEWS),
            Watch::map(NODE, topology::overloaded_by_node),
            Watch::map(ENDPOINT_SLICE, |change, _, keys| keys.extend(touched(change, MANAGER))),
        ]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(service) = cx.get(SERVICE, key) else {
            self.triggers.forget(key);
            self.hinted.remove(key);
            return Ok(Action::AwaitChange);
        };
        let Some(selector) = services::selector(&service) else { return Ok(Action::AwaitChange) };
        let pods = services::pods_of(cx, &service, &selector);
        let trigger = self.triggers.of(&service, &pods);
        let (namespace, name) = (service.namespace().to_owned(), service.name().to_owned());
        if let Err(why) = sync(cx, &service, &pods, trigger, &mut self.hinted) {
            let message = format!("Error updating Endpoint Slices for Service {namespace}/{name}: {why}");
            cx.event(&service, "Warning", "FailedToUpdateEndpointSlices", &message);
            return Err(Status::internal(&message));
        }
        Ok(Action::AwaitChange)
    }
}

/// The Service whose slices somebody else than the controller manager touched; what it wrote itself needs no second look.
pub(crate) fn touched(change: &Change, manager: &str) -> Option<Key> {
    let slice = change.object();
    let is_ours = |it: &Object| it.meta.label(MANAGED_BY) == Some(manager);
    let sides = [change.before.as_deref(), change.after.as_deref()];
    if !sides.iter().flatten().any(|it| is_ours(it)) {
        return None;
    }
    let is_own_write = |it: &Object| it.meta.managed.iter().all(|it| it.manager == "kube-controller-manager");
    if change.after.as_deref().is_some_and(|it| is_own_write(it) && is_ours(it)) {
        return None;
    }
    let service = sides.iter().flatten().find_map(|it| it.meta.label(SERVICE_NAME))?;
    Some(Key::new(slice.namespace(), service))
}

/// The slices of a Service that are labelled as kept by `manager`.
pub(crate) fn slices_of(cx: &Cx<'_>, service: &Key, manager: &str) -> Vec<Arc<Object>> {
    let is_listed = |it: &&Arc<Object>| {
        it.meta.label(SERVICE_NAME) == Some(&service.name)
            && it.meta.label(MANAGED_BY) == Some(manager)
            && !it.meta.is_deleted()
    };
    cx.list(ENDPOINT_SLICE, Some(&service.namespace)).filter(is_listed).cloned().collect()
}

/// # Errors
/// What went wrong, for an event.
fn sync(
    cx: &mut Cx<'_>,
    service: &Object,
    pods: &[Arc<Object>],
    trigger: Option<i64>,
    all_hinted: &mut BTreeSet<Key>,
) -> Result<(), String> {
    let families = families(service);
    let (live, foreign): (Vec<Arc<Object>>, Vec<Arc<Object>>) = slices_of(cx, &service.key(), MANAGER)
        .into_iter()
        .partition(|it| it.str_at("addressType").is_some_and(|it| families.contains(&it)));
    let mut problems = Vec::new();
    for family in families {
        let live: Vec<Arc<Object>> =
            live.iter().filter(|it| it.str_at("addressType") == Some(family)).cloned().collect();
        let groups = groups(cx, service, pods, family, &mut problems);
        let labels = labels(service);
        let new = |ports: &Value| blank(service, family, ports);
        let is_hinted = topology::is_on(service);
        let same = if is_hinted { plan::same_but_hints } else { Value::eq };
        let mut plan = plan::plan(live.clone(), groups, &|it| is_owned(it, service), &labels, &RESERVED, &new, same);
        let event = match is_hinted {
            true => {
                let is_written = |it: &Object| {
                    let is_it = |other: &Object| other.meta.name == it.meta.name;
                    plan.update.iter().any(is_it) || plan.delete.iter().any(|it| is_it(it))
                };
                let unchanged = live.into_iter().filter(|it| !is_written(it)).collect();
                let zones = topology::Zones::of(&cx.view());
                let outcome = topology::add_hints(&zones, &mut plan, unchanged);
                let was_on =
                    if outcome.is_ok() { !all_hinted.insert(service.key()) } else { all_hinted.remove(&service.key()) };
                topology::event(outcome, was_on, family)
            }
            false => all_hinted.remove(&service.key()).then(|| topology::ended(family)),
        };
        if let Err(why) = carry_out(cx, service, plan, trigger) {
            problems.push(why);
        }
        if let Some((level, reason, message)) = event {
            cx.event(service, level, reason, &message);
        }
    }
    for slice in foreign {
        if let Err(status) = cx.delete(ENDPOINT_SLICE, &slice.key()) {
            let (namespace, name) = (service.namespace(), service.name());
            let what = format!("error deleting {} EndpointSlice for Service {namespace}/{name}", slice.name());
            problems.push(format!("{what}: {}", status.message));
        }
    }
    match problems.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        many => Err(format!("[{}]", many.join(", "))),
    }
}

/// Creates, changes and deletes slices; new ones take the place of those that would go (`finalize`).
///
/// # Errors
/// What went wrong.
pub(crate) fn carry_out(cx: &mut Cx<'_>, service: &Object, plan: Plan, trigger: Option<i64>) -> Result<(), String> {
    let Plan { mut create, mut update, mut delete } = plan;
    let (namespace, of) = (service.namespace(), service.name());
    while let Some(place) = delete.iter().position(|it| is_owned(it, service)) {
        let Some(mut slice) = create.pop() else { break };
        let gone = delete.remove(place);
        slice.meta.name = gone.meta.name.clone();
        update.push(slice);
    }
    if service.meta.is_deleted() {
        create.clear();
    }
    for mut slice in create {
        note_trigger(&mut slice, trigger);
        match cx.create(slice) {
            Err(status) if pods::is_namespace_terminating(&status) => return Ok(()),
            Err(status) => {
                return Err(format!("failed to create EndpointSlice for Service {namespace}/{of}: {}", status.message));
            }
            Ok(_) => (),
        }
    }
    for mut slice in update {
        note_trigger(&mut slice, trigger);
        let name = slice.meta.name.clone();
        cx.update(slice).map_err(|it| {
            format!("failed to update {name} EndpointSlice for Service {namespace}/{of}: {}", it.message)
        })?;
    }
    for slice in delete {
        match cx.delete(ENDPOINT_SLICE, &slice.key()) {
            Err(status) if !status.is_not_found() => {
                let name = slice.name();
                return Err(format!(
                    "failed to delete {name} EndpointSlice for Service {namespace}/{of}: {}",
                    status.message
                ));
            }
            _ => (),
        }
    }
    Ok(())
}

fn note_trigger(slice: &mut Object, trigger: Option<i64>) {
    match trigger {
        Some(at) => slice.meta.annotations.insert(services::TRIGGER_TIME, time::format_secs(at)),
        None => {
            slice.meta.annotations.remove(services::TRIGGER_TIME);
        }
    }
}

fn is_owned(slice: &Object, service: &Object) -> bool {
    slice.meta.owners.iter().any(|it| it.uid == service.meta.uid && it.kind == "Service" && it.api_version == "v1")
}

/// `addressType`s of the Service's slices.
fn families(service: &Object) -> Vec<&'static str> {
    let listed: Vec<&str> = service.list_at("spec.ipFamilies").iter().filter_map(Value::as_str).collect();
    let known = ["IPv4", "IPv6"].into_iter().filter(|it| listed.contains(it)).collect::<Vec<_>>();
    if !known.is_empty() {
        return known;
    }
    match service.str_at("spec.clusterIP") {
        None | Some("" | "None") => vec!["IPv4", "IPv6"],
        Some(ip) if ip.contains(':') => vec!["IPv6"],
        Some(_) => vec!["IPv4"],
    }
}

/// What the Service's slices are labelled with (`setEndpointSliceLabels`).
fn labels(service: &Object) -> Map {
    let mut res = services::labels_without(&service.meta.labels, &RESERVED);
    if services::is_headless(service) {
        res.insert(services::HEADLESS, "");
    }
    res.insert(SERVICE_NAME, &service.meta.name);
    res.insert(MANAGED_BY, MANAGER);
    res
}

/// A slice without endpoints.
fn blank(service: &Object, family: &str, ports: &Value) -> Object {
    let owner = pods::controller_ref(service, "v1", "Service");
    let meta = Metadata {
        labels: labels(service),
        ..Metadata::generated(&service.meta.namespace, pods::prefix(service.name())).owned_by(owner)
    };
    // Empty lists do not survive the encoding that components speak.
    let ports = if ports.as_list().is_some_and(|it| it.is_empty()) { Value::Null } else { ports.clone() };
    let body = map!({ "addressType": family, "endpoints": null, "ports": ports });
    Object { kind: ENDPOINT_SLICE, meta, body }
}

/// The endpoints of a Service by the ports that they offer.
fn groups(cx: &Cx<'_>, service: &Object, pods: &[Arc<Object>], family: &str, problems: &mut Vec<String>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut zones: BTreeMap<Str, Option<Str>> = BTreeMap::new();
    let publishes = services::publishes_not_ready(service);
    for pod in pods.iter().filter(|it| services::is_endpoint(it, true)) {
        let ports = ports(service, pod);
        let group = match groups.iter().position(|it| it.ports == ports).and_then(|idx| groups.get_mut(idx)) {
            Some(group) => group,
            None => groups.push_mut(Group::new(ports)),
        };
        let node = pod.at("spec.nodeName").and_then(Value::as_shared_str).cloned().unwrap_or_default();
        if !zones.contains_key(&node) {
            let found = cx.get(NODE, &Key::cluster(node.clone()));
            if found.is_none() && !publishes {
                let (namespace, of, name) = (service.namespace(), service.name(), pod.name());
                problems.push(format!("skipping Pod {name} for Service {namespace}/{of}: Node {node} Not Found"));
                continue;
            }
            let zone = found.and_then(|it| it.meta.labels.get("topology.kubernetes.io/zone")?.as_shared_str().cloned());
            zones.insert(node.clone(), zone.filter(|it| !it.is_empty()));
        }
        let zone = zones.get(&node).cloned().flatten();
        if let Some(endpoint) = endpoint(service, pod, family, node, zone) {
            group.want(endpoint);
        }
    }
    groups
}

/// What the pod offers, in upstream's order (`getEndpointPorts`, `NewPortMapKey`).
fn ports(service: &Object, pod: &Object) -> Value {
    let offered = service.list_at("spec.ports").iter().filter_map(|it| {
        let mut port = map!({
            "name": it.get("name").cloned().unwrap_or_else(|| "".into()),
            "port": services::find_port(pod, it)?,
            "protocol": it.get("protocol").cloned().unwrap_or_default(),
        });
        if let Some(protocol) = it.get("appProtocol") {
            port.insert("appProtocol", protocol);
        }
        Some(Value::Map(port))
    });
    let mut ports: Vec<Value> = offered.collect();
    ports.sort_by(|a, b| services::by_hash(a, b, printed));
    ports.into()
}

/// As Go prints a `v1.EndpointPort` of EndpointSlices.
pub(crate) fn printed(port: &Value) -> String {
    format!(
        "(v1.EndpointPort){{Name:(*string){} Protocol:(*v1.Protocol){} Port:(*int32){} AppProtocol:(*string){}}}",
        port.str_at("name").unwrap_or("<nil>"),
        port.str_at("protocol").unwrap_or("<nil>"),
        port.i64_at("port").map_or_else(|| "<nil>".to_owned(), |it| it.to_string()),
        port.str_at("appProtocol").unwrap_or("<nil>"),
    )
}

/// `podToEndpoint`, with the hints of the Service's `trafficDistribution`.
fn endpoint(service: &Object, pod: &Object, family: &str, node: Str, zone: Option<Str>) -> Option<Value> {
    let addresses = services::addresses(pod, family == "IPv6");
    if addresses.is_empty() {
        return None;
    }
    let serving = pods::is_ready(pod);
    let terminating = pod.meta.is_deleted();
    let ready = services::publishes_not_ready(service) || (serving && !terminating);
    let mut res = map!({
        "addresses": addresses.into_iter().map(Value::from).collect::<Vec<_>>(),
        "conditions": { "ready": ready, "serving": serving, "terminating": terminating },
        "targetRef": { "kind": "Pod", "name": &pod.meta.name, "namespace": &pod.meta.namespace, "uid": &pod.meta.uid },
    });
    if let Some(host) = services::hostname(pod, service) {
        res.insert("hostname", host);
    }
    let mut hints = Map::new();
    if let Some(distribution) =
        service.str_at("spec.trafficDistribution").filter(|_| ready && !topology::is_on(service))
    {
        if let Some(zone) = &zone {
            hints.insert("forZones", Value::from(vec![Value::Map(map!({ "name": zone }))]));
        }
        if distribution == "PreferSameNode" && !node.is_empty() {
            hints.insert("forNodes", Value::from(vec![Value::Map(map!({ "name": &node }))]));
        }
    }
    if !hints.is_empty() {
        res.insert("hints", hints);
    }
    if !node.is_empty() {
        res.insert("nodeName", node);
    }
    if let Some(zone) = zone {
        res.insert("zone", zone);
    }
    Some(Value::Map(res))
}
