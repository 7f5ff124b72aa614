//! Nodes that have a pod's images already are better.

use std::collections::BTreeMap;

use value::{Str, Value};

use super::{Cycle, MAX_SCORE, Plugin, with_tag};
use crate::cache::{Cache, NodeInfo, PodInfo};

pub(super) const PLUGIN: Plugin = Plugin { name: "ImageLocality", score: Some(score), ..Plugin::DEFAULT };

/// Sizes in bytes between which the score grows; the upper one is per container.
const MIN: i64 = 23 * 1024 * 1024;
const MAX_EACH: i64 = 1000 * 1024 * 1024;

/// On how many nodes each image of the pod is.
pub(super) fn prepare_scores(cache: &Cache, pod: &PodInfo) -> BTreeMap<Str, i64> {
    let images = pod.images().map(with_tag);
    images
        .map(|image| (image.clone(), cache.nodes.values().filter(|it| size_on(it, &image) > 0).count() as i64))
        .collect()
}

fn score(cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
    let n_containers = cycle.pod.images().count() as i64;
    let sum: i64 = cycle
        .pod
        .images()
        .map(|image| {
            let image = with_tag(image);
            // Images that many nodes have count more, so that one node with an image does not draw all pods.
            size_on(node, &image).saturating_mul(cycle.image_nodes.get(&image).copied().unwrap_or(0))
                / cycle.cache.nodes.len().max(1) as i64
        })
        .sum();
    let max = MAX_EACH * n_containers;
    let sum = sum.clamp(MIN, max.max(MIN));
    if max <= MIN { 0 } else { MAX_SCORE * (sum - MIN) / (max - MIN) }
}

/// The size of an image on a node in bytes; 0 where it is not.
fn size_on(node: &NodeInfo, image: &str) -> i64 {
    let has = |it: &&Value| it.list_at("names").iter().any(|name| name.as_str() == Some(image));
    node.node.list_at("status.images").iter().find(has).and_then(|it| it.i64_at("sizeBytes")).unwrap_or(0)
}
