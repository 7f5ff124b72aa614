//! The objects that a fresh cluster has before anybody acts.

use apiserver::{ApiServer, Caller, calls};
use kinds::{CLOCK, COMPONENT, MACHINE, NAMESPACE, PRIORITY_CLASS};
use meta::{KindId, Metadata, Object};
use sim::Instant;
use value::{Map, map};

use crate::Config;

/// Namespaces that the API server itself keeps.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];
/// Name, value and description of the classes that the API server itself keeps.
const PRIORITY_CLASSES: [(&str, i64, &str); 2] = [
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
];

/// Makes them: what the API server brings, the machines, the clock and one Component for each actor.
pub(crate) fn objects(api: &mut ApiServer, now: Instant, config: &Config, actors: &[&'static str]) {
    let server = Caller::component("kube-apiserver", "kube-apiserver");
    let ours = Caller::component("drydock", "drydock");
    let mut make = |caller: &Caller, kind: KindId, name: &str, body: Map| create(api, now, caller, kind, name, body);
    for name in NAMESPACES {
        make(&server, NAMESPACE, name, Map::new());
    }
    for (name, value, description) in PRIORITY_CLASSES {
        make(&server, PRIORITY_CLASS, name, map!({ "description": description, "value": value }));
    }
    make(&ours, CLOCK, crate::clock::NAME, map!({ "spec": { "speed": config.speed.as_str() } }));
    let running = map!({ "spec": { "state": "Running" } });
    for actor in actors {
        make(&ours, COMPONENT, actor, running.clone());
    }
    let machine = map!({ "spec": {
        "capacity": { "cpu": "4", "ephemeral-storage": "100Gi", "memory": "8Gi", "pods": "110" },
        "network": "Connected", "power": "On",
    } });
    for n in 1..=config.n_nodes {
        make(&ours, MACHINE, &format!("node-{n}"), machine.clone());
    }
}

fn create(api: &mut ApiServer, now: Instant, caller: &Caller, kind: KindId, name: &str, body: Map) {
    let meta = Metadata { name: name.into(), ..Metadata::default() };
    let made = calls::create(api, now, caller, Object { kind, meta, body });
    debug_assert!(made.is_ok(), "the objects of a fresh cluster are valid: {made:?}");
}
