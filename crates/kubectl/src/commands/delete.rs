//! `delete`, and the wait until what was deleted is gone.

use std::collections::VecDeque;

use http::Method;
use value::{Value, json, value};

use super::{Command, DRY_RUN, DryRun, FILES, Help, SELECTOR};
use crate::api::{JSON, Url};
use crate::build::{Rules, Target};
use crate::failure::{Failure, Result, fail};
use crate::manifest::Info;
use crate::shell::{Cx, Flow, Wait};
use crate::watch::{Next, Single};

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "delete",
    help: || Help {
        usage: "([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)])",
        about: "Delete resources by file names, stdin, resources and names, or by resources and label selector",
    },
    flags: &[
        FILES,
        SELECTOR,
        DRY_RUN,
        "A/all-namespaces:b field-selector:s all:b cascade:s=background force:b grace-period:i ignore-not-found:b now:b \
         o/output:s raw:s timeout:d wait:b i/interactive:b",
    ],
    run: delete,
}];

/// A week: how long an endless wait is.
const FOREVER_SECS: i64 = 168 * 3600;

/// What a delete asks for.
pub(super) struct Options {
    grace_period: i64,
    cascade: &'static str,
    dry_run: DryRun,
}

impl Options {
    /// What `replace --force` asks for, and `run --rm`.
    pub(super) fn plain(cx: &Cx<'_>) -> Options {
        Options { grace_period: cx.flags().int("grace-period", -1), cascade: "Background", dry_run: DryRun::None }
    }

    pub(super) fn of(cx: &mut Cx<'_>) -> Result<Options> {
        let force = cx.is("force");
        let mut grace_period = cx.flags().int("grace-period", -1);
        if cx.is("now") {
            if grace_period != -1 {
                return fail("--now and --grace-period cannot be specified together");
            }
            grace_period = 1;
        }
        if grace_period == 0 && !force {
            grace_period = 1;
        }
        if force && grace_period < 0 {
            grace_period = 0;
        }
        let cascade = match cx.flags().text_or("cascade", "background") {
            "background" | "true" => "Background",
            "orphan" | "false" => "Orphan",
            "foreground" => "Foreground",
            other => {
                return fail(format!(
                    "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
                ));
            }
        };
        Ok(Options { grace_period, cascade, dry_run: DryRun::of(cx)? })
    }

    fn body(&self) -> Value {
        let mut body = value!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": self.cascade});
        if self.grace_period >= 0 {
            body.set("gracePeriodSeconds", self.grace_period);
        }
        if self.dry_run == DryRun::Server {
            body.set("dryRun", vec![Value::from("All")]);
        }
        body
    }
}

fn delete(cx: &mut Cx<'_>) -> Result<Flow> {
    if cx.flags().changed("raw") {
        let url = Url::new(cx.flags().text("raw"));
        let bytes = cx.raw(Method::DELETE, &url, "application/json, */*", "", Vec::new())?;
        cx.out(&String::from_utf8_lossy(&bytes));
        return Ok(Flow::Done);
    }
    let options = Options::of(cx)?;
    let all = cx.is("all");
    let by_selector = cx.flags().changed("selector") || cx.flags().changed("field-selector");
    let targets = cx.targets(&Rules { all, ..Rules::default() })?;
    let output = cx.text("output");
    if !matches!(&*output, "" | "name") {
        return fail(format!("unexpected -o output mode: {output}. We only support '-o name'"));
    }
    if all && cx.flags().changed("selector") {
        return fail("cannot set --all and --selector at the same time");
    }
    if all && cx.flags().changed("field-selector") {
        return fail("cannot set --all and --field-selector at the same time");
    }
    if cx.is("force") {
        if options.grace_period > 0 {
            return fail("--force and --grace-period greater than 0 cannot be specified together");
        }
        cx.note("Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.");
    }
    let ignore = cx.flags().is_or("ignore-not-found", all || by_selector);
    let mut warn_scope = cx.flags().changed("namespace") && !cx.is("all-namespaces");
    let mut deleted = VecDeque::new();
    let mut failures = Vec::new();
    let mut n_found = 0;
    for target in targets.list {
        let infos = match without_objects(cx, target) {
            Ok(infos) => infos,
            Err(failure) => {
                if !(ignore && failure.is_not_found()) {
                    failures.push(failure);
                }
                continue;
            }
        };
        for info in infos {
            n_found += 1;
            if warn_scope && !info.resource.namespaced {
                cx.note("Warning: deleting cluster-scoped resources, not scoped to the provided namespace");
                warn_scope = false;
            }
            match delete_one(cx, &info, &options) {
                Ok(uid) => deleted.push_back((info, uid)),
                Err(failure) if ignore && failure.is_not_found() => {}
                Err(failure) => failures.push(failure),
            }
        }
    }
    Failure::all(failures)?;
    if n_found == 0 {
        cx.line("No resources found");
        return Ok(Flow::Done);
    }
    if !cx.flags().is_or("wait", true) || options.dry_run != DryRun::None {
        return Ok(Flow::Done);
    }
    let timeout = match cx.flags().seconds("timeout", 0) {
        0 => FOREVER_SECS,
        it => it,
    };
    Ok(Flow::Wait(Box::new(Gone { left: deleted, current: None, deadline: cx.now() + timeout })))
}

