//! Which pods go first when there are too many (`ActivePodsWithRanks`).

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use kinds::POD;
use meta::Object;
use runtime::Cx;
use value::{Str, Value};

use super::selector;
use crate::pods;

/// The `n` pods to delete. All of them need no order.
pub(super) fn victims(cx: &Cx<'_>, set: &Object, active: &[Arc<Object>], n: usize) -> Vec<Arc<Object>> {
    if n >= active.len() {
        return active.to_vec();
    }
    let neighbours = related_on_nodes(cx, set);
    let mut ranked: Vec<(Rank, &Arc<Object>)> =
        active.iter().map(|pod| (Rank::of(pod, &neighbours, cx.now_secs()), pod)).collect();
    ranked.sort_by(|(a, _), (b, _)| a.cmp(b));
    ranked.into_iter().take(n).map(|(_, pod)| pod.clone()).collect()
}

/// How many active pods of sets with the same controller each node has (`getIndirectlyRelatedPods`). A set without a controller
/// is related to none, not even to itself.
fn related_on_nodes(cx: &Cx<'_>, set: &Object) -> BTreeMap<Str, usize> {
    let mut res: BTreeMap<Str, usize> = BTreeMap::new();
    let Some(owner) = set.meta.controller() else { return res };
    let is_related = |it: &&Arc<Object>| it.meta.controller().is_some_and(|it| it.uid == owner.uid);
    let selectors: Vec<_> =
        cx.list(set.kind, Some(set.namespace())).filter(is_related).map(|it| selector(it)).collect();
    for pod in cx.list(POD, Some(set.namespace())).filter(|it| pods::is_active(it)) {
        if selectors.iter().any(|it| it.matches(&pod.meta.labels)) {
            *res.entry(node_of(pod)).or_default() += 1;
        }
    }
    res
}

fn node_of(pod: &Object) -> Str {
    pod.at("spec.nodeName").and_then(Value::as_shared_str).cloned().unwrap_or_default()
}

/// What decides, from the most important to the least: smaller goes first.
#[derive(PartialEq, Eq, Debug)]
struct Rank {
    is_bound: bool,
    /// Pending, Unknown, Running.
    phase: u8,
    is_ready: bool,
    /// `controller.kubernetes.io/pod-deletion-cost`
    cost: i64,
    neighbours: usize,
    /// Seconds since it became ready, if it is.
    ready_for: Option<i64>,
    restarts: i64,
    age: i64,
    uid: Str,
}

impl Rank {
    fn of(pod: &Object, neighbours: &BTreeMap<Str, usize>, now: i64) -> Rank {
        let node = node_of(pod);
        let cost = pod.meta.annotation("controller.kubernetes.io/pod-deletion-cost");
        Rank {
            is_bound: !node.is_empty(),
            phase: match pods::phase(pod) {
                "Pending" | "" => 0,
                "Unknown" => 1,
                _ => 2,
            },
            is_ready: pods::is_ready(pod),
            cost: cost.and_then(|it| it.parse().ok()).unwrap_or(0),
            neighbours: neighbours.get(&node).copied().unwrap_or(0),
            ready_for: pods::ready_since(pod).map(|it| now - it),
            restarts: restarts(pod),
            age: now - pod.meta.created.unwrap_or(now),
            uid: pod.meta.uid.clone(),
        }
    }

    fn cmp(&self, other: &Rank) -> Ordering {
        let by_state = (self.is_bound.cmp(&other.is_bound))
            .then(self.phase.cmp(&other.phase))
            .then(self.is_ready.cmp(&other.is_ready))
            .then(self.cost.cmp(&other.cost))
            .then(other.neighbours.cmp(&self.neighbours));
        if by_state.is_ne() {
            return by_state;
        }
        if let (true, true, Some(a), Some(b)) = (self.is_ready, other.is_ready, self.ready_for, other.ready_for)
            && a != b
        {
            return log2(a).cmp(&log2(b)).then_with(|| self.uid.cmp(&other.uid));
        }
        if self.restarts != other.restarts {
            return other.restarts.cmp(&self.restarts);
        }
        if self.age == other.age {
            return Ordering::Equal;
        }
        log2(self.age).cmp(&log2(other.age)).then_with(|| self.uid.cmp(&other.uid))
    }
}

/// Ages are compared by their order of magnitude (`LogarithmicScaleDown`).
fn log2(seconds: i64) -> i64 {
    if seconds > 0 { i64::from(seconds.ilog2()) } else { -1 }
}

/// The most restarts of any container.
fn restarts(pod: &Object) -> i64 {
    let statuses = pod.list_at("status.containerStatuses");
    statuses.iter().filter_map(|it| it.i64_at("restartCount")).max().unwrap_or(0)
}
