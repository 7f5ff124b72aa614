//! Containers of all three kinds.

use std::collections::{BTreeMap, BTreeSet};

use meta::{Errors, names};
use value::{Map, Value};

use super::fields::{as_map, child, has, int, list, maps, named, one_of, opt_text, require, required_one_of, text};
use super::{env, mounts, probes, resources, security};
use crate::path::Path;

/// What the checks of a container look at beside the container itself.
pub(super) struct Around<'a> {
    pub spec: &'a Map,
    /// Volumes by name that passed their own checks.
    pub volumes: BTreeMap<&'a str, &'a Map>,
    /// Names of `spec.resourceClaims`.
    pub claims: BTreeSet<&'a str>,
    pub grace: Option<i64>,
    pub restart_policy: &'a str,
    pub host_users: bool,
}

/// `validateContainerCommon`
fn common<'a>(container: &'a Map, around: &Around<'a>, path: &Path<'_>, errors: &mut Errors) {
    match text(container, "name") {
        "" => path.child("name").required(errors, ""),
        name => named(name, names::dns_label, &path.child("name"), errors),
    }
    require(container, "image", path, errors);
    required_one_of(
        text(container, "terminationMessagePolicy"),
        &["File", "FallbackToLogsOnError"],
        &path.child("terminationMessagePolicy"),
        errors,
    );
    ports(container, &path.child("ports"), errors);
    env::env(container, &path.child("env"), errors);
    env::env_from(container, &path.child("envFrom"), errors);
    mounts::mounts(container, &around.volumes, &path.child("volumeMounts"), errors);
    mounts::devices(container, &around.volumes, &path.child("volumeDevices"), errors);
    pull_policy(text(container, "imagePullPolicy"), &path.child("imagePullPolicy"), errors);
    if let Some(requirements) = child(container, "resources") {
        resources::container(requirements, &around.claims, &path.child("resources"), errors);
    }
    resize_policy(container, around.restart_policy, &path.child("resizePolicy"), errors);
    if let Some(context) = child(container, "securityContext") {
        security::container(context, around.host_users, &path.child("securityContext"), errors);
    }
}

/// `validatePullPolicy`
pub(super) fn pull_policy(policy: &str, path: &Path<'_>, errors: &mut Errors) {
    required_one_of(policy, &["Always", "IfNotPresent", "Never"], path, errors);
}

fn ports(container: &Map, path: &Path<'_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (idx, port) in maps(container, "ports") {
        let path = path.index(idx);
        let name = text(port, "name");
        if !name.is_empty() {
            let messages = names::port_name(name);
            path.child("name").invalid_each(errors, name, &messages);
            if messages.is_empty() && !seen.insert(name) {
                path.child("name").duplicate(errors, name);
            }
        }
        for (key, required) in [("containerPort", true), ("hostPort", false)] {
            match int(port, key) {
                0 if required => path.child(key).required(errors, ""),
                0 => (),
                number => {
                    for message in names::port_number(number) {
                        path.child(key).invalid(errors, number, &message);
                    }
                }
            }
        }
        required_one_of(text(port, "protocol"), &["SCTP", "TCP", "UDP"], &path.child("protocol"), errors);
    }
}

/// `AccumulateUniqueHostPorts`: `seen` holds protocol, address and port.
fn host_ports<'a>(
    container: &'a Map,
    seen: &mut BTreeSet<(&'a str, &'a str, i64)>,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    for (idx, port) in maps(container, "ports") {
        let number = int(port, "hostPort");
        if number == 0 {
            continue;
        }
        let (protocol, address) = (text(port, "protocol"), text(port, "hostIP"));
        if !seen.insert((protocol, address, number)) {
            let path = path.child("ports");
            path.index(idx).child("hostPort").duplicate(errors, format!("{protocol}/{address}/{number}"));
        }
    }
}

fn resize_policy(container: &Map, restart_policy: &str, path: &Path<'_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (idx, policy) in maps(container, "resizePolicy") {
        let (resource, restart) = (text(policy, "resourceName"), text(policy, "restartPolicy"));
        if !seen.insert(resource) {
            path.index(idx).duplicate(errors, resource);
        }
        required_one_of(resource, &["cpu", "memory"], path, errors);
        required_one_of(restart, &["NotRequired", "RestartContainer"], path, errors);
        if restart_policy == "Never" && restart != "NotRequired" {
            path.invalid(errors, restart, "must be 'NotRequired' when pod `restartPolicy` is 'Never'");
        }
    }
}

/// `validateContainers`
pub(super) fn containers<'a>(around: &Around<'a>, path: &Path<'_>, errors: &mut Errors) {
    if list(around.spec, "containers").is_empty() {
        return path.required(errors, "");
    }
    let mut seen = BTreeSet::new();
    for (idx, container) in maps(around.spec, "containers") {
        let path = path.index(idx);
        common(container, around, &path, errors);
        if !seen.insert(text(container, "name")) {
            path.child("name").duplicate(errors, text(container, "name"));
        }
        if let Some(it) = child(container, "lifecycle") {
            probes::lifecycle(it, around.grace, &path.child("lifecycle"), errors);
        }
        probes::probes(container, around.grace, &path, errors);
        restart_policy(container, &path, errors);
    }
    let mut taken = BTreeSet::new();
    for (idx, container) in maps(around.spec, "containers") {
        host_ports(container, &mut taken, &path.index(idx), errors);
    }
}

