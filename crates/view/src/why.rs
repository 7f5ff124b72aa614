//! Why a node has, or has not, a pod of the selected object: from the decisions that the simulation shows.

use std::collections::BTreeMap;

use meta::Object;
use runtime::placement;
use value::Value;

use crate::clock;
use crate::model::{Look, Mark, Node, NodeState, Pod, Ref, Verdict, Why};
use crate::words::{State, Words, counted};

/// What verdicts are made of.
pub struct Facts<'a> {
    pub target: &'a Ref,
    pub nodes: &'a [&'a Node],
    /// The pods of the object, or the pod itself, with what each asks for: thousandths of a CPU and bytes.
    pub pods: &'a [(Pod, [i64; 2])],
    /// `status` of the PlacementDecision, for a DaemonSet.
    pub placement: Option<&'a Value>,
    /// `status` of SchedulingDecisions by the pod's name.
    pub decisions: &'a BTreeMap<String, Value>,
    /// By node, the taint that the pods do not tolerate, in words.
    pub taints: &'a BTreeMap<String, String>,
    /// The state of the whole; none for a pod.
    pub words: Option<&'a Words>,
}

/// The taint that keeps a pod away from a node, in words.
pub fn untolerated(pod: &Object, node: &Object) -> Option<String> {
    let tolerations = placement::tolerations(pod.body.get("spec")?);
    let taints = placement::taints(node);
    let taint = placement::untolerated(&taints, &tolerations, &["NoSchedule", "NoExecute"])?;
    Some(format!("taint {taint} is not tolerated"))
}

/// The verdicts over all nodes, in their order, and a sentence for the whole.
pub fn why(facts: &Facts<'_>) -> Why {
    let verdicts: Vec<Verdict> = facts.nodes.iter().map(|node| verdict(facts, node)).collect();
    let summary = summary(facts, &verdicts);
    Why { target: facts.target.clone(), summary, verdicts }
}

fn verdict(facts: &Facts<'_>, node: &Node) -> Verdict {
    match facts.placement.and_then(|it| by_name(it, &node.name)) {
        Some(placement) => of_daemon(facts, node, placement),
        None => of_scheduler(facts, node),
    }
}

fn by_name<'a>(decision: &'a Value, node: &str) -> Option<&'a Value> {
    decision.list_at("nodes").iter().find(|it| it.str_at("name") == Some(node))
}

fn made(node: &Node, mark: Mark, text: String, field: &str) -> Verdict {
    Verdict { node: node.name.clone(), mark, text, field: field.to_owned() }
}

fn of_daemon(facts: &Facts<'_>, node: &Node, placement: &Value) -> Verdict {
    let here = facts.pods.iter().filter(|(pod, _)| pod.node == node.name);
    let pod = here
        .max_by_key(|(pod, _)| pod.is_ready)
        .or_else(|| facts.pods.iter().find(|(pod, _)| pod.node.is_empty() && pod.wants == node.name));
    let should_run = placement.bool_at("shouldRun") == Some(true);
    let message = placement.str_at("message").unwrap_or_default();
    let field = placement.str_at("field").unwrap_or_default();
    if let Some((pod, _)) = pod.filter(|(pod, _)| is_lost(node) && !pod.node.is_empty()) {
        return lost(node, pod.is_ready);
    }
    match pod {
        Some((pod, asks)) if should_run => of_own_pod(facts, node, pod, asks),
        None if should_run => made(node, Mark::Comes, "its pod is yet to be made".to_owned(), ""),
        Some((pod, _)) if pod.word == "Terminating" => {
            made(node, Mark::Stays, format!("its pod is leaving: {message}"), field)
        }
        Some(_) => made(node, Mark::Stays, format!("its pod stays, but no new one would come: {message}"), field),
        None => made(
            node,
            Mark::Cannot,
            message.split("; a pod that is already here").next().unwrap_or(message).to_owned(),
            field,
        ),
    }
}

