//! Filters and scores: one file per plugin, in upstream's order and with upstream's weights.

mod balanced_allocation;
mod image_locality;
mod inter_pod_affinity;
mod node_affinity;
mod node_declared_features;
mod node_name;
mod node_ports;
mod node_resources_fit;
mod node_unschedulable;
mod node_volume_limits;
mod pod_topology_spread;
mod taint_toleration;
mod volume_binding;
mod volume_restrictions;
mod volume_zone;

use std::collections::BTreeMap;

use value::Str;

use crate::cache::{Cache, NodeInfo, PodInfo};

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
#[derive(Clone, Copy)]
pub(crate) enum Normalize {
    AsTheyAre,
    /// The highest becomes 100.
    ToMax,
    /// The highest becomes 0.
    ToMaxReversed,
    Own(fn(&mut [i64])),
}

/// One pod on its way through the plugins, with what they have counted for it beforehand.
#[derive(Clone)]
pub(crate) struct Cycle<'a> {
    pub cache: &'a Cache,
    pub pod: &'a PodInfo,
    /// Which of [`ALL`] have anything to refuse, by place.
    filters: u32,
    /// The node that the pod names itself.
    pub(self) named: Option<&'a str>,
    pub(self) spread: Vec<pod_topology_spread::Counts>,
    pub(self) neighbours: inter_pod_affinity::Neighbours,
    pub(self) spread_scores: pod_topology_spread::Scoring<'a>,
    pub(self) affinity_scores: BTreeMap<(Str, Str), i64>,
    /// The pod's images, and on how many nodes each is.
    pub(self) images: Vec<(Str, i64)>,
}

impl<'a> Cycle<'a> {
    /// Before filters (`PreFilter`).
    pub fn new(cache: &'a Cache, pod: &'a PodInfo) -> Cycle<'a> {
        let mut cycle = Cycle {
            cache,
            pod,
            filters: 0,
            named: pod.pod.str_at("spec.nodeName").filter(|it| !it.is_empty()),
            spread: pod_topology_spread::prepare(cache, pod),
            neighbours: inter_pod_affinity::prepare(cache, pod),
            spread_scores: Default::default(),
            affinity_scores: BTreeMap::new(),
            images: Vec::new(),
        };
        cycle.choose_filters();
        cycle
    }

    fn choose_filters(&mut self) {
        let may_refuse = |it: &Plugin| it.filter.is_some() && (it.may_refuse)(self);
        self.filters = ALL.iter().rev().fold(0, |filters, it| filters << 1 | u32::from(may_refuse(it)));
    }

    /// Before scores (`PreScore`).
    pub fn prepare_scores(&mut self, fitting: &[&NodeInfo]) {
        self.spread_scores = pod_topology_spread::prepare_scores(self.cache, self.pod, fitting);
        self.affinity_scores = inter_pod_affinity::prepare_scores(self.cache, self.pod);
        self.images = image_locality::prepare_scores(self.cache, self.pod);
    }

    /// A pod comes to a node (1) or leaves it (-1), in thought.
    pub fn change(&mut self, other: &PodInfo, node: &NodeInfo, by: i64) {
        pod_topology_spread::change(&mut self.spread, self.pod, other, node, by);
        inter_pod_affinity::change(&mut self.neighbours, self.cache, self.pod, other, node, by);
        self.choose_filters();
    }

    /// The same with pods of at least its priority that wait for room on the node already there (`RunFilterPluginsWithNominatedPods`).
    pub fn filter_with_nominated(&self, node: &NodeInfo) -> Result<(), (usize, Verdict)> {
        if self.cache.nominated.is_empty() {
            return self.filter(node);
        }
        let nominated = self
            .cache
            .nominated
            .values()
            .filter(|(name, it)| name == node.name() && it.priority >= self.pod.priority && it.key != self.pod.key);
        let nominated: Vec<_> = nominated.map(|(_, it)| it).collect();
        if !nominated.is_empty() {
            let (mut cycle, mut crowded) = (self.clone(), node.clone());
            for it in nominated {
                crowded.add(it.clone());
                cycle.change(it, node, 1);
            }
            cycle.filter(&crowded)?;
        }
        self.filter(node)
    }

    /// The first filter that refuses, by its place in [`ALL`], and what it says.
    pub fn filter(&self, node: &NodeInfo) -> Result<(), (usize, Verdict)> {
        let mut left = self.filters;
        while left != 0 {
            let idx = left.trailing_zeros() as usize;
            left &= left - 1;
            let Some(filter) = ALL.get(idx).and_then(|it| it.filter) else { continue };
            match filter(self, node) {
                Verdict::Fits => (),
                verdict => return Err((idx, verdict)),
            }
        }
        Ok(())
    }
}

/// One plugin.
pub(crate) struct Plugin {
    pub name: &'static str,
    pub filter: Option<fn(&Cycle<'_>, &NodeInfo) -> Verdict>,
    pub score: Option<fn(&Cycle<'_>, &NodeInfo) -> i64>,
    /// Whether the filter may refuse the pod on any node, and whether scores may differ from 0 (upstream's `Skip`).
    pub may_refuse: fn(&Cycle<'_>) -> bool,
    pub may_score: fn(&Cycle<'_>) -> bool,
    pub normalize: Normalize,
    pub weight: i64,
    /// Whether it looks at where other pods are, so that any pod that comes or goes may change its mind.
    pub counts_company: bool,
}

impl Plugin {
    const DEFAULT: Plugin = Plugin {
        name: "",
        filter: None,
        score: None,
        may_refuse: |_| true,
        may_score: |_| true,
        normalize: Normalize::AsTheyAre,
        weight: 1,
        counts_company: false,
    };
}

/// Every plugin, in the order of upstream's default profile: the first filter that refuses is the one that is shown.
pub(crate) static ALL: &[Plugin] = &[
    node_unschedulable::PLUGIN,
    node_name::PLUGIN,
    taint_toleration::PLUGIN,
    node_affinity::PLUGIN,
    node_ports::PLUGIN,
    node_resources_fit::PLUGIN,
    volume_restrictions::PLUGIN,
    node_volume_limits::PLUGIN,
    volume_binding::PLUGIN,
    volume_zone::PLUGIN,
    pod_topology_spread::PLUGIN,
    inter_pod_affinity::PLUGIN,
    balanced_allocation::PLUGIN,
    image_locality::PLUGIN,
    node_declared_features::PLUGIN,
];

/// Raw scores of one plugin for several nodes, brought to 0 to 100 (`DefaultNormalizeScore`).
pub(crate) fn normalize(how: Normalize, scores: &mut [i64]) {
    if let Normalize::Own(own) = how {
        return own(scores);
    }
    let max = scores.iter().copied().max().unwrap_or(0);
    for score in scores {
        *score = match how {
            Normalize::ToMax if max > 0 => MAX_SCORE * *score / max,
            Normalize::ToMaxReversed if max == 0 => MAX_SCORE,
            Normalize::ToMaxReversed => MAX_SCORE - MAX_SCORE * *score / max,
            _ => *score,
        };
    }
}

/// One reason as a list.
fn one(reason: &str) -> Vec<String> {
    vec![reason.to_owned()]
}

/// An image's name with the tag that it has when it names none.
fn with_tag(image: &str) -> Str {
    let last = image.rsplit('/').next().unwrap_or(image);
    if last.contains(':') || last.contains('@') { image.into() } else { format!("{image}:latest").into() }
}
