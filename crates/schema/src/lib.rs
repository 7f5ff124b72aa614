//! What the fields of a kind are: types, list keys, and decoding with the real server's errors.
//!
//! The structure comes from a generated table; this crate knows no kind's rules.

mod convert;
mod decode;
mod stored;
mod table;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use value::{Str, Tags};

pub use self::decode::{DecodeError, Decoded, time_error};

/// The index of a type in the schema.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TypeId(u32);

/// A type of a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Type {
    /// Anything: JSON, extensions, custom resources.
    Any,
    Bool,
    Int32,
    Int64,
    Number,
    Str,
    /// Base64.
    Bytes,
    Quantity,
    IntOrString,
    Time,
    MicroTime,
    Map(MapType),
    List(ListType),
    Struct(StructType),
}

/// A map from text to values of one type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MapType {
    pub item: TypeId,
    /// Owned as a whole by server-side apply.
    pub atomic: bool,
}

/// How server-side apply sees a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ListKind {
    Atomic,
    Set,
    /// Items are told apart by these fields.
    Map(Vec<Str>),
}

/// A list of values of one type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListType {
    pub item: TypeId,
    pub kind: ListKind,
    /// Strategic merge merges items by this field, or as primitives where it is empty; `None` replaces the list.
    pub merge_key: Option<Str>,
    /// Strategic merge drops fields of an item that the patch does not retain.
    pub retain_keys: bool,
}

/// How a field is written that is absent or zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// Left out when zero (`omitempty`).
    OmitEmpty,
    /// A pointer: left out when absent, kept when zero.
    Pointer,
    /// A struct value: always written, as `{}`, `null` for times, `"0"` for quantities.
    Value,
    /// A struct value that is left out when it is zero (`omitzero`).
    OmitZero,
    /// Written even when zero: `""`, `0`, `null` for lists.
    Always,
}

/// A field of a struct.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    pub name: Str,
    pub ty: TypeId,
    pub presence: Presence,
    pub required: bool,
    /// Strategic merge retains only what the patch names.
    pub retain_keys: bool,
    /// The number in protobuf; more than one where it is within messages of its own; 0 for none.
    pub number: [u8; 3],
}

/// A struct with named fields.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StructType {
    /// The definition's full name, such as `io.k8s.api.core.v1.Container`.
    pub name: Str,
    /// Sorted by name.
    pub fields: Vec<Field>,
    /// Of the fields' names.
    tags: Tags,
    /// Places in `fields`, in the order in which they are declared and written.
    pub order: Vec<u16>,
    /// Owned as a whole by server-side apply.
    pub atomic: bool,
}

impl StructType {
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.tags.find(name, |idx| &self.fields[idx].name).and_then(|idx| self.fields.get(idx))
    }

    /// The fields in the order in which Go writes them.
    pub fn in_order(&self) -> impl Iterator<Item = &Field> {
        self.order.iter().filter_map(|it| self.fields.get(usize::from(*it)))
    }

    /// The Go type's name: the last part.
    pub fn go_name(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or("")
    }
}

/// All types.
#[derive(Clone, Debug)]
pub struct Schema {
    types: Vec<Type>,
    /// Definitions by their full names.
    definitions: BTreeMap<Str, TypeId>,
}

impl Schema {
    /// The types of Kubernetes 1.36 and of `sim.drydock.dev`.
    pub fn load() -> Schema {
        table::load()
    }

    /// The same, made once for all.
    pub fn shared() -> &'static Arc<Schema> {
        static SHARED: OnceLock<Arc<Schema>> = OnceLock::new();
        SHARED.get_or_init(|| Arc::new(Schema::load()))
    }

    /// A definition by its full name, such as `io.k8s.api.apps.v1.DaemonSet`.
    pub fn definition(&self, name: &str) -> Option<TypeId> {
        self.definitions.get(name).copied()
    }

    /// Every definition's name and type, sorted.
    pub fn definitions(&self) -> impl Iterator<Item = (&Str, TypeId)> {
        self.definitions.iter().map(|(name, ty)| (name, *ty))
    }

    pub fn ty(&self, id: TypeId) -> &Type {
        self.types.get(id.0 as usize).unwrap_or(&Type::Any)
    }

    /// The type of a field or of a map's values.
    pub fn child(&self, id: TypeId, key: &str) -> Option<TypeId> {
        match self.ty(id) {
            Type::Struct(it) => it.field(key).map(|it| it.ty),
            Type::Map(it) => Some(it.item),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
