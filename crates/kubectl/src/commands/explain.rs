//! `explain`: the fields of a kind, from the server's OpenAPI document.

use value::{Value, json};

use super::{Command, Help};
use crate::failure::{Failure, Result, fail};
use crate::openapi::Document;
use crate::shell::{Cx, Flow};
use meta::quoted;

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "explain",
    help: || Help {
        usage: "TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext|plaintext-openapiv2]",
        about: "Get documentation for a resource",
    },
    flags: &["recursive:b api-version:s o/output:s"],
    run: explain,
}];

/// How deep a recursive list goes at most.
const DEPTH_MAX: usize = 40;

fn explain(cx: &mut Cx<'_>) -> Result<Flow> {
    let arg = match cx.flags().args.as_slice() {
        [] => {
            return fail(format!("You must specify the type of resource to explain. {}\n", super::get::SUGGESTION));
        }
        [one] => one.clone(),
        _ => return fail("We accept only this format: explain RESOURCE\n"),
    };
    let output = cx.flags().text_or("output", "plaintext").to_owned();
    if !matches!(&*output, "plaintext" | "plaintext-openapiv2") {
        return fail(format!("unrecognized format: {output}"));
    }
    let (mut resource, fields) = find(cx, &arg)?;
    let version = cx.text("api-version");
    if !version.is_empty() {
        let (group, version) = version.split_once('/').unwrap_or(("", &version));
        let mut it = (*resource).clone();
        it.group = group.to_owned();
        it.version = version.to_owned();
        resource = it.into();
    }
    let document = match cx.openapi(&resource) {
        Err(failure) if failure.is_not_found() => {
            let gvr = format!("{}/{}, Resource={}", resource.group, resource.version, resource.plural);
            return fail(format!("couldn't find resource for {}", quoted(&gvr)));
        }
        document => document?,
    };
    let Some(schema) = document.of_kind(&resource) else {
        let gvr = format!("{}/{}, Resource={}", resource.group, resource.version, resource.plural);
        return fail(format!("error: GVR ({gvr}) not found in OpenAPI schema"));
    };
    let mut out = String::new();
    if !resource.group.is_empty() {
        out.push_str(&format!("GROUP:      {}\n", resource.group));
    }
    out.push_str(&format!("KIND:       {}\nVERSION:    {}\n\n", resource.kind, resource.version));
    let explainer = Explainer { document: &document, recursive: cx.is("recursive") };
    match explainer.output(schema, &fields, &[]) {
        Some(text) => out.push_str(&text),
        None => {
            let field = fields.last().cloned().unwrap_or_default();
            cx.out(&out);
            return fail(format!("error: field {} does not exist", quoted(&field)));
        }
    }
    out.push('\n');
    cx.out(&out);
    Ok(Flow::Done)
}

/// The resource of `daemonsets.apps.spec.template`, and the fields.
fn find(cx: &mut Cx<'_>, arg: &str) -> Result<(std::rc::Rc<crate::mapper::Resource>, Vec<String>)> {
    let parts: Vec<&str> = arg.split('.').collect();
    let (word, rest) = parts.split_first().unwrap_or((&"", &[]));
    let mapper = cx.mapper()?;
    // The longest name of a group that follows the word is taken from the path.
    for resource in &mapper.resources {
        let named =
            resource.plural == *word || resource.singular == *word || resource.short.iter().any(|it| it == word);
        if !named || resource.group.is_empty() || !resource.preferred {
            continue;
        }
        let path = rest.join(".");
        if let Some(fields) = path.strip_prefix(&resource.group)
            && (fields.is_empty() || fields.starts_with('.'))
        {
            let fields = fields.split('.').filter(|it| !it.is_empty()).map(str::to_owned).collect();
            return Ok((resource.clone(), fields));
        }
    }
    let resource = cx.resource(word).map_err(|it| Failure::Exact(it.message()))?;
    Ok((resource, rest.iter().filter(|it| !it.is_empty()).map(|it| (*it).to_owned()).collect()))
}

struct Explainer<'a> {
    document: &'a Document,
    recursive: bool,
}

impl<'a> Explainer<'a> {
    /// What a reference leads to, and the reference.
    fn resolve(&self, schema: &'a Value) -> (&'a Value, &'a str) {
        match schema.str_at("$ref") {
            Some(reference) => (self.document.target(reference).unwrap_or(schema), reference),
            None => (schema, ""),
        }
    }

    /// Follows the fields and describes what is there; `None` where there is no such field.
    fn output(&self, schema: &'a Value, fields: &[String], seen: &[&str]) -> Option<String> {
        let (resolved, reference) = self.resolve(schema);
        let Some((field, rest)) = fields.split_first() else {
            let description = self.description(resolved, 0);
            let description = if description.is_empty() { "<empty>".to_owned() } else { description };
            let mut out = format!("DESCRIPTION:\n{}\n", indent(&wrap(&description, 76), 4));
            let list = self.field_list(resolved, 1, &[]);
            if !list.is_empty() {
                out.push_str("FIELDS:\n");
                out.push_str(&list);
            }
            return Some(out);
        };
        if !reference.is_empty() && seen.contains(&reference) {
            return None;
        }
        let seen = &[seen, &[reference]].concat()[..];
        if seen.len() > DEPTH_MAX {
            return None;
        }
        if let Some(inner) = resolved.get("properties").and_then(|it| it.get(field)) {
            let mut out = String::new();
            if rest.is_empty() {
                out.push_str(&format!("FIELD: {field} <{}>\n", self.type_of(inner, 0)));
                out.push_str(&enumeration(inner, None));
                out.push_str("\n\n");
            }
            out.push_str(&self.output(inner, rest, &[])?);
            return Some(out);
        }
        if let Some(items) = resolved.get("items") {
            return self.output(items, fields, seen);
        }
        if let Some(inner) = resolved.get("additionalProperties").filter(|it| it.as_map().is_some()) {
            return self.output(inner, fields, seen);
        }
        resolved.list_at("allOf").iter().find_map(|it| self.output(it, fields, seen))
    }

