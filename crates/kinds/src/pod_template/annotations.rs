//! Annotations that old Kubernetes gave a meaning.

use std::borrow::Cow;

use meta::{Errors, names};
use value::{Map, Value, json, map};

use super::fields::{child, each_container, opt_text, pairs, text};
use super::{paths, scheduling};
use crate::path::Path;

/// Marks a pod that a kubelet made of a file.
pub const MIRROR: &str = "kubernetes.io/config.mirror";
pub(crate) const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
pub(crate) const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
pub(crate) const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const TOLERATIONS: &str = "scheduler.alpha.kubernetes.io/tolerations";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// `ValidateAnnotations`: the keys, in any case, and the size of all.
pub fn validate(annotations: &Map, path: &Path<'_>, errors: &mut Errors) {
    const SIZE_MAX: usize = 256 * 1024;
    let mut size = 0;
    for (key, value) in pairs(annotations) {
        let is_lower = key.bytes().all(|c| c.is_ascii() && !c.is_ascii_uppercase());
        let lower = if is_lower { Cow::from(key) } else { key.to_lowercase().into() };
        path.invalid_each(errors, key, &names::qualified_name(&lower));
        size += key.len() + value.len();
    }
    if size > SIZE_MAX {
        path.too_long(errors, SIZE_MAX);
    }
}

/// `ValidatePodSpecificAnnotations`
pub(crate) fn of_pod(annotations: &Map, spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    if annotations.is_empty() {
        return;
    }
    if let Some(value) = opt_text(annotations, MIRROR)
        && text(spec, "nodeName").is_empty()
    {
        path.key(MIRROR).invalid(errors, value, "must set spec.nodeName if mirror pod annotation is set");
    }
    match text(annotations, TOLERATIONS) {
        "" => (),
        it => tolerations(it, path, errors),
    }
    if let Some(cost) = opt_text(annotations, DELETION_COST)
        && !is_cost(cost)
    {
        path.key(DELETION_COST).invalid(errors, cost, "must be a 32bit integer");
    }
    if let Some(profile) = opt_text(annotations, SECCOMP_POD) {
        seccomp(profile, &path.child(SECCOMP_POD), errors);
    }
    for (key, profile) in pairs(annotations).filter(|(key, _)| key.starts_with(SECCOMP_CONTAINER)) {
        seccomp(profile, &path.child(key), errors);
    }
    for (key, profile) in pairs(annotations) {
        let Some(name) = key.strip_prefix(APP_ARMOR) else { continue };
        if !has_container(spec, name) {
            path.key(key).invalid(errors, name, "container not found");
        }
        if !matches!(profile, "" | "runtime/default" | "unconfined") && !profile.starts_with("localhost/") {
            path.key(key).invalid(
                errors,
                profile,
                &format!("invalid AppArmor profile name: {}", meta::quoted(profile)),
            );
        }
    }
}

/// Digits with an optional minus; neither a plus nor leading zeros.
fn is_cost(text: &str) -> bool {
    let first_digit = match text.as_bytes() {
        [b'0'] => true,
        [first, ..] => matches!(first, b'-' | b'1'..=b'9'),
        [] => false,
    };
    first_digit && text.parse::<i32>().is_ok()
}

fn tolerations(list: &str, path: &Path<'_>, errors: &mut Errors) {
    match json::parse(list.as_bytes()) {
        Ok(list @ Value::List(_)) => {
            let spec = Map::new().with("tolerations", list);
            scheduling::tolerations(&spec, &path.child(TOLERATIONS), errors);
        }
        Ok(_) => path.invalid(errors, TOLERATIONS, "json: cannot unmarshal into Go value of type []core.Toleration"),
        Err(problem) => path.invalid(errors, TOLERATIONS, &problem.to_string()),
    }
}

fn seccomp(profile: &str, path: &Path<'_>, errors: &mut Errors) {
    if matches!(profile, "runtime/default" | "docker/default" | "unconfined") {
        return;
    }
    match profile.strip_prefix("localhost/") {
        Some(file) => paths::descending(file, path, errors),
        None => path.invalid(errors, profile, "must be a valid seccomp profile"),
    }
}

/// The profile that an AppArmor annotation stands for; none for what is no profile (`ApparmorFieldForAnnotation`).
pub(crate) fn app_armor_of(note: &str) -> Option<Map> {
    match note {
        "unconfined" => Some(map!({ "type": "Unconfined" })),
        "runtime/default" => Some(map!({ "type": "RuntimeDefault" })),
        _ => {
            let file = note.strip_prefix("localhost/").filter(|it| !it.is_empty())?;
            Some(map!({ "localhostProfile": file, "type": "Localhost" }))
        }
    }
}

fn has_container(spec: &Map, name: &str) -> bool {
    let mut found = false;
    each_container(spec, &Path::root("spec"), &mut |container, _| found |= text(container, "name") == name);
    found
}

/// `validateSeccompAnnotationsAndFields` and `validateAppArmorAnnotationsAndFieldsMatchOnCreate`
pub(crate) fn match_fields(annotations: &Map, spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    if annotations.is_empty() {
        return;
    }
    let context = child(spec, "securityContext");
    let of_pod = |key: &str| context.and_then(|it| child(it, key));
    if let (Some(profile), Some(annotation)) = (of_pod("seccompProfile"), opt_text(annotations, SECCOMP_POD)) {
        let path = path.child("securityContext.seccompProfile");
        same_profile("seccomp", profile, annotation, &["runtime/default", "docker/default"], &path, errors);
    }
    each_container(spec, path, &mut |container, path| {
        let profile = child(container, "securityContext").and_then(|it| child(it, "seccompProfile"));
        let key = format!("{SECCOMP_CONTAINER}{}", text(container, "name"));
        if let (Some(profile), Some(annotation)) = (profile, opt_text(annotations, &key)) {
            let path = path.child("securityContext.seccompProfile");
            same_profile("seccomp", profile, annotation, &["runtime/default", "docker/default"], &path, errors);
        }
    });
    if child(spec, "os").is_some_and(|it| text(it, "name") == "windows") {
        return;
    }
    each_container(spec, path, &mut |container, path| {
        let own = child(container, "securityContext").and_then(|it| child(it, "appArmorProfile"));
        let key = format!("{APP_ARMOR}{}", text(container, "name"));
        if let (Some(profile), Some(annotation)) = (own.or(of_pod("appArmorProfile")), opt_text(annotations, &key)) {
            let path = path.child("securityContext.appArmorProfile");
            same_profile("apparmor", profile, annotation, &["runtime/default"], &path, errors);
        }
    });
}

fn same_profile(what: &str, profile: &Map, annotation: &str, defaults: &[&str], path: &Path<'_>, errors: &mut Errors) {
    let kind_matches = match text(profile, "type") {
        "Unconfined" => annotation == "unconfined",
        "RuntimeDefault" => defaults.contains(&annotation),
        "Localhost" => match annotation.strip_prefix("localhost/") {
            Some(file) => {
                if opt_text(profile, "localhostProfile") != Some(file) {
                    path.child("localhostProfile")
                        .forbidden(errors, &format!("{what} profile in annotation and field must match"));
                }
                true
            }
            None => false,
        },
        _ => true,
    };
    if !kind_matches {
        path.child("type").forbidden(errors, &format!("{what} type in annotation and field must match"));
    }
}
