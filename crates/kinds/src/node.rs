//! Node. Follows `pkg/apis/core/validation`.

use std::collections::BTreeSet;

use meta::{Errors, Object, Problem, names};
use value::{List, Map, Value, json};

use crate::path::Path;
use crate::pod_template::fields::{
    as_map, child, child_or_empty, flag, has, list, maps, named, opt_text, positive, required_one_of, text, texts,
};
use crate::pod_template::{internal, resources};
use crate::{Column, Kind, Scope, SelectableField, Strategy, Subresource, columns, declared_features, keep_status};

const ROLE_PREFIX: &str = "node-role.kubernetes.io/";
const AVOIDED_PODS: &str = "scheduler.alpha.kubernetes.io/preferAvoidPods";
const ROLE_LABEL: &str = "kubernetes.io/role";

pub(crate) const KIND: Kind = Kind {
    short_names: &["no"],
    definition: "io.k8s.api.core.v1.Node",
    subresources: &[
        Subresource {
            name: "proxy",
            kind: "NodeProxyOptions",
            verbs: &["create", "delete", "get", "patch", "update"],
            ..Subresource::status("")
        },
        Subresource::status("Node"),
    ],
    columns: || COLUMNS,
    selectable_fields: &[SelectableField {
        name: "spec.unschedulable",
        read: |it| if flag(spec(it), "unschedulable") { "true".into() } else { "false".into() },
    }],
    strategy: Strategy {
        default,
        prepare_create: |it| {
            drop_config(it, "spec", "configSource");
            drop_config(it, "status", "config");
        },
        prepare_update: |new, old| {
            keep_status(new, old);
            if !has(spec(old), "configSource") {
                drop_config(new, "spec", "configSource");
            }
        },
        validate,
        validate_update: |new, old, errors| {
            validate(new, errors);
            validate_change(new, old, errors);
        },
        validate_status: validate_change,
        warnings,
        metadata_checks: 2,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Cluster, "", "v1", "Node", "nodes")
};

fn spec(it: &Object) -> &Map {
    child_or_empty(&it.body, "spec")
}

fn status(it: &Object) -> &Map {
    child_or_empty(&it.body, "status")
}

const COLUMNS: &[Column] = &[
    columns::name(),
    columns::text("Status", "Whether it is ready and takes pods.", |it, _| state(it).into()),
    columns::text("Roles", "What it is for.", |it, _| roles(it).into()),
    columns::created(),
    columns::text("Version", "Its kubelet's version.", |it, _| info(it, "kubeletVersion").into()),
    columns::wide(columns::text("Internal-IP", "Its address inside the cluster.", |it, _| address(it, "InternalIP"))),
    columns::wide(columns::text("External-IP", "Its address outside the cluster.", |it, _| address(it, "ExternalIP"))),
    columns::wide(columns::text("OS-Image", "Its operating system.", |it, _| known(it, "osImage").into())),
    columns::wide(columns::text("Kernel-Version", "Its kernel.", |it, _| match info(it, "architecture") {
        "" => known(it, "kernelVersion").into(),
        architecture => format!("{} ({architecture})", known(it, "kernelVersion")).into(),
    })),
    columns::wide(columns::text("Container-Runtime", "What runs its containers.", |it, _| {
        known(it, "containerRuntimeVersion").into()
    })),
];

fn info<'a>(it: &'a Object, key: &str) -> &'a str {
    text(child_or_empty(status(it), "nodeInfo"), key)
}

fn known<'a>(it: &'a Object, key: &str) -> &'a str {
    match info(it, key) {
        "" => "<unknown>",
        text => text,
    }
}

fn address(it: &Object, kind: &str) -> Value {
    let found = maps(status(it), "addresses").find(|(_, it)| text(it, "type") == kind);
    found.map_or("<none>", |(_, it)| text(it, "address")).into()
}