/// What a target names; no object is asked for where the name is enough.
pub(super) fn without_objects(cx: &mut Cx<'_>, target: Target) -> Result<Vec<Info>> {
    match target {
        Target::One { resource, namespace, name } => {
            Ok(vec![Info { resource, namespace, name, object: Value::Null, source: String::new() }])
        }
        other => cx.resolve(other, &Rules::default()),
    }
}

/// Deletes and says so; the UID of what was deleted.
pub(super) fn delete_one(cx: &mut Cx<'_>, info: &Info, options: &Options) -> Result<String> {
    let mut uid = String::new();
    if options.dry_run != DryRun::Client {
        let body = json::to_string(&options.body()).into_bytes();
        let bytes = cx
            .raw(Method::DELETE, &info.url(), JSON, JSON, body)
            .map_err(|it| it.while_doing("deleting", &info.source))?;
        let answer = json::parse(&bytes).unwrap_or_default();
        let found = answer.str_at("details.uid").or_else(|| answer.str_at("metadata.uid"));
        uid = found.unwrap_or_default().to_owned();
    }
    let kind = info.resource.singular_name();
    if cx.flags().text("output") == "name" {
        cx.line(&format!("{kind}/{}", info.name));
        return Ok(uid);
    }
    let operation = if options.grace_period == 0 { "force deleted" } else { "deleted" };
    let place = if info.resource.namespaced { format!(" from {} namespace", info.namespace) } else { String::new() };
    let said = options.dry_run.said(&format!("{operation}{place}"));
    cx.line(&format!("{kind} \"{}\" {said}", info.name));
    Ok(uid)
}

/// Waits until objects are gone, one after another.
pub(super) struct Gone {
    left: VecDeque<(Info, String)>,
    current: Option<Single>,
    deadline: i64,
}

impl Gone {
    pub(super) fn new(infos: Vec<Info>, deadline: i64) -> Gone {
        Gone { left: infos.into_iter().map(|it| (it, String::new())).collect(), current: None, deadline }
    }

    /// Whether the first of what is left is gone.
    fn first_is_gone(&mut self, cx: &mut Cx<'_>) -> Result<bool> {
        let Some((info, uid)) = self.left.front() else { return Ok(true) };
        let single = match &mut self.current {
            Some(it) => it,
            None => {
                match cx.live(info) {
                    Err(failure) if failure.is_not_found() => return Ok(true),
                    Err(failure) => return Err(failure),
                    Ok(object) if !uid.is_empty() && object.str_at("metadata.uid") != Some(uid) => return Ok(true),
                    Ok(_) => {}
                }
                let single = Single::open(cx, info, Some(self.deadline))?;
                if !single.exists {
                    return Ok(true);
                }
                self.current.insert(single)
            }
        };
        loop {
            match single.next(cx)? {
                Next::Event(event) if event.kind == "DELETED" => return Ok(true),
                Next::Event(_) => {}
                Next::Nothing => return Ok(false),
                Next::End if cx.now() < self.deadline => {
                    self.current = None;
                    return Ok(false);
                }
                Next::End => {
                    return fail(format!(
                        "timed out waiting for the condition on {}/{}",
                        info.resource.plural, info.name
                    ));
                }
            }
        }
    }
}

impl Wait for Gone {
    fn poll(&mut self, cx: &mut Cx<'_>) -> Result<Flow> {
        while !self.left.is_empty() {
            match self.first_is_gone(cx) {
                Ok(true) => {
                    self.left.pop_front();
                    self.current = None;
                }
                Ok(false) => return Ok(Flow::Waiting),
                Err(failure) if matches!(failure.reason(), "Forbidden" | "MethodNotAllowed") => return Ok(Flow::Done),
                Err(failure) => return Err(failure),
            }
        }
        Ok(Flow::Done)
    }
}
