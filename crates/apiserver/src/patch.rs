//! Patches: the live object, the patch on it, and then the write path.

use std::sync::Arc;

use meta::{Key, KindId, Object, Revision, Status};
use value::{Map, Value};

use crate::server::ApiServer;
use crate::write::{self, Target, WriteOptions};

/// Applies a strategic merge patch.
///
/// # Errors
/// The API's answer.
pub(crate) fn strategic(
    api: &mut ApiServer,
    options: &WriteOptions,
    target: Target,
    kind: KindId,
    key: &Key,
    patch: &Value,
) -> Result<Arc<Object>, Status> {
    let schema = api.schema.clone();
    with(api, options, target, kind, key, &mut |kind, live| {
        let definition = schema.definition(&kind.definition);
        merge::strategic(&schema, definition, live, patch)
    })
}

/// Applies a JSON merge patch.
///
/// # Errors
/// The API's answer.
pub(crate) fn merge(
    api: &mut ApiServer,
    options: &WriteOptions,
    target: Target,
    kind: KindId,
    key: &Key,
    patch: &Value,
) -> Result<Arc<Object>, Status> {
    with(api, options, target, kind, key, &mut |_, live| Ok(merge::merge_patch(live, patch)))
}

/// Applies whatever `change` makes of the whole tree of the live object.
///
/// # Errors
/// The API's answer.
pub(crate) fn with(
    api: &mut ApiServer,
    options: &WriteOptions,
    target: Target,
    kind: KindId,
    key: &Key,
    change: &mut dyn FnMut(&kinds::Kind, &Value) -> Result<Value, Status>,
) -> Result<Arc<Object>, Status> {
    let kind = api.kind(kind)?;
    let live =
        api.store.get(kind.id, key).cloned().ok_or_else(|| Status::not_found(&kind.group, &kind.plural, &key.name))?;
    let whole = live.to_value(&kind.api_version(), &kind.kind);
    let patched = change(&kind, &whole)?;
    let patched = api.decoded(&kind.definition, patched)?;
    let empty = Map::new();
    let mut object = Object::from_map(kind.id, patched.as_map().unwrap_or(&empty));
    // A patch that does not name a revision applies to whatever is live.
    if object.meta.revision == Revision::default() {
        object.meta.revision = live.meta.revision;
    }
    if object.meta.name != live.meta.name {
        return Err(Status::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({})",
            object.meta.name, live.meta.name
        )));
    }
    write::update(api, options, target, object)
}
