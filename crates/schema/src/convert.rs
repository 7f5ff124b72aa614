//! Why a tree does not become a typed object, in the words of the converter that strategic merge patches go through
//! (`runtime.DefaultUnstructuredConverter`).

use value::{List, Map, Value};

use crate::{Schema, StructType, Type, TypeId};

impl Schema {
    /// The first value that does not fit its type, fields in the order of their declaration.
    pub fn conversion_problem(&self, ty: TypeId, value: &Value) -> Option<String> {
        self.convert(ty, value, ("", ""))
    }

    /// `place`: the struct and its field, for types that have names of their own there.
    fn convert(&self, ty: TypeId, value: &Value, place: (&str, &str)) -> Option<String> {
        match (self.ty(ty), value) {
            (Type::Any, _) | (_, Value::Null) => None,
            (Type::Struct(it), Value::Map(map)) => self.convert_struct(it, map),
            (Type::Struct(_), _) => Some(format!("cannot restore struct from: {}", go_kind(value))),
            (Type::Map(it), Value::Map(map)) => map.values().find_map(|value| self.convert(it.item, value, place)),
            (Type::Map(_), _) => Some(format!("cannot restore map from {}", go_kind(value))),
            (Type::List(it), Value::List(list)) => self.convert_list(it.item, list, place),
            (Type::List(_), _) => Some(format!("cannot restore slice from {}", go_kind(value))),
            (Type::Bytes, Value::Str(text)) => value::base64::decode(text)
                .err()
                .map(|at| format!("error decoding from json: illegal base64 data at input byte {at}")),
            (Type::Bytes, _) => Some(format!("cannot restore slice from {}", go_kind(value))),
            // They read JSON themselves.
            (Type::Quantity | Type::IntOrString | Type::Time | Type::MicroTime, _) => {
                self.decode(ty, value).err().map(|it| it.0)
            }
            _ => self.convert_scalar(ty, value, place),
        }
    }

    fn convert_struct(&self, it: &StructType, map: &Map) -> Option<String> {
        let owner = it.go_name();
        it.in_order().find_map(|field| self.convert(field.ty, map.get(&field.name)?, (owner, &field.name)))
    }

    fn convert_list(&self, item: TypeId, list: &List, place: (&str, &str)) -> Option<String> {
        list.iter().find_map(|value| self.convert(item, value, place))
    }

    /// Go converts numbers among themselves, and takes a number for a character where a text is wanted, which JSON does not.
    fn convert_scalar(&self, ty: TypeId, value: &Value, (owner, field): (&str, &str)) -> Option<String> {
        let kind = match self.ty(ty) {
            Type::Bool => "bool",
            Type::Int32 => "int32",
            Type::Int64 => "int64",
            Type::Number => "float64",
            _ => "string",
        };
        let is_whole = |text: &str| text.split_once('.').is_none_or(|(_, it)| it.bytes().all(|it| it == b'0'));
        let fits = match (kind, value) {
            ("bool", Value::Bool(_)) | ("string", Value::Str(_)) => true,
            ("int32" | "int64" | "float64", Value::Int(_)) | ("float64", Value::Decimal(_)) => true,
            ("int32" | "int64", Value::Decimal(text)) => is_whole(text),
            _ => false,
        };
        if fits {
            return None;
        }
        let is_convertible =
            matches!((kind, value), ("string", Value::Int(_)) | ("int32" | "int64", Value::Decimal(_)));
        Some(match is_convertible {
            true => format!("cannot convert {} to {}", go_kind(value), self.type_at(ty, owner, field)),
            false => format!("unrecognized type: {kind}"),
        })
    }
}

fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Decimal(_) => "float64",
        Value::Str(_) => "string",
        Value::List(_) => "slice",
        Value::Map(_) => "map",
    }
}
