//! `create role` and its kin, and tokens of service accounts.

use meta::quoted;
use value::{Value, value};

use super::{compact, finish, name};
use crate::api::Url;
use crate::failure::{Failure, Result, fail};
use crate::order;
use crate::print::Printer;
use crate::shell::{Cx, Flow};

const API_VERSION: &str = "rbac.authorization.k8s.io/v1";
const GROUP: &str = "rbac.authorization.k8s.io";

const VERBS: &[&str] = &[
    "*",
    "get",
    "delete",
    "list",
    "create",
    "update",
    "patch",
    "watch",
    "proxy",
    "deletecollection",
    "use",
    "bind",
    "approve",
    "sign",
    "attest",
    "escalate",
    "impersonate",
];
const URL_VERBS: &[&str] = &["*", "get", "post", "put", "delete", "patch", "head", "options"];

/// Verbs that only a few resources have.
const SPECIAL: &[(&str, &[(&str, &str)])] = &[
    ("use", &[]),
    ("bind", &[(GROUP, "roles"), (GROUP, "clusterroles")]),
    ("escalate", &[(GROUP, "roles"), (GROUP, "clusterroles")]),
    ("impersonate", &[("", "users"), ("", "serviceaccounts"), ("", "groups"), ("authentication.k8s.io", "userextras")]),
];

fn texts(items: &[String]) -> Vec<Value> {
    items.iter().map(|it| Value::from(it.as_str())).collect()
}

fn unique(items: Vec<String>) -> Vec<String> {
    let mut res: Vec<String> = Vec::new();
    for it in items {
        if !res.contains(&it) {
            res.push(it);
        }
    }
    res
}

/// Group and name of what `deployments.apps/scale` means.
fn resource(cx: &mut Cx<'_>, word: &str, verbs: &[String]) -> Result<(String, String)> {
    let (word, subresource) = word.split_once('/').map_or((word, ""), |(word, it)| (word, it));
    if word.is_empty() {
        return fail("resource must be specified if apiGroup/subresource specified");
    }
    let (mut plural, mut group) =
        word.split_once('.').map_or((word.to_owned(), String::new()), |(a, b)| (a.into(), b.into()));
    let mut failure = None;
    if plural != "*" {
        match cx.mapper()?.find(word) {
            Some(it) => (plural, group) = (it.plural.clone(), it.group.clone()),
            None => failure = Some(format!("the server doesn't have a resource type {}", quoted(&plural))),
        }
        for (verb, resources) in SPECIAL.iter().filter(|(_, it)| !it.is_empty()) {
            if !verbs.iter().any(|it| it == verb) {
                continue;
            }
            if !resources.contains(&(&group, &plural)) {
                return fail(format!("can not perform '{verb}' on '{plural}' in group '{group}'"));
            }
            failure = None;
        }
    }
    if let Some(failure) = failure {
        return Err(Failure::Exact(failure));
    }
    if !subresource.is_empty() {
        plural = format!("{plural}/{subresource}");
    }
    Ok((group, plural))
}

/// One rule for each group of the resources, and one for URLs.
fn rules(cx: &mut Cx<'_>, verbs: &[String], urls: &[String]) -> Result<Vec<Value>> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for word in cx.flags().list("resource") {
        let (group, plural) = resource(cx, &word, verbs)?;
        match groups.iter_mut().find(|(have, _)| *have == group) {
            Some((_, plurals)) if plurals.contains(&plural) => {}
            Some((_, plurals)) => plurals.push(plural),
            None => groups.push((group, vec![plural])),
        }
    }
    order::by(&mut groups, &mut |(a, _), (b, _)| a.cmp(b));
    let names = unique(cx.flags().all("resource-name").into_iter().map(str::to_owned).collect());
    let mut res: Vec<Value> = groups
        .into_iter()
        .map(|(group, plurals)| {
            compact(value!({
                "apiGroups": [group], "resourceNames": texts(&names), "resources": texts(&plurals), "verbs": texts(verbs),
            }))
        })
        .collect();
    if !urls.is_empty() {
        res.push(value!({"nonResourceURLs": texts(urls), "verbs": texts(verbs)}));
    }
    Ok(res)
}

fn verbs(cx: &mut Cx<'_>, has_resources: bool) -> Result<Vec<String>> {
    let verbs = cx.flags().list("verb");
    let verbs = if verbs.iter().any(|it| it == "*") { vec!["*".to_owned()] } else { unique(verbs) };
    if verbs.is_empty() {
        return fail("at least one verb must be specified");
    }
    for verb in verbs.iter().filter(|it| has_resources && !VERBS.contains(&it.as_str())) {
        cx.note(&format!("Warning: '{verb}' is not a standard resource verb"));
    }
    Ok(verbs)
}

pub(super) fn role(cx: &mut Cx<'_>) -> Result<Flow> {
    let name = name(cx, "create role")?;
    let verbs = verbs(cx, true)?;
    if cx.flags().list("resource").is_empty() {
        return fail("at least one resource must be specified");
    }
    let rules = rules(cx, &verbs, &[])?;
    finish(cx, value!({"apiVersion": API_VERSION, "kind": "Role", "metadata": {"name": name}, "rules": rules}), "")
}

