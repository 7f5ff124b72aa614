//! Subresources that are more than a part of their object: binding, eviction.

use std::sync::Arc;

use kinds::POD;
use meta::{Key, Object, Status};
use value::{Str, Value, value};

use crate::server::ApiServer;
use crate::write;
use crate::write::{Target, WriteOptions};

/// Sets a pod's node once and for all (`BindingREST`, `assignPod`).
///
/// # Errors
/// `Conflict` for a pod that has a node already, is another or is being deleted.
pub(crate) fn bind(
    api: &mut ApiServer,
    options: &WriteOptions,
    pod: &Key,
    uid: &str,
    node: &Str,
) -> Result<Arc<Object>, Status> {
    let live = api.store.get(POD, pod).cloned().ok_or_else(|| Status::not_found("", "pods", &pod.name))?;
    let conflict = |why: String| Err(Status::conflict("", "pods/binding", &pod.name, &why));
    if !uid.is_empty() && live.meta.uid != uid {
        return conflict(format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            live.meta.uid
        ));
    }
    if live.meta.is_deleted() {
        return conflict(format!("pod {} is being deleted, cannot be assigned to a host", pod.name));
    }
    if let Some(have) = live.str_at("spec.nodeName").filter(|it| !it.is_empty()) {
        return conflict(format!("pod {} is already assigned to node \"{have}\"", pod.name));
    }
    let mut object = Object::clone(&live);
    object.set("spec.nodeName", node);
    let since = value::time::format_secs(options.now.secs());
    let scheduled = value!({
        "lastProbeTime": null, "lastTransitionTime": since, "observedGeneration": live.meta.generation, "status": "True", "type": "PodScheduled",
    });
    let mut conditions: Vec<Value> = live
        .list_at("status.conditions")
        .iter()
        .filter(|it| it.str_at("type") != Some("PodScheduled"))
        .cloned()
        .collect();
    conditions.push(scheduled);
    object.set("status.conditions", conditions);
    write::update(api, options, Target::Other("binding"), object)
}
