//! Which volume is for which claim: what the binder and the scheduler ask alike (`k8s.io/component-helpers/storage/volume`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kinds::STORAGE_CLASS;
use kinds::storage_class::class_of;
use meta::selector::LabelSelector;
use meta::{Key, Object};
use value::quantity::Quantity;
use value::{Str, Value, value};

use crate::View;
use crate::placement::Term;

/// On a claim: its binding is complete.
pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// On a claim or volume: a controller has bound it, not a user.
pub const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
/// On a claim: the node for which its volume is to be made.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// The provisioner that makes no volumes.
pub const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// Whether the claim is bound only once a pod needs it (`IsDelayBindingMode`).
pub fn is_delayed(view: &View<'_>, claim: &Object) -> bool {
    let class = view.get(STORAGE_CLASS, &Key::cluster(class_of(claim)));
    class.and_then(|it| it.str_at("volumeBindingMode")) == Some("WaitForFirstConsumer")
}

/// Whether volume and claim have found each other and both say so.
pub fn is_fully_bound(claim: &Object) -> bool {
    claim.str_at("spec.volumeName").is_some_and(|it| !it.is_empty()) && claim.meta.annotation(BIND_COMPLETED).is_some()
}

/// Whether the volume is reserved for, or bound to, the claim (`IsVolumeBoundToClaim`).
pub fn is_bound_to(volume: &Object, claim: &Object) -> bool {
    let uid = volume.str_at("spec.claimRef.uid").unwrap_or("");
    volume.str_at("spec.claimRef.name") == Some(claim.name())
        && volume.str_at("spec.claimRef.namespace") == Some(claim.namespace())
        && (uid.is_empty() || claim.meta.uid == *uid)
}

/// The volume with a reference to the claim; `None` when it has it (`GetBindVolumeToClaim`).
pub fn bound(volume: &Object, claim: &Object) -> Option<Object> {
    let mut res = volume.clone();
    let mut is_changed = false;
    if !is_bound_to(volume, claim) || volume.str_at("spec.claimRef.uid") != Some(&claim.meta.uid) {
        res.set("spec.claimRef", reference(claim));
        is_changed = true;
    }
    if !is_bound_to(volume, claim) && volume.meta.annotation(BOUND_BY_CONTROLLER).is_none() {
        res.meta.annotations.insert(BOUND_BY_CONTROLLER, "yes");
        is_changed = true;
    }
    is_changed.then_some(res)
}

/// A reference to the claim as a volume holds it.
pub fn reference(claim: &Object) -> Value {
    value!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": &claim.meta.name,
        "namespace": &claim.meta.namespace, "resourceVersion": claim.meta.revision.text(),
        "uid": &claim.meta.uid,
    })
}

/// Whether the volume can be reached from the node.
pub fn fits_node(volume: &Object, node: &Object) -> bool {
    let Some(required) = volume.at("spec.nodeAffinity.required") else { return true };
    required.list_at("nodeSelectorTerms").iter().any(|it| Term::from_value(it).matches(node))
}

/// How much a volume holds or a claim asks for.
pub fn size(object: &Object) -> Quantity {
    let text = object.str_at("spec.capacity.storage").or_else(|| object.str_at("spec.resources.requests.storage"));
    text.and_then(|it| Quantity::parse(it).ok()).unwrap_or(Quantity::from_int(0))
}

/// Whether one is a file system and the other a device.
pub fn differs_in_mode(claim: &Object, volume: &Object) -> bool {
    let mode = |it: &Object| it.str_at("spec.volumeMode").unwrap_or("Filesystem").to_owned();
    mode(claim) != mode(volume)
}

fn access_modes(object: &Object) -> BTreeSet<&str> {
    object.list_at("spec.accessModes").iter().filter_map(Value::as_str).collect()
}

/// Whether the volume allows every access that the claim asks for.
pub fn allows_access(volume: &Object, claim: &Object) -> bool {
    access_modes(claim).is_subset(&access_modes(volume))
}

