//! Nodes that have a pod's images already are better.

use value::Str;

use super::{Cycle, MAX_SCORE, Plugin, with_tag};
use crate::cache::{Cache, NodeInfo, PodInfo};

pub(super) const PLUGIN: Plugin = Plugin {
    name: "ImageLocality",
    score: Some(score),
    may_score: |it| it.images.iter().any(|(_, n_with)| *n_with > 0),
    ..Plugin::DEFAULT
};

/// Sizes in bytes between which the score grows; the upper one is per container.
const MIN: i64 = 23 * 1024 * 1024;
const MAX_EACH: i64 = 1000 * 1024 * 1024;

/// The pod's images, and on how many nodes each is.
pub(super) fn prepare_scores(cache: &Cache, pod: &PodInfo) -> Vec<(Str, i64)> {
    let n_nodes = |image: &Str| cache.image_nodes.get(image).copied().unwrap_or(0);
    pod.images().map(with_tag).map(|image| (image.clone(), n_nodes(&image))).collect()
}

fn score(cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
    let n_nodes = cycle.cache.nodes.len().max(1) as i64;
    // Images that many nodes have count more, so that one node with an image does not draw all pods.
    let weighed = |(image, n_with): &(Str, i64)| size_on(node, image).saturating_mul(*n_with) / n_nodes;
    let sum = cycle.images.iter().filter(|(_, n_with)| *n_with > 0).map(weighed).fold(0, i64::saturating_add);
    let max = MAX_EACH * cycle.images.len() as i64;
    let sum = sum.clamp(MIN, max.max(MIN));
    if max <= MIN { 0 } else { MAX_SCORE * (sum - MIN) / (max - MIN) }
}

/// The size of an image on a node in bytes; 0 where it is not.
fn size_on(node: &NodeInfo, image: &Str) -> i64 {
    node.images.binary_search_by(|(it, _)| it.cmp(image)).map_or(0, |idx| node.images[idx].1)
}
