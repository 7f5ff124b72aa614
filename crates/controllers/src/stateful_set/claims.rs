//! The claims of a pod: made before it, and kept or deleted with it or its set.

use kinds::PERSISTENT_VOLUME_CLAIM;
use meta::{Metadata, Object, OwnerRef, Status};
use runtime::Cx;
use value::{Str, Value, map};

use super::{Sync, claim_of, identity};
use crate::pods;

/// `data-web-3`
pub(super) fn name(set: &Object, template: &Value, ordinal: i64) -> String {
    format!("{}-{}-{ordinal}", template.str_at("metadata.name").unwrap_or(""), set.name())
}

/// What becomes of claims: whether they go with the set, and with a pod that is scaled away.
fn policy(set: &Object) -> (bool, bool) {
    let deletes = |key: &'static str| set.str_at(key) == Some("Delete");
    (
        deletes("spec.persistentVolumeClaimRetentionPolicy.whenDeleted"),
        deletes("spec.persistentVolumeClaimRetentionPolicy.whenScaled"),
    )
}

fn names(reference: &OwnerRef, object: &Object, api_version: &str, kind: &str) -> bool {
    reference.api_version == api_version && reference.kind == kind && reference.name == object.name()
}

fn names_set(reference: &OwnerRef, set: &Object) -> bool {
    names(reference, set, "apps/v1", "StatefulSet")
}

fn names_pod(reference: &OwnerRef, pod: &Object) -> bool {
    names(reference, pod, "v1", "Pod")
}

/// Whether a reference is to an earlier object of the same name.
fn is_stale(claim: &Object, names: impl Fn(&OwnerRef) -> bool, uid: &str) -> bool {
    claim.meta.owners.iter().find(|it| names(it)).is_some_and(|it| it.uid != uid)
}

/// Whether somebody else controls the claim (`hasUnexpectedController`).
fn has_other_controller(claim: &Object, set: &Object, pod: &Object) -> bool {
    if policy(set) == (false, false) {
        return false;
    }
    claim.meta.owners.iter().any(|it| {
        if names_set(it, set) {
            it.uid != set.meta.uid
        } else if names_pod(it, pod) {
            it.uid != pod.meta.uid
        } else {
            it.is_controller()
        }
    })
}

/// Whether set and pod should own the claim.
fn wanted_owners(set: &Object, pod: &Object) -> (bool, bool) {
    let is_scaled_away = !identity::ordinal(pod).is_some_and(|it| identity::ordinals(set).contains(&it));
    let (with_set, with_pod) = policy(set);
    (with_set && !(with_pod && is_scaled_away), with_pod && is_scaled_away)
}

/// `isClaimOwnerUpToDate`
fn owners_fit(claim: &Object, set: &Object, pod: &Object) -> bool {
    let stale_set = is_stale(claim, |it| names_set(it, set), &set.meta.uid);
    if stale_set || is_stale(claim, |it| names_pod(it, pod), &pod.meta.uid) {
        return true;
    }
    let owns = |uid: &Str| claim.meta.owners.iter().any(|it| it.uid == *uid);
    let (by_set, by_pod) = (owns(&set.meta.uid), owns(&pod.meta.uid));
    if has_other_controller(claim, set, pod) {
        return !by_set && !by_pod;
    }
    let is_ours = |it: &&OwnerRef| it.uid == set.meta.uid || it.uid == pod.meta.uid;
    claim.meta.owners.iter().filter(is_ours).all(OwnerRef::is_controller) && (by_set, by_pod) == wanted_owners(set, pod)
}

/// `updateClaimOwnerRefForSetAndPod`
fn with_owners(claim: &Object, set: &Object, pod: &Object) -> Object {
    let mut owners: Vec<OwnerRef> =
        claim.meta.owners.iter().filter(|it| !names_set(it, set) && !names_pod(it, pod)).cloned().collect();
    if !has_other_controller(claim, set, pod) {
        let (by_set, by_pod) = wanted_owners(set, pod);
        if by_set {
            owners.push(pods::controller_ref(set, "apps/v1", "StatefulSet"));
        }
        if by_pod {
            owners.push(pods::controller_ref(pod, "v1", "Pod"));
        }
    }
    let mut res = claim.clone();
    res.meta.owners = owners.into();
    res
}