/// Who looks for a volume.
#[derive(Clone, Copy)]
pub enum Seeker<'a> {
    /// The binder; claims of `delayed` classes get only what is reserved for them.
    Binder { delayed: bool },
    /// The scheduler, for one node, without volumes that it has chosen for other claims.
    Scheduler { node: &'a Object, chosen: &'a BTreeSet<Str> },
}

/// The smallest volume that suits the claim, or the one that is reserved for it (`FindMatchingVolume`).
pub fn find<'a>(
    claim: &Object,
    volumes: impl Iterator<Item = &'a Arc<Object>>,
    seeker: Seeker<'_>,
) -> Option<&'a Arc<Object>> {
    // Volumes that allow no more than what is asked for are looked at first.
    let mut by_modes: BTreeMap<(usize, Vec<&str>), Vec<&Arc<Object>>> = BTreeMap::new();
    for volume in volumes {
        let modes: Vec<&str> = access_modes(volume).into_iter().collect();
        if allows_access(volume, claim) {
            by_modes.entry((modes.len(), modes)).or_default().push(volume);
        }
    }
    by_modes.into_values().find_map(|it| find_among(claim, it, seeker))
}

fn find_among<'a>(claim: &Object, volumes: Vec<&'a Arc<Object>>, seeker: Seeker<'_>) -> Option<&'a Arc<Object>> {
    let wanted = size(claim);
    let selector = claim.at("spec.selector").map(|it| LabelSelector::from_value(Some(it)));
    let attributes = |it: &Object| it.str_at("spec.volumeAttributesClassName").unwrap_or("").to_owned();
    let mut best: Option<(Quantity, &Arc<Object>)> = None;
    for volume in volumes {
        let is_chosen = matches!(seeker, Seeker::Scheduler { chosen, .. } if chosen.contains(&volume.meta.name));
        let has_claim = volume.map_at("spec.claimRef").is_some();
        let is_reserved = is_bound_to(volume, claim);
        let holds = size(volume);
        if is_chosen
            || (has_claim && !is_reserved)
            || holds < wanted
            || differs_in_mode(claim, volume)
            || attributes(claim) != attributes(volume)
            || volume.meta.is_deleted()
        {
            continue;
        }
        let fits = !matches!(seeker, Seeker::Scheduler { node, .. } if !fits_node(volume, node));
        if is_reserved {
            return fits.then_some(volume);
        }
        if matches!(seeker, Seeker::Binder { delayed: true })
            || volume.str_at("status.phase") != Some("Available")
            || selector.as_ref().is_some_and(|it| !it.matches(&volume.meta.labels))
            || class_of(volume) != class_of(claim)
            || !fits
        {
            continue;
        }
        if best.is_none_or(|(size, _)| holds < size) {
            best = Some((holds, volume));
        }
    }
    best.map(|(_, it)| it)
}

/// The name of the claim behind a volume of a pod: one that it names, or one that is made for it.
pub fn claim_name(pod: &Object, volume: &Value) -> Option<Str> {
    if let Some(name) = volume.at("persistentVolumeClaim.claimName").and_then(Value::as_shared_str) {
        return Some(name.clone());
    }
    volume.get("ephemeral")?;
    Some(format!("{}-{}", pod.name(), volume.str_at("name").unwrap_or("")).into())
}

/// Why a claim that bears the name of a pod's own is not it (`VolumeIsForPod`).
pub fn is_of_other_pod(pod: &Object, claim: &Object) -> Option<String> {
    if claim.meta.controller().is_some_and(|it| it.uid == pod.meta.uid) {
        return None;
    }
    Some(format!(
        "PVC {}/{} was not created for pod {}/{} (pod is not owner)",
        claim.namespace(),
        claim.name(),
        pod.namespace(),
        pod.name(),
    ))
}
