//! Keeps the pods of a StatefulSet, each with a name, a place and claims of its own (`pkg/controller/statefulset`).

mod claims;
mod identity;
mod revisions;
mod update;

use std::sync::Arc;

use kinds::{CONTROLLER_REVISION, PERSISTENT_VOLUME_CLAIM, POD, STATEFUL_SET};
use meta::selector::LabelSelector;
use meta::{Key, KindId, Object, Status};
use runtime::{Action, Cx, Reconciler, View, Watch};
use sim::Duration;
use store::Change;
use value::{Map, Str, Value};

use self::revisions::Revisions;
use crate::claim::{self, Claimed};
use crate::pods;

pub(crate) struct StatefulSets;

/// One sync of a set.
struct Sync {
    set: Arc<Object>,
    /// The set with the templates of its two revisions.
    current: Arc<Object>,
    update: Arc<Object>,
    revisions: Revisions,
    /// One for each ordinal, those not yet made among them.
    replicas: Vec<Replica>,
    /// Pods beyond the ordinals, the highest first.
    condemned: Vec<Arc<Object>>,
    now: i64,
}

/// A pod that is there, or one to be made.
#[derive(Clone)]
enum Replica {
    There(Arc<Object>),
    Missing(Box<Object>),
}

impl Replica {
    fn pod(&self) -> &Object {
        match self {
            Replica::There(pod) => pod,
            Replica::Missing(pod) => pod,
        }
    }
}

impl Reconciler for StatefulSets {
    fn name(&self) -> &'static str {
        "statefulset"
    }

    fn kind(&self) -> KindId {
        STATEFUL_SET
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::itself(STATEFUL_SET),
            Watch::owner(POD, "StatefulSet", "apps"),
            Watch::map(POD, sets_of_orphan).on(pods::NEW_ORPHAN),
        ]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(set) = cx.get(STATEFUL_SET, key) else { return Ok(Action::AwaitChange) };
        let selector = LabelSelector::from_value(set.at("spec.selector"));
        let claimed =
            Claimed { owner: &set, kind: "StatefulSet", api_version: "apps/v1", selector: &selector, finalizer: None };
        let history = claim::kept(cx, CONTROLLER_REVISION, &claimed)?;
        let pods = claim::some(cx, POD, &claimed, &|it| identity::parent(it) == Some(set.name()))?;
        let (set, revisions) = revisions::find(cx, &set, history)?;
        let mut sync = Sync::new(set, revisions, pods.clone(), cx.now_secs());
        let res = sync.run(cx);
        let stored = sync.store_status(cx, &pods, res.is_ok());
        revisions::clean_up(cx, &sync, &pods)?;
        res?;
        Ok(stored?.map_or(Action::AwaitChange, Action::RequeueAfter))
    }
}

/// A pod without a controller wakes every set that selects it.
fn sets_of_orphan(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let Some(pod) = pods::new_orphan(change) else { return };
    for set in view.list(STATEFUL_SET, Some(pod.namespace())) {
        let selector = LabelSelector::from_value(set.at("spec.selector"));
        if !selector.is_everything() && selector.matches(&pod.meta.labels) {
            keys.push(set.key());
        }
    }
}

fn is_created(pod: &Object) -> bool {
    !pods::phase(pod).is_empty()
}

fn is_running_and_ready(pod: &Object) -> bool {
    pods::phase(pod) == "Running" && pods::is_ready(pod)
}

/// What the status counts of some pods.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Counts {
    replicas: i64,
    ready: i64,
    available: i64,
    current: i64,
    updated: i64,
}

