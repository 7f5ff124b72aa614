//! Volumes of a pod: their names, and that each is of exactly one kind.

use std::collections::{BTreeMap, BTreeSet};

use meta::{Errors, Metadata, names};
use value::Map;

use super::fields::{child, has, int, list, maps, named, one_of, opt_int, opt_text, require, text};
use super::{claims, containers, old_volumes, paths, projected, resources};
use crate::path::Path;

/// `ValidateVolumes`: answers those that have no problem, by name.
pub(super) fn volumes<'a>(
    spec: &'a Map,
    meta: Option<&Metadata>,
    path: &Path<'_>,
    errors: &mut Errors,
) -> BTreeMap<&'a str, &'a Map> {
    let pod_name = meta.map(|it| it.name.as_str()).filter(|it| !it.is_empty());
    let mut created = BTreeSet::new();
    if let Some(pod_name) = pod_name {
        let ephemeral = maps(spec, "volumes").filter(|(_, it)| has(it, "ephemeral"));
        created.extend(ephemeral.map(|(_, it)| format!("{pod_name}-{}", text(it, "name"))));
    }
    let mut valid = BTreeMap::new();
    for (idx, volume) in maps(spec, "volumes") {
        let path = path.index(idx);
        let n_before = errors.list.len();
        let name = text(volume, "name");
        source(volume, pod_name, meta.is_some(), &path, errors);
        match name {
            "" => path.child("name").required(errors, ""),
            _ => named(name, names::dns_label, &path.child("name"), errors),
        }
        if valid.contains_key(name) {
            path.child("name").duplicate(errors, name);
        }
        if errors.list.len() == n_before {
            valid.insert(name, volume);
        }
        let claim = child(volume, "persistentVolumeClaim").map_or("", |it| text(it, "claimName"));
        if created.contains(claim) {
            let detail = "must not reference a PVC that gets created for an ephemeral volume";
            path.child("persistentVolumeClaim.claimName").invalid(errors, claim, detail);
        }
    }
    valid
}

/// The kinds in the order in which upstream looks at them.
const KINDS: &[&str] = &[
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];

/// `validateVolumeSource`
fn source(volume: &Map, pod_name: Option<&str>, is_pod: bool, path: &Path<'_>, errors: &mut Errors) {
    let name = text(volume, "name");
    let mut found = false;
    for kind in KINDS {
        let Some(source) = child(volume, kind) else { continue };
        if found {
            // Upstream's names of these paths differ from the fields'.
            let shown = match *kind {
                "cephfs" => "cephFS",
                "downwardAPI" => "downwarAPI",
                kind => kind,
            };
            path.child(shown).forbidden(errors, "may not specify more than 1 volume type");
        } else {
            one_source(kind, source, is_pod, path, errors);
        }
        if *kind == "iscsi" && has(source, "initiatorName") && name.len() + 1 + text(source, "targetPortal").len() > 64
        {
            let detail = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";
            path.child("name").invalid(errors, name, detail);
        }
        if *kind == "ephemeral"
            && !found
            && let Some(pod_name) = pod_name
            && !name.is_empty()
        {
            let claim = format!("{pod_name}-{name}");
            for message in names::dns_subdomain(&claim) {
                path.child("name").invalid(errors, name, &format!("PVC name {}: {message}", meta::quoted(&claim)));
            }
        }
        found = true;
    }
    if !found {
        path.required(errors, "must specify a volume type");
    }
}

