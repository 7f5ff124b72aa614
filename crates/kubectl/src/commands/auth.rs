//! `auth can-i` and `auth whoami`.

use value::{Value, value};

use super::Command;
use crate::api::Url;
use crate::failure::{Failure, Result, fail};
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow};
use crate::tabs;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "auth",
        usage: "",
        about: "Inspect authorization",
        flags: &[],
        run: |cx| super::help::children(cx, "auth"),
    },
    Command {
        name: "auth can-i",
        usage: "VERB [TYPE | TYPE/NAME | NONRESOURCEURL]",
        about: "Check whether an action is allowed",
        flags: &["A/all-namespaces:b list:b no-headers:b q/quiet:b subresource:s"],
        run: can_i,
    },
    Command {
        name: "auth whoami",
        usage: "",
        about: "Experimental: Check self subject attributes",
        flags: &[print::FLAGS],
        run: who_am_i,
    },
];

fn can_i(cx: &mut Cx<'_>) -> Result<Flow> {
    let args = cx.flags().args.clone();
    let (verb, target) = match args.as_slice() {
        [verb, target] => (verb, target),
        _ => return fail("you must specify two arguments: verb resource or verb resource/resourceName."),
    };
    let mut spec = Value::map();
    if target.starts_with('/') {
        spec.set("nonResourceAttributes", value!({"path": target.as_str(), "verb": verb.as_str()}));
    } else {
        let (word, name) = target.split_once('/').unwrap_or((target, ""));
        let (group, resource) = match cx.mapper()?.find(word) {
            Some(it) => (it.group.clone(), it.plural.clone()),
            None => {
                cx.note(&format!("Warning: the server doesn't have a resource type '{word}'\n"));
                (String::new(), word.to_owned())
            }
        };
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
    // A server without access reviews allows everything.
    let allowed = match cx.post(&url, &review) {
        Ok(answer) => answer.bool_at("status.allowed").unwrap_or(false),
        Err(failure) if failure.is_not_found() => true,
        Err(failure) => return Err(failure),
    };
    if !cx.is("quiet") {
        cx.line(if allowed { "yes" } else { "no" });
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
