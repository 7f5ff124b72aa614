//! Volumes of storage systems, most of them long out of use.

use meta::{Errors, names};
use value::Map;

use super::fields::{child, flag, has, list, named, one_of, opt_text, require, text};
use super::paths;
use super::volumes::{in_range, is_empty};
use crate::path::Path;

/// One kind's own checks (`validate…VolumeSource`).
pub(super) fn source(kind: &str, source: &Map, path: &Path<'_>, errors: &mut Errors) {
    let required: &[&str] = match kind {
        "gitRepo" => &["repository"],
        "gcePersistentDisk" => &["pdName"],
        "awsElasticBlockStore" | "cinder" | "portworxVolume" => &["volumeID"],
        "glusterfs" => &["endpoints", "path"],
        "flexVolume" => &["driver"],
        "azureFile" => &["secretName", "shareName"],
        "vsphereVolume" => &["volumePath"],
        "photonPersistentDisk" => &["pdID"],
        "azureDisk" => &["diskName", "diskURI"],
        "scaleIO" => &["gateway", "system", "volumeName"],
        _ => &[],
    };
    for key in required {
        require(source, key, path, errors);
    }
    match kind {
        "gitRepo" => paths::descending(text(source, "directory"), &path.child("directory"), errors),
        // Upstream allows 0 (no partition) and says 1.
        "gcePersistentDisk" | "awsElasticBlockStore" => in_range(source, "partition", 0, 255, 1, path, errors),
        "iscsi" => iscsi(source, path, errors),
        "flocker" => flocker(source, path, errors),
        "rbd" => {
            if is_empty(source, "monitors") {
                path.child("monitors").required(errors, "");
            }
            require(source, "image", path, errors);
        }
        "cephfs" if is_empty(source, "monitors") => path.child("monitors").required(errors, ""),
        "cinder" => secret_name(source, path, errors),
        "quobyte" => quobyte(source, path, errors),
        "fc" => fibre_channel(source, path, errors),
        "flexVolume" => flex(source, path, errors),
        "azureDisk" => azure_disk(source, path, errors),
        "storageos" => storage_os(source, path, errors),
        _ => (),
    }
}

fn secret_name(source: &Map, path: &Path<'_>, errors: &mut Errors) {
    if child(source, "secretRef").is_some_and(|it| text(it, "name").is_empty()) {
        path.child("secretRef.name").required(errors, "");
    }
}

fn iscsi(source: &Map, path: &Path<'_>, errors: &mut Errors) {
    require(source, "targetPortal", path, errors);
    match text(source, "iqn") {
        "" => path.child("iqn").required(errors, ""),
        name => initiator(name, &path.child("iqn"), errors),
    }
    in_range(source, "lun", 0, 255, 0, path, errors);
    if (flag(source, "chapAuthDiscovery") || flag(source, "chapAuthSession")) && !has(source, "secretRef") {
        path.child("secretRef").required(errors, "");
    }
    if let Some(name) = opt_text(source, "initiatorName") {
        initiator(name, &path.child("initiatorname"), errors);
    }
}

fn initiator(name: &str, path: &Path<'_>, errors: &mut Errors) {
    let hex = |rest: Option<&str>, length: usize| {
        // Upstream's pattern has an unescaped dot: any character may follow the three letters.
        rest.is_some_and(|it| it.chars().count() == length + 1 && it.chars().skip(1).all(|c| c.is_ascii_alphanumeric()))
    };
    let valid = match name.get(..3) {
        Some("iqn") => is_iqn(name),
        Some("eui") => hex(name.get(3..), 16),
        Some("naa") => hex(name.get(3..), 32),
        _ => return path.invalid(errors, name, "must be valid format starting with iqn, eui, or naa"),
    };
    if !valid {
        path.invalid(errors, name, "must be valid format");
    }
}

/// `iqn.2015-02.example.com:any.name`
fn is_iqn(name: &str) -> bool {
    let Some((head, tail)) = name.split_once(':') else { return false };
    let Some((date, authority)) = head.strip_prefix("iqn.").and_then(|it| it.split_once('.')) else { return false };
    let date = date.as_bytes();
    let dated = date.len() == 7
        && date.iter().enumerate().all(|(idx, c)| if idx == 4 { *c == b'-' } else { c.is_ascii_digit() });
    let authority_valid =
        !authority.is_empty() && authority.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.'));
    let tail_valid = !tail.is_empty() && !tail.contains(|c: char| ",;*&$|".contains(c) || c.is_ascii_whitespace());
    dated && authority_valid && tail_valid
}

