//! YAML text in and out, as kubectl reads and prints it (`sigs.k8s.io/yaml` over go-yaml 2).

mod compose;
mod decimal;
mod decode;
mod emit;
mod guard;
mod resolve;

use std::fmt;

use crate::{Str, Value, json};

pub use self::emit::emit;

/// How deep nodes may nest; the same as for JSON.
const DEPTH_MAX: u32 = 500;

/// Why a text cannot be read, in go-yaml's words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// Such as `yaml: line 4: did not find expected key`.
    /// The line in it is go-yaml's: it counts from the document's start and is often one less than the real one.
    pub message: String,
    /// The real line in the whole text, from 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// A place in a text, both from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// One document of a text.
#[derive(Clone, Debug)]
pub struct Document {
    pub value: Value,
    /// Keys that were set twice, such as `line 7: key "k" already set in map`; the last one won.
    pub duplicates: Vec<String>,
    span: Span,
}

impl Document {
    /// Where the node at a path such as `spec.containers[0].image` or `metadata.labels[a.io/b]` begins:
    /// its key in a map, itself in a list. Where there is no such node, its nearest parent.
    pub fn position(&self, path: &str) -> Position {
        let mut span = &self.span;
        for step in steps(path) {
            let Some(child) = span.child(step) else { break };
            span = child;
        }
        span.position
    }
}

/// The place of a node and of what is in it.
#[derive(Clone, Debug)]
struct Span {
    position: Position,
    /// By key, or by index written as text; sorted by key for maps.
    children: Vec<(Str, Span)>,
}

impl Span {
    fn child(&self, step: &str) -> Option<&Span> {
        self.children.iter().find(|(key, _)| key == step).map(|(_, span)| span)
    }
}

/// The steps of a field path: `a.b[0][x.y]` is `a`, `b`, `0`, `x.y`.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = path;
    std::iter::from_fn(move || {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if rest.is_empty() {
            return None;
        }
        let (step, after) = match rest.strip_prefix('[') {
            Some(inner) => inner.split_once(']').unwrap_or((inner, "")),
            None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
        };
        rest = after;
        Some(step.trim_matches('"'))
    })
}

/// Every document of `text`, in order; one without content is null.
/// A text that begins with `{` is read as JSON first, as kubectl does.
///
/// # Errors
/// The first document that cannot be read.
pub fn parse_documents(text: &str) -> Result<Vec<Document>, Error> {
    read_documents(text).into_iter().collect()
}

/// As [`parse_documents`], but what comes before an error is kept; nothing comes after one.
pub fn read_documents(text: &str) -> Vec<Result<Document, Error>> {
    let mut res = Vec::new();
    let mut rest = text;
    let mut first_line = 0;
    let mut json_error = None;
    if text.trim_start().starts_with('{') {
        match json_documents(&mut rest, &mut first_line, &mut res) {
            Ok(()) => return res,
            Err(it) => json_error = Some(it),
        }
    }
    for chunk in split(rest) {
        let read = chunk.and_then(|(line, text)| parse_document(&text, first_line + line));
        match (read, json_error.take()) {
            (Ok(it), _) => res.push(Ok(it)),
            (Err(yaml), json) => {
                res.push(Err(json.unwrap_or(yaml)));
                return res;
            }
        }
    }
    res
}

/// Reads values while they are JSON. On an error `rest` begins with what is none.
fn json_documents(rest: &mut &str, first_line: &mut u32, res: &mut Vec<Result<Document, Error>>) -> Result<(), Error> {
    loop {
        let trimmed = rest.trim_start();
        *first_line += lines(&rest[..rest.len() - trimmed.len()]);
        *rest = trimmed;
        if rest.is_empty() {
            return Ok(());
        }
        let (text, value) = match json::parse(rest.as_bytes()) {
            Ok(value) => (*rest, value),
            Err(error) => {
                let prefix = rest.get(..error.offset).unwrap_or_default();
                match json::parse(prefix.as_bytes()) {
                    Ok(value) if !prefix.is_empty() => (prefix, value),
                    _ => {
                        let line = *first_line + lines(prefix) + 1;
                        let column = prefix.len() - prefix.rfind('\n').map_or(0, |it| it + 1) + 1;
                        let message = match &*error.message {
                            "unexpected end of JSON input" => "unexpected EOF".to_owned(),
                            problem => format!("json: offset {}: {problem}", error.offset + 1),
                        };
                        return Err(Error { message, line, column: u32::try_from(column).unwrap_or(u32::MAX) });
                    }
                }
            }
        };
        let span = parse_document(text, *first_line).map(|it| it.span);
        let start = Span { position: Position { line: *first_line + 1, column: 1 }, children: Vec::new() };
        res.push(Ok(Document { value, duplicates: Vec::new(), span: span.unwrap_or(start) }));
        *first_line += lines(text);
        *rest = &rest[text.len()..];
    }
}

fn lines(text: &str) -> u32 {
    u32::try_from(text.bytes().filter(|&it| it == b'\n').count()).unwrap_or(u32::MAX)
}

/// One document, whose first line is the line after `first_line` others.
///
/// # Errors
/// It cannot be read.
pub fn parse_document(text: &str, first_line: u32) -> Result<Document, Error> {
    let nodes = compose::compose(text, first_line)?;
    decode::decode(&nodes, first_line)
}

/// The documents of a text and how many lines are before each, cut at lines that begin with `---`.
/// Every line of a document ends with `\n`.
fn split(text: &str) -> Vec<Result<(u32, String), Error>> {
    let mut res = Vec::new();
    let mut chunk = String::new();
    let mut start = 0;
    for (idx, line) in (0u32..).zip(text.lines()) {
        let Some(rest) = line.strip_prefix("---") else {
            if chunk.is_empty() {
                start = idx;
            }
            chunk.push_str(line);
            chunk.push('\n');
            continue;
        };
        let rest = rest.trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            let message = format!("invalid Yaml document separator: {rest}");
            res.push(Err(Error { message, line: idx + 1, column: 1 }));
            return res;
        }
        if !chunk.is_empty() {
            res.push(Ok((start, std::mem::take(&mut chunk))));
        } else {
            // The reader keeps a separator that has nothing before it: its line counts in errors.
            start = idx;
            chunk.push_str(line);
            chunk.push('\n');
        }
    }
    if !chunk.is_empty() {
        res.push(Ok((start, chunk)));
    }
    res
}

#[cfg(test)]
mod tests;
