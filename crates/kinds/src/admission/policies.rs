//! Policies in CEL and their bindings, of both sorts. Whether expressions compile is not looked at.

use std::collections::BTreeSet;

use meta::{Errors, Object, names};
use value::{Map, Value};

use super::{match_conditions, match_resources};
use crate::path::Path;
use crate::pod_template::fields::{child, has, list, maps, named, one_of, opt_text, text, texts};
use crate::pod_template::labels;
use crate::workload::spec;
use crate::{Column, columns};

const ANNOTATIONS_MAX: usize = 20;
const ANNOTATION_EXPRESSION_MAX: usize = 5 * 1024;
/// A mutating policy sees no deletions.
const MUTABLE: &[&str] = &["*", "CONNECT", "CREATE", "UPDATE"];

pub(crate) fn param_kind(it: &Object) -> Value {
    match child(spec(it), "paramKind") {
        Some(kind) => format!("{}/{}", text(kind, "apiVersion"), text(kind, "kind")).into(),
        None => "<unset>".into(),
    }
}

pub(crate) const fn policy_columns(counted: Column) -> [Column; 4] {
    [
        columns::name(),
        counted,
        columns::text("ParamKind", "What parameterizes it.", |it, _| param_kind(it)),
        columns::created(),
    ]
}

pub(crate) const BINDING_COLUMNS: &[Column] = &[
    columns::name(),
    columns::text("PolicyName", "The policy that is put to work.", |it, _| columns::string(it, "spec.policyName")),
    columns::text("ParamRef", "Its parameters.", |it, _| {
        let Some(reference) = child(spec(it), "paramRef") else { return "<unset>".into() };
        match (text(reference, "name"), text(reference, "namespace")) {
            ("", _) => {
                child(reference, "selector").map_or("<unset>".to_owned(), |it| columns::selector(Some(it))).into()
            }
            (name, "") => format!("*/{name}").into(),
            (name, namespace) => format!("{namespace}/{name}").into(),
        }
    }),
    columns::created(),
];

/// What both sorts of policies begin with.
pub(crate) fn start(spec: &Map, same_conditions: bool, mutates: bool, errors: &mut Errors) {
    let path = Path::root("spec");
    match opt_text(spec, "failurePolicy") {
        None => path.child("failurePolicy").required(errors, ""),
        Some(it) => one_of(it, &["Fail", "Ignore"], &path.child("failurePolicy"), errors),
    }
    if let Some(kind) = child(spec, "paramKind") {
        kind_of(kind, &path.child("paramKind"), errors);
    }
    let constraints = path.child("matchConstraints");
    match child(spec, "matchConstraints") {
        None => constraints.required(errors, ""),
        Some(it) => {
            match_resources(it, &constraints, errors);
            if list(it, "resourceRules").is_empty() {
                constraints.child("resourceRules").required(errors, "");
            }
            if mutates {
                operations(it, &constraints, errors);
            }
        }
    }
    if !same_conditions {
        match_conditions(spec, &path, errors);
    }
    for (idx, variable) in maps(spec, "variables") {
        let path = path.child("variables");
        let path = path.index(idx);
        match text(variable, "name") {
            name if name.trim().is_empty() => path.child("name").required(errors, "name is not specified"),
            name if !is_identifier(name) => path.child("name").invalid(errors, name, "must be a valid CEL identifier"),
            _ => (),
        }
        if text(variable, "expression").trim().is_empty() {
            path.child("expression").required(errors, "expression is not specified");
        }
    }
}

/// Whether an update leaves what conditions depend on as it was.
pub(crate) fn same_conditions(new: &Object, old: &Object) -> bool {
    ["paramKind", "matchConditions"].iter().all(|key| spec(new).get(key) == spec(old).get(key))
}

fn operations(it: &Map, path: &Path<'_>, errors: &mut Errors) {
    for (_, rule) in maps(it, "resourceRules") {
        for (_, operation) in texts(rule, "operations") {
            one_of(operation, MUTABLE, &path.child("resourceRules.operations"), errors);
        }
    }
}

