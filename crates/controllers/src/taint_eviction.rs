//! Evicts pods from nodes with NoExecute taints that they do not tolerate, or not for ever (`pkg/controller/tainteviction`).

use std::collections::BTreeMap;
use std::sync::Arc;

use kinds::{NODE, POD};
use meta::{Key, KindId, Object, Status};
use runtime::placement::{self, Taint, Toleration};
use runtime::{Action, Cx, News, Reconciler, View, Watch, saved};
use sim::{Duration, Instant};
use store::Change;
use value::{Str, Value, value};

use crate::conditions;

/// Evictions that wait for their time.
#[derive(Default)]
pub(crate) struct TaintEviction {
    /// When a pod goes, by its key. That is said once: neither other taints nor other tolerations change it.
    planned: BTreeMap<Str, Instant>,
}

impl Reconciler for TaintEviction {
    fn name(&self) -> &'static str {
        "taint-eviction-controller"
    }

    fn kind(&self) -> KindId {
        POD
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::map(POD, on_pod).on(News::CREATED.or(News::GONE).or(News::SPEC)), Watch::map(NODE, on_node)]
    }

    fn saved(&self) -> Value {
        saved::instants(&self.planned)
    }

    fn take_up(&mut self, saved: &Value) {
        self.planned = saved::to_instants(saved);
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let id = Str::from(key.to_string());
        let planned = self.planned.get(&id).copied();
        let Some(pod) = cx.get(POD, key) else {
            self.cancel(cx, key);
            return Ok(Action::AwaitChange);
        };
        if planned.is_some_and(|it| it <= cx.now()) {
            self.planned.remove(&id);
            return evict(cx, &pod);
        }
        let wait = |it: Instant| Ok(Action::RequeueAfter(it.since(cx.now())));
        let node = pod.at("spec.nodeName").and_then(Value::as_shared_str);
        let Some(node) = node.and_then(|it| cx.get(NODE, &Key::cluster(it))) else {
            return planned.map_or(Ok(Action::AwaitChange), wait);
        };
        let taints: Vec<Taint> = placement::taints(&node).into_iter().filter(|it| it.effect == "NoExecute").collect();
        match tolerated_for(&pod, &taints) {
            Tolerated::ForEver => {
                self.cancel(cx, key);
                Ok(Action::AwaitChange)
            }
            Tolerated::Not => {
                self.cancel(cx, key);
                evict(cx, &pod)
            }
            Tolerated::For(time) => wait(*self.planned.entry(id).or_insert(cx.now() + time)),
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
    let used: Option<Vec<&Toleration>> =
        taints.iter().map(|taint| tolerations.iter().find(|it| it.tolerates(taint))).collect();
    let Some(used) = used else { return Tolerated::Not };
    match used.iter().filter_map(|it| it.seconds).min() {
        None => Tolerated::ForEver,
        Some(seconds) => match u64::try_from(seconds) {
            Ok(seconds) if seconds > 0 => Tolerated::For(Duration::from_secs(seconds)),
            _ => Tolerated::Not,
        },
    }
}

impl TaintEviction {
    fn cancel(&mut self, cx: &mut Cx<'_>, key: &Key) {
        if self.planned.remove(&*key.to_string()).is_some() {
            record(cx, key, &format!("Cancelling deletion of Pod {key}"));
        }
    }
}

/// Upstream names the pod without its uid.
fn record(cx: &mut Cx<'_>, key: &Key, message: &str) {
    cx.event_by_name((POD, key), &Str::default(), "Normal", "TaintManagerEviction", message);
}

fn evict(cx: &mut Cx<'_>, pod: &Arc<Object>) -> Result<Action, Status> {
    let key = pod.key();
    record(cx, &key, &format!("Marking for deletion Pod {key}"));
    let condition = value!({
        "lastProbeTime": null, "message": "Taint manager: deleting due to NoExecute taint", "observedGeneration": pod.meta.generation,
        "reason": "DeletionByTaintManager", "status": "True", "type": "DisruptionTarget",
    });
    let mut status = pod.at("status").cloned().unwrap_or_default();
    let list: Vec<Value> = conditions::set(status.list_at("conditions"), condition, cx.now_secs());
    status.set("conditions", list);
    cx.update_status(pod, status)?;
    match cx.delete(POD, &key) {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(Action::AwaitChange),
    }
}

fn has_no_execute(node: &Object) -> bool {
    node.list_at("spec.taints").iter().any(|it| it.str_at("effect") == Some("NoExecute"))
}

/// A pod that was bound to a tainted node or has gone from there, or whose tolerations changed.
fn on_pod(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let (pod, is_gone) = (change.object(), change.after.is_none());
    if !is_gone && change.before.as_ref().is_some_and(|it| it.body.get("spec") == pod.body.get("spec")) {
        return;
    }
    let Some(name) = pod.at("spec.nodeName").and_then(Value::as_shared_str) else { return };
    // Plans for the pods of a node that has gone stay.
    if view.get(NODE, &Key::cluster(name)).map_or(is_gone, |it| has_no_execute(it)) {
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
