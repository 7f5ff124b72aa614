//! Why a node has, or has not, a pod of the selected object: from the decisions that the simulation shows.

use std::collections::BTreeMap;

use value::Value;

use crate::clock;
use crate::model::{Mark, Node, NodeState, Pod, Ref, Verdict, Why};

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
    if !pod.node.is_empty() && pod.is_ready && node.state != NodeState::Ready {
        let text = match node.state {
            NodeState::Off => "counts as running: nobody has missed the node yet",
            _ => "was running here when the node was last heard",
        };
        return made(node, Mark::Waits, text.to_owned(), "");
    }
    if !pod.node.is_empty() {
        let mark = if pod.is_ready { Mark::Runs } else { Mark::Comes };
        let text = match (pod.is_ready, pod.reason.as_str()) {
            (true, _) => "runs here".to_owned(),
            (false, "") => format!("is here: {}", pod.word),
            (false, reason) => format!("is here: {}, {reason}", pod.word),
        };
        return made(node, mark, text, "");
    }
    match facts.decisions.get(&pod.name).and_then(|it| by_name(it, &node.name)).and_then(refusal) {
        Some((plugin, reason)) => {
            let text = format!("wants to run here, but {}", explained(node, asks, reason));
            made(node, Mark::Waits, text, &field_of(facts.target, plugin, reason))
        }
        None if pod.reason.is_empty() => made(node, Mark::Comes, "its pod waits for a scheduler".to_owned(), ""),
        None => made(node, Mark::Waits, format!("its pod waits: {}", crate::short_reason(&pod.reason, true)), ""),
    }
}

/// The filter that refused the node, and its words.
fn refusal(node: &Value) -> Option<(&str, &str)> {
    let refused = node.list_at("filters").iter().find(|it| it.bool_at("passed") == Some(false))?;
    Some((refused.str_at("plugin").unwrap_or_default(), refused.str_at("reason").unwrap_or_default()))
}

/// Numbers where the scheduler says only that something is insufficient.
fn explained(node: &Node, [cpu, memory]: &[i64; 2], reason: &str) -> String {
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
    let n_ready = here.iter().filter(|it| it.is_ready).count();
    let n_ended = here.iter().filter(|it| matches!(it.phase.as_str(), "Succeeded" | "Failed")).count();
    let refused = decided.and_then(|(asks, it)| Some((asks, refusal(it)?)));
    match (here.len(), refused) {
        (0, Some((asks, (plugin, reason)))) => {
            made(node, Mark::Cannot, explained(node, asks, reason), &field_of(facts.target, plugin, reason))
        }
        (0, None) => match decided.and_then(|(_, it)| it.i64_at("total")).filter(|it| *it > 0) {
            Some(total) => made(node, Mark::None, format!("could run here; scored {total}"), ""),
            None => made(node, Mark::None, "none of its pods".to_owned(), ""),
        },
        (n, _) if n == n_ended => made(node, Mark::None, format!("{} ended here", pods(n)), ""),
        (1, _) if n_ready == 1 => made(node, Mark::Runs, "runs here".to_owned(), ""),
        (1, _) => made(node, Mark::Comes, format!("is here: {}", here[0].word), ""),
        (n, _) => {
            let mark = if n_ready + n_ended == n { Mark::Runs } else { Mark::Comes };
            made(node, mark, format!("{} here, {n_ready} ready", pods(n)), "")
        }
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
            Some(pod) if pod.node.is_empty() => format!("waits; {} of {n_nodes} nodes refuse it", n(&[Mark::Cannot])),
            Some(pod) => format!("{} on {}", pod.word, pod.node),
        };
    }
    if facts.placement.is_some() {
        let mut parts = vec![format!("runs on {} of {n_nodes} nodes", n(&[Mark::Runs, Mark::Stays]))];
        for (count, text) in [
            (n(&[Mark::Comes]), "on its way"),
            (n(&[Mark::Waits]), "waiting for room"),
            (n(&[Mark::Cannot]), "ruled out"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {text}"));
            }
        }
        return parts.join(", ");
    }
    let n_pods = facts.pods.len();
    let n_ready = facts.pods.iter().filter(|(pod, _)| pod.is_ready).count();
    let n_waiting = facts.pods.iter().filter(|(pod, _)| pod.node.is_empty()).count();
    let waiting = if n_waiting > 0 { format!(", {n_waiting} waiting for a node") } else { String::new() };
    format!("{}, {n_ready} ready{waiting}", pods(n_pods))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::{Expect, expect};
    use value::{Value, value};

    use super::{Facts, why};
    use crate::model::{Meter, Node, NodeState, Pod, Ref};

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
        let target = Ref::new(kind, "default", "x");
        let decisions: BTreeMap<String, Value> =
            decisions.iter().map(|(name, it)| ((*name).to_owned(), it.clone())).collect();
        let nodes = [&a, &b, &c];
        let res = why(&Facts { target: &target, nodes: &nodes, pods, placement, decisions: &decisions });
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
            refused("b", "TaintToleration", "node(s) had untolerated taint {gpu: true}"),
        ] });
        check(
            "Pod",
            &[pod("x", "", "")],
            None,
            &[("x", decision)],
            expect![[r#"
            waits for a scheduler
            a None could run here; scored 180 []
            b Cannot had untolerated taint {gpu: true} [spec.tolerations]
            c None none of its pods []"#]],
        );
    }
}
