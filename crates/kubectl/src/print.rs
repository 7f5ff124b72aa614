//! Output forms: `-o json`, `yaml`, `name`, `jsonpath=…` and so on.

use meta::quoted;
use value::{Value, json, yaml};

use crate::Cx;
use crate::columns::{self, Columns};
use crate::failure::{Failure, Result, fail};
use crate::jsonpath::{self, Template};
use crate::template;

/// The flags of commands that print objects.
pub(crate) const FLAGS: &str = "o/output:s template:s allow-missing-template-keys:b show-managed-fields:b";

/// The forms that need no table.
const FORMS: &str =
    "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml";
/// The forms of `get`.
const GET_FORMS: &str = "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml";

enum Form {
    /// `pod/web created`
    Message,
    Name,
    Json,
    Yaml,
    Kyaml,
    JsonPath {
        template: Template,
        text: String,
        as_json: bool,
    },
    GoTemplate(template::Template),
    Columns(Columns),
}

/// Prints objects in the form that `-o` names.
pub(crate) struct Printer {
    form: Form,
    managed: bool,
    /// Whether fields that are not there are left out of a template's text.
    missing_ok: bool,
    n_printed: u32,
}

impl Printer {
    /// The printer of a command that says what it did when there is no `-o`.
    pub(crate) fn from_flags(cx: &Cx<'_>) -> Result<Printer> {
        Printer::new(cx, false)
    }

    /// The printer of `get` for forms that are no table.
    pub(crate) fn for_get(cx: &Cx<'_>) -> Result<Printer> {
        Printer::new(cx, true)
    }

    fn new(cx: &Cx<'_>, for_get: bool) -> Result<Printer> {
        let output = cx.text("output");
        let (form, arg) = output.split_once('=').unwrap_or((&output, cx.flags().text("template")));
        let form = if form.is_empty() && cx.flags().changed("template") { "go-template" } else { form };
        let text_of = |path: &str| cx.file(path).map(|it| String::from_utf8_lossy(&it).into_owned());
        let form = match form {
            "" => Form::Message,
            "name" => Form::Name,
            "json" if !output.contains('=') => Form::Json,
            "yaml" if !output.contains('=') => Form::Yaml,
            "kyaml" if !output.contains('=') => Form::Kyaml,
            "jsonpath" | "jsonpath-as-json" | "jsonpath-file" => {
                if arg.is_empty() {
                    return fail("template format specified but no template given");
                }
                let text = if form == "jsonpath-file" { text_of(arg)? } else { arg.to_owned() };
                let template = jsonpath::parse(&text)
                    .map_err(|it| Failure::Text(format!("error parsing jsonpath {text}, {it}")))?;
                Form::JsonPath { template, text, as_json: form == "jsonpath-as-json" }
            }
            "go-template" | "template" | "go-template-file" | "templatefile" => {
                if arg.is_empty() {
                    return fail("template format specified but no template given");
                }
                let text = if form.ends_with("file") { text_of(arg)? } else { arg.to_owned() };
                let template = template::parse(&text)
                    .map_err(|it| Failure::Text(format!("error parsing template {text}, {it}")))?;
                Form::GoTemplate(template)
            }
            "custom-columns" if for_get => Form::Columns(Columns::from_spec(arg, cx.is("no-headers"))?),
            "custom-columns-file" if for_get => Form::Columns(Columns::from_file(&text_of(arg)?)?),
            _ => {
                let forms = if for_get { GET_FORMS } else { FORMS };
                return fail(format!(
                    "unable to match a printer suitable for the output format {}, allowed formats are: {forms}",
                    quoted(&output)
                ));
            }
        };
        Ok(Printer {
            form,
            managed: cx.is("show-managed-fields"),
            missing_ok: cx.flags().is_or("allow-missing-template-keys", true),
            n_printed: 0,
        })
    }

    /// Whether only a message is printed.
    pub(crate) fn is_message(&self) -> bool {
        matches!(self.form, Form::Message)
    }

    /// Prints an object, or what was done to it.
    pub(crate) fn print(&mut self, cx: &mut Cx<'_>, object: &Value, operation: &str) -> Result<()> {
        let text = self.text(object, operation)?;
        cx.out(&text);
        Ok(())
    }

