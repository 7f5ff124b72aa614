//! Binds claims to volumes (`pkg/controller/volume/persistentvolume`); this file looks at claims.

mod reclaim;
mod volumes;

use std::sync::Arc;

use kinds::storage_class::{DEFAULT_NOTES, class_of, default_of, has_class};
use kinds::{PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD, STORAGE_CLASS};
use meta::{Key, KindId, Object, Status, quoted};
use runtime::volumes::{BIND_COMPLETED, BOUND_BY_CONTROLLER, NO_PROVISIONER, SELECTED_NODE, Seeker};
use runtime::{Action, Cx, Reconciler, View, Watch, volumes as rules};
use store::Change;
use value::{Value, map};

use crate::pods;

pub(crate) use self::reclaim::PROVISIONED_BY;
pub(crate) use self::volumes::Volumes;

pub(crate) const PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
const BETA_PROVISIONER: &str = "volume.beta.kubernetes.io/storage-provisioner";
/// Volumes that CSI drivers took over: their field, their plugin's name and the driver.
pub(crate) const MIGRATED: [(&str, &str, &str); 7] = [
    ("awsElasticBlockStore", "kubernetes.io/aws-ebs", "ebs.csi.aws.com"),
    ("azureDisk", "kubernetes.io/azure-disk", "disk.csi.azure.com"),
    ("azureFile", "kubernetes.io/azure-file", "file.csi.azure.com"),
    ("cinder", "kubernetes.io/cinder", "cinder.csi.openstack.org"),
    ("gcePersistentDisk", "kubernetes.io/gce-pd", "pd.csi.storage.gke.io"),
    ("portworxVolume", "kubernetes.io/portworx-volume", "pxd.portworx.com"),
    ("vsphereVolume", "kubernetes.io/vsphere-volume", "csi.vsphere.vmware.com"),
];

pub(crate) struct Claims;

impl Reconciler for Claims {
    fn name(&self) -> &'static str {
        "persistentvolumeclaim-binder"
    }

    fn kind(&self) -> KindId {
        PERSISTENT_VOLUME_CLAIM
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::itself(PERSISTENT_VOLUME_CLAIM),
            Watch::map(PERSISTENT_VOLUME, claims_of_volume),
            Watch::map(STORAGE_CLASS, |_, view, keys| keys.extend(unbound(view).map(|it| it.key()))),
        ]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(claim) = cx.get(PERSISTENT_VOLUME_CLAIM, key) else { return Ok(Action::AwaitChange) };
        if claim.meta.annotation(BIND_COMPLETED).is_some() {
            sync_bound(cx, &claim)?;
        } else {
            sync_unbound(cx, &claim)?;
        }
        Ok(Action::AwaitChange)
    }
}

/// The claim that a volume is for; all that wait, when the volume is free.
fn claims_of_volume(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    for side in [&change.before, &change.after].into_iter().flatten() {
        keys.extend(claim_of(side));
    }
    let name = change.object().name();
    let is_free = change
        .after
        .as_ref()
        .is_some_and(|it| it.map_at("spec.claimRef").is_none() && it.str_at("status.phase") == Some("Available"));
    let claims = unbound(view);
    keys.extend(claims.filter(|it| is_free || it.str_at("spec.volumeName") == Some(name)).map(|it| it.key()));
}

/// The key of the claim that a volume refers to.
fn claim_of(volume: &Object) -> Option<Key> {
    let text = |path: &'static str| volume.at(path).and_then(Value::as_shared_str).cloned();
    Some(Key::new(text("spec.claimRef.namespace")?, text("spec.claimRef.name")?))
}

fn unbound<'a>(view: &View<'a>) -> impl Iterator<Item = &'a Arc<Object>> {
    view.list(PERSISTENT_VOLUME_CLAIM, None).filter(|it| it.meta.annotation(BIND_COMPLETED).is_none())
}