/// A pod that is, or wants to be, on this node.
fn of_own_pod(facts: &Facts<'_>, node: &Node, pod: &Pod, asks: &[i64; 2]) -> Verdict {
    if !pod.node.is_empty() {
        let (mark, text) = of_placed(pod);
        return made(node, mark, text, "");
    }
    match facts.decisions.get(&pod.name).and_then(|it| by_name(it, &node.name)).and_then(refusal) {
        Some((plugin, reason)) => {
            let text = explained(facts, node, asks, plugin, reason);
            let subject = if reason.strip_prefix("node(s) ") == Some(&*text) { "the node " } else { "" };
            let text = format!("wants to run here, but {subject}{text}");
            made(node, Mark::Waits, text, &field_of(facts.target, plugin, reason))
        }
        None if pod.reason.is_empty() => made(node, Mark::Comes, "its pod waits for a scheduler".to_owned(), ""),
        None => made(node, Mark::Waits, format!("its pod waits: {}", crate::short_reason(&pod.reason, true)), ""),
    }
}

/// Whether what runs here cannot be heard.
fn is_lost(node: &Node) -> bool {
    matches!(node.state, NodeState::Off | NodeState::Unknown)
}

fn lost(node: &Node, counts: bool) -> Verdict {
    let text = match (counts, &node.state) {
        (true, _) => "still counts as ready: nobody has missed the node yet",
        (false, NodeState::Off) => "lost: the node is off",
        (false, _) => "lost: nobody hears of the node",
    };
    made(node, Mark::Lost, text.to_owned(), "")
}

/// One pod on a node that is heard.
fn of_placed(pod: &Pod) -> (Mark, String) {
    let restarts = match pod.n_restarts {
        0 => String::new(),
        n => format!(", {}", counted(n.into(), "restart")),
    };
    match pod.look {
        Look::Looping => (Mark::Fails, format!("is failing: {}{restarts}", pod.word)),
        Look::Failed => (Mark::Fails, format!("has failed: {}", pod.word)),
        Look::Succeeded => (Mark::None, "ended here".to_owned()),
        Look::Terminating => (Mark::Comes, "is leaving".to_owned()),
        _ if pod.is_ready => (Mark::Runs, "runs here".to_owned()),
        // What is short says more than the word alone.
        _ if !pod.reason.is_empty() && pod.reason.len() < 80 => {
            (Mark::Comes, format!("is here: {}, {}", pod.word, pod.reason))
        }
        _ if pod.word == "Running" => (Mark::Comes, "runs here, not ready yet".to_owned()),
        _ => (Mark::Comes, format!("is here: {}", pod.word)),
    }
}

/// The filter that refused the node, and its words.
fn refusal(node: &Value) -> Option<(&str, &str)> {
    let refused = node.list_at("filters").iter().find(|it| it.bool_at("passed") == Some(false))?;
    Some((refused.str_at("plugin").unwrap_or_default(), refused.str_at("reason").unwrap_or_default()))
}

/// Numbers where the scheduler says only that something is insufficient.
fn explained(facts: &Facts<'_>, node: &Node, [cpu, memory]: &[i64; 2], plugin: &str, reason: &str) -> String {
    if let Some(taint) = facts.taints.get(&node.name).filter(|_| plugin == "TaintToleration") {
        return taint.clone();
    }
    match reason {
        "Insufficient cpu" => {
            format!(
                "cpu: asks {}, {} free",
                clock::cpu(*cpu),
                clock::cpu(node.cpu.total.saturating_sub(node.cpu.used).max(0))
            )
        }
        "Insufficient memory" => {
            let free = node.memory.total.saturating_sub(node.memory.used).max(0);
            format!("memory: asks {}, {} free", clock::bytes(*memory), clock::bytes(free))
        }
        "Too many pods" => format!("it has {} of {} pods", node.pods.used, node.pods.total),
        _ => reason.strip_prefix("node(s) ").unwrap_or(reason).to_owned(),
    }
}

