//! `get`: objects as a table, as text of any other form, or as they change.

use std::rc::Rc;

use http::Method;
use meta::quoted;
use value::{Value, value};

use super::{Command, FILES, Help, SELECTOR};
use crate::api::{self, Url};
use crate::build::{Rules, Target, Targets, items};
use crate::failure::{Failure, Result, fail, usage};
use crate::mapper::Resource;
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow, Wait};
use crate::watch::{Next, Watch};
use crate::{age, columns, table};

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "get",
    help: || Help {
        usage: "(TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...)",
        about: "Display one or many resources",
    },
    flags: &[
        print::FLAGS,
        FILES,
        SELECTOR,
        "A/all-namespaces:b w/watch:b watch-only:b output-watch-events:b field-selector:s ignore-not-found:b raw:s \
         no-headers:b show-labels:b show-kind:b sort-by:s L/label-columns:c chunk-size:i subresource:s server-print:b",
    ],
    run: get,
}];

/// What to say where no type is given.
pub(super) const SUGGESTION: &str = "Use \"kubectl api-resources\" for a complete list of supported resources.";

fn get(cx: &mut Cx<'_>) -> Result<Flow> {
    if cx.flags().changed("raw") {
        return raw(cx);
    }
    let watching = cx.is("watch") || cx.is("watch-only");
    if !watching && cx.flags().args.is_empty() && !cx.flags().changed("filename") {
        cx.note(&format!("You must specify the type of resource to get. {SUGGESTION}\n"));
        return usage(
            "get",
            "Required resource not specified.\nUse \"kubectl explain <resource>\" for a detailed description of that \
             resource (e.g. kubectl explain pods).",
        );
    }
    let output = cx.text("output");
    if cx.is("show-labels") && !matches!(&*output, "" | "wide") {
        return fail(format!("--show-labels option cannot be used with {output} printer"));
    }
    if cx.is("output-watch-events") && !watching {
        return fail("--output-watch-events option can only be used with --watch or --watch-only");
    }
    let human = (output.is_empty() && !cx.flags().changed("template")) || output == "wide";
    if watching {
        return watch(cx, human);
    }
    let targets = cx.targets(&Rules { all_of_type: true, ..Rules::default() })?;
    if human {
        tables(cx, targets)?
    } else {
        generic(cx, targets)?
    }
    Ok(Flow::Done)
}

fn raw(cx: &mut Cx<'_>) -> Result<Flow> {
    if !cx.flags().args.is_empty() {
        return fail("arguments may not be passed when --raw is specified");
    }
    let path = cx.text("raw");
    let filtering = ["watch", "watch-only", "selector", "show-labels"].iter().any(|it| cx.flags().changed(it));
    if filtering {
        return fail("--raw may not be specified with other flags that filter the server request or alter the output");
    }
    if cx.flags().changed("output") {
        return fail("--raw and --output are mutually exclusive");
    }
    if !path.starts_with('/') && !path.contains("://") {
        return fail(format!("--raw must be a valid URL path: parse {}: invalid URI for request", quoted(&path)));
    }
    let url = Url::new(&path);
    let bytes = cx.raw(Method::GET, &url, "application/json, */*", "", Vec::new())?;
    cx.out(&String::from_utf8_lossy(&bytes));
    Ok(Flow::Done)
}

/// The answers for a target: one table for a list or an object.
struct Answer {
    resource: Rc<Resource>,
    object: Value,
}

fn options(cx: &Cx<'_>, resource: &Resource, with_kind: bool) -> table::Options {
    table::Options {
        wide: cx.flags().text("output") == "wide",
        no_headers: cx.is("no-headers"),
        with_namespace: cx.is("all-namespaces") && resource.namespaced,
        kind: (with_kind || cx.is("show-kind")).then(|| resource.singular_name()),
        show_labels: cx.is("show-labels"),
        labels: cx.flags().list("label-columns"),
    }
}