/// `syncUnboundClaim`
fn sync_unbound(cx: &mut Cx<'_>, claim: &Arc<Object>) -> Result<(), Status> {
    let wanted = claim.str_at("spec.volumeName").unwrap_or("");
    if wanted.is_empty() {
        let delayed = rules::is_delayed(&cx.view(), claim);
        let volumes = cx.list(PERSISTENT_VOLUME, None);
        return match rules::find(claim, volumes, Seeker::Binder { delayed }).cloned() {
            Some(volume) => bind(cx, &volume, claim),
            None => without_volume(cx, claim, delayed),
        };
    }
    let Some(volume) = cx.get(PERSISTENT_VOLUME, &Key::cluster(wanted)) else {
        return set_status(cx, claim, "Pending", None).map(|_| ());
    };
    if volume.map_at("spec.claimRef").is_none() {
        if let Err(why) = suits(&volume, claim) {
            let message = format!("Cannot bind to requested volume {}: {why}", quoted(volume.name()));
            cx.event(claim, "Warning", "VolumeMismatch", &message);
            return set_status(cx, claim, "Pending", None).map(|_| ());
        }
        return bind(cx, &volume, claim);
    }
    if rules::is_bound_to(&volume, claim) {
        return bind(cx, &volume, claim);
    }
    let message = format!("volume {} already bound to a different claim.", quoted(volume.name()));
    cx.event(claim, "Warning", "FailedBinding", &message);
    if claim.meta.annotation(BOUND_BY_CONTROLLER).is_none() {
        return set_status(cx, claim, "Pending", None).map(|_| ());
    }
    let of = claim_of(&volume).unwrap_or_default();
    let message = format!(
        "invalid binding of claim {} to volume {}: volume already claimed by {}",
        quoted(&claim.key().to_string()),
        quoted(volume.name()),
        quoted(&of.to_string()),
    );
    Err(Status::internal(&message))
}

/// No volume is there for the claim: waits, or asks for one to be made.
fn without_volume(cx: &mut Cx<'_>, claim: &Arc<Object>, delayed: bool) -> Result<(), Status> {
    if !has_class(claim)
        && let Some(class) = default_of(cx.list(STORAGE_CLASS, None), &DEFAULT_NOTES)
    {
        let mut update = Object::clone(claim);
        update.set("spec.storageClassName", class);
        return cx.update(update).map(|_| ());
    }
    if delayed && claim.meta.annotation(SELECTED_NODE).is_none() {
        let (reason, message) = waits_for(cx, claim);
        cx.event(claim, "Normal", reason, &message);
    } else if !class_of(claim).is_empty() {
        return ask_for_volume(cx, claim);
    } else {
        let message = "no persistent volumes available for this claim and no storage class is set";
        cx.event(claim, "Normal", "FailedBinding", message);
    }
    set_status(cx, claim, "Pending", None).map(|_| ())
}

/// What a claim that is bound late waits for (`emitEventForUnboundDelayBindingClaim`).
fn waits_for(cx: &Cx<'_>, claim: &Object) -> (&'static str, String) {
    let uses = |pod: &Object| {
        pod.list_at("spec.volumes").iter().any(|it| rules::claim_name(pod, it).is_some_and(|it| it == claim.meta.name))
    };
    let waits =
        |it: &&Arc<Object>| !pods::is_terminal(it) && it.str_at("spec.nodeName").unwrap_or("").is_empty() && uses(it);
    let names: Vec<&str> = cx.list(POD, Some(claim.namespace())).filter(waits).map(|it| it.name()).collect();
    match names.as_slice() {
        [] => ("WaitForFirstConsumer", "waiting for first consumer to be created before binding".to_owned()),
        [one] => ("WaitForPodScheduled", format!("waiting for pod {one} to be scheduled")),
        many => ("WaitForPodScheduled", format!("waiting for pods {} to be scheduled", many.join(","))),
    }
}

/// Notes on the claim who is to make its volume (`provisionClaim`).
fn ask_for_volume(cx: &mut Cx<'_>, claim: &Arc<Object>) -> Result<(), Status> {
    let name = class_of(claim);
    let class = cx.get(STORAGE_CLASS, &Key::cluster(name));
    let provisioner = match &class {
        None => Err(Status::not_found("storage.k8s.io", "storageclass", name).message),
        Some(class) => {
            let named = class.str_at("provisioner").unwrap_or("");
            match MIGRATED.iter().find(|(_, it, _)| *it == named) {
                Some((.., driver)) => Ok((*driver).to_owned()),
                None if named.starts_with("kubernetes.io/") || named == NO_PROVISIONER => {
                    Err(format!("no volume plugin matched name: {named}"))
                }
                None => Ok(named.to_owned()),
            }
        }
    };
    let provisioner = match provisioner {
        Ok(it) => it,
        Err(why) => {
            cx.event(claim, "Warning", "ProvisioningFailed", &why);
            return Ok(());
        }
    };
    if claim.meta.annotation(PROVISIONER) != Some(&provisioner) {
        let mut update = Object::clone(claim);
        update.meta.annotations.insert(PROVISIONER, provisioner.as_str());
        update.meta.annotations.insert(BETA_PROVISIONER, provisioner.as_str());
        if let Err(status) = cx.update(update) {
            cx.event(claim, "Warning", "ProvisioningFailed", &format!("Error saving claim: {}", status.message));
            return Err(status);
        }
    }
    let message = format!(
        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
    );
    cx.event(claim, "Normal", "ExternalProvisioning", &message);
    Ok(())
}

