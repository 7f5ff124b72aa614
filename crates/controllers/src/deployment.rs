//! Rolls a Deployment's pods from one template to the next by scaling ReplicaSets (`pkg/controller/deployment`).

mod arithmetic;
mod condition;
mod new_set;
mod progress;
mod rollback;
mod rolling;
mod scale;

use std::sync::Arc;

use kinds::{DEPLOYMENT, POD, REPLICA_SET};
use meta::selector::LabelSelector;
use meta::{Key, KindId, Object, Status};
use runtime::{Action, Cx, News, Reconciler, View, Watch};
use sim::Duration;
use store::Change;
use value::Value;

use crate::claim::{self, Claimed};
use crate::pods;

/// The label that tells the pods of one template from those of another.
const HASH_LABEL: &str = "pod-template-hash";
/// The annotation that counts templates, on the Deployment and on its sets.
const REVISION: &str = "deployment.kubernetes.io/revision";

pub(crate) struct Deployments;

/// A Deployment and its sets during one sync.
struct Sync {
    deployment: Arc<Object>,
    /// All sets, oldest first.
    sets: Vec<Arc<Object>>,
    /// The set of the present template, if there is one.
    new: Option<Arc<Object>>,
    /// When to look again without a change.
    again: Option<Duration>,
}

impl Reconciler for Deployments {
    fn name(&self) -> &'static str {
        "deployment"
    }

    fn kind(&self) -> KindId {
        DEPLOYMENT
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::itself(DEPLOYMENT),
            Watch::owner(REPLICA_SET, "Deployment", "apps"),
            Watch::map(REPLICA_SET, deployments_of_orphan).on(pods::NEW_ORPHAN),
            Watch::map(POD, deployment_of_deleted_pod).on(News::GONE.of_owner("ReplicaSet")),
        ]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(deployment) = cx.get(DEPLOYMENT, key) else { return Ok(Action::AwaitChange) };
        let selector = LabelSelector::from_value(deployment.at("spec.selector"));
        if selector.is_everything() {
            let message = "This deployment is selecting all pods. A non-empty selector is required.";
            cx.event(&deployment, "Warning", "SelectingAll", message);
            let mut status = deployment.at("status").cloned().unwrap_or_default();
            status.set("observedGeneration", deployment.meta.generation);
            cx.update_status(&deployment, status)?;
            return Ok(Action::AwaitChange);
        }
        let claimed = Claimed {
            owner: &deployment,
            kind: "Deployment",
            api_version: "apps/v1",
            selector: &selector,
            finalizer: None,
        };
        let mut sets = claim::all(cx, REPLICA_SET, &claimed)?;
        sets.sort_by(|a, b| (a.meta.created, &a.meta.name).cmp(&(b.meta.created, &b.meta.name)));
        let mut sync = Sync { deployment, sets, new: None, again: None };
        sync.run(cx)?;
        Ok(sync.again.map_or(Action::AwaitChange, Action::RequeueAfter))
    }
}

impl Sync {
    /// `syncDeployment`
    fn run(&mut self, cx: &mut Cx<'_>) -> Result<(), Status> {
        if self.deployment.meta.is_deleted() {
            self.find_new(cx, false)?;
            let status = self.status_at(cx.now_secs());
            return self.store_status(cx, status);
        }
        self.note_pause(cx)?;
        if self.is_paused() {
            return self.sync_scale(cx);
        }
        if let Some(number) = self.wants_rollback() {
            return self.roll_back(cx, number);
        }
        if self.is_scaled(cx)? {
            return self.sync_scale(cx);
        }
        match self.deployment.str_at("spec.strategy.type") {
            Some("Recreate") => self.recreate(cx),
            _ => self.roll(cx),
        }
    }

    fn is_paused(&self) -> bool {
        self.deployment.bool_at("spec.paused").unwrap_or(false)
    }

    /// `spec.replicas` of the Deployment.
    fn wanted(&self) -> i64 {
        replicas(&self.deployment)
    }

    /// The sets of earlier templates, oldest first.
    fn old(&self) -> Vec<Arc<Object>> {
        let new = self.new.as_ref().map(|it| it.meta.uid.clone());
        self.sets.iter().filter(|it| Some(&it.meta.uid) != new.as_ref()).cloned().collect()
    }