impl Sync {
    fn templates(&self) -> &[Value] {
        self.set.list_at("spec.volumeClaimTemplates")
    }

    /// Whether every claim of a pod has the owners that the policy asks for.
    pub(super) fn claims_fit(&self, cx: &Cx<'_>, pod: &Object) -> bool {
        let ordinal = identity::ordinal(pod).unwrap_or(0);
        self.templates().iter().all(|template| {
            claim_of(cx, &self.set, &name(&self.set, template, ordinal))
                .is_none_or(|it| owners_fit(&it, &self.set, pod))
        })
    }

    /// Gives the claims of a pod their owners.
    pub(super) fn fit_claims(&self, cx: &mut Cx<'_>, pod: &Object) -> Result<(), Status> {
        let ordinal = identity::ordinal(pod).unwrap_or(0);
        for template in self.templates() {
            let name = name(&self.set, template, ordinal);
            let Some(claim) = claim_of(cx, &self.set, &name) else { continue };
            if has_other_controller(&claim, &self.set, pod) {
                let message = format!(
                    "PersistentVolumeClaim {name} has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim"
                );
                cx.event(&self.set, "Warning", "ConflictingController", &message);
            }
            if !owners_fit(&claim, &self.set, pod) {
                cx.update(with_owners(&claim, &self.set, pod))?;
            }
        }
        Ok(())
    }

    /// Whether a claim still belongs to an earlier pod of the name and so is about to go.
    pub(super) fn has_stale_claim(&self, cx: &Cx<'_>, pod: &Object) -> bool {
        let (_, with_pod) = policy(&self.set);
        let ordinal = identity::ordinal(pod).unwrap_or(0);
        with_pod
            && self.templates().iter().any(|template| {
                claim_of(cx, &self.set, &name(&self.set, template, ordinal))
                    .is_some_and(|it| is_stale(&it, |it| names_pod(it, pod), &pod.meta.uid))
            })
    }

    /// Makes the claims that a pod lacks (`createPersistentVolumeClaims`).
    pub(super) fn create_claims(&self, cx: &mut Cx<'_>, pod: &Object) -> Result<(), Status> {
        let set = &self.set;
        let mut res = Ok(());
        for template in self.templates() {
            let name = name(set, template, identity::ordinal(pod).unwrap_or(0));
            if let Some(claim) = claim_of(cx, set, &name) {
                if claim.meta.is_deleted() {
                    res = Err(Status::internal(&format!("pvc {name} is being deleted")));
                }
                continue;
            }
            let what = format!("Create Claim {name} for Pod {} in StatefulSet {}", pod.name(), set.name());
            match cx.create(new_claim(set, template, &name)) {
                Ok(_) => {
                    // Upstream's two messages differ by a word.
                    let message =
                        format!("Create Claim {name} Pod {} in StatefulSet {} success", pod.name(), set.name());
                    cx.event(set, "Normal", "SuccessfulCreate", &message);
                }
                Err(status) => {
                    let message = format!("{what} failed error: {}", status.message);
                    cx.event(set, "Warning", "FailedCreate", &message);
                    let message = format!("failed to create PVC {name}: {}", status.message);
                    res = Err(Status { message, ..status });
                }
            }
        }
        res
    }
}

fn new_claim(set: &Object, template: &Value, name: &str) -> Object {
    let mut labels = template.map_at("metadata.labels").cloned().unwrap_or_default();
    for (key, value) in set.map_at("spec.selector.matchLabels").into_iter().flat_map(value::Map::iter) {
        labels.insert(key, value);
    }
    let meta = Metadata {
        labels,
        annotations: template.map_at("metadata.annotations").cloned().unwrap_or_default(),
        ..Metadata::new(&set.meta.namespace, name)
    };
    let body = map!({ "spec": template.get("spec").cloned().unwrap_or_default() });
    Object { kind: PERSISTENT_VOLUME_CLAIM, meta, body }
}
