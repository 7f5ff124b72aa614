use expect_test::expect;

use super::steps::check;

fn service(name: &str, ip: &str) -> String {
    format!(
        "POST /api/v1/namespaces/default/services {{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{clusterIP: {ip}, ports: [{{port: 80}}]}}}}"
    )
}

const ADDRESSES: &str = "GET /apis/networking.k8s.io/v1/ipaddresses metadata.name,metadata.labels,spec.parentRef";
const RANGES: &str =
    "GET /apis/networking.k8s.io/v1/servicecidrs metadata.name,spec.cidrs,metadata.finalizers,Ready,status.conditions";

#[test]
fn every_address_of_a_service_is_written_down() {
    let steps = [
        ADDRESSES,
        &service("web", "10.96.0.50"),
        &service("again", "10.96.0.50"),
        &service("afar", "10.97.0.1"),
        &service("head", "None"),
        ADDRESSES,
        r#"DELETE /apis/networking.k8s.io/v1/ipaddresses/10.96.0.50"#,
        "wait 5",
        ADDRESSES,
        "GET /api/v1/namespaces/default/events type,reason,message",
        r#"PATCH /api/v1/namespaces/default/services/web {"spec": {"type": "ExternalName", "externalName": "example.com", "clusterIP": null, "clusterIPs": null}}"#,
        ADDRESSES,
        r#"PATCH /api/v1/namespaces/default/services/web {"spec": {"type": "ClusterIP", "externalName": null, "clusterIP": "10.96.0.51"}}"#,
        ADDRESSES,
        "DELETE /api/v1/namespaces/default/services/web",
        ADDRESSES,
    ];
    check(
        &steps.join("\n"),
        expect![[r#"
        10.96.0.1 {"ipaddress.kubernetes.io/ip-family":"IPv4","ipaddress.kubernetes.io/managed-by":"ipallocator.k8s.io"} {"name":"kubernetes","namespace":"default","resource":"services"}
        Service "again" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.50"]: failed to allocate IP 10.96.0.50: provided IP is already allocated
        Service "afar" is invalid: spec.clusterIPs: Invalid value: ["10.97.0.1"]: failed to allocate IP 10.97.0.1: the provided network does not match the current range
        10.96.0.1 {"ipaddress.kubernetes.io/ip-family":"IPv4","ipaddress.kubernetes.io/managed-by":"ipallocator.k8s.io"} {"name":"kubernetes","namespace":"default","resource":"services"}
        10.96.0.50 {"ipaddress.kubernetes.io/ip-family":"IPv4","ipaddress.kubernetes.io/managed-by":"ipallocator.k8s.io"} {"name":"web","namespace":"default","resource":"services"}
        10.96.0.1 {"ipaddress.kubernetes.io/ip-family":"IPv4","ipaddress.kubernetes.io/managed-by":"ipallocator.k8s.io"} {"name":"kubernetes","namespace":"default","resource":"services"}
        10.96.0.50 {"ipaddress.kubernetes.io/ip-family":"IPv4","ipaddress.kubernetes.io/managed-by":"ipallocator.k8s.io"} {"name":"web","namespace":"default","resource":"services"}
        Normal Starting Starting kubelet.
        Normal RegisteredNode Node node-1 event: Registered Node node-1 in Controller
        Normal Starting Starting kubelet.
        Normal RegisteredNode Node node-2 event: Registered Node node-2 in Controller
        Normal Starting Starting kubelet.
        Normal RegisteredNode Node node-3 event: Registered Node node-3 in Controller
        Warning ClusterIPNotAllocated Cluster IP [IPv4]: 10.96.0.50 is not allocated; repairing
        10.96.0.1 {"ipaddress.kubernetes.io/ip-family":"IPv4","ipaddress.kubernetes.io/managed-by":"ipallocator.k8s.io"} {"name":"kubernetes","namespace":"default","resource":"services"}
        10.96.0.1 {"ipaddress.kubernetes.io/ip-family":"IPv4","ipaddress.kubernetes.io/managed-by":"ipallocator.k8s.io"} {"name":"kubernetes","namespace":"default","resource":"services"}
        10.96.0.51 {"ipaddress.kubernetes.io/ip-family":"IPv4","ipaddress.kubernetes.io/managed-by":"ipallocator.k8s.io"} {"name":"web","namespace":"default","resource":"services"}
        10.96.0.1 {"ipaddress.kubernetes.io/ip-family":"IPv4","ipaddress.kubernetes.io/managed-by":"ipallocator.k8s.io"} {"name":"kubernetes","namespace":"default","resource":"services"}
    "#]],
    );
}

#[test]
fn ranges_that_users_add_are_given_out_and_go_when_nobody_needs_them() {
    let steps = [
        "wait 1",
        RANGES,
        "POST /apis/networking.k8s.io/v1/servicecidrs {apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: more}, spec: {cidrs: [10.97.0.0/24]}}",
        &service("early", "10.97.0.9"),
        "wait 1",
        &service("afar", "10.97.0.9"),
        &service("edge", "10.97.0.255"),
        "DELETE /apis/networking.k8s.io/v1/servicecidrs/more",
        "wait 20",
        RANGES,
        &service("late", "10.97.0.10"),
        "DELETE /api/v1/namespaces/default/services/afar",
        "wait 1",
        "GET /apis/networking.k8s.io/v1/servicecidrs metadata.name",
        "wait 20",
        "GET /apis/networking.k8s.io/v1/servicecidrs metadata.name",
    ];
    check(
        &steps.join("\n"),
        expect![[r#"
        kubernetes ["10.96.0.0/16"] ["networking.k8s.io/service-cidr-finalizer"] Kubernetes Service CIDR is ready [{"lastTransitionTime":"2026-01-01T08:59:59Z","message":"Kubernetes Service CIDR is ready","reason":"","status":"True","type":"Ready"}]
        Service "early" is invalid: spec.clusterIPs: Invalid value: ["10.97.0.9"]: failed to allocate IP 10.97.0.9: the provided network does not match the current range
        Service "edge" is invalid: spec.clusterIPs: Invalid value: ["10.97.0.255"]: failed to allocate IP 10.97.0.255: the provided network does not match the current range
        kubernetes ["10.96.0.0/16"] ["networking.k8s.io/service-cidr-finalizer"] Kubernetes Service CIDR is ready [{"lastTransitionTime":"2026-01-01T08:59:59Z","message":"Kubernetes Service CIDR is ready","reason":"","status":"True","type":"Ready"}]
        more ["10.97.0.0/24"] ["networking.k8s.io/service-cidr-finalizer"] There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR [{"lastTransitionTime":"2026-01-01T09:00:02Z","message":"There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR","reason":"Terminating","status":"False","type":"Ready"}]
        Service "late" is invalid: spec.clusterIPs: Invalid value: ["10.97.0.10"]: failed to allocate IP 10.97.0.10: the provided network does not match the current range
        kubernetes
        kubernetes
    "#]],
    );
}