    /// The old sets, then the new one.
    fn all(&self) -> Vec<Arc<Object>> {
        let mut all = self.old();
        all.extend(self.new.clone());
        all
    }

    /// Replaces the status, and keeps the Deployment as it is then.
    fn store_status(&mut self, cx: &mut Cx<'_>, status: Value) -> Result<(), Status> {
        let deployment = self.deployment.clone();
        self.deployment = cx.update_status(&deployment, status)?;
        Ok(())
    }

    /// `rolloutRecreate`: the old pods go before the new ones come.
    fn recreate(&mut self, cx: &mut Cx<'_>) -> Result<(), Status> {
        self.find_new(cx, false)?;
        let mut scaled = false;
        for set in self.old().iter().filter(|it| replicas(it) > 0) {
            scaled |= self.scale_set(cx, set, 0, false)?;
        }
        if scaled || self.has_old_pods(cx) {
            return self.sync_progress(cx);
        }
        if self.new.is_none() {
            self.find_new(cx, true)?;
        }
        if let Some(new) = self.new.clone() {
            self.scale_set(cx, &new, self.wanted(), false)?;
        }
        if self.is_complete(self.deployment.at("status").unwrap_or(&Value::Null)) {
            self.clean_up(cx)?;
        }
        self.sync_progress(cx)
    }

    /// `oldPodsRunning`
    fn has_old_pods(&self, cx: &Cx<'_>) -> bool {
        self.old().iter().any(|set| {
            set.i64_at("status.replicas").unwrap_or(0) > 0
                || cx.controlled(POD, set).iter().any(|it| !pods::is_terminal(it))
        })
    }

    /// Deletes the oldest sets beyond `revisionHistoryLimit` that have no pods (`cleanupDeployment`).
    fn clean_up(&self, cx: &mut Cx<'_>) -> Result<(), Status> {
        let Some(limit) = self.deployment.i64_at("spec.revisionHistoryLimit").filter(|it| *it != i64::from(i32::MAX))
        else {
            return Ok(());
        };
        let mut old: Vec<Arc<Object>> = self.old().into_iter().filter(|it| !it.meta.is_deleted()).collect();
        let excess = usize::try_from(old.len() as i64 - limit).unwrap_or(0);
        old.sort_by_key(|it| revision(it));
        for set in old.iter().take(excess) {
            let status = |path| set.i64_at(path).unwrap_or(0);
            let is_seen = set.meta.generation <= status("status.observedGeneration");
            if status("status.replicas") == 0 && replicas(set) == 0 && is_seen {
                match cx.delete(REPLICA_SET, &set.key()) {
                    Err(status) if !status.is_not_found() => return Err(status),
                    _ => (),
                }
            }
        }
        Ok(())
    }
}

/// `spec.replicas`
fn replicas(object: &Object) -> i64 {
    object.i64_at("spec.replicas").unwrap_or(1)
}

/// The number in the revision annotation; 0 where there is none.
fn revision(object: &Object) -> i64 {
    object.meta.annotation(REVISION).and_then(|it| it.parse().ok()).unwrap_or(0)
}

/// A set without a controller wakes every Deployment that selects it.
fn deployments_of_orphan(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let Some(set) = pods::new_orphan(change) else { return };
    let of = |it: &Object| LabelSelector::from_value(it.at("spec.selector"));
    for deployment in view.list(DEPLOYMENT, Some(set.namespace())) {
        if !of(deployment).is_everything() && of(deployment).matches(&set.meta.labels) {
            keys.push(deployment.key());
        }
    }
}

/// A deleted pod wakes its Deployment if that recreates (`deletePod`).
fn deployment_of_deleted_pod(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let (Some(pod), None) = (&change.before, &change.after) else { return };
    let Some(owner) = pod.meta.controller().filter(|it| it.kind == "ReplicaSet") else { return };
    let Some(set) = view.get(REPLICA_SET, &Key::new(pod.namespace(), &owner.name)) else { return };
    let Some(owner) = set.meta.controller().filter(|it| it.kind == "Deployment") else { return };
    let key = Key::new(pod.namespace(), &owner.name);
    let recreates = view.get(DEPLOYMENT, &key).is_some_and(|it| it.str_at("spec.strategy.type") == Some("Recreate"));
    if recreates {
        keys.push(key);
    }
}