fn flocker(source: &Map, path: &Path<'_>, errors: &mut Errors) {
    let (name, id) = (text(source, "datasetName"), text(source, "datasetUUID"));
    if name.is_empty() && id.is_empty() {
        path.required(errors, "one of datasetName and datasetUUID is required");
    }
    if !name.is_empty() && !id.is_empty() {
        path.invalid(errors, "resource", "datasetName and datasetUUID can not be specified simultaneously");
    }
    if name.contains('/') {
        path.child("datasetName").invalid(errors, name, "must not contain '/'");
    }
}

fn quobyte(source: &Map, path: &Path<'_>, errors: &mut Errors) {
    const PAIRS: &str = "must be a host:port pair or multiple pairs separated by commas";
    let registry = text(source, "registry");
    if registry.is_empty() {
        path.child("registry").required(errors, PAIRS);
    } else if text(source, "tenant").len() > 64 {
        path.child("tenant").required(errors, "must be a UUID and may not exceed a length of 64 characters");
    } else {
        for pair in registry.split(',') {
            if !is_host_port(pair) {
                path.child("registry").invalid(errors, registry, PAIRS);
            }
        }
    }
    require(source, "volume", path, errors);
}

/// Go's `net.SplitHostPort`: one colon, or brackets around a host with several.
fn is_host_port(text: &str) -> bool {
    match text.strip_prefix('[') {
        Some(rest) => rest
            .split_once("]:")
            .is_some_and(|(host, port)| !host.contains(['[', ']']) && !port.contains([':', '[', ']'])),
        None => text.matches(':').count() == 1 && !text.contains(['[', ']']),
    }
}

fn fibre_channel(source: &Map, path: &Path<'_>, errors: &mut Errors) {
    let (names, ids) = (list(source, "targetWWNs"), list(source, "wwids"));
    if names.is_empty() && ids.is_empty() {
        path.child("targetWWNs").required(errors, "must specify either targetWWNs or wwids, but not both");
    }
    if !names.is_empty() && !ids.is_empty() {
        let bad = source.get("targetWWNs").cloned().unwrap_or_default();
        path.child("targetWWNs").invalid(errors, bad, "targetWWNs and wwids can not be specified simultaneously");
    }
    if !names.is_empty() {
        if has(source, "lun") {
            in_range(source, "lun", 0, 255, 0, path, errors);
        } else {
            path.child("lun").required(errors, "lun is required if targetWWNs is specified");
        }
    }
}

fn flex(source: &Map, path: &Path<'_>, errors: &mut Errors) {
    for (key, _) in child(source, "options").into_iter().flat_map(super::fields::pairs) {
        let namespace = key.split_once('/').map_or(key, |(it, _)| it).to_lowercase();
        let reserved =
            |domain: &str| namespace.strip_suffix(domain).is_some_and(|it| it.is_empty() || it.ends_with('.'));
        if reserved("kubernetes.io") || reserved("k8s.io") {
            let path = path.child("options");
            path.key(key).invalid(errors, key, "kubernetes.io and k8s.io namespaces are reserved");
        }
    }
}

fn azure_disk(source: &Map, path: &Path<'_>, errors: &mut Errors) {
    if let Some(mode) = opt_text(source, "cachingMode") {
        one_of(mode, &["None", "ReadOnly", "ReadWrite"], &path.child("cachingMode"), errors);
    }
    let Some(kind) = opt_text(source, "kind") else { return };
    one_of(kind, &["Dedicated", "Managed", "Shared"], &path.child("kind"), errors);
    let (prefix, supported) = match kind {
        "Managed" => (
            "/subscriptions/",
            "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}",
        ),
        _ => ("https://", "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"),
    };
    let uri = text(source, "diskURI");
    if !uri.starts_with(prefix) {
        path.child("diskURI").not_supported(errors, uri, &[supported]);
    }
}

fn storage_os(source: &Map, path: &Path<'_>, errors: &mut Errors) {
    match text(source, "volumeName") {
        "" => path.child("volumeName").required(errors, ""),
        name => named(name, names::dns_label, &path.child("volumeName"), errors),
    }
    let namespace = text(source, "volumeNamespace");
    if !namespace.is_empty() {
        named(namespace, names::dns_label, &path.child("volumeNamespace"), errors);
    }
    secret_name(source, path, errors);
}
