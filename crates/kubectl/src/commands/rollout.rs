//! `rollout`: what changes of pod templates lead to, and back.

mod status;

use meta::quoted;
use value::{Value, value};

use super::{Command, DRY_RUN, DryRun, FILES, Help, SELECTOR};
use crate::api::{JSON, JSON_PATCH, STRATEGIC_PATCH, Url};
use crate::build::{Rules, items};
use crate::describe;
use crate::failure::{Failure, Result, fail};
use crate::manifest::{Info, strings};
use crate::order;
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow};
use crate::tabs;

const USAGE: &str = "(TYPE NAME | TYPE/NAME) [flags]";

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "rollout",
        help: || Help { usage: "SUBCOMMAND", about: "Manage the rollout of a resource" },
        flags: &[],
        run: |cx| super::help::children(cx, "rollout"),
    },
    Command {
        name: "rollout history",
        help: || Help { usage: USAGE, about: "View rollout history" },
        flags: &[print::FLAGS, FILES, SELECTOR, "revision:i"],
        run: history,
    },
    Command {
        name: "rollout pause",
        help: || Help { usage: "RESOURCE", about: "Mark the provided resource as paused" },
        flags: &[print::FLAGS, FILES, SELECTOR, "field-manager:s"],
        run: |cx| change(cx, "paused"),
    },
    Command {
        name: "rollout restart",
        help: || Help { usage: "RESOURCE", about: "Restart a resource" },
        flags: &[print::FLAGS, FILES, SELECTOR, "field-manager:s"],
        run: |cx| change(cx, "restarted"),
    },
    Command {
        name: "rollout resume",
        help: || Help { usage: "RESOURCE", about: "Resume a paused resource" },
        flags: &[print::FLAGS, FILES, SELECTOR, "field-manager:s"],
        run: |cx| change(cx, "resumed"),
    },
    Command {
        name: "rollout status",
        help: || Help { usage: USAGE, about: "Show the status of the rollout" },
        flags: &[FILES, SELECTOR, "w/watch:b revision:i timeout:d"],
        run: status::status,
    },
    Command {
        name: "rollout undo",
        help: || Help { usage: USAGE, about: "Undo a previous rollout" },
        flags: &[print::FLAGS, FILES, SELECTOR, DRY_RUN, "to-revision:i"],
        run: undo,
    },
];

const RULES: Rules = Rules { all_of_type: true, one_type: false, all: false, args: None, latest: true };

fn require(cx: &Cx<'_>) -> Result<()> {
    if cx.flags().args.is_empty() && !cx.flags().changed("filename") {
        return fail("required resource not specified");
    }
    if cx.flags().int("revision", 0) < 0 {
        return fail(format!("revision must be a positive integer: {}", cx.flags().int("revision", 0)));
    }
    Ok(())
}

/// `DaemonSet.apps`
fn group_kind(info: &Info) -> String {
    match &*info.resource.group {
        "" => info.resource.kind.clone(),
        group => format!("{}.{group}", info.resource.kind),
    }
}

fn int(object: &Value, path: &'static str) -> i64 {
    object.i64_at(path).unwrap_or(0)
}

/// A past state: its number, the object that keeps it, and the pod template of then.
struct Revision {
    number: i64,
    keeper: Value,
    template: Value,
}

fn revision_of(object: &Value) -> i64 {
    let annotations = strings(object, "annotations");
    let text = annotations.get("deployment.kubernetes.io/revision").and_then(Value::as_str);
    text.and_then(|it| it.parse().ok()).unwrap_or(0)
}

/// The revisions of an object, oldest first.
fn revisions(cx: &mut Cx<'_>, info: &Info) -> Result<Vec<Revision>> {
    let kind = match &*info.resource.kind {
        "Deployment" => "replicasets.apps",
        "DaemonSet" | "StatefulSet" => "controllerrevisions.apps",
        _ => return fail(format!("no history viewer has been implemented for {}", quoted(&group_kind(info)))),
    };
    let resource = cx.resource(kind)?;
    let selector = describe::selector_text(info.object.at("spec.selector"));
    let list = cx.list(&Url::of(&resource, &info.namespace, "", "").with("labelSelector", &selector), JSON)?;
    let uid = info.object.str_at("metadata.uid");
    let mut res = Vec::new();
    for item in items(&list, &resource) {
        let owned = item
            .object
            .list_at("metadata.ownerReferences")
            .iter()
            .any(|it| it.bool_at("controller") == Some(true) && it.str_at("uid") == uid);
        if !owned {
            continue;
        }
        let is_revision = item.resource.kind == "ControllerRevision";
        let number = if is_revision { int(&item.object, "revision") } else { revision_of(&item.object) };
        let path = if is_revision { "data.spec.template" } else { "spec.template" };
        let mut template = item.object.at(path).cloned().unwrap_or_default();
        template.remove("$patch");
        res.push(Revision { number, keeper: item.object, template });
    }
    order::by(&mut res, &mut |a, b| a.number.cmp(&b.number));
    Ok(res)
}

