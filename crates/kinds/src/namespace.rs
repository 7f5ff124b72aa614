//! Namespace. Follows `pkg/registry/core/namespace`.

use meta::{Errors, FOREGROUND, ORPHAN, Object, names};
use value::{List, Str, Value, map};

use crate::path::Path;
use crate::pod_template::fields::{child_or_empty, named, text, texts};
use crate::{Kind, Scope, SelectableField, Strategy, Subresource, Verbs, columns, keep_status, label_name};

/// Lets label selectors find a namespace by its name (`LabelMetadataName`).
const NAME_LABEL: &str = "kubernetes.io/metadata.name";
/// The finalizer in `spec` of the namespace's own controller.
const KUBERNETES: &str = "kubernetes";

pub(crate) const KIND: Kind = Kind {
    short_names: &["ns"],
    verbs: Verbs::NoDeleteCollection,
    definition: "io.k8s.api.core.v1.Namespace",
    subresources: &[
        Subresource { name: "finalize", verbs: &["update"], ..Subresource::status("Namespace") },
        Subresource::status("Namespace"),
    ],
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Status", "Active, or Terminating while its content goes.", |it, _| {
                    columns::string(it, "status.phase")
                }),
                columns::created(),
            ]
        }
    },
    selectable_fields: &[SelectableField { name: "status.phase", read: phase }],
    strategy: Strategy {
        default,
        prepare_create,
        prepare_update,
        validate,
        validate_update: |new, _, errors| validate(new, errors),
        validate_status,
        validate_name: label_name,
        metadata_checks: 2,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Cluster, "", "v1", "Namespace", "namespaces")
};

fn phase(it: &Object) -> Str {
    it.at("status.phase").and_then(Value::as_shared_str).cloned().unwrap_or_default()
}

fn default(it: &mut Object) {
    if !it.meta.name.is_empty() && it.meta.label(NAME_LABEL) != Some(&*it.meta.name) {
        let name = it.meta.name.clone();
        it.meta.labels.insert(NAME_LABEL, name);
    }
    it.body.edit_map("status", |status| {
        if text(status, "phase").is_empty() {
            status.insert("phase", "Active");
        }
    });
}

fn prepare_create(it: &mut Object) {
    it.body.insert("status", map!({ "phase": "Active" }));
    let finalizers: List = it.at("spec.finalizers").and_then(Value::as_list).cloned().unwrap_or_default();
    if !finalizers.iter().any(|it| it.as_str() == Some(KUBERNETES)) {
        it.set("spec.finalizers", finalizers.pushed(KUBERNETES.into()));
    }
    // A generated name was not known before.
    default(it);
}

fn prepare_update(new: &mut Object, old: &Object) {
    match old.at("spec.finalizers") {
        Some(finalizers) if new.at("spec.finalizers") != Some(finalizers) => new.set("spec.finalizers", finalizers),
        None if new.at("spec.finalizers").is_some() => {
            new.remove("spec.finalizers");
        }
        _ => (),
    }
    keep_status(new, old);
    default(new);
}

fn validate(it: &Object, errors: &mut Errors) {
    let path = Path::root("spec.finalizers");
    for (_, name) in texts(child_or_empty(&it.body, "spec"), "finalizers") {
        finalizer(name, &path, errors);
    }
}

/// `validateFinalizerName`
fn finalizer(name: &str, path: &Path<'_>, errors: &mut Errors) {
    named(name, names::qualified_name, path, errors);
    known_finalizer(name, path, errors);
}

/// A name without a domain must be one of upstream's own.
pub(crate) fn known_finalizer(name: &str, path: &Path<'_>, errors: &mut Errors) {
    if !name.contains('/') && !matches!(name, KUBERNETES | ORPHAN | FOREGROUND) {
        path.invalid(errors, name, "name is neither a standard finalizer name nor is it fully qualified");
    }
}

/// `ValidateNamespaceFinalizeUpdate`
pub fn validate_finalize(new: &Object, _old: &Object, errors: &mut Errors) {
    let path = Path::root("spec.finalizers");
    for (idx, name) in texts(child_or_empty(&new.body, "spec"), "finalizers") {
        finalizer(name, &path.index(idx), errors);
    }
}

fn validate_status(new: &Object, _old: &Object, errors: &mut Errors) {
    let phase = text(child_or_empty(&new.body, "status"), "phase");
    let path = Path::root("status.Phase");
    match (new.meta.is_deleted(), phase) {
        (false, "Active") | (true, "Terminating") => (),
        (false, _) => path.invalid(errors, phase, "may only be 'Active' if `deletionTimestamp` is empty"),
        (true, _) => path.invalid(errors, phase, "may only be 'Terminating' if `deletionTimestamp` is not empty"),
    }
}