    fn text(&mut self, object: &Value, operation: &str) -> Result<String> {
        self.n_printed += 1;
        let hides = !self.managed && matches!(self.form, Form::Json | Form::Yaml | Form::Kyaml);
        let object = &if hides { without_managed(object) } else { object.clone() };
        Ok(match &mut self.form {
            Form::Message | Form::Name if columns::is_list(object) => {
                let mut out = String::new();
                for item in object.list_at("items") {
                    out.push_str(&self.text(item, operation)?);
                }
                out
            }
            Form::Message => format!("{} {operation}\n", name_of(object)),
            Form::Name => format!("{}\n", name_of(object)),
            Form::Json => json::to_string_pretty(object, "    ") + "\n",
            Form::Yaml | Form::Kyaml => {
                let separator = if self.n_printed > 1 { "---\n" } else { "" };
                match self.form {
                    Form::Kyaml => format!("---\n{}\n", kyaml(object, 0)),
                    _ => format!("{separator}{}", yaml::emit(object)),
                }
            }
            Form::JsonPath { template, text, as_json } => template.execute(object, *as_json, self.missing_ok).map_err(|it| {
                Failure::Text(format!(
                    "error executing jsonpath {}: Error executing template: {it}. Printing more information for debugging \
                     the template:\n\ttemplate was:\n\t\t{text}\n\tobject given to jsonpath engine was:\n\t\t{}\n\n\n",
                    quoted(text),
                    go_syntax(object)
                ))
            })?,
            Form::GoTemplate(template) => template.execute(object).map_err(Failure::Text)?,
            Form::Columns(columns) => columns.print(object)?,
        })
    }
}

/// `daemonset.apps/web`, as the object itself says.
pub(crate) fn name_of(object: &Value) -> String {
    let api_version = object.str_at("apiVersion").unwrap_or_default();
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let kind = object.str_at("kind").unwrap_or_default().to_lowercase();
    let name = object.str_at("metadata.name").filter(|it| !it.is_empty()).unwrap_or("<unknown>");
    format!("{}/{name}", meta::qualified(group, &kind))
}

fn without_managed(object: &Value) -> Value {
    let mut object = object.clone();
    object.remove("metadata.managedFields");
    if let Some(map) = object.as_map_mut() {
        map.edit_maps("items", |item| item.edit_map("metadata", |it| drop(it.remove("managedFields"))));
        map.edit_map("object", |it| it.edit_map("metadata", |it| drop(it.remove("managedFields"))));
    }
    object
}

/// A value as Go's `%#v` prints it.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".into(),
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Map(map) => {
            let entries: Vec<_> =
                map.iter().map(|(key, value)| format!("{}:{}", quoted(key), go_syntax(value))).collect();
            format!("map[string]interface {{}}{{{}}}", entries.join(", "))
        }
        Value::Str(it) => quoted(it),
        other => json::to_string(other),
    }
}

/// YAML in its flow style, which no indentation can break.
fn kyaml(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth + 1);
    let end = "  ".repeat(depth);
    match value {
        Value::Map(map) if map.is_empty() => "{}".into(),
        Value::List(items) if items.is_empty() => "[]".into(),
        Value::Map(map) => {
            let mut out = String::from("{\n");
            for (key, value) in map.iter() {
                out.push_str(&format!("{indent}{}: {},\n", kyaml_key(key), kyaml(value, depth + 1)));
            }
            out + &end + "}"
        }
        Value::List(items) if items.iter().all(|it| matches!(it, Value::Map(_))) => {
            let items: Vec<String> = items.iter().map(|it| kyaml(it, depth)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::List(items) => {
            let mut out = String::from("[\n");
            for item in items {
                out.push_str(&format!("{indent}{},\n", kyaml(item, depth + 1)));
            }
            out + &end + "]"
        }
        Value::Str(text) => kyaml_text(text, &indent),
        other => json::to_string(other),
    }
}

fn kyaml_text(text: &str, indent: &str) -> String {
    if !text.trim_end_matches('\n').contains('\n') {
        return quoted(text);
    }
    let mut out = String::from("\"\\\n");
    let n_lines = text.split_inclusive('\n').count();
    for (idx, line) in text.split_inclusive('\n').enumerate() {
        let inner = quoted(line);
        let inner = &inner[1..inner.len() - 1];
        let space = if line.starts_with([' ', '\t']) { "\\" } else { " " };
        out.push_str(&format!("{indent}{space}{inner}"));
        out.push_str(if idx + 1 < n_lines || line.ends_with('\n') { "\\\n" } else { "\"" });
    }
    if text.ends_with('\n') {
        out.push_str(&format!("{indent}\""));
    }
    out
}

fn kyaml_key(key: &str) -> String {
    let plain = key.starts_with(|it: char| it.is_ascii_alphabetic())
        && key.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b'.' | b'/'))
        && !matches!(key.to_lowercase().as_str(), "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null");
    if plain { key.to_owned() } else { quoted(key) }
}
