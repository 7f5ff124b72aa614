//! `cordon`, `uncordon` and `drain`.

use std::collections::VecDeque;

use meta::quoted;
use value::{Value, value};

use super::{Command, DRY_RUN, DryRun, Help, SELECTOR};
use crate::age;
use crate::api::{JSON, STRATEGIC_PATCH, Url};
use crate::build::{Rules, items};
use crate::failure::{Failure, Result, fail, usage};
use crate::manifest::Info;
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow, Wait};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "cordon",
        help: || Help { usage: "NODE", about: "Mark node as unschedulable" },
        flags: &[SELECTOR, DRY_RUN],
        run: |cx| {
            let nodes = nodes(cx, "cordon")?;
            cordon(cx, &nodes, true)?;
            Ok(Flow::Done)
        },
    },
    Command {
        name: "drain",
        help: || Help { usage: "NODE", about: "Drain node in preparation for maintenance" },
        flags: &[
            print::FLAGS,
            SELECTOR,
            DRY_RUN,
            "force:b ignore-daemonsets:b delete-emptydir-data:b delete-local-data:b grace-period:i timeout:d \
             pod-selector:s disable-eviction:b skip-wait-for-delete-timeout:i chunk-size:i",
        ],
        run: drain,
    },
    Command {
        name: "uncordon",
        help: || Help { usage: "NODE", about: "Mark node as schedulable" },
        flags: &[SELECTOR, DRY_RUN],
        run: |cx| {
            let nodes = nodes(cx, "uncordon")?;
            cordon(cx, &nodes, false)?;
            Ok(Flow::Done)
        },
    },
];

/// How long an eviction that a budget forbids waits before it is tried again.
const RETRY_SECS: i64 = 5;

fn nodes(cx: &mut Cx<'_>, command: &str) -> Result<Vec<Info>> {
    let args = cx.flags().args.clone();
    let by_selector = cx.flags().changed("selector");
    if args.is_empty() && !by_selector {
        return usage(command, &format!("USAGE: {command} NODE [flags]"));
    }
    if !args.is_empty() && by_selector {
        return usage(command, "error: cannot specify both a node name and a --selector option");
    }
    let names = args.iter().map(|it| match it.split_once('/') {
        Some((kind, name)) => cx.resource(kind).map(|resource| (resource, name.to_owned())),
        None => cx.resource("nodes").map(|resource| (resource, it.clone())),
    });
    for (resource, _) in names.collect::<Result<Vec<_>>>()? {
        if resource.kind != "Node" {
            let what = format!("{}/{}, Resource={}", resource.group, resource.version, resource.plural);
            return fail(format!("error: expected resource of type node, got {}", quoted(&what)));
        }
    }
    let mut words = vec!["nodes".to_owned()];
    words.extend(args.iter().map(|it| it.split_once('/').map_or(it.as_str(), |(_, name)| name).to_owned()));
    let rules = Rules { args: Some(words), ..Rules::default() };
    let targets = cx.targets(&rules)?;
    let (infos, failures) = cx.collect(targets, &rules);
    Failure::all(failures)?;
    Ok(infos)
}

fn cordon(cx: &mut Cx<'_>, nodes: &[Info], desired: bool) -> Result<()> {
    let dry_run = DryRun::of(cx)?;
    let mut printer = Printer::from_flags(cx)?;
    let prefix = if desired { "" } else { "un" };
    for node in nodes {
        let now = node.object.bool_at("spec.unschedulable").unwrap_or(false);
        let operation = match now == desired {
            true => format!("already {prefix}cordoned"),
            false => format!("{prefix}cordoned"),
        };
        if now != desired && dry_run != DryRun::Client {
            let value = if desired { Value::Bool(true) } else { Value::Null };
            let url = node.url().with("dryRun", dry_run.parameter());
            if let Err(failure) = cx.patch(&url, STRATEGIC_PATCH, &value!({"spec": {"unschedulable": value}})) {
                let text = failure.message();
                cx.note(&format!("error: unable to {prefix}cordon node {}: {text}", quoted(&node.name)));
                continue;
            }
        }
        printer.print(cx, &node.object, &dry_run.said(&operation))?;
    }
    Ok(())
}