fn is_identifier(name: &str) -> bool {
    const RESERVED: &[&str] = &[
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ];
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !RESERVED.contains(&name)
}

fn kind_of(kind: &Map, path: &Path<'_>, errors: &mut Errors) {
    let version_path = path.child("apiVersion");
    let shown = text(kind, "apiVersion");
    let (group, version) = shown.split_once('/').unwrap_or(("", shown));
    if shown.is_empty() {
        version_path.required(errors, "");
    } else if version.contains('/') {
        version_path.invalid(errors, shown, &format!("unexpected GroupVersion string: {shown}"));
    } else {
        let joined = |bad: &str, messages: Vec<String>, errors: &mut Errors| {
            if !messages.is_empty() {
                version_path.invalid(errors, bad, &messages.join(","));
            }
        };
        if !group.is_empty() {
            joined(group, names::dns_subdomain(group), errors);
        }
        if version.is_empty() {
            version_path.invalid(errors, shown, "version must be specified");
        } else {
            joined(version, names::dns_1035_label(version), errors);
        }
    }
    let name = text(kind, "kind");
    let messages = names::dns_1035_label(&name.to_lowercase());
    if name.is_empty() {
        path.child("kind").required(errors, "");
    } else if !messages.is_empty() {
        let detail = format!("may have mixed case, but should otherwise match: {}", messages.join(","));
        path.child("kind").invalid(errors, name, &detail);
    }
}

/// What a validating policy checks.
pub(crate) fn validations(it: &Object, errors: &mut Errors) {
    let spec = spec(it);
    let path = Path::root("spec");
    if list(spec, "validations").is_empty() && list(spec, "auditAnnotations").is_empty() {
        for key in ["validations", "auditAnnotations"] {
            let needed = "validations or auditAnnotations must contain at least one item";
            path.child(key).required(errors, needed);
        }
        return;
    }
    for (idx, it) in maps(spec, "validations") {
        validation(it, &path.child("validations").index(idx), errors);
    }
    let path = path.child("auditAnnotations");
    if list(spec, "auditAnnotations").len() > ANNOTATIONS_MAX {
        let detail = format!("must not have more than {ANNOTATIONS_MAX} auditAnnotations");
        path.invalid(errors, spec.get("auditAnnotations").cloned().unwrap_or_default(), &detail);
    }
    let mut seen = BTreeSet::new();
    for (idx, note) in maps(spec, "auditAnnotations") {
        let path = path.index(idx);
        let key = text(note, "key");
        if it.meta.name.is_empty() {
            path.child("key").invalid(errors, key, "requires metadata.name be non-empty");
        } else {
            named(&format!("{}/{key}", it.meta.name), names::qualified_name, &path.child("key"), errors);
        }
        match text(note, "valueExpression").trim().len() {
            0 => path.child("valueExpression").required(errors, "valueExpression is not specified"),
            n if n > ANNOTATION_EXPRESSION_MAX => {
                let detail = format!("must not exceed {ANNOTATION_EXPRESSION_MAX} bytes in length");
                path.child("valueExpression").required(errors, &detail);
            }
            _ => (),
        }
        if !seen.insert(key) {
            path.child("key").duplicate(errors, key);
        }
    }
}

fn validation(it: &Map, path: &Path<'_>, errors: &mut Errors) {
    if text(it, "expression").trim().is_empty() {
        path.child("expression").required(errors, "expression is not specified");
    }
    for key in ["messageExpression", "message"] {
        let message = text(it, key);
        if !message.is_empty() && message.trim().is_empty() {
            path.child(key).invalid(errors, message, "must be non-empty if specified");
        } else if key == "message" && message.trim().contains(['\n', '\r']) {
            path.child(key).invalid(errors, message, "must not contain line breaks");
        }
    }
    if let Some(reason) = opt_text(it, "reason") {
        one_of(reason, &["Forbidden", "Invalid", "RequestEntityTooLarge"], &path.child("reason"), errors);
    }
}

