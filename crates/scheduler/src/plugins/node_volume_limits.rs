//! A driver attaches no more volumes to a node than its CSINode says.

use super::{Cycle, Plugin, Verdict, one};
use crate::cache::NodeInfo;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "NodeVolumeLimits",
    filter: Some(filter),
    may_refuse: |it| it.cache.volumes.as_ref().is_some_and(|it| it.limits.is_some()),
    ..Plugin::DEFAULT
};

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    let limits = cycle.cache.volumes.as_ref().and_then(|it| it.limits.as_ref());
    match limits.is_some_and(|it| it.are_exceeded(node)) {
        true => Verdict::Unschedulable(one("node(s) exceed max volume count")),
        false => Verdict::Fits,
    }
}
