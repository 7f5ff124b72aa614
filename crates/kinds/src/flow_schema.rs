//! FlowSchema. Follows `pkg/apis/flowcontrol/validation`.

use meta::{Errors, Object, names};
use value::{Map, Value};

use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, flag, has, int, list, maps, named, opt_text, text, texts};
use crate::pod_template::internal;
use crate::workload::{edit_or_make, spec, status};
use crate::{Kind, Scope, Strategy, Subresource, columns};

const PRECEDENCE_MAX: i64 = 10_000;
const VERBS: &[&str] =
    &["*", "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.flowcontrol.v1.FlowSchema",
    subresources: &[Subresource::status("FlowSchema")],
    columns: || COLUMNS,
    strategy: Strategy {
        default: |it| {
            edit_or_make(&mut it.body, "spec", |it| {
                if int(it, "matchingPrecedence") == 0 {
                    it.insert("matchingPrecedence", 1000);
                }
            });
        },
        prepare_create: |it| it.body.insert("status", Value::map()),
        validate,
        validate_update: |new, _, errors| validate(new, errors),
        ..Strategy::WORKLOAD
    },
    ..Kind::new(Scope::Cluster, "flowcontrol.apiserver.k8s.io", "v1", "FlowSchema", "flowschemas")
};

const COLUMNS: &[crate::Column] = &[
    columns::name(),
    columns::text("PriorityLevel", "The level of its requests.", |it, _| {
        columns::string(it, "spec.priorityLevelConfiguration.name")
    }),
    columns::text("MatchingPrecedence", "Who comes first has the request.", |it, _| {
        columns::number(it, "spec.matchingPrecedence")
    }),
    columns::text("DistinguisherMethod", "How flows are told apart.", |it, _| {
        it.str_at("spec.distinguisherMethod.type").unwrap_or("<none>").into()
    }),
    columns::created(),
    columns::text("MissingPL", "Whether its level is missing.", |it, _| {
        let dangling = maps(status(it), "conditions").map(|(_, it)| it).find(|it| text(it, "type") == "Dangling");
        dangling.map_or("?", |it| text(it, "status")).into()
    }),
];

fn validate(it: &Object, errors: &mut Errors) {
    let spec = spec(it);
    let path = Path::root("spec");
    let precedence = int(spec, "matchingPrecedence");
    let precedence_path = path.child("matchingPrecedence");
    if precedence <= 0 {
        precedence_path.invalid(errors, precedence, "must be a positive value");
    }
    if precedence > PRECEDENCE_MAX {
        precedence_path.invalid(errors, precedence, &format!("must not be greater than {PRECEDENCE_MAX}"));
    }
    if precedence == 1 && it.name() != "exempt" {
        let detail = "only the schema named 'exempt' may have matchingPrecedence 1";
        precedence_path.invalid(errors, precedence, detail);
    }
    if let Some(method) = child(spec, "distinguisherMethod")
        && !matches!(text(method, "type"), "ByUser" | "ByNamespace")
    {
        let bad = internal::bad_value(method, "FlowDistinguisherMethod");
        path.child("distinguisherMethod.type").not_supported(errors, bad, &["ByNamespace", "ByUser"]);
    }
    let level_path = path.child("priorityLevelConfiguration.name");
    match text(child_or_empty(spec, "priorityLevelConfiguration"), "name") {
        "" => level_path.required(errors, "must reference a priority level"),
        name => named(name, names::dns_subdomain, &level_path, errors),
    }
    for (idx, it) in maps(spec, "rules") {
        rule(it, &path.child("rules").index(idx), errors);
    }
}

