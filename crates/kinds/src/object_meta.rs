//! Rules for `metadata` of every kind. Follows `k8s.io/apimachinery/pkg/api/validation/objectmeta.go`.

use std::collections::BTreeSet;
use std::sync::Arc;

use meta::{Errors, FOREGROUND, ManagedFields, Metadata, ORPHAN, OwnerRef, Revision, names, quoted};
use value::{List, Str, Value, json, time};

use crate::path::Path;
use crate::pod_template::fields::{named, non_negative};
use crate::pod_template::{annotations, labels};
use crate::{Kind, label_name, namespace};

/// `FieldManagerMaxLength`
const MANAGER_MAX: usize = 128;
/// `MaxSubresourceNameLength`
const SUBRESOURCE_MAX: usize = 256;
pub(crate) const IMMUTABLE: &str = "field is immutable";

/// Every problem of a new or changed object's metadata (`ValidateObjectMeta`). What a changed object has from the stored one,
/// `old`, was checked when it was stored.
pub fn validate(meta: &Metadata, old: Option<&Metadata>, kind: &Kind, errors: &mut Errors) {
    let path = Path::root("metadata");
    let name_rule = kind.strategy.validate_name;
    let has_names = |it: &Metadata| it.name == meta.name && it.generate_name == meta.generate_name;
    if !old.is_some_and(has_names) {
        if !meta.generate_name.is_empty() {
            let messages = name_rule(&meta.generate_name, true);
            path.child("generateName").invalid_each(errors, &meta.generate_name, &messages);
        }
        if meta.name.is_empty() {
            path.child("name").required(errors, "name or generateName is required");
        } else {
            path.child("name").invalid_each(errors, &meta.name, &name_rule(&meta.name, false));
        }
    }
    if old.is_none_or(|it| it.namespace != meta.namespace) {
        own_namespace(meta, kind, &path.child("namespace"), errors);
    }
    non_negative(meta.generation, &path.child("generation"), errors);
    contents(meta, old, &path, errors);
    if !old.is_some_and(|it| Arc::ptr_eq(&it.finalizers, &meta.finalizers)) {
        finalizers(&meta.finalizers, &path.child("finalizers"), errors);
    }
    managed(&meta.managed, &path.child("managedFields"), errors);
    if kind.strategy.known_finalizers {
        known_finalizers(&meta.finalizers, &path.child("finalizers"), errors);
    }
}

/// `validateKubeFinalizerName`, which custom resources do without.
fn known_finalizers(finalizers: &[Str], path: &Path<'_>, errors: &mut Errors) {
    for (idx, name) in finalizers.iter().enumerate() {
        namespace::known_finalizer(name, &path.index(idx), errors);
    }
}

/// Every problem with what became of an object's metadata (`ValidateObjectMetaUpdate`).
///
/// Upstream looks once for all kinds and once or more for each, and says everything as often.
pub fn validate_update(new: &Metadata, old: &Metadata, kind: &Kind, errors: &mut Errors) {
    change(new, old, errors);
    let checks = kind.strategy.metadata_checks;
    if checks > 0 {
        change(new, old, errors);
    }
    for _ in 1..checks {
        contents(new, Some(old), &Path::root("metadata"), errors);
    }
}

fn change(new: &Metadata, old: &Metadata, errors: &mut Errors) {
    let path = Path::root("metadata");
    if old.is_deleted() {
        no_new_finalizers(new, old, &path.child("finalizers"), errors);
    }
    if new.revision == Revision::default() {
        path.child("resourceVersion").invalid(errors, "", "must be specified for an update");
    }
    if new.generation < old.generation {
        path.child("generation").invalid(errors, new.generation, "must not be decremented");
    }
    let mut differs = |key: &str, new: Value| path.child(key).invalid(errors, new, IMMUTABLE);
    let texts =
        [("name", &new.name, &old.name), ("namespace", &new.namespace, &old.namespace), ("uid", &new.uid, &old.uid)];
    for (key, new, old) in texts {
        if new != old {
            differs(key, Value::from(new));
        }
    }
    for (key, new, old) in
        [("creationTimestamp", new.created, old.created), ("deletionTimestamp", new.deleted, old.deleted)]
    {
        if new != old {
            differs(key, new.map_or(Value::Null, |it| time::format_secs(it).into()));
        }
    }
    if new.grace_seconds != old.grace_seconds {
        differs("deletionGracePeriodSeconds", new.grace_seconds.map_or(Value::Null, Value::Int));
    }
    contents(new, Some(old), &path, errors);
    managed(&new.managed, &path.child("managedFields"), errors);
}

