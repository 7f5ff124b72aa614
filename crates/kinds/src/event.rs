//! Event, of the core group and of `events.k8s.io`. Follows `pkg/apis/core/validation/events.go`.

use meta::{Errors, Object, names};
use value::{Map, Str, Value, time};

use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, has, int, named, opt_int, text};
use crate::{Column, Context, Kind, Scope, SelectableField, Served, Strategy, columns, path_segment_name};

const TEXT_MAX: usize = 128;
const NOTE_MAX: usize = 1024;
/// Names in the core group and in `events.k8s.io`.
const RENAMED: [(&str, &str); 7] = [
    ("count", "deprecatedCount"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("involvedObject", "regarding"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
];

pub(crate) const KIND: Kind = Kind {
    short_names: &["ev"],
    definition: "io.k8s.api.core.v1.Event",
    also_served: &[Served {
        group: "events.k8s.io",
        version: "v1",
        definition: "io.k8s.api.events.v1.Event",
        renamed_fields: RENAMED_SELECTABLE,
        to: to_events,
        from: from_events,
        validate: |new, old, errors| match old {
            None => validate_new(new, errors),
            Some(old) => validate_change(new, old, errors),
        },
    }],
    columns: || COLUMNS,
    selectable_fields: SELECTABLE,
    strategy: Strategy {
        validate,
        validate_update: |new, _, errors| validate(new, errors),
        validate_name: path_segment_name,
        create_on_update: true,
        known_finalizers: false,
        metadata_checks: 0,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Namespaced, "", "v1", "Event", "events")
};

fn to_events(it: &Object) -> Object {
    let renamed = |key: &Str| {
        RENAMED.iter().find(|(core, _)| *key == *core).map_or_else(|| key.clone(), |(_, own)| Str::literal(own))
    };
    // There these are left out when empty.
    let shown =
        |key: &Str, value: &Value| !key.starts_with("reporting") || value.as_str().is_some_and(|it| !it.is_empty());
    let body = it.body.iter().map(|(key, value)| (renamed(key), value.clone())).filter(|(k, v)| shown(k, v)).collect();
    Object { kind: it.kind, meta: it.meta.clone(), body }
}

fn from_events(it: &Object) -> Object {
    let mut res = it.clone();
    for (core, own) in RENAMED {
        if let Some(value) = res.body.remove(own) {
            res.body.insert(core, value);
        }
    }
    for key in ["reportingComponent", "reportingInstance"] {
        res.body.set_default(key, "");
    }
    res
}

fn shared(it: &Object, path: &'static str) -> Str {
    it.at(path).and_then(Value::as_shared_str).cloned().unwrap_or_default()
}

const SELECTABLE: &[SelectableField] = &[
    SelectableField { name: "involvedObject.kind", read: |it| shared(it, "involvedObject.kind") },
    SelectableField { name: "involvedObject.namespace", read: |it| shared(it, "involvedObject.namespace") },
    SelectableField { name: "involvedObject.name", read: |it| shared(it, "involvedObject.name") },
    SelectableField { name: "involvedObject.uid", read: |it| shared(it, "involvedObject.uid") },
    SelectableField { name: "involvedObject.apiVersion", read: |it| shared(it, "involvedObject.apiVersion") },
    SelectableField { name: "involvedObject.resourceVersion", read: |it| shared(it, "involvedObject.resourceVersion") },
    SelectableField { name: "involvedObject.fieldPath", read: |it| shared(it, "involvedObject.fieldPath") },
    SelectableField { name: "reason", read: |it| shared(it, "reason") },
    SelectableField { name: "reportingComponent", read: |it| shared(it, "reportingComponent") },
    SelectableField { name: "source", read: |it| source(it).into() },
    SelectableField { name: "type", read: |it| shared(it, "type") },
];

const RENAMED_SELECTABLE: &[(&str, &str)] = &[
    ("regarding.kind", "involvedObject.kind"),
    ("regarding.namespace", "involvedObject.namespace"),
    ("regarding.name", "involvedObject.name"),
    ("regarding.uid", "involvedObject.uid"),
    ("regarding.apiVersion", "involvedObject.apiVersion"),
    ("regarding.resourceVersion", "involvedObject.resourceVersion"),
    ("regarding.fieldPath", "involvedObject.fieldPath"),
    ("reportingController", "reportingComponent"),
    ("", "source"),
];

fn source(it: &Object) -> &str {
    first(text(child_or_empty(&it.body, "source"), "component"), text(&it.body, "reportingComponent"))
}

fn first<'a>(a: &'a str, b: &'a str) -> &'a str {
    if a.is_empty() { b } else { a }
}

const COLUMNS: &[Column] = &[
    columns::text("Last Seen", "When it happened last.", |it, cx| last_seen(it, cx).into()),
    columns::text("Type", "Normal or Warning.", |it, _| columns::string(it, "type")),
    columns::text("Reason", "Why, in one word.", |it, _| columns::string(it, "reason")),
    columns::text("Object", "What it is about.", |it, _| object(it).into()),
    columns::wide(columns::text("Subobject", "Which part of the object.", |it, _| {
        columns::string(it, "involvedObject.fieldPath")
    })),
    columns::wide(columns::text("Source", "Who says so.", |it, _| {
        let host = text(child_or_empty(&it.body, "source"), "host");
        match (source(it), first(host, text(&it.body, "reportingInstance"))) {
            (component, "") => component.into(),
            (component, instance) => format!("{component}, {instance}").into(),
        }
    })),
    columns::text("Message", "What happened.", |it, _| text(&it.body, "message").trim().into()),
    columns::wide(columns::text("First Seen", "When it happened first.", |it, cx| first_seen(it, cx).into())),
    columns::wide(columns::text("Count", "How often it happened.", |it, _| {
        match (series(it), int(&it.body, "count")) {
            (Some(series), _) => int(series, "count").into(),
            (None, 0) => 1.into(),
            (None, count) => count.into(),
        }
    })),
    columns::wide(columns::name()),
];

fn series(it: &Object) -> Option<&Map> {
    child(&it.body, "series")
}

fn first_seen(it: &Object, cx: &Context) -> String {
    columns::since(it.str_at("firstTimestamp").or(it.str_at("eventTime")), cx)
}

fn last_seen(it: &Object, cx: &Context) -> String {
    match (series(it), it.str_at("lastTimestamp")) {
        (Some(series), _) => columns::since(series.get("lastObservedTime").and_then(Value::as_str), cx),
        (None, Some(last)) => columns::since(Some(last), cx),
        (None, None) => first_seen(it, cx),
    }
}

fn object(it: &Object) -> String {
    let about = child_or_empty(&it.body, "involvedObject");
    let kind = text(about, "kind").to_ascii_lowercase();
    match text(about, "name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    }
}

/// `legacyValidateEvent`
fn validate(it: &Object, errors: &mut Errors) {
    let about = text(child_or_empty(&it.body, "involvedObject"), "namespace");
    let namespace = it.namespace();
    let is_new = has(&it.body, "eventTime");
    let fits = match (is_new, about) {
        (false, "") => matches!(namespace, "" | "default"),
        (false, about) => about == namespace,
        (true, "") => matches!(namespace, "default" | "kube-system"),
        (true, _) => true,
    };
    if !fits {
        Path::root("involvedObject.namespace").invalid(errors, about, "does not match event.namespace");
    }
    if is_new {
        new_form(&it.body, errors);
    }
    named(namespace, names::dns_subdomain, &Path::root("namespace"), errors);
}

fn new_form(body: &Map, errors: &mut Errors) {
    let controller = text(body, "reportingComponent");
    let path = Path::root("reportingComponent");
    if controller.is_empty() {
        path.required(errors, "");
    }
    named(controller, names::qualified_name, &path, errors);
    for (key, max) in
        [("reportingInstance", TEXT_MAX), ("action", TEXT_MAX), ("reason", TEXT_MAX), ("message", NOTE_MAX)]
    {
        let (text, path) = (text(body, key), Path::root(key));
        if text.is_empty() && key != "message" {
            path.required(errors, "");
        }
        if text.len() > max {
            path.invalid(errors, "", &format!("can have at most {max} characters"));
        }
    }
}

/// What `events.k8s.io` asks of a new event besides.
fn validate_new(it: &Object, errors: &mut Errors) {
    validate_series(it, errors);
    if !has(&it.body, "eventTime") {
        Path::root("eventTime").required(errors, "");
    }
    let kind = text(&it.body, "type");
    if !matches!(kind, "Normal" | "Warning") {
        Path::root("type").invalid(errors, "", &format!("has invalid value: {kind}"));
    }
    let source = child_or_empty(&it.body, "source");
    let set = [
        ("firstTimestamp", has(&it.body, "firstTimestamp")),
        ("lastTimestamp", has(&it.body, "lastTimestamp")),
        ("count", int(&it.body, "count") != 0),
        ("source", !text(source, "component").is_empty() || !text(source, "host").is_empty()),
    ];
    for (key, _) in set.into_iter().filter(|(_, set)| *set) {
        Path::root(key).invalid(errors, "", "needs to be unset");
    }
}

fn validate_series(it: &Object, errors: &mut Errors) {
    let Some(series) = series(it) else { return };
    if int(series, "count") < 2 {
        Path::root("series.count").invalid(errors, "", "should be at least 2");
    }
    if !has(series, "lastObservedTime") {
        Path::root("series.lastObservedTime").required(errors, "");
    }
}

/// What `events.k8s.io` asks of a changed event besides.
fn validate_change(new: &Object, old: &Object, errors: &mut Errors) {
    let value = |it: &Object, key: &str| it.body.get(key).cloned().unwrap_or_default();
    if value(new, "series") != value(old, "series") {
        validate_series(new, errors);
    }
    const FIXED: [(&str, &str); 14] = [
        ("involvedObject", "involvedObject"),
        ("reason", "reason"),
        ("message", "message"),
        ("source", "source"),
        ("firstTimestamp", "firstTimestamp"),
        ("lastTimestamp", "lastTimestamp"),
        ("count", "count"),
        ("reason", "reason"),
        ("type", "type"),
        ("eventTime", "eventTime"),
        ("action", "action"),
        ("related", "related"),
        ("reportingComponent", "reportingController"),
        ("reportingInstance", "reportingInstance"),
    ];
    for (key, shown) in FIXED {
        let (now, before) = (value(new, key), value(old, key));
        let same = match key {
            "count" => opt_int(&new.body, key).unwrap_or(0) == opt_int(&old.body, key).unwrap_or(0),
            "eventTime" => micros(&now) == micros(&before),
            _ => now == before,
        };
        if !same {
            Path::root(shown).invalid(errors, now, "field is immutable");
        }
    }
}

fn micros(it: &Value) -> Option<u64> {
    it.as_str().and_then(time::parse_nanos).map(|it| it / 1000)
}
