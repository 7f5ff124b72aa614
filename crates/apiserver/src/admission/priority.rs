//! Priority classes become numbers in pods (`plugin/pkg/admission/priority`).

use kinds::{Kind, POD, PRIORITY_CLASS};
use meta::{Key, Object, Status};
use value::Str;

use crate::server::ApiServer;

/// # Errors
/// `Forbidden` for a class that does not exist or a number that is not its.
pub(super) fn admit(api: &mut ApiServer, kind: &Kind, object: &mut Object) -> Result<(), Status> {
    if kind.id != POD {
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
    let policy: Str =
        class.as_ref().and_then(|it| it.str_at("preemptionPolicy")).unwrap_or("PreemptLowerPriority").into();
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
    object.set("spec.priority", value);
    if let Some(have) = object.str_at("spec.preemptionPolicy").filter(|it| *it != policy) {
        let why = format!(
            "the string value of PreemptionPolicy ({have}) must not be provided in pod spec; priority admission controller computed {policy} from the given PriorityClass name"
        );
        return Err(Status::forbidden("", "pods", shown(object), &why));
    }
    object.set("spec.preemptionPolicy", policy);
    Ok(())
}

/// The name by which a refusal speaks of the pod.
fn shown(object: &Object) -> &str {
    if object.meta.name.is_empty() { &object.meta.generate_name } else { &object.meta.name }
}

/// The class marked as the default; the lowest, if several are.
fn default_class(api: &ApiServer) -> Option<std::sync::Arc<Object>> {
    let marked = api.store.list(PRIORITY_CLASS, None).filter(|it| it.bool_at("globalDefault") == Some(true));
    marked.min_by_key(|it| it.i64_at("value").unwrap_or(0)).cloned()
}

/// An update that leaves priority and policy out keeps them.
pub(super) fn keep(kind: &Kind, object: &mut Object, live: &Object) {
    if kind.id != POD {
        return;
    }
    for field in ["spec.priority", "spec.preemptionPolicy"] {
        if object.at(field).is_none()
            && let Some(it) = live.at(field)
        {
            object.set(field, it);
        }
    }
}

/// There can be one default class.
///
/// # Errors
/// `Forbidden` for a second default.
pub(super) fn validate(api: &ApiServer, kind: &Kind, object: &Object, live: Option<&Object>) -> Result<(), Status> {
    if kind.id != PRIORITY_CLASS || object.bool_at("globalDefault") != Some(true) || live.is_some() {
        return Ok(());
    }
    match default_class(api) {
        Some(other) if other.meta.name != object.meta.name => {
            let why =
                format!("PriorityClass {} is already marked as default. Only one default can exist", other.meta.name);
            Err(Status::forbidden(&kind.group, &kind.plural, &object.meta.name, &why))
        }
        _ => Ok(()),
    }
}
