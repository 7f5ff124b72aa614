use std::collections::BTreeMap;
use std::sync::Arc;

use expect_test::{Expect, expect};
use kinds::{DAEMON_SET, NODE, POD};
use meta::Object;
use value::{Str, Value, value, yaml};

use super::{Place, Sync, nodes, update, verdicts};

const NOW: i64 = 1_767_258_000;

fn object(kind: meta::KindId, text: &str) -> Arc<Object> {
    let document = yaml::parse_documents(text).expect("the text is YAML").remove(0);
    Arc::new(Object::from_map(kind, document.value.as_map().expect("the text is a map")))
}

fn daemon_set(spec: &str) -> Arc<Object> {
    object(DAEMON_SET, &format!("{{metadata: {{name: agent, namespace: default}}, spec: {spec}}}"))
}

/// Three nodes: one for the control plane, one in zone b, one with a taint against pods that run.
fn three_nodes() -> Vec<Arc<Object>> {
    [
        "{metadata: {name: node-1, labels: {zone: a}}, spec: {taints: [{key: control-plane, effect: NoSchedule}]}}",
        "{metadata: {name: node-2, labels: {zone: b}}}",
        "{metadata: {name: node-3}, spec: {taints: [{key: broken, value: 'yes', effect: NoExecute}]}}",
    ]
    .map(|it| object(NODE, it))
    .to_vec()
}

/// Where a pod of this template runs.
#[track_caller]
fn check_nodes(spec: &str, expect: Expect) {
    let set = daemon_set(&format!("{{template: {{spec: {spec}}}}}"));
    let line = |it: super::Verdict| {
        let what = match (it.should_run, it.should_continue) {
            (true, _) => "runs",
            (false, true) => "stays",
            (false, false) => "no",
        };
        format!("{} {what}: {}: {}\n", it.node, it.reason, it.message)
    };
    expect.assert_eq(&verdicts(&set, three_nodes().iter()).into_iter().map(line).collect::<String>());
}

