//! Lets claims, volumes and classes of attributes go only when nothing uses them
//! (`pkg/controller/volume/{pvcprotection,pvprotection,vacprotection}`).

use std::sync::Arc;

use kinds::{PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD, VOLUME_ATTRIBUTES_CLASS};
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
    /// Which changes of others end a use.
    ends: &'static [(KindId, Ends)],
}

type Ends = fn(&Change, &View<'_>, &mut Vec<Key>);

pub(crate) const CLAIMS: Protection = Protection {
    name: "persistentvolumeclaim-protection",
    kind: PERSISTENT_VOLUME_CLAIM,
    finalizer: "kubernetes.io/pvc-protection",
    is_used: is_claim_used,
    ends: &[(POD, claims_of)],
};

pub(crate) const VOLUMES: Protection = Protection {
    name: "persistentvolume-protection",
    kind: PERSISTENT_VOLUME,
    finalizer: "kubernetes.io/pv-protection",
    is_used: |_, volume| volume.str_at("status.phase") == Some("Bound"),
    ends: &[],
};

pub(crate) const CLASSES: Protection = Protection {
    name: "volumeattributesclass-protection",
    kind: VOLUME_ATTRIBUTES_CLASS,
    finalizer: "kubernetes.io/vac-protection",
    is_used: |view, class| {
        let uses = |it: &Arc<Object>| CLASS_NAMES.iter().any(|path| it.str_at(path) == Some(class.name()));
        view.list(PERSISTENT_VOLUME, None).chain(view.list(PERSISTENT_VOLUME_CLAIM, None)).any(uses)
    },
    ends: &[(PERSISTENT_VOLUME, classes_of), (PERSISTENT_VOLUME_CLAIM, classes_of)],
};

/// Where claims and volumes name their classes.
const CLASS_NAMES: [&str; 3] = [
    "spec.volumeAttributesClassName",
    "status.currentVolumeAttributesClassName",
    "status.modifyVolumeStatus.targetVolumeAttributesClassName",
];

impl Reconciler for Protection {
    fn name(&self) -> &'static str {
        self.name
    }

    fn kind(&self) -> KindId {
        self.kind
    }

    fn watches(&self) -> Vec<Watch> {
        let others = self.ends.iter().map(|(kind, keys)| Watch::map(*kind, *keys).while_any(self.kind));
        std::iter::once(Watch::itself(self.kind)).chain(others).collect()
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

/// Classes that a claim or a volume named before.
fn classes_of(change: &Change, _: &View<'_>, keys: &mut Vec<Key>) {
    let names = change.before.iter().flat_map(|it| CLASS_NAMES.iter().filter_map(|path| it.str_at(path)));
    keys.extend(names.map(Key::cluster));
}

/// Claims that a pod uses no longer.
fn claims_of(change: &Change, _: &View<'_>, keys: &mut Vec<Key>) {
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
