use std::sync::Arc;

use expect_test::{Expect, expect};
use kinds::{NODE, POD};
use meta::{Key, KindId, Object};
use sim::{Duration, Instant, Rng};
use value::{Str, yaml};

use crate::cache::{Cache, PodInfo, Templates};
use crate::cycle::{self, Outcome, fit_message};
use crate::decision::{Decision, Decisions, Explained, NodeResult};
use crate::preemption::{self, Preemption};
use crate::queue::{Queue, Rejected};

fn object(kind: KindId, text: &str) -> Arc<Object> {
    let document = yaml::parse_documents(text).expect("the text is YAML").remove(0);
    Arc::new(Object::from_map(kind, document.value.as_map().expect("the text is a map")))
}

/// A pod: its name, and what stands in `spec` beside one container that requests so much CPU.
fn pod(name: &str, cpu: &str, spec: &str) -> Arc<PodInfo> {
    let container = format!("{{name: main, image: app, resources: {{requests: {{cpu: {cpu}}}}}}}");
    let meta = format!("{{name: {name}, namespace: default, labels: {{app: {name}}}}}");
    let pod = object(POD, &format!("{{metadata: {meta}, spec: {{containers: [{container}], {spec}}}}}"));
    Arc::new(PodInfo::of(&pod, &mut Templates::default()))
}

/// Four nodes with two CPUs each: a tainted one, a cordoned one, one in zone a and one in zone b.
fn cache() -> Cache {
    let mut cache = Cache::default();
    for (name, zone, spec) in [
        ("node-1", "a", "{taints: [{key: dedicated, value: db, effect: NoSchedule}]}"),
        ("node-2", "a", "{unschedulable: true, taints: [{key: node.kubernetes.io/unschedulable, effect: NoSchedule}]}"),
        ("node-3", "a", "{}"),
        ("node-4", "b", "{}"),
    ] {
        let labels = format!("{{kubernetes.io/hostname: {name}, zone: {zone}}}");
        let status = "{allocatable: {cpu: '2', memory: 4Gi, pods: '110'}}";
        cache.set_node(&object(
            NODE,
            &format!("{{metadata: {{name: {name}, labels: {labels}}}, spec: {spec}, status: {status}}}"),
        ));
    }
    cache
}

/// Pods that are there already: where, name, CPU, what else stands in `spec`.
type Placed<'a> = &'a [(&'a str, &'a str, &'a str, &'a str)];

fn with(placed: Placed<'_>) -> Cache {
    let mut cache = cache();
    for (node, name, cpu, spec) in placed {
        cache.place(pod(name, cpu, spec), &(*node).into());
    }
    cache
}

/// Where the pod goes, or why nowhere, and what preemption can do about it.
#[track_caller]
fn check(placed: Placed<'_>, cpu: &str, spec: &str, expect: Expect) {
    let mut cache = with(placed);
    let pod = pod("new", cpu, spec);
    let (outcome, _) = cycle::schedule(&mut cache, &pod, &mut 0, &mut Rng::new(1));
    let text = match outcome {
        Outcome::Node(node) => node.to_string(),
        Outcome::Nowhere(failure) => {
            let message = fit_message(cache.nodes.len(), &failure.reasons());
            let preemption = match preemption::preempt(&cache, &pod, &failure) {
                Preemption::Victims { node, pods } => {
                    let names: Vec<&str> = pods.iter().map(|it| &*it.key.name).collect();
                    format!("evict {names:?} of {node}")
                }
                Preemption::No(why) => why,
            };
            format!("{message}\n{preemption}")
        }
    };
    expect.assert_eq(&text);
}

#[test]
fn a_pod_goes_where_most_is_free() {
    check(&[("node-3", "other", "1", "")], "500m", "", expect!["node-4"]);
    check(&[("node-4", "other", "1", "")], "500m", "", expect!["node-3"]);
}

