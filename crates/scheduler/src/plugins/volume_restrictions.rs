//! A claim for one pod only is used by one pod only.

use value::Str;

use super::{Cycle, Plugin, Verdict, one};
use crate::cache::{NodeInfo, PodInfo};

pub(super) const PLUGIN: Plugin = Plugin {
    name: "VolumeRestrictions",
    filter: Some(filter),
    may_refuse: |it| !exclusive(it).is_empty(),
    ..Plugin::DEFAULT
};

const IN_USE: &str =
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod";

/// Claims of the pod that no other pod may use.
fn exclusive<'a>(cycle: &Cycle<'a>) -> &'a [Str] {
    cycle.cache.volumes.as_ref().map_or(&[], |it| it.exclusive())
}

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    let claims = exclusive(cycle);
    let takes = |it: &PodInfo| {
        it.key.namespace == cycle.pod.key.namespace
            && it.key != cycle.pod.key
            && it.claims.iter().any(|it| claims.contains(it))
    };
    let elsewhere = cycle.cache.nodes.values().filter(|it| it.name() != node.name());
    if elsewhere.chain([node]).flat_map(|it| it.pods.values()).any(|it| takes(it)) {
        return Verdict::Unschedulable(one(IN_USE));
    }
    Verdict::Fits
}