/// Why a volume that the claim names is not for it (`checkVolumeSatisfyClaim`).
fn suits(volume: &Object, claim: &Object) -> Result<(), String> {
    let attributes = |it: &Object| it.str_at("spec.volumeAttributesClassName").unwrap_or("").to_owned();
    let why = if volume.meta.is_deleted() {
        return Err(format!("the volume is marked for deletion {}", quoted(volume.name())));
    } else if rules::size(volume).value() < rules::size(claim).value() {
        "requested PV is too small"
    } else if class_of(volume) != class_of(claim) {
        "storageClassName does not match"
    } else if attributes(volume) != attributes(claim) {
        "volumeAttributesClassName does not match"
    } else if rules::differs_in_mode(claim, volume) {
        "incompatible volumeMode"
    } else if !rules::allows_access(volume, claim) {
        "incompatible accessMode"
    } else {
        return Ok(());
    };
    Err(why.to_owned())
}

/// `syncBoundClaim`
fn sync_bound(cx: &mut Cx<'_>, claim: &Arc<Object>) -> Result<(), Status> {
    let name = claim.str_at("spec.volumeName").unwrap_or("");
    if name.is_empty() {
        let message = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!";
        return lose(cx, claim, "ClaimLost", message);
    }
    let Some(volume) = cx.get(PERSISTENT_VOLUME, &Key::cluster(name)) else {
        let message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
        return lose(cx, claim, "ClaimLost", message);
    };
    match volume.str_at("spec.claimRef.uid") {
        Some(uid) if claim.meta.uid != *uid => {
            let message = "Two claims are bound to the same volume, this one is bound incorrectly";
            lose(cx, claim, "ClaimMisbound", message)
        }
        _ => bind(cx, &volume, claim),
    }
}

fn lose(cx: &mut Cx<'_>, claim: &Arc<Object>, reason: &str, message: &str) -> Result<(), Status> {
    if claim.str_at("status.phase") == Some("Lost") {
        return Ok(());
    }
    let claim = set_status(cx, claim, "Lost", None)?;
    cx.event(&claim, "Warning", reason, message);
    Ok(())
}

/// Writes into both that they are bound, the volume first.
fn bind(cx: &mut Cx<'_>, volume: &Arc<Object>, claim: &Arc<Object>) -> Result<(), Status> {
    let volume = match rules::bound(volume, claim) {
        Some(update) => cx.update(update)?,
        None => volume.clone(),
    };
    let volume = volumes::set_phase(cx, &volume, "Bound", "")?;
    let mut update = Object::clone(claim);
    if claim.str_at("spec.volumeName") != Some(volume.name()) {
        update.set("spec.volumeName", &volume.meta.name);
        if update.meta.annotation(BOUND_BY_CONTROLLER).is_none() {
            update.meta.annotations.insert(BOUND_BY_CONTROLLER, "yes");
        }
    }
    if update.meta.annotation(BIND_COMPLETED).is_none() {
        update.meta.annotations.insert(BIND_COMPLETED, "yes");
    }
    let claim = if update == **claim { claim.clone() } else { cx.update(update)? };
    set_status(cx, &claim, "Bound", Some(&volume)).map(|_| ())
}

/// `updateClaimStatus`
fn set_status(
    cx: &mut Cx<'_>,
    claim: &Arc<Object>,
    phase: &str,
    volume: Option<&Object>,
) -> Result<Arc<Object>, Status> {
    let mut status = claim.map_at("status").cloned().unwrap_or_default();
    let is_news = claim.str_at("status.phase") != Some(phase);
    status.insert("phase", phase);
    match volume {
        None => {
            for key in ["accessModes", "capacity", "currentVolumeAttributesClassName"] {
                status.remove(key);
            }
        }
        Some(volume) => {
            status.insert("accessModes", volume.list_at("spec.accessModes").to_vec());
            if is_news {
                status.insert("capacity", volume.at("spec.capacity").cloned().unwrap_or_else(|| map!({}).into()));
                if let Some(class) = volume.at("spec.volumeAttributesClassName") {
                    status.insert("currentVolumeAttributesClassName", class);
                }
            }
        }
    }
    cx.update_status(claim, Value::Map(status))
}
