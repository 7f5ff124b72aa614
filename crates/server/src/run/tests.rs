use cluster::{Cluster, Config};
use expect_test::{Expect, expect};

use super::{TURNS_AT_ONCE, get};

fn check(resources: &str, output: &str, expected: Expect) {
    let mut cluster = Cluster::new(&Config { n_nodes: 1, ..Config::default() });
    while !cluster.settle(TURNS_AT_ONCE).done {}
    let printed = get(&mut cluster, resources, output);
    expected.assert_eq(&(printed.stdout + &printed.stderr));
}

#[test]
fn what_is_asked_for_is_printed_as_kubectl_prints_it() {
    check(
        "ns,priorityclasses",
        "name",
        expect![[r#"
        namespace/default
        namespace/kube-node-lease
        namespace/kube-public
        namespace/kube-system
        priorityclass.scheduling.k8s.io/system-cluster-critical
        priorityclass.scheduling.k8s.io/system-node-critical
    "#]],
    );
    check(
        "ds",
        "",
        expect![[r#"
        No resources found
    "#]],
    );
    check(
        "services",
        "wide",
        expect![[r#"
        NAMESPACE   NAME         TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE   SELECTOR
        default     kubernetes   ClusterIP   10.96.0.1    <none>        443/TCP   1s    <none>
    "#]],
    );
    check(
        "nothings",
        "",
        expect![[r#"
        error: the server doesn't have a resource type "nothings"
    "#]],
    );
}
