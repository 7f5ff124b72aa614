//! JSON in the order in which the real server writes fields: that of their declaration for built-in kinds, the alphabet's for others.

use schema::{Schema, Type, TypeId};
use value::{Map, Value, json, yaml};

use crate::negotiate::Format;
use crate::protobuf;

/// The order of keys in what is no object of a kind, by the key under which the map, or the list of maps, stands.
const ORDERS: &[(&str, &[&str])] = &[
    ("causes", &["reason", "message", "field"]),
    ("columnDefinitions", &["name", "type", "format", "description", "priority"]),
    ("conditions", &["type", "status", "lastTransitionTime", "reason", "message"]),
    ("details", &["name", "group", "kind", "uid", "causes", "retryAfterSeconds"]),
    ("groups", &["name", "versions", "preferredVersion"]),
    ("managedFields", &["manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1", "subresource"]),
    (
        "metadata",
        &[
            "name",
            "generateName",
            "namespace",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "labels",
            "annotations",
            "ownerReferences",
            "finalizers",
            "managedFields",
            "continue",
            "remainingItemCount",
        ],
    ),
    ("ownerReferences", &["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"]),
    ("preferredVersion", &["groupVersion", "version"]),
    (
        "resources",
        &[
            "name",
            "singularName",
            "namespaced",
            "group",
            "version",
            "kind",
            "verbs",
            "shortNames",
            "categories",
            "storageVersionHash",
        ],
    ),
    ("rows", &["cells", "conditions", "object"]),
    ("versions", &["groupVersion", "version"]),
];

/// Of lists, statuses, tables and discovery documents.
const OBJECT: &[&str] = &[
    "kind",
    "apiVersion",
    "groupVersion",
    "metadata",
    "status",
    "message",
    "reason",
    "details",
    "code",
    "name",
    "versions",
    "preferredVersion",
    "columnDefinitions",
    "rows",
    "items",
];

type Order = &'static [&'static str];

fn order_of(key: &str) -> Option<Order> {
    ORDERS.binary_search_by_key(&key, |(it, _)| it).ok().and_then(|idx| ORDERS.get(idx)).map(|(_, order)| *order)
}

/// What is known of the order in a value.
#[derive(Clone, Copy)]
enum View {
    /// The alphabet's.
    Plain,
    /// An object, or a list of objects, that says itself what it is.
    Object,
    /// That of a type's declaration.
    Typed(TypeId),
    /// A list of objects of a type, which need not say what they are.
    ListOf(TypeId),
    Named(Order),
}

impl View {
    /// The view of a map that says what it is.
    fn of_object(map: &Map) -> View {
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        let api_version = text("apiVersion").unwrap_or_default();
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let Some(kind) = text("kind") else { return View::Named(OBJECT) };
        if group.is_empty() && (kind == "Status" || kind.starts_with("API")) || group.ends_with("discovery.k8s.io") {
            return View::Named(OBJECT);
        }
        match definition(group, version, kind) {
            Some(ty) => View::Typed(ty),
            None if let Some(ty) = kind.strip_suffix("List").and_then(|it| definition(group, version, it)) => {
                View::ListOf(ty)
            }
            None if map.contains_key("items") && !map.contains_key("spec") => View::Named(OBJECT),
            None if group == "meta.k8s.io" => View::Named(OBJECT),
            None => View::Plain,
        }
    }

    /// The view of what is under a key.
    fn below(self, key: &str) -> View {
        match self {
            View::ListOf(ty) if key == "items" => View::Typed(ty),
            View::ListOf(_) | View::Named(_) => match key {
                "items" | "object" => View::Object,
                _ => order_of(key).map_or(View::Plain, View::Named),
            },
            View::Typed(ty) => Schema::shared().child(ty, key).map_or(View::Plain, View::Typed),
            View::Plain | View::Object => View::Plain,
        }
    }
}

/// The definition of a built-in kind.
pub(crate) fn definition(group: &str, version: &str, kind: &str) -> Option<TypeId> {
    if group.is_empty() && matches!(kind, "DeleteOptions" | "Status") {
        return Schema::shared().definition(&format!("io.k8s.apimachinery.pkg.apis.meta.{version}.{kind}"));
    }
    let package = match group.split_once('.') {
        None if group.is_empty() => "core",
        None => group,
        Some((package, rest)) if rest.ends_with("k8s.io") => package,
        Some(_) => return None,
    };
    let schema = Schema::shared();
    ["io.k8s.api", "io.k8s.apiextensions-apiserver.pkg.apis", "io.k8s.kube-aggregator.pkg.apis"]
        .iter()
        .find_map(|prefix| schema.definition(&format!("{prefix}.{package}.{version}.{kind}")))
}

/// Appends an object: compact.
pub(crate) fn write(value: &Value, out: &mut Vec<u8>) {
    Writer { pretty: false, depth: 0, out }.value(value, View::Object);
}

