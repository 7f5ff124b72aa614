//! What a pod looks like: its chip, its word, what it waits for.

use meta::Object;
use value::{Value, quantity::Quantity};

use crate::model::{Look, Pod};

/// What the scheduler counts of a pod: thousandths of a CPU and bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Requests {
    pub cpu: i64,
    pub memory: i64,
}

/// The pod without what its node and its workload give it.
pub(crate) fn pod(object: &Object, node_is_lost: bool) -> Pod {
    let containers = object.list_at("status.containerStatuses");
    let is_ready = object.condition_status("Ready") == Some("True");
    let phase = object.str_at("status.phase").unwrap_or("Pending").to_owned();
    let node = object.str_at("spec.nodeName").unwrap_or_default().to_owned();
    let word = word(object, &phase);
    Pod {
        uid: object.meta.uid.to_string(),
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
        look: look(object, &phase, &word, is_ready, !node.is_empty(), node_is_lost),
        is_ready,
        n_ready: count(containers.iter().filter(|it| it.bool_at("ready") == Some(true)).count()),
        n_containers: count(object.list_at("spec.containers").len()),
        n_restarts: containers
            .iter()
            .filter_map(|it| u32::try_from(it.i64_at("restartCount")?).ok())
            .fold(0, u32::saturating_add),
        workload: 0,
        hue: 0,
        owner_kind: object.meta.controller().map(|it| it.kind.to_string()).unwrap_or_default(),
        wants: wanted_node(object).unwrap_or_default().to_owned(),
        reason: reason(object, node.is_empty()),
        node,
        phase,
        word,
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The STATUS column of `kubectl get pods` (`printPod`).
fn word(object: &Object, phase: &str) -> String {
    let mut word = object.str_at("status.reason").unwrap_or(phase).to_owned();
    if let Some(reason) = object.condition("PodScheduled").and_then(|it| it.str_at("reason"))
        && reason == "SchedulingGated"
    {
        word = reason.to_owned();
    }
    let inits = object.list_at("status.initContainerStatuses");
    let n_inits = object.list_at("spec.initContainers").len();
    let mut is_initializing = false;
    for (idx, it) in inits.iter().enumerate() {
        if it.i64_at("state.terminated.exitCode") == Some(0) || it.bool_at("started") == Some(true) {
            continue;
        }
        word = match (it.get("state").and_then(|it| it.get("terminated")), it.str_at("state.waiting.reason")) {
            (Some(end), _) => format!("Init:{}", ended(end)),
            (_, Some(reason)) if reason != "PodInitializing" => format!("Init:{reason}"),
            _ => format!("Init:{idx}/{n_inits}"),
        };
        is_initializing = true;
        break;
    }
    if !is_initializing {
        let mut has_running = false;
        for it in object.list_at("status.containerStatuses").iter().rev() {
            if let Some(reason) = it.str_at("state.waiting.reason").filter(|it| !it.is_empty()) {
                word = reason.to_owned();
            } else if let Some(end) = it.at("state.terminated") {
                word = ended(end);
            } else if it.bool_at("ready") == Some(true) && it.at("state.running").is_some() {
                has_running = true;
            }
        }
        if word == "Completed" && has_running {
            let is_ready = object.condition_status("Ready") == Some("True");
            word = if is_ready { "Running" } else { "NotReady" }.to_owned();
        }
    }
    if object.meta.is_deleted() {
        let is_lost = object.str_at("status.reason") == Some("NodeLost");
        return if is_lost { "Unknown" } else { "Terminating" }.to_owned();
    }
    word
}

fn ended(end: &Value) -> String {
    match (end.str_at("reason"), end.i64_at("signal"), end.i64_at("exitCode")) {
        (Some(reason), _, _) if !reason.is_empty() => reason.to_owned(),
        (_, Some(signal), _) if signal != 0 => format!("Signal:{signal}"),
        (_, _, code) => format!("ExitCode:{}", code.unwrap_or_default()),
    }
}

fn look(object: &Object, phase: &str, word: &str, is_ready: bool, is_bound: bool, node_is_lost: bool) -> Look {
    if object.meta.is_deleted() {
        return Look::Terminating;
    }
    match phase {
        "Succeeded" => return Look::Succeeded,
        "Failed" => return Look::Failed,
        _ if node_is_lost => return Look::Lost,
        _ if !is_bound => return Look::Pending,
        _ => (),
    }
    let word = word.strip_prefix("Init:").unwrap_or(word);
    if word.ends_with("BackOff") || word.starts_with("Err") || word.ends_with("Error") || word.starts_with("OOM") {
        return Look::Looping;
    }
    match phase {
        "Running" if is_ready => Look::Ready,
        "Running" => Look::Unready,
        _ => Look::Creating,
    }
}

/// The node that the required affinity of a daemon pod names.
fn wanted_node(object: &Object) -> Option<&str> {
    const TERMS: &str = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
    let fields = object.list_at(TERMS).first()?.list_at("matchFields");
    fields.iter().find(|it| it.str_at("key") == Some("metadata.name"))?.list_at("values").first()?.as_str()
}

/// Why it is not bound, or what its containers wait for; verbatim.
fn reason(object: &Object, is_unbound: bool) -> String {
    if is_unbound {
        let scheduled = object.condition("PodScheduled");
        let text = scheduled.and_then(|it| it.str_at("message").or(it.str_at("reason"))).unwrap_or_default();
        return text.to_owned();
    }
    let containers =
        object.list_at("status.initContainerStatuses").iter().chain(object.list_at("status.containerStatuses"));
    let waiting = containers.filter_map(|it| it.str_at("state.waiting.message")).next();
    waiting.or(object.str_at("status.message")).unwrap_or_default().to_owned()
}

/// What of the scheduler's message concerns the reader: the counts of nodes without the other nodes of a daemon pod
/// and without what preemption said.
pub fn short_reason(message: &str, is_daemon: bool) -> String {
    let text = message.split(" preemption:").next().unwrap_or(message);
    let Some((_, reasons)) = text.split_once("nodes are available: ") else { return text.trim().to_owned() };
    let of_others = |it: &&str| {
        is_daemon
            && (it.contains("didn't match Pod's node affinity")
                || it.contains("didn't satisfy plugin(s) [NodeAffinity]"))
    };
    let reasons = reasons.split(". ").next().unwrap_or(reasons);
    let parts = reasons.trim().trim_end_matches('.').split(", ").filter(|it| !of_others(it)).collect::<Vec<_>>();
    if parts.is_empty() {
        return reasons.trim().to_owned();
    }
    let without_count = |it: &str| match it.split_once(' ') {
        Some((n, rest)) if n.bytes().all(|it| it.is_ascii_digit()) => {
            rest.strip_prefix("node(s) ").unwrap_or(rest).to_owned()
        }
        _ => it.to_owned(),
    };
    if is_daemon { parts.iter().map(|it| without_count(it)).collect::<Vec<_>>().join(", ") } else { parts.join(", ") }
}

/// Sum of the containers, or the largest init container, and the overhead (`PodRequests`).
pub(crate) fn requests(object: &Object) -> Requests {
    let amount = |of: &Value, path: &'static str| Quantity::parse(of.str_at(path)?).ok();
    let of = |container: &Value| Requests {
        cpu: amount(container, "resources.requests.cpu").map_or(0, |it| it.milli_value()),
        memory: amount(container, "resources.requests.memory").map_or(0, |it| it.value()),
    };
    let mut sum = Requests::default();
    for it in object.list_at("spec.containers").iter().map(of) {
        sum = Requests { cpu: sum.cpu.saturating_add(it.cpu), memory: sum.memory.saturating_add(it.memory) };
    }
    for container in object.list_at("spec.initContainers") {
        let it = of(container);
        if container.str_at("restartPolicy") == Some("Always") {
            sum = Requests { cpu: sum.cpu.saturating_add(it.cpu), memory: sum.memory.saturating_add(it.memory) };
        } else {
            sum = Requests { cpu: sum.cpu.max(it.cpu), memory: sum.memory.max(it.memory) };
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use meta::{KindId, Object};
    use value::{Value, value};

    #[track_caller]
    fn check(tree: Value, expect: Expect) {
        let object = Object::from_map(KindId(0), tree.as_map().expect("the tests give maps"));
        let pod = super::pod(&object, false);
        expect.assert_eq(&format!("{:?} {} {}/{} {}", pod.look, pod.word, pod.n_ready, pod.n_containers, pod.wants));
    }

    #[track_caller]
    fn check_short(message: &str, is_daemon: bool, expect: Expect) {
        expect.assert_eq(&super::short_reason(message, is_daemon));
    }

    #[test]
    fn a_pod_goes_through_its_looks() {
        check(
            value!({ "spec": { "containers": [{}], "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{ "matchFields": [{ "key": "metadata.name", "operator": "In", "values": ["node-1"] }] }] } } } } }),
            expect!["Pending Pending 0/1 node-1"],
        );
        check(
            value!({ "spec": { "containers": [{}], "nodeName": "n" }, "status": { "phase": "Pending",
                "containerStatuses": [{ "state": { "waiting": { "reason": "ContainerCreating" } } }] } }),
            expect!["Creating ContainerCreating 0/1 "],
        );
        check(
            value!({ "spec": { "containers": [{}], "nodeName": "n" }, "status": { "phase": "Running",
                "containerStatuses": [{ "state": { "running": {} }, "ready": false }] } }),
            expect!["Unready Running 0/1 "],
        );
        check(
            value!({ "spec": { "containers": [{}], "nodeName": "n" }, "status": { "phase": "Running",
                "containerStatuses": [{ "state": { "waiting": { "reason": "CrashLoopBackOff" } } }] } }),
            expect!["Looping CrashLoopBackOff 0/1 "],
        );
        check(
            value!({ "spec": { "containers": [{}], "nodeName": "n" }, "status": { "phase": "Succeeded",
                "containerStatuses": [{ "state": { "terminated": { "exitCode": 0, "reason": "Completed" } } }] } }),
            expect!["Succeeded Completed 0/1 "],
        );
    }

    #[test]
    fn a_daemon_pod_hears_of_its_own_node_only() {
        check_short(
            "0/4 nodes are available: 1 Insufficient cpu, 3 node(s) didn't satisfy plugin(s) [NodeAffinity]. preemption: 0/4 nodes are available: 1 No preemption victims found for incoming pod.",
            true,
            expect!["Insufficient cpu"],
        );
        check_short(
            "0/4 nodes are available: 1 node(s) had untolerated taint {gpu: true}, 3 Insufficient memory. no new claims to deallocate, preemption: x",
            false,
            expect!["1 node(s) had untolerated taint {gpu: true}, 3 Insufficient memory"],
        );
    }
}
