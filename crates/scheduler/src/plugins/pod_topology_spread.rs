//! Pods that are alike spread over zones, hosts or other domains (`plugins/podtopologyspread`).

use std::collections::{BTreeMap, BTreeSet};

use runtime::placement;
use value::Str;

use super::{Cycle, MAX_SCORE, Normalize, Plugin, Verdict, one};
use crate::cache::{AlikeId, Cache, HOSTNAME, NodeInfo, PodInfo};
use crate::terms::Spread;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "PodTopologySpread",
    filter: Some(filter),
    score: Some(score),
    may_refuse: |it| !it.spread.is_empty(),
    may_score: |it| !it.spread_scores.constraints.is_empty(),
    normalize: Normalize::Own(normalize),
    weight: 2,
    counts_company: true,
};

/// `1` in the numbers of this file that have fractions.
const ONE: i64 = 1 << 20;

/// How many matching pods each domain of a constraint has.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    spread: Spread,
    /// By the value of the topology key; every domain that counts is there.
    domains: BTreeMap<Str, i64>,
    /// Whether the pod itself is one that it selects.
    selects_itself: bool,
}

/// What constraints that should hold say about the nodes that fit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scoring<'a> {
    constraints: Vec<Scored<'a>>,
    /// Nodes without one of the keys get nothing.
    ignored: BTreeSet<Str>,
}

#[derive(Clone, Debug)]
struct Scored<'a> {
    spread: &'a Spread,
    /// Matching pods by domain.
    domains: BTreeMap<Str, i64>,
    /// Set where each host is one: nodes know the numbers themselves.
    by_host: Option<AlikeId>,
    /// The more domains, the more each pod counts.
    weight: i64,
}

fn domain<'a>(spread: &Spread, node: &'a NodeInfo) -> Option<&'a Str> {
    node.domain(&spread.topology_key)
}

fn has_all_keys(spreads: &[Spread], node: &NodeInfo) -> bool {
    spreads.iter().all(|it| domain(it, node).is_some())
}

/// Whether a node counts for a constraint of the pod.
fn counts(spread: &Spread, pod: &PodInfo, node: &NodeInfo) -> bool {
    let affinity = !spread.honors_affinity || pod.wants.affinity.matches(&node.node);
    let tolerated =
        || placement::untolerated(&node.taints, &pod.needs.tolerations, &["NoSchedule", "NoExecute"]).is_none();
    affinity && (!spread.honors_taints || tolerated())
}

fn selects(spread: &Spread, pod: &PodInfo, other: &PodInfo) -> bool {
    other.key.namespace == pod.key.namespace
        && !other.pod.meta.is_deleted()
        && spread.selector.matches(&other.pod.meta.labels)
}

/// Counts pods for the constraints that must hold (`calPreFilterState`).
pub(super) fn prepare(cache: &Cache, pod: &PodInfo) -> Vec<Counts> {
    let all = &cache.spreads.hard;
    if all.is_empty() {
        return Vec::new();
    }
    let nodes: Vec<&NodeInfo> = cache.nodes.values().filter(|it| has_all_keys(all, it)).collect();
    all.iter()
        .map(|spread| {
            let alike = cache.alike(&pod.key.namespace, &spread.selector);
            let mut domains: BTreeMap<Str, i64> = BTreeMap::new();
            for node in nodes.iter().filter(|it| counts(spread, pod, it)) {
                let Some(domain) = domain(spread, node) else { continue };
                *domains.entry(domain.clone()).or_default() += node.n_alike(alike);
            }
            let selects_itself = spread.selector.matches(&pod.pod.meta.labels);
            Counts { spread: spread.clone(), domains, selects_itself }
        })
        .collect()
}

/// A pod comes to a node or leaves it, in thought.
pub(super) fn change(counts: &mut [Counts], pod: &PodInfo, other: &PodInfo, node: &NodeInfo, by: i64) {
    for it in counts {
        if !selects(&it.spread, pod, other) || !self::counts(&it.spread, pod, node) {
            continue;
        }
        if let Some(count) = domain(&it.spread, node).and_then(|domain| it.domains.get_mut(domain)) {
            *count += by;
        }
    }
}

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    for it in &cycle.spread {
        let Some(domain) = domain(&it.spread, node) else {
            return Verdict::Unresolvable(one(
                "node(s) didn't match pod topology spread constraints (missing required label)",
            ));
        };
        let have = it.domains.get(domain).copied().unwrap_or(0);
        let enough = it.domains.len() as i64 >= it.spread.min_domains;
        let least = if enough { it.domains.values().copied().min().unwrap_or(0) } else { 0 };
        if have + i64::from(it.selects_itself) - least > it.spread.max_skew {
            return Verdict::Unschedulable(one("node(s) didn't match pod topology spread constraints"));
        }
    }
    Verdict::Fits
}