fn state(it: &Object) -> String {
    let ready = maps(status(it), "conditions").filter(|(_, it)| text(it, "type") == "Ready").last();
    let mut res = match ready.map(|(_, it)| text(it, "status")) {
        None => "Unknown",
        Some("True") => "Ready",
        Some(_) => "NotReady",
    }
    .to_owned();
    if flag(spec(it), "unschedulable") {
        res.push_str(",SchedulingDisabled");
    }
    res
}

fn roles(it: &Object) -> String {
    let mut roles = BTreeSet::new();
    for (key, value) in it.meta.labels.iter() {
        match key.strip_prefix(ROLE_PREFIX) {
            Some("") => (),
            Some(role) => {
                roles.insert(role);
            }
            None if &**key == ROLE_LABEL => roles.extend(value.as_str().filter(|it| !it.is_empty())),
            None => (),
        }
    }
    columns::or_none(roles.into_iter().collect::<Vec<_>>().join(","))
}

/// The old field for one address range and the list are one thing; what can be used is what there is.
fn default(it: &mut Object) {
    it.body.edit_map("spec", |spec| {
        let (one, many) = (text(spec, "podCIDR").to_owned(), list(spec, "podCIDRs"));
        let first = many.first().and_then(Value::as_str).unwrap_or("");
        if !one.is_empty() && one != first {
            let ranges: List = [Value::from(one)].into_iter().collect();
            spec.insert("podCIDRs", ranges);
        } else if one.is_empty() && !first.is_empty() {
            let first = first.to_owned();
            spec.insert("podCIDR", first);
        }
    });
    it.body.edit_map("status", |status| {
        if !has(status, "allocatable")
            && let Some(capacity) = status.get("capacity").filter(|it| !it.is_null()).cloned()
        {
            status.insert("allocatable", capacity);
        }
    });
}

fn drop_config(it: &mut Object, part: &str, key: &str) {
    it.body.edit_map(part, |part| {
        part.remove(key);
    });
}

/// `ValidateAvoidPodsInNodeAnnotations`
fn avoided_pods(it: &Object, errors: &mut Errors) {
    let Some(note) = it.meta.annotation(AVOIDED_PODS).filter(|it| !it.is_empty()) else { return };
    let path = Path::root("metadata.annotations");
    let whole = match json::parse(note.as_bytes()) {
        Ok(whole) => whole,
        Err(error) => return path.child("AvoidPods").invalid(errors, AVOIDED_PODS, &error.to_string()),
    };
    for (idx, entry) in maps(as_map(&whole), "preferAvoidPods") {
        let path = path.child(AVOIDED_PODS);
        let path = path.index(idx);
        let path = path.child("PodSignature");
        match child(child_or_empty(entry, "podSignature"), "podController") {
            None => path.required(errors, ""),
            Some(owner) if !flag(owner, "controller") => {
                path.child("PodController.Controller").invalid(errors, false, "must point to a controller");
            }
            Some(_) => (),
        }
    }
}

/// `ValidateNode`
fn validate(it: &Object, errors: &mut Errors) {
    avoided_pods(it, errors);
    validate_taints(it, errors);
    validate_amounts(it, errors);
    if let Some(swap) = child_or_empty(status(it), "nodeInfo").get("swap").and_then(Value::as_map)
        && let Some(capacity) = swap.get("capacity").and_then(Value::as_i64)
    {
        positive(capacity, &Path::root("metadata.nodeSwapStatus.capacity"), errors);
    }
    declared_features::check(it, errors);
    validate_ranges(spec(it), &Path::root("spec.podCIDRs"), errors);
}

