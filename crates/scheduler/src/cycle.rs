//! One attempt for one pod: filter, score, choose (`schedule_one.go`).

use std::collections::BTreeMap;

use sim::Rng;
use value::Str;

use crate::cache::{Cache, NodeInfo, PodInfo};
use crate::decision::{Explained, NodeResult};
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
    cache: &mut Cache,
    pod: &PodInfo,
    next_start: &mut usize,
    rng: &mut Rng,
) -> (Outcome, Explained) {
    cache.prepare(pod);
    let cache = &*cache;
    let n_nodes = cache.nodes.len();
    let mut search = Search {
        cycle: Cycle::new(cache, pod),
        fitting: Vec::new(),
        verdicts: BTreeMap::new(),
        why: Rejected::default(),
        explained: Explained::default(),
    };
    let n_left_out = match pod.only_node() {
        Some(name) => {
            let candidate = cache.nodes.get(name);
            candidate.into_iter().for_each(|it| search.look(it));
            n_nodes - usize::from(candidate.is_some())
        }
        None => {
            let start = *next_start % n_nodes.max(1);
            let enough = enough(n_nodes);
            let (mut n_seen, mut n_explained) = (0, 0);
            for node in cache.nodes.values().skip(start).chain(cache.nodes.values().take(start)) {
                search.look(node);
                n_seen += 1;
                if start + n_seen == n_nodes {
                    n_explained = search.explained.nodes.len();
                }
                if search.fitting.len() >= enough {
                    break;
                }
            }
            *next_start = (start + n_seen) % n_nodes.max(1);
            // In the order of names: those that came after the last node stand before the others.
            search.explained.nodes.rotate_left(n_explained);
            0
        }
    };
    search.why.by_node |= n_left_out > 0 || n_nodes == 0;
    let chosen = search.choose(rng);
    let explained = search.explained;
    match chosen {
        Some(node) => (Outcome::Node(node), explained),
        None => {
            let failure = Failure { verdicts: search.verdicts, n_left_out, why: search.why, beforehand: None };
            (Outcome::Nowhere(failure), explained)
        }
    }
}

/// What has been found out so far.
struct Search<'a> {
    cycle: Cycle<'a>,
    fitting: Vec<&'a NodeInfo>,
    verdicts: BTreeMap<Str, Verdict>,
    why: Rejected,
    explained: Explained,
}

impl<'a> Search<'a> {
    fn look(&mut self, node: &'a NodeInfo) {
        let failed = self.cycle.filter_with_nominated(node).err();
        if self.explained.nodes.len() < EXPLAINED_MAX {
            self.explained.nodes.push(NodeResult {
                name: node.name().clone(),
                refused: failed.as_ref().map(|(idx, verdict)| Box::new((*idx, verdict.reasons().join(", ")))),
                // Nodes that fit are explained from the first one on, so their scores stand in the order in which they were found.
                row: failed.is_none().then_some(self.fitting.len() as u32),
            });
        }
        let Some((idx, verdict)) = failed else { return self.fitting.push(node) };
        self.why.by_company |= plugins::ALL.get(idx).is_some_and(|it| it.counts_company);
        let by_volumes = ["NodeVolumeLimits", "VolumeBinding", "VolumeZone"];
        self.why.by_volumes |= plugins::ALL.get(idx).is_some_and(|it| by_volumes.contains(&it.name));
        self.why.by_pods |= matches!(verdict, Verdict::Unschedulable(_));
        self.why.by_node |= matches!(verdict, Verdict::Unresolvable(_));
        self.verdicts.insert(node.name().clone(), verdict);
    }

    /// The node with the highest sum of weighted scores; among equals chance decides (`selectHost`).
    fn choose(&mut self, rng: &mut Rng) -> Option<Str> {
        let fitting = &self.fitting;
        // One node needs no scores.
        if let [only] = fitting[..] {
            self.explained.nodes.iter_mut().for_each(|it| it.row = None);
            return Some(only.name().clone());
        }
        if fitting.is_empty() {
            return None;
        }
        self.cycle.prepare_scores(fitting);
        // What every node gets of plugins that have nothing to tell them apart decides nothing.
        let (mut row, mut telling) = (Vec::new(), Vec::new());
        for (plugin, score) in plugins::ALL.iter().filter_map(|it| Some((it, it.score?))) {
            let mut zero = [0];
            match (plugin.may_score)(&self.cycle) {
                true => telling.push((row.len(), plugin, score)),
                false => plugins::normalize(plugin.normalize, &mut zero),
            }
            row.push(cell(zero[0]));
        }
        let n_rows = self.explained.nodes.iter().filter_map(|it| it.row).count();
        self.explained.scores = row.repeat(n_rows);
        let mut sums = vec![0; fitting.len()];
        let mut scores = Vec::with_capacity(fitting.len());
        for (column, plugin, score) in telling {
            scores.clear();
            scores.extend(fitting.iter().map(|it| score(&self.cycle, it)));
            plugins::normalize(plugin.normalize, &mut scores);
            for (score, sum) in scores.iter().zip(&mut sums) {
                *sum += score * plugin.weight;
            }
            for (score, cells) in scores.iter().zip(self.explained.scores.chunks_exact_mut(row.len())) {
                cells[column] = cell(*score);
            }
        }
        let best = sums.iter().copied().max()?;
        let n_ties = sums.iter().filter(|it| **it == best).count();
        let nth = rng.below(n_ties as u64) as usize;
        let mut ties = (0..sums.len()).filter(|it| sums[*it] == best);
        ties.nth(nth).map(|it| fitting[it].name().clone())
    }
}

/// A score as it is explained.
fn cell(score: i64) -> u8 {
    u8::try_from(score).unwrap_or(0)
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
