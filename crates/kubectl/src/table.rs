//! Tables that the server makes, printed.

use value::{Value, json};

use crate::tabs;

/// What a table shows beside the server's columns.
#[derive(Clone, Default)]
pub(crate) struct Options {
    pub(crate) wide: bool,
    pub(crate) no_headers: bool,
    pub(crate) with_namespace: bool,
    /// Before each name: `daemonset.apps`.
    pub(crate) kind: Option<String>,
    pub(crate) show_labels: bool,
    /// Labels that have a column.
    pub(crate) labels: Vec<String>,
}

/// Prints tables one under another; headers when the columns change.
#[derive(Default)]
pub(crate) struct Printer {
    pub(crate) options: Options,
    columns: Vec<Value>,
    printed_headers: bool,
    widths: Vec<usize>,
}

impl Printer {
    pub(crate) fn new(options: Options) -> Printer {
        Printer { options, ..Printer::default() }
    }

    /// The rows of a table, columns divided by tabs.
    pub(crate) fn rows(&mut self, table: &Value, event: Option<&str>) -> String {
        let definitions = table.list_at("columnDefinitions");
        let same = definitions.is_empty() || definitions == self.columns;
        let with_headers = !(self.options.no_headers || (self.printed_headers && same));
        if !same {
            self.columns = definitions.to_vec();
        }
        let rows = table.list_at("rows");
        if rows.is_empty() {
            return String::new();
        }
        self.printed_headers = true;
        let mut out = String::new();
        if with_headers {
            out.push_str(&self.headers(event.is_some()).join("\t"));
            out.push('\n');
        }
        for row in rows {
            let cells: Vec<String> = event.map(|it| format!("{it:<8}")).into_iter().chain(self.cells(row)).collect();
            out.push_str(&cells.join("\t"));
            out.push('\n');
        }
        out
    }

    /// Aligns rows; columns never get narrower than they were.
    pub(crate) fn align(&mut self, rows: &str) -> String {
        tabs::align_remembering(rows, &tabs::TABLE, &mut self.widths)
    }

    fn shown(&self, column: &Value) -> bool {
        self.options.wide || column.i64_at("priority").unwrap_or(0) == 0
    }

    fn headers(&self, with_event: bool) -> Vec<String> {
        let mut headers = Vec::new();
        if with_event {
            headers.push("EVENT".to_owned());
        }
        if self.options.with_namespace {
            headers.push("NAMESPACE".to_owned());
        }
        for column in self.columns.iter().filter(|it| self.shown(it)) {
            headers.push(column.str_at("name").unwrap_or_default().to_uppercase());
        }
        for label in &self.options.labels {
            headers.push(label.rsplit('/').next().unwrap_or_default().to_uppercase());
        }
        if self.options.show_labels {
            headers.push("LABELS".to_owned());
        }
        headers
    }

    fn cells(&self, row: &Value) -> Vec<String> {
        let metadata = row.at("object.metadata");
        let mut cells = Vec::new();
        if self.options.with_namespace {
            cells.push(metadata.and_then(|it| it.str_at("namespace")).unwrap_or_default().to_owned());
        }
        let mut named = false;
        for (column, cell) in self.columns.iter().zip(row.list_at("cells")) {
            let is_name = column.str_at("format") == Some("name") && !named;
            named |= is_name;
            if !self.shown(column) {
                continue;
            }
            let text = cell_text(cell);
            cells.push(match &self.options.kind {
                Some(kind) if is_name => format!("{kind}/{text}"),
                _ => text,
            });
        }
        let labels = metadata.and_then(|it| it.map_at("labels"));
        for label in &self.options.labels {
            let value = labels.and_then(|it| it.get(label)).and_then(Value::as_str);
            cells.push(value.unwrap_or_default().to_owned());
        }
        if self.options.show_labels {
            cells.push(labels_text(labels));
        }
        cells
    }
}

/// `a=1,b=2`, or `<none>`.
pub(crate) fn labels_text(labels: Option<&value::Map>) -> String {
    match labels.filter(|it| !it.is_empty()) {
        None => "<none>".into(),
        Some(labels) => {
            let pairs: Vec<String> =
                labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
            pairs.join(",")
        }
    }
}

fn cell_text(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::Str(text) => match text.find(['\x0c', '\n', '\r']) {
            Some(end) => format!("{}...", &text[..end]),
            None => text.to_string(),
        },
        Value::List(_) | Value::Map(_) => crate::go::show(cell),
        other => json::to_string(other),
    }
}
