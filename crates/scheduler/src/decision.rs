//! Why a pod went where it went: kept for every pod that the scheduler looked at, shown as SchedulingDecision.

use sim::Instant;
use value::{Str, Value, time, value};

/// What one filter said of one node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterResult {
    pub plugin: &'static str,
    /// Empty when the node passed.
    pub reason: String,
}

/// What one plugin gave one node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScoreResult {
    pub plugin: &'static str,
    /// 0 to 100
    pub score: i64,
    pub weight: i64,
}

/// One node as the scheduler saw it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeResult {
    pub name: Str,
    pub filters: Vec<FilterResult>,
    pub scores: Vec<ScoreResult>,
}

/// The last attempt to schedule a pod.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    pub attempt: u32,
    pub at: Instant,
    pub nodes: Vec<NodeResult>,
    pub chosen: Option<Str>,
    pub nominated: Option<Str>,
    /// The FailedScheduling message, or that it was assigned.
    pub message: String,
}

impl NodeResult {
    fn total(&self) -> i64 {
        self.scores.iter().map(|it| it.score * it.weight).sum()
    }

    fn to_value(&self) -> Value {
        let filters: Vec<Value> = self
            .filters
            .iter()
            .map(|it| value!({ "passed": it.reason.is_empty(), "plugin": it.plugin, "reason": it.reason.as_str() }))
            .collect();
        let scores: Vec<Value> = self
            .scores
            .iter()
            .map(|it| value!({ "plugin": it.plugin, "score": it.score, "weight": it.weight, "weighted": it.score * it.weight }))
            .collect();
        value!({ "filters": filters, "name": &self.name, "scores": scores, "total": self.total() })
    }
}

impl Decision {
    /// The `status` of a SchedulingDecision for the pod of this name.
    pub fn to_value(&self, pod: &str) -> Value {
        let mut status = value!({
            "attempt": i64::from(self.attempt), "message": self.message.as_str(),
            "nodes": self.nodes.iter().map(NodeResult::to_value).collect::<Vec<_>>(),
            "pod": pod, "time": time::format_secs(self.at.secs()),
        });
        for (field, node) in [("chosen", &self.chosen), ("nominated", &self.nominated)] {
            if let Some(node) = node {
                status.set(field, node);
            }
        }
        status
    }
}
