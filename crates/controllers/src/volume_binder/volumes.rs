//! What becomes of volumes: free, bound, released (`syncVolume`).

use std::sync::Arc;

use kinds::{PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM};
use meta::{Key, KindId, Object, Status, quoted};
use runtime::volumes::BOUND_BY_CONTROLLER;
use runtime::{Action, Cx, Reconciler, Watch, volumes as rules};
use value::Value;

use super::{claim_of, reclaim};

pub(crate) struct Volumes;

impl Reconciler for Volumes {
    fn name(&self) -> &'static str {
        "persistentvolume-binder"
    }

    fn kind(&self) -> KindId {
        PERSISTENT_VOLUME
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::itself(PERSISTENT_VOLUME),
            Watch::map(PERSISTENT_VOLUME_CLAIM, |change, _, keys| {
                let name = change.object().at("spec.volumeName").and_then(Value::as_shared_str);
                keys.extend(name.filter(|it| !it.is_empty()).map(Key::cluster));
            }),
        ]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        if let Some(volume) = cx.get(PERSISTENT_VOLUME, key) {
            sync(cx, &volume)?;
        }
        Ok(Action::AwaitChange)
    }
}

fn sync(cx: &mut Cx<'_>, volume: &Arc<Object>) -> Result<(), Status> {
    let uid = volume.str_at("spec.claimRef.uid").unwrap_or("");
    let Some(claim) = claim_of(volume).filter(|_| !uid.is_empty()) else {
        return set_phase(cx, volume, "Available", "").map(|_| ());
    };
    let claim = cx.get(PERSISTENT_VOLUME_CLAIM, &claim).filter(|it| it.meta.uid == *uid);
    let Some(claim) = claim else { return release(cx, volume) };
    match claim.str_at("spec.volumeName") {
        None | Some("") => {
            // The claim's own sync finishes the binding.
            if rules::differs_in_mode(&claim, volume) {
                let message = format!(
                    "Cannot bind PersistentVolume to requested PersistentVolumeClaim {} due to incompatible volumeMode.",
                    quoted(claim.name())
                );
                cx.event(volume, "Warning", "VolumeMismatch", &message);
                let message = format!(
                    "Cannot bind PersistentVolume {} to requested PersistentVolumeClaim due to incompatible volumeMode.",
                    quoted(volume.name())
                );
                cx.event(&claim, "Warning", "VolumeMismatch", &message);
            }
            Ok(())
        }
        Some(name) if volume.meta.name == *name => set_phase(cx, volume, "Bound", "").map(|_| ()),
        Some(_) => {
            let is_made_for_it = volume.meta.annotation(reclaim::PROVISIONED_BY).is_some()
                && volume.str_at("spec.persistentVolumeReclaimPolicy") == Some("Delete");
            if is_made_for_it { release(cx, volume) } else { unbind(cx, volume) }
        }
    }
}

/// The claim has gone: the volume is released and its policy carried out.
fn release(cx: &mut Cx<'_>, volume: &Arc<Object>) -> Result<(), Status> {
    let volume = match volume.str_at("status.phase") {
        Some("Released" | "Failed") => volume.clone(),
        _ => set_phase(cx, volume, "Released", "")?,
    };
    reclaim::reclaim(cx, &volume)
}

/// Takes the reference to the claim out, or only its uid if the user put the reference there (`unbindVolume`).
pub(super) fn unbind(cx: &mut Cx<'_>, volume: &Arc<Object>) -> Result<(), Status> {
    let mut update = Object::clone(volume);
    if volume.meta.annotation(BOUND_BY_CONTROLLER).is_some() {
        update.remove("spec.claimRef");
        update.meta.annotations.remove(BOUND_BY_CONTROLLER);
    } else {
        update.remove("spec.claimRef.uid");
    }
    let volume = cx.update(update)?;
    set_phase(cx, &volume, "Available", "").map(|_| ())
}

/// `updateVolumePhase`
pub(super) fn set_phase(
    cx: &mut Cx<'_>,
    volume: &Arc<Object>,
    phase: &str,
    message: &str,
) -> Result<Arc<Object>, Status> {
    if volume.str_at("status.phase") == Some(phase) {
        return Ok(volume.clone());
    }
    let mut status = volume.map_at("status").cloned().unwrap_or_default();
    status.insert("phase", phase);
    if message.is_empty() {
        status.remove("message");
    } else {
        status.insert("message", message);
    }
    cx.update_status(volume, Value::Map(status))
}

/// The same with an event, if the phase is another than before.
pub(super) fn fail(cx: &mut Cx<'_>, volume: &Arc<Object>, reason: &str, message: &str) -> Result<(), Status> {
    if volume.str_at("status.phase") == Some("Failed") {
        return Ok(());
    }
    let volume = set_phase(cx, volume, "Failed", message)?;
    cx.event(&volume, "Warning", reason, message);
    Ok(())
}
