//! Admission: what a write needs of other objects, in upstream's order. One file per plugin.

mod default_tolerations;
mod namespace_lifecycle;
mod priority;
mod service_account;
mod taint_nodes;

use kinds::Kind;
use meta::{Object, Status};

use crate::server::ApiServer;

pub(crate) use self::namespace_lifecycle::check as namespace;

/// One mutating plugin: looks at a new object and completes it.
type Mutate = fn(&mut ApiServer, &Kind, &mut Object) -> Result<(), Status>;

/// In the order of upstream's `AllOrderedPlugins`.
const MUTATING: &[Mutate] = &[service_account::admit, taint_nodes::admit, priority::admit, default_tolerations::admit];

/// Completes a new object.
///
/// # Errors
/// `Forbidden` mostly, in the plugin's words.
pub(crate) fn mutate(api: &mut ApiServer, kind: &Kind, object: &mut Object) -> Result<(), Status> {
    MUTATING.iter().try_for_each(|admit| admit(api, kind, object))
}

/// Completes an update.
///
/// # Errors
/// `Forbidden` mostly, in the plugin's words.
pub(crate) fn mutate_update(_: &mut ApiServer, kind: &Kind, object: &mut Object, live: &Object) -> Result<(), Status> {
    priority::keep(kind, object, live);
    Ok(())
}

/// Refuses what other objects forbid.
///
/// # Errors
/// `Forbidden` mostly, in the plugin's words.
pub(crate) fn validate(api: &ApiServer, kind: &Kind, object: &Object, live: Option<&Object>) -> Result<(), Status> {
    priority::validate(api, kind, object, live)
}
