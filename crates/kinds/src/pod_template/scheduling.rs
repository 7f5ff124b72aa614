//! Where a pod may run: affinity, tolerations, topology spread, gates.

use std::collections::{BTreeMap, BTreeSet};

use meta::{Errors, names};
use value::Map;

use super::fields::{
    child, child_or_empty, has, int, list, maps, named, one_of, opt_int, opt_text, pairs, positive, text, texts,
};
use super::labels;
use crate::path::Path;

pub(crate) const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
pub(crate) const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// `validateAffinity`
pub(super) fn affinity(affinity: &Map, path: &Path<'_>, errors: &mut Errors) {
    if let Some(nodes) = child(affinity, "nodeAffinity") {
        let path = path.child("nodeAffinity");
        if let Some(selector) = child(nodes, REQUIRED) {
            labels::validate_node_selector(selector, &path.child(REQUIRED), errors);
        }
        let path = path.child(PREFERRED);
        for (idx, term) in maps(nodes, PREFERRED) {
            let path = path.index(idx);
            weight(term, &path, errors);
            labels::validate_node_selector_term(
                child_or_empty(term, "preference"),
                false,
                &path.child("preference"),
                errors,
            );
        }
    }
    for key in ["podAffinity", "podAntiAffinity"] {
        if let Some(pods) = child(affinity, key) {
            pod_affinity(pods, &path.child(key), errors);
        }
    }
}

fn weight(term: &Map, path: &Path<'_>, errors: &mut Errors) {
    let weight = int(term, "weight");
    if !(1..=100).contains(&weight) {
        path.child("weight").invalid(errors, weight, "must be in the range 1-100");
    }
}

fn pod_affinity(affinity: &Map, path: &Path<'_>, errors: &mut Errors) {
    for (idx, term) in maps(affinity, REQUIRED) {
        pod_affinity_term(term, &path.child(REQUIRED).index(idx), errors);
    }
    for (idx, term) in maps(affinity, PREFERRED) {
        let path = path.child(PREFERRED);
        let path = path.index(idx);
        weight(term, &path, errors);
        pod_affinity_term(child_or_empty(term, "podAffinityTerm"), &path.child("podAffinityTerm"), errors);
    }
}

fn pod_affinity_term(term: &Map, path: &Path<'_>, errors: &mut Errors) {
    labels::validate_selector(child(term, "labelSelector"), &path.child("labelSelector"), errors);
    labels::validate_selector(child(term, "namespaceSelector"), &path.child("namespaceSelector"), errors);
    for (_, namespace) in texts(term, "namespaces") {
        named(namespace, names::dns_label, &path.child("namespace"), errors);
    }
    match_label_keys(term, path, errors);
    let key = text(term, "topologyKey");
    let path = path.child("topologyKey");
    if key.is_empty() {
        path.required(errors, "can not be empty");
    }
    named(key, names::qualified_name, &path, errors);
}

/// `ValidateMatchLabelKeysAndMismatchLabelKeys`
fn match_label_keys(term: &Map, path: &Path<'_>, errors: &mut Errors) {
    let selector = child(term, "labelSelector");
    for key in ["matchLabelKeys", "mismatchLabelKeys"] {
        if list(term, key).is_empty() {
            continue;
        }
        let path = path.child(key);
        if selector.is_none() {
            path.forbidden(errors, "must not be specified when labelSelector is not set");
            continue;
        }
        for (idx, label) in texts(term, key) {
            named(label, names::qualified_name, &path.index(idx), errors);
        }
    }
    if let Some(selector) = selector {
        keys_apart_from_selector(term, selector, path, errors);
    }
    let mismatched: BTreeSet<&str> = texts(term, "mismatchLabelKeys").map(|(_, key)| key).collect();
    for (idx, key) in texts(term, "matchLabelKeys") {
        if mismatched.contains(key) {
            path.child("matchLabelKeys").index(idx).invalid(
                errors,
                key,
                "exists in both matchLabelKeys and mismatchLabelKeys",
            );
        }
    }
}

/// A key that the API server adds to the selector must not be there twice.
fn keys_apart_from_selector(term: &Map, selector: &Map, path: &Path<'_>, errors: &mut Errors) {
    if list(term, "matchLabelKeys").is_empty() {
        return;
    }
    let places: BTreeMap<&str, usize> = texts(term, "matchLabelKeys").map(|(idx, key)| (key, idx)).collect();
    let mut seen: BTreeSet<&str> = pairs(child_or_empty(selector, "matchLabels")).map(|(key, _)| key).collect();
    for (_, expression) in maps(selector, "matchExpressions") {
        let key = text(expression, "key");
        if let Some(idx) = places.get(key)
            && seen.contains(key)
        {
            path.index(*idx).invalid(errors, key, "exists in both matchLabelKeys and labelSelector");
        }
        seen.insert(key);
    }
}

