//! Whether a machine takes a pod that comes to it (`predicateAdmitHandler`).

use std::sync::Arc;

use kinds::NODE;
use meta::{Key, Object};
use runtime::placement::{self, NodeAffinity};
use runtime::resources::{self, Resources};
use runtime::{View, resources::pod_requests};
use value::{Map, Str, Value};

use crate::kubelets::node_of;
use crate::{eviction, nodes, resize};

/// Why a pod that nobody has begun yet is refused, as reason and message. `has_room`: others make room for it.
pub(crate) fn refusal(view: &View<'_>, machine: &Object, pod: &Object, has_room: bool) -> Option<(Str, String)> {
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
    if pod.condition("PodScheduled").is_some() {
        return None;
    }
    let node = view.get(NODE, &Key::cluster(node_of(pod)))?;
    let others = others_on(view, pod);
    let fails = |name: &str, why: &str| Some((Str::from(name), format!("Predicate {name} failed: {why}")));
    if !has_room && let Some(it) = shortages(node, pod, &others).first() {
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
    shortages(node, pod, &others_on(view, pod)).first().map(out_of)
}

/// What a machine has too little of for a pod.
pub(crate) struct Shortage {
    pub resource: Str,
    requested: i64,
    used: i64,
    capacity: i64,
}

impl Shortage {
    /// How much has to go.
    pub fn amount(&self) -> i64 {
        self.requested - (self.capacity - self.used)
    }
}

fn out_of(shortage: &Shortage) -> (Str, String) {
    let Shortage { resource, requested, used, capacity } = shortage;
    let message = format!(
        "Node didn't have enough resource: {resource}, requested: {requested}, used: {used}, capacity: {capacity}"
    );
    (format!("OutOf{resource}").into(), message)
}

/// Other pods that have been taken.
pub(crate) fn others_on<'a>(view: &View<'a>, pod: &Object) -> Vec<&'a Arc<Object>> {
    view.pods_on(node_of(pod)).filter(|it| is_active(it) && it.meta.uid != pod.meta.uid).collect()
}

/// Whether a pod has been taken and has not ended.
fn is_active(pod: &Object) -> bool {
    pod.at("status.startTime").is_some() && !matches!(pod.str_at("status.phase"), Some("Succeeded" | "Failed"))
}

/// The resources of which a node has not enough left (`fitsRequest`).
pub(crate) fn shortages(node: &Object, pod: &Object, others: &[&Arc<Object>]) -> Vec<Shortage> {
    let empty = Map::new();
    let allocatable = node.map_at("status.allocatable").unwrap_or(&empty);
    let pods_max = allocatable.get("pods").and_then(resources::quantity).map_or(0, |it| it.value());
    let n_others = i64::try_from(others.len()).unwrap_or(i64::MAX);
    let mut res = Vec::new();
    if n_others >= pods_max {
        res.push(Shortage { resource: "pods".into(), requested: 1, used: n_others, capacity: pods_max });
    }
    let asked = pod.at("spec").map(pod_requests).unwrap_or_default();
    if asked == Resources::default() {
        return res;
    }
    let has = Resources::from_map(allocatable);
    let mut used = Resources::default();
    others.iter().for_each(|it| used.add(&resize::allocated(it)));
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
    let all = rows.into_iter().map(|(name, asked, used, has)| (Str::literal(name), asked, used, has)).chain(scalar);
    let lacks = all.filter(|(_, asked, used, has)| *asked > 0 && *asked > has.saturating_sub(*used));
    res.extend(lacks.map(|(resource, requested, used, capacity)| Shortage { resource, requested, used, capacity }));
    res
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