#[test]
fn selectors_affinity_and_taints_choose_the_nodes() {
    check_nodes(
        "{}",
        expect![[r#"
            node-1 stays: UntoleratedTaint: taint control-plane:NoSchedule is not tolerated; a pod that is already here stays
            node-2 runs: Eligible: nothing in the template keeps its pod from this node
            node-3 no: UntoleratedTaint: taint broken=yes:NoExecute is not tolerated
        "#]],
    );
    check_nodes(
        "{tolerations: [{operator: Exists}], nodeSelector: {zone: a}}",
        expect![[r#"
            node-1 runs: Eligible: nothing in the template keeps its pod from this node
            node-2 no: NodeSelectorMismatch: label zone is b, not a
            node-3 no: NodeSelectorMismatch: label zone=a is missing
        "#]],
    );
    let term = "{matchExpressions: [{key: zone, operator: NotIn, values: [b]}]}";
    check_nodes(
        &format!(
            "{{tolerations: [{{key: broken, operator: Exists}}], affinity: {{nodeAffinity: \
             {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{term}]}}}}}}}}"
        ),
        expect![[r#"
            node-1 stays: UntoleratedTaint: taint control-plane:NoSchedule is not tolerated; a pod that is already here stays
            node-2 no: NodeAffinityMismatch: label zone is b, which the affinity excludes
            node-3 runs: Eligible: nothing in the template keeps its pod from this node
        "#]],
    );
    check_nodes(
        "{nodeName: node-2}",
        expect![[r#"
        node-1 no: NodeNameMismatch: the template names the node node-2
        node-2 runs: Eligible: nothing in the template keeps its pod from this node
        node-3 no: NodeNameMismatch: the template names the node node-2
    "#]],
    );
}

#[track_caller]
fn check_tolerations(spec: &str, expect: Expect) {
    let spec = yaml::parse_documents(spec).expect("the text is YAML").remove(0).value;
    let line = |it: &Value| {
        let [key, operator, effect] = ["key", "operator", "effect"].map(|field| it.str_at(field).unwrap_or("-"));
        format!("{key} {operator} {effect}\n")
    };
    expect.assert_eq(&nodes::tolerations(&spec).iter().map(line).collect::<String>());
}

#[test]
fn every_daemon_pod_tolerates_what_nodes_suffer() {
    check_tolerations(
        "{tolerations: [{key: mine, operator: Equal, effect: NoSchedule}]}",
        expect![[r#"
        mine Equal NoSchedule
        node.kubernetes.io/not-ready Exists NoExecute
        node.kubernetes.io/unreachable Exists NoExecute
        node.kubernetes.io/disk-pressure Exists NoSchedule
        node.kubernetes.io/memory-pressure Exists NoSchedule
        node.kubernetes.io/pid-pressure Exists NoSchedule
        node.kubernetes.io/unschedulable Exists NoSchedule
    "#]],
    );
    check_tolerations(
        "{hostNetwork: true, tolerations: [{key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute}]}",
        expect![[r#"
            node.kubernetes.io/not-ready Exists NoExecute
            node.kubernetes.io/unreachable Exists NoExecute
            node.kubernetes.io/disk-pressure Exists NoSchedule
            node.kubernetes.io/memory-pressure Exists NoSchedule
            node.kubernetes.io/pid-pressure Exists NoSchedule
            node.kubernetes.io/unschedulable Exists NoSchedule
            node.kubernetes.io/network-unavailable Exists NoSchedule
        "#]],
    );
}

/// `node-1 old ready` and the like: a pod on a node, of the present template or an older one, ready or not.
fn pod(words: &[&str], idx: usize) -> Arc<Object> {
    let [node, version, state] = words else { panic!("three words for each pod") };
    let ready = if *state == "ready" { "True" } else { "False" };
    object(
        POD,
        &format!(
            "{{metadata: {{name: {version}-{idx}, namespace: default, labels: {{controller-revision-hash: {version}}}}}, \
             spec: {{nodeName: {node}}}, status: {{conditions: [{{type: Ready, status: '{ready}'}}]}}}}"
        ),
    )
}

/// What a rolling update under this strategy does to these pods.
/// A node that is to run a pod of the set.
fn place(name: &str, pods: Vec<Arc<Object>>) -> Place {
    Place { name: name.into(), exists: true, should_run: true, should_continue: true, pods }
}

#[track_caller]
fn check_update(strategy: &str, pods: &[&str], expect: Expect) {
    let set = daemon_set(&format!(
        "{{template: {{spec: {{}}}}, updateStrategy: {{type: RollingUpdate, rollingUpdate: {strategy}}}}}"
    ));
    let mut by_node: BTreeMap<Str, Vec<Arc<Object>>> = BTreeMap::new();
    for (idx, line) in pods.iter().enumerate() {
        let pod = pod(&line.split(' ').collect::<Vec<_>>(), idx);
        by_node.entry(pod.str_at("spec.nodeName").unwrap_or_default().into()).or_default().push(pod);
    }
    let nodes = ["node-1", "node-2", "node-3", "node-4"];
    let places = nodes.iter().map(|it| place(it, by_node.remove(*it).unwrap_or_default())).collect();
    let sync = Sync::new(&set, places, "new".into(), NOW);
    let plan = update::plan(&sync);
    let delete: Vec<&str> = plan.delete.iter().map(|it| &**it).collect();
    let create: Vec<&str> = plan.create.iter().map(|it| &**it).collect();
    expect.assert_eq(&format!("delete {delete:?}, create on {create:?}"));
}

const OLD: [&str; 4] = ["node-1 old ready", "node-2 old ready", "node-3 old ready", "node-4 old ready"];

#[test]
fn without_surge_as_many_go_as_may_be_unavailable() {
    check_update("{maxUnavailable: 1}", &OLD, expect![[r#"delete ["old-0"], create on []"#]]);
    check_update("{maxUnavailable: 50%}", &OLD, expect![[r#"delete ["old-0", "old-1"], create on []"#]]);
    // 30% of four nodes is rounded up.
    check_update("{maxUnavailable: 30%}", &OLD, expect![[r#"delete ["old-0", "old-1"], create on []"#]]);
    check_update("{maxUnavailable: 0}", &OLD, expect![[r#"delete ["old-0"], create on []"#]]);
}

#[test]
fn old_pods_that_are_not_available_go_at_once() {
    check_update(
        "{maxUnavailable: 1}",
        &["node-1 old broken", "node-2 old broken", "node-3 old ready", "node-4 old ready"],
        expect![[r#"delete ["old-0", "old-1"], create on []"#]],
    );
}

#[test]
fn a_new_pod_that_is_not_available_holds_the_update() {
    check_update(
        "{maxUnavailable: 1}",
        &["node-1 new broken", "node-2 old ready", "node-3 old ready", "node-4 old ready"],
        expect!["delete [], create on []"],
    );
    check_update(
        "{maxUnavailable: 2}",
        &["node-1 new broken", "node-2 old ready", "node-3 old ready", "node-4 old ready"],
        expect![[r#"delete ["old-1"], create on []"#]],
    );
}

#[test]
fn with_surge_new_pods_come_first() {
    check_update("{maxUnavailable: 0, maxSurge: 2}", &OLD, expect![[r#"delete [], create on ["node-1", "node-2"]"#]]);
    check_update(
        "{maxUnavailable: 0, maxSurge: 2}",
        &["node-1 old ready", "node-1 new broken", "node-2 old ready", "node-3 old ready", "node-4 old ready"],
        expect![[r#"delete [], create on ["node-2"]"#]],
    );
    check_update(
        "{maxUnavailable: 0, maxSurge: 1}",
        &["node-1 old ready", "node-1 new ready", "node-2 old ready", "node-3 old ready", "node-4 old ready"],
        expect![[r#"delete ["old-0"], create on ["node-2"]"#]],
    );
}

#[test]
fn a_pod_keeps_the_preferences_of_its_template() {
    let set = daemon_set("{template: {spec: {}}}");
    let affinity =
        value!({ "podAffinity": {}, "nodeAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [] } });
    let mut changed = (*set).clone();
    changed.set("spec.template.spec.affinity", affinity);
    let set = Arc::new(changed);
    let sync = Sync::new(&set, Vec::new(), "h".into(), NOW);
    let pod = super::manage::PodTemplate::of(&sync).pod(&"node-2".into());
    expect![[r#"
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution: []
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
            - matchFields:
              - key: metadata.name
                operator: In
                values:
                - node-2
        podAffinity: {}
    "#]]
    .assert_eq(&yaml::emit(pod.at("spec.affinity").expect("it has one")));
}
