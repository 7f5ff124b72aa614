//! Environment variables and the fields of pods that they and files may show.

use std::collections::BTreeMap;

use meta::{Errors, names};
use value::Map;

use super::fields::{child, maps, named, opt_text, require, text};
use super::resources;
use crate::path::Path;

const ENV_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

const FILE_FIELDS: &[&str] =
    &["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

const RESOURCE_FIELDS: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

/// Where a field is shown: environment variables know other fields than files do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Env,
    File,
}

/// `ValidateEnv`
pub(super) fn env(container: &Map, path: &Path<'_>, errors: &mut Errors) {
    for (idx, variable) in maps(container, "env") {
        let path = path.index(idx);
        match text(variable, "name") {
            "" => path.child("name").required(errors, ""),
            name => named(name, names::env_var_name, &path.child("name"), errors),
        }
        if let Some(source) = child(variable, "valueFrom") {
            value_from(source, text(variable, "value"), &path.child("valueFrom"), errors);
        }
    }
}

fn value_from(source: &Map, value: &str, path: &Path<'_>, errors: &mut Errors) {
    let mut n_sources = 0;
    if let Some(it) = child(source, "fieldRef") {
        n_sources += 1;
        field_ref(it, Shown::Env, &path.child("fieldRef"), errors);
    }
    if let Some(it) = child(source, "resourceFieldRef") {
        n_sources += 1;
        resource_field_ref(it, Shown::Env, &path.child("resourceFieldRef"), errors);
    }
    for key in ["configMapKeyRef", "secretKeyRef"] {
        if let Some(it) = child(source, key) {
            n_sources += 1;
            key_ref(it, &path.child(key), errors);
        }
    }
    if let Some(it) = child(source, "fileKeyRef") {
        n_sources += 1;
        file_key_ref(it, &path.child("fileKeyRef"), errors);
    }
    if n_sources == 0 {
        path.invalid(
            errors,
            "",
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        );
    } else if !value.is_empty() {
        path.invalid(errors, "", "may not be specified when `value` is not empty");
    } else if n_sources > 1 {
        path.invalid(errors, "", "may not have more than one field specified at a time");
    }
}

fn key_ref(selector: &Map, path: &Path<'_>, errors: &mut Errors) {
    named(text(selector, "name"), names::dns_subdomain, &path.child("name"), errors);
    match text(selector, "key") {
        "" => path.child("key").required(errors, ""),
        key => named(key, names::config_map_key, &path.child("key"), errors),
    }
}

fn file_key_ref(selector: &Map, path: &Path<'_>, errors: &mut Errors) {
    match text(selector, "key") {
        "" => path.child("key").required(errors, ""),
        key => named(key, names::env_var_name, &path.child("key"), errors),
    }
    match text(selector, "volumeName") {
        "" => path.child("volumeName").required(errors, ""),
        name => named(name, names::dns_label, &path.child("volumeName"), errors),
    }
    match text(selector, "path") {
        "" => path.child("path").required(errors, ""),
        it => super::paths::no_backsteps(it, &path.child("path"), errors),
    }
}

/// `validateObjectFieldSelector`
pub(super) fn field_ref(selector: &Map, shown: Shown, path: &Path<'_>, errors: &mut Errors) {
    let version = text(selector, "apiVersion");
    if version.is_empty() {
        return path.child("apiVersion").required(errors, "");
    }
    let field = text(selector, "fieldPath");
    if field.is_empty() {
        return path.child("fieldPath").required(errors, "");
    }
    let field = match converted(version, field) {
        Ok(field) => field,
        Err(problem) => {
            return path.child("fieldPath").invalid(errors, field, &format!("error converting fieldPath: {problem}"));
        }
    };
    match subscripted(field) {
        Some(("metadata.annotations", key)) => named(&key.to_lowercase(), names::qualified_name, path, errors),
        Some((_, key)) => named(key, names::qualified_name, path, errors),
        None => {
            let supported = if shown == Shown::Env { ENV_FIELDS } else { FILE_FIELDS };
            super::fields::one_of(field, supported, &path.child("fieldPath"), errors);
        }
    }
}

/// `ConvertDownwardAPIFieldLabel`
fn converted<'a>(version: &str, field: &'a str) -> Result<&'a str, String> {
    if version != "v1" {
        return Err(format!("unsupported pod version: {version}"));
    }
    match subscripted(field) {
        Some(("metadata.annotations" | "metadata.labels", _)) => return Ok(field),
        Some(_) => return Err(format!("field label does not support subscript: {field}")),
        None => (),
    }
    let known = ENV_FIELDS.contains(&field)
        || FILE_FIELDS.contains(&field)
        || matches!(field, "spec.restartPolicy" | "spec.schedulerName" | "status.phase");
    match field {
        "spec.host" => Ok("spec.nodeName"),
        _ if known => Ok(field),
        _ => Err(format!("field label not supported: {field}")),
    }
}

