//! The pod's volumes are in the zone and region of the node.

use super::{Cycle, Plugin, Verdict, one};
use crate::cache::NodeInfo;
use crate::volumes::{DOMAINS, Zone};

pub(super) const PLUGIN: Plugin =
    Plugin { name: "VolumeZone", filter: Some(filter), may_refuse: |it| !zones(it).is_empty(), ..Plugin::DEFAULT };

fn zones<'a>(cycle: &Cycle<'a>) -> &'a [Zone] {
    cycle.cache.volumes.as_ref().map_or(&[], |it| &it.zones)
}

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    let label = |key: &str| node.node.meta.label(key);
    // A node that says nothing of zones is taken to be in all of them.
    if DOMAINS.iter().all(|(beta, key)| label(beta).is_none() && label(key).is_none()) {
        return Verdict::Fits;
    }
    let is_in = |zone: &Zone| {
        let found = label(zone.label).or_else(|| label(zone.modern));
        found.is_some_and(|found| zone.values.iter().any(|it| *it == found))
    };
    match zones(cycle).iter().all(is_in) {
        true => Verdict::Fits,
        false => Verdict::Unresolvable(one("node(s) had no available volume zone")),
    }
}
