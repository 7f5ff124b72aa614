//! Pods that want to be near others or far from them (`plugins/interpodaffinity`).

use std::collections::BTreeMap;

use value::{Str, Value};

use super::{Cycle, MAX_SCORE, Normalize, Plugin, Verdict, one};
use crate::cache::{Cache, NodeInfo, PodInfo};
use crate::terms::PodTerm;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "InterPodAffinity",
    filter: Some(filter),
    score: Some(score),
    may_refuse: |it| it.pod.terms.is_some() || !it.neighbours.refusing.is_empty(),
    may_score: |it| !it.affinity_scores.is_empty(),
    normalize: Normalize::Own(normalize),
    weight: 2,
    counts_company: true,
};

/// A required affinity of a pod that is there draws others with this weight (`hardPodAffinityWeight`).
const HARD_WEIGHT: i64 = 1;

/// Numbers of pods or weights by topology key and value.
type Topologies = BTreeMap<(Str, Str), i64>;

/// Where pods are that matter to the pod.
#[derive(Clone, Debug, Default)]
pub(crate) struct Neighbours {
    /// Pods that do not want it near.
    refusing: Topologies,
    /// Pods that meet all of its affinity terms.
    wanted: Topologies,
    /// Pods that it does not want near.
    unwanted: Topologies,
}

fn domain(term: &PodTerm, node: &NodeInfo) -> Option<(Str, Str)> {
    let value = node.node.meta.labels.get(&term.topology_key).and_then(Value::as_shared_str)?;
    Some((term.topology_key.clone(), value.clone()))
}

fn add(topologies: &mut Topologies, term: &PodTerm, node: &NodeInfo, by: i64) {
    let Some(domain) = domain(term, node) else { return };
    let count = topologies.entry(domain.clone()).or_default();
    *count += by;
    if *count == 0 {
        topologies.remove(&domain);
    }
}

/// Looks at all pods that matter (`PreFilter`).
pub(super) fn prepare(cache: &Cache, pod: &PodInfo) -> Neighbours {
    let mut neighbours = Neighbours::default();
    for (key, node) in cache.pods_with_terms() {
        let Some(info) = cache.nodes.get(node) else { continue };
        if let Some(other) = info.pods.get(key) {
            add_refusing(&mut neighbours, cache, pod, other, info, 1);
        }
    }
    let wants = pod.terms.as_ref().is_some_and(|it| !it.affinity.is_empty() || !it.anti_affinity.is_empty());
    if wants {
        for info in cache.nodes.values() {
            for other in info.pods.values() {
                add_own(&mut neighbours, cache, pod, other, info, 1);
            }
        }
    }
    neighbours
}

fn add_refusing(into: &mut Neighbours, cache: &Cache, pod: &PodInfo, other: &PodInfo, node: &NodeInfo, by: i64) {
    let terms = other.terms.iter().flat_map(|it| &it.anti_affinity);
    for term in terms.filter(|it| it.matches(&pod.pod, &|it| cache.namespace_labels(it))) {
        add(&mut into.refusing, term, node, by);
    }
}

fn add_own(into: &mut Neighbours, cache: &Cache, pod: &PodInfo, other: &PodInfo, node: &NodeInfo, by: i64) {
    let Some(terms) = &pod.terms else { return };
    let labels = |it: &str| cache.namespace_labels(it);
    if !terms.affinity.is_empty() && terms.affinity.iter().all(|it| it.matches(&other.pod, &labels)) {
        terms.affinity.iter().for_each(|it| add(&mut into.wanted, it, node, by));
    }
    for term in terms.anti_affinity.iter().filter(|it| it.matches(&other.pod, &labels)) {
        add(&mut into.unwanted, term, node, by);
    }
}

