//! Labels and label selectors (`k8s.io/apimachinery/pkg/apis/meta/v1/validation`).

use meta::{Errors, names};
use value::Map;

use super::fields::{child, list, maps, named, pairs, text, texts};
use crate::path::Path;

/// `ValidateLabels`: keys and values of labels or of a node selector, all at the path of the map.
pub fn validate(labels: &Map, path: &Path<'_>, errors: &mut Errors) {
    for (key, value) in pairs(labels) {
        named(key, names::qualified_name, path, errors);
        named(value, names::label_value, path, errors);
    }
}

/// `ValidateLabelSelector`: a `metav1.LabelSelector`; none is valid.
pub fn validate_selector(selector: Option<&Map>, path: &Path<'_>, errors: &mut Errors) {
    let Some(selector) = selector else { return };
    if let Some(labels) = child(selector, "matchLabels") {
        validate(labels, &path.child("matchLabels"), errors);
    }
    for (idx, requirement) in maps(selector, "matchExpressions") {
        validate_requirement(requirement, &path.child("matchExpressions").index(idx), errors);
    }
}

fn validate_requirement(requirement: &Map, path: &Path<'_>, errors: &mut Errors) {
    let operator = text(requirement, "operator");
    values_fit_operator(requirement, operator, path, errors);
    named(text(requirement, "key"), names::qualified_name, &path.child("key"), errors);
    validate_values(requirement, path, errors);
}

/// What label selectors and node selectors say about operators that both know.
fn values_fit_operator(requirement: &Map, operator: &str, path: &Path<'_>, errors: &mut Errors) {
    let values = list(requirement, "values");
    match operator {
        "In" | "NotIn" if values.is_empty() => {
            path.child("values").required(errors, "must be specified when `operator` is 'In' or 'NotIn'");
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            path.child("values")
                .forbidden(errors, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => (),
        _ => path.child("operator").invalid(errors, operator, "not a valid selector operator"),
    }
}

fn validate_values(requirement: &Map, path: &Path<'_>, errors: &mut Errors) {
    for (idx, value) in texts(requirement, "values") {
        named(value, names::label_value, &path.child("values").index(idx), errors);
    }
}

/// `ValidateNodeSelectorTerm`; the values of preferences are not looked at.
pub fn validate_node_selector_term(term: &Map, check_values: bool, path: &Path<'_>, errors: &mut Errors) {
    for (idx, requirement) in maps(term, "matchExpressions") {
        let path = path.child("matchExpressions");
        let path = path.index(idx);
        let operator = text(requirement, "operator");
        if matches!(operator, "Gt" | "Lt") {
            if list(requirement, "values").len() != 1 {
                path.child("values").required(errors, "must be specified single value when `operator` is 'Lt' or 'Gt'");
            }
        } else {
            values_fit_operator(requirement, operator, &path, errors);
        }
        named(text(requirement, "key"), names::qualified_name, &path.child("key"), errors);
        if check_values {
            validate_values(requirement, &path, errors);
        }
    }
    for (idx, requirement) in maps(term, "matchFields") {
        validate_field_requirement(requirement, &path.child("matchFields").index(idx), errors);
    }
}

fn validate_field_requirement(requirement: &Map, path: &Path<'_>, errors: &mut Errors) {
    let operator = text(requirement, "operator");
    if !matches!(operator, "In" | "NotIn") {
        path.child("operator").invalid(errors, operator, "not a valid selector operator");
    } else if list(requirement, "values").len() != 1 {
        path.child("values")
            .required(errors, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
    }
    let key = text(requirement, "key");
    if key != "metadata.name" {
        return path.child("key").invalid(errors, key, "not a valid field selector key");
    }
    for (idx, value) in texts(requirement, "values") {
        named(value, names::dns_subdomain, &path.child("values").index(idx), errors);
    }
}

/// `ValidateNodeSelector`: the terms that a node must match, at least one.
pub fn validate_node_selector(selector: &Map, path: &Path<'_>, errors: &mut Errors) {
    let path = path.child("nodeSelectorTerms");
    if list(selector, "nodeSelectorTerms").is_empty() {
        return path.required(errors, "must have at least one node selector term");
    }
    for (idx, term) in maps(selector, "nodeSelectorTerms") {
        validate_node_selector_term(term, true, &path.index(idx), errors);
    }
}
