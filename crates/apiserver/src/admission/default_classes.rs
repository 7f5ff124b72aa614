//! Claims and Ingresses without a class get the default one
//! (`plugin/pkg/admission/storage/storageclass/setdefault`, `plugin/pkg/admission/network/defaultingressclass`).

use std::cmp::Reverse;

use kinds::{INGRESS, INGRESS_CLASS, PERSISTENT_VOLUME_CLAIM, STORAGE_CLASS};
use meta::{KindId, Object, Status};
use value::{Str, Value};

use super::Request;
use crate::server::ApiServer;

/// The class that is marked with one of `notes`; the newest, if several are.
fn default_of(api: &ApiServer, kind: KindId, notes: &[&str]) -> Option<Str> {
    let marked = api
        .store
        .list(kind, None)
        .filter(|it| notes.iter().any(|key| it.meta.annotations.get(key).and_then(Value::as_str) == Some("true")));
    marked.min_by_key(|it| (Reverse(it.meta.created), it.meta.name.clone())).map(|it| it.meta.name.clone())
}

/// # Errors
/// None.
pub(super) fn storage(api: &mut ApiServer, request: &Request<'_>, object: &mut Object) -> Result<(), Status> {
    const NOTES: [&str; 2] =
        ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
    let named = |object: &Object| {
        object.at("spec.storageClassName").is_some_and(|it| !it.is_null())
            || object.meta.annotations.contains_key("volume.beta.kubernetes.io/storage-class")
    };
    if request.creates(PERSISTENT_VOLUME_CLAIM)
        && !named(object)
        && let Some(class) = default_of(api, STORAGE_CLASS, &NOTES)
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
        && let Some(class) = default_of(api, INGRESS_CLASS, &["ingressclass.kubernetes.io/is-default-class"])
    {
        object.set("spec.ingressClassName", class);
    }
    Ok(())
}
