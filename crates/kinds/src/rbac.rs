//! What roles and bindings have in common. Follows `pkg/apis/rbac/validation`.

use meta::{Errors, Object, names};
use value::{Map, Value};

use crate::path::Path;
use crate::pod_template::fields::{child_or_empty, list, maps, named, one_of, set_if_empty, text};
use crate::pod_template::internal;
use crate::{Column, Strategy, columns, path_segment_name};

pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";

/// Rules of roles and bindings for names and updates.
pub(crate) const STRATEGY: Strategy =
    Strategy { validate_name: path_segment_name, create_on_update: true, ..Strategy::PLAIN };

/// `ValidatePolicyRule` of each rule.
pub(crate) fn rules(body: &Map, is_namespaced: bool, errors: &mut Errors) {
    let root = Path::root("rules");
    for (idx, rule) in maps(body, "rules") {
        let path = root.index(idx);
        if list(rule, "verbs").is_empty() {
            path.child("verbs").required(errors, "verbs must contain at least one value");
        }
        let has = |key: &str| !list(rule, key).is_empty();
        if has("nonResourceURLs") {
            let bad = || rule.get("nonResourceURLs").cloned().unwrap_or_default();
            let path = path.child("nonResourceURLs");
            if is_namespaced {
                path.invalid(errors, bad(), "namespaced rules cannot apply to non-resource URLs");
            }
            if ["apiGroups", "resources", "resourceNames"].iter().any(|it| has(it)) {
                path.invalid(errors, bad(), "rules cannot apply to both regular resources and non-resource URLs");
            }
            continue;
        }
        for (key, what) in [("apiGroups", "api group"), ("resources", "resource")] {
            if !has(key) {
                path.child(key).required(errors, &format!("resource rules must supply at least one {what}"));
            }
        }
    }
}

/// Groups that go without saying.
pub(crate) fn default_binding(it: &mut Object) {
    it.body.set_default("roleRef", Map::new());
    it.body.edit_map("roleRef", |it| set_if_empty(it, "apiGroup", GROUP));
    it.body.edit_maps("subjects", |it| {
        if matches!(text(it, "kind"), "User" | "Group") {
            set_if_empty(it, "apiGroup", GROUP);
        }
    });
}

/// `ValidateRoleBinding`, `ValidateClusterRoleBinding`
pub(crate) fn binding(it: &Object, kinds: &[&str], errors: &mut Errors) {
    let reference = child_or_empty(&it.body, "roleRef");
    let path = Path::root("roleRef");
    one_of(text(reference, "apiGroup"), &[GROUP], &path.child("apiGroup"), errors);
    one_of(text(reference, "kind"), kinds, &path.child("kind"), errors);
    match text(reference, "name") {
        "" => path.child("name").required(errors, ""),
        name => named(name, names::path_segment_name, &path.child("name"), errors),
    }
    let is_namespaced = kinds.len() > 1;
    for (idx, it) in maps(&it.body, "subjects") {
        subject(it, is_namespaced, &Path::root("subjects").index(idx), errors);
    }
}

fn subject(subject: &Map, is_namespaced: bool, path: &Path<'_>, errors: &mut Errors) {
    let (name, group) = (text(subject, "name"), text(subject, "apiGroup"));
    if name.is_empty() {
        path.child("name").required(errors, "");
    }
    match text(subject, "kind") {
        "ServiceAccount" => {
            if !name.is_empty() {
                named(name, names::dns_subdomain, &path.child("name"), errors);
            }
            one_of(group, &[""], &path.child("apiGroup"), errors);
            if !is_namespaced && text(subject, "namespace").is_empty() {
                path.child("namespace").required(errors, "");
            }
        }
        "User" | "Group" => one_of(group, &[GROUP], &path.child("apiGroup"), errors),
        kind => path.child("kind").not_supported(errors, kind, &["ServiceAccount", "User", "Group"]),
    }
}

/// A binding is for one role for ever.
pub(crate) fn same_role(new: &Object, old: &Object, errors: &mut Errors) {
    let (now, before) = (child_or_empty(&new.body, "roleRef"), child_or_empty(&old.body, "roleRef"));
    if now != before {
        Path::root("roleRef").invalid(errors, internal::bad_value(now, "RoleRef"), "cannot change roleRef");
    }
}

pub(crate) const BINDING_COLUMNS: &[Column] = &[
    columns::name(),
    columns::text("Role", "What is given.", |it, _| {
        let reference = child_or_empty(&it.body, "roleRef");
        format!("{}/{}", text(reference, "kind"), text(reference, "name")).into()
    }),
    columns::created(),
    columns::wide(columns::text("Users", "Users to whom it is given.", |it, _| subjects(it, "User"))),
    columns::wide(columns::text("Groups", "Groups to whom it is given.", |it, _| subjects(it, "Group"))),
    columns::wide(columns::text("ServiceAccounts", "Service accounts to whom it is given.", |it, _| {
        subjects(it, "ServiceAccount")
    })),
];

fn subjects(it: &Object, kind: &str) -> Value {
    let all = maps(&it.body, "subjects").map(|(_, it)| it).filter(|it| text(it, "kind") == kind).map(|it| {
        let name = text(it, "name");
        if kind == "ServiceAccount" { format!("{}/{name}", text(it, "namespace")) } else { name.to_owned() }
    });
    all.collect::<Vec<_>>().join(", ").into()
}
