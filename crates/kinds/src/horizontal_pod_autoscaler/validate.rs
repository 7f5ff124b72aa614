//! What an autoscaler must be (`pkg/apis/autoscaling/validation`).

use std::collections::BTreeSet;

use meta::{Errors, names};
use value::Map;
use value::quantity::Quantity;

use crate::path::Path;
use crate::pod_template::fields::{
    child, child_or_empty, has, int, list, maps, named, one_of, opt_int, opt_text, text,
};
use crate::pod_template::resources;

const PERIOD_SECONDS_MAX: i64 = 1800;
const WINDOW_SECONDS_MAX: i64 = 3600;

pub(super) fn spec_of(spec: &Map, before: Option<&Map>, errors: &mut Errors) {
    let path = Path::root("spec");
    let (min, max) = (opt_int(spec, "minReplicas"), int(spec, "maxReplicas"));
    let low = if before.is_some_and(|it| opt_int(it, "minReplicas") == Some(0)) { 0 } else { 1 };
    if let Some(min) = min.filter(|it| *it < low) {
        path.child("minReplicas").invalid(errors, min, &format!("must be greater than or equal to {low}"));
    }
    match max {
        0 => path.child("maxReplicas").required(errors, "must be set and greater than 0"),
        ..0 => path.child("maxReplicas").invalid(errors, max, "must be greater than or equal to 1"),
        _ => (),
    }
    if min.is_some_and(|it| max < it) {
        path.child("maxReplicas").invalid(errors, max, "must be greater than or equal to `minReplicas`");
    }
    let target = child_or_empty(spec, "scaleTargetRef");
    let kind = text(target, "kind");
    let same = before
        .map(|it| child_or_empty(it, "scaleTargetRef"))
        .is_some_and(|it| text(it, "kind") == kind && text(it, "apiVersion") == text(target, "apiVersion"));
    let version = match kind {
        _ if same => Version::Any,
        "ReplicationController" => Version::Readable,
        _ => Version::OfGroup,
    };
    reference(target, version, &path.child("scaleTargetRef"), errors);
    metrics(spec, before, min, &path.child("metrics"), errors);
    if let Some(behavior) = child(spec, "behavior") {
        for key in ["scaleUp", "scaleDown"] {
            if let Some(rules) = child(behavior, key) {
                scaling_rules(rules, &path.child("behavior").child(key), errors);
            }
        }
    }
}

/// What the version of a reference must be.
#[derive(Clone, Copy, PartialEq)]
enum Version {
    Any,
    Readable,
    OfGroup,
}

/// `ValidateAPIVersion`
fn version_problem(version: &str, needed: Version) -> Option<String> {
    if needed == Version::Any {
        return None;
    }
    if version.matches('/').count() > 1 {
        return Some(format!("unexpected GroupVersion string: {version}"));
    }
    let is_core = version.split_once('/').is_none_or(|(group, _)| group.is_empty());
    (is_core && needed == Version::OfGroup).then(|| "apiVersion must specify API group".to_owned())
}

fn reference(it: &Map, version: Version, path: &Path<'_>, errors: &mut Errors) {
    for key in ["kind", "name"] {
        match text(it, key) {
            "" => path.child(key).required(errors, ""),
            name => named(name, names::path_segment_name, &path.child(key), errors),
        }
    }
    let shown = text(it, "apiVersion");
    if let Some(problem) = version_problem(shown, version) {
        path.child("apiVersion").invalid(errors, shown, &problem);
    }
}

fn metrics(spec: &Map, before: Option<&Map>, min: Option<i64>, path: &Path<'_>, errors: &mut Errors) {
    let was_bad = before.is_some_and(|it| {
        maps(it, "metrics").filter(|(_, it)| text(it, "type") == "Object").any(|(_, it)| {
            let object = child_or_empty(child_or_empty(it, "object"), "describedObject");
            version_problem(text(object, "apiVersion"), Version::Readable).is_some()
        })
    });
    let version = if was_bad { Version::Any } else { Version::Readable };
    let mut from_outside = false;
    for (idx, it) in maps(spec, "metrics") {
        metric(it, version, &path.index(idx), errors);
        from_outside |= matches!(text(it, "type"), "Object" | "External");
    }
    if min == Some(0) && !from_outside {
        let detail = "must specify at least one Object or External metric to support scaling to zero replicas";
        path.forbidden(errors, detail);
    }
}

const TYPES: &[&str] = &["ContainerResource", "External", "Object", "Pods", "Resource"];
/// Fields with sources, in upstream's order, and the types that they are for.
const SOURCES: [(&str, &str); 5] = [
    ("object", "Object"),
    ("external", "External"),
    ("pods", "Pods"),
    ("resource", "Resource"),
    ("containerResource", "ContainerResource"),
];

