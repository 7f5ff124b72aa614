//! StorageClass. Follows `pkg/apis/storage/validation` and `pkg/apis/storage/v1/defaults.go`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meta::{Errors, Object, names};
use value::{Map, Str};

use crate::path::Path;
use crate::pod_template::fields::{list, maps, named, one_of, opt_text, pairs, text, texts};
use crate::pod_template::warnings;
use crate::{Kind, Scope, Strategy, columns};

/// How many parameters there may be.
const PARAMETERS_MAX: usize = 512;
/// How long keys and values may be in all.
const PARAMETERS_SIZE_MAX: usize = 256 * 1024;

pub(crate) const KIND: Kind = Kind {
    short_names: &["sc"],
    definition: "io.k8s.api.storage.v1.StorageClass",
    columns: || {
        const {
            &[
                columns::name_with_default(|it, _| columns::marked(it, is_default(it))),
                columns::text("Provisioner", "Who makes volumes of the class.", |it, _| {
                    columns::string(it, "provisioner")
                }),
                columns::text("ReclaimPolicy", "What becomes of volumes after their claims.", |it, _| {
                    it.str_at("reclaimPolicy").unwrap_or("Delete").into()
                }),
                columns::text("VolumeBindingMode", "When volumes are made and bound.", |it, _| {
                    it.str_at("volumeBindingMode").unwrap_or("Immediate").into()
                }),
                columns::text("AllowVolumeExpansion", "Whether volumes can grow.", |it, _| {
                    it.bool_at("allowVolumeExpansion").unwrap_or(false).into()
                }),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        default: |it| {
            it.body.set_default("reclaimPolicy", "Delete");
            it.body.set_default("volumeBindingMode", "Immediate");
        },
        validate: |it, errors| validate(&it.body, errors),
        validate_update: |new, old, errors| {
            validate(&new.body, errors);
            for key in ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] {
                immutable(new, old, key, errors);
            }
        },
        warnings: |it, _| warnings_of(&it.body),
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Cluster, "storage.k8s.io", "v1", "StorageClass", "storageclasses")
};

fn is_default(it: &Object) -> bool {
    is_marked(it, &DEFAULT_NOTES)
}

/// Where claims and volumes named their class before there was a field for it.
pub(crate) const CLASS_NOTE: &str = "volume.beta.kubernetes.io/storage-class";

/// The StorageClass of a claim or volume; empty for none (`GetPersistentVolumeClaimClass`).
pub fn class_of(it: &Object) -> &str {
    it.meta.annotation(CLASS_NOTE).or_else(|| it.str_at("spec.storageClassName")).unwrap_or("")
}

/// Whether a claim names a class, be it the empty one (`PersistentVolumeClaimHasClass`).
pub fn has_class(claim: &Object) -> bool {
    claim.meta.annotation(CLASS_NOTE).is_some() || claim.at("spec.storageClassName").is_some_and(|it| !it.is_null())
}

/// Annotations of which one marks the class of claims that name none.
pub const DEFAULT_NOTES: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

fn is_marked(class: &Object, notes: &[&str]) -> bool {
    notes.iter().any(|key| class.meta.annotation(key) == Some("true"))
}

/// The name of the newest class that is marked with one of `notes`; of equals the first by name (`GetDefaultClass`).
pub fn default_of<'a>(classes: impl Iterator<Item = &'a Arc<Object>>, notes: &[&str]) -> Option<Str> {
    let marked = classes.filter(|it| is_marked(it, notes));
    marked.min_by_key(|it| (Reverse(it.meta.created), it.meta.name.clone())).map(|it| it.meta.name.clone())
}

/// `field is immutable`
pub(crate) fn immutable(new: &Object, old: &Object, key: &str, errors: &mut Errors) {
    let value = |it: &Object| it.body.get(key).filter(|it| !it.is_null()).cloned();
    if value(new) != value(old) {
        Path::root(key).invalid(errors, value(new).unwrap_or_default(), "field is immutable");
    }
}

fn validate(body: &Map, errors: &mut Errors) {
    provisioner(text(body, "provisioner"), &Path::root("provisioner"), errors);
    parameters(body, true, errors);
    let policy = text(body, "reclaimPolicy");
    if !policy.is_empty() {
        one_of(policy, &["Delete", "Retain"], &Path::root("reclaimPolicy"), errors);
    }
    let path = Path::root("volumeBindingMode");
    match opt_text(body, "volumeBindingMode") {
        None => path.required(errors, ""),
        Some(mode) => one_of(mode, &["Immediate", "WaitForFirstConsumer"], &path, errors),
    }
    topologies(body, errors);
}

/// `validateProvisioner`
pub(crate) fn provisioner(name: &str, path: &Path<'_>, errors: &mut Errors) {
    if name.is_empty() {
        return path.required(errors, "");
    }
    named(&name.to_lowercase(), names::qualified_name, path, errors);
}

/// `validateParameters`
pub(crate) fn parameters(body: &Map, may_be_empty: bool, errors: &mut Errors) {
    let path = Path::root("parameters");
    let parameters = crate::pod_template::fields::child_or_empty(body, "parameters");
    if parameters.len() > PARAMETERS_MAX {
        return path.too_long(errors, PARAMETERS_MAX);
    }
    let mut size = 0;
    for (key, value) in pairs(parameters) {
        if key.is_empty() {
            path.invalid(errors, key, "field can not be empty.");
        }
        size += key.len() + value.len();
    }
    if size > PARAMETERS_SIZE_MAX {
        path.too_long(errors, PARAMETERS_SIZE_MAX);
    }
    if !may_be_empty && parameters.is_empty() {
        path.required(errors, "must contain at least one key/value pair");
    }
}

fn topologies(body: &Map, errors: &mut Errors) {
    let root = Path::root("allowedTopologies");
    let mut seen: Vec<BTreeMap<&str, BTreeSet<&str>>> = Vec::new();
    for (idx, term) in maps(body, "allowedTopologies") {
        let path = root.index(idx);
        let path = path.child("matchLabelExpressions");
        let mut expressions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (idx, expression) in maps(term, "matchLabelExpressions") {
            let path = path.index(idx);
            let key = text(expression, "key");
            let mut values = BTreeSet::new();
            if list(expression, "values").is_empty() {
                path.child("values").required(errors, "");
            }
            for (idx, value) in texts(expression, "values") {
                if !values.insert(value) {
                    path.child("values").index(idx).duplicate(errors, value);
                }
            }
            named(key, names::qualified_name, &path.child("key"), errors);
            if expressions.insert(key, values).is_some() {
                path.child("key").duplicate(errors, key);
            }
        }
        for _ in seen.iter().filter(|it| **it == expressions) {
            path.duplicate(errors, "");
        }
        seen.push(expressions);
    }
}

fn warnings_of(body: &Map) -> Vec<String> {
    let mut res = Vec::new();
    for (i, term) in maps(body, "allowedTopologies") {
        for (j, expression) in maps(term, "matchLabelExpressions") {
            if let Some(message) = warnings::deprecated_label(text(expression, "key")) {
                res.push(format!("allowedTopologies[{i}].matchLabelExpressions[{j}].key: {message}"));
            }
        }
    }
    res
}