fn drain(cx: &mut Cx<'_>) -> Result<Flow> {
    let nodes = nodes(cx, "drain")?;
    if meta::selector::LabelSelector::parse(cx.flags().text("pod-selector")).is_err() {
        return fail("--pod-selector=<pod_selector> must be a valid label selector");
    }
    cordon(cx, &nodes, true)?;
    let printer = Printer::from_flags(cx)?;
    let dry_run = DryRun::of(cx)?;
    let deadline = Some(cx.flags().seconds("timeout", 0)).filter(|it| *it > 0).map(|it| cx.now() + it);
    let drain = Drain {
        nodes: nodes.into(),
        pods: None,
        failed: Vec::new(),
        remaining: Vec::new(),
        printer,
        dry_run,
        deadline,
    };
    Ok(Flow::Wait(Box::new(drain)))
}

struct Drain {
    nodes: VecDeque<Info>,
    /// Of the first node; none before its pods are listed.
    pods: Option<Vec<Eviction>>,
    failed: Vec<Failure>,
    remaining: Vec<String>,
    printer: Printer,
    dry_run: DryRun,
    deadline: Option<i64>,
}

/// A pod that must go.
struct Eviction {
    pod: Info,
    state: State,
}

#[derive(PartialEq)]
enum State {
    /// To be evicted, not before this time.
    Asked(i64),
    /// Until it is gone.
    Leaving,
    Gone,
    Failed,
}

impl Wait for Drain {
    fn poll(&mut self, cx: &mut Cx<'_>) -> Result<Flow> {
        while let Some(node) = self.nodes.front().cloned() {
            match self.node(cx, &node) {
                Ok(false) => return Ok(Flow::Waiting),
                Ok(true) => self.printer.print(cx, &node.object, &self.dry_run.said("drained"))?,
                Err(failure) => {
                    let text = failure.message();
                    let name = quoted(&node.name);
                    cx.note(&format!("error: unable to drain node {name} due to error: {text}, continuing command..."));
                    self.failed.push(failure);
                    self.remaining.push(node.name.clone());
                }
            }
            self.nodes.pop_front();
            self.pods = None;
        }
        if !self.remaining.is_empty() {
            cx.note("There are pending nodes to be drained:");
            self.remaining.iter().for_each(|it| cx.note(&format!(" {it}")));
        }
        match std::mem::take(&mut self.failed) {
            none if none.is_empty() => Ok(Flow::Done),
            // Even one failure is told as one of several.
            failed => Err(Failure::Many(failed)),
        }
    }
}

impl Drain {
    /// Whether a node's pods are gone.
    fn node(&mut self, cx: &mut Cx<'_>, node: &Info) -> Result<bool> {
        if self.pods.is_none() {
            let (pods, warnings) = pods(cx, &node.name)?;
            if !warnings.is_empty() {
                cx.note(&format!("Warning: {warnings}"));
            }
            if self.dry_run == DryRun::Client {
                for pod in &pods {
                    cx.line(&format!("evicting pod {}/{} (dry run)", pod.namespace, pod.name));
                }
                return Ok(true);
            }
            self.pods = Some(pods.into_iter().map(|pod| Eviction { pod, state: State::Asked(0) }).collect());
        }
        let mut failures = Vec::new();
        for eviction in self.pods.iter_mut().flatten() {
            if let Err(failure) = step(cx, eviction, self.dry_run, self.deadline) {
                eviction.state = State::Failed;
                failures.push(failure);
            }
        }
        if !failures.is_empty() {
            let failure = if failures.len() == 1 { failures.remove(0) } else { Failure::Many(failures) };
            let text = failure.message();
            if let Ok((pending, _)) = pods(cx, &node.name)
                && !pending.is_empty()
            {
                let name = quoted(&node.name);
                cx.note(&format!("There are pending pods in node {name} when an error occurred: {text}"));
                pending.iter().for_each(|it| cx.note(&format!("pod/{}", it.name)));
            }
            return Err(failure);
        }
        Ok(self.pods.iter().flatten().all(|it| it.state == State::Gone))
    }
}