fn contents(meta: &Metadata, old: Option<&Metadata>, path: &Path<'_>, errors: &mut Errors) {
    if !old.is_some_and(|it| it.labels.same(&meta.labels)) {
        labels::validate(&meta.labels, &path.child("labels"), errors);
    }
    if !old.is_some_and(|it| it.annotations.same(&meta.annotations)) {
        annotations::validate(&meta.annotations, &path.child("annotations"), errors);
    }
    if !old.is_some_and(|it| Arc::ptr_eq(&it.owners, &meta.owners)) {
        owners(&meta.owners, &path.child("ownerReferences"), errors);
    }
}

fn own_namespace(meta: &Metadata, kind: &Kind, path: &Path<'_>, errors: &mut Errors) {
    match (kind.is_namespaced(), meta.namespace.is_empty()) {
        (true, true) => path.required(errors, ""),
        (true, false) => path.invalid_each(errors, &meta.namespace, &label_name(&meta.namespace, false)),
        (false, false) => path.forbidden(errors, "not allowed on this type"),
        (false, true) => (),
    }
}

/// `ValidateOwnerReferences`; the paths have no index.
fn owners(owners: &[OwnerRef], path: &Path<'_>, errors: &mut Errors) {
    let mut first: Option<&OwnerRef> = None;
    for owner in owners {
        validate_owner(owner, path, errors);
        if !owner.is_controller() {
            continue;
        }
        let Some(first) = first else {
            first = Some(owner);
            continue;
        };
        let all: Vec<String> = owners.iter().map(shown).collect();
        let message = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for {}/{} and {}/{}",
            first.kind, first.name, owner.kind, owner.name
        );
        path.invalid(errors, Value::Decimal(format!("[{}]", all.join(",")).into()), &message);
    }
}

fn validate_owner(owner: &OwnerRef, path: &Path<'_>, errors: &mut Errors) {
    // A text with two slashes or more is no group and version at all (`FromAPIVersionAndKind`).
    let version = match owner.api_version.matches('/').count() {
        0 => owner.api_version.as_str(),
        1 => owner.api_version.split_once('/').map_or("", |(_, it)| it),
        _ => "",
    };
    if version.is_empty() {
        path.child("apiVersion").invalid(errors, &owner.api_version, "version must not be empty");
    }
    for (key, text) in [("kind", &owner.kind), ("name", &owner.name), ("uid", &owner.uid)] {
        if text.is_empty() {
            path.child(key).invalid(errors, "", "must not be empty");
        }
    }
    if owner.api_version == "v1" && owner.kind == "Event" {
        let bad = Value::Decimal(shown(owner).into());
        path.invalid(errors, bad, "/v1, Kind=Event is disallowed from being an owner");
    }
}

/// An owner as JSON with the fields in upstream's order.
fn shown(owner: &OwnerRef) -> String {
    let mut parts = Vec::new();
    for (key, text) in
        [("apiVersion", &owner.api_version), ("kind", &owner.kind), ("name", &owner.name), ("uid", &owner.uid)]
    {
        parts.push(format!("\"{key}\":{}", json::to_string(&Value::from(text))));
    }
    for (key, flag) in [("controller", owner.controller), ("blockOwnerDeletion", owner.block_deletion)] {
        if let Some(flag) = flag {
            parts.push(format!("\"{key}\":{flag}"));
        }
    }
    format!("{{{}}}", parts.join(","))
}

fn finalizers(finalizers: &[Str], path: &Path<'_>, errors: &mut Errors) {
    for name in finalizers {
        named(name, names::qualified_name, path, errors);
    }
    let has = |name: &str| finalizers.iter().any(|it| *it == name);
    if has(ORPHAN) && has(FOREGROUND) {
        let bad: List = finalizers.iter().map(Value::from).collect();
        path.invalid(errors, bad, &format!("finalizer {ORPHAN} and {FOREGROUND} cannot be both set"));
    }
}

fn no_new_finalizers(new: &Metadata, old: &Metadata, path: &Path<'_>, errors: &mut Errors) {
    let added: BTreeSet<&Str> = new.finalizers.iter().filter(|it| !old.has_finalizer(it)).collect();
    if !added.is_empty() {
        let added: Vec<String> = added.into_iter().map(|it| quoted(it)).collect();
        let detail = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            added.join(", ")
        );
        path.forbidden(errors, &detail);
    }
}

/// `ValidateManagedFields`, as far as entries that could be read can be wrong.
/// What is not settled came from no client, and so is right.
fn managed(entries: &ManagedFields, path: &Path<'_>, errors: &mut Errors) {
    let sent = entries.is_settled().then(|| &**entries);
    for (idx, entry) in sent.into_iter().flatten().enumerate() {
        let path = path.index(idx);
        if entry.manager.len() > MANAGER_MAX {
            path.child("manager").too_long(errors, MANAGER_MAX);
        }
        if entry.subresource.len() > SUBRESOURCE_MAX {
            path.child("subresource").too_long(errors, SUBRESOURCE_MAX);
        }
    }
}
