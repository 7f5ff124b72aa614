//! The `scale` of kinds with replicas, as an `autoscaling/v1` Scale. Follows `pkg/registry/apps/*/storage`.

use meta::{Errors, Metadata, Object, Revision, Status};
use value::{Map, Value, map};

use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, int, non_negative, pairs};
use crate::workload::{spec, status};
use crate::{Kind, Scope, columns, object_meta};

/// The schema of a Scale.
pub const DEFINITION: &str = "io.k8s.api.autoscaling.v1.Scale";

/// The scale of an object.
pub fn of(it: &Object) -> Value {
    let mut meta = Metadata::new(&it.meta.namespace, &it.meta.name);
    meta.uid = it.meta.uid.clone();
    meta.created = it.meta.created;
    meta.revision = it.meta.revision;
    let mut state = map!({ "replicas": int(status(it), "replicas") });
    let selector = selector(it);
    if !selector.is_empty() {
        state.insert("selector", selector);
    }
    let mut wanted = Map::new();
    if int(spec(it), "replicas") != 0 {
        wanted.insert("replicas", int(spec(it), "replicas"));
    }
    Value::Map(map!({
        "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": meta.to_map(), "spec": wanted, "status": state,
    }))
}

/// Such as `app=x,tier in (a,b)`; ReplicationControllers have plain labels there.
fn selector(it: &Object) -> String {
    if it.kind != crate::REPLICATION_CONTROLLER {
        return columns::selector(child(spec(it), "selector"));
    }
    let labels = child_or_empty(spec(it), "selector");
    pairs(labels).map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// `live` with the replicas of a Scale that a client sent. The result has that Scale's `resourceVersion`.
///
/// # Errors
/// Replicas below zero, or the uid of another object.
pub fn applied(kind: &Kind, live: &Object, scale: &Value) -> Result<Object, Status> {
    let scale = Object::from_map(live.kind, scale.as_map().unwrap_or(&Map::new()));
    let mut errors = Errors::new();
    object_meta::validate(
        &scale.meta,
        None,
        &Kind::new(Scope::Namespaced, "autoscaling", "v1", "Scale", ""),
        &mut errors,
    );
    let replicas = int(spec(&scale), "replicas");
    non_negative(replicas, &Path::root("spec.replicas"), &mut errors);
    if !errors.is_empty() {
        return Err(Status::invalid("autoscaling", "Scale", live.name(), &errors));
    }
    let uid = &scale.meta.uid;
    if !uid.is_empty() && *uid != live.meta.uid {
        let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", live.meta.uid);
        return Err(Status::conflict(kind.group, &format!("{}/scale", kind.plural), live.name(), &why));
    }
    let mut res = live.clone();
    if int(spec(live), "replicas") != replicas {
        res.set("spec.replicas", replicas);
    }
    res.meta.revision = scale.meta.revision;
    if res.meta.revision == Revision::default() {
        res.meta.revision = live.meta.revision;
    }
    Ok(res)
}
