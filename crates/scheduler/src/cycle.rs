//! One attempt for one pod: filter, score, choose (`schedule_one.go`).

use std::collections::BTreeMap;

use sim::Rng;
use value::Str;

use crate::cache::{Cache, NodeInfo, PodInfo};
use crate::decision::{FilterResult, NodeResult, ScoreResult};
use crate::plugins::{self, Cycle, Verdict};
use crate::queue::Rejected;

/// Below this many nodes all are looked at; above, only until enough fit (`numFeasibleNodesToFind`).
const ALL_BELOW: usize = 100;
/// Nodes explained one by one at most; the message counts all.
const EXPLAINED_MAX: usize = 200;

/// What came out.
pub(crate) enum Outcome {
    Node(Str),
    /// No node fits: the verdict of each that was looked at.
    Nowhere(Failure),
}

/// Why no node fits.
pub(crate) struct Failure {
    pub verdicts: BTreeMap<Str, Verdict>,
    /// Nodes that were left out beforehand because the pod names others.
    pub n_left_out: usize,
    pub why: Rejected,
    /// What kept it from being tried on any node.
    pub beforehand: Option<String>,
}

/// How many nodes that fit are enough, out of `n_nodes`.
fn enough(n_nodes: usize) -> usize {
    if n_nodes < ALL_BELOW {
        return n_nodes;
    }
    let percent = (50_usize.saturating_sub(n_nodes / 125)).max(5);
    (n_nodes * percent / 100).max(ALL_BELOW)
}

/// Looks for a node; `next_start` moves on so that all nodes get their turn.
pub(crate) fn schedule(
    cache: &Cache,
    pod: &PodInfo,
    next_start: &mut usize,
    rng: &mut Rng,
) -> (Outcome, Vec<NodeResult>) {
    let candidates: Vec<&NodeInfo> = match pod.only_node() {
        Some(name) => cache.nodes.get(name).into_iter().collect(),
        None => {
            let start = if cache.nodes.is_empty() { 0 } else { *next_start % cache.nodes.len() };
            cache.nodes.values().skip(start).chain(cache.nodes.values().take(start)).collect()
        }
    };
    let n_left_out = cache.nodes.len() - candidates.len();
    let enough = enough(cache.nodes.len());
    let mut cycle = Cycle::new(cache, pod);
    let (mut fitting, mut verdicts, mut explained) = (Vec::new(), BTreeMap::new(), Vec::new());
    let mut why = Rejected {
        by_node: n_left_out > 0 || cache.nodes.is_empty(),
        by_pods: false,
        by_company: false,
        by_volumes: false,
    };
    let mut n_seen = 0;
    for node in candidates {
        n_seen += 1;
        let failed = cycle.filter_with_nominated(node).err();
        if explained.len() < EXPLAINED_MAX {
            explained.push(NodeResult {
                name: node.name().clone(),
                filters: filters(failed.as_ref()),
                scores: Vec::new(),
            });
        }
        match failed {
            None => fitting.push(node),
            Some((idx, verdict)) => {
                why.by_company |= plugins::ALL.get(idx).is_some_and(|it| it.counts_company);
                why.by_volumes |= plugins::ALL.get(idx).is_some_and(|it| it.name == "VolumeBinding");
                why.by_pods |= matches!(verdict, Verdict::Unschedulable(_));
                why.by_node |= matches!(verdict, Verdict::Unresolvable(_));
                verdicts.insert(node.name().clone(), verdict);
            }
        }
        if fitting.len() >= enough && pod.only_node().is_none() {
            break;
        }
    }
    if pod.only_node().is_none() {
        *next_start = (*next_start + n_seen) % cache.nodes.len().max(1);
    }
    let chosen = choose(&mut cycle, &fitting, rng, &mut explained);
    explained.sort_by(|a, b| a.name.cmp(&b.name));
    match chosen {
        Some(node) => (Outcome::Node(node), explained),
        None => (Outcome::Nowhere(Failure { verdicts, n_left_out, why, beforehand: None }), explained),
    }
}

/// Every filter that passed, and the one that did not.
fn filters(failed: Option<&(usize, Verdict)>) -> Vec<FilterResult> {
    let last = failed.map_or(plugins::ALL.len(), |(idx, _)| *idx);
    let passed = plugins::ALL
        .iter()
        .take(last)
        .filter(|it| it.filter.is_some())
        .map(|it| FilterResult { plugin: it.name, reason: String::new() });
    let refused = failed
        .map(|(idx, verdict)| FilterResult { plugin: plugins::ALL[*idx].name, reason: verdict.reasons().join(", ") });
    passed.chain(refused).collect()
}

/// The node with the highest sum of weighted scores; among equals chance decides (`selectHost`).
fn choose(cycle: &mut Cycle<'_>, fitting: &[&NodeInfo], rng: &mut Rng, explained: &mut [NodeResult]) -> Option<Str> {
    // One node needs no scores.
    if let [only] = fitting {
        return Some(only.name().clone());
    }
    if fitting.is_empty() {
        return None;
    }
    cycle.prepare_scores(fitting);
    let mut sums = vec![0; fitting.len()];
    for plugin in plugins::ALL {
        let Some(score) = plugin.score else { continue };
        let mut scores: Vec<i64> = fitting.iter().map(|it| score(cycle, it)).collect();
        plugins::normalize(plugin.normalize, &mut scores);
        for ((node, score), sum) in fitting.iter().zip(scores).zip(&mut sums) {
            *sum += score * plugin.weight;
            if let Some(it) = explained.iter_mut().find(|it| it.name == *node.name()) {
                it.scores.push(ScoreResult { plugin: plugin.name, score, weight: plugin.weight });
            }
        }
    }
    let best = sums.iter().copied().max()?;
    let ties: Vec<&&NodeInfo> =
        fitting.iter().zip(&sums).filter(|(_, sum)| **sum == best).map(|(node, _)| node).collect();
    ties.get(rng.below(ties.len() as u64) as usize).map(|it| it.name().clone())
}

/// `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s).` (`FitError`)
pub(crate) fn fit_message(n_nodes: usize, reasons: &BTreeMap<String, usize>) -> String {
    let mut listed: Vec<String> = reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    listed.sort();
    let mut text = format!("0/{n_nodes} nodes are available:");
    if !listed.is_empty() {
        text.push(' ');
        text.push_str(&listed.join(", "));
        text.push('.');
    }
    text
}

impl Failure {
    /// No node was looked at, because of the pod's volumes.
    pub fn beforehand(why: String) -> Failure {
        let rejected = Rejected { by_volumes: true, ..Rejected::default() };
        Failure { verdicts: BTreeMap::new(), n_left_out: 0, why: rejected, beforehand: Some(why) }
    }

    /// How often each reason was given.
    pub fn reasons(&self) -> BTreeMap<String, usize> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for reason in self.verdicts.values().flat_map(Verdict::reasons) {
            *counts.entry(reason.clone()).or_default() += 1;
        }
        if self.n_left_out > 0 {
            counts.insert("node(s) didn't satisfy plugin(s) [NodeAffinity]".to_owned(), self.n_left_out);
        }
        counts
    }
}