/// Counts pods for the constraints that should hold (`initPreScoreState`).
pub(super) fn prepare_scores<'a>(cache: &'a Cache, pod: &PodInfo, fitting: &[&NodeInfo]) -> Scoring<'a> {
    let (own, spreads) = (cache.spreads.own, &cache.spreads.soft);
    let mut scoring = Scoring::default();
    if spreads.is_empty() {
        return scoring;
    }
    let is_ignored = |it: &NodeInfo| own && !has_all_keys(spreads, it);
    if own {
        scoring.ignored = fitting.iter().filter(|it| is_ignored(it)).map(|it| it.name().clone()).collect();
    }
    let n_hosts = fitting.len() - scoring.ignored.len();
    for spread in spreads {
        let alike = cache.alike(&pod.key.namespace, &spread.selector);
        let mut domains: BTreeMap<Str, i64> = BTreeMap::new();
        let by_host = spread.topology_key == HOSTNAME;
        if !by_host {
            for node in fitting.iter().filter(|it| !is_ignored(it)) {
                if let Some(domain) = domain(spread, node).filter(|it| !domains.contains_key(*it)) {
                    domains.insert(domain.clone(), 0);
                }
            }
            // Without zones the default constraint of zones has nothing to tell apart.
            if domains.is_empty() && !own {
                continue;
            }
            for node in cache.nodes.values() {
                let n_pods = node.n_alike(alike);
                if n_pods > 0
                    && !is_ignored(node)
                    && counts(spread, pod, node)
                    && let Some(count) = domain(spread, node).and_then(|it| domains.get_mut(it))
                {
                    *count += n_pods;
                }
            }
        }
        let size = if by_host { n_hosts } else { domains.len() };
        let by_host = by_host.then_some(alike);
        scoring.constraints.push(Scored { spread, domains, by_host, weight: ln(size as u64 + 2) });
    }
    scoring
}

/// The natural logarithm of a whole number, in units of 1/[`ONE`].
fn ln(n: u64) -> i64 {
    // ln n = log2 n · ln 2; the fraction of log2 bit by bit, by squaring.
    let whole = n.max(1).ilog2();
    let mut x = (u128::from(n.max(1)) << 60) >> whole;
    let mut log2 = u64::from(whole) << 20;
    for bit in (0..20).rev() {
        x = (x * x) >> 60;
        if x >= 2 << 60 {
            x >>= 1;
            log2 |= 1 << bit;
        }
    }
    // 726_817 is ln 2 in these units.
    ((u128::from(log2) * 726_817) >> 20) as i64
}

fn score(cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
    let scoring = &cycle.spread_scores;
    if scoring.ignored.contains(node.name()) {
        return IGNORED;
    }
    let mut sum = 0;
    for it in &scoring.constraints {
        let count = match it.by_host {
            Some(alike) if node.hostname.is_some() => node.n_alike(alike),
            None if let Some(domain) = domain(it.spread, node) => it.domains.get(domain).copied().unwrap_or(0),
            _ => continue,
        };
        sum += count * it.weight + (it.spread.max_skew - 1) * ONE;
    }
    (sum + ONE / 2) / ONE
}

/// Marks nodes that get nothing.
const IGNORED: i64 = -1;

/// The fewer the better, in relation to the best and the worst.
fn normalize(scores: &mut [i64]) {
    let counted = || scores.iter().copied().filter(|it| *it != IGNORED);
    let (min, max) = (counted().min().unwrap_or(0), counted().max().unwrap_or(0));
    for score in scores {
        *score = match *score {
            IGNORED => 0,
            _ if max == 0 => MAX_SCORE,
            it => MAX_SCORE * (max + min - it) / max,
        };
    }
}

#[cfg(test)]
#[test]
fn logarithms_are_right() {
    let thousandths: Vec<i64> = [1, 2, 3, 10, 5_000].map(|it| ln(it) * 1_000 / ONE).to_vec();
    assert_eq!(thousandths, [0, 693, 1_098, 2_302, 8_517]);
}