/// The field of the manifest that a filter looks at.
fn field_of(target: &Ref, plugin: &str, reason: &str) -> String {
    let template = match target.kind.as_str() {
        "Pod" => "",
        "CronJob" => "spec.jobTemplate.spec.template.",
        _ => "spec.template.",
    };
    let field = match plugin {
        "TaintToleration" | "NodeUnschedulable" => "spec.tolerations",
        "NodeAffinity" if reason.contains("selector") => "spec.nodeSelector",
        "NodeAffinity" => "spec.affinity",
        "NodeName" => "spec.nodeName",
        "NodePorts" => "spec.containers[0].ports",
        "NodeResourcesFit" if reason.ends_with("cpu") => "spec.containers[0].resources.requests.cpu",
        "NodeResourcesFit" if reason.ends_with("memory") => "spec.containers[0].resources.requests.memory",
        "NodeResourcesFit" => "spec.containers[0].resources.requests",
        "PodTopologySpread" => "spec.topologySpreadConstraints",
        "InterPodAffinity" => "spec.affinity",
        "VolumeBinding" | "VolumeZone" | "VolumeRestrictions" => "spec.volumes",
        _ => return String::new(),
    };
    format!("{template}{field}")
}

fn of_scheduler(facts: &Facts<'_>, node: &Node) -> Verdict {
    let here: Vec<&Pod> = facts.pods.iter().map(|(pod, _)| pod).filter(|it| it.node == node.name).collect();
    // What waits is what one wants explained; else the last that was placed.
    let waiting = facts.pods.iter().filter(|(pod, _)| pod.node.is_empty());
    let explained_pod = waiting.chain(facts.pods).find(|(pod, _)| facts.decisions.contains_key(&pod.name));
    let decided =
        explained_pod.and_then(|(pod, asks)| Some((asks, by_name(facts.decisions.get(&pod.name)?, &node.name)?)));
    let refused = decided.and_then(|(asks, it)| Some((asks, refusal(it)?)));
    let count = |is: &dyn Fn(&Pod) -> bool| here.iter().filter(|it| is(it)).count();
    let n_ready = count(&|it| it.is_ready);
    let n_succeeded = count(&|it| it.look == Look::Succeeded);
    let n_leaving = count(&|it| it.look == Look::Terminating);
    let n_left = here.len() - n_succeeded - n_leaving;
    if n_left > 0 && is_lost(node) {
        return lost(node, n_ready > 0);
    }
    match (here.as_slice(), refused) {
        ([], Some((asks, (plugin, reason)))) => {
            let text = explained(facts, node, asks, plugin, reason);
            made(node, Mark::Cannot, text, &field_of(facts.target, plugin, reason))
        }
        // What was decided before says nothing of now.
        ([], None) if node.is_cordoned => made(node, Mark::None, "cordoned: takes no new pods".to_owned(), ""),
        ([], None) if is_lost(node) => made(node, Mark::None, "takes no new pods".to_owned(), ""),
        ([], None) => match decided.and_then(|(_, it)| it.i64_at("total")).filter(|it| *it > 0) {
            Some(total) => made(node, Mark::None, format!("could run here; scored {total}"), ""),
            None => made(node, Mark::None, absent(facts), ""),
        },
        ([pod], _) => {
            let (mark, text) = of_placed(pod);
            made(node, mark, text, "")
        }
        _ if n_left == 0 && n_leaving == 0 => made(node, Mark::None, format!("{} ended here", pods(n_succeeded)), ""),
        _ => {
            let n_failing = count(&|it| matches!(it.look, Look::Looping | Look::Failed));
            let mark = match () {
                () if n_failing > 0 => Mark::Fails,
                () if n_ready == n_left && n_left > 0 => Mark::Runs,
                () => Mark::Comes,
            };
            let mut text = match mark {
                Mark::Runs => format!("{} ready", pods(n_left)),
                _ => format!("{} here, {n_ready} ready", pods(n_left)),
            };
            for (n, word) in [(n_failing, "failing"), (n_leaving, "leaving"), (n_succeeded, "ended")] {
                if n > 0 {
                    text.push_str(&format!(", {n} {word}"));
                }
            }
            made(node, mark, text, "")
        }
    }
}