#[test]
fn every_node_says_why_it_does_not_fit() {
    check(
        &[("node-3", "other", "1500m", "")],
        "1",
        "nodeSelector: {zone: a}",
        expect![[r#"
        0/4 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable.
        0/4 nodes are available: 1 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling."#]],
    );
    check(
        &[],
        "3",
        "",
        expect![[r#"
        0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 2 Insufficient cpu.
        0/4 nodes are available: 4 Preemption is not helpful for scheduling."#]],
    );
    check(
        &[("node-3", "a", "1", ""), ("node-4", "b", "1", "")],
        "1500m",
        "tolerations: [{operator: Exists}], nodeSelector: {zone: c}",
        expect![[r#"
        0/4 nodes are available: 4 node(s) didn't match Pod's node affinity/selector.
        0/4 nodes are available: 4 Preemption is not helpful for scheduling."#]],
    );
}

#[test]
fn a_tolerated_taint_keeps_nobody_away() {
    check(
        &[("node-3", "a", "2", ""), ("node-4", "b", "2", "")],
        "1",
        "tolerations: [{key: dedicated, operator: Equal, value: db, effect: NoSchedule}]",
        expect!["node-1"],
    );
}

#[test]
fn a_daemon_pod_looks_at_its_node_only() {
    let affinity = "{nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: \
                    [{matchFields: [{key: metadata.name, operator: In, values: [node-3]}]}]}}}";
    check(&[], "1", &format!("affinity: {affinity}"), expect!["node-3"]);
    check(
        &[("node-3", "other", "1500m", "")],
        "1",
        &format!("affinity: {affinity}"),
        expect![[r#"
        0/4 nodes are available: 1 Insufficient cpu, 3 node(s) didn't satisfy plugin(s) [NodeAffinity].
        0/4 nodes are available: 1 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling."#]],
    );
}

#[test]
fn the_least_important_pods_make_room() {
    let placed: Placed<'_> = &[
        ("node-3", "high", "1500m", "priority: 500"),
        ("node-4", "low", "1", "priority: 1"),
        ("node-4", "lower", "500m", ""),
    ];
    check(
        placed,
        "1",
        "priority: 100",
        expect![[r#"
        0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 2 Insufficient cpu.
        evict ["lower"] of node-4"#]],
    );
    check(
        placed,
        "1",
        "",
        expect![[r#"
        0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 2 Insufficient cpu.
        0/4 nodes are available: 2 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling."#]],
    );
    check(
        placed,
        "1",
        "priority: 100, preemptionPolicy: Never",
        expect![[r#"
        0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 2 Insufficient cpu.
        not eligible due to preemptionPolicy=Never."#]],
    );
}

#[test]
fn company_and_spread_are_kept() {
    let near = "affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: \
                [{labelSelector: {matchLabels: {app: db}}, topologyKey: zone}]}}";
    check(&[("node-4", "db", "100m", "")], "100m", near, expect!["node-4"]);
    check(
        &[],
        "100m",
        near,
        expect![[r#"
        0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 2 node(s) didn't match pod affinity rules.
        0/4 nodes are available: 4 Preemption is not helpful for scheduling."#]],
    );
    let apart = near.replace("podAffinity", "podAntiAffinity");
    check(&[("node-4", "db", "100m", "")], "100m", &apart, expect!["node-3"]);
    let spread = "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, \
                  labelSelector: {matchLabels: {app: db}}}]";
    check(&[("node-3", "db", "100m", "")], "100m", spread, expect!["node-4"]);
}

#[test]
fn pods_are_tried_by_priority_and_back_off() {
    let mut queue = Queue::default();
    let start = Instant::from_secs(100);
    let key = |name: &str| Key::new("default", name);
    queue.add(key("first"), 0, start);
    queue.add(key("second"), 0, start + Duration::from_secs(1));
    queue.add(key("urgent"), 10, start + Duration::from_secs(2));
    let order: Vec<_> =
        std::iter::from_fn(|| queue.pop(start + Duration::from_secs(3))).map(|(it, _)| it.name).collect();
    assert_eq!(order, ["urgent", "first", "second"]);
    // A change that may help wakes a pod, but not before its back-off has passed: twice as long each time, ten seconds at most.
    let mut now = start + Duration::from_secs(3);
    let mut waits = Vec::new();
    for name in ["first", "second"] {
        queue.remove(&key(name));
    }
    for _ in 0..6 {
        queue.reject(&key("urgent"), Rejected { by_pods: true, ..Rejected::default() });
        queue.something_changed(now, &|_, why| why.by_node);
        assert_eq!(queue.next_wakeup(), Some(now + Duration::from_secs(300)), "nothing that helps has changed");
        queue.something_changed(now, &|_, why| why.by_pods);
        let at = queue.next_wakeup().expect("the pod is due");
        waits.push(at.since(now).as_secs());
        now = at;
        assert!(queue.pop(now).is_some());
    }
    assert_eq!(waits, [1, 2, 4, 8, 10, 10]);
}

#[test]
fn preemption_breaks_no_budget_where_it_can_choose() {
    let mut cache = with(&[("node-3", "kept", "1500m", ""), ("node-4", "free", "1500m", "")]);
    let budget = "{metadata: {name: keep, namespace: default}, spec: {selector: {matchLabels: {app: kept}}}, status: {disruptionsAllowed: 0}}";
    cache.budgets = vec![preemption::Budget::of(&object(kinds::POD_DISRUPTION_BUDGET, budget))];
    let pod = pod("new", "1", "priority: 100");
    let (outcome, _) = cycle::schedule(&mut cache, &pod, &mut 0, &mut Rng::new(1));
    let Outcome::Nowhere(failure) = outcome else { panic!("both nodes are full") };
    match preemption::preempt(&cache, &pod, &failure) {
        Preemption::Victims { pods, .. } => assert_eq!(pods[0].key.name, "free"),
        Preemption::No(why) => panic!("{why}"),
    }
}

#[test]
fn old_decisions_keep_the_chosen_node_only() {
    let node = |name: &str, row| NodeResult { name: name.into(), refused: None, row: Some(row) };
    let decision = |chosen: &str| Decision {
        attempt: 1,
        at: Instant::from_secs(1),
        explained: Explained { nodes: vec![node("node-1", 1), node("node-2", 0)], scores: vec![7; 14] },
        chosen: Some(chosen.into()),
        nominated: None,
        message: Str::default(),
    };
    let mut decisions = Decisions::new(4, 5);
    for number in 0..12 {
        decisions.insert(&Key::new("default", format!("pod-{number:02}")), decision("node-2"));
    }
    let kept: Vec<String> =
        decisions.iter().map(|(pod, it)| format!("{} {}", pod.name, it.explained.nodes.len())).collect();
    expect![[r#"
        [
            "pod-08 1",
            "pod-09 1",
            "pod-10 1",
            "pod-11 2",
        ]
    "#]]
    .assert_debug_eq(&kept);
}

#[test]
fn pods_that_a_selector_means_are_counted_as_they_come_and_go() {
    let spread = "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, \
                  labelSelector: {matchExpressions: [{key: app, operator: In, values: [a, b, c]}]}}]";
    let seeker = pod("seeker", "100m", spread);
    let node = |cache: &Cache, name: &str| cache.nodes.get(name).map(|it| it.node.clone()).expect("the node is there");
    let mut cache = cache();
    cache.prepare(&seeker);
    let id = cache.alike("default", &cache.spreads.soft[0].selector);
    let counts = |cache: &Cache| ["node-3", "node-4"].map(|it| cache.nodes.get(it).map_or(-1, |it| it.n_alike(id)));
    let mut seen = Vec::new();
    for (name, on) in [("a", "node-3"), ("b", "node-3"), ("other", "node-3"), ("c", "node-4"), ("c", "node-3")] {
        cache.place(pod(name, "100m", ""), &on.into());
        seen.push(counts(&cache));
    }
    cache.unplace(&Key::new("default", "b"));
    seen.push(counts(&cache));
    let gone = node(&cache, "node-3");
    cache.remove_node(&"node-3".into());
    seen.push(counts(&cache));
    cache.set_node(&gone);
    seen.push(counts(&cache));
    assert_eq!(seen, [[1, 0], [2, 0], [2, 0], [2, 1], [3, 0], [2, 0], [-1, 0], [2, 0]]);
}
