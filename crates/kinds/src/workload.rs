//! What kinds with a pod template have in common. Follows `pkg/apis/apps/validation/validation.go`.

use meta::selector::LabelSelector;
use meta::{Errors, Object, names};
use value::{Map, Value};

use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, has, int, list, non_negative, opt_int, text};
use crate::pod_template::{internal, labels};
use crate::{Column, SelectableField, columns, keep_status, keeps_spec, pod_template};

/// `spec` of the body.
pub(crate) fn spec(it: &Object) -> &Map {
    child_or_empty(&it.body, "spec")
}

/// `status` of the body.
pub(crate) fn status(it: &Object) -> &Map {
    child_or_empty(&it.body, "status")
}

/// Makes sure that there is a map under `key` and changes it.
pub(crate) fn edit_or_make(map: &mut Map, key: &str, f: impl FnOnce(&mut Map)) {
    map.set_default(key, Map::new());
    map.edit_map(key, f);
}

/// Changes `spec`, which is made where there is none, and fills in the pod template in it.
pub(crate) fn default_spec(it: &mut Object, f: impl FnOnce(&mut Map)) {
    edit_or_make(&mut it.body, "spec", |spec| {
        edit_or_make(spec, "template", pod_template::default);
        f(spec);
    });
}

/// Leaves out of every pod template what features that are off would read.
pub(crate) fn drop_disabled(it: &mut Object) {
    const PATHS: [&[&str]; 3] =
        [&["spec", "template", "spec"], &["spec", "jobTemplate", "spec", "template", "spec"], &["template", "spec"]];
    for path in PATHS {
        edit_at(&mut it.body, path, &mut pod_template::drop_disabled);
    }
}

fn edit_at(map: &mut Map, path: &[&str], f: &mut dyn FnMut(&mut Map)) {
    match path.split_first() {
        None => f(map),
        Some((key, rest)) => map.edit_map(key, |it| edit_at(it, rest, f)),
    }
}

/// What every workload begins with: a status that nobody has written yet.
pub(crate) fn prepare_create(it: &mut Object, status: Map) {
    it.body.insert("status", status);
    drop_disabled(it);
}

pub(crate) fn prepare_update(new: &mut Object, old: &Object) {
    keep_status(new, old);
    if !keeps_spec(new, old) {
        drop_disabled(new);
    }
}

/// `1` of an integer or `25%`, as [`int_or_percent`] reads it; `None` where it is neither.
fn percent(value: &Value) -> Option<i64> {
    let text = value.as_str().filter(|it| names::percent(it).is_empty())?;
    Some(text.trim_end_matches('%').parse().unwrap_or(0))
}

/// `getIntOrPercentValue`: the number in front of the percent sign, or the number itself.
pub(crate) fn int_or_percent(value: Option<&Value>) -> i64 {
    let Some(value) = value else { return 0 };
    percent(value).unwrap_or_else(|| match value {
        Value::Int(it) => *it,
        Value::Str(text) => text.parse().unwrap_or(0),
        _ => 0,
    })
}

/// `ValidatePositiveIntOrPercent`
pub(crate) fn positive_int_or_percent(value: Option<&Value>, path: &Path<'_>, errors: &mut Errors) {
    match value {
        Some(Value::Str(text)) => path.invalid_each(errors, text, &names::percent(text)),
        Some(Value::Int(it)) => non_negative(*it, path, errors),
        _ => (),
    }
}

/// `IsNotMoreThan100Percent`
pub(crate) fn at_most_100_percent(value: Option<&Value>, path: &Path<'_>, errors: &mut Errors) {
    if let Some(value) = value.filter(|it| percent(it).is_some_and(|it| it > 100)) {
        path.invalid(errors, value, "must not be greater than 100%");
    }
}

/// The selector, unless it can't be read (`LabelSelectorAsSelector`).
pub(crate) fn readable_selector(selector: Option<&Map>) -> Option<LabelSelector> {
    let mut errors = Errors::new();
    labels::validate_selector(selector, &Path::root(""), &mut errors);
    errors.is_empty().then(|| LabelSelector::from_value(selector.map(Value::from).as_ref()))
}

/// Whether a selector is there and asks for nothing.
pub(crate) fn is_empty_selector(selector: &Map) -> bool {
    child_or_empty(selector, "matchLabels").is_empty() && list(selector, "matchExpressions").is_empty()
}

fn labels_of(template: &Map) -> Option<&Map> {
    child(child_or_empty(template, "metadata"), "labels")
}

/// `selector` does not match template `labels`
pub(crate) fn matches_template(selector: &LabelSelector, template: &Map, path: &Path<'_>, errors: &mut Errors) {
    let labels = labels_of(template);
    if !selector.matches(labels.unwrap_or(&Map::new())) {
        let bad = labels.map_or(Value::Null, Value::from);
        path.child("metadata.labels").invalid(errors, bad, "`selector` does not match template `labels`");
    }
}

/// What templates of pods that run for ever must not have.
pub(crate) fn runs_for_ever(template: &Map, kind: &str, path: &Path<'_>, errors: &mut Errors) {
    let spec = child_or_empty(template, "spec");
    let path = path.child("spec");
    let policy = text(spec, "restartPolicy");
    if policy != "Always" {
        path.child("restartPolicy").not_supported(errors, policy, &["Always"]);
    }
    if has(spec, "activeDeadlineSeconds") {
        let detail = format!("activeDeadlineSeconds in {kind} is not Supported");
        path.child("activeDeadlineSeconds").forbidden(errors, &detail);
    }
}

