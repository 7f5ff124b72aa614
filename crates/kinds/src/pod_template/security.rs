//! Security contexts of pods and containers.

use std::collections::BTreeSet;

use meta::{Errors, names};
use value::{Map, Value};

use super::fields::{child, flag, has, list, maps, one_of, opt_flag, opt_int, opt_text, text, texts};
use super::{internal, paths, windows};
use crate::path::Path;

/// `ValidateSecurityContext`
pub(super) fn container(context: &Map, host_users: bool, path: &Path<'_>, errors: &mut Errors) {
    ids(context, &["runAsUser", "runAsGroup"], path, errors);
    if let Some(mount) = opt_text(context, "procMount") {
        let path = path.child("procMount");
        one_of(mount, &["Default", "Unmasked"], &path, errors);
        if host_users && mount == "Unmasked" {
            path.invalid(errors, mount, "`hostUsers` must be false to use `Unmasked`");
        }
    }
    seccomp(context, path, errors);
    if opt_flag(context, "allowPrivilegeEscalation") == Some(false) {
        let bad = || internal::bad_value(context, "SecurityContext");
        if flag(context, "privileged") {
            path.invalid(errors, bad(), "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
        }
        for (_, capability) in child(context, "capabilities").into_iter().flat_map(|it| texts(it, "add")) {
            if capability == "CAP_SYS_ADMIN" {
                path.invalid(
                    errors,
                    bad(),
                    "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN",
                );
            }
        }
    }
    windows::options(context, path, errors);
    app_armor(context, path, errors);
}

fn ids(context: &Map, keys: &[&str], path: &Path<'_>, errors: &mut Errors) {
    for key in keys {
        if let Some(id) = opt_int(context, key) {
            valid_id(id, &path.child(key), errors);
        }
    }
}

/// `IsValidUserID`, `IsValidGroupID`
pub(crate) fn valid_id(id: i64, path: &Path<'_>, errors: &mut Errors) {
    for message in names::user_or_group_id(id) {
        path.invalid(errors, id, &message);
    }
}

/// `validatePodSpecSecurityContext`
pub(super) fn pod(context: &Map, spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    ids(context, &["fsGroup", "runAsUser", "runAsGroup"], path, errors);
    for (idx, group) in list(context, "supplementalGroups").iter().enumerate() {
        valid_id(group.as_i64().unwrap_or(0), &path.child("supplementalGroups").index(idx), errors);
    }
    if flag(spec, "shareProcessNamespace") && flag(spec, "hostPID") {
        path.child("shareProcessNamespace").invalid(
            errors,
            true,
            "ShareProcessNamespace and HostPID cannot both be enabled",
        );
    }
    sysctls(context, spec, &path.child("sysctls"), errors);
    choice(context, "fsGroupChangePolicy", &["Always", "OnRootMismatch"], path, errors);
    seccomp(context, path, errors);
    windows::options(context, path, errors);
    app_armor(context, path, errors);
    choice(context, "supplementalGroupsPolicy", &["Merge", "Strict"], path, errors);
    // Volumes labelled by mount options need a feature that is off.
    choice(context, "seLinuxChangePolicy", &["Recursive"], path, errors);
}

fn choice(context: &Map, key: &str, supported: &[&str], path: &Path<'_>, errors: &mut Errors) {
    if let Some(have) = opt_text(context, key) {
        one_of(have, supported, &path.child(key), errors);
    }
}

fn sysctls(context: &Map, spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (idx, sysctl) in maps(context, "sysctls") {
        let path = path.index(idx);
        let path = path.child("name");
        let name = text(sysctl, "name");
        if name.is_empty() {
            path.required(errors, "");
        } else if !is_sysctl(name) {
            let detail = "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
            path.invalid(errors, name, detail);
        } else if seen.contains(name) {
            path.duplicate(errors, name);
        }
        match namespace_of(name) {
            Namespace::Net if flag(spec, "hostNetwork") => {
                path.invalid(errors, name, "may not be specified when 'hostNetwork' is true");
            }
            Namespace::Ipc if flag(spec, "hostIPC") => {
                path.invalid(errors, name, "may not be specified when 'hostIPC' is true")
            }
            _ => (),
        }
        seen.insert(name);
    }
}

fn is_sysctl(name: &str) -> bool {
    let edge = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let segment = |part: &str| {
        edge(part.bytes().next())
            && edge(part.bytes().last())
            && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'_'))
    };
    name.len() <= 253 && name.split(['.', '/']).all(segment)
}

enum Namespace {
    Net,
    Ipc,
    Unknown,
}

/// Which of the kernel's namespaces a sysctl is of (`utilsysctl.GetNamespace`).
fn namespace_of(name: &str) -> Namespace {
    let mut dotted = name.to_owned();
    if name.find(['.', '/']).is_some_and(|idx| name[idx..].starts_with('/')) {
        dotted = name
            .chars()
            .map(|c| {
                if c == '/' {
                    '.'
                } else if c == '.' {
                    '/'
                } else {
                    c
                }
            })
            .collect();
    }
    let known = dotted.split('*').next().unwrap_or_default();
    match known {
        "kernel.sem"
        | "kernel.shmall"
        | "kernel.shmmax"
        | "kernel.shmmni"
        | "kernel.shm_rmid_forced"
        | "kernel.shm"
        | "kernel.msgmax"
        | "kernel.msgmnb"
        | "kernel.msgmni"
        | "kernel.msg" => Namespace::Ipc,
        _ if known.starts_with("net.") => Namespace::Net,
        _ if known.starts_with("fs.mqueue.") => Namespace::Ipc,
        _ => Namespace::Unknown,
    }
}

