//! Node selectors and node affinity.

use super::{Normalize, Plugin, Totals, Verdict, one};
use crate::cache::{NodeInfo, PodInfo};

pub(super) const PLUGIN: Plugin =
    Plugin { name: "NodeAffinity", filter: Some(filter), score: Some(score), normalize: Normalize::ToMax, weight: 2 };

fn filter(pod: &PodInfo, node: &NodeInfo) -> Verdict {
    if pod.affinity.matches(&node.node) {
        return Verdict::Fits;
    }
    Verdict::Unresolvable(one("node(s) didn't match Pod's node affinity/selector"))
}

fn score(pod: &PodInfo, node: &NodeInfo, _: &Totals<'_>) -> i64 {
    pod.preferred.iter().filter(|(_, term)| term.matches(&node.node)).map(|(weight, _)| *weight).sum()
}
