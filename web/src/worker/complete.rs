//! What may be written at a place in the manifest, from the engine's own schema.

use schema::{Field, Schema, Type, TypeId};
use view::cursor::{self, Cursor};
use web::Completion;

use crate::client::Engine;

/// Values of fields whose type is a mere text, by the field's name; the last word of the struct's name where it matters.
const VALUES: &[(&str, &str, &[&str])] = &[
    ("", "concurrencyPolicy", &["Allow", "Forbid", "Replace"]),
    ("", "effect", &["NoSchedule", "PreferNoSchedule", "NoExecute"]),
    ("", "imagePullPolicy", &["Always", "IfNotPresent", "Never"]),
    ("", "protocol", &["TCP", "UDP", "SCTP"]),
    ("", "restartPolicy", &["Always", "OnFailure", "Never"]),
    ("", "whenUnsatisfiable", &["DoNotSchedule", "ScheduleAnyway"]),
    ("", "completionMode", &["NonIndexed", "Indexed"]),
    ("", "podManagementPolicy", &["OrderedReady", "Parallel"]),
    ("", "preemptionPolicy", &["PreemptLowerPriority", "Never"]),
    ("DaemonSetUpdateStrategy", "type", &["RollingUpdate", "OnDelete"]),
    ("DeploymentStrategy", "type", &["RollingUpdate", "Recreate"]),
    ("LabelSelectorRequirement", "operator", &["In", "NotIn", "Exists", "DoesNotExist"]),
    ("MachineSpec", "network", &["Connected", "Partitioned"]),
    ("MachineSpec", "power", &["On", "Off"]),
    ("NodeSelectorRequirement", "operator", &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]),
    ("ServiceSpec", "type", &["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
    ("StatefulSetUpdateStrategy", "type", &["RollingUpdate", "OnDelete"]),
    ("Toleration", "operator", &["Exists", "Equal"]),
];

pub fn completions(engine: &Engine, text: &str, line: u32, column: u32) -> Vec<Completion> {
    let Some(cursor) = cursor::at(text, line, column) else { return Vec::new() };
    if cursor.path.is_empty() && matches!(cursor.key.as_deref(), Some("kind" | "apiVersion")) {
        return kinds(engine, &cursor);
    }
    let schema = engine.cluster.api().schema();
    let Some(ty) = type_at(engine, schema, &cursor) else {
        // Without a kind, what every object begins with.
        let first = ["apiVersion", "kind", "metadata", "spec"];
        return first
            .map(|it| Completion { label: it.to_owned(), apply: format!("{it}: "), ..Completion::default() })
            .into();
    };
    match &cursor.key {
        Some(key) => values(schema, ty, key),
        None => keys(engine, ty, &cursor.siblings),
    }
}

/// What the field under the cursor is.
pub fn hover(engine: &Engine, text: &str, line: u32, column: u32) -> Option<String> {
    let current = text.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    let colon = current.find(':').filter(|it| usize::try_from(column).is_ok_and(|column| column <= *it))?;
    let end = u32::try_from(current.get(..colon)?.chars().count()).ok()?;
    let cursor = cursor::at(text, line, end)?;
    let schema = engine.cluster.api().schema();
    let Type::Struct(parent) = schema.ty(type_at(engine, schema, &cursor)?) else { return None };
    let field = parent.field(&cursor.word)?;
    let path = cursor.path.iter().map(String::as_str).chain([field.name.as_str()]).collect::<Vec<_>>();
    let path = path.join(".").replace(".[]", "[]");
    let required = if field.required { ", required" } else { "" };
    let described = engine.cluster.api().description(&parent.name, &field.name).map(|it| format!("\n{it}"));
    let described = described.unwrap_or_default();
    Some(format!("{path}\n{}{required}, in {}{described}", type_name(schema, field.ty), parent.go_name()))
}

/// The struct or map whose keys the cursor writes.
fn type_at(engine: &Engine, schema: &Schema, cursor: &Cursor) -> Option<TypeId> {
    let kind = engine.cluster.api().registry().by_kind(&cursor.api_version, &cursor.kind)?;
    let begin = schema.definition(kind.definition)?;
    cursor.path.iter().try_fold(begin, |ty, step| match (schema.ty(ty), step.as_str()) {
        (Type::List(it), "[]") => Some(it.item),
        (_, step) => schema.child(ty, step),
    })
}

fn keys(engine: &Engine, ty: TypeId, siblings: &[String]) -> Vec<Completion> {
    let api = engine.cluster.api();
    let schema = api.schema();
    let Type::Struct(it) = schema.ty(ty) else { return Vec::new() };
    let free = it.in_order().filter(|it| !siblings.iter().any(|sibling| *sibling == *it.name));
    free.map(|field| key(schema, field, api.description(&it.name, &field.name))).collect()
}

fn key(schema: &Schema, field: &Field, described: Option<&str>) -> Completion {
    let is_nested = matches!(schema.ty(field.ty), Type::Struct(_) | Type::Map(_) | Type::List(_));
    Completion {
        label: field.name.to_string(),
        detail: type_name(schema, field.ty),
        info: [field.required.then_some("Required."), described].into_iter().flatten().collect::<Vec<_>>().join(" "),
        apply: format!("{}{}", field.name, if is_nested { ":" } else { ": " }),
    }
}

fn values(schema: &Schema, parent: TypeId, key: &str) -> Vec<Completion> {
    let Type::Struct(it) = schema.ty(parent) else { return Vec::new() };
    let Some(field) = it.field(key) else { return Vec::new() };
    let known = VALUES.iter().find(|(of, name, _)| *name == key && (of.is_empty() || *of == it.go_name()));
    let found: &[&str] = match (known, schema.ty(field.ty)) {
        (Some((_, _, values)), _) => values,
        (None, Type::Bool) => &["true", "false"],
        _ => &[],
    };
    found.iter().map(|it| Completion { label: (*it).to_owned(), ..Completion::default() }).collect()
}

/// Kinds, or group-versions, of everything that is served.
fn kinds(engine: &Engine, cursor: &Cursor) -> Vec<Completion> {
    let is_kind = cursor.key.as_deref() == Some("kind");
    let all = engine.cluster.api().registry().all();
    let fitting = all.filter(|it| {
        let given = if is_kind { &cursor.api_version } else { &cursor.kind };
        given.is_empty() || if is_kind { it.api_version() == *given } else { *it.kind == **given }
    });
    let mut found: Vec<Completion> = fitting
        .map(|it| {
            let (label, detail) =
                if is_kind { (it.kind.to_string(), it.api_version()) } else { (it.api_version(), String::new()) };
            Completion { label, detail, ..Completion::default() }
        })
        .collect();
    found.sort_by(|a, b| a.label.cmp(&b.label));
    found.dedup_by(|a, b| a.label == b.label);
    found
}

/// As `kubectl explain` has it: `integer`, `[]Container`, `map[string]string`.
fn type_name(schema: &Schema, ty: TypeId) -> String {
    match schema.ty(ty) {
        Type::Any => "Object".to_owned(),
        Type::Bool => "boolean".to_owned(),
        Type::Int32 | Type::Int64 => "integer".to_owned(),
        Type::Number => "number".to_owned(),
        Type::Str | Type::Bytes | Type::Time | Type::MicroTime => "string".to_owned(),
        Type::Quantity => "Quantity".to_owned(),
        Type::IntOrString => "IntOrString".to_owned(),
        Type::Map(it) => format!("map[string]{}", type_name(schema, it.item)),
        Type::List(it) => format!("[]{}", type_name(schema, it.item)),
        Type::Struct(it) => it.go_name().to_owned(),
    }
}
