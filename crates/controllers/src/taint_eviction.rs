//! Evicts pods from nodes with NoExecute taints that they do not tolerate, or not for ever (`pkg/controller/tainteviction`).

use std::collections::BTreeMap;
use std::sync::Arc;

use kinds::{NODE, POD};
use meta::{Key, KindId, Object, Status};
use runtime::placement::{self, Taint, Toleration};
use runtime::{Action, Cx, Reconciler, View, Watch, saved};
use sim::{Duration, Instant};
use store::Change;
use value::{Str, Value, value};

use crate::conditions;

/// Evictions that wait for their time.
#[derive(Default)]
pub(crate) struct TaintEviction {
    /// When the pod of this uid began to be subject to its taints, and when it goes.
    planned: BTreeMap<Str, Plan>,
}

#[derive(Clone, Copy)]
struct Plan {
    since: Instant,
    at: Instant,
}

impl Reconciler for TaintEviction {
    fn name(&self) -> &'static str {
        "taint-eviction-controller"
    }

    fn kind(&self) -> KindId {
        POD
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::Map { kind: POD, keys: on_pod }, Watch::Map { kind: NODE, keys: on_node }]
    }

    fn saved(&self) -> Value {
        saved::instants(&self.planned.iter().map(|(uid, it)| (uid.clone(), it.since)).collect())
    }

    fn take_up(&mut self, saved: &Value) {
        // When a pod goes is found out again when it is looked at.
        let planned = saved::to_instants(saved).into_iter().map(|(uid, since)| (uid, Plan { since, at: Instant::END }));
        self.planned = planned.collect();
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(pod) = cx.get(POD, key) else { return Ok(Action::AwaitChange) };
        let node = pod.at("spec.nodeName").and_then(Value::as_shared_str);
        let Some(node) = node.and_then(|it| cx.get(NODE, &Key::cluster(it))) else {
            return Ok(Action::AwaitChange);
        };
        let taints: Vec<Taint> = placement::taints(&node).into_iter().filter(|it| it.effect == "NoExecute").collect();
        match tolerated_for(&pod, &taints) {
            Tolerated::ForEver => {
                if self.planned.remove(&pod.meta.uid).is_some() {
                    cx.event(&pod, "Normal", "TaintManagerEviction", &format!("Cancelling deletion of Pod {key}"));
                }
                Ok(Action::AwaitChange)
            }
            Tolerated::Not => self.evict(cx, &pod),
            Tolerated::For(time) => {
                let now = cx.now();
                let plan = self.planned.entry(pod.meta.uid.clone()).or_insert(Plan { since: now, at: now + time });
                plan.at = plan.since + time;
                if plan.at <= now {
                    return self.evict(cx, &pod);
                }
                Ok(Action::RequeueAfter(plan.at.since(now)))
            }
        }
    }
}

enum Tolerated {
    ForEver,
    For(Duration),
    Not,
}

/// How long a pod may stay: the shortest time of the tolerations that are used.
fn tolerated_for(pod: &Object, taints: &[Taint]) -> Tolerated {
    if taints.is_empty() {
        return Tolerated::ForEver;
    }
    let tolerations = pod.at("spec").map(placement::tolerations).unwrap_or_default();
    let used: Vec<Option<&Toleration>> =
        taints.iter().map(|taint| tolerations.iter().find(|it| it.tolerates(taint))).collect();
    let Some(used) = used.into_iter().collect::<Option<Vec<_>>>() else { return Tolerated::Not };
    match used.iter().filter_map(|it| it.seconds).min() {
        None => Tolerated::ForEver,
        Some(seconds) => match u64::try_from(seconds) {
            Ok(seconds) if seconds > 0 => Tolerated::For(Duration::from_secs(seconds)),
            _ => Tolerated::Not,
        },
    }
}

impl TaintEviction {
    fn evict(&mut self, cx: &mut Cx<'_>, pod: &Arc<Object>) -> Result<Action, Status> {
        self.planned.remove(&pod.meta.uid);
        if pod.meta.is_deleted() {
            return Ok(Action::AwaitChange);
        }
        cx.event(pod, "Normal", "TaintManagerEviction", &format!("Marking for deletion Pod {}", pod.key()));
        let condition = value!({
            "lastProbeTime": null, "message": "Taint manager: deleting due to NoExecute taint", "observedGeneration": pod.meta.generation,
            "reason": "DeletionByTaintManager", "status": "True", "type": "DisruptionTarget",
        });
        let mut status = pod.at("status").cloned().unwrap_or_default();
        let list: Vec<Value> = conditions::set(status.list_at("conditions"), condition, cx.now_secs());
        status.set("conditions", list);
        cx.update_status(pod, status)?;
        match cx.delete(POD, &pod.key()) {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(Action::AwaitChange),
        }
    }
}

fn has_no_execute(node: &Object) -> bool {
    node.list_at("spec.taints").iter().any(|it| it.str_at("effect") == Some("NoExecute"))
}

/// A pod that was bound to a tainted node, or whose tolerations changed.
fn on_pod(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let Some(pod) = &change.after else { return };
    if change.before.as_ref().is_some_and(|it| it.body.get("spec") == pod.body.get("spec")) {
        return;
    }
    let node = pod.at("spec.nodeName").and_then(Value::as_shared_str).and_then(|it| view.get(NODE, &Key::cluster(it)));
    if node.is_some_and(|it| has_no_execute(it)) {
        keys.push(pod.key());
    }
}

/// A node whose NoExecute taints changed concerns all its pods.
fn on_node(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let Some(node) = &change.after else { return };
    let before = change.before.as_ref();
    let concerns = before.is_some_and(|it| has_no_execute(it)) || has_no_execute(node);
    if concerns && before.is_none_or(|it| it.at("spec.taints") != node.at("spec.taints")) {
        keys.extend(view.on_node(node.name()).iter().map(|it| it.key()));
    }
}