/// Asks for the targets, each in the form that `accept` names.
fn ask(cx: &mut Cx<'_>, targets: Targets, accept: &str) -> (Vec<Answer>, Vec<Failure>) {
    let sorted = if cx.flags().changed("sort-by") && accept == api::TABLE { "Object" } else { "" };
    let subresource = cx.text("subresource");
    let mut answers = Vec::new();
    let mut failures = Vec::new();
    for target in targets.list {
        let (resource, answer) = match target {
            Target::File(info) => match *info {
                Ok(info) => (info.resource.clone(), cx.fetch(&info.url().with("includeObject", sorted), accept)),
                Err(failure) => {
                    failures.push(failure);
                    continue;
                }
            },
            Target::One { resource, namespace, name } => {
                let url = Url::of(&resource, &namespace, &name, &subresource).with("includeObject", sorted);
                (resource, cx.fetch(&url, accept))
            }
            Target::All { resource, namespace } => {
                let url = cx.target_url(&resource, &namespace).with("includeObject", sorted);
                let answer = cx.list_selected(&resource, &url, accept);
                (resource, answer)
            }
        };
        match answer {
            Ok(object) => answers.push(Answer { resource, object }),
            Err(failure) if failure.is_not_found() && cx.is("ignore-not-found") => {}
            Err(failure) => failures.push(failure),
        }
    }
    (answers, failures)
}

fn tables(cx: &mut Cx<'_>, targets: Targets) -> Result<()> {
    let (mut answers, failures) = ask(cx, targets, api::TABLE);
    let with_kind = answers.windows(2).any(|it| it[0].resource != it[1].resource);
    let all_namespaced = answers.iter().all(|it| it.resource.namespaced) && !cx.is("all-namespaces");
    let sort_by = cx.text("sort-by");
    if !sort_by.is_empty() && answers.len() > 1 {
        // Tables of several kinds are sorted themselves, and have no such field.
        let mut tables: Vec<Value> = answers.iter().map(|it| it.object.clone()).collect();
        columns::sort(&mut tables, &sort_by, |it| it)?;
    }
    let mut printed = false;
    let mut idx = 0;
    while idx < answers.len() {
        let resource = answers[idx].resource.clone();
        let n_same = answers[idx..].iter().take_while(|it| it.resource == resource).count();
        let mut printer = table::Printer::new(options(cx, &resource, with_kind));
        let mut rows = String::new();
        for answer in &mut answers[idx..idx + n_same] {
            as_table(&mut answer.object, cx.now());
            if !sort_by.is_empty() {
                let mut sorted = answer.object.list_at("rows").to_vec();
                // kubectl prints nothing where the field is not there.
                if columns::sort(&mut sorted, &sort_by, |row| row.get("object").unwrap_or(&Value::Null)).is_err() {
                    continue;
                }
                answer.object.set("rows", sorted);
            }
            rows.push_str(&printer.rows(&answer.object, None));
        }
        if !rows.is_empty() {
            if printed && !cx.is("no-headers") {
                cx.line("");
            }
            let text = printer.align(&rows);
            cx.out(&text);
            printed = true;
        }
        idx += n_same;
    }
    if !printed && failures.is_empty() && !cx.is("ignore-not-found") {
        match all_namespaced {
            true => cx.note(&format!("No resources found in {} namespace.", cx.namespace())),
            false => cx.note("No resources found"),
        }
    }
    Failure::all(failures)
}

/// Makes a table of names and ages from what is none.
fn as_table(object: &mut Value, now: i64) {
    if object.str_at("kind") == Some("Table") {
        return;
    }
    let one = [object.clone()];
    let items = if columns::is_list(object) { object.list_at("items") } else { &one };
    let rows: Vec<Value> = items
        .iter()
        .map(|item| {
            let text = |path: &'static str| Value::from(item.str_at(path).unwrap_or_default());
            value!({"cells": [text("metadata.name"), age::since(item.str_at("metadata.creationTimestamp"), now)], "object": item})
        })
        .collect();
    *object = value!({
        "kind": "Table", "rows": rows,
        "columnDefinitions": [{"name": "Name", "type": "string", "format": "name"}, {"name": "Age", "type": "string"}],
    });
}

fn generic(cx: &mut Cx<'_>, targets: Targets) -> Result<()> {
    let mut printer = Printer::for_get(cx)?;
    let single = targets.single;
    let (answers, mut failures) = ask(cx, targets, api::JSON);
    if single && let Some(failure) = failures.pop() {
        return Err(failure);
    }
    let mut objects = Vec::new();
    for answer in &answers {
        match columns::is_list(&answer.object) && !single {
            true => objects.extend(items(&answer.object, &answer.resource).into_iter().map(|it| it.object)),
            false => objects.push(answer.object.clone()),
        }
    }
    if objects.is_empty() && cx.is("ignore-not-found") {
        return Failure::all(failures);
    }
    let object = match objects.as_slice() {
        [one] if single => one.clone(),
        _ => {
            let sort_by = cx.text("sort-by");
            if !sort_by.is_empty() {
                columns::sort(&mut objects, &sort_by, |it| it)?;
            }
            value!({"apiVersion": "v1", "kind": "List", "items": objects, "metadata": {"resourceVersion": ""}})
        }
    };
    if let Err(failure) = printer.print(cx, &object, "") {
        failures.push(failure);
    }
    Failure::all(failures)
}