/// What one kind of volume says of itself; `volume` is the path above it.
pub(crate) fn one_source(kind: &str, source: &Map, is_pod: bool, volume: &Path<'_>, errors: &mut Errors) {
    let path = volume.child(if kind == "gcePersistentDisk" { "persistentDisk" } else { kind });
    match kind {
        "emptyDir" => {
            if opt_text(source, "sizeLimit").is_some_and(resources::is_negative) {
                path.child("sizeLimit").forbidden(errors, "SizeLimit field must be a valid resource quantity");
            }
        }
        "hostPath" => host_path(source, &path, errors),
        "secret" => {
            require(source, "secretName", &path, errors);
            files_of_keys(source, &path, errors);
        }
        "configMap" => {
            require(source, "name", &path, errors);
            files_of_keys(source, &path, errors);
        }
        "nfs" => {
            require(source, "server", &path, errors);
            require(source, "path", &path, errors);
            let target = text(source, "path");
            if !target.starts_with('/') {
                path.child("path").invalid(errors, target, "must be an absolute path");
            }
        }
        "persistentVolumeClaim" => require(source, "claimName", &path, errors),
        "downwardAPI" => projected::downward_api(source, &path, errors),
        "projected" => projected::projected(source, &path, errors),
        "csi" => csi(source, &path, errors),
        "ephemeral" => match child(source, "volumeClaimTemplate") {
            None => path.child("volumeClaimTemplate").required(errors, ""),
            Some(template) => claims::template(template, &path.child("volumeClaimTemplate"), errors),
        },
        "image" => {
            if is_pod {
                require(source, "reference", &path, errors);
            }
            containers::pull_policy(text(source, "pullPolicy"), &path.child("pullPolicy"), errors);
        }
        _ => old_volumes::source(kind, source, &path, errors),
    }
}

fn host_path(source: &Map, path: &Path<'_>, errors: &mut Errors) {
    let target = text(source, "path");
    if target.is_empty() {
        return path.child("path").required(errors, "");
    }
    paths::no_backsteps(target, &path.child("path"), errors);
    if let Some(kind) = opt_text(source, "type") {
        const KINDS: &[&str] =
            &["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
        one_of(kind, KINDS, &path.child("type"), errors);
    }
}

/// A mode of files: `defaultMode` or `mode`.
pub(super) fn mode(source: &Map, key: &str, path: &Path<'_>, errors: &mut Errors) {
    if let Some(mode) = opt_int(source, key).filter(|it| !(0..=0o777).contains(it)) {
        path.child(key).invalid(errors, mode, "must be a number between 0 and 0777 (octal), both inclusive");
    }
}

fn files_of_keys(source: &Map, path: &Path<'_>, errors: &mut Errors) {
    mode(source, "defaultMode", path, errors);
    for (idx, item) in maps(source, "items") {
        key_to_path(item, &path.child("items").index(idx), errors);
    }
}

/// `validateKeyToPath`
pub(super) fn key_to_path(item: &Map, path: &Path<'_>, errors: &mut Errors) {
    require(item, "key", path, errors);
    require(item, "path", path, errors);
    paths::non_reserved(text(item, "path"), &path.child("path"), errors);
    mode(item, "mode", path, errors);
}

fn csi(source: &Map, path: &Path<'_>, errors: &mut Errors) {
    driver_name(text(source, "driver"), &path.child("driver"), errors);
    if let Some(secret) = child(source, "nodePublishSecretRef") {
        match text(secret, "name") {
            "" => path.child("nodePublishSecretRef.name").required(errors, ""),
            name => named(name, names::dns_subdomain, &path.child("name"), errors),
        }
    }
}

/// `ValidateCSIDriverName`
pub fn driver_name(name: &str, path: &Path<'_>, errors: &mut Errors) {
    if name.is_empty() {
        return path.required(errors, "");
    }
    if name.len() > 63 {
        path.too_long(errors, 63);
    }
    path.invalid_each(errors, name, &names::dns_subdomain(&name.to_lowercase()));
}

/// A number in a range that upstream names with words of its own.
pub(super) fn in_range(
    source: &Map,
    key: &str,
    low: i64,
    high: i64,
    shown_low: i64,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let number = int(source, key);
    if !(low..=high).contains(&number) {
        path.child(key).invalid(errors, number, &names::inclusive_range(shown_low, high));
    }
}

/// Whether a list has nothing in it.
pub(super) fn is_empty(source: &Map, key: &str) -> bool {
    list(source, key).is_empty()
}
