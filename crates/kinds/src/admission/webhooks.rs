//! Webhooks, of both sorts.

use std::collections::BTreeSet;

use meta::{Errors, Object, names};
use value::Map;

use super::{default_rules, match_conditions, rule};
use crate::path::Path;
use crate::pod_template::fields::{
    child, child_or_empty, int, list, maps, named, one_of, opt_int, opt_text, text, texts,
};
use crate::pod_template::labels;
use crate::{Column, Strategy, columns};

/// What both sorts of configurations share.
pub(crate) const STRATEGY: Strategy = Strategy { generation: true, unconditional_update: false, ..Strategy::PLAIN };

pub(crate) const COLUMNS: &[Column] = &[
    columns::name(),
    columns::integer("Webhooks", "How many webhooks there are.", |it, _| {
        (list(&it.body, "webhooks").len() as i64).into()
    }),
    columns::created(),
];

pub(crate) fn default(it: &mut Object, mutates: bool) {
    it.body.edit_maps("webhooks", |hook| {
        hook.set_default("failurePolicy", "Fail");
        hook.set_default("matchPolicy", "Equivalent");
        hook.set_default("namespaceSelector", Map::new());
        hook.set_default("objectSelector", Map::new());
        hook.set_default("timeoutSeconds", 10);
        if mutates {
            hook.set_default("reinvocationPolicy", "Never");
        }
        hook.edit_map("clientConfig", |it| it.edit_map("service", |it| it.set_default("port", 443)));
        default_rules(hook, "rules");
    });
}

/// What an old configuration already has is not held against a new one.
struct Known {
    side_effects: bool,
    versions: bool,
    names: bool,
    conditions: bool,
}

pub(crate) fn validate(new: &Object, old: Option<&Object>, errors: &mut Errors) {
    let hooks = |it: &'_ Object| maps(&it.body, "webhooks").map(|(_, it)| it.clone()).collect::<Vec<Map>>();
    let known =
        old.map(hooks).map_or(Known { side_effects: false, versions: false, names: false, conditions: false }, |old| {
            let names: BTreeSet<&str> = old.iter().map(|it| text(it, "name")).collect();
            let conditions =
                |all: &[Map]| all.iter().map(|it| list(it, "matchConditions").to_vec()).collect::<Vec<_>>();
            Known {
                side_effects: old.iter().any(|it| !matches!(text(it, "sideEffects"), "None" | "NoneOnDryRun")),
                versions: old.iter().any(|it| !list(it, "admissionReviewVersions").is_empty() && !accepts(it)),
                names: names.len() < old.len(),
                conditions: conditions(&old) == conditions(&hooks(new)),
            }
        });
    let mut seen = BTreeSet::new();
    for (idx, it) in maps(&new.body, "webhooks") {
        let path = Path::root("webhooks");
        let path = path.index(idx);
        hook(it, &known, &path, errors);
        review_versions(it, &known, &path.child("admissionReviewVersions"), errors);
        let name = text(it, "name");
        if !known.names && !name.is_empty() && !seen.insert(name) {
            path.child("name").duplicate(errors, name);
        }
    }
}

fn accepts(hook: &Map) -> bool {
    texts(hook, "admissionReviewVersions").any(|(_, it)| matches!(it, "v1" | "v1beta1"))
}

fn hook(hook: &Map, known: &Known, path: &Path<'_>, errors: &mut Errors) {
    match text(hook, "name") {
        "" => path.child("name").required(errors, ""),
        name => named(name, names::fully_qualified_name, &path.child("name"), errors),
    }
    for (idx, it) in maps(hook, "rules") {
        rule(it, &path.child("rules").index(idx), errors);
    }
    for (key, supported) in [("failurePolicy", ["Fail", "Ignore"]), ("matchPolicy", ["Equivalent", "Exact"])] {
        if let Some(it) = opt_text(hook, key) {
            one_of(it, &supported, &path.child(key), errors);
        }
    }
    let allowed: &[&str] =
        if known.side_effects { &["None", "NoneOnDryRun", "Some", "Unknown"] } else { &["None", "NoneOnDryRun"] };
    let effects = path.child("sideEffects");
    match opt_text(hook, "sideEffects") {
        None => effects.required(errors, &format!("must specify one of {}", allowed.join(", "))),
        Some(it) => one_of(it, allowed, &effects, errors),
    }
    if let Some(it) = opt_int(hook, "timeoutSeconds").filter(|it| !(1..=30).contains(it)) {
        path.child("timeoutSeconds").invalid(errors, it, "the timeout value must be between 1 and 30 seconds");
    }
    for key in ["namespaceSelector", "objectSelector"] {
        labels::validate_selector(child(hook, key), &path.child(key), errors);
    }
    if let Some(it) = opt_text(hook, "reinvocationPolicy") {
        one_of(it, &["IfNeeded", "Never"], &path.child("reinvocationPolicy"), errors);
    }
    client(child_or_empty(hook, "clientConfig"), &path.child("clientConfig"), errors);
    if !known.conditions {
        match_conditions(hook, path, errors);
    }
}

