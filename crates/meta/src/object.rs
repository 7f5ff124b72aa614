//! One stored object.

use value::{Map, Str, Value, find_by};

use crate::{Key, KindId, Metadata};

/// An object of any kind: typed metadata and a tree for the rest.
///
/// Once it is in an `Arc` it never changes. `body` holds everything but `apiVersion`, `kind` and `metadata`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Object {
    pub kind: KindId,
    pub meta: Metadata,
    pub body: Map,
}

impl Object {
    /// Splits a whole tree into metadata and body.
    pub fn from_map(kind: KindId, whole: &Map) -> Object {
        let meta = whole.get("metadata").and_then(Value::as_map).map(Metadata::from_map).unwrap_or_default();
        let body = whole.filtered(|key, _| !matches!(key, "apiVersion" | "kind" | "metadata"));
        Object { kind, meta, body }
    }

    /// The whole tree as the API shows it under `api_version` and `kind`. The body's subtrees are shared.
    pub fn to_value(&self, api_version: &str, kind: &str) -> Value {
        let mut entries: Vec<(Str, Value)> = Vec::with_capacity(self.body.len() + 3);
        entries.push(("apiVersion".into(), api_version.into()));
        entries.push(("kind".into(), kind.into()));
        entries.push(("metadata".into(), Value::Map(self.meta.to_map())));
        entries.extend(self.body.iter().map(|(key, value)| (key.clone(), value.clone())));
        Value::Map(entries.into())
    }

    pub fn key(&self) -> Key {
        Key { namespace: self.meta.namespace.clone(), name: self.meta.name.clone() }
    }

    pub fn name(&self) -> &str {
        &self.meta.name
    }

    pub fn namespace(&self) -> &str {
        &self.meta.namespace
    }

    /// The value at a dotted path into the body, such as `spec.nodeName`.
    #[inline(always)]
    pub fn at(&self, path: &'static str) -> Option<&Value> {
        self.body.at(path)
    }

    value::readers!();

    /// Sets a value in the body.
    pub fn set(&mut self, path: &str, leaf: impl Into<Value>) {
        let mut body = Value::Map(std::mem::take(&mut self.body));
        body.set(path, leaf);
        if let Value::Map(map) = body {
            self.body = map;
        }
    }

    /// Takes a value out of the body; answers whether it was there.
    pub fn remove(&mut self, path: &str) -> bool {
        let mut body = Value::Map(std::mem::take(&mut self.body));
        let removed = body.remove(path);
        if let Value::Map(map) = body {
            self.body = map;
        }
        removed
    }

    /// The condition of a type in `status.conditions`.
    pub fn condition(&self, kind: &str) -> Option<&Value> {
        find_by(self.list_at("status.conditions"), "type", kind)
    }

    /// What that condition says: `True`, `False` or `Unknown`.
    pub fn condition_status(&self, kind: &str) -> Option<&str> {
        self.condition(kind)?.str_at("status")
    }

    /// Whether both bodies have the same fields and share all but the status, surely.
    pub fn differs_in_status_alone(&self, other: &Object) -> bool {
        self.body.len() == other.body.len()
            && self
                .body
                .iter()
                .zip(other.body.iter())
                .all(|((key, value), (other_key, other))| key == other_key && (key == "status" || value.same(other)))
    }
}
