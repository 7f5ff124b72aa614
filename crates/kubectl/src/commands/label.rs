//! `label`, and what it shares with `annotate`.

use meta::quoted;
use value::{Map, Value, value};

use super::{Command, DRY_RUN, DryRun, FILES, Help, SELECTOR};
use crate::api::MERGE_PATCH;
use crate::build::Rules;
use crate::failure::{Failure, Result, fail};
use crate::manifest::{Info, strings};
use crate::order;
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow};
use crate::strategic;

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "label",
    help: || Help {
        usage: "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
        about: "Update the labels on a resource",
    },
    flags: &[print::FLAGS, FILES, SELECTOR, DRY_RUN, FLAGS],
    run: |cx| change(cx, &LABELS),
}];

pub(super) const FLAGS: &str =
    "A/all-namespaces:b all:b overwrite:b list:b local:b resource-version:s field-selector:s field-manager:s";

/// The field that a command changes, and its name.
pub(super) struct Field {
    /// Below `metadata`.
    pub(super) field: &'static str,
    pub(super) one: &'static str,
}

const LABELS: Field = Field { field: "labels", one: "label" };

/// What is to be set and taken away.
struct Changes {
    set: Vec<(String, String)>,
    remove: Vec<String>,
}

/// Objects before the first word with a `=` or a `-` at its end.
fn split(args: &[String]) -> (Vec<String>, Vec<String>) {
    let is_change = |it: &String| (it.contains('=') && !it.starts_with('=')) || (it.ends_with('-') && it.len() > 1);
    let n_objects = args.iter().position(is_change).unwrap_or(args.len());
    (args[..n_objects].to_vec(), args[n_objects..].to_vec())
}

pub(super) fn change(cx: &mut Cx<'_>, field: &Field) -> Result<Flow> {
    let (objects, words) = split(&cx.flags().args.clone());
    if let Some(word) = words.iter().find(|it| !(it.contains('=') || it.ends_with('-'))) {
        return fail(format!("all resources must be specified before {} changes: {word}", field.one));
    }
    let changes = parse(field, &words)?;
    let (all, list) = (cx.is("all"), cx.is("list"));
    if list && cx.flags().changed("output") {
        return fail("--list and --output may not be specified together");
    }
    if all && cx.flags().changed("selector") {
        return fail("cannot set --all and --selector at the same time");
    }
    if all && cx.flags().changed("field-selector") {
        return fail("cannot set --all and --field-selector at the same time");
    }
    let dry_run = DryRun::of(cx)?;
    if cx.is("local") && dry_run == DryRun::Server {
        return fail("cannot specify --local and --dry-run=server - did you mean --dry-run=client?");
    }
    if cx.is("local") {
        if !objects.is_empty() {
            return fail("can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set");
        }
        if !cx.flags().changed("filename") {
            return fail("one or more files must be specified as -f pod.yaml or --filename=pod.json");
        }
    }
    if objects.is_empty() && !cx.flags().changed("filename") {
        return fail("one or more resources must be specified as <resource> <name> or <resource>/<name>");
    }
    if changes.set.is_empty() && changes.remove.is_empty() && !list {
        return fail(format!("at least one {} update is required", field.one));
    }
    let mut printer = Printer::from_flags(cx)?;
    let rules = Rules { all_of_type: all, all, args: Some(objects), latest: !cx.is("local"), ..Rules::default() };
    let targets = cx.targets(&rules)?;
    let single = targets.single;
    if !single && cx.flags().changed("resource-version") {
        return fail("--resource-version may only be used with a single resource");
    }
    let (infos, mut failures) = cx.collect(targets, &rules);
    for info in infos {
        if let Err(failure) = one(cx, field, &changes, &info, dry_run, single, &mut printer) {
            failures.push(failure);
        }
    }
    Failure::all(failures)?;
    Ok(Flow::Done)
}

fn parse(field: &Field, words: &[String]) -> Result<Changes> {
    let mut changes = Changes { set: Vec::new(), remove: Vec::new() };
    for word in words {
        match (word.split_once('='), word.strip_suffix('-')) {
            (Some((key, text)), _) => {
                if field.field == "labels" {
                    if text.contains('=') {
                        return fail(format!("invalid label spec: {word}"));
                    }
                    if let Some(problem) = meta::names::label_value(text).first() {
                        return fail(format!("invalid label value: {}: {problem}", quoted(word)));
                    }
                }
                changes.set.push((key.to_owned(), text.to_owned()));
            }
            (None, Some(key)) => changes.remove.push(key.to_owned()),
            (None, None) => return fail(format!("unknown {} spec: {word}", field.one)),
        }
    }
    let both: Vec<&str> =
        changes.remove.iter().filter(|it| changes.set.iter().any(|(key, _)| key == *it)).map(String::as_str).collect();
    if !both.is_empty() {
        return match field.field {
            "labels" => fail("can not both modify and remove a label in the same command"),
            _ => fail(format!(
                "can not both modify and remove the following annotation(s) in the same command: {}",
                both.join(", ")
            )),
        };
    }
    Ok(changes)
}

