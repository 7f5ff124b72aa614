//! What of a job may change.

use meta::{Errors, Object};
use value::{Map, Value};

use crate::object_meta::IMMUTABLE;
use crate::path::Path;
use crate::pod_template::fields::{as_map, child, child_or_empty, flag, has, int, list, text};
use crate::pod_template::internal;
use crate::workload::{self, spec, status};

/// `ValidateJob` and `ValidateJobUpdate`: upstream says most twice.
pub(super) fn validate(new: &Object, old: &Object, errors: &mut Errors) {
    let had = |key: &str| super::template_labels(old).is_some_and(|it| it.contains_key(key));
    super::validate(new, had(super::JOB_NAME) && had(super::CONTROLLER_UID), errors);
    super::spec_with_selector(spec(new), errors);
    let (now, before) = (spec(new), spec(old));
    let path = Path::root("spec");
    completions(now, before, &path, errors);
    workload::same_selector(now, before, errors);
    template(new, old, &path, errors);
    let mut same = |key: &str, shape: &str| {
        let value = |spec: &Map| spec.get(key).cloned().unwrap_or(Value::Null);
        if value(now) != value(before) {
            let bad = match value(now) {
                Value::Map(it) => internal::bad_value(&it, shape),
                other => other,
            };
            path.child(key).invalid(errors, bad, IMMUTABLE);
        }
    };
    same("completionMode", "");
    same("podFailurePolicy", "PodFailurePolicy");
    same("backoffLimitPerIndex", "");
    same("managedBy", "");
    same("successPolicy", "SuccessPolicy");
}

fn completions(now: &Map, before: &Map, path: &Path<'_>, errors: &mut Errors) {
    let value = |spec: &Map| spec.get("completions").cloned().unwrap_or(Value::Null);
    let (new, path) = (value(now), path.child("completions"));
    if new == value(before) {
        return;
    }
    if text(now, "completionMode") != "Indexed" {
        path.invalid(errors, new, IMMUTABLE);
    } else if !new.is_null() && int(now, "completions") != int(now, "parallelism") {
        path.invalid(errors, new, "can only be modified in tandem with spec.parallelism");
    }
}

/// Of a suspended job, where its pods go and what they ask for may change.
fn template(new: &Object, old: &Object, path: &Path<'_>, errors: &mut Errors) {
    let suspended = flag(spec(old), "suspend");
    let at_rest = suspended
        && (!has(status(old), "startTime") || super::condition(old, "Suspended"))
        && int(status(old), "active") == 0;
    let now = child_or_empty(spec(new), "template");
    let mut before = child_or_empty(spec(old), "template").clone();
    if at_rest {
        with_directives(&mut before, now);
    }
    if !at_rest {
        if *now != before {
            path.child("template").invalid(errors, internal::bad_value(now, "PodTemplateSpec"), IMMUTABLE);
        }
        return;
    }
    let now = child_or_empty(now, "spec");
    let mut before = child_or_empty(&before, "spec").clone();
    for key in ["containers", "initContainers"] {
        with_resources(&mut before, now, key);
    }
    if *now != before {
        path.child("template.spec").invalid(errors, internal::bad_value(now, "PodSpec"), IMMUTABLE);
    }
}

fn put(map: &mut Map, key: &str, value: Option<&Value>) {
    match value {
        Some(value) => map.insert(key, value),
        None => {
            map.remove(key);
        }
    }
}

/// Takes over the fields that say where pods go.
fn with_directives(before: &mut Map, now: &Map) {
    let metadata = child_or_empty(now, "metadata");
    workload::edit_or_make(before, "metadata", |old| {
        for key in ["annotations", "labels"] {
            put(old, key, metadata.get(key));
        }
    });
    if !has(now, "metadata") && child_or_empty(before, "metadata").is_empty() {
        before.remove("metadata");
    }
    let now = child_or_empty(now, "spec");
    before.edit_map("spec", |old| {
        for key in ["nodeSelector", "tolerations", "schedulingGates"] {
            put(old, key, now.get(key));
        }
        let nodes = child(now, "affinity").and_then(|it| it.get("nodeAffinity"));
        let mut affinity = child_or_empty(old, "affinity").clone();
        put(&mut affinity, "nodeAffinity", nodes);
        let keep = !affinity.is_empty() || has(now, "affinity");
        put(old, "affinity", keep.then_some(&Value::Map(affinity)));
    });
}

/// Takes over what containers of the same names ask for.
fn with_resources(before: &mut Map, now: &Map, key: &str) {
    let new = list(now, key);
    if new.len() != list(before, key).len() {
        return;
    }
    before.edit(key, |containers| {
        let Value::List(containers) = containers else { return };
        containers.edit_each(&mut |idx, container| {
            let Some(new) = new.get(idx).map(as_map) else { return };
            if let Value::Map(old) = container
                && text(old, "name") == text(new, "name")
            {
                put(old, "resources", new.get("resources"));
            }
        });
    });
}
