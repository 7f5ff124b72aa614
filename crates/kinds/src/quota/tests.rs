use expect_test::{Expect, expect};
use meta::Object;
use value::json;

use crate::Registry;

/// What an object of `resource` uses, and whether it is within the scopes of a quota with `spec`.
fn check(resource: &str, object: &str, spec: &str, expect: Expect) {
    let registry = Registry::builtin();
    let kind = registry.all().find(|it| it.plural == resource).expect("a kind");
    let read = |text: &str, id| {
        let value = json::parse(text.as_bytes()).expect("JSON");
        Object::from_map(id, value.as_map().expect("an object"))
    };
    let object = read(object, kind.id);
    let quota = read(&format!("{{\"spec\": {spec}}}"), crate::RESOURCE_QUOTA);
    let used: Vec<String> =
        super::usage(kind, &object, 1000).iter().map(|(name, amount)| format!("{name}={amount}")).collect();
    let scope = if super::in_scopes(&quota, kind, &object) { "in" } else { "out of" };
    expect.assert_eq(&format!("{}; {scope} scope", used.join(" ")));
}

#[test]
fn pods_use_what_runs_at_once_and_overhead() {
    check(
        "pods",
        r#"{"spec": {"overhead": {"cpu": "50m"},
            "initContainers": [{"name": "i", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}],
            "containers": [{"name": "a", "resources": {"requests": {"cpu": "200m", "example.com/gpu": "2"}, "limits": {"cpu": "1"}}},
                           {"name": "b", "resources": {"requests": {"cpu": "900m"}}}]}}"#,
        r#"{"scopes": ["NotBestEffort", "NotTerminating"]}"#,
        expect![
            "count/pods=1 cpu=1150m limits.cpu=1050m memory=1Gi pods=1 requests.cpu=1150m requests.example.com/gpu=2 requests.memory=1Gi; in scope"
        ],
    );
}

#[test]
fn pods_that_have_ended_use_their_number_only() {
    check(
        "pods",
        r#"{"spec": {"activeDeadlineSeconds": 0, "containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]},
            "status": {"phase": "Succeeded"}}"#,
        r#"{"scopes": ["NotTerminating"]}"#,
        expect!["count/pods=1; out of scope"],
    );
}

#[test]
fn resized_pods_use_what_they_still_have() {
    check(
        "pods",
        r#"{"spec": {"priorityClassName": "high", "containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]},
            "status": {"containerStatuses": [{"name": "a", "resources": {"requests": {"cpu": "2"}}}]}}"#,
        r#"{"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "NotIn", "values": ["low"]}]}}"#,
        expect!["count/pods=1 cpu=2 pods=1 requests.cpu=2; in scope"],
    );
}

#[test]
fn claims_use_storage_of_their_class() {
    check(
        "persistentvolumeclaims",
        r#"{"spec": {"storageClassName": "gold", "resources": {"requests": {"storage": "1.5Gi"}}},
            "status": {"allocatedResources": {"storage": "2Gi"}}}"#,
        r#"{"scopes": ["BestEffort"]}"#,
        expect![
            "count/persistentvolumeclaims=1 gold.storageclass.storage.k8s.io/persistentvolumeclaims=1 gold.storageclass.storage.k8s.io/requests.storage=2Gi persistentvolumeclaims=1 requests.storage=2Gi; out of scope"
        ],
    );
}

#[test]
fn balancers_use_node_ports_unless_told_otherwise() {
    let spec = |more: &str| {
        format!(
            r#"{{"spec": {{"type": "LoadBalancer", {more} "ports": [{{"port": 1}}, {{"port": 2, "nodePort": 30001}}]}}}}"#
        )
    };
    check(
        "services",
        &spec(""),
        "{}",
        expect!["count/services=1 services=1 services.loadbalancers=1 services.nodeports=2; in scope"],
    );
    check(
        "services",
        &spec(r#""allocateLoadBalancerNodePorts": false,"#),
        "{}",
        expect!["count/services=1 services=1 services.loadbalancers=1 services.nodeports=1; in scope"],
    );
}

#[test]
fn other_kinds_are_counted() {
    check("secrets", "{}", "{}", expect!["count/secrets=1 secrets=1; in scope"]);
    check("deployments", "{}", "{}", expect!["count/deployments.apps=1; in scope"]);
}
