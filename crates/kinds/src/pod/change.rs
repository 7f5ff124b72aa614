//! Which fields of a pod may change.

use std::collections::BTreeSet;
use std::sync::Arc;

use meta::{Errors, Object, names};
use value::{Map, Value};

use super::{create, diff};
use crate::path::Path;
use crate::pod_template::fields::{as_map, child, child_or_empty, has, list, maps, opt_int, pairs, text};
use crate::pod_template::scheduling::REQUIRED;
use crate::pod_template::{self, annotations, internal, scheduling};
use crate::{keep_status, keeps_spec};

/// `PrepareForUpdate`
pub(super) fn prepare(new: &mut Object, old: &Object) {
    keep_status(new, old);
    if !keeps_spec(new, old) {
        new.body.edit_map("spec", pod_template::drop_disabled);
    }
}

pub(super) fn spec_of(pod: &Object) -> &Map {
    child_or_empty(&pod.body, "spec")
}

/// `ValidatePodUpdate`, without what concerns metadata of all kinds.
pub(super) fn validate(new: &Object, old: &Object, errors: &mut Errors) {
    create::whole(new, errors);
    annotation_changes(new, old, errors);
    let (spec, before) = (spec_of(new), spec_of(old));
    let path = Path::root("spec");
    for key in ["containers", "initContainers"] {
        let path = path.child(key);
        if list(spec, key).len() != list(before, key).len() {
            return path.forbidden(errors, "pod updates may not add or remove containers");
        }
        for (idx, container) in maps(spec, key) {
            let image = text(container, "image");
            let path = path.index(idx);
            let path = path.child("image");
            if image.is_empty() {
                path.required(errors, "");
            }
            if image.trim() != image {
                path.invalid(errors, image, "must not have leading or trailing whitespace");
            }
        }
    }
    if !deadline(spec, before, &path.child("activeDeadlineSeconds"), errors) {
        return;
    }
    only_added_tolerations(spec, before, &path.child("tolerations"), errors);
    only_removed_gates(spec, before, &path.child("schedulingGates"), errors);
    if spec == before {
        return;
    }
    let munged = without_allowed_changes(spec, before, &path, errors);
    if munged != *before {
        let difference = diff::unified(&internal::pretty(before, "PodSpec"), &internal::pretty(&munged, "PodSpec"));
        path.forbidden(errors, &format!("{CHANGEABLE}\n{difference}"));
    }
}

const CHANGEABLE: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// `ValidatePodSpecificAnnotationUpdates`
pub(super) fn annotation_changes(new: &Object, old: &Object, errors: &mut Errors) {
    let (now, before) = (&new.meta.annotations, &old.meta.annotations);
    let path = Path::root("metadata.annotations");
    if !now.same(before) {
        for (key, _) in before.iter().filter(|(key, value)| now.get(key) != Some(*value)) {
            changed_annotation(key, "remove or update", &path.key(key), errors);
        }
        for (key, _) in now.iter().filter(|(key, _)| !before.contains_key(key)) {
            changed_annotation(key, "add", &path.key(key), errors);
        }
    }
    annotations::of_pod(now, spec_of(new), &path, errors);
}

fn changed_annotation(key: &str, verb: &str, path: &Path<'_>, errors: &mut Errors) {
    if key.starts_with(annotations::APP_ARMOR) {
        path.forbidden(errors, &format!("may not {verb} AppArmor annotations"));
    }
    if key == annotations::MIRROR {
        path.forbidden(errors, &format!("may not {verb} mirror pod annotation"));
    }
}

/// A deadline may be set or made shorter. Answers false where upstream looks no further.
fn deadline(spec: &Map, before: &Map, path: &Path<'_>, errors: &mut Errors) -> bool {
    let (new, old) = (opt_int(spec, "activeDeadlineSeconds"), opt_int(before, "activeDeadlineSeconds"));
    match (new, old) {
        (Some(new), old) => {
            let messages = names::in_range(new, 0, i64::from(i32::MAX));
            for message in &messages {
                path.invalid(errors, new, message);
            }
            if messages.is_empty() && old.is_some_and(|old| old < new) {
                path.invalid(errors, new, "must be less than or equal to previous value");
                return false;
            }
            messages.is_empty()
        }
        (None, Some(_)) => {
            path.invalid(errors, Value::Null, "must not update from a positive integer to nil value");
            true
        }
        (None, None) => true,
    }
}

