//! Lets claims and volumes go only when nothing uses them (`pkg/controller/volume/{pvcprotection,pvprotection}`).

use std::sync::Arc;

use kinds::{PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD};
use meta::{Key, KindId, Object, Status};
use runtime::{Action, Cx, Reconciler, View, Watch, volumes};
use store::Change;
use value::Str;

use crate::pods;

/// A kind whose objects are kept, by which finalizer, and when they are in use.
pub(crate) struct Protection {
    name: &'static str,
    kind: KindId,
    finalizer: &'static str,
    is_used: fn(&View<'_>, &Object) -> bool,
}

pub(crate) const CLAIMS: Protection = Protection {
    name: "persistentvolumeclaim-protection",
    kind: PERSISTENT_VOLUME_CLAIM,
    finalizer: "kubernetes.io/pvc-protection",
    is_used: is_claim_used,
};

pub(crate) const VOLUMES: Protection = Protection {
    name: "persistentvolume-protection",
    kind: PERSISTENT_VOLUME,
    finalizer: "kubernetes.io/pv-protection",
    is_used: |_, volume| volume.str_at("status.phase") == Some("Bound"),
};

impl Reconciler for Protection {
    fn name(&self) -> &'static str {
        self.name
    }

    fn kind(&self) -> KindId {
        self.kind
    }

    fn watches(&self) -> Vec<Watch> {
        let mut watches = vec![Watch::Itself(self.kind)];
        if self.kind == PERSISTENT_VOLUME_CLAIM {
            watches.push(Watch::Map { kind: POD, keys: claims_of });
        }
        watches
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(object) = cx.get(self.kind, key) else { return Ok(Action::AwaitChange) };
        let has = object.meta.has_finalizer(self.finalizer);
        let is_deleted = object.meta.is_deleted();
        if is_deleted == has && !(has && (self.is_used)(&cx.view(), &object)) {
            let others = object.meta.finalizers.iter().filter(|it| *it != self.finalizer).cloned();
            let added = (!has).then(|| Str::from(self.finalizer));
            let mut update = Object::clone(&object);
            update.meta.finalizers = others.chain(added).collect::<Arc<[Str]>>();
            cx.update(update)?;
        }
        Ok(Action::AwaitChange)
    }
}

/// Claims that a pod uses no longer.
fn claims_of(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    if view.is_empty(PERSISTENT_VOLUME_CLAIM) {
        return;
    }
    let pod = change.object();
    let is_gone = change.after.as_deref().is_none_or(|it| pods::is_terminal(it) || is_shut_down(it));
    if !is_gone {
        return;
    }
    let names = pod.list_at("spec.volumes").iter().filter_map(|it| volumes::claim_name(pod, it));
    keys.extend(names.map(|name| Key::new(pod.namespace(), name)));
}

fn is_shut_down(pod: &Object) -> bool {
    pod.meta.is_deleted() && pod.meta.grace_seconds == Some(0)
}

fn is_claim_used(view: &View<'_>, claim: &Object) -> bool {
    let uses = |pod: &Object| {
        pod.list_at("spec.volumes").iter().any(|it| {
            volumes::claim_name(pod, it).is_some_and(|it| it == claim.meta.name)
                && (it.get("ephemeral").is_none()
                    || (!is_shut_down(pod) && volumes::is_of_other_pod(pod, claim).is_none()))
        })
    };
    view.list(POD, Some(claim.namespace()))
        .any(|it| it.str_at("spec.nodeName").is_some_and(|it| !it.is_empty()) && uses(it))
}
