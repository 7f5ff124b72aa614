//! The manifest: applied and deleted as kubectl does it, document by document, with the server's words at their lines.

use std::collections::BTreeMap;

use kubectl::{Input, Progress, Run};
use value::yaml::{self, Document};
use value::{Value, json};
use view::model::Ref;
use web::{Outcome, Problem};

use crate::client::Engine;

/// What became of a manifest.
#[derive(Default)]
pub struct Result {
    pub outcomes: Vec<Outcome>,
    pub problems: Vec<Problem>,
    /// What kubectl printed, and what it said of what went wrong.
    pub printed: String,
    pub refused: String,
}

/// The documents with content; a text that cannot be read is one problem.
pub fn read(text: &str) -> std::result::Result<Vec<Document>, Problem> {
    let documents = yaml::parse_documents(text).map_err(|it| Problem {
        line: it.line,
        column: it.column,
        is_warning: false,
        message: it.message,
    })?;
    Ok(documents.into_iter().filter(|it| !it.value.is_null()).collect())
}

/// `kubectl apply -f` of each document in order; one that fails does not keep the next from being tried.
pub fn apply(engine: &mut Engine, text: &str) -> Result {
    each(engine, text, &["apply", "-f", FILE], false)
}

/// `kubectl delete -f` without waiting for the end, the last document first.
pub fn delete(engine: &mut Engine, text: &str) -> Result {
    each(engine, text, &["delete", "-f", FILE, "--ignore-not-found", "--wait=false"], true)
}

const FILE: &str = "manifest.yaml";

fn each(engine: &mut Engine, text: &str, args: &[&str], is_reversed: bool) -> Result {
    let mut res = Result::default();
    let mut documents = match read(text) {
        Ok(documents) => documents,
        Err(problem) => {
            res.problems.push(problem);
            return res;
        }
    };
    if is_reversed {
        documents.reverse();
    }
    if documents.is_empty() {
        res.problems.push(Problem {
            line: 1,
            column: 1,
            is_warning: false,
            message: "error: no objects passed to apply".to_owned(),
        });
    }
    for document in &documents {
        one(engine, document, args, &mut res);
    }
    res.problems.sort_by_key(|it| (it.line, it.column));
    res
}

fn one(engine: &mut Engine, document: &Document, args: &[&str], res: &mut Result) {
    let file = json::to_string(&document.value).into_bytes();
    let input = Input { files: BTreeMap::from([(FILE.to_owned(), file)]), ..Input::default() };
    engine.failures.clear();
    let mut run = Run::new(args, input);
    let code = match run.poll(engine) {
        Progress::Done(code) => code,
        // Neither of the two commands waits as they are called here.
        Progress::Waiting | Progress::Edit(_) | Progress::Input(_) => {
            run.interrupt(engine);
            0
        }
    };
    let chunks = run.take_output();
    let said = |is_error: bool| {
        chunks.iter().filter(|it| it.is_error == is_error).map(|it| it.text.as_str()).collect::<String>()
    };
    let errors = said(true);
    res.refused.push_str(&errors);
    if code == 0 {
        let words = said(false);
        res.printed.push_str(&words);
        let word = words.trim().rsplit(' ').next().unwrap_or_default().trim_matches('"');
        if !word.is_empty() {
            res.outcomes.push(Outcome {
                target: target(engine, &document.value),
                word: if word == "deleted" || words.contains(" deleted") {
                    "deleted".to_owned()
                } else {
                    word.to_owned()
                },
                line: words.trim().to_owned(),
            });
        }
        res.problems.extend(
            errors
                .lines()
                .filter_map(|it| it.strip_prefix("Warning: "))
                .map(|it| at_path(document, path_in(it), it, true)),
        );
        return;
    }
    match engine.failures.last() {
        Some(status) => res.problems.extend(problems(document, status, &errors)),
        None => res.problems.push(at_path(document, "kind", errors.trim(), false)),
    }
}

/// The object that a document names, as the page refers to it.
pub fn target(engine: &Engine, document: &Value) -> Ref {
    let text = |path: &'static str| document.str_at(path).unwrap_or_default();
    let kind = engine.cluster.api().registry().by_kind(text("apiVersion"), text("kind"));
    let namespace = match (kind.is_some_and(|it| it.is_namespaced()), text("metadata.namespace")) {
        (false, _) => "",
        (true, "") => "default",
        (true, it) => it,
    };
    Ref::new(text("kind"), namespace, text("metadata.name"))
}

/// A refusal as problems: each cause at its field, in the server's words.
fn problems(document: &Document, status: &Value, errors: &str) -> Vec<Problem> {
    let causes = status.list_at("details.causes");
    let with_fields: Vec<Problem> = causes
        .iter()
        .filter_map(|it| {
            let field = it.str_at("field").filter(|it| !it.is_empty() && *it != "<nil>")?;
            let message = it.str_at("message").unwrap_or_default();
            Some(at_path(document, field, &format!("{field}: {message}"), false))
        })
        .collect();
    if !with_fields.is_empty() {
        return with_fields;
    }
    let message = status.str_at("message").unwrap_or(errors);
    // Several unknown fields come in one message, each with its path in quotes.
    let unknown: Vec<Problem> = message
        .split(", ")
        .filter(|it| it.contains("unknown field \"") || it.contains("duplicate field \""))
        .map(|it| at_path(document, path_in(it), it.rsplit_once("error: ").map_or(it, |(_, it)| it), false))
        .collect();
    if unknown.is_empty() { vec![at_path(document, path_in(message), message, false)] } else { unknown }
}

/// A field path that a message names: in quotes, or before its first colon.
fn path_in(message: &str) -> &str {
    let is_path = |it: &str| {
        let starts = ["spec", "metadata", "status", "data", "stringData", "kind", "apiVersion"];
        starts
            .iter()
            .any(|start| it.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])))
    };
    let quoted = message.split('"').skip(1).step_by(2).find(|it| is_path(it));
    let before_colon = message.split([' ', ':']).find(|it| is_path(it));
    quoted.or(before_colon).unwrap_or("kind")
}

fn at_path(document: &Document, path: &str, message: &str, is_warning: bool) -> Problem {
    let position = document.position(path);
    Problem { line: position.line, column: position.column, is_warning, message: message.to_owned() }
}

/// Where fields of an object stand in a text; lines from 1.
pub fn lines_of(engine: &Engine, text: &str, object: &Ref, fields: &[&str]) -> Vec<u32> {
    let Ok(documents) = read(text) else { return Vec::new() };
    let Some(document) = documents.iter().find(|it| target(engine, &it.value) == *object) else { return Vec::new() };
    let mut lines: Vec<u32> = fields.iter().filter(|it| !it.is_empty()).map(|it| document.position(it).line).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}
