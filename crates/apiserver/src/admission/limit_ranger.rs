//! What LimitRanges ask of pods and claims (`plugin/pkg/admission/limitranger`).

use std::collections::BTreeMap;
use std::sync::Arc;

use kinds::pod_template::resources::{Amounts, aggregate, amounts};
use kinds::{LIMIT_RANGE, PERSISTENT_VOLUME_CLAIM, POD};
use meta::{Object, Status};
use value::quantity::Quantity;
use value::{Map, Str, Value};

use super::{Operation, Request, shown};
use crate::server::ApiServer;

const NOTE: &str = "kubernetes.io/limit-ranger";

fn ranges(api: &ApiServer, namespace: &str) -> Vec<Arc<Object>> {
    api.store.list(LIMIT_RANGE, Some(namespace)).cloned().collect()
}

fn map<'a>(holder: &'a Value, key: &str) -> Option<&'a Map> {
    holder.get(key)?.as_map()
}

/// Gives containers what they do not name themselves.
///
/// # Errors
/// None.
pub(super) fn admit(api: &mut ApiServer, request: &Request<'_>, object: &mut Object) -> Result<(), Status> {
    if !request.creates(POD) {
        return Ok(());
    }
    for range in ranges(api, &object.meta.namespace) {
        let mut defaults: [Map; 2] = [Map::new(), Map::new()];
        for limit in range.list_at("spec.limits").iter().filter(|it| it.str_at("type") == Some("Container")) {
            for (all, key) in defaults.iter_mut().zip(["defaultRequest", "default"]) {
                for (name, amount) in map(limit, key).into_iter().flat_map(Map::iter) {
                    all.insert(name, amount);
                }
            }
        }
        complete(object, &defaults);
    }
    Ok(())
}

fn complete(pod: &mut Object, [requests, limits]: &[Map; 2]) {
    let mut notes = Vec::new();
    pod.body.edit_map("spec", |spec| {
        for (list, what) in [("containers", "container"), ("initContainers", "init container")] {
            spec.edit_maps(list, |container| {
                let name = container.get("name").and_then(Value::as_shared_str).cloned().unwrap_or_default();
                for (key, short, defaults) in [("requests", "request", requests), ("limits", "limit", limits)] {
                    let set = fill(container, key, defaults);
                    if !set.is_empty() {
                        notes.push(format!("{} {short} for {what} {name}", set.join(", ")));
                    }
                }
            });
        }
    });
    if !notes.is_empty() {
        pod.meta.annotations.insert(NOTE, format!("LimitRanger plugin set: {}", notes.join("; ")));
    }
}

/// Sets what is missing; answers its names.
fn fill(container: &mut Map, key: &str, defaults: &Map) -> Vec<Str> {
    let resources = container.get("resources").and_then(Value::as_map).cloned().unwrap_or_default();
    let mut have = resources.get(key).and_then(Value::as_map).cloned().unwrap_or_default();
    let missing: Vec<Str> = defaults.keys().filter(|name| !have.contains_key(name)).cloned().collect();
    if missing.is_empty() {
        return missing;
    }
    for name in &missing {
        have.insert(name.clone(), defaults.get(name).cloned().unwrap_or_default());
    }
    container.insert("resources", resources.with(key, have));
    missing
}

