//! Node selectors and node affinity.

use super::{Cycle, Normalize, Plugin, Verdict, one};
use crate::cache::NodeInfo;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "NodeAffinity",
    filter: Some(filter),
    score: Some(score),
    may_refuse: |it| !it.pod.wants.affinity.selector.is_empty() || it.pod.wants.affinity.terms.is_some(),
    may_score: |it| !it.pod.wants.preferred.is_empty(),
    normalize: Normalize::ToMax,
    weight: 2,
    ..Plugin::DEFAULT
};

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    if cycle.pod.wants.affinity.matches(&node.node) {
        return Verdict::Fits;
    }
    Verdict::Unresolvable(one("node(s) didn't match Pod's node affinity/selector"))
}

fn score(cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
    cycle.pod.wants.preferred.iter().filter(|(_, term)| term.matches(&node.node)).map(|(weight, _)| *weight).sum()
}