/// `metadata.labels['app']` as its two parts.
fn subscripted(field: &str) -> Option<(&str, &str)> {
    field.strip_suffix("']")?.split_once("['").filter(|(path, _)| !path.is_empty())
}

/// `validateContainerResourceFieldSelector`
pub(super) fn resource_field_ref(selector: &Map, shown: Shown, path: &Path<'_>, errors: &mut Errors) {
    let resource = text(selector, "resource");
    let huge_pages = resource.starts_with("requests.hugepages-") || resource.starts_with("limits.hugepages-");
    if shown == Shown::File && text(selector, "containerName").is_empty() {
        path.child("containerName").required(errors, "");
    } else if resource.is_empty() {
        path.child("resource").required(errors, "");
    } else if !huge_pages {
        super::fields::one_of(resource, RESOURCE_FIELDS, &path.child("resource"), errors);
    }
    divisor(selector, resource, huge_pages, path, errors);
}

fn divisor(selector: &Map, resource: &str, huge_pages: bool, path: &Path<'_>, errors: &mut Errors) {
    const BYTES: &[&str] = &["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
    let Some(divisor) = opt_text(selector, "divisor").filter(|it| !resources::is_zero(it)) else { return };
    let (supported, name): (&[&str], &str) = match resource {
        "limits.cpu" | "requests.cpu" => {
            if !["1m", "1"].contains(&divisor) {
                path.child("divisor").invalid(
                    errors,
                    resource,
                    "only divisor's values 1m and 1 are supported with the cpu resource",
                );
            }
            return;
        }
        "limits.memory" | "requests.memory" => (BYTES, "memory"),
        "limits.ephemeral-storage" | "requests.ephemeral-storage" => (BYTES, "local ephemeral storage"),
        _ if huge_pages => (BYTES, "hugepages"),
        _ => return,
    };
    if !supported.contains(&divisor) {
        let detail = format!("only divisor's values {} are supported with the {name} resource", supported.join(", "));
        path.child("divisor").invalid(errors, resource, &detail);
    }
}

/// `ValidateEnvFrom`
pub(super) fn env_from(container: &Map, path: &Path<'_>, errors: &mut Errors) {
    for (idx, source) in maps(container, "envFrom") {
        let item = path.index(idx);
        let prefix = text(source, "prefix");
        if !prefix.is_empty() {
            named(prefix, names::env_var_name, &item.child("prefix"), errors);
        }
        let mut n_sources = 0;
        for key in ["configMapRef", "secretRef"] {
            if let Some(reference) = child(source, key) {
                n_sources += 1;
                named_reference(reference, &item.child(key), errors);
            }
        }
        match n_sources {
            0 => path.invalid(errors, "", "must specify one of: `configMapRef` or `secretRef`"),
            1 => (),
            _ => path.invalid(errors, "", "may not have more than one field specified at a time"),
        }
    }
}

fn named_reference(reference: &Map, path: &Path<'_>, errors: &mut Errors) {
    match text(reference, "name") {
        "" => require(reference, "name", path, errors),
        // Upstream asks as for a prefix of a name, so a dash may be the last character.
        name => path.child("name").invalid_each(errors, name, &crate::subdomain_name(name, true)),
    }
}

/// `validateFileKeyRefVolumes`: variables from files need a volume that is an empty directory.
pub(super) fn file_volumes(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let mut volumes: Option<BTreeMap<&str, &Map>> = None;
    super::fields::each_container(spec, path, &mut |container, path| {
        for (idx, variable) in maps(container, "env") {
            let Some(file) = child(variable, "valueFrom").and_then(|it| child(it, "fileKeyRef")) else { continue };
            let name = text(file, "volumeName");
            let path = path.child("env");
            let path = path.index(idx);
            let path = path.child("valueFrom.fileKeyRef.volumeName");
            let volumes =
                volumes.get_or_insert_with(|| maps(spec, "volumes").map(|(_, it)| (text(it, "name"), it)).collect());
            match volumes.get(name) {
                None => path.not_found(errors, name),
                Some(volume) if child(volume, "emptyDir").is_none() => {
                    path.invalid(errors, name, "referenced volume must be of type emptyDir");
                }
                Some(_) => (),
            }
        }
    });
}
