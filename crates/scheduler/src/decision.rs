//! Why a pod went where it went: kept for every pod that the scheduler looked at, shown as SchedulingDecision.

use std::collections::VecDeque;

use meta::{Key, KeyMap};
use sim::Instant;
use value::{Str, Value, time, value};

use crate::plugins;

/// Decisions kept; the oldest are forgotten first.
const DECISIONS_MAX: usize = 20_000;
/// Nodes explained in all decisions together; beyond it the oldest keep only the chosen one.
const NODES_MAX: usize = 200_000;

/// Numbers of decisions that have gone, beyond as many as there are decisions.
const GONE_MAX: usize = 64;

/// Of these, so many are saved.
const SAVED_NODES_MAX: usize = 10_000;

/// One node as the scheduler saw it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NodeResult {
    pub name: Str,
    /// The filter that refused it, by its place in the list of plugins, and why.
    pub refused: Option<Box<(usize, String)>>,
    /// Which row of the scores it has, if it got any.
    pub row: Option<u32>,
}

/// The nodes that were looked at, in the order of names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Explained {
    pub nodes: Vec<NodeResult>,
    /// Rows of 0 to 100, one number for each plugin that scores.
    pub scores: Vec<u8>,
}

/// The last attempt to schedule a pod.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    pub attempt: u32,
    pub at: Instant,
    pub(crate) explained: Explained,
    pub chosen: Option<Str>,
    pub nominated: Option<Str>,
    /// The FailedScheduling message; empty where it was assigned, which says itself.
    pub(crate) message: Str,
}

impl Explained {
    /// Keeps of all nodes only the one of this name.
    pub fn keep_only(&mut self, name: Option<&Str>) {
        let mut nodes = std::mem::take(&mut self.nodes);
        nodes.retain(|it| Some(&it.name) == name);
        let mut scores = Vec::new();
        for node in &mut nodes {
            scores.extend_from_slice(self.row(node.row));
            node.row = node.row.map(|_| 0);
        }
        nodes.shrink_to_fit();
        *self = Explained { nodes, scores };
    }

    /// What each plugin that scores gave.
    fn row(&self, row: Option<u32>) -> &[u8] {
        let n_scores = plugins::ALL.iter().filter(|it| it.score.is_some()).count();
        let start = row.map_or(0, |it| it as usize * n_scores);
        row.and_then(|_| self.scores.get(start..start + n_scores)).unwrap_or(&[])
    }

    fn to_value(&self, node: &NodeResult) -> Value {
        let (refusing, why) = node.refused.as_deref().map_or((plugins::ALL.len(), ""), |(idx, why)| (*idx, why));
        let filters: Vec<Value> = plugins::ALL
            .iter()
            .enumerate()
            .filter(|(idx, it)| it.filter.is_some() && *idx <= refusing)
            .map(|(idx, it)| {
                let reason = if idx == refusing { why } else { "" };
                value!({ "passed": idx != refusing, "plugin": it.name, "reason": reason })
            })
            .collect();
        let scored = plugins::ALL.iter().filter(|it| it.score.is_some()).zip(self.row(node.row));
        let mut total = 0;
        let scores: Vec<Value> = scored
            .map(|(it, score)| {
                let (score, weight) = (i64::from(*score), it.weight);
                total += score * weight;
                value!({ "plugin": it.name, "score": score, "weight": weight, "weighted": score * weight })
            })
            .collect();
        value!({ "filters": filters, "name": &node.name, "scores": scores, "total": total })
    }
}

impl Decision {
    /// The `status` of the SchedulingDecision for this pod.
    pub fn to_value(&self, pod: &Key) -> Value {
        let message = match &self.chosen {
            Some(node) if self.message.is_empty() => assigned(pod, node).into(),
            _ => self.message.clone(),
        };
        let mut status = value!({
            "attempt": i64::from(self.attempt), "message": message,
            "nodes": self.explained.nodes.iter().map(|it| self.explained.to_value(it)).collect::<Vec<_>>(),
            "pod": &pod.name, "time": time::format_secs(self.at.secs()),
        });
        for (field, node) in [("chosen", &self.chosen), ("nominated", &self.nominated)] {
            if let Some(node) = node {
                status.set(field, node);
            }
        }
        status
    }
}

/// The decisions that are remembered: the last one about each pod.
#[derive(Clone, Debug)]
pub(crate) struct Decisions {
    /// Decisions, and nodes in all of them, that are kept at most.
    max: (usize, usize),
    by_pod: KeyMap<Box<(u64, Decision)>>,
    /// Pods with the numbers of their decisions, the oldest first; also of decisions that have gone since.
    order: VecDeque<(u64, Key)>,
    /// How many there have been.
    n_made: u64,
    /// Nodes that are explained in all of them.
    n_nodes: usize,
    /// Decisions before this one have been cut down to the chosen node.
    first_whole: u64,
}

impl Default for Decisions {
    fn default() -> Decisions {
        Decisions::new(DECISIONS_MAX, NODES_MAX)
    }
}

impl Decisions {
    pub fn new(decisions_max: usize, nodes_max: usize) -> Decisions {
        Decisions {
            max: (decisions_max, nodes_max),
            by_pod: KeyMap::new(),
            order: VecDeque::new(),
            n_made: 0,
            n_nodes: 0,
            first_whole: 0,
        }
    }

    pub fn get(&self, pod: &Key) -> Option<&Decision> {
        self.by_pod.get(pod).map(|it| &it.1)
    }

