//! Nothing is created in a namespace that is not there or is going away (`plugin/namespace/lifecycle`).

use kinds::{Kind, NAMESPACE};
use meta::{Key, Object, Status};

use crate::server::ApiServer;

/// # Errors
/// 404 for an absent namespace, `Forbidden` for one that is being deleted.
pub(crate) fn check(api: &ApiServer, kind: &Kind, object: &Object) -> Result<(), Status> {
    if !kind.is_namespaced() {
        return Ok(());
    }
    let name = &object.meta.namespace;
    let namespace =
        api.store.get(NAMESPACE, &Key::cluster(name)).ok_or_else(|| Status::not_found("", "namespaces", name))?;
    if !namespace.meta.is_deleted() {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {name} because it is being terminated");
    let shown = if object.meta.name.is_empty() { &object.meta.generate_name } else { &object.meta.name };
    let mut status = Status::forbidden(&kind.group, &kind.plural, shown, &why);
    status.details.get_or_insert_default().causes.push(meta::Cause {
        reason: "NamespaceTerminating".into(),
        message: format!("namespace {name} is being terminated"),
        field: "metadata.namespace".to_owned(),
    });
    Err(status)
}
