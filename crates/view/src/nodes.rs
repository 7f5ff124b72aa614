//! What a node looks like: its state, its bars, what sets it apart.

use meta::Object;
use value::{Map, Value, quantity::Quantity};

use crate::model::{Machine, Meter, Node, NodeState};
use crate::pods::Requests;

const ROLE_PREFIX: &str = "node-role.kubernetes.io/";

/// Whether nobody hears of its pods any more.
pub(crate) fn is_lost(node: &Object) -> bool {
    node.condition_status("Ready") == Some("Unknown")
}

pub(crate) fn node(object: &Object, machine: Option<&Object>, order: u32, used: Requests, n_pods: i64) -> Node {
    let amount = |path: &'static str| object.str_at(path).and_then(|it| Quantity::parse(it).ok());
    let ready = object.condition_status("Ready");
    let machine = machine.map(machine_of);
    let is_off = machine.as_ref().is_some_and(|it| !it.is_on);
    let (state, word) = match ready {
        Some("True") if !is_off => (NodeState::Ready, "Ready"),
        _ if is_off => (NodeState::Off, if ready == Some("True") { "Off" } else { "Off, NotReady" }),
        Some("Unknown") => (NodeState::Unknown, "NotReady"),
        _ => (NodeState::NotReady, "NotReady"),
    };
    Node {
        name: object.name().to_owned(),
        order,
        state,
        word: word.to_owned(),
        roles: object.meta.labels.keys().filter_map(|it| it.strip_prefix(ROLE_PREFIX)).map(str::to_owned).collect(),
        taints: object.list_at("spec.taints").iter().map(taint).collect(),
        labels: own_labels(&object.meta.labels),
        is_cordoned: object.bool_at("spec.unschedulable") == Some(true),
        machine,
        cpu: Meter { used: used.cpu, total: amount("status.allocatable.cpu").map_or(0, |it| it.milli_value()) },
        memory: Meter { used: used.memory, total: amount("status.allocatable.memory").map_or(0, |it| it.value()) },
        pods: Meter { used: n_pods, total: amount("status.allocatable.pods").map_or(0, |it| it.value()) },
    }
}

fn machine_of(machine: &Object) -> Machine {
    let pressure = |path: &'static str| machine.bool_at(path) == Some(true);
    Machine {
        is_on: machine.str_at("spec.power") != Some("Off"),
        is_connected: machine.str_at("spec.network") != Some("Partitioned"),
        disk_pressure: pressure("spec.pressure.disk"),
        memory_pressure: pressure("spec.pressure.memory"),
        pid_pressure: pressure("spec.pressure.pid"),
    }
}

/// As kubectl writes it.
fn taint(it: &Value) -> String {
    let text = |key: &'static str| it.str_at(key).unwrap_or_default();
    let value = text("value");
    let equals = if value.is_empty() { "" } else { "=" };
    format!("{}{equals}{value}:{}", text("key"), text("effect"))
}

/// Labels that not every node has.
pub(crate) fn own_labels(labels: &Map) -> Vec<String> {
    let is_common = |key: &str| {
        key.starts_with("beta.kubernetes.io/") || key.starts_with(ROLE_PREFIX) || key.starts_with("kubernetes.io/")
    };
    labels
        .iter()
        .filter(|(key, _)| !is_common(key))
        .map(|(key, value)| match value.as_str() {
            Some("") | None => key.to_string(),
            Some(value) => format!("{key}={value}"),
        })
        .collect()
}