/// Why nothing is on a node about which nobody had to decide.
fn absent(facts: &Facts<'_>) -> String {
    match facts.pods {
        [(pod, _)] if facts.target.kind == "Pod" && !pod.wants.is_empty() => format!("it is for {} only", pod.wants),
        [_] if facts.target.kind == "Pod" => "not here".to_owned(),
        _ => "none of its pods".to_owned(),
    }
}

fn pods(n: usize) -> String {
    if n == 1 { "1 pod".to_owned() } else { format!("{n} pods") }
}

fn summary(facts: &Facts<'_>, verdicts: &[Verdict]) -> String {
    let n = |marks: &[Mark]| verdicts.iter().filter(|it| marks.contains(&it.mark)).count();
    let n_nodes = verdicts.len();
    if facts.target.kind == "Pod" {
        return match facts.pods.first().map(|(pod, _)| pod) {
            None => "is no longer there".to_owned(),
            Some(pod) if pod.node.is_empty() && pod.reason.is_empty() => "waits for a scheduler".to_owned(),
            Some(pod) if pod.node.is_empty() && !pod.wants.is_empty() => format!("waits for {}", pod.wants),
            Some(pod) if pod.node.is_empty() => format!("waits; refused by {} of {n_nodes} nodes", n(&[Mark::Cannot])),
            Some(pod) => format!("{} on {}", pod.word, pod.node),
        };
    }
    if facts.placement.is_some() {
        let n_lost = n(&[Mark::Lost]);
        let lost = if n_lost == 1 { "lost with its node" } else { "lost with their nodes" };
        let on = format!("runs on {} of {n_nodes} nodes", n(&[Mark::Runs, Mark::Stays]));
        return listed(
            on,
            &[
                (n(&[Mark::Comes]), "on its way"),
                (n(&[Mark::Waits]), "waiting for room"),
                (n(&[Mark::Fails]), "failing"),
                (n_lost, lost),
                (n(&[Mark::Cannot]), "ruled out"),
            ],
        );
    }
    let count = |is: &dyn Fn(&Pod) -> bool| facts.pods.iter().filter(|(pod, _)| is(pod)).count();
    let n_lost = facts.pods.iter().filter(|(pod, _)| facts.nodes.iter().any(|it| it.name == pod.node && is_lost(it)));
    let n_failing = count(&|it| it.look == Look::Looping);
    let others = [
        (n_failing, "failing"),
        (count(&|it| it.node.is_empty() && it.phase != "Failed"), "waiting for a node"),
        (n_lost.count(), "on a node that is lost"),
    ];
    let Some(words) = facts.words else { return listed(pods(facts.pods.len()), &others) };
    if facts.target.kind == "CronJob" {
        let ran = count(&|it| it.look == Look::Succeeded);
        let runs = if facts.pods.is_empty() { "no pod yet".to_owned() } else { format!("{ran} succeeded") };
        let running = count(&|it| it.phase == "Running");
        let failed = count(&|it| it.look == Look::Failed);
        return format!(
            "{}; {}",
            listed(runs, &[(running, "running"), (failed, "failed"), (n_failing, "failing")]),
            words.text
        );
    }
    // The same numbers as on its chip.
    let noun = if facts.target.kind == "Job" { "completions" } else { "ready" };
    let whole = match words.count.split_once('/') {
        Some((n, of)) => format!("{n} of {of} {noun}"),
        None => format!("{} {noun}", words.count),
    };
    let says_more =
        words.state != State::Good && !(words.text.starts_with("waits for") && others.iter().any(|(n, _)| *n > 0));
    // Which pod was refused tells nothing; why does.
    let text = words.text.split_once(" is forbidden: ").map_or(&*words.text, |(_, it)| it);
    let why = if says_more { format!(": {text}") } else { String::new() };
    format!("{}{why}", listed(whole, &others))
}

