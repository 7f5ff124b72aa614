//! Deletes pods whose node has gone or is out of service, pods that were deleted before they were bound, and finished pods
//! beyond a limit (`pkg/controller/podgc`).

use std::collections::BTreeMap;
use std::sync::Arc;

use kinds::{NODE, POD};
use meta::{Key, KindId, Object, Status};
use runtime::{Action, Cx, Reconciler, View, Watch, saved};
use sim::{Duration, Instant};
use store::Change;
use value::{Str, Value, value};

use crate::{conditions, pods};

/// Finished pods that may stay (`--terminated-pod-gc-threshold`).
const FINISHED_MAX: usize = 12_500;
/// How long a pod may name an absent node: it could be registered any moment (`quarantineTime`).
const QUARANTINE: Duration = Duration::from_secs(40);

/// How often upstream looks (`gcCheckPeriod`).
const PERIOD_SECS: u64 = 20;

/// One key stands for the whole cluster: every round looks at all.
#[derive(Default)]
pub(crate) struct PodGc {
    /// Nodes that pods name and that are absent, and since when.
    absent: BTreeMap<Str, Instant>,
}

impl Reconciler for PodGc {
    fn name(&self) -> &'static str {
        "pod-garbage-collector"
    }

    fn kind(&self) -> KindId {
        NODE
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::map(NODE, on_node), Watch::map(POD, on_stray_pod)]
    }

    fn saved(&self) -> Value {
        saved::instants(&self.absent)
    }

    fn take_up(&mut self, saved: &Value) {
        self.absent = saved::to_instants(saved);
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, _key: &Key) -> Result<Action, Status> {
        let now = cx.now();
        let known = std::mem::take(&mut self.absent);
        self.absent =
            absent_nodes(cx).into_iter().map(|it| (it.clone(), known.get(&it).copied().unwrap_or(now))).collect();
        let (gone, waiting): (Vec<_>, Vec<_>) =
            self.absent.iter().partition(|(_, since)| now.since(**since) >= QUARANTINE);
        let again = waiting.iter().map(|(_, since)| (**since + QUARANTINE).since(now)).min();
        for (node, _) in gone {
            for pod in cx.on_node(node) {
                collect_orphan(cx, &pod)?;
            }
        }
        let stuck = stuck(cx);
        let next = until_round(now);
        let again = again.into_iter().chain((!stuck.is_empty() && !next.is_zero()).then_some(next)).min();
        if next.is_zero() {
            for pod in &stuck {
                fail(cx, pod, "", None)?;
                cx.delete_now(POD, &pod.key())?;
            }
        }
        collect_finished(cx)?;
        Ok(again.map_or(Action::AwaitChange, Action::RequeueAfter))
    }
}

const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

/// All rounds are one key.
fn round() -> Key {
    Key::cluster("round")
}

/// Nodes that have gone or are out of service.
fn on_node(change: &Change, _: &View<'_>, keys: &mut Vec<Key>) {
    if change.after.as_ref().is_none_or(|it| is_out_of_service(it)) {
        keys.push(round());
    }
}

fn on_stray_pod(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let Some(pod) = &change.after else { return };
    let node = pod.at("spec.nodeName").and_then(Value::as_shared_str).filter(|it| !it.is_empty());
    let is_stray = match node {
        Some(node) => match view.get(NODE, &Key::cluster(node)) {
            Some(node) => pod.meta.is_deleted() && is_out_of_service(node),
            None => true,
        },
        None => pod.meta.is_deleted(),
    };
    let finished = view.len(POD) > FINISHED_MAX && pods::is_terminal(pod);
    if is_stray || finished {
        keys.push(round());
    }
}

fn absent_nodes(cx: &Cx<'_>) -> Vec<Str> {
    cx.nodes_with_pods().into_iter().filter(|it| cx.get(NODE, &Key::cluster(it)).is_none()).collect()
}

/// A pod whose node has gone is marked failed and deleted at once.
fn collect_orphan(cx: &mut Cx<'_>, pod: &Object) -> Result<(), Status> {
    fail(cx, pod, "PodGC: node no longer exists", Some("DeletionByPodGC"))?;
    cx.delete_now(POD, &pod.key())
}

/// Sets the phase of an unfinished pod to Failed, with the condition that says why.
fn fail(cx: &mut Cx<'_>, pod: &Object, message: &str, reason: Option<&str>) -> Result<(), Status> {
    if pods::is_terminal(pod) {
        return Ok(());
    }
    let mut status = pod.at("status").cloned().unwrap_or_default();
    status.set("phase", "Failed");
    status.set("observedGeneration", pod.meta.generation);
    if let Some(reason) = reason {
        let condition = value!({
            "lastProbeTime": null, "message": message, "observedGeneration": pod.meta.generation, "reason": reason, "status": "True",
            "type": "DisruptionTarget",
        });
        let list = conditions::set(status.list_at("conditions"), condition, cx.now_secs());
        status.set("conditions", list);
    }
    cx.update_status(pod, status).map(|_| ())
}

/// Pods that are being deleted with nobody to finish it: they were never bound and a finalizer holds them, or their node is
/// out of service. To unbound ones that have failed nothing more happens.
fn stuck(cx: &Cx<'_>) -> Vec<Arc<Object>> {
    let is_out_of_service = |node: &str| cx.get(NODE, &Key::cluster(node)).is_some_and(|it| is_out_of_service(&it));
    let is_stuck = |it: &&Arc<Object>| {
        it.meta.is_deleted()
            && match it.str_at("spec.nodeName").filter(|it| !it.is_empty()) {
                None => !pods::is_terminal(it),
                // What has a finalizer alone is deleted again and again to no effect.
                Some(node) => (!pods::is_terminal(it) || it.meta.grace_seconds != Some(0)) && is_out_of_service(node),
            }
    };
    cx.list(POD, None).filter(is_stuck).cloned().collect()
}

/// Whether somebody says that a node that is not ready will not come back.
fn is_out_of_service(node: &Object) -> bool {
    let ready = node.condition_status("Ready");
    ready != Some("True") && node.list_at("spec.taints").iter().any(|it| it.str_at("key") == Some(OUT_OF_SERVICE))
}

/// Until the next round of upstream's clock; nothing at a round.
fn until_round(now: Instant) -> Duration {
    let period = PERIOD_SECS * 1_000_000_000;
    match now.nanos() % period {
        0 => Duration::ZERO,
        since => Duration::from_nanos(period - since),
    }
}

fn collect_finished(cx: &mut Cx<'_>) -> Result<(), Status> {
    if cx.view().len(POD) <= FINISHED_MAX {
        return Ok(());
    }
    let mut finished: Vec<_> = cx.list(POD, None).filter(|it| pods::is_terminal(it)).cloned().collect();
    let Some(excess) = finished.len().checked_sub(FINISHED_MAX) else { return Ok(()) };
    // Evicted pods go first, then the oldest.
    let is_evicted = |it: &Object| it.at("status.reason").and_then(Value::as_str) == Some("Evicted");
    finished.sort_by_key(|it| (!is_evicted(it), it.meta.created, it.meta.name.clone()));
    for pod in finished.iter().take(excess) {
        cx.delete_now(POD, &pod.key())?;
    }
    Ok(())
}