fn only_added_tolerations(spec: &Map, before: &Map, path: &Path<'_>, errors: &mut Errors) {
    fn what(toleration: &Map) -> [&str; 4] {
        ["key", "operator", "value", "effect"].map(|key| text(toleration, key))
    }
    let now: BTreeSet<[&str; 4]> = maps(spec, "tolerations").map(|(_, it)| what(it)).collect();
    if maps(before, "tolerations").any(|(_, it)| !now.contains(&what(it))) {
        return path.forbidden(errors, "existing toleration can not be modified except its tolerationSeconds");
    }
    scheduling::tolerations(spec, path, errors);
}

fn only_removed_gates(spec: &Map, before: &Map, path: &Path<'_>, errors: &mut Errors) {
    let known: BTreeSet<&str> = maps(before, "schedulingGates").map(|(_, it)| text(it, "name")).collect();
    for (idx, gate) in maps(spec, "schedulingGates") {
        let name = text(gate, "name");
        if !known.contains(name) {
            let detail = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            path.index(idx).child("name").forbidden(errors, &detail);
        }
    }
}

/// The new spec with the old values of every field that may change.
fn without_allowed_changes(spec: &Map, before: &Map, path: &Path<'_>, errors: &mut Errors) -> Map {
    let mut munged = spec.clone();
    for key in ["containers", "initContainers"] {
        let images: Vec<Option<&Value>> = maps(before, key).map(|(_, it)| it.get("image")).collect();
        munged.edit(key, |containers| {
            let Value::List(containers) = containers else { return };
            containers.edit_each(&mut |idx, container| {
                if let (Value::Map(container), Some(image)) = (container, images.get(idx).copied().flatten())
                    && container.get("image") != Some(image)
                {
                    container.insert("image", image);
                }
            });
        });
    }
    for key in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        put(&mut munged, key, before.get(key));
    }
    let old_grace = opt_int(before, "terminationGracePeriodSeconds");
    if old_grace.is_some_and(|it| it < 0) && opt_int(spec, "terminationGracePeriodSeconds") == Some(1) {
        put(&mut munged, "terminationGracePeriodSeconds", before.get("terminationGracePeriodSeconds"));
    }
    if !list(before, "schedulingGates").is_empty() {
        gated_changes(&mut munged, before, path, errors);
    }
    munged
}

fn put(map: &mut Map, key: &str, value: Option<&Value>) {
    match value {
        Some(value) if map.get(key) != Some(value) => map.insert(key, value),
        None if map.contains_key(key) => {
            map.remove(key);
        }
        _ => (),
    }
}

/// A pod that is held back may be bound to fewer nodes than before.
fn gated_changes(munged: &mut Map, before: &Map, path: &Path<'_>, errors: &mut Errors) {
    let (new_selector, old_selector) = (child_or_empty(munged, "nodeSelector"), child_or_empty(before, "nodeSelector"));
    if pairs(old_selector).any(|(key, value)| new_selector.get(key).and_then(Value::as_str) != Some(value)) {
        let bad = if has(munged, "nodeSelector") { Value::from(new_selector) } else { Value::Null };
        let detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        path.child("nodeSelector").invalid(errors, bad, detail);
    }
    put(munged, "nodeSelector", before.get("nodeSelector"));

    let affinity_of =
        |spec: &Map| child(spec, "affinity").and_then(|it| it.get("nodeAffinity").cloned()).filter(|it| !it.is_null());
    let (new, old) = (affinity_of(munged), affinity_of(before));
    if new == old {
        return;
    }
    node_affinity_change(new.as_ref(), old.as_ref(), &path.child("affinity.nodeAffinity"), errors);
    match (child(munged, "affinity").cloned(), &old) {
        (None, None) => (),
        (None, Some(old)) => munged.insert("affinity", Map::new().with("nodeAffinity", old)),
        (Some(affinity), _) if !has(before, "affinity") && affinity.keys().all(|it| it == "nodeAffinity") => {
            munged.remove("affinity");
        }
        (Some(mut affinity), old) => {
            put(&mut affinity, "nodeAffinity", old.as_ref());
            munged.insert("affinity", affinity);
        }
    }
}