const PROFILES: &[&str] = &["Localhost", "RuntimeDefault", "Unconfined"];

/// `validateSeccompProfileField`
fn seccomp(context: &Map, path: &Path<'_>, errors: &mut Errors) {
    let Some(profile) = child(context, "seccompProfile") else { return };
    let path = path.child("seccompProfile");
    let kind = text(profile, "type");
    match kind {
        "" => path.child("type").required(errors, "type is required when seccompProfile is set"),
        _ => one_of(kind, PROFILES, &path.child("type"), errors),
    }
    let path = path.child("localhostProfile");
    match opt_text(profile, "localhostProfile") {
        None if kind == "Localhost" => path.required(errors, "must be set when seccomp type is Localhost"),
        Some(file) if kind == "Localhost" => paths::descending(file, &path, errors),
        Some(_) => {
            let bad = internal::bad_value(profile, "SeccompProfile");
            path.invalid(errors, bad, "can only be set when seccomp type is Localhost");
        }
        None => (),
    }
}

/// `ValidateAppArmorProfileField`
fn app_armor(context: &Map, path: &Path<'_>, errors: &mut Errors) {
    const FILE_MAX: usize = 4095;
    let Some(profile) = child(context, "appArmorProfile") else { return };
    let path = path.child("appArmorProfile");
    let file = opt_text(profile, "localhostProfile");
    let file_path = path.child("localhostProfile");
    match text(profile, "type") {
        "Localhost" => match file {
            None => file_path.required(errors, "must be set when AppArmor type is Localhost"),
            Some(file) => {
                if file.trim() != file {
                    file_path.invalid(errors, file, "must not be padded with whitespace");
                } else if file.is_empty() {
                    file_path.required(errors, "must be set when AppArmor type is Localhost");
                }
                if file.len() > FILE_MAX {
                    file_path.too_long(errors, FILE_MAX);
                }
            }
        },
        "RuntimeDefault" | "Unconfined" => {
            if let Some(file) = file {
                file_path.invalid(errors, file, "can only be set when AppArmor type is Localhost");
            }
        }
        "" => path.child("type").required(errors, "type is required when appArmorProfile is set"),
        other => path.child("type").not_supported(errors, other, PROFILES),
    }
}

/// `validateHostUsers`: what a pod in a user namespace of its own may not share with the host.
pub(super) fn host_users(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    const DETAIL: &str = "when `hostUsers` is false";
    if opt_flag(spec, "hostUsers") != Some(false) {
        return;
    }
    for (key, shown) in [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")] {
        if flag(spec, key) {
            path.child(shown).forbidden(errors, DETAIL);
        }
    }
    super::fields::each_container(spec, path, &mut |container, path| {
        if !list(container, "volumeDevices").is_empty() {
            path.child("volumeDevices").forbidden(errors, DETAIL);
        }
    });
}

/// `validateLinux`, `validateWindows`: fields of the one system are refused on the other.
pub(super) fn fits_os(spec: &Map, os: &str, path: &Path<'_>, errors: &mut Errors) {
    let context = child(spec, "securityContext");
    if os == "linux" {
        const DETAIL: &str = "windows options cannot be set for a linux pod";
        let sets = |context: Option<&Map>| context.is_some_and(|it| has(it, "windowsOptions"));
        if sets(context) {
            path.child("securityContext.windowsOptions").forbidden(errors, DETAIL);
        }
        super::fields::each_container(spec, path, &mut |container, path| {
            if sets(child(container, "securityContext")) {
                path.child("securityContext.windowsOptions").forbidden(errors, DETAIL);
            }
        });
        return;
    }
    const DETAIL: &str = "cannot be set for a windows pod";
    // The order of upstream; the plain ones are fields of the spec.
    const POD: &[&str] = &[
        "securityContext.appArmorProfile",
        "securityContext.seLinuxOptions",
        "hostUsers",
        "hostPID",
        "hostIPC",
        "securityContext.seccompProfile",
        "securityContext.fsGroup",
        "securityContext.fsGroupChangePolicy",
        "securityContext.sysctls",
        "shareProcessNamespace",
        "securityContext.runAsUser",
        "securityContext.runAsGroup",
        "securityContext.supplementalGroups",
        "securityContext.supplementalGroupsPolicy",
        "securityContext.seLinuxChangePolicy",
    ];
    const CONTAINER: &[&str] = &[
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "capabilities",
        "readOnlyRootFilesystem",
        "privileged",
        "allowPrivilegeEscalation",
        "procMount",
        "runAsUser",
        "runAsGroup",
    ];
    for key in POD {
        let value = match key.strip_prefix("securityContext.") {
            Some(key) => context.and_then(|it| it.get(key)),
            None => spec.get(key),
        };
        let set = match value {
            None | Some(Value::Null) => false,
            Some(Value::Bool(on)) => *on || !matches!(*key, "hostPID" | "hostIPC"),
            Some(Value::List(items)) => !items.is_empty(),
            Some(_) => true,
        };
        if set {
            path.child(key).forbidden(errors, DETAIL);
        }
    }
    super::fields::each_container(spec, path, &mut |container, path| {
        let Some(context) = child(container, "securityContext") else { return };
        let path = path.child("securityContext");
        for key in CONTAINER {
            if has(context, key) {
                path.child(key).forbidden(errors, DETAIL);
            }
        }
    });
}
