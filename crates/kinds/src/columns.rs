//! Columns that several kinds have. Follows `pkg/printers/internalversion/printers.go`.

use meta::Object;
use value::{Map, Value, time::human_duration};

use crate::pod_template::fields::{child, child_or_empty, maps, pairs, text as text_of, texts};
use crate::{Column, Context};

/// A column of text that is always shown.
pub(crate) const fn text(
    name: &'static str,
    description: &'static str,
    cell: fn(&Object, &Context) -> Value,
) -> Column {
    Column { name, kind: "string", format: "", description, priority: 0, cell }
}

/// A column of numbers.
pub(crate) const fn integer(
    name: &'static str,
    description: &'static str,
    cell: fn(&Object, &Context) -> Value,
) -> Column {
    Column { kind: "integer", ..text(name, description, cell) }
}

/// The same column, shown with `-o wide` only.
pub(crate) const fn wide(column: Column) -> Column {
    Column { priority: 1, ..column }
}

/// The first column of almost every table.
pub(crate) const fn name() -> Column {
    Column {
        format: "name",
        ..text("Name", "Unique among the objects of its kind in a namespace.", |it, _| Value::from(&it.meta.name))
    }
}

/// How long ago the object was made.
pub(crate) const fn created() -> Column {
    text("Age", "How long ago the object was created.", age)
}

/// How long ago the object was made, such as `5m3s`.
pub(crate) fn age(it: &Object, cx: &Context) -> Value {
    it.meta.created.map_or_else(|| "<unknown>".into(), |created| human_duration(cx.now - created).into())
}

/// The number at a path of the body; 0 where there is none.
pub(crate) fn number(it: &Object, path: &'static str) -> Value {
    it.i64_at(path).unwrap_or(0).into()
}

/// The text at a path of the body; empty where there is none.
pub(crate) fn string(it: &Object, path: &'static str) -> Value {
    it.str_at(path).unwrap_or("").into()
}

/// How long ago a time was: `5m3s`, or `<unknown>` where there is none.
pub(crate) fn since(time: Option<&str>, cx: &Context) -> String {
    let at = time.and_then(|it| value::time::parse_nanos(it).map(|it| (it / 1_000_000_000) as i64));
    at.map_or_else(|| "<unknown>".to_owned(), |at| human_duration(cx.now - at))
}

/// The pod template of any kind that has one.
pub(crate) fn template(it: &Object) -> &Map {
    let spec = child_or_empty(&it.body, "spec");
    let job = child(spec, "jobTemplate").map(|it| child_or_empty(it, "spec"));
    child_or_empty(job.unwrap_or(if child(&it.body, "template").is_some() { &it.body } else { spec }), "template")
}

/// Names of a template's containers.
pub(crate) const fn containers() -> Column {
    text("Containers", "Names of the containers in the template.", |it, _| listed(it, "name"))
}

/// Images of a template's containers.
pub(crate) const fn images() -> Column {
    text("Images", "Images of the containers in the template.", |it, _| listed(it, "image"))
}

fn listed(it: &Object, key: &str) -> Value {
    let containers = maps(child_or_empty(template(it), "spec"), "containers");
    containers.map(|(_, it)| text_of(it, key)).collect::<Vec<_>>().join(",").into()
}

/// The selector of a workload.
pub(crate) const fn pod_selector() -> Column {
    text("Selector", "Which pods belong to it.", |it, _| {
        let path = if it.kind == crate::CRON_JOB { "spec.jobTemplate.spec.selector" } else { "spec.selector" };
        or_none(selector(it.map_at(path))).into()
    })
}

/// `a=1,b=2`, or `<none>` (`labels.FormatLabels`).
pub(crate) fn labels(labels: &Map) -> String {
    or_none(pairs(labels).map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(","))
}

pub(crate) fn or_none(text: String) -> String {
    if text.is_empty() { "<none>".to_owned() } else { text }
}

/// A label selector as one types it: `app=x,tier in (a,b)` (`FormatLabelSelector`).
pub(crate) fn selector(selector: Option<&Map>) -> String {
    let Some(selector) = selector else { return String::new() };
    let mut parts: Vec<(&str, String)> = Vec::new();
    for (key, value) in pairs(child_or_empty(selector, "matchLabels")) {
        parts.push((key, format!("{key}={value}")));
    }
    for (_, it) in maps(selector, "matchExpressions") {
        let key = text_of(it, "key");
        let mut values: Vec<&str> = texts(it, "values").map(|(_, it)| it).collect();
        values.sort_unstable();
        let values = values.join(",");
        let part = match text_of(it, "operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        };
        parts.push((key, part));
    }
    parts.sort_by_key(|(key, _)| *key);
    parts.into_iter().map(|(_, part)| part).collect::<Vec<_>>().join(",")
}

/// At most `max` of all, with a word on how many more there are.
pub(crate) fn some_of(all: &[String], max: usize) -> String {
    let shown = all.iter().take(max).map(String::as_str).collect::<Vec<_>>().join(",");
    if all.len() > max { format!("{shown} + {} more...", all.len() - max) } else { shown }
}

/// The text at a path of the body, or `<unset>`.
pub(crate) fn string_or_unset(it: &Object, path: &'static str) -> Value {
    it.str_at(path).unwrap_or("<unset>").into()
}

/// The amount at a path of the body; 0 where there is none.
pub(crate) fn quantity(it: &Object, path: &'static str) -> Value {
    it.str_at(path).unwrap_or("0").into()
}

/// A column of flags.
pub(crate) const fn boolean(
    name: &'static str,
    description: &'static str,
    cell: fn(&Object, &Context) -> Value,
) -> Column {
    Column { kind: "boolean", ..text(name, description, cell) }
}

/// The name, marked where the object is the default: `standard (default)`.
pub(crate) const fn name_with_default(cell: fn(&Object, &Context) -> Value) -> Column {
    Column { cell, ..name() }
}

/// The name, with a mark if the object is the default.
pub(crate) fn marked(it: &Object, is_default: bool) -> Value {
    if is_default { format!("{} (default)", it.meta.name).into() } else { Value::from(&it.meta.name) }
}
