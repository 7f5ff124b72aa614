//! How server-side apply sees a type.

use schema::{ListKind, ListType, Schema, StructType, Type, TypeId};
use value::{Str, Value};

use crate::fields::{key_text, value_text};

/// A type, as far as ownership of fields is concerned.
#[derive(Clone, Copy)]
pub(crate) enum Shape<'s> {
    /// Nothing is known: maps are owned field by field, the rest as a whole.
    Deduced,
    /// Anything, owned as a whole.
    Whole,
    Text,
    Bool,
    Number,
    /// A scalar of any type.
    Scalar,
    Struct(&'s StructType),
    /// A map with free keys, its items' type, and whether it is owned as a whole.
    Map(TypeId, bool),
    List(&'s ListType),
}

impl<'s> Shape<'s> {
    pub fn of(schema: &'s Schema, ty: Option<TypeId>) -> Shape<'s> {
        let Some(ty) = ty else { return Shape::Deduced };
        match schema.ty(ty) {
            Type::Any => Shape::Whole,
            Type::Bool => Shape::Bool,
            Type::Str | Type::Bytes => Shape::Text,
            Type::Int32 | Type::Int64 | Type::Number => Shape::Number,
            Type::Quantity | Type::IntOrString | Type::Time | Type::MicroTime => Shape::Scalar,
            Type::Map(it) => Shape::Map(it.item, it.atomic),
            Type::List(it) => Shape::List(it),
            Type::Struct(it) => Shape::Struct(it),
        }
    }

    /// Whether a value is owned as a whole, whatever is in it.
    pub fn is_leaf(&self) -> bool {
        match self {
            Shape::Struct(it) => it.atomic,
            Shape::Map(_, atomic) => *atomic,
            Shape::List(it) => it.kind == ListKind::Atomic,
            Shape::Deduced => false,
            Shape::Whole | Shape::Text | Shape::Bool | Shape::Number | Shape::Scalar => true,
        }
    }

    /// The type of a field; the inner `None` is a deduced one.
    pub fn field(&self, name: &str) -> Option<Option<TypeId>> {
        match self {
            Shape::Struct(it) => it.field(name).map(|it| Some(it.ty)),
            Shape::Map(item, _) => Some(Some(*item)),
            Shape::Deduced => Some(None),
            _ => None,
        }
    }
}

/// Why an item has no element.
pub(crate) enum Unnamed {
    NullItem,
    NoMap,
    NoKeys,
    /// In a set.
    IsMap,
    IsList,
    IsNull,
}

/// The element that tells an item of a list from others: `k:{"name":"web"}` or `v:"a"`.
pub(crate) fn element_of(schema: &Schema, list: &ListType, item: &Value) -> Result<Str, Unnamed> {
    match (&list.kind, item) {
        (ListKind::Map(keys), Value::Map(map)) => {
            let mut entries: Vec<(&str, Value)> = Vec::with_capacity(keys.len());
            for key in keys {
                match map.get(key) {
                    Some(value) => entries.push((key, value.clone())),
                    None => entries.extend(default_of(schema, list.item, key).map(|it| (key.as_str(), it))),
                }
            }
            entries.sort_by_key(|it| it.0);
            if entries.is_empty() { Err(Unnamed::NoKeys) } else { Ok(key_text(&entries)) }
        }
        (ListKind::Map(_), Value::Null) => Err(Unnamed::NullItem),
        (ListKind::Map(_), _) => Err(Unnamed::NoMap),
        (_, Value::Map(_)) => Err(Unnamed::IsMap),
        (_, Value::List(_)) => Err(Unnamed::IsList),
        (_, Value::Null) => Err(Unnamed::IsNull),
        _ => Ok(value_text(item)),
    }
}

/// What the API's description names as the default of a key.
fn default_of(schema: &Schema, item: TypeId, key: &str) -> Option<Value> {
    let Type::Struct(it) = schema.ty(item) else { return None };
    match (it.go_name(), key) {
        ("ContainerPort" | "ServicePort", "protocol") => return Some("TCP".into()),
        ("LocalObjectReference", "name") => return Some("".into()),
        _ => (),
    }
    let field = it.field(key)?;
    if field.presence != schema::Presence::Always {
        return None;
    }
    match schema.ty(field.ty) {
        Type::Str => Some("".into()),
        Type::Int32 | Type::Int64 => Some(0.into()),
        _ => None,
    }
}
