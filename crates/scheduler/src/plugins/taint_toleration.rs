//! Taints keep pods away that do not tolerate them; `PreferNoSchedule` only lowers the score.

use runtime::placement;

use super::{Cycle, Normalize, Plugin, Verdict, one};
use crate::cache::NodeInfo;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "TaintToleration",
    filter: Some(filter),
    score: Some(score),
    normalize: Normalize::ToMaxReversed,
    weight: 3,
    ..Plugin::DEFAULT
};

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    match placement::untolerated(&node.taints, &cycle.pod.needs.tolerations, &["NoSchedule", "NoExecute"]) {
        Some(_) => Verdict::Unresolvable(one("node(s) had untolerated taint(s)")),
        None => Verdict::Fits,
    }
}

fn score(cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
    let soft = node.taints.iter().filter(|it| it.effect == "PreferNoSchedule");
    // Only tolerations of that effect, or of any, count here.
    let tolerations =
        cycle.pod.needs.tolerations.iter().filter(|it| it.effect.is_empty() || it.effect == "PreferNoSchedule");
    soft.filter(|taint| !tolerations.clone().any(|it| it.tolerates(taint))).count() as i64
}
