//! The pod's volumes can be reached from the node, or found or made there.

use super::{Cycle, Plugin, Verdict};
use crate::cache::NodeInfo;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "VolumeBinding",
    filter: Some(filter),
    may_refuse: |it| it.cache.volumes.is_some(),
    ..Plugin::DEFAULT
};

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    let Some(volumes) = &cycle.cache.volumes else { return Verdict::Fits };
    let conflicts = volumes.conflicts(&node.node);
    if conflicts.is_empty() {
        return Verdict::Fits;
    }
    Verdict::Unresolvable(conflicts.into_iter().map(|it| it.reason().to_owned()).collect())
}