/// `must be greater than or equal to 0` of each number that is there.
pub(crate) fn non_negatives(map: &Map, keys: &[&str], path: &Path<'_>, errors: &mut Errors) {
    for key in keys {
        if let Some(value) = opt_int(map, key) {
            non_negative(value, &path.child(key), errors);
        }
    }
}

/// `field is immutable` of a selector; an absent list is an empty one.
pub(crate) fn same_selector(new: &Map, old: &Map, errors: &mut Errors) {
    let parts = |spec: &Map| {
        child(spec, "selector")
            .map(|it| (child_or_empty(it, "matchLabels").clone(), list(it, "matchExpressions").to_vec()))
    };
    if parts(new) != parts(old) {
        let bad = child(new, "selector").map_or(Value::Null, internal::bad_selector);
        Path::root("spec.selector").invalid(errors, bad, "field is immutable");
    }
}

/// A collision count may only grow.
pub(crate) fn collisions_grow(new: &Object, old: &Object, errors: &mut Errors) {
    let count = |it: &Object| opt_int(status(it), "collisionCount");
    if count(old).is_some_and(|old| count(new).is_none_or(|new| new < old)) {
        Path::root("status.collisionCount").invalid(errors, count(new).unwrap_or(0), "cannot be decremented");
    }
}

/// Whether the pod template differs.
pub(crate) fn template_changed(new: &Object, old: &Object) -> bool {
    columns::template(new) != columns::template(old)
}

/// Warnings of the template in `spec`, where it is new or has changed.
pub(crate) fn template_warnings(new: &Object, old: Option<&Object>) -> Vec<String> {
    if old.is_some_and(|old| !template_changed(new, old)) {
        return Vec::new();
    }
    pod_template::warnings_of(columns::template(new), &Path::root("spec.template"))
}

/// Names of workloads become parts of their pods' names.
pub(crate) fn name_warnings(it: &Object) -> Vec<String> {
    let messages = names::dns_label(it.name());
    if messages.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [{}]",
        messages.join(" ")
    )]
}

/// Warnings of the name of a new object, and of a template that is new or has changed.
pub(crate) fn warnings(new: &Object, old: Option<&Object>) -> Vec<String> {
    let mut res = if old.is_none() { name_warnings(new) } else { Vec::new() };
    res.extend(template_warnings(new, old));
    res
}

/// Counts in a status are no negative numbers, and none is larger than what it is a part of.
pub(crate) fn replica_counts(status: &Map, counts: &[&str], parts: &[&str], ready: &str, errors: &mut Errors) {
    let path = Path::root("status");
    non_negatives(status, counts, &path, errors);
    for key in parts {
        if int(status, key) > int(status, "replicas") {
            path.child(key).invalid(errors, int(status, key), "cannot be greater than status.replicas");
        }
    }
    let available = int(status, "availableReplicas");
    if available > int(status, "readyReplicas") {
        path.child("availableReplicas").invalid(errors, available, &format!("cannot be greater than {ready}"));
    }
}

/// The selector of ReplicaSets, Deployments and StatefulSets: there, valid and not empty.
pub(crate) fn required_selector(spec: &Map, kind: &str, path: &Path<'_>, errors: &mut Errors) {
    let path = path.child("selector");
    let Some(selector) = child(spec, "selector") else { return path.required(errors, "") };
    labels::validate_selector(Some(selector), &path, errors);
    if is_empty_selector(selector) {
        let bad = internal::bad_selector(selector);
        path.invalid(errors, bad, &format!("empty selector is invalid for {kind}"));
    }
}

/// The readable selector, or a problem named `detail`.
pub(crate) fn selector_or_problem(spec: &Map, detail: &str, errors: &mut Errors) -> Option<LabelSelector> {
    let selector = child(spec, "selector");
    let readable = readable_selector(selector);
    if readable.is_none() {
        let bad = selector.map_or(Value::Null, internal::bad_selector);
        Path::root("spec.selector").invalid(errors, bad, detail);
    }
    readable
}

/// `ValidatePodTemplateSpecForReplicaSet`, for Deployments too.
pub(crate) fn replica_set_template(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let Some(selector) = selector_or_problem(spec, "invalid label selector", errors) else { return };
    let template = child_or_empty(spec, "template");
    let path = path.child("template");
    if !selector.is_everything() {
        matches_template(&selector, template, &path, errors);
    }
    pod_template::validate(template, &path, errors);
    runs_for_ever(template, "ReplicaSet", &path, errors);
}

/// READY of Deployments and StatefulSets: `1/3`.
pub(crate) fn ready_of_desired(it: &Object) -> Value {
    format!("{}/{}", int(status(it), "readyReplicas"), int(spec(it), "replicas")).into()
}

/// DESIRED, CURRENT and READY of ReplicaSets and ReplicationControllers, and the rest of their columns.
pub(crate) const fn replica_columns(selector: Column) -> [Column; 8] {
    [
        columns::name(),
        columns::integer("Desired", "How many pods there should be.", |it, _| columns::number(it, "spec.replicas")),
        columns::integer("Current", "How many pods there are.", |it, _| columns::number(it, "status.replicas")),
        columns::integer("Ready", "How many are ready.", |it, _| columns::number(it, "status.readyReplicas")),
        columns::created(),
        columns::wide(columns::containers()),
        columns::wide(columns::images()),
        columns::wide(selector),
    ]
}

/// `status.replicas`, for field selectors.
pub(crate) const SELECTABLE_REPLICAS: &[SelectableField] =
    &[SelectableField { name: "status.replicas", read: |it| int(status(it), "replicas").to_string().into() }];
