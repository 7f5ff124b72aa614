//! A node must have what a pod asks for; emptier nodes are better (`LeastAllocated`).

use super::{Cycle, MAX_SCORE, Plugin, Verdict};
use crate::cache::{BySums, NodeInfo};

pub(super) const PLUGIN: Plugin =
    Plugin { name: "NodeResourcesFit", filter: Some(filter), score: Some(score), ..Plugin::DEFAULT };

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    let mut reasons = Vec::new();
    let mut unresolvable = false;
    if node.pods.len() as i64 + 1 > node.pods_max {
        reasons.push("Too many pods".to_owned());
    }
    let (ask, have, used) = (&cycle.pod.needs.requests, &node.allocatable, &node.requested);
    let mut check = |name: &str, ask: i64, have: i64, used: i64| {
        if ask > 0 && ask > have.saturating_sub(used) {
            reasons.push(format!("Insufficient {name}"));
            // More than the node has at all: no eviction helps.
            unresolvable |= ask > have;
        }
    };
    check("cpu", ask.milli_cpu, have.milli_cpu, used.milli_cpu);
    check("memory", ask.memory, have.memory, used.memory);
    check("ephemeral-storage", ask.ephemeral_storage, have.ephemeral_storage, used.ephemeral_storage);
    for (name, amount) in &ask.scalar {
        let of = |it: &crate::Resources| it.scalar.get(name).copied().unwrap_or(0);
        check(name, *amount, of(have), of(used));
    }
    match (reasons.is_empty(), unresolvable) {
        (true, _) => Verdict::Fits,
        (false, true) => Verdict::Unresolvable(reasons),
        (false, false) => Verdict::Unschedulable(reasons),
    }
}

fn score(cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
    let asked = cycle.pod.needs.non_zero;
    node.score(BySums::Least, asked, || free_share(asked, node))
}

/// The free share of CPU and memory after the pod, each 0 to 100, on average.
fn free_share((cpu, memory): (i64, i64), node: &NodeInfo) -> i64 {
    let free = |requested: i64, capacity: i64| {
        let free = capacity.saturating_sub(requested).clamp(0, capacity);
        // Shares of more than what 64 bits hold a hundred times are near enough without the last digits.
        free.checked_mul(MAX_SCORE).map_or_else(|| free / (capacity / MAX_SCORE), |it| it / capacity)
    };
    let parts = [
        (node.non_zero.0.saturating_add(cpu), node.allocatable.milli_cpu),
        (node.non_zero.1.saturating_add(memory), node.allocatable.memory),
    ];
    let (mut sum, mut n_counted) = (0, 0);
    for (requested, capacity) in parts.into_iter().filter(|(_, capacity)| *capacity > 0) {
        sum += free(requested, capacity);
        n_counted += 1;
    }
    if n_counted == 0 { 0 } else { sum / n_counted }
}
