//! What kinds of `admissionregistration.k8s.io` have in common. Follows `pkg/apis/admissionregistration/validation`.

pub(crate) mod policies;
pub(crate) mod webhooks;

use std::collections::BTreeSet;

use meta::{Errors, names};
use value::Map;

use crate::path::Path;
use crate::pod_template::fields::{child, has, list, maps, named, one_of, opt_text, text, texts};
use crate::pod_template::labels;

pub(crate) const GROUP: &str = "admissionregistration.k8s.io";

const CONDITIONS_MAX: usize = 64;

/// Rules and references get what goes without saying.
pub(crate) fn default_rules(holder: &mut Map, key: &str) {
    holder.edit_maps(key, |it| it.set_default("scope", "*"));
}

/// `SetDefaults_MatchResources`
pub(crate) fn default_match(holder: &mut Map, key: &str) {
    holder.edit_map(key, |it| {
        it.set_default("matchPolicy", "Equivalent");
        it.set_default("namespaceSelector", Map::new());
        it.set_default("objectSelector", Map::new());
        default_rules(it, "resourceRules");
        default_rules(it, "excludeResourceRules");
    });
}

fn has_star(holder: &Map, key: &str) -> bool {
    texts(holder, key).any(|(_, it)| it == "*")
}

/// `*` stands alone.
fn star_alone(holder: &Map, key: &str, what: &str, path: &Path<'_>, errors: &mut Errors) {
    if list(holder, key).len() > 1 && has_star(holder, key) {
        let detail = format!("if '*' is present, must not specify other {what}");
        path.child(key).invalid(errors, holder.get(key).cloned().unwrap_or_default(), &detail);
    }
}

/// `validateRuleWithOperations`
pub(crate) fn rule(rule: &Map, path: &Path<'_>, errors: &mut Errors) {
    const OPERATIONS: &[&str] = &["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
    let needed = |key: &str, errors: &mut Errors| {
        if list(rule, key).is_empty() {
            path.child(key).required(errors, "");
        }
    };
    needed("operations", errors);
    star_alone(rule, "operations", "operations", path, errors);
    for (idx, it) in texts(rule, "operations") {
        one_of(it, OPERATIONS, &path.child("operations").index(idx), errors);
    }
    needed("apiGroups", errors);
    star_alone(rule, "apiGroups", "API groups", path, errors);
    needed("apiVersions", errors);
    star_alone(rule, "apiVersions", "API versions", path, errors);
    for (idx, _) in texts(rule, "apiVersions").filter(|(_, it)| it.is_empty()) {
        path.child("apiVersions").index(idx).required(errors, "");
    }
    needed("resources", errors);
    resources(rule, &path.child("resources"), errors);
    if let Some(scope) = opt_text(rule, "scope") {
        one_of(scope, &["*", "Cluster", "Namespaced"], &path.child("scope"), errors);
    }
}

fn resources(rule: &Map, path: &Path<'_>, errors: &mut Errors) {
    let (mut all_parts, mut all_resources) = (BTreeSet::new(), BTreeSet::new());
    let mut has_whole = false;
    for (idx, it) in texts(rule, "resources") {
        let item = path.index(idx);
        if it.is_empty() {
            item.required(errors, "");
            continue;
        }
        let Some((resource, part)) = it.split_once('/') else {
            has_whole = it != "*";
            continue;
        };
        if all_parts.contains(resource) {
            item.invalid(errors, it, &format!("if '{resource}/*' is present, must not specify {it}"));
        }
        if all_resources.contains(part) {
            item.invalid(errors, it, &format!("if '*/{part}' is present, must not specify {it}"));
        }
        if part == "*" {
            all_parts.insert(resource);
        }
        if resource == "*" {
            all_resources.insert(part);
        }
    }
    let bad = || rule.get("resources").cloned().unwrap_or_default();
    let has = |name: &str| texts(rule, "resources").any(|(_, it)| it == name);
    if list(rule, "resources").len() > 1 && has("*/*") {
        path.invalid(errors, bad(), "if '*/*' is present, must not specify other resources");
    }
    if has("*") && has_whole {
        path.invalid(errors, bad(), "if '*' is present, must not specify other resources without subresources");
    }
}

/// `validateMatchConditions`; whether expressions compile is not looked at.
pub(crate) fn match_conditions(holder: &Map, path: &Path<'_>, errors: &mut Errors) {
    let path = path.child("matchConditions");
    let n_conditions = list(holder, "matchConditions").len();
    if n_conditions > CONDITIONS_MAX {
        path.too_many(errors, n_conditions, CONDITIONS_MAX);
    }
    let mut seen = BTreeSet::new();
    for (idx, condition) in maps(holder, "matchConditions") {
        let path = path.index(idx);
        if text(condition, "expression").trim().is_empty() {
            path.child("expression").required(errors, "");
        }
        match text(condition, "name") {
            "" => path.child("name").required(errors, ""),
            name => {
                named(name, names::qualified_name, &path.child("name"), errors);
                if !seen.insert(name) {
                    path.child("name").duplicate(errors, name);
                }
            }
        }
    }
}

/// `validateMatchResources`
pub(crate) fn match_resources(it: &Map, path: &Path<'_>, errors: &mut Errors) {
    match opt_text(it, "matchPolicy") {
        None => path.child("matchPolicy").required(errors, ""),
        Some(policy) => one_of(policy, &["Equivalent", "Exact"], &path.child("matchPolicy"), errors),
    }
    for key in ["namespaceSelector", "objectSelector"] {
        if has(it, key) {
            labels::validate_selector(child(it, key), &path.child(key), errors);
        } else {
            path.child(key).required(errors, "");
        }
    }
    for key in ["resourceRules", "excludeResourceRules"] {
        for (idx, named_rule) in maps(it, key) {
            let path = path.child(key);
            let path = path.index(idx);
            let mut seen = BTreeSet::new();
            for (idx, name) in texts(named_rule, "resourceNames") {
                let path = path.child("resourceNames");
                let path = path.index(idx);
                named(name, names::path_segment_name, &path, errors);
                if !seen.insert(name) {
                    path.duplicate(errors, name);
                }
            }
            rule(named_rule, &path, errors);
        }
    }
}
