//! JSON in the order of the fields that the real server writes: kind and version first, then metadata, then the rest.

use value::{Map, Str, Value, json, yaml};

use crate::negotiate::Format;

/// The order of keys where it is not the alphabet's, by the key under which the map, or the list of maps, stands.
const ORDERS: &[(&str, &[&str])] = &[
    ("causes", &["reason", "message", "field"]),
    ("columnDefinitions", &["name", "type", "format", "description", "priority"]),
    ("conditions", &["type", "status", "lastTransitionTime", "reason", "message"]),
    ("details", &["name", "group", "kind", "uid", "causes", "retryAfterSeconds"]),
    ("groups", &["name", "versions", "preferredVersion"]),
    ("items", OBJECT),
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
    ("object", OBJECT),
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

/// Of a whole object, a list, a status, a table, a discovery document.
const OBJECT: &[&str] = &[
    "kind",
    "apiVersion",
    "groupVersion",
    "metadata",
    "immutable",
    "spec",
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

/// Entries in `order`, then those that it does not name.
fn ordered(map: &Map, order: Order) -> impl Iterator<Item = (&str, &Value)> {
    let named = order.iter().filter_map(|key| map.get(key).map(|value| (*key, value)));
    let others = map.iter().map(|(key, value)| (Str::as_str(key), value)).filter(|(key, _)| !order.contains(key));
    named.chain(others)
}

/// Appends an object: compact.
pub(crate) fn write(value: &Value, out: &mut Vec<u8>) {
    Writer { pretty: false, depth: 0, out }.value(value, Some(OBJECT));
}

/// Appends an object for people: each step in is two spaces.
pub(crate) fn write_pretty(value: &Value, out: &mut Vec<u8>) {
    Writer { pretty: true, depth: 0, out }.value(value, Some(OBJECT));
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
    }
    out
}

struct Writer<'a> {
    pretty: bool,
    depth: usize,
    out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    /// `order` of `None`: nothing within has an order of its own.
    fn value(&mut self, value: &Value, order: Option<Order>) {
        match (value, order) {
            (_, None) if !self.pretty => json::write(value, self.out),
            (Value::List(items), _) if !items.is_empty() => {
                self.out.push(b'[');
                self.depth += 1;
                for (idx, item) in items.iter().enumerate() {
                    self.next(idx);
                    self.value(item, order);
                }
                self.end(b']');
            }
            (Value::Map(map), _) if !map.is_empty() => {
                self.out.push(b'{');
                self.depth += 1;
                for (idx, (key, value)) in ordered(map, order.unwrap_or_default()).enumerate() {
                    self.next(idx);
                    json::write_str(key, self.out);
                    self.out.extend_from_slice(if self.pretty { b": " } else { b":" });
                    self.value(value, order.and_then(|_| order_of(key)));
                }
                self.end(b'}');
            }
            _ => json::write(value, self.out),
        }
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
