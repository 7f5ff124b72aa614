//! Two pods cannot have one port of a node.

use super::{Cycle, Plugin, Verdict, one};
use crate::cache::NodeInfo;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "NodePorts",
    filter: Some(filter),
    may_refuse: |it| !it.pod.needs.ports.is_empty(),
    ..Plugin::DEFAULT
};

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    let taken = |port| node.pods.values().flat_map(|it| &it.needs.ports).any(|it| it.conflicts(port));
    if cycle.pod.needs.ports.iter().any(taken) {
        return Verdict::Unschedulable(one("node(s) didn't have free ports for the requested pod ports"));
    }
    Verdict::Fits
}
