//! The tree itself and the ways to read and change it.

use crate::str::position_of;
use crate::{List, Map, Str};

/// One node of a tree. Cloning is at most a counter.
///
/// A number that is no 64-bit integer is kept as its text (`Decimal`): the engine has no floats.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Decimal(Str),
    Str(Str),
    List(List),
    Map(Map),
}

/// The first key of a dotted path, and the rest.
fn split_path(path: &str) -> (&str, Option<&str>) {
    match position_of(path.as_bytes(), b'.') {
        Some(at) => (&path[..at], Some(&path[at + 1..])),
        None => (path, None),
    }
}

impl Value {
    /// The empty map.
    pub fn map() -> Value {
        Value::Map(Map::new())
    }

    /// What `encoding/json` of Go calls it in its messages.
    pub fn json_type(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Int(_) | Value::Decimal(_) => "number",
            Value::Str(_) => "string",
            Value::List(_) => "array",
            Value::Map(_) => "object",
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(it) => Some(*it),
            _ => None,
        }
    }

    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Int(it) => Some(*it),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(it) => Some(it),
            _ => None,
        }
    }

    /// The shared text, for keeping without a copy.
    pub fn as_shared_str(&self) -> Option<&Str> {
        match self {
            Value::Str(it) => Some(it),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&List> {
        match self {
            Value::List(it) => Some(it),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(it) => Some(it),
            _ => None,
        }
    }

    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match self {
            Value::Map(it) => Some(it),
            _ => None,
        }
    }

    /// The child under `key`, if this is a map that has it.
    #[inline]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// The value at a dotted path such as `spec.template.metadata`; a key with a dot needs [`Value::get`].
    pub fn at(&self, path: &'static str) -> Option<&Value> {
        self.as_map()?.at(path)
    }

    crate::readers!();

    /// A copy with `leaf` at a dotted path: new maps on the path, all else shared.
    /// What stands in the way and is no map is replaced by one.
    #[must_use]
    pub fn with(&self, path: &str, leaf: impl Into<Value>) -> Value {
        let mut res = self.clone();
        res.set(path, leaf);
        res
    }

    /// Sets `leaf` at a dotted path, making the maps on the way.
    pub fn set(&mut self, path: &str, leaf: impl Into<Value>) {
        self.set_value(path, leaf.into());
    }

    fn set_value(&mut self, path: &str, leaf: Value) {
        if !matches!(self, Value::Map(_)) {
            *self = Value::map();
        }
        let Value::Map(map) = self else { return };
        match split_path(path) {
            (key, None) => map.insert(key, leaf),
            (key, Some(rest)) if map.contains_key(key) => map.edit(key, |child| child.set_value(rest, leaf)),
            (key, Some(rest)) => {
                let mut child = Value::map();
                child.set_value(rest, leaf);
                map.insert(key, child);
            }
        }
    }

    /// Takes out what is at a dotted path; answers whether it was there.
    pub fn remove(&mut self, path: &str) -> bool {
        let Value::Map(map) = self else { return false };
        match split_path(path) {
            (key, None) => map.remove(key).is_some(),
            (key, Some(rest)) => {
                let mut removed = false;
                map.edit(key, |child| removed = child.remove(rest));
                removed
            }
        }
    }

    /// Whether both are surely equal without looking inside: the same allocation or equal scalars.
    pub fn same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Map(a), Value::Map(b)) => a.same(b),
            (Value::List(a), Value::List(b)) => a.same(b),
            (Value::Str(a), Value::Str(b)) | (Value::Decimal(a), Value::Decimal(b)) => a.same(b) || a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Null, Value::Null) => true,
            _ => false,
        }
    }
}

/// What can stand in the text of a program as a value.
pub trait Constant {
    fn value(self) -> Value;
}

impl Constant for &str {
    /// One allocation for each, as a rule.
    fn value(self) -> Value {
        Value::Str(Str::literal(self))
    }
}

impl Constant for bool {
    fn value(self) -> Value {
        Value::Bool(self)
    }
}

impl Constant for i64 {
    fn value(self) -> Value {
        Value::Int(self)
    }
}

impl From<&str> for Value {
    fn from(it: &str) -> Self {
        Value::Str(it.into())
    }
}

impl From<String> for Value {
    fn from(it: String) -> Self {
        Value::Str(it.into())
    }
}

impl From<Str> for Value {
    fn from(it: Str) -> Self {
        Value::Str(it)
    }
}

impl From<&Str> for Value {
    fn from(it: &Str) -> Self {
        Value::Str(it.clone())
    }
}

impl From<bool> for Value {
    fn from(it: bool) -> Self {
        Value::Bool(it)
    }
}

impl From<i64> for Value {
    fn from(it: i64) -> Self {
        Value::Int(it)
    }
}

impl From<i32> for Value {
    fn from(it: i32) -> Self {
        Value::Int(it.into())
    }
}

impl From<u32> for Value {
    fn from(it: u32) -> Self {
        Value::Int(it.into())
    }
}

impl From<Map> for Value {
    fn from(it: Map) -> Self {
        Value::Map(it)
    }
}

impl From<&Map> for Value {
    fn from(it: &Map) -> Self {
        Value::Map(it.clone())
    }
}

impl From<List> for Value {
    fn from(it: List) -> Self {
        Value::List(it)
    }
}

impl From<Vec<Value>> for Value {
    fn from(it: Vec<Value>) -> Self {
        Value::List(it.into())
    }
}

impl From<&Value> for Value {
    fn from(it: &Value) -> Self {
        it.clone()
    }
}
