//! Nodes whose CPU and memory a pod brings into balance are better.

use runtime::resources::Resources;

use super::{Cycle, MAX_SCORE, Plugin};
use crate::cache::{BySums, NodeInfo};

pub(super) const PLUGIN: Plugin = Plugin {
    name: "NodeResourcesBalancedAllocation",
    score: Some(score),
    may_score: |it| it.pod.needs.requests.milli_cpu != 0 || it.pod.needs.requests.memory != 0,
    ..Plugin::DEFAULT
};

/// Fractions are counted in millionths; upstream uses floats and cuts to whole points, so a score may differ by one.
const ONE: i64 = 1_000_000;

fn score(cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
    let ask = &cycle.pod.needs.requests;
    node.score(BySums::Balanced, (ask.milli_cpu, ask.memory), || gain(ask, node))
}

/// Above 50 where the node is more balanced with the pod than without it.
fn gain(ask: &Resources, node: &NodeInfo) -> i64 {
    let (have, used) = (&node.allocatable, &node.requested);
    let (cpu, memory) = (used.milli_cpu.saturating_add(ask.milli_cpu), used.memory.saturating_add(ask.memory));
    let with = balance((cpu, have.milli_cpu), (memory, have.memory));
    let without = balance((used.milli_cpu, have.milli_cpu), (used.memory, have.memory));
    MAX_SCORE / 2 + (MAX_SCORE / 2 + with - without) / 2
}

/// 100 less the standard deviation of the used shares of CPU and memory.
fn balance(cpu: (i64, i64), memory: (i64, i64)) -> i64 {
    let deviation = match (share(cpu), share(memory)) {
        (Some(cpu), Some(memory)) => (cpu - memory).abs() / 2,
        _ => 0,
    };
    (ONE - deviation) * MAX_SCORE / ONE
}

fn share((used, have): (i64, i64)) -> Option<i64> {
    if have == 0 {
        return None;
    }
    let share = match used.checked_mul(ONE) {
        Some(it) => it / have,
        None => i64::try_from(i128::from(used) * i128::from(ONE) / i128::from(have)).unwrap_or(ONE),
    };
    Some(share.clamp(0, ONE))
}
