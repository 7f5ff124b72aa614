//! Runs one pod of a DaemonSet on every node that it fits (`pkg/controller/daemon`).

mod history;
mod manage;
mod nodes;
mod status;
mod update;

use std::collections::BTreeMap;
use std::sync::Arc;

use kinds::{CONTROLLER_REVISION, DAEMON_SET, NODE, POD};
use meta::selector::LabelSelector;
use meta::{Key, KindId, Object, Status};
use runtime::{Action, Cx, Reconciler, View, Watch, saved};
use sim::{Duration, Instant};
use store::Change;
use value::{Str, Value, value};

use crate::claim::{self, Claimed};
use crate::pods;

pub use self::nodes::{Verdict, verdicts};

/// Creations and deletions of one sync at most. Upstream takes 250 (`burstReplicas`), and then the next sync follows at once.
const BURST: usize = 1_000;
/// First and longest delay before a failed daemon pod is deleted again (`failedPodsBackoff`).
const FAILED_POD_BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15 * 60));

/// Delays of failed pods per DaemonSet and node.
#[derive(Default)]
pub(crate) struct DaemonSets {
    failed: BTreeMap<(Str, Str), Failed>,
}

/// How often a node's daemon pod failed of late.
struct Failed {
    delay: Duration,
    at: Instant,
}

/// What one sync knows.
struct Sync<'a> {
    set: &'a Arc<Object>,
    /// Every node, and every other name of a node that pods have, in the order of names.
    places: Vec<Place>,
    hash: Str,
    /// `spec.minReadySeconds`
    min_ready_seconds: i64,
    /// Whether more than one pod may be on a node.
    allows_surge: bool,
    now: i64,
}

impl Sync<'_> {
    fn new(set: &Arc<Object>, places: Vec<Place>, hash: Str, now: i64) -> Sync<'_> {
        Sync {
            min_ready_seconds: set.i64_at("spec.minReadySeconds").unwrap_or(0),
            allows_surge: update::allows_surge(set),
            set,
            places,
            hash,
            now,
        }
    }
}

/// A node as a set sees it.
struct Place {
    name: Str,
    /// Whether there is such a node.
    exists: bool,
    should_run: bool,
    should_continue: bool,
    /// Claimed pods that run here or are meant for it, without those that are both terminal and deleted.
    pods: Vec<Arc<Object>>,
}

/// Changes of pods are collected for this long, so that many that come at once are counted once.
const PATIENCE: Duration = Duration::from_millis(5);

impl Reconciler for DaemonSets {
    fn name(&self) -> &'static str {
        "daemonset"
    }

    fn kind(&self) -> KindId {
        DAEMON_SET
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::itself(DAEMON_SET),
            Watch::owner(CONTROLLER_REVISION, "DaemonSet", "apps"),
            Watch::owner(POD, "DaemonSet", "apps"),
            Watch::map(POD, sets_of_orphan).on(pods::NEW_ORPHAN),
            Watch::map(NODE, sets_of_node).while_any(DAEMON_SET),
        ]
    }

    fn knows_own_status(&self) -> bool {
        true
    }

    fn batches(&self, kind: KindId) -> Duration {
        if kind == POD { PATIENCE } else { Duration::ZERO }
    }

    fn saved(&self) -> Value {
        let one = |((set, node), it): (&(Str, Str), &Failed)| {
            let ms = i64::try_from(it.delay.as_millis()).unwrap_or(i64::MAX);
            value!({ "at": saved::instant(it.at), "delayMs": ms, "node": node, "set": set })
        };
        self.failed.iter().map(one).collect::<Vec<Value>>().into()
    }

    fn take_up(&mut self, saved: &Value) {
        for it in saved.as_list().into_iter().flatten() {
            let text = |field: &str| it.get(field).and_then(Value::as_shared_str).cloned();
            let delay = it.i64_at("delayMs").and_then(|it| u64::try_from(it).ok()).map(Duration::from_millis);
            let at = it.get("at").and_then(saved::to_instant);
            if let (Some(set), Some(node), Some(delay), Some(at)) = (text("set"), text("node"), delay, at) {
                self.failed.insert((set, node), Failed { delay, at });
            }
        }
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(set) = cx.get(DAEMON_SET, key) else { return Ok(Action::AwaitChange) };
        let selector = LabelSelector::from_value(set.at("spec.selector"));
        if selector.is_everything() {
            let message = "This daemon set is selecting all pods. A non-empty selector is required.";
            cx.event(&set, "Warning", "SelectingAll", message);
            return Ok(Action::AwaitChange);
        }
        if set.meta.is_deleted() {
            return Ok(Action::AwaitChange);
        }
        let history = history::construct(cx, &set, &selector)?;
        let pods = claim::pods(
            cx,
            &Claimed { owner: &set, kind: "DaemonSet", api_version: "apps/v1", selector: &selector, finalizer: None },
        )?;
        let places = places(&nodes::Template::of(&set), cx.list(NODE, None), &pods);
        let sync = Sync::new(&set, places, history.hash.clone(), cx.now_secs());
        let plan = self.manage(cx, &sync);
        let again = plan.again;
        let managed = self.carry_out(cx, &sync, &plan);
        // Upstream's expectations: a sync that created or deleted leaves the rolling update to the next one.
        let updated = managed.and_then(|()| {
            if plan.is_empty() && set.str_at("spec.updateStrategy.type") == Some("RollingUpdate") {
                let plan = update::plan(&sync);
                self.carry_out(cx, &sync, &plan)?;
            }
            history::clean_up(cx, &set, &history.old, &pods)
        });
        let wait = status::store(cx, &sync)?;
        updated?;
        Ok([again, wait].into_iter().flatten().min().map_or(Action::AwaitChange, Action::RequeueAfter))
    }
}

