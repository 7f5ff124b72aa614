//! Pressure on a machine: which pods it refuses and which it evicts (`pkg/kubelet/eviction`).

use std::sync::Arc;

use kinds::POD;
use meta::{Object, Status};
use runtime::placement::{self, Taint};
use runtime::{Cx, EventSource};
use sim::Duration;
use value::{Str, Value, time, value};

use crate::kubelets::{Kubelets, NAME};

/// Between two evictions of one machine.
const EVERY: Duration = Duration::from_secs(10);
/// Pods of this priority and above stay (`system-cluster-critical`).
const CRITICAL: i64 = 2_000_000_000;

/// Fields of `spec.pressure`, the condition each stands for, the resource and what of it is left.
const PRESSURES: [(&str, &str, &str, &str); 3] = [
    ("memory", "MemoryPressure", "memory", "Threshold quantity: 100Mi, available: 62Mi. "),
    ("disk", "DiskPressure", "ephemeral-storage", "Threshold quantity: 10Gi, available: 6Gi. "),
    ("pid", "PIDPressure", "pids", ""),
];

/// The pressures that a machine is under.
fn pressures(
    machine: &Object,
) -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str, &'static str)> {
    let declared = machine.map_at("spec.pressure");
    let is_true = move |field: &str| declared.and_then(|it| it.get(field)).and_then(Value::as_bool) == Some(true);
    PRESSURES.iter().filter(move |(field, ..)| is_true(field))
}

pub(crate) fn is_critical(pod: &Object) -> bool {
    pod.i64_at("spec.priority").unwrap_or(0) >= CRITICAL || crate::nodes::is_mirror(pod)
}

fn is_best_effort(pod: &Object) -> bool {
    pod.str_at("status.qosClass") == Some("BestEffort")
}

/// Why a machine under pressure does not take a new pod, if it does not (`managerImpl.Admit`).
pub(crate) fn refusal(machine: &Object, pod: &Object) -> Option<(&'static str, String)> {
    let conditions: Vec<&str> = pressures(machine).map(|(_, condition, ..)| *condition).collect();
    if conditions.is_empty() || is_critical(pod) {
        return None;
    }
    if conditions == ["MemoryPressure"] {
        let taint = Taint {
            key: "node.kubernetes.io/memory-pressure".into(),
            value: Str::default(),
            effect: "NoSchedule".into(),
        };
        let tolerations = pod.at("spec").map(placement::tolerations).unwrap_or_default();
        if !is_best_effort(pod) || tolerations.iter().any(|it| it.tolerates(&taint)) {
            return None;
        }
    }
    Some(("Evicted", format!("The node had condition: [{}]. ", conditions.join(" "))))
}

/// How a kubelet ends a pod.
pub(crate) struct End {
    pub reason: &'static str,
    pub message: String,
    /// What the condition `DisruptionTarget` says.
    pub why: String,
    /// Its containers get no grace.
    pub is_hard: bool,
}

impl Kubelets {
    /// Evicts one pod of a machine under pressure, when its time has come.
    pub(crate) fn evict(&mut self, cx: &mut Cx<'_>, name: &Str) -> Result<(), Status> {
        let now = cx.now();
        let Some(machine) = self.machines.get_mut(name) else { return Ok(()) };
        let Some((_, _, resource, left)) = pressures(&machine.object).next() else {
            machine.evicts_at = None;
            return Ok(());
        };
        match machine.evicts_at {
            Some(at) if at > now => return Ok(()),
            Some(_) => machine.evicts_at = Some(now + EVERY),
            None => {
                machine.evicts_at = Some(now + EVERY);
                self.machine_timers.set(now + EVERY, name.clone());
                return Ok(());
            }
        }
        let Some(pod) = victim(cx, name) else { return Ok(()) };
        self.machine_timers.set(now + EVERY, name.clone());
        let mut message = format!("The node was low on resource: {resource}. {left}");
        for container in pod.list_at("spec.containers").iter().take(1) {
            let asked = container.map_at("resources.requests").and_then(|it| it.get(resource)?.as_str());
            let asked = asked.unwrap_or("0");
            let container = container.str_at("name").unwrap_or("");
            message.push_str(&format!("Container {container} was using more than its request, which is {asked}. "));
        }
        cx.event_from(EventSource { component: NAME, host: name }, &pod, "Warning", "Evicted", &message, "");
        let end = End { reason: "Evicted", why: message.clone(), message, is_hard: true };
        self.fail(cx, &pod, end)
    }

    /// Ends a pod for good.
    pub(crate) fn fail(&mut self, cx: &mut Cx<'_>, pod: &Arc<Object>, end: End) -> Result<(), Status> {
        let condition = value!({
            "lastProbeTime": null, "lastTransitionTime": time::format_secs(cx.now_secs()), "message": end.why,
            "observedGeneration": pod.meta.generation, "reason": "TerminationByKubelet", "status": "True", "type": "DisruptionTarget",
        });
        let mut list: Vec<Value> = pod.list_at("status.conditions").to_vec();
        list.retain(|it| it.str_at("type") != Some("DisruptionTarget"));
        list.push(condition);
        let status = pod.at("status").cloned().unwrap_or_else(Value::map).with("conditions", list);
        let pod = cx.update_status(pod, status)?;
        let key = pod.key();
        let Some(mut life) = self.lives.remove(&key).or_else(|| self.begin(&cx.view(), &pod, false, false)) else {
            return Ok(());
        };
        life.pod = pod;
        life.failed = Some(Box::new((end.reason.into(), end.message)));
        if end.is_hard {
            life.stopping = true;
            life.killed_hard = true;
            life.stop_at = Some(cx.now());
        }
        self.lives.insert(key.clone(), life);
        self.dirty.add(key);
        Ok(())
    }
}

/// Who goes first: pods without requests, then the lower priority, then the younger (`rankMemoryPressure`).
fn victim(cx: &Cx<'_>, node: &str) -> Option<Arc<Object>> {
    let may_go = |it: &Arc<Object>| {
        !is_critical(it) && !it.meta.is_deleted() && !matches!(it.str_at("status.phase"), Some("Succeeded" | "Failed"))
    };
    let rank = |it: &Arc<Object>| {
        let guaranteed = it.str_at("status.qosClass") == Some("Guaranteed");
        let since = std::cmp::Reverse(it.meta.created);
        (!is_best_effort(it), guaranteed, it.i64_at("spec.priority").unwrap_or(0), since, it.key())
    };
    cx.view().on_node(node).into_iter().filter(|it| it.kind == POD && may_go(it)).min_by_key(rank)
}
