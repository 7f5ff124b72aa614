//! What a new pod gets, and what it may not say.

use meta::{Errors, Object};
use value::{List, Map, Str, Value, map, time};

use super::qos;
use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, has, list, maps, opt_text, text, texts};
use crate::pod_template::scheduling::{PREFERRED, REQUIRED};
use crate::pod_template::{self, annotations};

/// `PrepareForCreate`
pub(super) fn prepare(pod: &mut Object) {
    pod.meta.generation = 1;
    let spec = child_or_empty(&pod.body, "spec");
    // A class that came with the object is kept, as upstream keeps it.
    let class = match text(child_or_empty(&pod.body, "status"), "qosClass") {
        "" => Str::literal(qos::class(spec)),
        class => class.into(),
    };
    let mut status = map!({ "phase": "Pending", "qosClass": class });
    if !list(spec, "schedulingGates").is_empty() {
        let message = "Scheduling is blocked due to non-empty scheduling gates";
        set_condition(&mut status, "PodScheduled", "False", "SchedulingGated", message, pod.meta.created.unwrap_or(0));
    }
    pod.body.insert("status", status);
    let (labels, notes) = (pod.meta.labels.clone(), pod.meta.annotations.clone());
    pod.body.edit_map("spec", |spec| {
        pod_template::drop_disabled(spec);
        merge_label_keys(spec, &labels);
        app_armor_fields(spec, &notes);
    });
}

/// Sets a condition of a pod's status; the time of its last change moves only with its status (`UpdatePodCondition`).
pub fn set_condition(status: &mut Map, kind: &str, value: &str, reason: &str, message: &str, now: i64) {
    let old = maps(status, "conditions").find(|(_, it)| text(it, "type") == kind);
    let changed = match old {
        Some((_, old)) if text(old, "status") == value => text(old, "lastTransitionTime").into(),
        _ => time::format_secs(now),
    };
    let mut condition = map!({ "lastProbeTime": null, "lastTransitionTime": changed, "status": Str::literal(value), "type": Str::literal(kind) });
    for (key, text) in [("reason", reason), ("message", message)] {
        if !text.is_empty() {
            condition.insert(key, text);
        }
    }
    let mut conditions: Vec<Value> = list(status, "conditions").to_vec();
    match old.and_then(|(idx, _)| conditions.get_mut(idx)) {
        Some(place) => *place = Value::Map(condition),
        None => conditions.push(Value::Map(condition)),
    }
    status.insert("conditions", conditions);
}

/// Labels named by `matchLabelKeys` and `mismatchLabelKeys` join the selectors (`mutatePodAffinity`, `mutateTopologySpreadConstraints`).
fn merge_label_keys(spec: &mut Map, labels: &Map) {
    spec.edit_map("affinity", |affinity| {
        for key in ["podAffinity", "podAntiAffinity"] {
            affinity.edit_map(key, |pods| {
                pods.edit_maps(PREFERRED, |it| {
                    it.edit_map("podAffinityTerm", |term| extend_selector(term, labels));
                });
                pods.edit_maps(REQUIRED, |term| extend_selector(term, labels));
            });
        }
    });
    spec.edit_maps("topologySpreadConstraints", |it| extend_selector(it, labels));
}

fn extend_selector(term: &mut Map, labels: &Map) {
    let mut added = Vec::new();
    for (keys, operator) in [("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")] {
        for (_, key) in texts(term, keys) {
            if let Some(value) = labels.get(key) {
                let values = Value::from(vec![value.clone()]);
                added.push(Value::Map(map!({ "key": key, "operator": operator, "values": values })));
            }
        }
    }
    if added.is_empty() {
        return;
    }
    term.edit_map("labelSelector", |selector| {
        let all: List = list(selector, "matchExpressions").iter().cloned().chain(added).collect();
        selector.insert("matchExpressions", all);
    });
}

