//! `PodTemplateSpec`: what pods and every workload share.

use meta::Errors;
use value::{Map, Value};

use crate::path::Path;

/// Fills in the defaults of a `PodTemplateSpec`; shares what it does not change.
pub fn default(template: &mut Map) {
    template.edit_map("spec", |spec| spec.set_default("restartPolicy", "Always"));
}

/// Every problem of a `PodTemplateSpec` at `path`, in upstream's order (`ValidatePodTemplateSpec`).
pub fn validate(template: &Map, path: &Path<'_>, errors: &mut Errors) {
    if template.get("spec").and_then(|it| it.get("containers")).and_then(Value::as_list).is_none_or(|it| it.is_empty()) {
        path.child("spec.containers").required(errors, "");
    }
}
