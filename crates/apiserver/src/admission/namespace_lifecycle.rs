//! Nothing is created in a namespace that is not there or is going away, and some namespaces stay
//! (`plugin/namespace/lifecycle`).

use kinds::NAMESPACE;
use meta::{Key, Object, Status};

use super::{Operation, Request};
use crate::server::ApiServer;

/// Namespaces that cannot be deleted.
const IMMORTAL: [&str; 3] = ["default", "kube-public", "kube-system"];

/// # Errors
/// 404 for an absent namespace, `Forbidden` for one that is being deleted.
pub(super) fn admit(api: &mut ApiServer, request: &Request<'_>, object: &mut Object) -> Result<(), Status> {
    let kind = &request.write.kind;
    if request.operation != Operation::Create || !kind.is_namespaced() {
        return Ok(());
    }
    let name = &object.meta.namespace;
    let namespace =
        api.store.get(NAMESPACE, &Key::cluster(name)).ok_or_else(|| Status::not_found("", "namespaces", name))?;
    if !namespace.meta.is_deleted() {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {name} because it is being terminated");
    let mut status = request.write.forbidden(super::shown(object), &why);
    status.details.get_or_insert_default().causes.push(meta::Cause {
        reason: "NamespaceTerminating".into(),
        message: format!("namespace {name} is being terminated"),
        field: "metadata.namespace".to_owned(),
    });
    Err(status)
}

/// # Errors
/// `Forbidden` for a namespace that must stay.
pub(super) fn validate(
    _: &ApiServer,
    request: &Request<'_>,
    _: Option<&Object>,
    _: &mut Vec<String>,
) -> Result<(), Status> {
    let Some(live) = request.live.filter(|_| request.operation == Operation::Delete && request.is_of(NAMESPACE)) else {
        return Ok(());
    };
    if IMMORTAL.contains(&live.name()) {
        return Err(request.write.forbidden(live.name(), "this namespace may not be deleted"));
    }
    Ok(())
}