fn refuse_overwrites(field: &Field, changes: &Changes, old: &Map) -> Result<()> {
    let text = |key: &str| old.get(key).and_then(Value::as_str);
    if field.field == "labels" {
        let taken = changes.set.iter().filter_map(|(key, new)| Some((key, text(key).filter(|it| it != new)?)));
        let failures = taken
            .map(|(key, old)| Failure::Text(format!("'{key}' already has a value ({old}), and --overwrite is false")));
        return Failure::all(failures.collect());
    }
    // The cause of a change is told anew with each.
    let mut taken: Vec<String> = changes
        .set
        .iter()
        .filter(|(key, _)| key != "kubernetes.io/change-cause")
        .filter_map(|(key, new)| Some((key, new, text(key)?)))
        .filter(|(_, new, old)| new != old)
        .map(|(key, _, old)| format!("'{key}' already has a value ({old})"))
        .collect();
    if taken.is_empty() {
        return Ok(());
    }
    order::texts(&mut taken);
    fail(format!("--overwrite is false but found the following declared annotation(s): {}", taken.join("; ")))
}

fn one(
    cx: &mut Cx<'_>,
    field: &Field,
    changes: &Changes,
    info: &Info,
    dry_run: DryRun,
    single: bool,
    printer: &mut Printer,
) -> Result<()> {
    let old = strings(&info.object, field.field);
    if cx.is("list") && changes.set.is_empty() && changes.remove.is_empty() {
        return list(cx, field, info, &old, single);
    }
    if !cx.is("overwrite") {
        refuse_overwrites(field, changes, &old)?;
    }
    let mut patch = Map::new();
    for (key, new) in &changes.set {
        if old.get(key).and_then(Value::as_str) != Some(new) {
            patch.insert(key.as_str(), new.as_str());
        }
    }
    let n_set = patch.len();
    for key in &changes.remove {
        match old.contains_key(key) {
            true => patch.insert(key.as_str(), Value::Null),
            false if field.field == "labels" && dry_run != DryRun::Client => {
                cx.line(&format!("label {} not found.", quoted(key)));
            }
            false => {}
        }
    }
    let operation = match (field.field, n_set > 0, patch.len() > n_set) {
        ("annotations", ..) => "annotated",
        (_, true, true) => "modified",
        (_, true, false) => "labeled",
        (_, false, true) => "unlabeled",
        (_, false, false) => "not labeled",
    };
    // A removal that leaves nothing takes the whole map away, which is the same.
    let mut patch = value!({"metadata": {(field.field): patch}});
    let version = cx.text("resource-version");
    if !version.is_empty() {
        patch.set("metadata.resourceVersion", version.as_str());
    }
    let changed =
        patch.map_at("metadata").and_then(|it| it.get(field.field)?.as_map()).is_some_and(|it| !it.is_empty());
    let mut object = strategic::merged(&info.object, &patch);
    if dry_run != DryRun::Client && !cx.is("local") && !cx.is("list") && (changed || field.field == "annotations") {
        let manager = cx
            .flags()
            .text_or("field-manager", if field.field == "labels" { "kubectl-label" } else { "kubectl-annotate" });
        let url = info.url().with("dryRun", dry_run.parameter()).with("fieldManager", manager);
        let patch = if changed || !version.is_empty() { patch } else { Value::map() };
        object = cx.patch(&url, MERGE_PATCH, &patch)?;
    }
    if cx.is("list") {
        return list(cx, field, info, &strings(&object, field.field), single);
    }
    printer.print(cx, &object, &dry_run.said(operation))
}

fn list(cx: &mut Cx<'_>, field: &Field, info: &Info, map: &Map, single: bool) -> Result<()> {
    let indent = if single { "" } else { " " };
    if !single {
        cx.line(&format!("Listing {} for {}.{}/{}:", field.field, info.resource.kind, info.resource.group, info.name));
    }
    for (key, value) in map.iter() {
        cx.line(&format!("{indent}{key}={}", value.as_str().unwrap_or_default()));
    }
    Ok(())
}
