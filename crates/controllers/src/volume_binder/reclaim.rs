//! What is done with a volume once its claim has gone (`reclaimVolume`).

use std::sync::Arc;

use kinds::{PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD};
use meta::{Object, Status, quoted};
use runtime::{Cx, volumes as rules};

use super::{claim_of, volumes};
use crate::pods;

/// On a volume: who made it.
pub(crate) const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
const MIGRATED_TO: &str = "pv.kubernetes.io/migrated-to";

pub(super) fn reclaim(cx: &mut Cx<'_>, volume: &Arc<Object>) -> Result<(), Status> {
    if volume.meta.annotation(MIGRATED_TO).is_some_and(|it| !it.is_empty()) {
        return Ok(());
    }
    match volume.str_at("spec.persistentVolumeReclaimPolicy") {
        Some("Retain") => Ok(()),
        Some("Recycle") => recycle(cx, volume),
        Some("Delete") => delete(cx, volume),
        _ => {
            let message = "Volume has unrecognized PersistentVolumeReclaimPolicy";
            volumes::fail(cx, volume, "VolumeUnknownReclaimPolicy", message)
        }
    }
}

/// Empties the volume and makes it free again.
fn recycle(cx: &mut Cx<'_>, volume: &Arc<Object>) -> Result<(), Status> {
    let Some(claim) = claim_of(volume) else { return Ok(()) };
    let uses = |pod: &Object| {
        pod.list_at("spec.volumes").iter().any(|it| rules::claim_name(pod, it).is_some_and(|it| it == claim.name))
    };
    let users: Vec<String> = cx
        .list(POD, Some(&claim.namespace))
        .filter(|it| !pods::is_terminal(it) && uses(it))
        .map(|it| it.key().to_string())
        .collect();
    if !users.is_empty() && cx.get(PERSISTENT_VOLUME_CLAIM, &claim).is_none() {
        let message = format!("Volume is used by pods: {}", users.join(","));
        cx.event(volume, "Normal", "VolumeFailedRecycle", &message);
        return Ok(());
    }
    if volume.at("spec.hostPath").is_none() && volume.at("spec.nfs").is_none() {
        return volumes::fail(cx, volume, "VolumeFailedRecycle", "No recycler plugin found for the volume!");
    }
    cx.event(volume, "Normal", "VolumeRecycled", "Volume recycled");
    volumes::unbind(cx, volume)
}

/// Deletes the volume, unless that is for an external provisioner to do.
fn delete(cx: &mut Cx<'_>, volume: &Arc<Object>) -> Result<(), Status> {
    let made_by = volume.meta.annotation(PROVISIONED_BY).unwrap_or("");
    let is_external = !made_by.is_empty() && !made_by.starts_with("kubernetes.io/");
    if is_external || volume.at("spec.csi").is_some() {
        return Ok(());
    }
    let Some(path) = volume.str_at("spec.hostPath.path") else {
        let why = "no deletable volume plugin matched";
        let message = format!("error getting deleter volume plugin for volume {}: {why}", quoted(volume.name()));
        return volumes::fail(cx, volume, "VolumeFailedDelete", &message);
    };
    if path.strip_prefix("/tmp/").is_none_or(str::is_empty) {
        let message = format!("host_path deleter only supports /tmp/.+ but received provided {path}");
        return volumes::fail(cx, volume, "VolumeFailedDelete", &message);
    }
    match cx.delete(PERSISTENT_VOLUME, &volume.key()) {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(()),
    }
}
