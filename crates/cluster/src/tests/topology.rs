use expect_test::expect;

use super::steps::check;

/// Nodes in zones, a Service and its Deployment.
fn zoned(zones: [&str; 3], replicas: i64, annotation: &str, rest: &str) -> String {
    let mut steps = String::new();
    for (idx, zone) in zones.iter().enumerate().filter(|(_, it)| !it.is_empty()) {
        let label = format!(r#"{{"metadata": {{"labels": {{"topology.kubernetes.io/zone": "{zone}"}}}}}}"#);
        steps.push_str(&format!("PATCH /api/v1/nodes/node-{} {label}\n", idx + 1));
    }
    steps.push_str(&format!(
        "POST /apis/apps/v1/namespaces/default/deployments {{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web}}, spec: {{replicas: {replicas}, selector: {{matchLabels: {{app: web}}}}, template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: c, image: nginx}}]}}}}}}}}
        wait 30
        POST /api/v1/namespaces/default/services {{apiVersion: v1, kind: Service, metadata: {{name: web, annotations: {{{annotation}}}}}, spec: {{selector: {{app: web}}, ports: [{{port: 80}}], trafficDistribution: PreferSameZone}}}}
        wait 10
        GET /apis/discovery.k8s.io/v1/namespaces/default/endpointslices/* endpoints
        {rest}
        GET /api/v1/namespaces/default/events?fieldSelector=involvedObject.kind=Service type,reason,count,message\n"
    ));
    steps
}

const ON: &str = "service.kubernetes.io/topology-mode: Auto";

#[test]
fn endpoints_are_shared_out_by_the_cpu_of_zones() {
    let off = r#"PATCH /api/v1/namespaces/default/services/web {"metadata": {"annotations": null}}
        wait 10
        GET /apis/discovery.k8s.io/v1/namespaces/default/endpointslices/* endpoints"#;
    check(
        &zoned(["a", "b", "b"], 6, ON, off),
        expect![[r#"
        a>a a>a b>b b>b b>b b>b
        a>a a>a b>b b>b b>b b>b
        Normal TopologyAwareHintsEnabled 1 Topology Aware Hints has been enabled, addressType: IPv4
        Warning TopologyAwareHintsDisabled 1 Topology Aware Hints has been disabled, addressType: IPv4
    "#]],
    );
}

#[test]
fn zones_with_too_few_endpoints_get_no_hints() {
    check(
        &zoned(["a", "b", "c"], 2, ON, ""),
        expect![[r#"
        a> c>
        Warning TopologyAwareHintsDisabled 1 Insufficient number of endpoints (2 endpoints, 3 zones), addressType: IPv4
    "#]],
    );
}

#[test]
fn nodes_without_zones_make_hints_impossible() {
    let away = r#"PATCH /api/v1/nodes/node-3 {"metadata": {"labels": {"topology.kubernetes.io/zone": null}}}
        wait 10
        GET /apis/discovery.k8s.io/v1/namespaces/default/endpointslices/* endpoints"#;
    check(
        &zoned(["a", "a", "b"], 6, ON, away),
        expect![[r#"
        a>a a>a a>a a>a b>b b>b
        -> -> a> a> a> a>
        Normal TopologyAwareHintsEnabled 1 Topology Aware Hints has been enabled, addressType: IPv4
        Warning TopologyAwareHintsDisabled 1 Insufficient Node information: allocatable CPU or zone not specified on one or more nodes, addressType: IPv4
    "#]],
    );
    check(
        &zoned(["", "a", "b"], 3, ON, ""),
        expect![[r#"
        -> a> b>
        Warning TopologyAwareHintsDisabled 1 Insufficient Node information: allocatable CPU or zone not specified on one or more nodes, addressType: IPv4
    "#]],
    );
}
