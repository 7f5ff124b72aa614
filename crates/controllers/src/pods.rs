//! What controllers ask of pods and do with them alike.

use std::sync::Arc;

use kinds::POD;
use meta::{Key, Metadata, Object, OwnerRef, Status};
use runtime::Cx;
use runtime::placement::NodeAffinity;
use value::{Map, Str, Value, time};

/// `status.phase`; empty before there is one.
pub(crate) fn phase(pod: &Object) -> &str {
    pod.str_at("status.phase").unwrap_or("")
}

/// Whether all containers have ended for good.
pub(crate) fn is_terminal(pod: &Object) -> bool {
    matches!(phase(pod), "Failed" | "Succeeded")
}

/// The condition of a type, if the pod has it.
pub(crate) fn condition<'a>(pod: &'a Object, kind: &str) -> Option<&'a Value> {
    pod.list_at("status.conditions").iter().find(|it| it.str_at("type") == Some(kind))
}

/// Whether the Ready condition is true.
pub(crate) fn is_ready(pod: &Object) -> bool {
    condition(pod, "Ready").and_then(|it| it.str_at("status")) == Some("True")
}

/// Whether the pod has been ready for `min_ready_seconds` at `now`, seconds since the Unix epoch (`IsPodAvailable`).
pub(crate) fn is_available(pod: &Object, min_ready_seconds: i64, now: i64) -> bool {
    if !is_ready(pod) {
        return false;
    }
    if min_ready_seconds == 0 {
        return true;
    }
    let since = condition(pod, "Ready").and_then(|it| it.str_at("lastTransitionTime")).and_then(time::parse_secs);
    since.is_some_and(|it| it + min_ready_seconds <= now)
}

/// The node that the pod runs on or, for a daemon pod that waits, the one its affinity names.
pub(crate) fn target_node(pod: &Object) -> Option<Str> {
    if let Some(node) = pod.at("spec.nodeName").and_then(Value::as_shared_str).filter(|it| !it.is_empty()) {
        return Some(node.clone());
    }
    NodeAffinity::from_spec(pod.at("spec")?).single_node().cloned()
}

/// The reference by which `owner` controls (`NewControllerRef`).
pub(crate) fn controller_ref(owner: &Object, api_version: &str, kind: &str) -> OwnerRef {
    OwnerRef {
        api_version: api_version.into(),
        kind: kind.into(),
        name: owner.meta.name.clone(),
        uid: owner.meta.uid.clone(),
        controller: Some(true),
        block_deletion: Some(true),
    }
}

/// A pod for `owner` with a generated name.
pub(crate) fn from_parts(
    owner: &Object,
    api_version: &str,
    kind: &str,
    labels: Map,
    annotations: Map,
    body: Map,
) -> Object {
    let meta = Metadata {
        generate_name: prefix(owner.name()).into(),
        namespace: owner.meta.namespace.clone(),
        labels,
        annotations,
        owners: Arc::from([controller_ref(owner, api_version, kind)]) as Arc<[OwnerRef]>,
        ..Metadata::default()
    };
    Object { kind: POD, meta, body }
}

/// The owner's name and a dash, unless that is no valid prefix of a pod's name.
fn prefix(name: &str) -> String {
    let prefix = format!("{name}-");
    if kinds::subdomain_name(&prefix, true).is_empty() { prefix } else { name.to_owned() }
}

/// Creates a pod and records that (`RealPodControl.CreatePods`).
///
/// # Errors
/// A failed request, recorded as `FailedCreate` unless the namespace is going away.
pub(crate) fn create(cx: &mut Cx<'_>, owner: &Arc<Object>, pod: Object) -> Result<Arc<Object>, Status> {
    match cx.create(pod) {
        Ok(pod) => {
            cx.event(owner, "Normal", "SuccessfulCreate", &format!("Created pod: {}", pod.name()));
            Ok(pod)
        }
        Err(status) => {
            if !status.message.contains("because it is being terminated") {
                cx.event(owner, "Warning", "FailedCreate", &format!("Error creating: {}", status.message));
            }
            Err(status)
        }
    }
}

/// Deletes a pod and records that (`RealPodControl.DeletePod`); one that is gone is no failure.
///
/// # Errors
/// A failed request, recorded as `FailedDelete`.
pub(crate) fn delete(cx: &mut Cx<'_>, owner: &Arc<Object>, key: &Key) -> Result<(), Status> {
    match cx.delete(POD, key) {
        Ok(()) => {
            cx.event(owner, "Normal", "SuccessfulDelete", &format!("Deleted pod: {}", key.name));
            Ok(())
        }
        Err(status) if status.is_not_found() => Ok(()),
        Err(status) => {
            cx.event(owner, "Warning", "FailedDelete", &format!("Error deleting: {}", status.message));
            Err(status)
        }
    }
}
