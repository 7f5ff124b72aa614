//! Claims: templates of volume claims inside pods, and resource claims.

use std::collections::BTreeSet;

use meta::{Errors, Metadata, names};
use value::Map;

use super::fields::{child, child_or_empty, has, list, maps, named, one_of, opt_text, require, text, texts};
use super::{internal, labels, resources};
use crate::path::Path;

/// `ValidatePersistentVolumeClaimTemplate`
pub(super) fn template(template: &Map, path: &Path<'_>, errors: &mut Errors) {
    let metadata = child_or_empty(template, "metadata");
    let meta_path = path.child("metadata");
    if let Some(it) = child(metadata, "annotations") {
        super::annotations::validate(it, &meta_path.child("annotations"), errors);
    }
    if let Some(it) = child(metadata, "labels") {
        labels::validate(it, &meta_path.child("labels"), errors);
    }
    const OTHERS: &[&str] = &[
        "name",
        "generateName",
        "namespace",
        "selfLink",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "ownerReferences",
        "finalizers",
        "managedFields",
    ];
    for key in OTHERS {
        if has(metadata, key) {
            let shown = if *key == "uid" { "uID" } else { key };
            meta_path.child(shown).forbidden(errors, "cannot be set");
        }
    }
    claim_spec(child_or_empty(template, "spec"), &path.child("spec"), errors);
}

/// `ValidatePersistentVolumeClaimSpec` of a new claim.
pub fn claim_spec(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    access_modes(spec, "at least 1 access mode is required", &path.child("accessModes"), errors);
    labels::validate_selector(child(spec, "selector"), &path.child("selector"), errors);
    storage_request(spec, path, errors);
    if let Some(class) = opt_text(spec, "storageClassName").filter(|it| !it.is_empty()) {
        named(class, names::dns_subdomain, &path.child("storageClassName"), errors);
    }
    if let Some(mode) = opt_text(spec, "volumeMode") {
        one_of(mode, &["Block", "Filesystem"], &path.child("volumeMode"), errors);
    }
    let (source, reference) = (child(spec, "dataSource"), child(spec, "dataSourceRef"));
    if let Some(it) = source {
        data_source(it, &path.child("dataSource"), errors);
    }
    if let Some(it) = reference {
        data_source(it, &path.child("dataSourceRef"), errors);
        if let Some(namespace) = opt_text(it, "namespace").filter(|it| !it.is_empty()) {
            named(namespace, names::dns_label, &path.child("dataSourceRef.namespace"), errors);
        }
    }
    if let (Some(source), Some(reference)) = (source, reference) {
        let same = |key: &str| text(source, key) == text(reference, key);
        // Upstream gives a path as the bad value, and it has no JSON form of its own.
        let bad = value::Map::new();
        if !text(reference, "namespace").is_empty() {
            path.invalid(errors, bad, "may not be specified when dataSourceRef.namespace is specified");
        } else if !(same("apiGroup") && same("kind") && same("name")) {
            path.invalid(errors, bad, "must match dataSourceRef");
        }
    }
    if let Some(class) = opt_text(spec, "volumeAttributesClassName").filter(|it| !it.is_empty()) {
        named(class, names::dns_subdomain, &path.child("volumeAttributesClassName"), errors);
    }
}

/// The modes are known ones and go together; `needed` says why there must be one.
pub(crate) fn access_modes(spec: &Map, needed: &str, path: &Path<'_>, errors: &mut Errors) {
    const MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
    if list(spec, "accessModes").is_empty() {
        path.required(errors, needed);
    }
    let (mut alone, mut shared) = (false, false);
    for (_, mode) in texts(spec, "accessModes") {
        one_of(mode, MODES, path, errors);
        match mode {
            "ReadWriteOncePod" => alone = true,
            _ => shared |= MODES.contains(&mode),
        }
    }
    if alone && shared {
        path.forbidden(errors, "may not use ReadWriteOncePod with other access modes");
    }
}

fn storage_request(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let requests = child_or_empty(child_or_empty(spec, "resources"), "requests");
    let path = path.child("resources");
    let path = path.key("storage");
    match opt_text(requests, "storage") {
        None => path.required(errors, ""),
        Some(amount) if resources::is_zero(amount) || resources::is_negative(amount) => {
            path.invalid(errors, amount, "must be greater than zero");
        }
        Some(_) => (),
    }
}

fn data_source(source: &Map, path: &Path<'_>, errors: &mut Errors) {
    require(source, "name", path, errors);
    require(source, "kind", path, errors);
    let (group, kind) = (text(source, "apiGroup"), text(source, "kind"));
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        path.invalid(errors, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
    }
    if !group.is_empty() {
        named(group, names::dns_subdomain, &path.child("apiGroup"), errors);
    }
}

/// `validatePodResourceClaims`
pub(super) fn resource_claims(spec: &Map, meta: Option<&Metadata>, path: &Path<'_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (idx, claim) in maps(spec, "resourceClaims") {
        let path = path.index(idx);
        if meta.is_some_and(|it| it.annotation(super::annotations::MIRROR).is_some()) {
            Path::root("").forbidden(errors, "static pods do not support resource claims");
            continue;
        }
        match text(claim, "name") {
            "" => path.child("name").required(errors, ""),
            name if !seen.insert(name) => path.child("name").duplicate(errors, name),
            name => named(name, names::dns_label, &path.child("name"), errors),
        }
        let ways = ["resourceClaimName", "resourceClaimTemplateName"];
        let bad = || internal::bad_value(claim, "PodResourceClaim");
        match ways.iter().filter(|key| has(claim, key)).count() {
            0 => path.invalid(errors, bad(), "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"),
            1 => (),
            _ => path.invalid(
                errors,
                bad(),
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified",
            ),
        }
        for key in ways {
            if let Some(name) = opt_text(claim, key) {
                named(name, names::dns_subdomain, &path.child(key), errors);
            }
        }
    }
}
