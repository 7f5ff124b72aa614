//! The objects that a fresh cluster has before anybody acts.

use apiserver::{ApiServer, Caller, calls};
use kinds::{
    CLOCK, COMPONENT, ENDPOINT_SLICE, ENDPOINTS, INGRESS_CLASS, MACHINE, NAMESPACE, PRIORITY_CLASS, SERVICE,
    STORAGE_CLASS,
};
use meta::{KindId, Metadata, Object};
use sim::Instant;
use value::{Map, map};

use crate::{Config, KubeletMode};

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

/// Where the control plane would be.
const SERVER_ADDRESS: &str = "10.0.255.254";

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
    let made = calls::create(api, now, &server, kinds::service_cidr::default_range());
    debug_assert!(made.is_ok(), "the objects of a fresh cluster are valid: {made:?}");
    service(api, now, &server, config);
    if config.kubelet == KubeletMode::Real {
        storage_class(api, now, &ours);
        ingress_class(api, now, &ours);
    }
    let mut make = |caller: &Caller, kind: KindId, name: &str, body: Map| create(api, now, caller, kind, name, body);
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

/// The class of volumes that claims get when they name none, if somebody makes volumes.
fn storage_class(api: &mut ApiServer, now: Instant, ours: &Caller) {
    let meta = Metadata {
        annotations: map!({ "storageclass.kubernetes.io/is-default-class": "true" }),
        ..Metadata::cluster("standard")
    };
    let body = map!({
        "provisioner": "rancher.io/local-path", "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer",
    });
    let made = calls::create(api, now, ours, Object { kind: STORAGE_CLASS, meta, body });
    debug_assert!(made.is_ok(), "the objects of a fresh cluster are valid: {made:?}");
}

/// The class of Ingresses that name none, if somebody serves them.
fn ingress_class(api: &mut ApiServer, now: Instant, ours: &Caller) {
    let meta = Metadata {
        annotations: map!({ "ingressclass.kubernetes.io/is-default-class": "true" }),
        ..Metadata::cluster("nginx")
    };
    let body = map!({ "spec": { "controller": "k8s.io/ingress-nginx" } });
    let made = calls::create(api, now, ours, Object { kind: INGRESS_CLASS, meta, body });
    debug_assert!(made.is_ok(), "the objects of a fresh cluster are valid: {made:?}");
}

/// The API server's own Service, whose endpoint the recorded control plane cannot show.
fn service(api: &mut ApiServer, now: Instant, server: &Caller, config: &Config) {
    let meta = |labels: Map| Metadata { labels, ..Metadata::new("default", "kubernetes") };
    let labels = map!({ "component": "apiserver", "provider": "kubernetes" });
    let body = map!({ "spec": {
        "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"], "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [{ "name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443 }],
        "sessionAffinity": "None", "type": "ClusterIP",
    } });
    let mut objects = vec![Object { kind: SERVICE, meta: meta(labels), body }];
    if config.kubelet == KubeletMode::Real {
        let labels = map!({ "endpointslice.kubernetes.io/skip-mirror": "true" });
        let body = map!({ "subsets": [{
            "addresses": [{ "ip": SERVER_ADDRESS }],
            "ports": [{ "name": "https", "port": 6443, "protocol": "TCP" }],
        }] });
        objects.push(Object { kind: ENDPOINTS, meta: meta(labels), body });
        let labels = map!({ "kubernetes.io/service-name": "kubernetes" });
        let body = map!({
            "addressType": "IPv4",
            "endpoints": [{ "addresses": [SERVER_ADDRESS], "conditions": { "ready": true } }],
            "ports": [{ "name": "https", "port": 6443, "protocol": "TCP" }],
        });
        objects.push(Object { kind: ENDPOINT_SLICE, meta: meta(labels), body });
    }
    for object in objects {
        let made = calls::create(api, now, server, object);
        debug_assert!(made.is_ok(), "the objects of a fresh cluster are valid: {made:?}");
    }
}

fn create(api: &mut ApiServer, now: Instant, caller: &Caller, kind: KindId, name: &str, body: Map) {
    let meta = Metadata::cluster(name);
    let made = calls::create(api, now, caller, Object { kind, meta, body });
    debug_assert!(made.is_ok(), "the objects of a fresh cluster are valid: {made:?}");
}