fn review_versions(hook: &Map, known: &Known, path: &Path<'_>, errors: &mut Errors) {
    if list(hook, "admissionReviewVersions").is_empty() {
        return path.required(errors, "must specify one of v1, v1beta1");
    }
    let mut seen = BTreeSet::new();
    for (idx, version) in texts(hook, "admissionReviewVersions") {
        if seen.insert(version) {
            named(version, names::dns_1035_label, &path.index(idx), errors);
        } else {
            path.index(idx).invalid(errors, version, "duplicate version");
        }
    }
    if !known.versions && !accepts(hook) {
        let bad = hook.get("admissionReviewVersions").cloned().unwrap_or_default();
        path.invalid(errors, bad, "must include at least one of v1, v1beta1");
    }
}

fn client(config: &Map, path: &Path<'_>, errors: &mut Errors) {
    match (opt_text(config, "url"), child(config, "service")) {
        (Some(it), None) => url(it, &path.child("url"), errors),
        (None, Some(it)) => service(it, &path.child("service"), errors),
        _ => path.required(errors, "exactly one of url or service is required"),
    }
}

/// `ValidateWebhookURL`
pub(crate) fn url(text: &str, path: &Path<'_>, errors: &mut Errors) {
    const FORM: &str = "; desired format: https://host[/path]";
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (scheme, rest) = rest.split_once(':').unwrap_or(("", rest));
    let authority = rest.strip_prefix("//").map_or("", |it| it.split('/').next().unwrap_or(""));
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    if scheme != "https" {
        path.invalid(errors, scheme, &format!("'https' is the only allowed URL scheme{FORM}"));
    }
    if host.is_empty() {
        path.invalid(errors, host, &format!("host must be specified{FORM}"));
    }
    if let Some(user) = user {
        path.invalid(errors, user, "user information is not permitted in the URL");
    }
    if !fragment.is_empty() {
        path.invalid(errors, fragment, "fragments are not permitted in the URL");
    }
    if !query.is_empty() {
        path.invalid(errors, query, "query parameters are not permitted in the URL");
    }
}

/// `ValidateWebhookService`
pub(crate) fn service(it: &Map, path: &Path<'_>, errors: &mut Errors) {
    // Upstream takes one for the other.
    for (key, shown) in [("namespace", "name"), ("name", "namespace")] {
        if text(it, key).is_empty() {
            path.child(shown).required(errors, "");
        }
    }
    let port = int(it, "port");
    let messages = names::port_number(port);
    if !messages.is_empty() {
        path.child("port").invalid(errors, port, &format!("port is not valid: {}", messages.join(", ")));
    }
    let target = text(it, "path");
    let path = path.child("path");
    match target {
        "" | "/" => return,
        "//" => return path.invalid(errors, target, "segment[0] may not be empty"),
        _ => (),
    }
    if !target.starts_with('/') {
        path.invalid(errors, target, "must start with a '/'");
    }
    let steps: String = target.chars().skip(1).collect();
    for (idx, step) in steps.strip_suffix('/').unwrap_or(&steps).split('/').enumerate() {
        if step.is_empty() {
            path.invalid(errors, target, &format!("segment[{idx}] may not be empty"));
            continue;
        }
        for message in names::dns_subdomain(step) {
            path.invalid(errors, target, &format!("segment[{idx}]: {message}"));
        }
    }
}