/// `validateNodeAffinityMutation`: terms may get more requirements, at their end.
fn node_affinity_change(new: Option<&Value>, old: Option<&Value>, path: &Path<'_>, errors: &mut Errors) {
    fn terms(affinity: Option<&Value>) -> &[Value] {
        affinity
            .and_then(|it| it.get(REQUIRED))
            .and_then(|it| it.get("nodeSelectorTerms"))
            .and_then(Value::as_list)
            .map_or(&[], |it| it)
    }
    let (new, old) = (terms(new), terms(old));
    let path = path.child(REQUIRED);
    let path = path.child("nodeSelectorTerms");
    if !old.is_empty() && old.len() != new.len() {
        let bad = if new.is_empty() { Value::Null } else { internal::bad_list(new, "NodeSelectorTerm") };
        return path.invalid(errors, bad, "no additions/deletions to non-empty NodeSelectorTerms list are allowed");
    }
    for (idx, (new, old)) in new.iter().zip(old).enumerate() {
        let (new, old) = (as_map(new), as_map(old));
        let starts = |key: &str| list(new, key).starts_with(list(old, key));
        let was_empty = list(old, "matchExpressions").is_empty() && list(old, "matchFields").is_empty();
        let is_empty = list(new, "matchExpressions").is_empty() && list(new, "matchFields").is_empty();
        if (was_empty && !is_empty) || !starts("matchExpressions") || !starts("matchFields") {
            let bad = internal::bad_value(new, "NodeSelectorTerm");
            path.index(idx).invalid(errors, bad, "only additions are allowed (no mutations or deletions)");
        }
    }
}

/// Keeps all but `spec.ephemeralContainers` as it was.
pub fn prepare_ephemeral_containers(new: &mut Object, old: &Object) {
    let containers = spec_of(new).get("ephemeralContainers").cloned();
    new.body = old.body.clone();
    new.body.edit_map("spec", |spec| put(spec, "ephemeralContainers", containers.as_ref()));
    keep_metadata(new, old);
}

/// Writes to a part keep labels, annotations, finalizers and owners (`ResetObjectMetaForStatus`).
pub(super) fn keep_metadata(new: &mut Object, old: &Object) {
    new.meta.deleted = old.meta.deleted;
    new.meta.labels = old.meta.labels.clone();
    new.meta.annotations = old.meta.annotations.clone();
    new.meta.finalizers = old.meta.finalizers.clone();
    if !Arc::ptr_eq(&new.meta.owners, &old.meta.owners) {
        new.meta.owners = old.meta.owners.clone();
    }
}

/// `ValidatePodEphemeralContainersUpdate`, without what concerns metadata of all kinds.
pub fn validate_ephemeral_containers(new: &Object, old: &Object, errors: &mut Errors) {
    if old.meta.annotations.contains_key(annotations::MIRROR) {
        *errors = Errors::new();
        return Path::root("").forbidden(errors, "static pods do not support ephemeral containers");
    }
    create::whole(new, errors);
    annotation_changes(new, old, errors);
    let path = Path::root("spec.ephemeralContainers");
    for (_, before) in maps(spec_of(old), "ephemeralContainers") {
        let name = text(before, "name");
        let Some((_, now)) =
            maps(spec_of(new), "ephemeralContainers").filter(|(_, it)| text(it, "name") == name).last()
        else {
            path.forbidden(
                errors,
                &format!("existing ephemeral containers {} may not be removed\n", meta::quoted(name)),
            );
            continue;
        };
        if before != now {
            let shown = |container: &Map| internal::pretty(container, "EphemeralContainer");
            let difference = diff::unified(&shown(before), &shown(now));
            path.forbidden(
                errors,
                &format!("existing ephemeral containers {} may not be changed\n{difference}", meta::quoted(name)),
            );
        }
    }
}
