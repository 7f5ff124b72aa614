//! Filters and scores: one file per plugin, in upstream's order and with upstream's weights.

mod balanced_allocation;
mod image_locality;
mod node_affinity;
mod node_name;
mod node_ports;
mod node_resources_fit;
mod node_unschedulable;
mod taint_toleration;

use value::Str;

use crate::cache::{NodeInfo, PodInfo};

/// The best score a plugin gives a node.
pub(crate) const MAX_SCORE: i64 = 100;

/// What a filter says of a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Fits,
    /// Evicting pods might help.
    Unschedulable(Vec<String>),
    /// Evicting pods cannot help.
    Unresolvable(Vec<String>),
}

impl Verdict {
    pub fn reasons(&self) -> &[String] {
        match self {
            Verdict::Fits => &[],
            Verdict::Unschedulable(it) | Verdict::Unresolvable(it) => it,
        }
    }
}

/// How raw scores become 0 to 100.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Normalize {
    AsTheyAre,
    /// The highest becomes 100.
    ToMax,
    /// The highest becomes 0.
    ToMaxReversed,
}

/// What scores may look at beside pod and node.
pub(crate) struct Totals<'a> {
    pub n_nodes: i64,
    /// On how many nodes an image is.
    pub image_nodes: &'a dyn Fn(&str) -> i64,
}

/// One plugin.
pub(crate) struct Plugin {
    pub name: &'static str,
    pub filter: Option<fn(&PodInfo, &NodeInfo) -> Verdict>,
    pub score: Option<fn(&PodInfo, &NodeInfo, &Totals<'_>) -> i64>,
    pub normalize: Normalize,
    pub weight: i64,
}

impl Plugin {
    const DEFAULT: Plugin = Plugin { name: "", filter: None, score: None, normalize: Normalize::AsTheyAre, weight: 1 };
}

/// Every plugin, in the order of upstream's default profile: the first filter that refuses is the one that is shown.
pub(crate) static ALL: &[Plugin] = &[
    node_unschedulable::PLUGIN,
    node_name::PLUGIN,
    taint_toleration::PLUGIN,
    node_affinity::PLUGIN,
    node_ports::PLUGIN,
    node_resources_fit::PLUGIN,
    balanced_allocation::PLUGIN,
    image_locality::PLUGIN,
];

/// The first filter that refuses, by its place in [`ALL`], and what it says.
pub(crate) fn filter(pod: &PodInfo, node: &NodeInfo) -> Result<(), (usize, Verdict)> {
    for (idx, plugin) in ALL.iter().enumerate() {
        let Some(filter) = plugin.filter else { continue };
        match filter(pod, node) {
            Verdict::Fits => (),
            verdict => return Err((idx, verdict)),
        }
    }
    Ok(())
}

/// Raw scores of one plugin for several nodes, brought to 0 to 100 (`DefaultNormalizeScore`).
pub(crate) fn normalized(normalize: Normalize, mut scores: Vec<i64>) -> Vec<i64> {
    let max = scores.iter().copied().max().unwrap_or(0);
    for score in &mut scores {
        *score = match normalize {
            Normalize::AsTheyAre => *score,
            Normalize::ToMax if max == 0 => *score,
            Normalize::ToMax => MAX_SCORE * *score / max,
            Normalize::ToMaxReversed if max == 0 => MAX_SCORE,
            Normalize::ToMaxReversed => MAX_SCORE - MAX_SCORE * *score / max,
        };
    }
    scores
}

/// One reason as a list.
fn one(reason: &str) -> Vec<String> {
    vec![reason.to_owned()]
}

/// Whether an image name carries no tag.
fn with_tag(image: &str) -> Str {
    let last = image.rsplit('/').next().unwrap_or(image);
    if last.contains(':') || last.contains('@') { image.into() } else { format!("{image}:latest").into() }
}