/// `ValidateTolerations`
pub(crate) fn tolerations(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    for (idx, toleration) in maps(spec, "tolerations") {
        self::toleration(toleration, &path.index(idx), errors);
    }
}

fn toleration(toleration: &Map, path: &Path<'_>, errors: &mut Errors) {
    let (key, operator) = (text(toleration, "key"), text(toleration, "operator"));
    let (value, effect) = (text(toleration, "value"), text(toleration, "effect"));
    let operator_path = path.child("operator");
    if !key.is_empty() {
        named(key, names::qualified_name, &path.child("key"), errors);
    } else if operator != "Exists" {
        operator_path.invalid(
            errors,
            operator,
            "operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
        );
    }
    if has(toleration, "tolerationSeconds") && effect != "NoExecute" {
        path.child("effect").invalid(errors, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
    }
    match operator {
        "" | "Equal" => {
            let messages = names::label_value(value);
            if !messages.is_empty() {
                operator_path.invalid(errors, value, &messages.join(";"));
            }
        }
        "Exists" if !value.is_empty() => {
            operator_path.invalid(errors, value, "value must be empty when `operator` is 'Exists'")
        }
        "Exists" => (),
        "Lt" | "Gt" => operator_path.not_supported(errors, operator, &["Equal", "Exists", "Lt", "Gt"]),
        _ => operator_path.not_supported(errors, operator, &["Equal", "Exists"]),
    }
    if !effect.is_empty() {
        one_of(effect, &["NoSchedule", "PreferNoSchedule", "NoExecute"], &path.child("effect"), errors);
    }
}

/// `validateTopologySpreadConstraints`
pub(super) fn spread_constraints(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let last: BTreeMap<(&str, &str), usize> =
        maps(spec, "topologySpreadConstraints").map(|(idx, it)| (kind_of_spread(it), idx)).collect();
    for (idx, constraint) in maps(spec, "topologySpreadConstraints") {
        let path = path.index(idx);
        let this = kind_of_spread(constraint);
        positive(int(constraint, "maxSkew"), &path.child("maxSkew"), errors);
        if this.0.is_empty() {
            path.child("topologyKey").required(errors, "can not be empty");
        }
        one_of(this.1, &["DoNotSchedule", "ScheduleAnyway"], &path.child("whenUnsatisfiable"), errors);
        if last.get(&this).is_some_and(|last| *last > idx) {
            path.child("{topologyKey, whenUnsatisfiable}").duplicate(errors, format!("{{{}, {}}}", this.0, this.1));
        }
        spread_options(constraint, this.1, &path, errors);
        match_label_keys(constraint, &path, errors);
        labels::validate_selector(child(constraint, "labelSelector"), &path.child("labelSelector"), errors);
    }
}

fn kind_of_spread(constraint: &Map) -> (&str, &str) {
    (text(constraint, "topologyKey"), text(constraint, "whenUnsatisfiable"))
}

fn spread_options(constraint: &Map, action: &str, path: &Path<'_>, errors: &mut Errors) {
    if let Some(domains) = opt_int(constraint, "minDomains") {
        let path = path.child("minDomains");
        positive(domains, &path, errors);
        if action != "DoNotSchedule" {
            path.invalid(
                errors,
                domains,
                &format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"),
            );
        }
    }
    for key in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
        if let Some(policy) = opt_text(constraint, key) {
            one_of(policy, &["Honor", "Ignore"], &path.child(key), errors);
        }
    }
}

/// `validateReadinessGates` and `validateSchedulingGates`
pub(super) fn gates(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    for (idx, gate) in maps(spec, "readinessGates") {
        let path = path.child("readinessGates");
        named(text(gate, "conditionType"), names::qualified_name, &path.index(idx).child("conditionType"), errors);
    }
    let mut seen = BTreeSet::new();
    for (idx, gate) in maps(spec, "schedulingGates") {
        let path = path.child("schedulingGates");
        let path = path.index(idx);
        let name = text(gate, "name");
        named(name, names::qualified_name, &path, errors);
        if !seen.insert(name) {
            path.duplicate(errors, name);
        }
    }
}
