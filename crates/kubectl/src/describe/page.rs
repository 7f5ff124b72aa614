//! The text of a description while it grows.

use value::quantity::Quantity;
use value::{Map, Value};

use crate::manifest::strings;
use crate::{age, go, table, tabs};

/// Longer annotations are cut.
const ANNOTATION_MAX: usize = 140;

/// Lines with tabs; what was flushed is aligned on its own.
#[derive(Default)]
pub(crate) struct Page {
    done: String,
    text: String,
}

impl Page {
    pub(super) fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A line that is indented by twice `level` spaces.
    pub(super) fn at(&mut self, level: usize, text: &str) {
        self.text.push_str(&"  ".repeat(level));
        self.line(text);
    }

    /// Ends a block of columns.
    pub(super) fn flush(&mut self) {
        self.done.push_str(&tabs::align(&std::mem::take(&mut self.text), &tabs::DESCRIBE));
    }

    pub(super) fn finish(mut self) -> String {
        self.flush();
        self.done
    }

    /// The text with its tabs, for a printer that aligns nothing.
    pub(super) fn unaligned(self) -> String {
        self.text
    }

    /// Rows of a table, one a line: `?Label=path|form!default`.
    ///
    /// `?` leaves a row out where there is nothing; the default is shown in its place otherwise.
    /// Forms: `time`, `s` (seconds), `bool`, `list` (with commas), `map` (labels), `given` (even where it is empty).
    pub(super) fn rows(&mut self, level: usize, object: &Value, rows: &'static str) {
        for row in rows.lines() {
            let row = row.trim_start();
            let (optional, row) = row.strip_prefix('?').map_or((false, row), |it| (true, it));
            let Some((label, rest)) = row.split_once('=') else {
                self.special(level, object, row);
                continue;
            };
            let (rest, default) = rest.split_once('!').unwrap_or((rest, ""));
            let (path, form) = rest.split_once('|').unwrap_or((rest, ""));
            let value = object.at(path).filter(|it| form == "given" || !is_empty(it));
            if optional && value.is_none() {
                continue;
            }
            let text = value.map_or_else(|| default.to_owned(), |it| shown(it, form));
            self.at(level, &format!("{label}:\t{text}"));
        }
    }

    fn special(&mut self, level: usize, object: &Value, row: &str) {
        match row {
            "@labels" => self.labels("Labels", &strings(object, "labels")),
            "@annotations" => self.annotations("Annotations", &strings(object, "annotations")),
            "@owner" => {
                if let Some(owner) = owner(object) {
                    self.at(level, &format!("Controlled By:\t{owner}"));
                }
            }
            text => self.at(level, text),
        }
    }

    /// `Labels:  a=1` and more below.
    pub(super) fn labels(&mut self, title: &str, labels: &Map) {
        let lines: Vec<String> =
            labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
        self.column(title, &lines);
    }

    /// A title and values in a column beside it.
    pub(super) fn column(&mut self, title: &str, lines: &[String]) {
        if lines.is_empty() {
            self.line(&format!("{title}:\t<none>"));
        }
        for (idx, line) in lines.iter().enumerate() {
            let before = if idx == 0 { format!("{title}:\t") } else { "\t".to_owned() };
            self.line(&format!("{before}{line}"));
        }
    }

    pub(super) fn annotations(&mut self, title: &str, annotations: &Map) {
        let mut lines = Vec::new();
        for (key, value) in annotations.iter().filter(|(key, _)| *key != crate::commands::LAST_APPLIED) {
            let value = value.as_str().unwrap_or_default();
            let value = value.strip_suffix('\n').unwrap_or(value);
            if value.len() + key.len() + 2 > ANNOTATION_MAX || value.contains('\n') {
                lines.push(format!("{key}:"));
                lines.extend(value.split('\n').map(|it| format!("  {}", shortened(it, ANNOTATION_MAX - 2))));
            } else {
                lines.push(format!("{key}: {value}"));
            }
        }
        self.column(title, &lines);
    }

    /// Conditions as rows; `fields` are the columns.
    pub(super) fn conditions(&mut self, object: &Value, title: &str, fields: &[(&str, &str)], separator: &str) {
        let conditions = object.list_at("status.conditions");
        if conditions.is_empty() {
            return;
        }
        let titles: Vec<&str> = fields.iter().map(|(title, _)| *title).collect();
        let dashes: Vec<String> = titles.iter().map(|it| "-".repeat(it.len())).collect();
        self.line(&format!("{title}\n  {}\n  {}", titles.join("\t"), dashes.join("\t")));
        for condition in conditions {
            let cells: Vec<String> = fields
                .iter()
                .map(|(_, path)| {
                    let (path, form) = path.split_once('|').unwrap_or((path, ""));
                    condition.get(path).map_or_else(String::new, |it| shown(it, form))
                })
                .collect();
            self.at(1, &cells.join(separator));
        }
    }
}

fn shortened(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let end = (0..=max).rev().find(|&it| text.is_char_boundary(it)).unwrap_or(0);
    format!("{}...", &text[..end])
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Str(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

/// A value in one of the forms of [`Page::rows`].
pub(super) fn shown(value: &Value, form: &str) -> String {
    match form {
        "time" => value.as_str().map_or_else(String::new, age::rfc1123),
        "s" => format!("{}s", go::show(value)),
        "bool" => if value.as_bool() == Some(true) { "True" } else { "False" }.to_owned(),
        "list" => {
            let items: Vec<String> = value.as_list().into_iter().flat_map(|it| it.iter()).map(go::show).collect();
            items.join(",")
        }
        "map" => table::labels_text(value.as_map()),
        "selector" => super::selector_or_none(Some(value)),
        _ => go::show(value),
    }
}

/// `DaemonSet/web`, who controls an object.
pub(super) fn owner(object: &Value) -> Option<String> {
    let owners = object.at("metadata.ownerReferences")?.as_list()?;
    let owner = owners.iter().find(|it| it.bool_at("controller") == Some(true))?;
    Some(format!("{}/{}", owner.str_at("kind")?, owner.str_at("name")?))
}

/// A text at a path; empty where there is none.
pub(super) fn text<'a>(object: &'a Value, path: &'static str) -> &'a str {
    object.str_at(path).unwrap_or_default()
}

/// Names and amounts of a list of resources, in the order of names.
pub(super) fn amounts(map: Option<&Value>) -> Vec<(String, Quantity)> {
    let map = map.and_then(Value::as_map);
    map.into_iter()
        .flat_map(Map::iter)
        .filter_map(|(name, it)| Some((name.to_string(), Quantity::parse(&go::show(it)).ok()?)))
        .collect()
}