const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

fn history(cx: &mut Cx<'_>) -> Result<Flow> {
    require(cx)?;
    let wanted = cx.flags().int("revision", 0);
    let mut printer = Printer::from_flags(cx)?;
    cx.visit(&RULES, &mut |cx, info| {
        let revisions = revisions(cx, info)?;
        if !printer.is_message() {
            for it in revisions.iter().filter(|it| wanted == 0 || it.number == wanted) {
                let object = match &*info.resource.kind {
                    "Deployment" => it.keeper.clone(),
                    _ => info.object.with("spec.template", &it.template),
                };
                printer.print(cx, &object, "")?;
            }
            return Ok(());
        }
        let (with, text) = match wanted {
            0 if revisions.is_empty() => (String::new(), "No rollout history found.".to_owned()),
            0 => {
                let mut rows = String::from("REVISION\tCHANGE-CAUSE\n");
                for it in &revisions {
                    let annotations = strings(&it.keeper, "annotations");
                    let cause = annotations.get(CHANGE_CAUSE).and_then(Value::as_str).filter(|it| !it.is_empty());
                    rows.push_str(&format!("{}\t{}\n", it.number, cause.unwrap_or("<none>")));
                }
                (String::new(), tabs::align(&rows, &tabs::DESCRIBE))
            }
            wanted => {
                let Some(found) = revisions.iter().find(|it| it.number == wanted) else {
                    return fail("unable to find the specified revision");
                };
                let mut template = found.template.clone();
                if let Some(cause) = strings(&found.keeper, "annotations").get(CHANGE_CAUSE)
                    && info.resource.kind == "Deployment"
                {
                    let mut annotations = strings(&template, "annotations");
                    annotations.insert(CHANGE_CAUSE, cause);
                    template.set("metadata.annotations", annotations);
                }
                (format!("with revision #{wanted}"), describe::pod_template(&template))
            }
        };
        printer.print(cx, &info.object, &format!("{with}\n{text}"))
    })?;
    Ok(Flow::Done)
}

fn undo(cx: &mut Cx<'_>) -> Result<Flow> {
    require(cx)?;
    let dry_run = DryRun::of(cx)?;
    let wanted = cx.flags().int("to-revision", 0);
    let mut printer = Printer::from_flags(cx)?;
    cx.visit(&RULES, &mut |cx, info| {
        if strings(&info.object, "annotations").contains_key(super::apply::LAST_APPLIED) {
            cx.note(&format!(
                "Warning: resource {}/{} was previously managed with 'kubectl apply'. Rolling back will not update the {} \
                 annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using \
                 'kubectl apply' with your previous configuration file instead.",
                info.resource.plural,
                info.name,
                super::apply::LAST_APPLIED
            ));
        }
        let result = roll_back(cx, info, wanted, dry_run)?;
        printer.print(cx, &info.object, &dry_run.said(&result))
    })?;
    Ok(Flow::Done)
}

/// Annotations of a deployment that stay as they are.
const KEPT_ANNOTATIONS: &[&str] = &[
    super::apply::LAST_APPLIED,
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];

