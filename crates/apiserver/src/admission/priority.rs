//! Priority classes become numbers in pods (`plugin/pkg/admission/priority`).

use kinds::{POD, PRIORITY_CLASS, priority_class};
use meta::{Key, Object, Status};
use value::{Str, map};

use super::{Operation, Request, set_in_spec, shown};
use crate::server::ApiServer;

/// # Errors
/// `Forbidden` for a class that does not exist or a number that is not its.
pub(super) fn admit(api: &mut ApiServer, request: &Request<'_>, object: &mut Object) -> Result<(), Status> {
    if let Some(live) = request.live.filter(|_| request.is_of(POD)) {
        keep(object, live);
        return Ok(());
    }
    if !request.creates(POD) {
        return Ok(());
    }
    let named: Option<Str> =
        object.at("spec.priorityClassName").and_then(|it| it.as_shared_str()).filter(|it| !it.is_empty()).cloned();
    let class = match &named {
        Some(name) => Some(api.store.get(PRIORITY_CLASS, &Key::cluster(name)).cloned().ok_or_else(|| {
            let why = format!("no PriorityClass with name {name} was found");
            Status::forbidden("", "pods", shown(object), &why)
        })?),
        None => default_class(api),
    };
    let value = class.as_ref().and_then(|it| it.i64_at("value")).unwrap_or(0);
    let policy =
        Str::literal(class.as_ref().and_then(|it| it.str_at("preemptionPolicy")).unwrap_or("PreemptLowerPriority"));
    if named.is_none()
        && let Some(class) = &class
    {
        object.set("spec.priorityClassName", &class.meta.name);
    }
    if let Some(have) = object.i64_at("spec.priority").filter(|it| *it != value) {
        let why = format!(
            "the integer value of priority ({have}) must not be provided in pod spec; priority admission controller computed {value} from the given PriorityClass name"
        );
        return Err(Status::forbidden("", "pods", shown(object), &why));
    }
    if let Some(have) = object.str_at("spec.preemptionPolicy").filter(|it| policy != *it) {
        let why = format!(
            "the string value of PreemptionPolicy ({have}) must not be provided in pod spec; priority admission controller computed {policy} from the given PriorityClass name"
        );
        return Err(Status::forbidden("", "pods", shown(object), &why));
    }
    set_in_spec(object, &map!({ "preemptionPolicy": policy, "priority": value }));
    Ok(())
}

/// The class marked as the default; the lowest, if several are.
fn default_class(api: &ApiServer) -> Option<std::sync::Arc<Object>> {
    let marked = api.store.list(PRIORITY_CLASS, None).filter(|it| it.bool_at("globalDefault") == Some(true));
    marked.min_by_key(|it| it.i64_at("value").unwrap_or(0)).cloned()
}

/// An update that leaves priority and policy out keeps them.
fn keep(object: &mut Object, live: &Object) {
    for field in ["spec.priority", "spec.preemptionPolicy"] {
        if object.at(field).is_none()
            && let Some(it) = live.at(field)
        {
            object.set(field, it);
        }
    }
}

/// There can be one default class, and the system's own stay.
///
/// # Errors
/// `Forbidden` for a second default and for the end of a system class.
pub(super) fn validate(
    api: &ApiServer,
    request: &Request<'_>,
    object: Option<&Object>,
    _: &mut Vec<String>,
) -> Result<(), Status> {
    if !request.is_of(PRIORITY_CLASS) {
        return Ok(());
    }
    if let Some(live) = request.live.filter(|_| request.operation == Operation::Delete)
        && priority_class::SYSTEM.iter().any(|(name, _)| *name == live.name())
    {
        return Err(request.write.forbidden(live.name(), "this is a system priority class and cannot be deleted"));
    }
    let Some(object) = object.filter(|it| it.bool_at("globalDefault") == Some(true)) else { return Ok(()) };
    match default_class(api) {
        Some(other) if request.live.is_none() || other.meta.name != object.meta.name => {
            let why =
                format!("PriorityClass {} is already marked as default. Only one default can exist", other.meta.name);
            Err(request.write.forbidden(shown(object), &why))
        }
        _ => Ok(()),
    }
}
