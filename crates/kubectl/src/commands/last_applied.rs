//! `apply view-last-applied` and its kin: the annotation that remembers what was applied.

use meta::quoted;
use value::{Value, json, value, yaml};

use super::{Command, DRY_RUN, DryRun, FILES, Help, LAST_APPLIED, SELECTOR};
use crate::api;
use crate::build::Rules;
use crate::failure::{Failure, Result, fail};
use crate::manifest::{Info, strings};
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow, Wait};
use crate::strategic;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "apply edit-last-applied",
        help: || Help {
            usage: "(RESOURCE/NAME | -f FILENAME)",
            about: "Edit latest last-applied-configuration annotations of a resource/object",
        },
        flags: &[print::FLAGS, FILES, "field-manager:s validate:s=strict windows-line-endings:b"],
        run: edit,
    },
    Command {
        name: "apply set-last-applied",
        help: || Help {
            usage: "-f FILENAME",
            about: "Set the last-applied-configuration annotation on a live object to match the contents of a file",
        },
        flags: &[print::FLAGS, FILES, DRY_RUN, "create-annotation:b"],
        run: set,
    },
    Command {
        name: "apply view-last-applied",
        help: || Help {
            usage: "(TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)",
            about: "View the latest last-applied-configuration annotations of a resource/object",
        },
        flags: &[FILES, SELECTOR, "o/output:s all:b"],
        run: view,
    },
];

fn annotation(object: &Value) -> Option<String> {
    strings(object, "annotations").get(LAST_APPLIED).and_then(Value::as_str).map(str::to_owned)
}

/// The patch that makes an annotation of an object.
fn patch(applied: &Value) -> Value {
    value!({"metadata": {"annotations": {LAST_APPLIED: json::to_string(applied) + "\n"}}})
}

fn view(cx: &mut Cx<'_>) -> Result<Flow> {
    let rules = Rules { all_of_type: true, all: cx.is("all"), latest: true, ..Rules::default() };
    let mut texts = Vec::new();
    cx.visit(&rules, &mut |_, info| {
        // What has no annotation is passed over without a word.
        texts.extend(annotation(&info.object));
        Ok(())
    })?;
    for text in texts {
        let object = json::parse(text.as_bytes()).unwrap_or_default();
        match cx.flags().text("output") {
            "json" => cx.out(&(json::to_string_pretty(&object, "  ") + "\n")),
            "" | "yaml" => cx.out(&yaml::emit(&object)),
            other => {
                return fail(format!("Unexpected -o output mode: {other}, the flag 'output' must be one of yaml|json"));
            }
        }
    }
    Ok(Flow::Done)
}

fn set(cx: &mut Cx<'_>) -> Result<Flow> {
    cx.require_files()?;
    let dry_run = DryRun::of(cx)?;
    let mut printer = Printer::from_flags(cx)?;
    let mut changed = Vec::new();
    for info in cx.manifests()? {
        let info = info?;
        let current = cx.live(&info)?;
        let before = annotation(&current);
        if before.is_none() && !cx.is("create-annotation") {
            return fail(format!(
                "no last-applied-configuration annotation found on resource: {}, to create the annotation, run the command with --create-annotation",
                info.name
            ));
        }
        match before.and_then(|it| json::parse(it.as_bytes()).ok()).as_ref() == Some(&info.object) {
            true => cx.line(&format!("set-last-applied {}: no changes required.", info.name)),
            false => changed.push((info, current)),
        }
    }
    for (info, current) in changed {
        let patch = patch(&info.object);
        let object = match dry_run {
            DryRun::Client => strategic::merged(&current, &patch),
            _ => cx.patch(&info.url().with("dryRun", dry_run.parameter()), api::MERGE_PATCH, &patch)?,
        };
        printer.print(cx, &object, &dry_run.said("configured"))?;
    }
    Ok(Flow::Done)
}

const HEADER: &str = "# Please edit the 'last-applied-configuration' annotations below.
# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.
#
";

fn edit(cx: &mut Cx<'_>) -> Result<Flow> {
    let rules = Rules { all_of_type: true, latest: true, ..Rules::default() };
    let targets = cx.targets(&rules)?;
    let (infos, failures) = cx.collect(targets, &rules);
    Failure::all(failures)?;
    let [info] = infos.as_slice() else { return fail("edit one object at a time") };
    let Some(applied) = annotation(&info.object).and_then(|it| json::parse(it.as_bytes()).ok()) else {
        return fail(format!(
            "no last-applied-configuration annotation found on {}/{}",
            info.resource.plural, info.name
        ));
    };
    let shown = yaml::emit(&applied);
    cx.ask_to_edit(format!("{HEADER}{shown}"));
    Ok(Flow::Wait(Box::new(Editing { info: info.clone(), shown })))
}

struct Editing {
    info: Info,
    shown: String,
}

impl Wait for Editing {
    fn poll(&mut self, cx: &mut Cx<'_>) -> Result<Flow> {
        let Some(edited) = cx.take_edited() else { return Ok(Flow::Waiting) };
        let text = super::edit::without_comments(&edited);
        if text == self.shown {
            cx.note("Edit cancelled, no changes made.");
            return Ok(Flow::Done);
        }
        if text.trim().is_empty() {
            cx.note("Edit cancelled, saved file was empty.");
            return Ok(Flow::Done);
        }
        let applied = match yaml::parse_document(&text, 0) {
            Ok(it) => it.value,
            Err(error) => return fail(format!("The edited file had a syntax error: {error}")),
        };
        let same = |path: &'static str| applied.str_at(path) == self.info.object.str_at(path);
        if !(same("kind") && same("apiVersion") && same("metadata.name")) {
            return fail(format!("{} was changed", quoted("At least one of apiVersion, kind and name")));
        }
        let object = cx.patch(&self.info.url(), api::MERGE_PATCH, &patch(&applied))?;
        Printer::from_flags(cx)?.print(cx, &object, "edited")?;
        Ok(Flow::Done)
    }
}
