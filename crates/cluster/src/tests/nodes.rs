//! What becomes of nodes that come, go or fall silent, and of their pods.

use expect_test::expect;

use super::controllers::{check, check_on};
use crate::{Config, KubeletMode};

const NODE: &str = "{kind: Node, metadata: {name: bare, labels: {kubernetes.io/os: linux, kubernetes.io/arch: arm64, \
                    beta.kubernetes.io/arch: amd64}}}";

#[test]
fn a_node_is_registered_labelled_and_removed() {
    check(
        &[
            NODE,
            "wait 10",
            "show Node bare metadata.labels metadata.annotations",
            "delete Node bare",
            "wait 10",
            "events RegisteredNode",
            "events RemovingNode",
        ],
        expect![[r#"
            bare: {"beta.kubernetes.io/arch":"arm64","beta.kubernetes.io/os":"linux","kubernetes.io/arch":"arm64","kubernetes.io/os":"linux"} {"node.alpha.kubernetes.io/ttl":"0"}
            Normal node-controller Node/bare: Node bare event: Registered Node bare in Controller
            Normal node-controller Node/node-1: Node node-1 event: Registered Node node-1 in Controller
            Normal node-controller Node/bare: Node bare event: Removing Node bare from Controller
        "#]],
    );
}

#[test]
fn an_eviction_that_is_planned_is_neither_moved_nor_forgotten() {
    let pod = |name: &str, tolerations: &str| {
        format!(
            "{{kind: Pod, metadata: {{name: {name}}}, spec: {{nodeName: node-1, tolerations: {tolerations}, containers: \
             [{{name: main, image: a}}]}}}}"
        )
    };
    let tolerated_for = |seconds: u32| {
        let one = |key: &str, seconds: u32| {
            format!("{{key: {key}, operator: Exists, effect: NoExecute, tolerationSeconds: {seconds}}}")
        };
        let by_default =
            ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].map(|it| one(it, 300)).join(", ");
        format!("[{}, {by_default}]", one("a", seconds))
    };
    check(
        &[
            &pod("stays", &tolerated_for(100)),
            &pod("goes", &tolerated_for(90)),
            &pod("gone", &tolerated_for(100)),
            "wait 5",
            "{kind: Node, metadata: {name: node-1}, spec: {taints: [{key: a, effect: NoExecute}]}}",
            "wait 50",
            "delete Pod gone",
            &pod("stays", &tolerated_for(20)),
            "wait 5",
            "events TaintManagerEviction",
            "wait 40",
            "show Pod goes status.phase",
            "show Pod stays status.phase",
            "{kind: Node, metadata: {name: node-1}, spec: {taints: null}}",
            "wait 5",
            "events TaintManagerEviction",
        ],
        expect![[r#"
            Normal taint-eviction-controller Pod/gone: Cancelling deletion of Pod default/gone
            goes: gone
            stays: "Running"
            Normal taint-eviction-controller Pod/goes: Marking for deletion Pod default/goes
            Normal taint-eviction-controller Pod/gone: Cancelling deletion of Pod default/gone
            Normal taint-eviction-controller Pod/stays: Cancelling deletion of Pod default/stays
        "#]],
    );
}

#[test]
fn pods_on_a_node_out_of_service_are_not_waited_for() {
    check(
        &[
            NODE,
            "{kind: Pod, metadata: {name: lost}, spec: {nodeName: bare, tolerations: [{operator: Exists}], containers: \
             [{name: main, image: a}]}}",
            "wait 5",
            "delete Pod lost",
            "wait 100",
            "show Pod lost status.phase",
            "{kind: Node, metadata: {name: bare}, spec: {taints: [{key: node.kubernetes.io/out-of-service, effect: NoExecute}]}}",
            "wait 21",
            "show Pod lost",
        ],
        expect![[r#"
            lost: "Pending"
            lost: gone
        "#]],
    );
}

#[test]
fn when_all_nodes_are_lost_no_pod_is_evicted() {
    let power = |name: &str, state: &str| {
        format!(
            "{{apiVersion: sim.drydock.dev/v1alpha1, kind: Machine, metadata: {{name: {name}}}, spec: {{power: '{state}'}}}}"
        )
    };
    let taints = "list Node spec.taints.0.key spec.taints.0.effect spec.taints.1.key spec.taints.1.effect";
    check_on(
        Config { n_nodes: 3, kubelet: KubeletMode::Real, ..Config::default() },
        &[
            "wait 60",
            &power("node-1", "Off"),
            "wait 60",
            taints,
            &power("node-2", "Off"),
            &power("node-3", "Off"),
            "wait 120",
            taints,
            &power("node-3", "On"),
            "wait 5",
            taints,
            "wait 30",
            taints,
        ],
        expect![[r#"
            node-1: "node.kubernetes.io/unreachable" "NoSchedule" "node.kubernetes.io/unreachable" "NoExecute"
            node-2: none none none none
            node-3: none none none none
            node-1: "node.kubernetes.io/unreachable" "NoSchedule" none none
            node-2: "node.kubernetes.io/unreachable" "NoSchedule" none none
            node-3: "node.kubernetes.io/unreachable" "NoSchedule" none none
            node-1: "node.kubernetes.io/unreachable" "NoSchedule" none none
            node-2: "node.kubernetes.io/unreachable" "NoSchedule" none none
            node-3: none none none none
            node-1: "node.kubernetes.io/unreachable" "NoSchedule" "node.kubernetes.io/unreachable" "NoExecute"
            node-2: "node.kubernetes.io/unreachable" "NoSchedule" "node.kubernetes.io/unreachable" "NoExecute"
            node-3: none none none none
        "#]],
    );
}
