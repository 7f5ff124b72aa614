//! `edit`: objects as text for the user to change.

use meta::quoted;
use value::{Map, Value, yaml};

use super::{Command, FILES, Help};
use crate::api::{MERGE_PATCH, STRATEGIC_PATCH};
use crate::build::Rules;
use crate::failure::{Failure, Result, fail};
use crate::manifest::Info;
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow, Wait};
use crate::strategic::{self, Schema};

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "edit",
    help: || Help { usage: "(RESOURCE/NAME | -f FILENAME)", about: "Edit a resource on the server" },
    flags: &[
        print::FLAGS,
        FILES,
        "output-patch:b save-config:b subresource:s field-manager:s validate:s=strict windows-line-endings:b",
    ],
    run: edit,
}];

const HEADER: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
";

fn edit(cx: &mut Cx<'_>) -> Result<Flow> {
    let rules = Rules { all_of_type: true, latest: true, ..Rules::default() };
    let targets = cx.targets(&rules)?;
    let (infos, failures) = cx.collect(targets, &rules);
    Failure::all(failures)?;
    if infos.is_empty() {
        return fail("edit cancelled, no objects found");
    }
    let shown = shown(&infos);
    cx.ask_to_edit(format!("{HEADER}{shown}"));
    Ok(Flow::Wait(Box::new(Editing { infos, shown })))
}

/// The objects as the user sees them.
fn shown(infos: &[Info]) -> String {
    let clean = |info: &Info| {
        let mut object = info.object.clone();
        object.remove("metadata.managedFields");
        object
    };
    match infos {
        [one] => yaml::emit(&clean(one)),
        many => {
            let items: Vec<Value> = many.iter().map(clean).collect();
            yaml::emit(&value::value!({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {}}))
        }
    }
}

struct Editing {
    infos: Vec<Info>,
    shown: String,
}

pub(super) fn without_comments(text: &str) -> String {
    text.lines().filter(|it| !it.trim_start().starts_with('#')).map(|it| format!("{it}\n")).collect()
}

impl Wait for Editing {
    fn poll(&mut self, cx: &mut Cx<'_>) -> Result<Flow> {
        let Some(edited) = cx.take_edited() else { return Ok(Flow::Waiting) };
        let text = without_comments(&edited);
        if text == without_comments(&self.shown) {
            cx.note("Edit cancelled, no changes made.");
            return Ok(Flow::Done);
        }
        if text.trim().is_empty() {
            cx.note("Edit cancelled, saved file was empty.");
            return Ok(Flow::Done);
        }
        let document = match yaml::parse_document(&text, 0) {
            Ok(it) => it.value,
            Err(error) => {
                return Ok(self.again(
                    cx,
                    &text,
                    &format!("The edited file had a syntax error: error parsing edited-file: {error}"),
                ));
            }
        };
        let items = match self.infos.len() {
            1 => vec![document],
            _ => document.list_at("items").to_vec(),
        };
        let mut printer = Printer::from_flags(cx)?;
        for item in items {
            let same = |it: &&Info| {
                item.str_at("metadata.name") == Some(&it.name)
                    && item.str_at("metadata.namespace").unwrap_or_default() == it.namespace
                    && item.str_at("kind") == it.object.str_at("kind")
                    && item.str_at("apiVersion") == it.object.str_at("apiVersion")
            };
            let Some(info) = self.infos.iter().find(same).cloned() else {
                return fail("At least one of apiVersion, kind and name was changed");
            };
            match save(cx, &info, &item) {
                Ok(None) => {}
                Ok(Some(object)) => printer.print(cx, &object, "edited")?,
                Err(failure) if matches!(failure.reason(), "Invalid" | "BadRequest") => {
                    let why = failure.message();
                    let (text_of_error, _) = failure.report();
                    cx.note(text_of_error.trim_end());
                    let title = format!("{} {} was not valid:\n* {why}", info.resource.qualified(), quoted(&info.name));
                    return Ok(self.again(cx, &text, &title));
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(Flow::Done)
    }
}

impl Editing {
    /// Opens the text again with what was wrong at its top.
    fn again(&mut self, cx: &mut Cx<'_>, text: &str, why: &str) -> Flow {
        let comment: String = why.lines().map(|it| format!("# {it}\n")).collect();
        // Who saves the same text again does not want to go on.
        self.shown = text.to_owned();
        cx.ask_to_edit(format!("{HEADER}{comment}#\n{text}"));
        Flow::Waiting
    }
}

/// Sends what changed; nothing where nothing did.
fn save(cx: &mut Cx<'_>, info: &Info, edited: &Value) -> Result<Option<Value>> {
    let mut before = info.object.clone();
    before.remove("metadata.managedFields");
    let (patch, content_type) = match cx.openapi(&info.resource) {
        Ok(document) if document.merges_strategically(&info.resource) && document.of_kind(&info.resource).is_some() => {
            let schema = Schema { document: &document, node: document.of_kind(&info.resource) };
            (strategic::three_way(&before, edited, &before, schema), STRATEGIC_PATCH)
        }
        _ => (strategic::three_way_merge(&before, edited, &before), MERGE_PATCH),
    };
    if patch.as_map().is_some_and(Map::is_empty) {
        return Ok(None);
    }
    if cx.is("output-patch") {
        cx.line(&format!("Patch: {}", value::json::to_string(&patch)));
    }
    let subresource = cx.text("subresource");
    let manager = cx.flags().text_or("field-manager", "kubectl-edit").to_owned();
    let url =
        crate::api::Url::of(&info.resource, &info.namespace, &info.name, &subresource).with("fieldManager", &manager);
    let url = url.with("fieldValidation", cx.validation()?);
    cx.patch(&url, content_type, &patch).map(Some)
}