/// An old annotation becomes the field where the field is not set (`applyAppArmorVersionSkew`).
fn app_armor_fields(spec: &mut Map, notes: &Map) {
    if !notes.keys().any(|it| it.starts_with(annotations::APP_ARMOR)) || is_windows(spec) {
        return;
    }
    let of_pod = child(spec, "securityContext").and_then(|it| child(it, "appArmorProfile")).cloned();
    for key in ["containers", "initContainers", "ephemeralContainers"] {
        spec.edit_maps(key, |container| {
            let Some(profile) = profile_of_annotation(container, notes) else { return };
            if own_profile(container).is_some() || of_pod.as_ref() == Some(&profile) {
                return;
            }
            let context = child_or_empty(container, "securityContext").with("appArmorProfile", profile);
            container.insert("securityContext", context);
        });
    }
}

fn is_windows(spec: &Map) -> bool {
    child(spec, "os").is_some_and(|it| text(it, "name") == "windows")
}

fn own_profile(container: &Map) -> Option<&Map> {
    child(container, "securityContext").and_then(|it| child(it, "appArmorProfile"))
}

/// The field that stands for a container's old annotation.
fn profile_of_annotation(container: &Map, notes: &Map) -> Option<Map> {
    let note = opt_text(notes, &format!("{}{}", annotations::APP_ARMOR, text(container, "name")))?;
    // A profile that would be refused as a field is left alone.
    annotations::app_armor_of(note).filter(|it| text(it, "localhostProfile").trim() == text(it, "localhostProfile"))
}

/// What creation and every change ask for (`validatePodMetadataAndSpec`).
pub(super) fn whole(pod: &Object, errors: &mut Errors) {
    let spec = child_or_empty(&pod.body, "spec");
    annotations::of_pod(&pod.meta.annotations, spec, &Path::root("metadata.annotations"), errors);
    let path = Path::root("spec");
    pod_template::validate_spec(spec, Some(&pod.meta), &path, errors);
    pod_template::only_for_pods(spec, &path, errors);
}

/// `ValidatePodCreate`
pub(super) fn validate(pod: &Object, errors: &mut Errors) {
    whole(pod, errors);
    let spec = child_or_empty(&pod.body, "spec");
    let path = Path::root("spec");
    if !list(spec, "ephemeralContainers").is_empty() {
        path.child("ephemeralContainers").forbidden(errors, "cannot be set on create");
    }
    if !text(spec, "nodeName").is_empty() && !list(spec, "schedulingGates").is_empty() {
        path.child("nodeName").forbidden(errors, "cannot be set until all schedulingGates have been cleared");
    }
    annotations::match_fields(&pod.meta.annotations, spec, &path, errors);
}

/// Updates of pods warn of nothing.
pub(super) fn warnings(pod: &Object, old: Option<&Object>) -> Vec<String> {
    if old.is_some() {
        return Vec::new();
    }
    let spec = child_or_empty(&pod.body, "spec");
    let mut res = Vec::new();
    let messages = meta::names::dns_label(&pod.meta.name);
    if !messages.is_empty() {
        res.push(format!(
            "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [{}]",
            messages.join(" ")
        ));
    }
    pod_template::warnings::collect(
        spec,
        &pod.meta.annotations,
        &Path::root("spec"),
        &Path::root("metadata"),
        false,
        &mut res,
    );
    res
}

/// Annotations that have become fields or cannot be any (`applyAppArmorVersionSkew`).
pub(super) fn app_armor_warnings(pod: &Object) -> Vec<String> {
    let (spec, notes) = (child_or_empty(&pod.body, "spec"), &pod.meta.annotations);
    let mut res = Vec::new();
    if notes.is_empty() || is_windows(spec) {
        return res;
    }
    for (_, container) in maps(spec, "initContainers").chain(maps(spec, "containers")) {
        let key = format!("{}{}", annotations::APP_ARMOR, text(container, "name"));
        let became_field = own_profile(container) == profile_of_annotation(container, notes).as_ref();
        if has(notes, &key) && became_field {
            let path = Path::root("metadata.annotations");
            res.push(format!("{}: deprecated since v1.30; use the \"appArmorProfile\" field instead", path.key(&key)));
        }
    }
    res
}