/// Refuses what is too little or too much.
///
/// # Errors
/// `Forbidden` with everything that one LimitRange has against the object.
pub(super) fn validate(
    api: &ApiServer,
    request: &Request<'_>,
    object: Option<&Object>,
    _: &mut Vec<String>,
) -> Result<(), Status> {
    let write = request.write;
    let resizes = write.kind.id == POD && write.sub == "resize";
    let looks = request.creates(POD)
        || resizes
        || (request.is_of(PERSISTENT_VOLUME_CLAIM) && request.operation != Operation::Delete);
    let Some(object) = object.filter(|_| looks && request.live.is_none_or(|it| !it.meta.is_deleted())) else {
        return Ok(());
    };
    for range in ranges(api, &object.meta.namespace) {
        let mut problems = Vec::new();
        for limit in range.list_at("spec.limits") {
            check(limit, object, &mut problems);
        }
        let text = match problems.as_slice() {
            [] => continue,
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        return Err(write.forbidden(shown(object), &text));
    }
    Ok(())
}

fn check(limit: &Value, object: &Object, problems: &mut Vec<String>) {
    let Some(spec) = object.map_at("spec") else { return };
    let of = |holder: Option<&'_ Value>, key: &str| -> BTreeMap<String, Quantity> {
        let list = holder.and_then(|it| it.get(key)).and_then(Value::as_map);
        list.into_iter().flat_map(amounts).map(|(name, it)| (name.to_owned(), it)).collect()
    };
    let owned = |it: Amounts<'_>| -> BTreeMap<String, Quantity> {
        it.into_iter().map(|(name, it)| (name.to_owned(), it)).collect()
    };
    let kind = limit.str_at("type").unwrap_or("");
    match (kind, object.kind == POD) {
        ("Container", true) => {
            for container in object.list_at("spec.containers").iter().chain(object.list_at("spec.initContainers")) {
                let resources = container.get("resources");
                constraints(limit, kind, &of(resources, "requests"), &of(resources, "limits"), problems);
            }
        }
        ("Pod", true) => {
            let (mut requests, mut limits) = (owned(aggregate(spec, "requests")), owned(aggregate(spec, "limits")));
            for (all, key) in [(&mut requests, "requests"), (&mut limits, "limits")] {
                let own = of(spec.get("resources"), key);
                all.extend(own.into_iter().filter(|(name, _)| matches!(name.as_str(), "cpu" | "memory")));
            }
            constraints(limit, kind, &requests, &limits, problems);
        }
        ("PersistentVolumeClaim", false) => {
            let requests = of(spec.get("resources"), "requests");
            for (name, min) in map(limit, "min").into_iter().flat_map(amounts) {
                problems.extend(too_little(kind, name, min, requests.get(name), None));
            }
            for (name, max) in map(limit, "max").into_iter().flat_map(amounts) {
                let lead = format!("maximum {name} usage per {kind} is {max}");
                match requests.get(name) {
                    None => problems.push(format!("{lead}.  No request is specified")),
                    Some(have) if *have > max => problems.push(format!("{lead}, but request is {have}")),
                    Some(_) => (),
                }
            }
        }
        _ => (),
    }
}

fn constraints(
    limit: &Value,
    kind: &str,
    requests: &BTreeMap<String, Quantity>,
    limits: &BTreeMap<String, Quantity>,
    problems: &mut Vec<String>,
) {
    for (name, min) in map(limit, "min").into_iter().flat_map(amounts) {
        problems.extend(too_little(kind, name, min, requests.get(name), limits.get(name)));
    }
    for (name, max) in map(limit, "max").into_iter().flat_map(amounts) {
        let lead = format!("maximum {name} usage per {kind} is {max}");
        match (requests.get(name), limits.get(name)) {
            (_, None) => problems.push(format!("{lead}.  No limit is specified")),
            (_, Some(limit)) if *limit > max => problems.push(format!("{lead}, but limit is {limit}")),
            (Some(request), _) if *request > max => problems.push(format!("{lead}, but request is {request}")),
            _ => (),
        }
    }
    for (name, max) in map(limit, "maxLimitRequestRatio").into_iter().flat_map(amounts) {
        problems.extend(ratio(kind, name, max, requests.get(name), limits.get(name)));
    }
}

fn too_little(
    kind: &str,
    name: &str,
    min: Quantity,
    request: Option<&Quantity>,
    limit: Option<&Quantity>,
) -> Option<String> {
    let lead = format!("minimum {name} usage per {kind} is {min}");
    match (request, limit) {
        (None, _) => Some(format!("{lead}.  No request is specified")),
        (Some(request), _) if *request < min => Some(format!("{lead}, but request is {request}")),
        (_, Some(limit)) if *limit < min => Some(format!("{lead}, but limit is {limit}")),
        _ => None,
    }
}

fn ratio(
    kind: &str,
    name: &str,
    max: Quantity,
    request: Option<&Quantity>,
    limit: Option<&Quantity>,
) -> Option<String> {
    const MILLION: i128 = 1_000_000;
    let lead = format!("{name} max limit to request ratio per {kind} is {max}");
    let Some(request) = request.filter(|it| !it.is_zero()) else {
        return Some(format!("{lead}, but no request is specified or request is 0"));
    };
    let Some(limit) = limit.filter(|it| !it.is_zero()) else {
        return Some(format!("{lead}, but no limit is specified or limit is 0"));
    };
    let milli = |it: &Quantity| i128::from(it.milli_value());
    let (request, limit) = (milli(request), milli(limit));
    if request <= 0 || limit * 1000 <= milli(&max) * request {
        return None;
    }
    let millionths = (limit * MILLION * 2 + request) / (request * 2);
    Some(format!("{lead}, but provided ratio is {}.{:06}", millionths / MILLION, millionths % MILLION))
}
