//! Nodes whose kubelet does not say that it can do what a pod needs.

use kinds::declared_features;

use super::{Cycle, Plugin, Verdict, one};
use crate::cache::NodeInfo;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "NodeDeclaredFeatures",
    filter: Some(filter),
    may_refuse: |it| !declared_features::to_run(&it.pod.pod).is_empty(),
    ..Plugin::DEFAULT
};

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    if declared_features::missing(&node.node, &declared_features::to_run(&cycle.pod.pod)).is_empty() {
        return Verdict::Fits;
    }
    Verdict::Unresolvable(one("node(s) didn't match Pod's required features"))
}
