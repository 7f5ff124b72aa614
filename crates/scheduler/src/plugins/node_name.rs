//! A pod that names its node goes nowhere else.

use super::{Plugin, Verdict, one};
use crate::cache::{NodeInfo, PodInfo};

pub(super) const PLUGIN: Plugin = Plugin { name: "NodeName", filter: Some(filter), ..Plugin::DEFAULT };

fn filter(pod: &PodInfo, node: &NodeInfo) -> Verdict {
    match pod.pod.str_at("spec.nodeName") {
        Some(name) if !name.is_empty() && name != node.name().as_str() => {
            Verdict::Unresolvable(one("node(s) didn't match the requested node name"))
        }
        _ => Verdict::Fits,
    }
}