fn roll_back(cx: &mut Cx<'_>, info: &Info, wanted: i64, dry_run: DryRun) -> Result<String> {
    if !matches!(&*info.resource.kind, "Deployment" | "DaemonSet" | "StatefulSet") {
        return fail(format!("no rollbacker has been implemented for {}", quoted(&group_kind(info))));
    }
    let not_found = || fail(format!("unable to find specified revision {wanted} in history"));
    if wanted < 0 {
        return not_found();
    }
    let is_deployment = info.resource.kind == "Deployment";
    let revisions = revisions(cx, info)?;
    if wanted == 0 && revisions.len() <= 1 {
        return match is_deployment {
            true => fail(format!("no rollout history found for deployment {}", quoted(&info.name))),
            false => fail("no last revision to roll back to"),
        };
    }
    let found = match wanted {
        0 => revisions.get(revisions.len() - 2),
        wanted => revisions.iter().find(|it| it.number == wanted),
    };
    let Some(revision) = found else { return not_found() };
    let mut template = revision.template.clone();
    if dry_run == DryRun::Client {
        let text = describe::pod_template(&template);
        return Ok(if is_deployment { text } else { format!("will roll back to {text}") });
    }
    if is_deployment {
        let labels = strings(&template, "labels").filtered(|key, _| key != "pod-template-hash");
        template.set("metadata.labels", labels);
    }
    if is_deployment && info.object.bool_at("spec.paused") == Some(true) {
        return fail(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
        );
    }
    if info.object.at("spec.template") == Some(&template) {
        return Ok(format!("skipped rollback (current template already matches revision {wanted})"));
    }
    let url = info.url().with("dryRun", dry_run.parameter());
    let sent = match is_deployment {
        true => {
            let kept = strings(&info.object, "annotations").filtered(|key, _| KEPT_ANNOTATIONS.contains(&key));
            let mut annotations =
                strings(&revision.keeper, "annotations").filtered(|key, _| !KEPT_ANNOTATIONS.contains(&key));
            kept.iter().for_each(|(key, it)| annotations.insert(key, it));
            let patch = value!([
                {"op": "replace", "path": "/spec/template", "value": template},
                {"op": "replace", "path": "/metadata/annotations", "value": annotations},
            ]);
            cx.patch(&url, JSON_PATCH, &patch)
        }
        false => {
            let patch = revision.keeper.get("data").cloned().unwrap_or_default();
            cx.patch(&url, STRATEGIC_PATCH, &patch)
        }
    };
    sent.map_err(|it| Failure::Text(format!("failed restoring revision {wanted}: {}", it.message())))?;
    Ok("rolled back".into())
}

/// `pause`, `resume` and `restart`.
fn change(cx: &mut Cx<'_>, operation: &str) -> Result<Flow> {
    require(cx)?;
    let mut printer = Printer::from_flags(cx)?;
    let targets = cx.targets(&RULES)?;
    let (infos, mut failures) = cx.collect(targets, &RULES);
    if infos.is_empty() && failures.is_empty() {
        let namespace = cx.namespace();
        cx.note(&format!("No resources found in {namespace} namespace."));
    }
    for info in infos {
        let resource = info.resource.qualified();
        let refused = |why: &str| Failure::Text(format!("error: {resource} {} {why}", quoted(&info.name)));
        match change_one(cx, &info, operation) {
            Ok(object) => printer.print(cx, &object, operation)?,
            Err(Failure::Text(why)) => failures.push(refused(&why)),
            Err(failure) => failures.push(Failure::Text(format!("failed to patch: {}", failure.message()))),
        }
    }
    Failure::all(failures)?;
    Ok(Flow::Done)
}

fn change_one(cx: &mut Cx<'_>, info: &Info, operation: &str) -> Result<Value> {
    let is_deployment = info.resource.is("apps", "Deployment");
    let paused = info.object.bool_at("spec.paused").unwrap_or(false);
    let patch = match operation {
        "restarted" => {
            if !matches!(&*info.resource.kind, "Deployment" | "DaemonSet" | "StatefulSet")
                || info.resource.group != "apps"
            {
                return fail("restarting is not supported");
            }
            if paused && is_deployment {
                return fail("can't restart paused deployment (run rollout resume first)");
            }
            let now = value::time::format_secs(cx.now());
            value!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": now}}}}})
        }
        "paused" if !is_deployment => return fail("pausing is not supported"),
        "paused" if paused => return fail("is already paused"),
        "paused" => value!({"spec": {"paused": true}}),
        _ if !is_deployment => return fail("resuming is not supported"),
        _ if !paused => return fail("is not paused"),
        _ => value!({"spec": {"paused": null}}),
    };
    let manager = cx.flags().text_or("field-manager", "kubectl-rollout").to_owned();
    cx.patch(&info.url().with("fieldManager", &manager), STRATEGIC_PATCH, &patch)
}
