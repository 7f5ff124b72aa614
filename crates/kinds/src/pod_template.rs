//! `PodTemplateSpec`: what pods and every workload share.

pub mod annotations;
mod claims;
mod containers;
mod defaults;
mod env;
pub(crate) mod fields;
pub(crate) mod internal;
pub mod labels;
mod mounts;
mod old_volumes;
mod overlaps;
pub(crate) mod paths;
mod probes;
mod projected;
pub mod resources;
pub(crate) mod scheduling;
pub(crate) mod security;
mod spec;
mod volumes;
pub mod warnings;
mod windows;

use meta::Errors;
use value::{Map, Value};

pub(crate) use self::claims::access_modes;
pub use self::claims::claim_spec;
pub(crate) use self::containers::is_sidecar;
pub use self::defaults::claim_spec as default_claim_spec;
pub(crate) use self::defaults::{Of, drop_disabled, spec as default_spec};
use self::fields::{child, child_or_empty, list};
pub(crate) use self::spec::{only_for_pods, validate as validate_spec};
pub use self::volumes::driver_name as validate_csi_driver_name;
pub(crate) use self::volumes::one_source as validate_volume;
use crate::path::Path;

/// Fills in the defaults of a `PodTemplateSpec`; shares what it does not change.
pub fn default(template: &mut Map) {
    if template.get("spec").is_none_or(Value::is_null) {
        template.insert("spec", Value::map());
    }
    template.edit_map("spec", |it| default_spec(it, Of::Template));
}

/// Every problem of a `PodTemplateSpec` at `path`, in upstream's order (`ValidatePodTemplateSpec`).
pub fn validate(template: &Map, path: &Path<'_>, errors: &mut Errors) {
    let metadata = child_or_empty(template, "metadata");
    let spec = child_or_empty(template, "spec");
    // Upstream leaves `metadata` out of these paths.
    if let Some(it) = child(metadata, "labels") {
        labels::validate(it, &path.child("labels"), errors);
    }
    let notes = child_or_empty(metadata, "annotations");
    annotations::validate(notes, &path.child("annotations"), errors);
    annotations::of_pod(notes, spec, &path.child("annotations"), errors);
    let spec_path = path.child("spec");
    validate_spec(spec, None, &spec_path, errors);
    annotations::match_fields(notes, spec, &spec_path, errors);
    if !list(spec, "ephemeralContainers").is_empty() {
        spec_path.child("ephemeralContainers").forbidden(errors, "ephemeral containers not allowed in pod template");
    }
}

/// What to warn of in a `PodTemplateSpec` at `path`, in upstream's order (`GetWarningsForPodTemplate`).
pub fn warnings_of(template: &Map, path: &Path<'_>) -> Vec<String> {
    let notes = child_or_empty(child_or_empty(template, "metadata"), "annotations");
    let mut res = Vec::new();
    warnings::collect(
        child_or_empty(template, "spec"),
        notes,
        &path.child("spec"),
        &path.child("metadata"),
        true,
        &mut res,
    );
    res
}
