//! Volume mounts and block devices of a container.

use std::collections::{BTreeMap, BTreeSet};

use meta::Errors;
use value::Map;

use super::fields::{child, flag, has, maps, one_of, opt_text, require, text};
use super::paths;
use crate::path::Path;

/// `ValidateVolumeMounts`
pub(super) fn mounts(container: &Map, volumes: &BTreeMap<&str, &Map>, path: &Path<'_>, errors: &mut Errors) {
    // The last device of a name counts, as in upstream's map.
    let devices: BTreeMap<&str, &str> =
        maps(container, "volumeDevices").map(|(_, it)| (text(it, "name"), text(it, "devicePath"))).collect();
    let device_paths: BTreeSet<&str> = devices.values().copied().collect();
    let mut seen = BTreeSet::new();
    for (idx, mount) in maps(container, "volumeMounts") {
        let item = path.index(idx);
        let (name, target) = (text(mount, "name"), text(mount, "mountPath"));
        require(mount, "name", &item, errors);
        if !volumes.contains_key(name) {
            item.child("name").not_found(errors, name);
        }
        require(mount, "mountPath", &item, errors);
        if !seen.insert(target) {
            item.child("mountPath").invalid(errors, target, "must be unique");
        }
        if devices.contains_key(name) {
            item.child("name").invalid(errors, name, "must not already exist in volumeDevices");
        }
        if device_paths.contains(target) {
            item.child("mountPath").invalid(errors, target, "must not already exist as a path in volumeDevices");
        }
        sub_paths(mount, path, &item, errors);
        propagation(mount, container, path, errors);
    }
}

/// Upstream reports these at the list and not at the item.
fn sub_paths(mount: &Map, path: &Path<'_>, item: &Path<'_>, errors: &mut Errors) {
    let (plain, expression) = (text(mount, "subPath"), text(mount, "subPathExpr"));
    if !plain.is_empty() {
        paths::descending(plain, &path.child("subPath"), errors);
    }
    if !expression.is_empty() {
        if !plain.is_empty() {
            item.child("subPathExpr").invalid(errors, expression, "subPathExpr and subPath are mutually exclusive");
        }
        paths::descending(expression, &path.child("subPathExpr"), errors);
    }
}

/// `validateMountPropagation` and `validateMountRecursiveReadOnly`
fn propagation(mount: &Map, container: &Map, path: &Path<'_>, errors: &mut Errors) {
    let mode = opt_text(mount, "mountPropagation");
    if let Some(mode) = mode {
        let path = path.child("mountPropagation");
        one_of(mode, &["Bidirectional", "HostToContainer", "None"], &path, errors);
        let privileged = child(container, "securityContext").is_some_and(|it| flag(it, "privileged"));
        if mode == "Bidirectional" && !privileged {
            path.forbidden(errors, "Bidirectional mount propagation is available only to privileged containers");
        }
    }
    let path = path.child("recursiveReadOnly");
    match opt_text(mount, "recursiveReadOnly") {
        None | Some("Disabled") => (),
        Some("Enabled" | "IfPossible") => {
            if !flag(mount, "readOnly") {
                path.forbidden(errors, "may only be specified when readOnly is true");
            }
            if mode.is_some_and(|it| it != "None") {
                path.forbidden(errors, "may only be specified when mountPropagation is None or not specified");
            }
        }
        Some(other) => path.not_supported(errors, other, &["Disabled", "Enabled", "IfPossible"]),
    }
}

/// `ValidateVolumeDevices`
pub(super) fn devices(container: &Map, volumes: &BTreeMap<&str, &Map>, path: &Path<'_>, errors: &mut Errors) {
    let mounts: BTreeMap<&str, &str> =
        maps(container, "volumeMounts").map(|(_, it)| (text(it, "name"), text(it, "mountPath"))).collect();
    let mount_paths: BTreeSet<&str> = mounts.values().copied().collect();
    let (mut names, mut targets) = (BTreeSet::new(), BTreeSet::new());
    for (idx, device) in maps(container, "volumeDevices") {
        let path = path.index(idx);
        let (name, target) = (text(device, "name"), text(device, "devicePath"));
        let name_path = path.child("name");
        let target_path = path.child("devicePath");
        require(device, "name", &path, errors);
        if names.contains(name) {
            name_path.invalid(errors, name, "must be unique");
        }
        match volumes.get(name) {
            None => name_path.not_found(errors, name),
            Some(volume) if !has(volume, "persistentVolumeClaim") && !has(volume, "ephemeral") => {
                let detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                name_path.invalid(errors, name, detail);
            }
            Some(_) => (),
        }
        require(device, "devicePath", &path, errors);
        if targets.contains(target) {
            target_path.invalid(errors, target, "must be unique");
        }
        if paths::has_backsteps(target) {
            target_path.invalid(errors, target, "can not contain backsteps ('..')");
        } else {
            targets.insert(target);
        }
        if mounts.contains_key(name) {
            name_path.invalid(errors, name, "must not already exist in volumeMounts");
        }
        if mount_paths.contains(target) {
            target_path.invalid(errors, target, "must not already exist as a path in volumeMounts");
        }
        if !name.is_empty() {
            names.insert(name);
        }
    }
}
