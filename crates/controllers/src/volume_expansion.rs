//! Tells that a claim which has grown waits for somebody to expand its volume (`pkg/controller/volume/expand`).

use kinds::{PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM};
use meta::{Key, KindId, Object, Status};
use runtime::{Action, Cx, Reconciler, View, Watch};
use store::Change;
use value::quantity::Quantity;
use value::value;

use crate::volume_binder::MIGRATED;

const REASON: &str = "ExternalExpanding";
const RESIZER: &str = "volume.kubernetes.io/storage-resizer";
const PRE_RESIZE: &str = "volume.alpha.kubernetes.io/pre-resize-capacity";

pub(crate) struct Expansion;

impl Reconciler for Expansion {
    fn name(&self) -> &'static str {
        "persistentvolume-expander"
    }

    fn kind(&self) -> KindId {
        PERSISTENT_VOLUME_CLAIM
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::map(PERSISTENT_VOLUME_CLAIM, on_claim)]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(claim) = cx.get(PERSISTENT_VOLUME_CLAIM, key).filter(|it| is_bound(it)) else {
            return Ok(Action::AwaitChange);
        };
        let volume = cx.get(PERSISTENT_VOLUME, &Key::cluster(claim.str_at("spec.volumeName").unwrap_or("")));
        let is_its = |it: &Object| it.str_at("spec.claimRef.uid") == Some(&*claim.meta.uid);
        let Some(volume) = volume.filter(|it| is_its(it)) else { return Ok(Action::AwaitChange) };
        if size(&claim, REQUEST) <= size(&claim, CAPACITY) && volume.meta.annotation(PRE_RESIZE).is_none() {
            return Ok(Action::AwaitChange);
        }
        let spec = volume.at("spec");
        let has = |field: &str| spec.is_some_and(|it| it.get(field).is_some());
        if let Some((_, plugin, driver)) = MIGRATED.iter().find(|(field, ..)| has(field)) {
            let message = format!("CSI migration enabled for {plugin}; waiting for external resizer to expand the pvc");
            cx.event(&claim, "Normal", REASON, &message);
            if claim.meta.annotation(RESIZER) != Some(driver) {
                let patch = value!({ "metadata": { "annotations": { RESIZER: *driver } } });
                cx.patch_status(PERSISTENT_VOLUME_CLAIM, key, &patch)?;
            }
        } else if !has("flexVolume") {
            cx.event(&claim, "Normal", REASON, "waiting for an external controller to expand this PVC");
        }
        Ok(Action::AwaitChange)
    }
}

const REQUEST: &str = "spec.resources.requests";
const CAPACITY: &str = "status.capacity";

/// Of one of the amounts of a claim; nothing stands for zero.
fn size(claim: &Object, of: &'static str) -> Quantity {
    let amount = claim.map_at(of).and_then(|it| it.get("storage")?.as_str());
    amount.and_then(|it| Quantity::parse(it).ok()).unwrap_or(Quantity::from_int(0))
}

fn is_bound(claim: &Object) -> bool {
    claim.str_at("status.phase") == Some("Bound")
}

/// Claims that are bound when they are first seen, that ask for more, or that have got more.
fn on_claim(change: &Change, _: &View<'_>, keys: &mut Vec<Key>) {
    let Some(claim) = change.after.as_ref().filter(|it| is_bound(it)) else { return };
    let grew = |before: &Object| [REQUEST, CAPACITY].iter().any(|of| size(claim, of) > size(before, of));
    if change.before.as_ref().is_none_or(|it| grew(it)) {
        keys.push(claim.key());
    }
}
