//! What is in use stays, and only what can grow grows
//! (`plugin/pkg/admission/storage/{storageobjectinuseprotection,persistentvolume/resize}`).

use std::sync::Arc;

use kinds::storage_class::class_of;
use kinds::{PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, STORAGE_CLASS, VOLUME_ATTRIBUTES_CLASS};
use meta::{Key, Object, Status};
use value::quantity::Quantity;

use super::{Operation, Request};
use crate::server::ApiServer;

/// Finalizers that controllers take off once nothing uses the object.
const PROTECTED: [(meta::KindId, &str); 3] = [
    (PERSISTENT_VOLUME, "kubernetes.io/pv-protection"),
    (PERSISTENT_VOLUME_CLAIM, "kubernetes.io/pvc-protection"),
    (VOLUME_ATTRIBUTES_CLASS, "kubernetes.io/vac-protection"),
];

/// # Errors
/// None.
pub(super) fn admit(_: &mut ApiServer, request: &Request<'_>, object: &mut Object) -> Result<(), Status> {
    let Some((_, finalizer)) = PROTECTED.iter().find(|(kind, _)| request.creates(*kind)) else { return Ok(()) };
    if !object.meta.has_finalizer(finalizer) {
        let all: Arc<[_]> = object.meta.finalizers.iter().cloned().chain([(*finalizer).into()]).collect();
        object.meta.finalizers = all;
    }
    Ok(())
}

/// # Errors
/// `Forbidden` for a claim that wants to grow and can not.
pub(super) fn validate(
    api: &ApiServer,
    request: &Request<'_>,
    object: Option<&Object>,
    _: &mut Vec<String>,
) -> Result<(), Status> {
    let is_update = request.is_of(PERSISTENT_VOLUME_CLAIM) && request.operation == Operation::Update;
    let (Some(new), Some(old)) = (object.filter(|_| is_update), request.live) else { return Ok(()) };
    let size = |it: &Object| {
        let text = it.str_at("spec.resources.requests.storage").unwrap_or("0");
        Quantity::parse(text).unwrap_or(Quantity::from_int(0))
    };
    if size(new) <= size(old) {
        return Ok(());
    }
    if old.str_at("status.phase") != Some("Bound") {
        return Err(request.write.forbidden(new.name(), "Only bound persistent volume claims can be expanded"));
    }
    let name = class_of(new);
    let found = api.store.get(STORAGE_CLASS, &Key::cluster(name)).filter(|_| name == class_of(old));
    if found.and_then(|it| it.bool_at("allowVolumeExpansion")) == Some(true) {
        return Ok(());
    }
    let why = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";
    Err(request.write.forbidden(new.name(), why))
}