/// Appends an object for people: each step in is two spaces.
pub(crate) fn write_pretty(value: &Value, out: &mut Vec<u8>) {
    Writer { pretty: true, depth: 0, out }.value(value, View::Object);
}

/// Appends the metadata of an object alone.
pub(crate) fn write_metadata(metadata: &Value, out: &mut Vec<u8>) {
    let view = order_of("metadata").map_or(View::Plain, View::Named);
    Writer { pretty: false, depth: 0, out }.value(metadata, view);
}

/// A patched object as upstream has it in hand when it does not fit its type:
/// what the patch changed in the order of the alphabet, all else as it was.
pub(crate) fn patched(new: &Value, old: &Value) -> String {
    let mut out = Vec::new();
    write_patched(new, Some(old), View::Object, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn write_patched(new: &Value, old: Option<&Value>, view: View, out: &mut Vec<u8>) {
    let (Value::Map(map), Some(Value::Map(before))) = (new, old) else { return json::write(new, out) };
    if map.same(before) {
        return Writer { pretty: false, depth: 0, out }.value(new, view);
    }
    let view = if matches!(view, View::Object) { View::of_object(map) } else { view };
    out.push(b'{');
    for (idx, (key, value)) in map.iter().enumerate() {
        if idx > 0 {
            out.push(b',');
        }
        json::write_str(key, out);
        out.push(b':');
        let before = before.get(key);
        match before {
            Some(it) if it.same(value) => Writer { pretty: false, depth: 0, out }.value(value, view.below(key)),
            _ => write_patched(value, before, view.below(key), out),
        }
    }
    out.push(b'}');
}

/// The bytes of an answer in a format.
pub(crate) fn render(value: &Value, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    match format {
        Format::Json => {
            write(value, &mut out);
            out.push(b'\n');
        }
        Format::Pretty => write_pretty(value, &mut out),
        Format::Yaml => out = yaml::emit(value).into_bytes(),
        // Whoever asks has looked whether there are messages.
        Format::Protobuf => out = protobuf::write(value).unwrap_or_default(),
    }
    out
}

struct Writer<'a> {
    pretty: bool,
    depth: usize,
    out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, view: View) {
        match (value, view) {
            (_, View::Plain) if !self.pretty => json::write(value, self.out),
            (Value::Map(map), View::Object) => self.value(value, View::of_object(map)),
            (Value::List(items), _) if !items.is_empty() => {
                let view = match view {
                    View::Typed(ty) => match Schema::shared().ty(ty) {
                        Type::List(it) => View::Typed(it.item),
                        // The items of a list of objects.
                        _ => view,
                    },
                    view => view,
                };
                self.out.push(b'[');
                self.depth += 1;
                for (idx, item) in items.iter().enumerate() {
                    self.next(idx);
                    self.value(item, view);
                }
                self.end(b']');
            }
            (Value::Map(map), _) if !map.is_empty() => self.map(map, view),
            _ => json::write(value, self.out),
        }
    }

    fn map(&mut self, map: &Map, view: View) {
        self.out.push(b'{');
        self.depth += 1;
        let mut n_written = 0;
        let mut entry = |writer: &mut Self, key: &str, value: &Value| {
            writer.next(n_written);
            n_written += 1;
            json::write_str(key, writer.out);
            writer.out.extend_from_slice(if writer.pretty { b": " } else { b":" });
            writer.value(value, view.below(key));
        };
        let structure = match view {
            View::Typed(ty) => match Schema::shared().ty(ty) {
                Type::Struct(it) => Some(it),
                _ => None,
            },
            _ => None,
        };
        let mut first = |key: &str| {
            if let Some(value) = map.get(key) {
                entry(self, key, value);
            }
        };
        match (view, structure) {
            (_, Some(it)) => it.in_order().for_each(|field| first(&field.name)),
            (View::Named(order), _) => order.iter().for_each(|key| first(key)),
            (View::ListOf(_), _) => OBJECT.iter().for_each(|key| first(key)),
            _ => (),
        }
        let is_named = |key: &str| match (view, structure) {
            (_, Some(it)) => it.field(key).is_some(),
            (View::Named(order), _) => order.contains(&key),
            (View::ListOf(_), _) => OBJECT.contains(&key),
            _ => false,
        };
        for (key, value) in map.iter().filter(|(key, _)| !is_named(key)) {
            entry(self, key, value);
        }
        self.end(b'}');
    }

    fn next(&mut self, idx: usize) {
        if idx > 0 {
            self.out.push(b',');
        }
        self.line();
    }

    fn end(&mut self, bracket: u8) {
        self.depth -= 1;
        self.line();
        self.out.push(bracket);
    }

    fn line(&mut self) {
        if self.pretty {
            self.out.push(b'\n');
            self.out.extend(std::iter::repeat_n(b' ', 2 * self.depth));
        }
    }
}

#[cfg(test)]
mod tests;