fn rule(rule: &Map, path: &Path<'_>, errors: &mut Errors) {
    if list(rule, "subjects").is_empty() {
        path.child("subjects").required(errors, "subjects must contain at least one value");
    }
    for (idx, it) in maps(rule, "subjects") {
        subject(it, &path.child("subjects").index(idx), errors);
    }
    if list(rule, "resourceRules").is_empty() && list(rule, "nonResourceRules").is_empty() {
        path.required(errors, "at least one of resourceRules and nonResourceRules has to be non-empty");
    }
    for (idx, it) in maps(rule, "resourceRules") {
        let path = path.child("resourceRules");
        let path = path.index(idx);
        verbs(it, &path, errors);
        for (key, one, more) in [("apiGroups", "api group", "api groups"), ("resources", "resource", "resources")] {
            let needed = format!("resource rules must supply at least one {one}");
            listed(it, key, &needed, more, &path, errors);
        }
        if !(list(it, "namespaces").is_empty() && flag(it, "clusterScope")) {
            let needed = "resource rules that are not cluster scoped must supply at least one namespace";
            listed(it, "namespaces", needed, "namespaces", &path, errors);
        }
        for (idx, namespace) in texts(it, "namespaces").filter(|(_, it)| *it != "*") {
            for message in names::dns_label(namespace) {
                let detail = format!("each member of this list must be '*' or a DNS-1123 label; {message}");
                path.child("namespaces").index(idx).invalid(errors, namespace, &detail);
            }
        }
    }
    for (idx, it) in maps(rule, "nonResourceRules") {
        let path = path.child("nonResourceRules");
        let path = path.index(idx);
        verbs(it, &path, errors);
        let needed = "nonResourceURLs must contain at least one value";
        listed(it, "nonResourceURLs", needed, "non-resource URLs", &path, errors);
    }
}

fn listed(it: &Map, key: &str, needed: &str, others: &str, path: &Path<'_>, errors: &mut Errors) {
    let path = path.child(key);
    match list(it, key).len() {
        0 => path.required(errors, needed),
        n if n > 1 && texts(it, key).any(|(_, it)| it == "*") => {
            let detail = format!("if '*' is present, must not specify other {others}");
            path.invalid(errors, it.get(key).cloned().unwrap_or_default(), &detail);
        }
        _ => (),
    }
}

fn verbs(it: &Map, path: &Path<'_>, errors: &mut Errors) {
    listed(it, "verbs", "verbs must contain at least one value", "verbs", path, errors);
    if texts(it, "verbs").any(|(_, it)| !VERBS.contains(&it)) && !texts(it, "verbs").any(|(_, it)| it == "*") {
        path.child("verbs").not_supported(errors, it.get("verbs").cloned().unwrap_or_default(), VERBS);
    }
}

fn subject(subject: &Map, path: &Path<'_>, errors: &mut Errors) {
    const KINDS: [(&str, &str); 3] = [("ServiceAccount", "serviceAccount"), ("User", "user"), ("Group", "group")];
    let kind = text(subject, "kind");
    let Some((_, key)) = KINDS.iter().find(|(it, _)| *it == kind) else {
        return path.child("kind").not_supported(errors, kind, &["Group", "ServiceAccount", "User"]);
    };
    let own = path.child(key);
    match child(subject, key) {
        None => own.required(errors, &format!("{key} is required when subject kind is '{kind}'")),
        Some(it) => {
            match text(it, "name") {
                "" => own.child("name").required(errors, ""),
                name if kind == "ServiceAccount" && name != "*" => {
                    named(name, names::dns_subdomain, &own.child("name"), errors);
                }
                _ => (),
            }
            if kind == "ServiceAccount" {
                match opt_text(it, "namespace").unwrap_or("") {
                    "" => own.child("namespace").required(errors, "must specify namespace for service account"),
                    namespace => named(namespace, names::dns_label, &own.child("namespace"), errors),
                }
            }
        }
    }
    for (other, key) in KINDS.iter().filter(|(other, key)| *other != kind && has(subject, key)) {
        path.child(key).forbidden(errors, &format!("{key} is forbidden when subject kind is not '{other}'"));
    }
}