fn metric(metric: &Map, version: Version, path: &Path<'_>, errors: &mut Errors) {
    let kind = text(metric, "type");
    if kind.is_empty() {
        path.child("type").required(errors, "must specify a metric source type");
    }
    one_of(kind, TYPES, &path.child("type"), errors);
    let mut present = BTreeSet::new();
    for (key, _) in SOURCES {
        if let Some(source) = child(metric, key) {
            present.insert(key);
            if present.len() == 1 {
                source_of(key, source, version, &path.child(key), errors);
            }
        }
    }
    match SOURCES.iter().find(|(_, it)| *it == kind) {
        Some((key, _)) => {
            if !has(metric, key) {
                path.child(key).required(errors, "must populate information for the given metric source");
            }
            if present.len() != 1 {
                present.remove(key);
            }
        }
        None => one_of(kind, TYPES, &path.child("type"), errors),
    }
    let n_present = SOURCES.iter().filter(|(key, _)| has(metric, key)).count();
    if n_present != 1 {
        for key in present {
            path.child(key).forbidden(errors, "must populate the given metric source only");
        }
    }
}

fn source_of(key: &str, source: &Map, version: Version, path: &Path<'_>, errors: &mut Errors) {
    match key {
        "object" => {
            reference(child_or_empty(source, "describedObject"), version, &path.child("describedObject"), errors)
        }
        "resource" | "containerResource" => match text(source, "name") {
            "" => path.child("name").required(errors, "must specify a resource name"),
            name if key == "containerResource" => {
                resources::container_resource_name(name, &path.child("name"), errors);
            }
            _ => (),
        },
        _ => (),
    }
    if key == "containerResource" {
        match text(source, "container") {
            "" => path.child("container").required(errors, "must specify a container"),
            name => named(name, names::dns_label, &path.child("container"), errors),
        }
    }
    if !key.ends_with("esource") {
        let path = path.child("metric.name");
        match text(child_or_empty(source, "metric"), "name") {
            "" => path.required(errors, "must specify a metric name"),
            name => named(name, names::path_segment_name, &path, errors),
        }
    }
    let target = child_or_empty(source, "target");
    let path = path.child("target");
    target_of(target, &path, errors);
    let [value, average, utilization] = ["value", "averageValue", "averageUtilization"].map(|key| has(target, key));
    let needs = |key: &str, why: &str, errors: &mut Errors| path.child(key).required(errors, why);
    match key {
        "object" if !value && !average => {
            needs("averageValue", "must set either a target value or averageValue", errors);
        }
        "external" if !value && !average => {
            needs("averageValue", "must set either a target value for metric or a per-pod target", errors);
        }
        "external" if value && average => {
            path.child("value").forbidden(errors, "may not set both a target value for metric and a per-pod target");
        }
        "pods" if !average => needs("averageValue", "must specify a positive target averageValue", errors),
        "resource" | "containerResource" if !average && !utilization => {
            needs("averageUtilization", "must set either a target raw value or a target utilization", errors);
        }
        "resource" | "containerResource" if average && utilization => {
            path.child("averageValue")
                .forbidden(errors, "may not set both a target raw value and a target utilization");
        }
        _ => (),
    }
}

fn target_of(target: &Map, path: &Path<'_>, errors: &mut Errors) {
    let kind = text(target, "type");
    if kind.is_empty() {
        path.child("type").required(errors, "must specify a metric target type");
    }
    if !matches!(kind, "Utilization" | "Value" | "AverageValue") {
        path.child("type").invalid(errors, kind, "must be either Utilization, Value, or AverageValue");
    }
    for key in ["value", "averageValue"] {
        let is_positive = |it: &str| Quantity::parse(it).is_ok_and(|it| !it.is_zero() && !it.is_negative());
        if let Some(amount) = opt_text(target, key).filter(|it| !is_positive(it)) {
            path.child(key).invalid(errors, amount, "must be positive");
        }
    }
    if let Some(it) = opt_int(target, "averageUtilization").filter(|it| *it < 1) {
        path.child("averageUtilization").invalid(errors, it, "must be greater than 0");
    }
}

fn scaling_rules(rules: &Map, path: &Path<'_>, errors: &mut Errors) {
    let window = path.child("stabilizationWindowSeconds");
    match opt_int(rules, "stabilizationWindowSeconds") {
        Some(it) if it < 0 => window.invalid(errors, it, "must be greater than or equal to zero"),
        Some(it) if it > WINDOW_SECONDS_MAX => {
            window.invalid(errors, it, &format!("must be less than or equal to {WINDOW_SECONDS_MAX}"));
        }
        _ => (),
    }
    if let Some(policy) = opt_text(rules, "selectPolicy") {
        one_of(policy, &["Disabled", "Max", "Min"], &path.child("selectPolicy"), errors);
    }
    let policies = path.child("policies");
    if list(rules, "policies").is_empty() {
        policies.required(errors, "must specify at least one Policy");
    }
    for (idx, policy) in maps(rules, "policies") {
        let path = policies.index(idx);
        one_of(text(policy, "type"), &["Percent", "Pods"], &path.child("type"), errors);
        for key in ["value", "periodSeconds"] {
            if int(policy, key) <= 0 {
                path.child(key).invalid(errors, int(policy, key), "must be greater than zero");
            }
        }
        let period = int(policy, "periodSeconds");
        if period > PERIOD_SECONDS_MAX {
            let detail = format!("must be less than or equal to {PERIOD_SECONDS_MAX}");
            path.child("periodSeconds").invalid(errors, period, &detail);
        }
    }
    if let Some(amount) = opt_text(rules, "tolerance").filter(|it| resources::is_negative(it)) {
        path.child("tolerance").invalid(errors, amount, "must be greater than or equal to 0");
    }
}