impl Sync {
    fn new(set: Arc<Object>, revisions: Revisions, pods: Vec<Arc<Object>>, now: i64) -> Sync {
        let current = revisions::applied(&set, &revisions.current);
        let update = revisions::applied(&set, &revisions.update);
        let ordinals = identity::ordinals(&set);
        let mut there: std::collections::BTreeMap<i64, Arc<Object>> = std::collections::BTreeMap::new();
        let mut condemned = Vec::new();
        for pod in pods {
            match identity::ordinal(&pod) {
                Some(ordinal) if ordinals.contains(&ordinal) => drop(there.insert(ordinal, pod)),
                Some(_) => condemned.push(pod),
                None => (),
            }
        }
        condemned.sort_by_key(|it| std::cmp::Reverse(identity::ordinal(it)));
        let mut sync = Sync { set, current, update, revisions, replicas: Vec::new(), condemned, now };
        sync.replicas = ordinals
            .map(|it| match there.remove(&it) {
                Some(pod) => Replica::There(pod),
                None => Replica::Missing(Box::new(sync.new_pod(it))),
            })
            .collect();
        sync
    }

    fn min_ready_seconds(&self) -> i64 {
        self.set.i64_at("spec.minReadySeconds").unwrap_or(0)
    }

    fn is_available(&self, pod: &Object) -> bool {
        pods::is_available(pod, self.min_ready_seconds(), self.now)
    }

    fn is_unavailable(&self, pod: &Object) -> bool {
        !self.is_available(pod) || pod.meta.is_deleted()
    }

    fn is_parallel(&self) -> bool {
        self.set.str_at("spec.podManagementPolicy") == Some("Parallel")
    }

    fn count(&self, pods: &[&Object]) -> Counts {
        let mut counts = Counts::default();
        for pod in pods.iter().filter(|it| is_created(it)) {
            counts.replicas += 1;
            counts.ready += i64::from(is_running_and_ready(pod));
            counts.available += i64::from(is_running_and_ready(pod) && self.is_available(pod));
            if !pod.meta.is_deleted() {
                let revision = identity::revision(pod);
                counts.current += i64::from(revision == Some(self.revisions.current.name()));
                counts.updated += i64::from(revision == Some(self.revisions.update.name()));
            }
        }
        counts
    }

    /// Writes the status where it says something new; answers when to look again because pods become available.
    fn store_status(&self, cx: &mut Cx<'_>, pods: &[Arc<Object>], is_ok: bool) -> Result<Option<Duration>, Status> {
        let all: Vec<&Object> = if self.set.meta.is_deleted() || !is_ok {
            pods.iter().map(|it| &**it).collect()
        } else {
            self.replicas.iter().map(Replica::pod).chain(self.condemned.iter().map(|it| &**it)).collect()
        };
        let mut counts = self.count(&all);
        counts.current -= self.revisions.n_deleted;
        let wanted = identity::replicas(&self.set);
        let mut current = self.revisions.current.meta.name.clone();
        let update = self.revisions.update.meta.name.clone();
        let is_rolling = self.set.str_at("spec.updateStrategy.type") == Some("RollingUpdate");
        if is_rolling && [counts.updated, counts.ready, counts.replicas] == [wanted; 3] {
            counts.current = counts.updated;
            current = update.clone();
        }
        let before = self.set.map_at("status").cloned().unwrap_or_default();
        let status = self.status(&before, &counts, current, update);
        if status != before {
            cx.update_status(&self.set, Value::Map(status))?;
        }
        let min_ready = self.min_ready_seconds();
        let waits = min_ready > 0 && counts.ready != counts.available;
        Ok(if waits { pods::until_available(pods, min_ready, self.now) } else { None })
    }

    fn status(&self, before: &Map, counts: &Counts, current: Str, update: Str) -> Map {
        let mut status = before.clone();
        status.insert("replicas", counts.replicas);
        status.insert("collisionCount", self.revisions.collisions);
        status.insert("currentRevision", current);
        status.insert("updateRevision", update);
        status.insert("observedGeneration", self.set.meta.generation);
        status.insert("availableReplicas", counts.available);
        for (key, count) in
            [("readyReplicas", counts.ready), ("currentReplicas", counts.current), ("updatedReplicas", counts.updated)]
        {
            if count == 0 {
                status.remove(key);
            } else {
                status.insert(key, count);
            }
        }
        status
    }
}

/// The claim of a name in the set's namespace.
fn claim_of(cx: &Cx<'_>, set: &Object, name: &str) -> Option<Arc<Object>> {
    cx.get(PERSISTENT_VOLUME_CLAIM, &Key::new(set.namespace(), name))
}