/// Brings one pod a step further.
fn step(cx: &mut Cx<'_>, eviction: &mut Eviction, dry_run: DryRun, deadline: Option<i64>) -> Result<()> {
    let (name, namespace) = (eviction.pod.name.clone(), eviction.pod.namespace.clone());
    let place = format!("pods/{} -n {}", quoted(&name), quoted(&namespace));
    let late = deadline.is_some_and(|it| cx.now() >= it);
    let timeout = age::go_duration(cx.flags().seconds("timeout", 0));
    match eviction.state {
        State::Asked(from) if cx.now() >= from || late => {
            let said = if dry_run == DryRun::Server { " (server dry run)" } else { "" };
            cx.line(&format!("evicting pod {namespace}/{name}{said}"));
            if late {
                return fail(format!("error when evicting {place}: global timeout reached: {timeout}"));
            }
            match evict(cx, &eviction.pod, dry_run) {
                Ok(()) => eviction.state = if dry_run == DryRun::Server { State::Gone } else { State::Leaving },
                Err(failure) if failure.is_not_found() => eviction.state = State::Gone,
                Err(failure) if failure.reason() == "TooManyRequests" => {
                    let text = failure.message();
                    cx.note(&format!("error when evicting {place} (will retry after {RETRY_SECS}s): {text}"));
                    eviction.state = State::Asked(cx.now() + RETRY_SECS);
                }
                Err(failure) => return Err(failure.prefixed(&format!("error when evicting {place}: "))),
            }
            if eviction.state == State::Leaving {
                return step(cx, eviction, dry_run, deadline);
            }
        }
        State::Leaving => {
            let uid = eviction.pod.object.str_at("metadata.uid").map(str::to_owned);
            let gone = match cx.live(&eviction.pod) {
                Err(failure) if failure.is_not_found() => true,
                Err(failure) => return Err(failure),
                Ok(pod) => pod.str_at("metadata.uid") != uid.as_deref() || skipped(cx, &pod),
            };
            if gone {
                let verb = if cx.is("disable-eviction") { "deleted" } else { "evicted" };
                cx.line(&format!("pod/{name} {verb}"));
                eviction.state = State::Gone;
            } else if late {
                let (name, namespace) = (quoted(&name), quoted(&namespace));
                return fail(format!(
                    "error when waiting for pod {name} in namespace {namespace} to terminate: global timeout reached: {timeout}"
                ));
            }
        }
        _ => {}
    }
    Ok(())
}

fn evict(cx: &mut Cx<'_>, pod: &Info, dry_run: DryRun) -> Result<()> {
    let mut options = Value::map();
    let grace_period = cx.flags().int("grace-period", -1);
    if grace_period >= 0 {
        options.set("gracePeriodSeconds", grace_period);
    }
    if dry_run == DryRun::Server {
        options.set("dryRun", vec![Value::from("All")]);
    }
    if cx.is("disable-eviction") {
        return cx.delete(&pod.url(), &options).map(drop);
    }
    let eviction = value!({
        "apiVersion": "policy/v1", "kind": "Eviction", "deleteOptions": options,
        "metadata": {"name": pod.name.as_str(), "namespace": pod.namespace.as_str()},
    });
    cx.post(&Url::of(&pod.resource, &pod.namespace, &pod.name, "eviction"), &eviction).map(drop)
}

fn skipped(cx: &Cx<'_>, pod: &Value) -> bool {
    let limit = cx.flags().int("skip-wait-for-delete-timeout", 0);
    let deleted = pod.str_at("metadata.deletionTimestamp").and_then(value::time::parse_secs);
    limit > 0 && deleted.is_some_and(|it| cx.now() - it > limit)
}

/// What a filter says of a pod.
enum Verdict {
    Delete,
    Skip,
    Warn { message: String, delete: bool },
    Refuse(String),
}

