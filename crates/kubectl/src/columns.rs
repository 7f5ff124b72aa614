//! `-o custom-columns`, and sorting by a field.

use std::cmp::Ordering;

use value::Value;
use value::quantity::Quantity;

use crate::failure::{Failure, Result, fail};
use crate::jsonpath::{self, Template};
use crate::order;
use crate::{go, tabs};
use meta::quoted;

/// Columns of the user's choice.
pub(crate) struct Columns {
    columns: Vec<(String, Template)>,
    no_headers: bool,
    printed_headers: bool,
}

impl Columns {
    /// `NAME:.metadata.name,IMAGE:.spec.image`
    pub(crate) fn from_spec(spec: &str, no_headers: bool) -> Result<Columns> {
        if spec.is_empty() {
            return fail("custom-columns format specified but no custom columns given");
        }
        let mut columns = Vec::new();
        for part in spec.split(',') {
            let Some((header, path)) = part.split_once(':') else {
                return fail(format!("unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"));
            };
            columns.push((header.to_owned(), template(path)?));
        }
        Ok(Columns { columns, no_headers, printed_headers: false })
    }

    /// A line of headers and a line of paths.
    pub(crate) fn from_file(text: &str) -> Result<Columns> {
        const FORMAT: &str =
            "Expected format is one line of space separated headers, one line of space separated column specs.";
        let mut lines = text.lines();
        let Some(headers) = lines.next() else {
            return fail(format!("invalid template, missing header line. {FORMAT}"));
        };
        let Some(paths) = lines.next() else {
            return fail(format!("invalid template, missing spec line. {FORMAT}"));
        };
        let headers: Vec<&str> = headers.split_whitespace().collect();
        let paths: Vec<&str> = paths.split_whitespace().collect();
        if headers.len() != paths.len() {
            let (a, b) = (headers.len(), paths.len());
            return fail(format!("number of headers ({a}) and field specifications ({b}) don't match"));
        }
        let column = |(header, path): (&&str, &&str)| Ok(((*header).to_owned(), template(path)?));
        let columns = headers.iter().zip(&paths).map(column).collect::<Result<_>>()?;
        Ok(Columns { columns, no_headers: false, printed_headers: false })
    }

    /// The rows of an object or of a list's items.
    pub(crate) fn print(&mut self, object: &Value) -> Result<String> {
        let mut rows = String::new();
        if !self.no_headers && !self.printed_headers {
            let headers: Vec<&str> = self.columns.iter().map(|(header, _)| header.as_str()).collect();
            rows.push_str(&headers.join("\t"));
            rows.push('\n');
            self.printed_headers = true;
        }
        let one = [object.clone()];
        let objects = if is_list(object) { object.list_at("items") } else { &one };
        for object in objects {
            let mut cells = Vec::new();
            for (_, template) in &self.columns {
                let found = template.find(object, true).map_err(Failure::Text)?;
                let texts: Vec<String> = match found.first() {
                    Some(first) if !first.is_empty() => found.iter().flatten().map(go::show).collect(),
                    _ => vec!["<none>".to_owned()],
                };
                cells.push(texts.join(","));
            }
            rows.push_str(&cells.join("\t"));
            rows.push('\n');
        }
        Ok(tabs::align(&rows, &tabs::TABLE))
    }
}

fn template(path: &str) -> Result<Template> {
    let path = jsonpath::relaxed(path).map_err(Failure::Text)?;
    jsonpath::parse(&path).map_err(Failure::Text)
}

pub(crate) fn is_list(object: &Value) -> bool {
    object.get("items").and_then(Value::as_list).is_some()
}

/// The order of items by a field; `object` gives the object of an item.
///
/// # Errors
/// No item has the field.
pub(crate) fn sort(items: &mut Vec<Value>, path: &str, object: fn(&Value) -> &Value) -> Result<()> {
    let path = jsonpath::relaxed(path).map_err(Failure::Text)?;
    let template = jsonpath::parse(&path).map_err(Failure::Text)?;
    let mut keyed = Vec::new();
    for item in items.iter() {
        let found = template.find(object(item), true).map_err(Failure::Text)?;
        keyed.push((found.into_iter().next().and_then(|it| it.into_iter().next()), item.clone()));
    }
    if !items.is_empty() && keyed.iter().all(|(key, _)| key.is_none()) {
        return fail(format!("couldn't find any field with path {} in the list of objects", quoted(&path)));
    }
    order::by(&mut keyed, &mut |(a, _), (b, _)| match (a, b) {
        (None, None) => Ordering::Equal,
        (None, _) => Ordering::Less,
        (_, None) => Ordering::Greater,
        (Some(a), Some(b)) => compare(a, b),
    });
    *items = keyed.into_iter().map(|(_, item)| item).collect();
    Ok(())
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Str(a), Value::Str(b)) => match (Quantity::parse(a), Quantity::parse(b)) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => a.cmp(b),
        },
        _ => Ordering::Equal,
    }
}
