//! `auth can-i` and `auth whoami`.

use value::{Value, value};

use super::{Command, Help};
use crate::api::Url;
use crate::failure::{Failure, Result, fail};
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow};
use crate::tabs;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "auth",
        help: || Help { usage: "[flags]", about: "Inspect authorization" },
        flags: &[],
        run: |cx| super::help::children(cx, "auth"),
    },
    Command {
        name: "auth can-i",
        help: || Help {
            usage: "VERB [TYPE | TYPE/NAME | NONRESOURCEURL]",
            about: "Check whether an action is allowed",
        },
        flags: &["A/all-namespaces:b list:b no-headers:b q/quiet:b subresource:s"],
        run: can_i,
    },
    Command {
        name: "auth whoami",
        help: || Help { usage: "", about: "Experimental: Check self subject attributes" },
        flags: &[print::FLAGS],
        run: who_am_i,
    },
];

const RESOURCE_VERBS: &[&str] = &[
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "use",
    "bind",
    "impersonate",
    "*",
    "approve",
    "sign",
    "escalate",
    "attest",
];
const URL_VERBS: &[&str] = &["get", "put", "post", "head", "options", "delete", "patch", "*"];

/// Everything that the user may do.
fn list(cx: &mut Cx<'_>) -> Result<Flow> {
    if cx.is("quiet") || cx.is("all-namespaces") || cx.flags().changed("subresource") {
        return fail("list option can't be specified with neither quiet, all-namespaces nor subresource options");
    }
    let review = value!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": cx.namespace()},
    });
    let answer = cx.post(&Url::new("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"), &review)?;
    if answer.bool_at("status.incomplete") == Some(true) {
        let why = answer.str_at("status.evaluationError").unwrap_or_default();
        cx.note(&format!("Warning: the list may be incomplete: {why}"));
    }
    let rules: Vec<Value> =
        [answer.list_at("status.resourceRules"), answer.list_at("status.nonResourceRules")].concat();
    let headers = if cx.is("no-headers") { "" } else { "Resources\tNon-Resource URLs\tResource Names\tVerbs\n" };
    let rows = format!("{headers}{}", crate::describe::rule_rows(&rules));
    cx.out(&tabs::align(&rows, &tabs::TABLE));
    Ok(Flow::Done)
}

fn can_i(cx: &mut Cx<'_>) -> Result<Flow> {
    if cx.is("list") {
        return list(cx);
    }
    if cx.is("no-headers") {
        return fail("--no-headers cannot be set without --list specified");
    }
    let args = cx.flags().args.clone();
    let (verb, target) = match args.as_slice() {
        [verb, target] => (verb, target),
        _ => {
            let asked = "you must specify two arguments: verb resource or verb resource/resourceName.";
            return fail(format!("{asked}\nSee 'kubectl auth can-i -h' for help and examples."));
        }
    };
    let mut spec = Value::map();
    let unknown = |verb: &str| format!("Warning: verb '{verb}' is not a known verb\n");
    if target.starts_with('/') {
        if !URL_VERBS.contains(&verb.as_str()) {
            cx.note(&unknown(verb));
        }
        spec.set("nonResourceAttributes", value!({"path": target.as_str(), "verb": verb.as_str()}));
    } else {
        let (word, name) = target.split_once('/').unwrap_or((target, ""));
        let (group, resource) = match cx.mapper()?.find(word) {
            _ if word == "*" => (String::new(), "*".to_owned()),
            Some(it) => {
                if !it.namespaced && !cx.is("all-namespaces") {
                    let group = if it.group.is_empty() { String::new() } else { format!(" in group '{}'", it.group) };
                    cx.note(&format!("Warning: resource '{}' is not namespace scoped{group}\n", it.plural));
                }
                (it.group.clone(), it.plural.clone())
            }
            None => {
                cx.note(&format!("Warning: the server doesn't have a resource type '{word}'\n"));
                (String::new(), word.to_owned())
            }
        };
        if !RESOURCE_VERBS.contains(&verb.as_str()) {
            cx.note(&unknown(verb));
        }
        let namespace = if cx.is("all-namespaces") { String::new() } else { cx.namespace() };
        spec.set(
            "resourceAttributes",
            value!({
                "namespace": namespace, "verb": verb.as_str(), "group": group, "resource": resource, "name": name,
                "subresource": cx.text("subresource"),
            }),
        );
    }
    let review = value!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec});
    let url = Url::new("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
    let answer = cx.post(&url, &review)?;
    let allowed = answer.bool_at("status.allowed").unwrap_or(false);
    let mut text = if allowed { "yes" } else { "no" }.to_owned();
    for field in ["status.reason", "status.evaluationError"] {
        if let Some(why) = answer.str_at(field).filter(|it| !allowed && !it.is_empty()) {
            text.push_str(&format!(" - {why}"));
        }
    }
    if !cx.is("quiet") {
        cx.line(&text);
    }
    if allowed { Ok(Flow::Done) } else { Err(Failure::Exit(1)) }
}

fn who_am_i(cx: &mut Cx<'_>) -> Result<Flow> {
    let review = value!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let answer = match cx.post(&Url::new("/apis/authentication.k8s.io/v1/selfsubjectreviews"), &review) {
        Err(failure) if failure.is_not_found() => {
            return fail(
                "the selfsubjectreviews API is not enabled in the cluster\nenable APISelfSubjectReview feature gate and authentication.k8s.io/v1alpha1 or authentication.k8s.io/v1beta1 API",
            );
        }
        answer => answer?,
    };
    let mut printer = Printer::from_flags(cx)?;
    if !printer.is_message() {
        printer.print(cx, &answer, "")?;
        return Ok(Flow::Done);
    }
    let user = answer.at("status.userInfo").cloned().unwrap_or_default();
    let mut rows = String::from("ATTRIBUTE\tVALUE\n");
    for (label, field) in [("Username", "username"), ("UID", "uid")] {
        if let Some(text) = user.str_at(field).filter(|it| !it.is_empty()) {
            rows.push_str(&format!("{label}\t{text}\n"));
        }
    }
    let groups: Vec<&str> = user.list_at("groups").iter().filter_map(Value::as_str).collect();
    if !groups.is_empty() {
        rows.push_str(&format!("Groups\t[{}]\n", groups.join(" ")));
    }
    cx.out(&tabs::align(&rows, &tabs::TABLE));
    Ok(Flow::Done)
}
