//! Room for critical pods that do not fit: which others go (`pkg/kubelet/preemption`).

use std::sync::Arc;

use kinds::NODE;
use meta::{Key, Object, Status};
use runtime::{Cx, EventSource, View};
use value::Str;

use crate::admission::{self, Shortage};
use crate::eviction::{self, End};
use crate::kubelets::{Kubelets, NAME, node_of};
use crate::resize;

/// Why a pod ended that went.
pub(crate) const REASON: &str = "Preempting";
const MESSAGE: &str = "Preempted in order to admit critical pod";
const WHY: &str = "Pod was preempted by Kubelet to accommodate a critical pod.";
/// Distances are in parts of this of what is missing.
const WHOLE: i128 = 1_000_000_000;

/// What is still missing: resources and how much.
type Missing = Vec<(Str, i64)>;

/// The pods that have to go for a critical one, or why that does not help; `None` where it fits or is not critical.
pub(crate) fn room(view: &View<'_>, pod: &Object) -> Option<Result<Vec<Arc<Object>>, String>> {
    if !eviction::is_critical(pod) {
        return None;
    }
    let node = view.get(NODE, &Key::cluster(node_of(pod)))?;
    let others = admission::others_on(view, pod);
    let missing: Missing = admission::shortages(node, pod, &others)
        .iter()
        .map(|it: &Shortage| (it.resource.clone(), it.amount()))
        .collect();
    if missing.is_empty() {
        return None;
    }
    let victims = victims(pod, &others, &missing).map_err(|it| {
        format!(
            "Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: {}",
            listed(&it)
        )
    });
    Some(victims)
}

impl Kubelets {
    /// Ends pods so that a critical one has room.
    pub(crate) fn preempt(&mut self, cx: &mut Cx<'_>, victims: Vec<Arc<Object>>) -> Result<(), Status> {
        for victim in victims {
            let source = EventSource { component: NAME, host: node_of(&victim) };
            cx.event_from(source, &victim, "Warning", REASON, MESSAGE, "");
            let end = End { reason: REASON, message: MESSAGE.to_owned(), why: WHY.to_owned(), is_hard: false };
            self.fail(cx, &victim, end)?;
        }
        Ok(())
    }
}

/// `getPodsToPreempt`: as few as possible, of the lowest quality of service. Otherwise what nobody can give.
fn victims(pod: &Object, others: &[&Arc<Object>], missing: &Missing) -> Result<Vec<Arc<Object>>, Missing> {
    // Of equals the last one goes: that of the lowest priority.
    let mut others = others.to_vec();
    others.sort_by_key(|it| (std::cmp::Reverse(it.i64_at("spec.priority")), it.key()));
    let of = |class: &str| -> Vec<&Arc<Object>> {
        let is_it = |it: &&&Arc<Object>| it.str_at("status.qosClass") == Some(class) && may_preempt(pod, it);
        others.iter().filter(is_it).copied().collect()
    };
    let (best_effort, burstable, guaranteed) = (of("BestEffort"), of("Burstable"), of("Guaranteed"));
    let without = |pods: &[&[&Arc<Object>]]| rest(missing, &pods.concat());
    let never = without(&[&best_effort, &burstable, &guaranteed]);
    if !never.is_empty() {
        return Err(never);
    }
    let mut last = nearest(guaranteed, without(&[&best_effort, &burstable]))?;
    let mut second = nearest(burstable, without(&[&best_effort, &last]))?;
    let mut first = nearest(best_effort, without(&[&second, &last]))?;
    first.append(&mut second);
    first.append(&mut last);
    Ok(first.into_iter().cloned().collect())
}

/// `Preemptable`
fn may_preempt(pod: &Object, other: &Object) -> bool {
    let priority = |it: &Object| it.i64_at("spec.priority").unwrap_or(0);
    !eviction::is_critical(other) || priority(pod) > priority(other)
}

/// One after the other, those that give most of what is missing, and no more than that (`getPodsToPreemptByDistance`).
fn nearest(mut pods: Vec<&Arc<Object>>, mut missing: Missing) -> Result<Vec<&Arc<Object>>, Missing> {
    let mut res = Vec::new();
    while !missing.is_empty() {
        let mut best: Option<(i128, usize)> = None;
        for (idx, pod) in pods.iter().enumerate() {
            let distance = distance(&missing, pod);
            let is_better = best.is_none_or(|(least, at)| {
                distance < least
                    || (distance == least && size(pod) <= pods.get(at).map(|it| size(it)).unwrap_or_default())
            });
            if is_better {
                best = Some((distance, idx));
            }
        }
        let Some((_, idx)) = best else { return Err(missing) };
        let pod = pods.swap_remove(idx);
        missing = rest(&missing, &[pod]);
        res.push(pod);
    }
    Ok(res)
}

fn distance(missing: &Missing, pod: &Object) -> i128 {
    let part = |(resource, amount): &(Str, i64)| {
        let left = (amount - given(pod, resource)).max(0);
        let part = i128::from(left) * WHOLE / i128::from(*amount).max(1);
        part * part
    };
    missing.iter().map(part).sum()
}

/// Memory, and then CPU.
fn size(pod: &Object) -> (i64, i64) {
    let has = resize::allocated(pod);
    (has.memory, has.milli_cpu)
}

/// What is missing when these are gone.
fn rest(missing: &Missing, gone: &[&Arc<Object>]) -> Missing {
    let left = |(resource, amount): &(Str, i64)| {
        let given: i64 = gone.iter().map(|it| given(it, resource)).fold(0, i64::saturating_add);
        (resource.clone(), amount.saturating_sub(given))
    };
    missing.iter().map(left).filter(|it| it.1 > 0).collect()
}

fn given(pod: &Object, resource: &str) -> i64 {
    let has = resize::allocated(pod);
    match resource {
        "pods" => 1,
        "cpu" => has.milli_cpu,
        "memory" => has.memory,
        "ephemeral-storage" => has.ephemeral_storage,
        other => has.scalar.get(other).copied().unwrap_or(0),
    }
}

fn listed(missing: &Missing) -> String {
    let all: String = missing.iter().map(|(resource, amount)| format!("(res: {resource}, q: {amount}), ")).collect();
    format!("[{all}]")
}
