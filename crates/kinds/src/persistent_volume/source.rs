//! Where a volume's data is.

use meta::{Errors, Problem, names};
use value::Map;

use crate::path::Path;
use crate::pod_template::fields::{child, has, named, opt_text, require, text};
use crate::pod_template::{paths, validate_csi_driver_name, validate_volume};

/// In the order in which upstream looks at them.
const KINDS: &[&str] = &[
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

/// The fields of a `PersistentVolumeSource` alone.
pub(super) fn only(spec: &Map) -> Map {
    spec.filtered(|key, value| KINDS.contains(&key) && !value.is_null())
}

/// Whether a path is another way to write `/`.
pub(super) fn is_root(path: &str) -> bool {
    let mut depth = 0_usize;
    if !path.starts_with('/') {
        return false;
    }
    for part in path.split('/') {
        match part {
            "" | "." => (),
            ".." => depth = depth.saturating_sub(1),
            _ => depth += 1,
        }
    }
    depth == 0
}

pub(super) fn validate(spec: &Map, name: &str, path: &Path<'_>, errors: &mut Errors) {
    let mut found = false;
    for kind in KINDS {
        let Some(source) = child(spec, kind) else { continue };
        // A flex volume may come on top of another.
        if found && *kind != "flexVolume" {
            path.child(if *kind == "cephfs" { "cephFS" } else { kind })
                .forbidden(errors, "may not specify more than 1 volume type");
            continue;
        }
        found = true;
        one(kind, source, name, path, errors);
        if *kind == "local" && !has(spec, "nodeAffinity") {
            path.child("nodeAffinity").required(errors, "Local volume requires node affinity");
        }
    }
    if !found {
        path.required(errors, "must specify a volume type");
    }
}

fn one(kind: &str, source: &Map, name: &str, volume: &Path<'_>, errors: &mut Errors) {
    let path = volume.child(kind);
    match kind {
        "local" => match text(source, "path") {
            "" => path.child("path").required(errors, ""),
            target => paths::no_backsteps(target, &path.child("path"), errors),
        },
        "csi" => {
            validate_csi_driver_name(text(source, "driver"), &path.child("driver"), errors);
            require(source, "volumeHandle", &path, errors);
            for key in [
                "controllerPublishSecretRef",
                "controllerExpandSecretRef",
                "nodePublishSecretRef",
                "nodeExpandSecretRef",
            ] {
                if let Some(secret) = child(source, key) {
                    secret_reference(secret, &path.child(key), errors);
                }
            }
        }
        "iscsi" => iscsi(source, name, volume, errors),
        _ => {
            validate_volume(kind, source, false, volume, errors);
            match kind {
                "cinder" | "storageos" => {
                    if let Some(secret) = child(source, "secretRef") {
                        require(secret, "namespace", &path.child("secretRef"), errors);
                    }
                }
                "azureFile" if opt_text(source, "secretNamespace") == Some("") => {
                    path.child("secretNamespace").required(errors, "");
                }
                "glusterfs" => {
                    let path = path.child("endpointsNamespace");
                    match opt_text(source, "endpointsNamespace") {
                        None => (),
                        Some("") => path.invalid(
                            errors,
                            "",
                            "if the endpointnamespace is set, it must be a valid namespace name",
                        ),
                        Some(namespace) => named(namespace, names::dns_label, &path, errors),
                    }
                }
                _ => (),
            }
        }
    }
}

fn secret_reference(secret: &Map, path: &Path<'_>, errors: &mut Errors) {
    for (key, check) in [("name", names::dns_subdomain as fn(&str) -> Vec<String>), ("namespace", names::dns_label)] {
        match text(secret, key) {
            "" => path.child(key).required(errors, ""),
            name => named(name, check, &path.child(key), errors),
        }
    }
}

/// As in a pod, with fewer words, and with a secret that may be anywhere.
fn iscsi(source: &Map, name: &str, volume: &Path<'_>, errors: &mut Errors) {
    const TOTAL_MAX: usize = 64;
    let path = volume.child("iscsi");
    let portal = text(source, "targetPortal");
    if has(source, "initiatorName") && name.len() + 1 + portal.len() > TOTAL_MAX {
        let detail = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";
        path.child("targetportal").invalid(errors, portal, detail);
    }
    let n_before = errors.list.len();
    validate_volume("iscsi", source, false, volume, errors);
    for error in errors.list.iter_mut().skip(n_before) {
        if matches!(error.problem, Problem::Invalid(_)) && error.detail.starts_with("must be valid format") {
            error.detail = "must be valid format".to_owned();
        }
    }
    if let Some(secret) = child(source, "secretRef") {
        require(secret, "name", &path.child("secretRef"), errors);
    }
}