/// Prints what changes.
struct Watching {
    watch: Watch,
    output: Output,
    /// The first event of a single object's watch is what was printed already.
    skip_first: bool,
    /// When `--request-timeout` ends it.
    deadline: Option<i64>,
}

enum Output {
    Table(Box<table::Printer>),
    Other(Box<Printer>),
}

impl Output {
    fn print(&mut self, cx: &mut Cx<'_>, object: &Value, event: &str) -> Result<()> {
        let with_event = cx.is("output-watch-events");
        match self {
            Output::Table(printer) => {
                let mut table = object.clone();
                as_table(&mut table, cx.now());
                let rows = printer.rows(&table, with_event.then_some(event));
                let text = printer.align(&rows);
                cx.out(&text);
                Ok(())
            }
            Output::Other(printer) if with_event => printer.print(cx, &value!({"type": event, "object": object}), ""),
            Output::Other(printer) => printer.print(cx, object, ""),
        }
    }
}

impl Wait for Watching {
    fn poll(&mut self, cx: &mut Cx<'_>) -> Result<Flow> {
        loop {
            match self.watch.next(cx)? {
                Next::Event(event) if event.kind == "BOOKMARK" => {}
                Next::Event(event) => {
                    if !std::mem::take(&mut self.skip_first) {
                        self.output.print(cx, &event.object, &event.kind)?;
                    }
                }
                Next::Nothing if self.deadline.is_some_and(|it| cx.now() >= it) => return Ok(Flow::Done),
                Next::Nothing => return Ok(Flow::Waiting),
                Next::End => return Ok(Flow::Done),
            }
        }
    }
}

fn watch(cx: &mut Cx<'_>, human: bool) -> Result<Flow> {
    if cx.flags().changed("sort-by") {
        let text = if cx.is("watch") { "will be ignored for watch events received" } else { "will be ignored" };
        let flag = if cx.is("watch") { "watch" } else { "watch-only" };
        cx.note(&format!("warning: --{flag} requested, --sort-by {text}"));
    }
    let targets = cx.targets(&Rules { all_of_type: true, one_type: true, ..Rules::default() })?;
    let [target] = targets.list.as_slice() else {
        let n_found = targets.list.len();
        return fail(format!(
            "watch is only supported on individual resources and resource collections - {n_found} resources were found"
        ));
    };
    let accept = if human { api::TABLE } else { api::JSON };
    let (resource, list_url, object_url, name) = match target {
        Target::All { resource, namespace } => {
            (resource.clone(), cx.target_url(resource, namespace), None, String::new())
        }
        Target::One { resource, namespace, name } => {
            let one = Url::of(resource, namespace, name, "");
            (resource.clone(), Url::of(resource, namespace, "", ""), Some(one), name.clone())
        }
        Target::File(info) => {
            let info = (**info).clone()?;
            (info.resource.clone(), info.collection(), Some(info.url()), info.name)
        }
    };
    let mut output = match human {
        true => Output::Table(Box::new(table::Printer::new(options(cx, &resource, false)))),
        false => Output::Other(Box::new(Printer::for_get(cx)?)),
    };
    let is_list = object_url.is_none();
    let first = match &object_url {
        None => cx.list_selected(&resource, &list_url, accept),
        Some(url) => cx.fetch(url, accept),
    };
    let first = match first {
        Err(failure) if failure.is_not_found() && cx.is("ignore-not-found") => return Ok(Flow::Done),
        first => first?,
    };
    if cx.is("watch") && !cx.is("watch-only") {
        match columns::is_list(&first) {
            false => output.print(cx, &first, "ADDED")?,
            true => {
                for item in items(&first, &resource) {
                    output.print(cx, &item.object, "ADDED")?;
                }
            }
        }
    }
    let version = first.str_at("metadata.resourceVersion").unwrap_or_default().to_owned();
    let (url, since) = match is_list {
        true => (list_url, version),
        false => (list_url.with("fieldSelector", &format!("metadata.name={name}")), "0".to_owned()),
    };
    let watch = Watch::open(cx, &url, accept, &since)?;
    let deadline = Some(cx.flags().seconds("request-timeout", 0)).filter(|it| *it > 0).map(|it| cx.now() + it);
    Ok(Flow::Wait(Box::new(Watching { watch, output, skip_first: !is_list, deadline })))
}