pub(super) fn cluster_role(cx: &mut Cx<'_>) -> Result<Flow> {
    let name = name(cx, "create clusterrole")?;
    let mut object = value!({"apiVersion": API_VERSION, "kind": "ClusterRole", "metadata": {"name": name}});
    let urls = unique(cx.flags().list("non-resource-url"));
    let has_resources = !cx.flags().list("resource").is_empty();
    if cx.flags().changed("aggregation-rule") {
        if ["non-resource-url", "verb", "resource", "resource-name"].iter().any(|it| cx.flags().changed(it)) {
            return fail(
                "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames",
            );
        }
        let labels = super::generate::labels(cx.flags().text("aggregation-rule"));
        object.set("aggregationRule", value!({"clusterRoleSelectors": [{"matchLabels": labels}]}));
        object.set("rules", Value::Null);
        return finish(cx, object, "");
    }
    let verbs = verbs(cx, has_resources)?;
    if !has_resources && urls.is_empty() {
        return fail("one of resource or nonResourceURL must be specified");
    }
    let rules = rules(cx, &verbs, &urls)?;
    if let Some(verb) = verbs.iter().find(|it| !urls.is_empty() && !URL_VERBS.contains(&it.as_str())) {
        return fail(format!("invalid verb: '{verb}' for nonResourceURL"));
    }
    for url in urls.iter().filter(|it| *it != "*") {
        if !url.starts_with('/') {
            return fail("nonResourceURL should start with /");
        }
        if url.trim_end_matches('*').contains('*') || url.ends_with("**") {
            return fail("nonResourceURL only supports wildcard matches when '*' is at the end");
        }
    }
    object.set("rules", rules);
    finish(cx, object, "")
}

/// Who is bound.
fn subjects(cx: &Cx<'_>) -> Result<Vec<Value>> {
    let mut res = Vec::new();
    for (flag, kind) in [("user", "User"), ("group", "Group")] {
        for name in cx.flags().all(flag) {
            res.push(value!({"apiGroup": GROUP, "kind": kind, "name": name}));
        }
    }
    for account in cx.flags().all("serviceaccount") {
        match account.split(':').collect::<Vec<_>>().as_slice() {
            [namespace, name] if !namespace.is_empty() && !name.is_empty() => {
                res.push(value!({"kind": "ServiceAccount", "name": *name, "namespace": *namespace}));
            }
            _ => return fail("serviceaccount must be <namespace>:<name>"),
        }
    }
    Ok(res)
}

fn binding(cx: &mut Cx<'_>, kind: &str, name: &str, role_kind: &str, role: &str, what: &str) -> Result<Flow> {
    let mut object = value!({
        "apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": role_kind, "name": role},
    });
    let subjects = subjects(cx)?;
    if !subjects.is_empty() {
        object.set("subjects", subjects);
    }
    finish(cx, object, what)
}

pub(super) fn role_binding(cx: &mut Cx<'_>) -> Result<Flow> {
    let name = name(cx, "create rolebinding")?;
    match (&*cx.text("role"), &*cx.text("clusterrole")) {
        (role, "") if !role.is_empty() => {
            binding(cx, "RoleBinding", &name, "Role", role, "failed to create rolebinding: ")
        }
        ("", role) if !role.is_empty() => {
            binding(cx, "RoleBinding", &name, "ClusterRole", role, "failed to create rolebinding: ")
        }
        _ => fail("exactly one of clusterrole or role must be specified"),
    }
}

pub(super) fn cluster_role_binding(cx: &mut Cx<'_>) -> Result<Flow> {
    let name = name(cx, "create clusterrolebinding")?;
    let role = cx.text("clusterrole");
    if role.is_empty() {
        return fail("clusterrole must be specified");
    }
    binding(cx, "ClusterRoleBinding", &name, "ClusterRole", &role, "failed to create clusterrolebinding: ")
}

pub(super) fn token(cx: &mut Cx<'_>) -> Result<Flow> {
    let name = name(cx, "create token")?;
    let flags = cx.flags();
    if flags.seconds("duration", 0) < 0 {
        return fail("--duration must be greater than or equal to 0");
    }
    let mut spec = value!({"audiences": texts(&flags.list("audience"))});
    if flags.list("audience").is_empty() {
        spec.set("audiences", Value::Null);
    }
    if flags.seconds("duration", 0) > 0 {
        spec.set("expirationSeconds", flags.seconds("duration", 0));
    }
    let bound = flags.text("bound-object-kind");
    let api_version = match bound {
        "Pod" | "Secret" | "Node" => "v1",
        "" if flags.changed("bound-object-name") => {
            return fail("--bound-object-name can only be set if --bound-object-kind is provided");
        }
        "" if flags.changed("bound-object-uid") => {
            return fail("--bound-object-uid can only be set if --bound-object-kind is provided");
        }
        "" => "",
        _ => return fail("supported --bound-object-kind values are Node, Pod, Secret"),
    };
    if !bound.is_empty() {
        if flags.text("bound-object-name").is_empty() {
            return fail("--bound-object-name is required if --bound-object-kind is provided");
        }
        let object = value!({
            "kind": bound, "apiVersion": api_version, "name": flags.text("bound-object-name"),
            "uid": flags.text("bound-object-uid"),
        });
        spec.set("boundObjectRef", compact(object));
    }
    let request = value!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec});
    let accounts = cx.resource("serviceaccounts")?;
    let url = Url::of(&accounts, &cx.namespace(), &name, "token");
    let refused = |it: Failure| Failure::Text(format!("failed to create token: {}", it.message()));
    let answer = cx.post(&url, &request).map_err(refused)?;
    let token = answer.str_at("status.token").unwrap_or_default();
    if token.is_empty() {
        return fail("failed to create token: no token in server response");
    }
    let mut printer = Printer::from_flags(cx)?;
    match printer.is_message() {
        true => cx.line(token),
        false => printer.print(cx, &answer, "")?,
    }
    Ok(Flow::Done)
}
