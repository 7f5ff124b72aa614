//! Claims and Ingresses without a class get the default one
//! (`plugin/pkg/admission/storage/storageclass/setdefault`, `plugin/pkg/admission/network/defaultingressclass`).

use kinds::storage_class::{DEFAULT_NOTES, default_of, has_class};
use kinds::{INGRESS, INGRESS_CLASS, PERSISTENT_VOLUME_CLAIM, STORAGE_CLASS};
use meta::{Object, Status};

use super::Request;
use crate::server::ApiServer;

/// # Errors
/// None.
pub(super) fn storage(api: &mut ApiServer, request: &Request<'_>, object: &mut Object) -> Result<(), Status> {
    if request.creates(PERSISTENT_VOLUME_CLAIM)
        && !has_class(object)
        && let Some(class) = default_of(api.store.list(STORAGE_CLASS, None), &DEFAULT_NOTES)
    {
        object.set("spec.storageClassName", class);
    }
    Ok(())
}

/// # Errors
/// None.
pub(super) fn ingress(api: &mut ApiServer, request: &Request<'_>, object: &mut Object) -> Result<(), Status> {
    let named = |object: &Object| {
        object.at("spec.ingressClassName").is_some_and(|it| !it.is_null())
            || object.meta.annotations.contains_key("kubernetes.io/ingress.class")
    };
    if request.creates(INGRESS)
        && !named(object)
        && let Some(class) =
            default_of(api.store.list(INGRESS_CLASS, None), &["ingressclass.kubernetes.io/is-default-class"])
    {
        object.set("spec.ingressClassName", class);
    }
    Ok(())
}
