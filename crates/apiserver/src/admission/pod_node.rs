//! Whether the node of a pod can do what a change of the pod asks for
//! (`plugin/pkg/admission/nodedeclaredfeatures`, `plugin/pkg/admission/podresize`).

use std::sync::Arc;

use kinds::{NODE, POD, declared_features, quota};
use meta::{Cause, Key, Object, Status, quoted};
use value::quantity::Quantity;

use super::{Operation, Request, shown};
use crate::server::ApiServer;

/// # Errors
/// `Forbidden` where the node is gone, cannot do it or does not have as much.
pub(super) fn validate(
    api: &ApiServer,
    request: &Request<'_>,
    object: Option<&Object>,
    _: &mut Vec<String>,
) -> Result<(), Status> {
    let resizes = request.write.sub == "resize";
    let (Some(pod), Some(live)) = (object, request.live) else { return Ok(()) };
    let is_it = request.operation == Operation::Update && request.write.kind.id == POD;
    if !is_it || !(resizes || request.write.sub.is_empty()) || pod.meta.generation == live.meta.generation {
        return Ok(());
    }
    let Some(name) = pod.str_at("spec.nodeName").filter(|it| !it.is_empty()) else { return Ok(()) };
    let forbidden = |why: &str| request.write.forbidden(shown(pod), why);
    let node = |name: &str| -> Result<Arc<Object>, Status> {
        let found = api.store.get(NODE, &Key::cluster(name)).cloned();
        found.ok_or_else(|| forbidden(&format!("node {} not found", quoted(name))))
    };
    let needed = declared_features::to_change(pod, live);
    if !needed.is_empty() {
        let missing = declared_features::missing(&*node(name)?, &needed);
        if !missing.is_empty() {
            return Err(forbidden(&format!(
                "pod update requires features {} which are not available on node {}",
                missing.join(", "),
                quoted(name)
            )));
        }
    }
    if !resizes {
        return Ok(());
    }
    let because = |why: &str, reason: &'static str| {
        let mut status = forbidden(why);
        let cause = Cause { reason: reason.into(), ..Cause::default() };
        status.details.get_or_insert_default().causes.push(cause);
        status
    };
    let node = node(name)?;
    if let Some(os) = node.meta.labels.get("kubernetes.io/os").and_then(|it| it.as_str()).filter(|it| *it != "linux") {
        let why = format!("pod resize is only supported on linux nodes, node {} is {}", quoted(name), quoted(os));
        return Err(because(&why, "UnsupportedPlatform"));
    }
    match too_much(pod, &node) {
        Some(why) => Err(because(&why, "NodeCapacity")),
        None => Ok(()),
    }
}

/// `validateRequestsWithinAllocatable`
fn too_much(pod: &Object, node: &Object) -> Option<String> {
    let [cpu, memory] = quota::asked(pod);
    let has = |resource: &str| {
        let amount = node.map_at("status.allocatable").and_then(|it| it.get(resource)?.as_str());
        let amount = amount.and_then(|it| Quantity::parse(it).ok());
        amount.unwrap_or(Quantity::from_int(0))
    };
    let rows = [
        ("cpu", cpu, has("cpu"), Quantity::milli_value as fn(&Quantity) -> i64),
        ("memory", memory, has("memory"), Quantity::value),
    ];
    let over = rows.into_iter().filter(|(_, asked, has, _)| asked > has);
    let told: Vec<String> = over
        .map(|(resource, asked, has, number)| {
            format!("{resource}, requested: {}, allocatable: {}", number(&asked), number(&has))
        })
        .collect();
    (!told.is_empty()).then(|| format!("node didn't have enough allocatable resources: {}", told.join("; ")))
}
