//! Volumes made of fields, secrets and tokens.

use std::collections::BTreeSet;

use meta::Errors;
use value::Map;

use super::env::{self, Shown};
use super::fields::{child, int, maps, require, text};
use super::{paths, volumes};
use crate::path::Path;

/// `validateDownwardAPIVolumeSource`; problems of files carry the path of the volume.
pub(super) fn downward_api(source: &Map, path: &Path<'_>, errors: &mut Errors) {
    volumes::mode(source, "defaultMode", path, errors);
    for (_, file) in maps(source, "items") {
        downward_file(file, path, errors);
    }
}

fn downward_file(file: &Map, path: &Path<'_>, errors: &mut Errors) {
    require(file, "path", path, errors);
    paths::non_reserved(text(file, "path"), &path.child("path"), errors);
    match (child(file, "fieldRef"), child(file, "resourceFieldRef")) {
        (Some(field), resource) => {
            env::field_ref(field, Shown::File, &path.child("fieldRef"), errors);
            if resource.is_some() {
                path.invalid(errors, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
            }
        }
        (None, Some(resource)) => {
            env::resource_field_ref(resource, Shown::File, &path.child("resourceFieldRef"), errors)
        }
        (None, None) => path.required(errors, "one of fieldRef and resourceFieldRef is required"),
    }
    volumes::mode(file, "mode", path, errors);
}

/// `validateProjectedVolumeSource`
pub(super) fn projected(volume: &Map, path: &Path<'_>, errors: &mut Errors) {
    volumes::mode(volume, "defaultMode", path, errors);
    let mut taken = BTreeSet::new();
    for (idx, source) in maps(volume, "sources") {
        let item = path.child("sources");
        let item = item.index(idx);
        let mut n_sources = 0;
        for key in ["secret", "configMap"] {
            if let Some(it) = child(source, key) {
                n_sources += 1;
                keys(it, &mut taken, &item.child(key), path, errors);
            }
        }
        if let Some(it) = child(source, "downwardAPI") {
            n_sources += 1;
            for (_, file) in maps(it, "items") {
                downward_file(file, &item.child("downwardAPI"), errors);
                let target = text(file, "path");
                if !target.is_empty() && !taken.insert(target) {
                    path.invalid(errors, target, "conflicting duplicate paths");
                }
            }
        }
        if let Some(it) = child(source, "serviceAccountToken") {
            n_sources += 1;
            token(it, &item.child("serviceAccountToken"), path, errors);
        }
        if n_sources > 1 {
            item.forbidden(errors, "may not specify more than 1 volume type per source");
        }
    }
}

fn keys<'a>(source: &'a Map, taken: &mut BTreeSet<&'a str>, item: &Path<'_>, volume: &Path<'_>, errors: &mut Errors) {
    require(source, "name", item, errors);
    for (idx, key) in maps(source, "items") {
        volumes::key_to_path(key, &item.child("items").index(idx), errors);
        let target = text(key, "path");
        if !target.is_empty() && !taken.insert(target) {
            volume.invalid(errors, text(source, "name"), "conflicting duplicate paths");
        }
    }
}

/// Problems of the token's path carry the path of the volume.
fn token(token: &Map, item: &Path<'_>, volume: &Path<'_>, errors: &mut Errors) {
    const SECONDS_MIN: i64 = 600;
    const SECONDS_MAX: i64 = 1 << 32;
    let seconds = int(token, "expirationSeconds");
    if seconds < SECONDS_MIN {
        item.child("expirationSeconds").invalid(errors, seconds, "may not specify a duration less than 10 minutes");
    }
    if seconds > SECONDS_MAX {
        item.child("expirationSeconds").invalid(errors, seconds, "may not specify a duration larger than 2^32 seconds");
    }
    match text(token, "path") {
        "" => volume.child("path").required(errors, ""),
        target => paths::non_reserved(target, &volume.child("path"), errors),
    }
}