    fn description(&self, schema: &'a Value, depth: usize) -> String {
        if depth > DEPTH_MAX {
            return String::new();
        }
        let (schema, _) = self.resolve(schema);
        let mut out = String::new();
        if let Some(text) = schema.str_at("description").filter(|it| !it.is_empty()) {
            out.push_str(text);
            out.push('\n');
        }
        for inner in schema.list_at("allOf") {
            out.push_str(&self.description(inner, depth + 1));
        }
        for inner in ["items", "additionalProperties"].iter().filter_map(|it| schema.get(it)) {
            if inner.as_map().is_some() {
                out.push_str(&self.description(inner, depth + 1));
            }
        }
        out
    }

    fn field_list(&self, schema: &'a Value, level: usize, seen: &[&str]) -> String {
        let (resolved, reference) = self.resolve(schema);
        if (!reference.is_empty() && seen.contains(&reference)) || seen.len() > DEPTH_MAX {
            return String::new();
        }
        let seen = &[seen, &[reference]].concat()[..];
        let mut out = String::new();
        for (name, field) in resolved.get("properties").and_then(Value::as_map).into_iter().flat_map(|it| it.iter()) {
            out.push_str(&self.field(name, field, resolved, level));
            if self.recursive {
                out.push_str(&self.field_list(field, level + 1, seen));
            }
        }
        for inner in resolved.list_at("allOf") {
            out.push_str(&self.field_list(inner, level, seen));
        }
        for inner in ["items", "additionalProperties"].iter().filter_map(|it| resolved.get(it)) {
            if inner.as_map().is_some() {
                out.push_str(&self.field_list(inner, level, seen));
            }
        }
        out
    }

    fn field(&self, name: &str, field: &'a Value, parent: &Value, level: usize) -> String {
        let amount = level * 2;
        let mut out = format!("{}\t<{}>", indent(name, amount), self.type_of(field, 0));
        if parent.list_at("required").iter().any(|it| it.as_str() == Some(name)) {
            out.push_str(" -required-");
        }
        out.push_str(&enumeration(field, Some(amount)));
        out.push('\n');
        if !self.recursive {
            let text = field.str_at("description").filter(|it| !it.is_empty()).unwrap_or("<no description>");
            out.push_str(&indent(&wrap(text, 78 - amount), amount + 2));
            out.push_str("\n\n");
        }
        out
    }

    fn type_of(&self, schema: &'a Value, depth: usize) -> String {
        if depth > DEPTH_MAX {
            return "Object".into();
        }
        if let Some(items) = schema.get("items") {
            return format!("[]{}", self.type_of(items, depth + 1));
        }
        if let Some(inner) = schema.get("additionalProperties").filter(|it| it.as_map().is_some()) {
            return format!("map[string]{}", self.type_of(inner, depth + 1));
        }
        if let ([one], None) = (schema.list_at("allOf"), schema.get("properties")) {
            return self.type_of(one, depth + 1);
        }
        if let Some(reference) = schema.str_at("$ref") {
            let target = self.document.target(reference);
            return match target.and_then(|it| it.str_at("type")) {
                None | Some("object") => reference.rsplit(['/', '.']).next().unwrap_or("Object").to_owned(),
                Some(kind) => kind.to_owned(),
            };
        }
        match schema.str_at("type") {
            None | Some("object") => "Object".into(),
            Some(kind) => kind.to_owned(),
        }
    }
}

/// The values that a field may have: in one line after an indentation, or one below the other.
fn enumeration(schema: &Value, amount: Option<usize>) -> String {
    let values = schema.list_at("enum");
    if values.is_empty() {
        return String::new();
    }
    let texts = values.iter().map(|it| match it {
        Value::Str(text) if text.is_empty() => "\"\"".to_owned(),
        Value::Str(text) => text.to_string(),
        other => json::to_string(other),
    });
    match amount {
        None => texts.fold("ENUM:".to_owned(), |out, it| format!("{out}\n    {it}")),
        Some(amount) => {
            let shown: Vec<String> = texts.take(4).collect();
            let more = if values.len() > 4 { ", ...." } else { "" };
            format!("\n{}enum: {}{more}", " ".repeat(amount), shown.join(", "))
        }
    }
}

fn indent(text: &str, amount: usize) -> String {
    let pad = " ".repeat(amount);
    text.split('\n').map(|line| format!("{pad}{line}")).collect::<Vec<_>>().join("\n")
}

/// Breaks lines at spaces so that none is longer than `width`, where that is possible.
fn wrap(text: &str, width: usize) -> String {
    let mut out = String::new();
    for (idx, line) in text.split('\n').enumerate() {
        if idx > 0 {
            out.push('\n');
        }
        let mut n_chars = 0;
        let mut first = true;
        for word in line.split(' ') {
            let n_word = word.chars().count();
            if !first && n_chars + 1 + n_word > width {
                out.push('\n');
                n_chars = 0;
            } else if !first {
                out.push(' ');
                n_chars += 1;
            }
            out.push_str(word);
            n_chars += n_word;
            first = false;
        }
    }
    out
}