/// `validateContainerRestartPolicy`
fn restart_policy(container: &Map, path: &Path<'_>, errors: &mut Errors) {
    let rules = list(container, "restartPolicyRules");
    match opt_text(container, "restartPolicy") {
        None if rules.is_empty() => return,
        None => path.child("restartPolicy").required(errors, "must specify restartPolicy when restart rules are used"),
        Some(policy) => one_of(policy, &["Always", "Never", "OnFailure"], &path.child("restartPolicy"), errors),
    }
    const RULES_MAX: usize = 20;
    const EXIT_CODES_MAX: usize = 255;
    let path = path.child("restartPolicyRules");
    if rules.len() > RULES_MAX {
        path.too_many(errors, rules.len(), RULES_MAX);
    }
    for (idx, rule) in rules.iter().map(as_map).enumerate() {
        let path = path.index(idx);
        one_of(text(rule, "action"), &["Restart", "RestartAllContainers"], &path.child("action"), errors);
        let path = path.child("exitCodes");
        let Some(codes) = child(rule, "exitCodes") else {
            path.required(errors, "must be specified");
            continue;
        };
        one_of(text(codes, "operator"), &["In", "NotIn"], &path.child("operator"), errors);
        let n_values = list(codes, "values").len();
        if n_values > EXIT_CODES_MAX {
            path.child("values").too_many(errors, n_values, EXIT_CODES_MAX);
        }
    }
}

/// Whether this init container is a sidecar, which goes on while the pod runs.
pub(crate) fn is_sidecar(container: &Map) -> bool {
    text(container, "restartPolicy") == "Always"
}

/// `validateInitContainers`
pub(super) fn init_containers<'a>(around: &Around<'a>, path: &Path<'_>, errors: &mut Errors) {
    if list(around.spec, "initContainers").is_empty() {
        return;
    }
    let mut seen: BTreeSet<&str> = maps(around.spec, "containers").map(|(_, it)| text(it, "name")).collect();
    for (idx, container) in maps(around.spec, "initContainers") {
        let item = path.index(idx);
        common(container, around, &item, errors);
        if has(container, "restartPolicy") {
            restart_policy(container, &item, errors);
        } else if !list(container, "restartPolicyRules").is_empty() {
            item.child("restartPolicy").required(errors, "must specify restartPolicy when restart rules are used");
        }
        let name = text(container, "name");
        if seen.contains(name) {
            item.child("name").duplicate(errors, name);
        } else if !name.is_empty() {
            seen.insert(name);
        }
        // Upstream looks at each init container on its own and calls it the first.
        host_ports(container, &mut BTreeSet::new(), &path.index(0), errors);
        if is_sidecar(container) {
            if let Some(it) = child(container, "lifecycle") {
                probes::lifecycle(it, around.grace, &item.child("lifecycle"), errors);
            }
            probes::probes(container, around.grace, &item, errors);
            continue;
        }
        for key in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
            if has(container, key) {
                item.child(key).forbidden(errors, "may not be set for init containers without restartPolicy=Always");
            }
        }
        for (j, policy) in maps(container, "resizePolicy") {
            if text(policy, "restartPolicy") == "RestartContainer" {
                let path = item.child("resizePolicy");
                let path = path.index(j);
                path.child("restartPolicy").invalid(
                    errors,
                    "RestartContainer",
                    "must not be set to 'RestartContainer' for non-sidecar initContainers",
                );
            }
        }
    }
}

/// Fields that containers have and ephemeral ones may not use, in the order of upstream's struct.
const NOT_EPHEMERAL: &[&str] = &[
    "ports",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
];

/// `validateEphemeralContainers`
pub(super) fn ephemeral_containers<'a>(around: &Around<'a>, path: &Path<'_>, errors: &mut Errors) {
    const DETAIL: &str = "cannot be set for an Ephemeral Container";
    if list(around.spec, "ephemeralContainers").is_empty() {
        return;
    }
    let others: BTreeSet<&str> = maps(around.spec, "containers")
        .chain(maps(around.spec, "initContainers"))
        .map(|(_, it)| text(it, "name"))
        .collect();
    let mut seen = others.clone();
    for (idx, container) in maps(around.spec, "ephemeralContainers") {
        let path = path.index(idx);
        common(container, around, &path, errors);
        image_without_spaces(container, &path, errors);
        if !seen.insert(text(container, "name")) {
            path.child("name").duplicate(errors, text(container, "name"));
        }
        let target = text(container, "targetContainerName");
        if !target.is_empty() && !others.contains(target) {
            path.child("targetContainerName").not_found(errors, target);
        }
        for key in NOT_EPHEMERAL {
            if container.get(key).is_some_and(is_set) {
                path.child(key).forbidden(errors, DETAIL);
            }
        }
        for (j, mount) in maps(container, "volumeMounts") {
            for key in ["subPath", "subPathExpr"] {
                if !text(mount, key).is_empty() {
                    let path = path.child("volumeMounts");
                    path.index(j).child(key).forbidden(errors, DETAIL);
                }
            }
        }
    }
}

/// Whether a field differs from Go's zero value.
fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Map(map) => !map.is_empty(),
        Value::List(_) => true,
        Value::Str(text) => !text.is_empty(),
        _ => true,
    }
}

/// `validateContainerOnlyForPod`
pub(super) fn image_without_spaces(container: &Map, path: &Path<'_>, errors: &mut Errors) {
    let image = text(container, "image");
    if image.trim() != image {
        path.child("image").invalid(errors, image, "must not have leading or trailing whitespace");
    }
}