/// `3 of 4 ready, 1 failing`
fn listed(first: String, others: &[(usize, &str)]) -> String {
    let others = others.iter().filter(|(n, _)| *n > 0).map(|(n, text)| format!(", {n} {text}"));
    first + &others.collect::<String>()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::{Expect, expect};
    use value::{Value, value};

    use super::{Facts, why};
    use crate::model::{Look, Meter, Node, NodeState, Pod, Ref};
    use crate::words::{State, Words};

    fn node(name: &str) -> Node {
        Node {
            name: name.to_owned(),
            state: NodeState::Ready,
            cpu: Meter { used: 3100, total: 4000 },
            ..Node::default()
        }
    }

    fn pod(name: &str, node: &str, wants: &str) -> (Pod, [i64; 2]) {
        let is_ready = !node.is_empty();
        let text = |it: &str| it.to_owned();
        let pod = Pod {
            name: text(name),
            node: text(node),
            wants: text(wants),
            is_ready,
            word: text("Running"),
            ..Pod::default()
        };
        (pod, [2000, 0])
    }

    #[track_caller]
    fn check(
        kind: &str,
        pods: &[(Pod, [i64; 2])],
        placement: Option<&Value>,
        decisions: &[(&str, Value)],
        expect: Expect,
    ) {
        let (a, b, c) = (node("a"), node("b"), node("c"));
        check_on([&a, &b, &c], kind, pods, placement, decisions, None, expect);
    }

    #[track_caller]
    fn check_on(
        nodes: [&Node; 3],
        kind: &str,
        pods: &[(Pod, [i64; 2])],
        placement: Option<&Value>,
        decisions: &[(&str, Value)],
        words: Option<&Words>,
        expect: Expect,
    ) {
        let target = Ref::new(kind, "default", "x");
        let decisions: BTreeMap<String, Value> =
            decisions.iter().map(|(name, it)| ((*name).to_owned(), it.clone())).collect();
        let taints = BTreeMap::from([("b".to_owned(), "taint gpu=true:NoSchedule is not tolerated".to_owned())]);
        let facts =
            Facts { target: &target, nodes: &nodes, pods, placement, decisions: &decisions, taints: &taints, words };
        let res = why(&facts);
        let mut text = res.summary;
        for it in res.verdicts {
            text.push_str(&format!("\n{} {:?} {} [{}]", it.node, it.mark, it.text, it.field));
        }
        expect.assert_eq(&text);
    }

    fn refused(node: &str, plugin: &str, reason: &str) -> Value {
        value!({ "filters": [{ "passed": false, "plugin": plugin, "reason": reason }], "name": node, "scores": [], "total": 0 })
    }

    #[test]
    fn a_daemon_set_says_of_each_node_why() {
        let place = |name: &str, runs: bool, message: &str, field: &str| value!({ "field": field, "message": message, "name": name, "shouldContinue": runs, "shouldRun": runs });
        let placement = value!({ "nodes": [
            place("a", true, "", ""), place("b", true, "", ""),
            place("c", false, "taint gpu=true:NoSchedule is not tolerated", "spec.template.spec.tolerations"),
        ] });
        let decision = value!({ "nodes": [refused("b", "NodeResourcesFit", "Insufficient cpu")] });
        check(
            "DaemonSet",
            &[pod("p", "a", "a"), pod("q", "", "b")],
            Some(&placement),
            &[("q", decision)],
            expect![[r#"
            runs on 1 of 3 nodes, 1 waiting for room, 1 ruled out
            a Runs runs here []
            b Waits wants to run here, but cpu: asks 2, 900m free [spec.template.spec.containers[0].resources.requests.cpu]
            c Cannot taint gpu=true:NoSchedule is not tolerated [spec.template.spec.tolerations]"#]],
        );
    }

    #[test]
    fn other_pods_are_explained_by_the_scheduler() {
        let decision = value!({ "nodes": [
            { "filters": [], "name": "a", "scores": [], "total": 180 },
            refused("b", "TaintToleration", "node(s) had untolerated taint(s)"),
        ] });
        check(
            "Pod",
            &[pod("x", "", "")],
            None,
            &[("x", decision)],
            expect![[r#"
                waits for a scheduler
                a None could run here; scored 180 []
                b Cannot taint gpu=true:NoSchedule is not tolerated [spec.tolerations]
                c None not here []"#]],
        );
    }

    #[test]
    fn pods_of_a_node_that_is_off_are_lost() {
        let off = Node { state: NodeState::Off, ..node("b") };
        let (a, c) = (node("a"), node("c"));
        let place = |name: &str, runs: bool| value!({ "message": "taint node.kubernetes.io/unreachable:NoSchedule is not tolerated", "name": name, "shouldRun": runs });
        let placement = value!({ "nodes": [place("a", true), place("b", false), place("c", false)] });
        check_on(
            [&a, &off, &c],
            "DaemonSet",
            &[pod("p", "a", "a"), pod("q", "b", "b")],
            Some(&placement),
            &[],
            None,
            expect![[r#"
                runs on 1 of 3 nodes, 1 lost with its node, 1 ruled out
                a Runs runs here []
                b Lost still counts as ready: nobody has missed the node yet []
                c Cannot taint node.kubernetes.io/unreachable:NoSchedule is not tolerated []"#]],
        );
    }

    #[test]
    fn where_no_pod_comes_now_no_score_of_before_counts() {
        let (a, mut b, mut c) = (node("a"), node("b"), node("c"));
        b.is_cordoned = true;
        c.state = NodeState::Off;
        check_on(
            [&a, &b, &c],
            "ReplicaSet",
            &[pod("p", "a", "")],
            None,
            &[],
            None,
            expect![[r#"
            1 pod
            a Runs runs here []
            b None cordoned: takes no new pods []
            c None takes no new pods []"#]],
        );
    }

    #[test]
    fn the_whole_has_the_numbers_of_its_chip() {
        let (a, b, c) = (node("a"), node("b"), node("c"));
        let words =
            |count: &str, state: State, text: &str| Words { count: count.to_owned(), state, text: text.to_owned() };
        let looks = |name: &str, node: &str, look: Look, word: &str| {
            let (mut pod, asks) = pod(name, node, "");
            (pod.look, pod.word, pod.is_ready, pod.n_restarts) = (look, word.to_owned(), false, 3);
            (pod, asks)
        };
        let quota = words("1/4", State::Bad, "pods \"p\" is forbidden: exceeded quota: two");
        check_on(
            [&a, &b, &c],
            "Deployment",
            &[pod("p", "a", ""), looks("q", "a", Look::Terminating, "Terminating")],
            None,
            &[],
            Some(&quota),
            expect![[r#"
                1 of 4 ready: exceeded quota: two
                a Runs 1 pod ready, 1 leaving []
                b None none of its pods []
                c None none of its pods []"#]],
        );
        let loops = words("0/1", State::Going, "waits for 1 pod");
        check_on(
            [&a, &b, &c],
            "StatefulSet",
            &[looks("p", "a", Look::Looping, "CrashLoopBackOff")],
            None,
            &[],
            Some(&loops),
            expect![[r#"
                0 of 1 ready, 1 failing
                a Fails is failing: CrashLoopBackOff, 3 restarts []
                b None none of its pods []
                c None none of its pods []"#]],
        );
        let next = words("", State::Good, "next 09:05:00");
        check_on(
            [&a, &b, &c],
            "CronJob",
            &[looks("p", "a", Look::Succeeded, "Completed")],
            None,
            &[],
            Some(&next),
            expect![[r#"
                1 succeeded; next 09:05:00
                a None ended here []
                b None none of its pods []
                c None none of its pods []"#]],
        );
    }
}
