//! Pods of a runtime class cost more and run where it is (`plugin/pkg/admission/runtimeclass`).

use std::sync::Arc;

use kinds::{POD, RUNTIME_CLASS};
use meta::{Key, Object, Status, names, quoted};
use value::{Map, Value};

use super::{Request, shown};
use crate::server::ApiServer;

fn class(api: &ApiServer, request: &Request<'_>, pod: &Object) -> Result<Option<Arc<Object>>, Status> {
    let Some(name) = pod.str_at("spec.runtimeClassName") else { return Ok(None) };
    let problems = names::path_segment_name(name);
    if !problems.is_empty() {
        let why = format!("invalid resource name {}: [{}]", quoted(name), problems.join(" "));
        return Err(Status::new(500, "", why));
    }
    let found = api.store.get(RUNTIME_CLASS, &Key::cluster(name)).cloned();
    found.map(Some).ok_or_else(|| {
        request.write.forbidden(shown(pod), &format!("pod rejected: RuntimeClass {} not found", quoted(name)))
    })
}

const OTHER_OVERHEAD: &str = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

/// Sets overhead, node selector and tolerations.
///
/// # Errors
/// `Forbidden` for a class that does not exist and for what contradicts it.
pub(super) fn admit(api: &mut ApiServer, request: &Request<'_>, object: &mut Object) -> Result<(), Status> {
    if !request.creates(POD) {
        return Ok(());
    }
    let Some(class) = class(api, request, object)? else { return Ok(()) };
    if let Some(overhead) = class.map_at("overhead.podFixed") {
        let own = object.map_at("spec.overhead").cloned().unwrap_or_default();
        if !own.is_empty() && own != *overhead {
            return Err(request.write.forbidden(shown(object), OTHER_OVERHEAD));
        }
        object.set("spec.overhead", overhead);
    }
    if let Some(scheduling) = class.map_at("scheduling") {
        schedule(request, object, scheduling)?;
    }
    Ok(())
}

fn schedule(request: &Request<'_>, object: &mut Object, scheduling: &Map) -> Result<(), Status> {
    if let Some(wanted) = scheduling.get("nodeSelector").and_then(Value::as_map) {
        let mut selector = object.map_at("spec.nodeSelector").cloned().unwrap_or_default();
        for (key, value) in wanted.iter() {
            if let Some(own) = selector.get(key).filter(|own| *own != value) {
                let text = |it: &Value| it.as_str().unwrap_or("").to_owned();
                let why = format!(
                    "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {}; pod.spec.nodeSelector[{key}] = {}",
                    text(value),
                    text(own)
                );
                return Err(request.write.forbidden(shown(object), &why));
            }
            selector.insert(key, value);
        }
        object.set("spec.nodeSelector", selector);
    }
    let more = scheduling.get("tolerations").and_then(Value::as_list).cloned().unwrap_or_default();
    let mut all: Vec<Value> = object.list_at("spec.tolerations").to_vec();
    let n_before = all.len();
    for toleration in more.iter() {
        if !all.contains(toleration) {
            all.push(toleration.clone());
        }
    }
    if all.len() > n_before {
        object.set("spec.tolerations", all);
    }
    Ok(())
}

/// # Errors
/// `Forbidden` for an overhead that is not the class's.
pub(super) fn validate(
    api: &ApiServer,
    request: &Request<'_>,
    object: Option<&Object>,
    _: &mut Vec<String>,
) -> Result<(), Status> {
    let Some(pod) = object.filter(|_| request.creates(POD)) else { return Ok(()) };
    let class = class(api, request, pod)?;
    let own = pod.map_at("spec.overhead").cloned().unwrap_or_default();
    match class.as_ref().and_then(|it| it.map_at("overhead.podFixed")) {
        Some(overhead) if *overhead != own => Err(request.write.forbidden(shown(pod), OTHER_OVERHEAD)),
        None if !own.is_empty() => {
            let why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";
            Err(request.write.forbidden(shown(pod), why))
        }
        _ => Ok(()),
    }
}
