use expect_test::expect;

use super::steps::check;

fn volume(name: &str, labels: &str, source: &str) -> String {
    format!(
        "POST /api/v1/persistentvolumes {{apiVersion: v1, kind: PersistentVolume, metadata: {{name: {name}, labels: {{{labels}}}}}, spec: {{capacity: {{storage: 1Gi}}, accessModes: [ReadWriteOnce], storageClassName: '', claimRef: {{namespace: default, name: {name}}}, {source}}}}}
        POST /api/v1/namespaces/default/persistentvolumeclaims {{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: {name}}}, spec: {{storageClassName: '', accessModes: [ReadWriteOnce], volumeName: {name}, resources: {{requests: {{storage: 1Gi}}}}}}}}\n"
    )
}

fn pod(name: &str, claims: &[&str], spec: &str) -> String {
    let volumes: Vec<String> =
        claims.iter().map(|it| format!("{{name: {it}, persistentVolumeClaim: {{claimName: {it}}}}}")).collect();
    format!(
        "POST /api/v1/namespaces/default/pods {{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{{spec}containers: [{{name: c, image: nginx}}], volumes: [{}]}}}}\n",
        volumes.join(", ")
    )
}

#[test]
fn a_pod_goes_to_the_zone_of_its_volume() {
    let zone = |node: &str, zone: &str| {
        format!(
            r#"PATCH /api/v1/nodes/{node} {{"metadata": {{"labels": {{"topology.kubernetes.io/zone": "{zone}"}}}}}}"#
        )
    };
    let local = "hostPath: {path: /v}";
    let steps = [
        zone("node-1", "a"),
        zone("node-2", "b"),
        zone("node-3", "c"),
        volume("in-b", "failure-domain.beta.kubernetes.io/zone: x__b", local),
        volume("in-x", "topology.kubernetes.io/zone: x", local),
        volume("gone", "", local),
        "wait 20".to_owned(),
        pod("near", &["in-b"], ""),
        pod("lost", &["in-x"], ""),
        "wait 20".to_owned(),
        "GET /api/v1/namespaces/default/pods metadata.name,spec.nodeName,PodScheduled".to_owned(),
        zone("node-3", "x"),
        "wait 20".to_owned(),
        "GET /api/v1/namespaces/default/pods metadata.name,spec.nodeName,PodScheduled".to_owned(),
    ];
    check(
        &steps.join("\n"),
        expect![[r#"
        lost none 0/3 nodes are available: 3 node(s) had no available volume zone. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.
        near node-2 none
        lost node-3 none
        near node-2 none
    "#]],
    );
}

#[test]
fn a_node_takes_as_many_volumes_as_its_driver_says() {
    let csi = |handle: &str| format!("csi: {{driver: d.example.com, volumeHandle: {handle}}}");
    let limit = |node: &str, count: i64| {
        format!(
            "POST /apis/storage.k8s.io/v1/csinodes {{apiVersion: storage.k8s.io/v1, kind: CSINode, metadata: {{name: {node}}}, spec: {{drivers: [{{name: d.example.com, nodeID: {node}, allocatable: {{count: {count}}}}}]}}}}"
        )
    };
    let steps = [
        limit("node-1", 1),
        limit("node-2", 0),
        limit("node-3", 0),
        volume("one", "", &csi("v1")),
        volume("two", "", &csi("v2")),
        "wait 20".to_owned(),
        pod("a", &["one"], ""),
        "wait 10".to_owned(),
        pod("b", &["two"], ""),
        pod("c", &["one"], ""),
        "wait 10".to_owned(),
        "GET /api/v1/namespaces/default/pods metadata.name,spec.nodeName,PodScheduled".to_owned(),
        r#"PATCH /apis/storage.k8s.io/v1/csinodes/node-3 {"spec": {"drivers": [{"name": "d.example.com", "nodeID": "node-3", "allocatable": {"count": 1}}]}}"#.to_owned(),
        "wait 20".to_owned(),
        "GET /api/v1/namespaces/default/pods metadata.name,spec.nodeName,PodScheduled".to_owned(),
    ];
    check(
        &steps.join("\n"),
        expect![[r#"
            a node-1 none
            b none 0/3 nodes are available: 3 node(s) exceed max volume count. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.
            c node-1 none
            a node-1 none
            b node-3 none
            c node-1 none
        "#]],
    );
}

#[test]
fn who_takes_a_node_ends_lower_nominations_for_it() {
    let busy = |name: &str, priority: i64, cpu: &str| {
        format!("POST /apis/scheduling.k8s.io/v1/priorityclasses {{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {{name: {name}}}, value: {priority}}}
        POST /api/v1/namespaces/default/pods {{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{priorityClassName: {name}, nodeSelector: {{kubernetes.io/hostname: node-1}}, containers: [{{name: c, image: busybox, command: [sh, -c, \"trap '' TERM; sleep infinity\"], resources: {{requests: {{cpu: {cpu}}}}}}}]}}}}\n")
    };
    let steps = [
        busy("first", 1, "1500m"),
        busy("second", 2, "1500m"),
        "wait 10".to_owned(),
        busy("third", 10, "1500m"),
        "wait 2".to_owned(),
        "GET /api/v1/namespaces/default/pods metadata.name,status.nominatedNodeName".to_owned(),
        busy("fourth", 100, "3"),
        "wait 2".to_owned(),
        "GET /api/v1/namespaces/default/pods metadata.name,status.nominatedNodeName".to_owned(),
        "wait 60".to_owned(),
        "GET /api/v1/namespaces/default/pods metadata.name,spec.nodeName,status.nominatedNodeName".to_owned(),
    ];
    check(
        &steps.join("\n"),
        expect![[r#"
            first none
            second none
            third node-1
            first none
            fourth node-1
            second none
            third none
            fourth node-1 none
            third none none
        "#]],
    );
}