/// Messages, each with the pods that it is about.
type Notes = Vec<(String, Vec<String>)>;

/// The pods of a node that must go.
fn pods(cx: &mut Cx<'_>, node: &str) -> Result<(Vec<Info>, String)> {
    let resource = cx.resource("pods")?;
    let url = Url::of(&resource, "", "", "")
        .with("labelSelector", cx.flags().text("pod-selector"))
        .with("fieldSelector", &format!("spec.nodeName={node}"));
    let list = cx.list(&url, JSON)?;
    let mut kept = Vec::new();
    let (mut warnings, mut refusals) = (Notes::new(), Notes::new());
    let note = |list: &mut Notes, message: String, pod: &Info| {
        let pod = format!("{}/{}", pod.namespace, pod.name);
        match list.iter_mut().find(|(have, _)| *have == message) {
            Some((_, pods)) => pods.push(pod),
            None => list.push((message, vec![pod])),
        }
    };
    for pod in items(&list, &resource) {
        match verdict(cx, &pod) {
            Verdict::Delete => kept.push(pod),
            Verdict::Skip => {}
            Verdict::Refuse(message) => note(&mut refusals, message, &pod),
            Verdict::Warn { message, delete } => {
                note(&mut warnings, message, &pod);
                if delete {
                    kept.push(pod);
                }
            }
        }
    }
    if !refusals.is_empty() {
        let texts = refusals.into_iter().map(|(message, pods)| format!("cannot delete {message}: {}", pods.join(", ")));
        let failures: Vec<Failure> = texts.map(Failure::Text).collect();
        return Err(Failure::Many(failures));
    }
    let texts: Vec<String> =
        warnings.into_iter().map(|(message, pods)| format!("{message}: {}", pods.join(", "))).collect();
    Ok((kept, texts.join("; ")))
}

fn verdict(cx: &mut Cx<'_>, pod: &Info) -> Verdict {
    let object = &pod.object;
    if skipped(cx, object) {
        return Verdict::Skip;
    }
    let finished = matches!(object.str_at("status.phase"), Some("Succeeded" | "Failed"));
    let force = cx.is("force");
    let owner =
        object.list_at("metadata.ownerReferences").iter().find(|it| it.bool_at("controller") == Some(true)).cloned();
    let mut res = Verdict::Delete;
    if let Some(owner) = &owner
        && owner.str_at("kind") == Some("DaemonSet")
        && !finished
    {
        let name = owner.str_at("name").unwrap_or_default();
        let found = cx.resource("daemonsets.apps").and_then(|it| cx.get(&Url::of(&it, &pod.namespace, name, "")));
        match found {
            Err(failure) if failure.is_not_found() && force => {
                res = Verdict::Warn { message: failure.message(), delete: true };
            }
            Err(failure) => return Verdict::Refuse(failure.message()),
            Ok(_) if cx.is("ignore-daemonsets") => {
                return Verdict::Warn { message: "ignoring DaemonSet-managed Pods".into(), delete: false };
            }
            Ok(_) => return Verdict::Refuse("DaemonSet-managed Pods (use --ignore-daemonsets to ignore)".into()),
        }
    }
    if crate::manifest::strings(object, "annotations").contains_key("kubernetes.io/config.mirror") {
        return Verdict::Skip;
    }
    if finished {
        return Verdict::Delete;
    }
    if object.list_at("spec.volumes").iter().any(|it| it.get("emptyDir").is_some()) {
        if !cx.is("delete-emptydir-data") && !cx.is("delete-local-data") {
            return Verdict::Refuse("Pods with local storage (use --delete-emptydir-data to override)".into());
        }
        res = Verdict::Warn { message: "deleting Pods with local storage".into(), delete: true };
    }
    match owner {
        // The last filter's word counts.
        Some(_) => match res {
            Verdict::Refuse(_) | Verdict::Skip => res,
            _ => Verdict::Delete,
        },
        None if force => Verdict::Warn { message: "deleting Pods that declare no controller".into(), delete: true },
        None => Verdict::Refuse("Pods that declare no controller (use --force to override)".into()),
    }
}