fn validate_ranges(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    for (idx, range) in texts(spec, "podCIDRs") {
        named(range, names::legacy_cidr, &path.index(idx), errors);
    }
    let ranges = list(spec, "podCIDRs");
    if ranges.len() < 2 {
        return;
    }
    let mut families = BTreeSet::new();
    for (_, range) in texts(spec, "podCIDRs") {
        let Some((ip, _)) = names::sloppy_cidr(range) else {
            let detail =
                format!("invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR address: {range}");
            errors.push(path.to_string(), Problem::Internal, detail);
            families.clear();
            break;
        };
        families.insert(ip.is_ipv6());
    }
    if families.len() < 2 || ranges.len() > 2 {
        let bad: Value = ranges.to_vec().into();
        path.invalid(errors, bad, "may specify no more than one CIDR for each IP family");
    }
}

/// `ValidateNodeUpdate`
fn validate_change(new: &Object, old: &Object, errors: &mut Errors) {
    avoided_pods(new, errors);
    validate_amounts(new, errors);
    declared_features::check(new, errors);
    let mut seen = BTreeSet::new();
    let addresses = Path::root("status.addresses");
    for (idx, address) in maps(status(new), "addresses") {
        if !seen.insert((text(address, "type"), text(address, "address"))) {
            addresses.index(idx).duplicate(errors, internal::bad_value(address, "NodeAddress"));
        }
    }
    let (spec, before) = (spec(new), spec(old));
    let (ranges, old_ranges) = (list(spec, "podCIDRs"), list(before, "podCIDRs"));
    if !old_ranges.is_empty() {
        let n_changed = old_ranges.iter().zip(ranges).filter(|(a, b)| a != b).count();
        for _ in 0..if ranges.len() == old_ranges.len() { n_changed } else { 1 } {
            let detail = "node updates may not change podCIDR except from \"\" to valid";
            Path::root("spec.podCIDRs").forbidden(errors, detail);
        }
    }
    let provider = text(before, "providerID");
    if !provider.is_empty() && provider != text(spec, "providerID") {
        let detail = "node updates may not change providerID except from \"\" to valid";
        Path::root("spec.providerID").forbidden(errors, detail);
    }
    validate_taints(new, errors);
    if text(spec, "externalID") != text(before, "externalID") {
        Path::root("spec.externalID").forbidden(errors, "may not be updated");
    }
}

/// Upstream names them below `metadata`.
fn validate_taints(it: &Object, errors: &mut Errors) {
    taints(spec(it), &Path::root("metadata.taints"), errors);
}

/// `validateNodeTaints`: the taints in a spec, at `path`.
pub(crate) fn taints(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (idx, taint) in maps(spec, "taints") {
        let path = path.index(idx);
        let (key, value, effect) = (text(taint, "key"), text(taint, "value"), text(taint, "effect"));
        named(key, names::qualified_name, &path.child("key"), errors);
        let messages = names::label_value(value);
        if !messages.is_empty() {
            path.child("value").invalid(errors, value, &messages.join(";"));
        }
        required_one_of(effect, &["NoSchedule", "PreferNoSchedule", "NoExecute"], &path.child("effect"), errors);
        if !seen.insert((effect, key)) {
            let bad = Problem::Duplicate(internal::bad_value(taint, "Taint"));
            errors.push(path.to_string(), bad, "taints must be unique by key and effect pair");
        }
    }
}

fn validate_amounts(it: &Object, errors: &mut Errors) {
    let path = Path::root("status");
    for part in ["capacity", "allocatable"] {
        amounts(child_or_empty(status(it), part), &path.child(part), errors);
    }
}

pub(crate) fn amounts(list: &Map, path: &Path<'_>, errors: &mut Errors) {
    for (name, amount) in resources::amounts(list) {
        resources::quantity(name, &amount, &path.child(name), errors);
    }
}

fn warnings(it: &Object, _old: Option<&Object>) -> Vec<String> {
    let mut res = Vec::new();
    let spec = spec(it);
    if has(spec, "configSource") {
        res.push("spec.configSource: the feature is removed".to_owned());
    }
    if opt_text(spec, "externalID").is_some_and(|it| !it.is_empty()) {
        res.push("spec.externalID: this field is deprecated, and is unused by Kubernetes".to_owned());
    }
    res
}
