//! Keeps the number of a ReplicaSet's or ReplicationController's pods at `spec.replicas` (`pkg/controller/replicaset`).

mod rank;
mod status;

use std::sync::Arc;

use kinds::{POD, REPLICA_SET, REPLICATION_CONTROLLER};
use meta::selector::LabelSelector;
use meta::{Key, KindId, Object, Status};
use runtime::{Action, Cx, Reconciler, View, Watch};
use store::Change;
use value::{Map, Value, map};

use crate::claim::{self, Claimed};
use crate::pods;

/// `burstReplicas`: creations and deletions of one sync at most.
const BURST: usize = 500;

/// The two kinds that are kept in the same way.
#[derive(Clone, Copy)]
pub(crate) struct Flavor {
    component: &'static str,
    kind: KindId,
    kind_name: &'static str,
    group: &'static str,
    api_version: &'static str,
    /// Maps a pod that nobody controls to the sets that select it.
    of_orphan: fn(&Change, &View<'_>, &mut Vec<Key>),
}

pub(crate) const REPLICA_SETS: Flavor = Flavor {
    component: "replicaset",
    kind: REPLICA_SET,
    kind_name: "ReplicaSet",
    group: "apps",
    api_version: "apps/v1",
    of_orphan: |change, view, keys| sets_of_orphan(REPLICA_SET, change, view, keys),
};

pub(crate) const REPLICATION_CONTROLLERS: Flavor = Flavor {
    component: "replicationcontroller",
    kind: REPLICATION_CONTROLLER,
    kind_name: "ReplicationController",
    group: "",
    api_version: "v1",
    of_orphan: |change, view, keys| sets_of_orphan(REPLICATION_CONTROLLER, change, view, keys),
};

pub(crate) struct ReplicaSets(pub Flavor);

/// The pods that a set selects: a ReplicationController's selector is a plain map.
pub(crate) fn selector(set: &Object) -> LabelSelector {
    if set.kind == REPLICATION_CONTROLLER {
        let labels = set.at("spec.selector").cloned().unwrap_or_default();
        return LabelSelector::from_value(Some(&Value::Map(map!({ "matchLabels": labels }))));
    }
    LabelSelector::from_value(set.at("spec.selector"))
}

impl Reconciler for ReplicaSets {
    fn name(&self) -> &'static str {
        self.0.component
    }

    fn kind(&self) -> KindId {
        self.0.kind
    }

    fn watches(&self) -> Vec<Watch> {
        let Flavor { kind, kind_name, group, of_orphan, .. } = self.0;
        vec![Watch::itself(kind), Watch::owner(POD, kind_name, group), Watch::map(POD, of_orphan).on(pods::NEW_ORPHAN)]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(set) = cx.get(self.0.kind, key) else { return Ok(Action::AwaitChange) };
        let selector = selector(&set);
        let Flavor { kind_name, api_version, .. } = self.0;
        let claimed = Claimed { owner: &set, kind: kind_name, api_version, selector: &selector, finalizer: None };
        let all = claim::active_pods(cx, &claimed)?;
        let is_terminating = |it: &&Arc<Object>| pods::is_terminating(it) && selector.matches(&it.meta.labels);
        let terminating = cx.controlled(POD, &set).iter().filter(is_terminating).count();
        let res = if set.meta.is_deleted() { Ok(()) } else { manage(cx, &set, &all, self.0) };
        let wait = status::store(cx, &set, &all, terminating, res.as_ref().err())?;
        res?;
        Ok(wait.map_or(Action::AwaitChange, Action::RequeueAfter))
    }
}

/// `manageReplicas`
///
/// # Errors
/// The first failed request.
fn manage(cx: &mut Cx<'_>, set: &Arc<Object>, active: &[Arc<Object>], flavor: Flavor) -> Result<(), Status> {
    let wanted = usize::try_from(set.i64_at("spec.replicas").unwrap_or(1)).unwrap_or(0);
    if active.len() < wanted {
        let missing = (wanted - active.len()).min(BURST);
        let template = pods::Template::of(set, flavor.api_version, flavor.kind_name);
        pods::slow_start(missing, &mut |_| match pods::create(cx, set, template.pod()) {
            Err(status) if !pods::is_namespace_terminating(&status) => Err(status),
            _ => Ok(()),
        })?;
        if wanted - active.len() > missing {
            cx.requeue_soon();
        }
        return Ok(());
    }
    let excess = (active.len() - wanted).min(BURST);
    if excess == 0 {
        return Ok(());
    }
    let mut res = Ok(());
    for pod in rank::victims(cx, set, active, excess) {
        if let Err(status) = pods::delete(cx, set, &pod.key()) {
            res = Err(status);
        }
    }
    if active.len() - wanted > excess {
        cx.requeue_soon();
    }
    res
}

/// A pod without a controller wakes every set that selects it, when it appears, is released or changes labels.
fn sets_of_orphan(kind: KindId, change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let Some(pod) = pods::new_orphan(change) else { return };
    let sets = view.list(kind, Some(pod.namespace()));
    keys.extend(sets.filter(|it| selects(&selector(it), &pod.meta.labels)).map(|it| it.key()));
}

fn selects(selector: &LabelSelector, labels: &Map) -> bool {
    !selector.is_everything() && selector.matches(labels)
}