    /// In the order of keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Decision)> {
        self.by_pod.sorted().into_iter().map(|(key, it)| (key, &it.1))
    }

    pub fn n_made(&self) -> u64 {
        self.n_made
    }

    pub fn insert(&mut self, pod: &Key, decision: Decision) {
        self.remove(pod);
        self.n_made += 1;
        self.n_nodes += decision.explained.nodes.len();
        self.order.push_back((self.n_made, pod.clone()));
        self.by_pod.insert_new(pod.clone(), Box::new((self.n_made, decision)));
        while self.by_pod.len() > self.max.0
            && let Some((number, oldest)) = self.order.pop_front()
        {
            if self.is_of(number, &oldest) {
                self.remove(&oldest);
            }
        }
        if self.order.len() > 2 * self.by_pod.len() + GONE_MAX {
            let mut order = std::mem::take(&mut self.order);
            order.retain(|(number, pod)| self.is_of(*number, pod));
            self.order = order;
        }
        self.cut();
    }

    /// Whether the decision of this number is the last one about the pod.
    fn is_of(&self, number: u64, pod: &Key) -> bool {
        self.by_pod.get(pod).is_some_and(|it| it.0 == number)
    }

    /// Leaves of the oldest decisions only the chosen nodes, until what is left is not too much.
    fn cut(&mut self) {
        while self.n_nodes > self.max.1
            && let idx = self.order.partition_point(|(number, _)| *number < self.first_whole)
            && let Some((number, pod)) = self.order.get(idx)
        {
            self.first_whole = number + 1;
            let (number, pod) = (*number, pod.clone());
            let Some((of, decision)) = self.by_pod.get_mut(&pod).map(|it| &mut **it) else { continue };
            if *of == number {
                let n_before = decision.explained.nodes.len();
                decision.explained.keep_only(decision.chosen.as_ref());
                self.n_nodes -= n_before - decision.explained.nodes.len();
            }
        }
    }

    /// As data, the oldest first; nodes are explained in the newest ones, as far as they are not too many.
    pub fn saved(&self) -> Value {
        let mut n_nodes = 0;
        let newest_first = self.order.iter().rev().filter(|(number, pod)| self.is_of(*number, pod));
        let newest_first = newest_first.filter_map(|(_, pod)| Some((pod, self.get(pod)?)));
        let mut list: Vec<Value> = newest_first
            .map(|(pod, it)| {
                n_nodes += it.explained.nodes.len();
                let mut explained = it.explained.clone();
                if n_nodes > SAVED_NODES_MAX {
                    explained.keep_only(it.chosen.as_ref());
                }
                value!({
                    "at": it.at.nanos().to_string(), "attempt": i64::from(it.attempt), "chosen": name(&it.chosen), "message": &it.message,
                    "name": &pod.name, "namespace": &pod.namespace, "nodes": explained.nodes.iter().map(saved_node).collect::<Vec<Value>>(),
                    "nominated": name(&it.nominated), "scores": explained.scores.iter().map(|it| i64::from(*it).into()).collect::<Vec<Value>>(),
                })
            })
            .collect();
        list.reverse();
        list.into()
    }

    /// What was saved.
    pub fn restored(saved: &Value) -> Decisions {
        let mut res = Decisions::default();
        for it in saved.as_list().into_iter().flatten() {
            let text = |field: &'static str| it.at(field).and_then(Value::as_shared_str).cloned();
            let decision = Decision {
                attempt: it.i64_at("attempt").and_then(|it| u32::try_from(it).ok()).unwrap_or(1),
                at: Instant::from_nanos(it.str_at("at").and_then(|it| it.parse().ok()).unwrap_or(0)),
                explained: Explained {
                    nodes: it.list_at("nodes").iter().map(restored_node).collect(),
                    scores: it.list_at("scores").iter().filter_map(|it| u8::try_from(it.as_i64()?).ok()).collect(),
                },
                chosen: text("chosen"),
                nominated: text("nominated"),
                message: text("message").unwrap_or_default(),
            };
            res.insert(&Key::new(text("namespace").unwrap_or_default(), text("name").unwrap_or_default()), decision);
        }
        res
    }

    pub fn remove(&mut self, pod: &Key) {
        if let Some(it) = self.by_pod.remove(pod) {
            self.n_nodes -= it.1.explained.nodes.len();
        }
    }
}

/// What is said of a pod that has a node.
pub(crate) fn assigned(pod: &Key, node: &str) -> String {
    ["Successfully assigned ", &pod.namespace, "/", &pod.name, " to ", node].concat()
}

fn name(node: &Option<Str>) -> Value {
    node.clone().map_or(Value::Null, Value::Str)
}

fn saved_node(node: &NodeResult) -> Value {
    let mut res = value!({ "name": &node.name });
    if let Some((idx, why)) = node.refused.as_deref() {
        res.set("plugin", plugins::ALL.get(*idx).map_or("", |it| it.name));
        res.set("why", why.as_str());
    }
    if let Some(row) = node.row {
        res.set("row", i64::from(row));
    }
    res
}

fn restored_node(saved: &Value) -> NodeResult {
    let idx = saved.str_at("plugin").and_then(|name| plugins::ALL.iter().position(|it| it.name == name));
    NodeResult {
        name: saved.at("name").and_then(Value::as_shared_str).cloned().unwrap_or_default(),
        refused: idx.map(|it| Box::new((it, saved.str_at("why").unwrap_or_default().to_owned()))),
        row: saved.i64_at("row").and_then(|it| u32::try_from(it).ok()),
    }
}
