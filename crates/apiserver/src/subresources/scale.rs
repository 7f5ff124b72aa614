//! `scale`: the replicas of an object, written through a Scale and owned by whoever wrote them (`ScaleREST`).

use std::sync::Arc;

use merge::managed::Update;
use meta::{ManagedEntry, Object, Status};
use value::{Map, Value};

use crate::server::ApiServer;
use crate::write::{self, Write};

/// The version of Scales.
pub(crate) const VERSION: &str = "autoscaling/v1";
/// Where the replicas are in every kind that has them.
const PATH: &[&str] = &["spec", "replicas"];

/// The scale of an object as an object of its own, with who owns its fields.
pub(crate) fn object(live: &Object, api_version: &str) -> Object {
    let whole = kinds::scale::of(live);
    let mut scale = Object::from_map(live.kind, whole.as_map().unwrap_or(&Map::new()));
    scale.meta.managed = merge::scale::entries_of(&live.meta.managed, api_version, PATH).into();
    scale
}

/// Stores what a client made of the scale otherwise than by applying.
///
/// # Errors
/// The API's answer.
pub(crate) fn change(
    api: &mut ApiServer,
    write: &mut Write,
    live: &Arc<Object>,
    scale: &Value,
) -> Result<Arc<Object>, Status> {
    let before = object(live, &write.api_version);
    let mut after = Object::from_map(live.kind, scale.as_map().unwrap_or(&Map::new()));
    after.meta.managed = before.meta.managed.clone();
    let schema = api.schema.clone();
    let ty = schema.definition(kinds::scale::DEFINITION);
    let (manager, now_secs) = (write.manager.clone(), write.now.secs());
    let update = Update { ty, manager, api_version: VERSION.into(), sub: "scale", now_secs };
    let managed = update.now(&schema, Some(&before), &after, &api.memo);
    store(api, write, live, scale, &managed)
}

/// Stores the replicas of a scale, and the entries of its fields as those of the object's.
///
/// # Errors
/// The API's answer.
pub(crate) fn store(
    api: &mut ApiServer,
    write: &mut Write,
    live: &Arc<Object>,
    scale: &Value,
    managed: &[ManagedEntry],
) -> Result<Arc<Object>, Status> {
    let mut object = kinds::scale::applied(write.kind, live, scale)?;
    object.meta.managed = merge::scale::entries_after(&live.meta.managed, managed, &write.api_version, PATH).into();
    write::update(api, write, live, object)
}