/// Nodes joined with the pods on them, by `spec.nodeName` or by the node that a pod's affinity names; pods that name none are left out.
fn places<'a>(
    template: &nodes::Template,
    nodes: impl Iterator<Item = &'a Arc<Object>>,
    pods: &[Arc<Object>],
) -> Vec<Place> {
    let counted = pods.iter().filter(|it| !(pods::is_terminal(it) && it.meta.is_deleted()));
    let mut pods: Vec<(Str, &Arc<Object>)> = counted.filter_map(|it| Some((pods::target_node(it)?, it))).collect();
    // Stable: pods of one node stay in the order of their names.
    pods.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut pods = pods.into_iter().peekable();
    let mut places: Vec<Place> = Vec::new();
    for node in nodes {
        while let Some((name, pod)) = pods.next_if(|(name, _)| *name < node.meta.name) {
            stray(&mut places, name, pod);
        }
        let (should_run, should_continue) = template.should_run(node);
        let mut place =
            Place { name: node.meta.name.clone(), exists: true, should_run, should_continue, pods: Vec::new() };
        while let Some((_, pod)) = pods.next_if(|(name, _)| *name == place.name) {
            place.pods.push(pod.clone());
        }
        places.push(place);
    }
    pods.for_each(|(name, pod)| stray(&mut places, name, pod));
    places
}

/// A pod for a node that does not exist.
fn stray(places: &mut Vec<Place>, name: Str, pod: &Arc<Object>) {
    match places.last_mut() {
        Some(it) if !it.exists && it.name == name => it.pods.push(pod.clone()),
        _ => places.push(Place {
            name,
            exists: false,
            should_run: false,
            should_continue: false,
            pods: vec![pod.clone()],
        }),
    }
}

/// A pod without a controller wakes every DaemonSet that selects it.
fn sets_of_orphan(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let Some(pod) = pods::new_orphan(change) else { return };
    for set in view.list(DAEMON_SET, Some(pod.namespace())) {
        if LabelSelector::from_value(set.at("spec.selector")).matches(&pod.meta.labels) {
            keys.push(set.key());
        }
    }
}

/// A node that came or changed what decides placement wakes the DaemonSets that must create or delete a pod on it (`syncNodeUpdate`).
///
/// A set whose pod may stay is not woken: its status counts the node anew at its next sync only.
fn sets_of_node(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let Some(node) = &change.after else { return };
    let same = change
        .before
        .as_ref()
        .is_some_and(|it| it.meta.labels == node.meta.labels && it.at("spec.taints") == node.at("spec.taints"));
    if same {
        return;
    }
    let pods = view.on_node(node.name());
    let owners: Vec<(&str, &str)> = pods
        .iter()
        .filter_map(|it| {
            Some((it.namespace(), it.meta.controller().filter(|it| it.kind == "DaemonSet")?.name.as_str()))
        })
        .collect();
    for set in view.list(DAEMON_SET, None) {
        let (should_run, should_continue) = nodes::Template::of(set).should_run(node);
        let scheduled = owners.contains(&(set.namespace(), set.name()));
        let miscounted = set.i64_at("status.numberMisscheduled").unwrap_or(0) > 0;
        if should_run && !scheduled || scheduled && (!should_continue || miscounted) {
            keys.push(set.key());
        }
    }
}

#[cfg(test)]
mod tests;