/// A pod comes to a node or leaves it, in thought.
pub(super) fn change(into: &mut Neighbours, cache: &Cache, pod: &PodInfo, other: &PodInfo, node: &NodeInfo, by: i64) {
    add_refusing(into, cache, pod, other, node, by);
    add_own(into, cache, pod, other, node, by);
}

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    let neighbours = &cycle.neighbours;
    let has = |topologies: &Topologies, term: &PodTerm| {
        domain(term, node).is_some_and(|it| topologies.get(&it).is_some_and(|count| *count > 0))
    };
    if let Some(terms) = &cycle.pod.terms {
        if !meets_affinity(cycle, node, &has) {
            return Verdict::Unresolvable(one("node(s) didn't match pod affinity rules"));
        }
        if terms.anti_affinity.iter().any(|it| has(&neighbours.unwanted, it)) {
            return Verdict::Unschedulable(one("node(s) didn't match pod anti-affinity rules"));
        }
    }
    let refused = neighbours.refusing.iter().any(|((key, value), count)| {
        *count > 0 && node.node.meta.labels.get(key).and_then(Value::as_shared_str) == Some(value)
    });
    if refused {
        return Verdict::Unschedulable(one("node(s) didn't satisfy existing pods anti-affinity rules"));
    }
    Verdict::Fits
}

/// `satisfyPodAffinity`: the first pod of its kind need not find another.
fn meets_affinity(cycle: &Cycle<'_>, node: &NodeInfo, has: &dyn Fn(&Topologies, &PodTerm) -> bool) -> bool {
    let terms = cycle.pod.terms.as_ref().map_or(&[] as &[_], |it| &it.affinity);
    if terms.iter().any(|it| domain(it, node).is_none()) {
        return false;
    }
    if terms.iter().all(|it| has(&cycle.neighbours.wanted, it)) {
        return true;
    }
    let labels = |it: &str| cycle.cache.namespace_labels(it);
    cycle.neighbours.wanted.is_empty() && terms.iter().all(|it| it.matches(&cycle.pod.pod, &labels))
}

/// Weighs what pods and the pod prefer (`PreScore`).
pub(super) fn prepare_scores(cache: &Cache, pod: &PodInfo) -> Topologies {
    let mut weights = Topologies::new();
    let labels = |it: &str| cache.namespace_labels(it);
    let prefers = pod.terms.as_ref().filter(|it| !it.preferred.is_empty() || !it.anti_preferred.is_empty());
    if let Some(terms) = prefers {
        for info in cache.nodes.values() {
            for other in info.pods.values() {
                for (weight, term) in terms.preferred.iter().filter(|(_, it)| it.matches(&other.pod, &labels)) {
                    add(&mut weights, term, info, *weight);
                }
                for (weight, term) in terms.anti_preferred.iter().filter(|(_, it)| it.matches(&other.pod, &labels)) {
                    add(&mut weights, term, info, -weight);
                }
            }
        }
    }
    for (key, node) in cache.pods_with_terms() {
        let Some(info) = cache.nodes.get(node) else { continue };
        let Some(terms) = info.pods.get(key).and_then(|it| it.terms.as_ref()) else { continue };
        let hard = terms.affinity.iter().map(|it| (HARD_WEIGHT, it));
        let soft = terms.preferred.iter().map(|(weight, it)| (*weight, it));
        let anti = terms.anti_preferred.iter().map(|(weight, it)| (-weight, it));
        for (weight, term) in hard.chain(soft).chain(anti).filter(|(_, it)| it.matches(&pod.pod, &labels)) {
            add(&mut weights, term, info, weight);
        }
    }
    weights
}

fn score(cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
    let here = |key: &Str, value: &Str| node.node.meta.labels.get(key).and_then(Value::as_shared_str) == Some(value);
    cycle.affinity_scores.iter().filter(|((key, value), _)| here(key, value)).map(|(_, weight)| *weight).sum()
}

/// Between the worst and the best.
fn normalize(scores: &mut [i64]) {
    let (min, max) = (scores.iter().copied().min().unwrap_or(0), scores.iter().copied().max().unwrap_or(0));
    for score in scores {
        *score = if max > min { MAX_SCORE * (*score - min) / (max - min) } else { 0 };
    }
}
