//! A pod that names its node goes nowhere else.

use super::{Cycle, Plugin, Verdict, one};
use crate::cache::NodeInfo;

pub(super) const PLUGIN: Plugin =
    Plugin { name: "NodeName", filter: Some(filter), may_refuse: |it| it.named.is_some(), ..Plugin::DEFAULT };

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    match cycle.named {
        Some(name) if name != node.name().as_str() => {
            Verdict::Unresolvable(one("node(s) didn't match the requested node name"))
        }
        _ => Verdict::Fits,
    }
}
