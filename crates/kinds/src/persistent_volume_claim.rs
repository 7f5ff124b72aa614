//! PersistentVolumeClaim. Follows `pkg/registry/core/persistentvolumeclaim` and `pkg/api/persistentvolumeclaim`.

use meta::{Errors, Object, names};
use value::quantity::Quantity;
use value::{Map, Value, map};

use crate::path::Path;
use crate::pod_template::fields::{
    child, child_or_empty, has, list, one_of, opt_text, pairs, set_if_empty, text, texts,
};
use crate::pod_template::{claim_spec, internal, resources, warnings};
use crate::storage_class::{CLASS_NOTE, class_of};
use crate::workload::{edit_or_make, spec, status};
use crate::{Kind, Scope, Strategy, Subresource, columns, keep_status};

pub(crate) const KIND: Kind = Kind {
    short_names: &["pvc"],
    definition: "io.k8s.api.core.v1.PersistentVolumeClaim",
    subresources: &[Subresource::status("PersistentVolumeClaim")],
    columns: || COLUMNS,
    // A bug upstream, kept for old clients.
    strategy: Strategy {
        default: |it| {
            edit_or_make(&mut it.body, "status", |status| {
                set_if_empty(status, "phase", "Pending");
                resources::round(status, "capacity");
                resources::round(status, "allocatedResources");
            });
            edit_or_make(&mut it.body, "spec", |spec| {
                spec.set_default("volumeMode", "Filesystem");
                spec.edit_map("resources", |it| {
                    resources::round(it, "limits");
                    resources::round(it, "requests");
                });
            });
        },
        prepare_create: |it| {
            // Encoding fills the phase in again.
            it.body.insert("status", map!({ "phase": "Pending" }));
            it.body.edit_map("spec", |spec| data_sources(spec, None));
        },
        prepare_update: |new, old| {
            keep_status(new, old);
            new.body.edit_map("spec", |it| data_sources(it, Some(spec(old))));
        },
        validate: |it, errors| claim_spec(spec(it), &Path::root("spec"), errors),
        validate_update,
        validate_status: |new, _, errors| validate_status(new, errors),
        warnings: |it, _| {
            let mut res = Vec::new();
            class_warning(it, &mut res);
            warnings::claim_spec(spec(it), &Path::root("spec"), &mut res);
            res
        },
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Namespaced, "", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
};

const COLUMNS: &[crate::Column] = &[
    columns::name(),
    columns::text("Status", "Whether the claim has a volume.", |it, _| {
        if it.meta.is_deleted() { "Terminating".into() } else { columns::string(it, "status.phase") }
    }),
    columns::text("Volume", "The volume that the claim has.", |it, _| columns::string(it, "spec.volumeName")),
    columns::text("Capacity", "How much the volume holds.", |it, _| match it.str_at("spec.volumeName") {
        None | Some("") => "".into(),
        Some(_) => columns::quantity(it, "status.capacity.storage"),
    }),
    columns::text("Access Modes", "How the volume may be mounted.", |it, _| match it.str_at("spec.volumeName") {
        None | Some("") => "".into(),
        Some(_) => short_modes(status(it)).into(),
    }),
    columns::text("StorageClass", "The class of the claim.", |it, _| class_of(it).into()),
    columns::text("VolumeAttributesClass", "The class of the volume's attributes.", |it, _| {
        columns::string_or_unset(it, "spec.volumeAttributesClassName")
    }),
    columns::created(),
    columns::wide(columns::text("VolumeMode", "Whether there is a file system on the volume.", |it, _| {
        columns::string_or_unset(it, "spec.volumeMode")
    })),
];

pub(crate) fn class_warning(it: &Object, res: &mut Vec<String>) {
    deprecated_note(it, CLASS_NOTE, "deprecated since v1.8; use \"storageClassName\" attribute instead", res);
}

pub(crate) fn deprecated_note(it: &Object, key: &str, why: &str, res: &mut Vec<String>) {
    if it.meta.annotations.contains_key(key) {
        res.push(format!("metadata.annotations[{key}]: {why}"));
    }
}

/// `RWO,ROX` (`GetAccessModesAsString`)
pub(crate) fn short_modes(holder: &Map) -> String {
    const SHORT: [(&str, &str); 4] =
        [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")];
    let has = |mode: &str| texts(holder, "accessModes").any(|(_, it)| it == mode);
    SHORT.iter().filter(|(mode, _)| has(mode)).map(|(_, short)| *short).collect::<Vec<_>>().join(",")
}

/// `volumeMode` is a known one.
pub(crate) fn volume_mode(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    if let Some(mode) = opt_text(spec, "volumeMode") {
        one_of(mode, &["Block", "Filesystem"], &path.child("volumeMode"), errors);
    }
}

/// `dataSource` and `dataSourceRef` say the same, if the user wrote one of them.
fn data_sources(spec: &mut Map, before: Option<&Map>) {
    let was_set = |key: &str| before.is_some_and(|it| has(it, key));
    let namespace = child(spec, "dataSourceRef").map_or("", |it| text(it, "namespace"));
    if !namespace.is_empty() && !was_set("dataSourceRef") {
        spec.remove("dataSourceRef");
    }
    if !was_set("dataSource")
        && !was_set("dataSourceRef")
        && !has(spec, "dataSourceRef")
        && let Some(source) = child(spec, "dataSource")
        && !matches!(
            (text(source, "kind"), text(source, "apiGroup")),
            ("PersistentVolumeClaim", "") | ("VolumeSnapshot", "snapshot.storage.k8s.io")
        )
    {
        spec.remove("dataSource");
    }
    match (child(spec, "dataSource").cloned(), child(spec, "dataSourceRef").cloned()) {
        (Some(source), None) => spec.insert("dataSourceRef", source),
        (None, Some(reference)) if text(&reference, "namespace").is_empty() => {
            spec.insert("dataSource", reference.filtered(|key, _| key != "namespace"));
        }
        _ => (),
    }
    for key in ["dataSource", "dataSourceRef"] {
        spec.edit_map(key, |it| it.set_default("apiGroup", Value::Null));
    }
}

fn validate_update(new: &Object, old: &Object, errors: &mut Errors) {
    let (now, before) = (spec(new), spec(old));
    claim_spec(now, &Path::root("spec"), errors);
    let (mut mine, mut theirs) = (now.clone(), before.clone());
    if text(before, "volumeName").is_empty() {
        copy(&mut theirs, now, "volumeName");
    }
    class_change(new, old, &mut mine, errors);
    if text(status(new), "phase") == "Bound" {
        mine.edit_map("resources", |it| {
            it.edit_map("requests", |requests| {
                copy(requests, child_or_empty(child_or_empty(before, "resources"), "requests"), "storage");
            });
        });
        copy(&mut mine, before, "volumeAttributesClassName");
    }
    if mine != theirs {
        let shown = |it: &Map| internal::pretty(it, "PersistentVolumeClaimSpec");
        let diff = crate::pod::diff::unified(&shown(&theirs), &shown(&mine));
        let detail = format!(
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n{diff}"
        );
        Path::root("spec").forbidden(errors, &detail);
    }
    let amount = |holder: &Map, key: &str| {
        let text = opt_text(child_or_empty(holder, key), "storage").unwrap_or("0");
        Quantity::parse(text).unwrap_or(Quantity::from_int(0))
    };
    let requested = |spec: &Map| amount(child_or_empty(spec, "resources"), "requests");
    if requested(now) < requested(before) && requested(now) <= amount(status(old), "capacity") {
        Path::root("spec.resources.requests.storage").forbidden(errors, "field can not be less than status.capacity");
    }
    if opt_text(now, "volumeMode") != opt_text(before, "volumeMode") {
        let bad = now.get("volumeMode").cloned().unwrap_or_default();
        Path::root("volumeMode").invalid(errors, bad, "field is immutable");
    }
    if has(status(old), "currentVolumeAttributesClassName") {
        let what = match opt_text(now, "volumeAttributesClassName") {
            None => "nil",
            Some("") => "empty string",
            Some(_) => return,
        };
        if opt_text(now, "volumeAttributesClassName") != opt_text(before, "volumeAttributesClassName") {
            let detail =
                format!("update to {what} is forbidden when status.currentVolumeAttributesClassName is not nil");
            Path::root("spec.volumeAttributesClassName").forbidden(errors, &detail);
        }
    }
}

/// Takes over what `from` has under `key`, or that it has nothing.
fn copy(to: &mut Map, from: &Map, key: &str) {
    match from.get(key) {
        Some(value) => to.insert(key, value),
        None => {
            to.remove(key);
        }
    }
}

/// The class may move from the annotation to the field, or come where there was none.
fn class_change(new: &Object, old: &Object, mine: &mut Map, errors: &mut Errors) {
    let note = |it: &Object| it.meta.annotation(CLASS_NOTE).map(str::to_owned);
    let (note_now, note_before) = (note(new), note(old));
    let (class_now, class_before) = (opt_text(spec(new), "storageClassName"), opt_text(spec(old), "storageClassName"));
    let comes = class_before.is_none() && class_now.is_some();
    if let Some(noted) = &note_before
        && comes
        && class_now == Some(noted)
        && note_now.as_ref().is_none_or(|it| it == noted)
    {
        mine.remove("storageClassName");
        return;
    }
    if note_now != note_before {
        let path = Path::root("metadata.annotations");
        path.key(CLASS_NOTE).invalid(errors, note_now.unwrap_or_default(), "field is immutable");
    }
    if comes && note_before.is_none_or(|it| class_now == Some(&it)) {
        mine.remove("storageClassName");
    }
}

fn validate_status(new: &Object, errors: &mut Errors) {
    const STATES: &[&str] = &[
        "ControllerResizeInProgress",
        "ControllerResizeInfeasible",
        "NodeResizeInProgress",
        "NodeResizeInfeasible",
        "NodeResizePending",
    ];
    let status = status(new);
    if list(spec(new), "accessModes").is_empty() {
        Path::root("Spec.accessModes").required(errors, "");
    }
    let basic = |key: &str, errors: &mut Errors| {
        for (name, amount) in resources::amounts(child_or_empty(status, key)) {
            if amount.value() < 0 {
                let path = Path::root("status");
                let path = path.child(key);
                path.key(name).invalid(errors, amount.value(), "must be a valid resource quantity");
            }
        }
    };
    basic("capacity", errors);
    let path = Path::root("status.allocatedResourceStatuses");
    for (name, state) in pairs(child_or_empty(status, "allocatedResourceStatuses")) {
        resource_key(name, &path, errors);
        if !STATES.contains(&state) {
            path.not_supported(errors, name, STATES);
        }
    }
    let path = Path::root("status.allocatedResources");
    for (name, _) in resources::amounts(child_or_empty(status, "allocatedResources")) {
        resource_key(name, &path, errors);
    }
    basic("allocatedResources", errors);
}

fn resource_key(name: &str, path: &Path<'_>, errors: &mut Errors) {
    let messages = names::qualified_name(name);
    path.invalid_each(errors, name, &messages);
    if messages.is_empty() && resources::is_native(name) && name != "storage" {
        path.not_supported(errors, name, &["storage"]);
    }
}
