//! Whether a machine takes a pod that comes to it (`predicateAdmitHandler`).

use std::sync::Arc;

use kinds::NODE;
use meta::{Key, Object};
use runtime::placement::{self, NodeAffinity};
use runtime::resources::{self, Resources};
use runtime::{View, resources::pod_requests};
use value::{Map, Str, Value};

use crate::kubelets::node_of;
use crate::{eviction, nodes};

/// Why a pod that nobody has begun yet is refused, as reason and message.
pub(crate) fn refusal(view: &View<'_>, machine: &Object, pod: &Object) -> Option<(Str, String)> {
    if let Some((reason, message)) = eviction::refusal(machine, pod) {
        return Some((reason.into(), message));
    }
    if pod.str_at("spec.os.name").is_some_and(|it| it != "linux") {
        return Some((
            "PodOSNotSupported".into(),
            "Failed to admit pod as the OS field doesn't match node OS".to_owned(),
        ));
    }
    // The scheduler has looked at all of this.
    let conditions = pod.list_at("status.conditions");
    if conditions.iter().any(|it| it.str_at("type") == Some("PodScheduled")) {
        return None;
    }
    let node = view.get(NODE, &Key::cluster(node_of(pod)))?;
    let others = others_on(view, pod);
    let fails = |name: &str, why: &str| Some((Str::from(name), format!("Predicate {name} failed: {why}")));
    if let Some(it) = insufficient(node, pod, &others) {
        return Some(out_of(it));
    }
    let spec = pod.at("spec")?;
    if !NodeAffinity::from_spec(spec).matches(node) {
        return fails("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
    }
    let taken: Vec<HostPort<'_>> = others.iter().flat_map(|it| host_ports(it)).collect();
    if host_ports(pod).any(|it| taken.iter().any(|other| it.is_in_conflict_with(other))) {
        return fails("NodePorts", "node(s) didn't have free ports for the requested pod ports");
    }
    let taints = placement::taints(node);
    let tolerations = placement::tolerations(spec);
    if !nodes::is_mirror(pod) && placement::untolerated(&taints, &tolerations, &["NoExecute"]).is_some() {
        return fails("TaintToleration", "node(s) had taints that the pod didn't tolerate");
    }
    None
}

/// Why a pod that runs cannot have what it asks for now.
pub(crate) fn insufficiency(view: &View<'_>, pod: &Object) -> Option<(Str, String)> {
    let node = view.get(NODE, &Key::cluster(node_of(pod)))?;
    insufficient(node, pod, &others_on(view, pod)).map(out_of)
}

fn out_of((resource, requested, used, capacity): (Str, i64, i64, i64)) -> (Str, String) {
    let message = format!(
        "Node didn't have enough resource: {resource}, requested: {requested}, used: {used}, capacity: {capacity}"
    );
    (format!("OutOf{resource}").into(), message)
}

/// Other pods that have been taken.
fn others_on<'a>(view: &View<'a>, pod: &Object) -> Vec<&'a Arc<Object>> {
    view.pods_on(node_of(pod)).filter(|it| is_active(it) && it.meta.uid != pod.meta.uid).collect()
}

/// Whether a pod has been taken and has not ended.
fn is_active(pod: &Object) -> bool {
    pod.at("status.startTime").is_some() && !matches!(pod.str_at("status.phase"), Some("Succeeded" | "Failed"))
}

/// The first resource of which a node has not enough left: requested, used, capacity (`fitsRequest`).
fn insufficient(node: &Object, pod: &Object, others: &[&Arc<Object>]) -> Option<(Str, i64, i64, i64)> {
    let empty = Map::new();
    let allocatable = node.map_at("status.allocatable").unwrap_or(&empty);
    let pods_max = allocatable.get("pods").and_then(resources::quantity).map_or(0, |it| it.value());
    let n_others = i64::try_from(others.len()).unwrap_or(i64::MAX);
    if n_others >= pods_max {
        return Some(("pods".into(), 1, n_others, pods_max));
    }
    let requests = |it: &Object| it.at("spec").map(pod_requests).unwrap_or_default();
    let asked = requests(pod);
    if asked == Resources::default() {
        return None;
    }
    let has = Resources::from_map(allocatable);
    let mut used = Resources::default();
    others.iter().for_each(|it| used.add(&requests(it)));
    let rows = [
        ("cpu", asked.milli_cpu, used.milli_cpu, has.milli_cpu),
        ("memory", asked.memory, used.memory, has.memory),
        ("ephemeral-storage", asked.ephemeral_storage, used.ephemeral_storage, has.ephemeral_storage),
    ];
    // What a node does not have at all is somebody else's business.
    let scalar = asked.scalar.iter().filter_map(|(name, amount)| {
        let used = used.scalar.get(name).copied().unwrap_or(0);
        Some((name.clone(), *amount, used, *has.scalar.get(name)?))
    });
    let mut all = rows.into_iter().map(|(name, asked, used, has)| (Str::literal(name), asked, used, has)).chain(scalar);
    all.find(|(_, asked, used, has)| *asked > 0 && *asked > has.saturating_sub(*used))
}

/// A port of the machine that a container takes.
struct HostPort<'a> {
    ip: &'a str,
    protocol: &'a str,
    port: i64,
}

impl HostPort<'_> {
    fn is_in_conflict_with(&self, other: &HostPort<'_>) -> bool {
        let any = |it: &str| matches!(it, "" | "0.0.0.0");
        (self.port, self.protocol) == (other.port, other.protocol)
            && (any(self.ip) || any(other.ip) || self.ip == other.ip)
    }
}

fn host_ports(pod: &Object) -> impl Iterator<Item = HostPort<'_>> {
    let sidecars = pod.list_at("spec.initContainers").iter().filter(|it| it.str_at("restartPolicy") == Some("Always"));
    let ports = pod.list_at("spec.containers").iter().chain(sidecars).flat_map(|it| it.list_at("ports"));
    ports.filter_map(|it: &Value| {
        let port = it.i64_at("hostPort").filter(|it| *it > 0)?;
        let (ip, protocol) = (it.str_at("hostIP").unwrap_or(""), it.str_at("protocol").unwrap_or("TCP"));
        Some(HostPort { ip, protocol, port })
    })
}