/// What a mutating policy does.
pub(crate) fn mutations(spec: &Map, errors: &mut Errors) {
    let path = Path::root("spec.mutations");
    if list(spec, "mutations").is_empty() {
        path.required(errors, "mutations must contain at least one item");
    }
    for (idx, mutation) in maps(spec, "mutations") {
        let path = path.index(idx);
        let kind = text(mutation, "patchType");
        let (mine, other) = match kind {
            "" => {
                path.child("patchType").required(errors, "");
                continue;
            }
            "JSONPatch" => ("jsonPatch", "applyConfiguration"),
            "ApplyConfiguration" => ("applyConfiguration", "jsonPatch"),
            _ => {
                path.child("patchType").not_supported(errors, kind, &["ApplyConfiguration", "JSONPatch"]);
                continue;
            }
        };
        match child(mutation, mine) {
            None => path.child(mine).required(errors, &format!("must be specified when patchType is {kind}")),
            Some(it) if text(it, "expression").trim().is_empty() => {
                path.child(mine).child("expression").required(errors, "");
            }
            Some(_) => (),
        }
        if has(mutation, other) {
            let detail = format!("must not be specified when patchType is {kind}");
            path.child(other).invalid(errors, format!("{{{other}}}"), &detail);
        }
    }
    let path = Path::root("spec.reinvocationPolicy");
    match text(spec, "reinvocationPolicy") {
        "" => path.required(errors, ""),
        it => one_of(it, &["IfNeeded", "Never"], &path, errors),
    }
}

/// What both sorts of bindings say.
pub(crate) fn binding(spec: &Map, mutates: bool, errors: &mut Errors) {
    let path = Path::root("spec");
    match text(spec, "policyName") {
        "" => path.child("policyName").required(errors, ""),
        name => named(name, names::dns_subdomain, &path.child("policyName"), errors),
    }
    if let Some(reference) = child(spec, "paramRef") {
        param_ref(reference, &path.child("paramRef"), errors);
    }
    if let Some(it) = child(spec, "matchResources") {
        match_resources(it, &path.child("matchResources"), errors);
        if mutates {
            operations(it, &path.child("matchResources"), errors);
        }
    }
    if !mutates {
        actions(spec, &path.child("validationActions"), errors);
    }
}

fn param_ref(it: &Map, path: &Path<'_>, errors: &mut Errors) {
    const EITHER: &str = "name and selector are mutually exclusive";
    let (name, selector) = (text(it, "name"), child(it, "selector"));
    if !name.is_empty() {
        named(name, names::path_segment_name, &path.child("name"), errors);
        if selector.is_some() {
            path.child("name").forbidden(errors, EITHER);
        }
    }
    if selector.is_some() {
        labels::validate_selector(selector, &path.child("selector"), errors);
        if !name.is_empty() {
            path.child("selector").forbidden(errors, EITHER);
        }
    }
    if name.is_empty() && selector.is_none() {
        path.required(errors, "one of name or selector must be specified");
    }
    match text(it, "parameterNotFoundAction") {
        "" => path.child("parameterNotFoundAction").required(errors, ""),
        it => one_of(it, &["Deny", "Allow"], &path.child("parameterNotFoundAction"), errors),
    }
}

fn actions(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (idx, action) in texts(spec, "validationActions") {
        one_of(action, &["Audit", "Deny", "Warn"], &path.index(idx), errors);
        if !seen.insert(action) {
            path.index(idx).duplicate(errors, action);
        }
    }
    if seen.contains("Deny") && seen.contains("Warn") {
        let bad = spec.get("validationActions").cloned().unwrap_or_default();
        path.invalid(errors, bad, "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)");
    }
    if seen.is_empty() {
        path.required(errors, "at least one validation action is required");
    }
}
