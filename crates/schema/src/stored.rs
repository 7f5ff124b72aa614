//! What the real server's storage makes of a value.

use value::{Map, Value};

use crate::{Presence, Schema, Type, TypeId};

impl Schema {
    /// Lists that are written even when empty come back from storage as null: its encoding cannot tell the two apart.
    /// Others that are empty come back not at all.
    /// Shares what needs no change.
    pub fn stored(&self, ty: TypeId, value: &Value) -> Value {
        let mut res = value.clone();
        match (self.ty(ty), &mut res) {
            (Type::Struct(_) | Type::Map(_), Value::Map(map)) => *map = self.stored_map(ty, map),
            (Type::List(it), Value::List(list)) => list.edit_each(&mut |_, item| *item = self.stored(it.item, item)),
            _ => (),
        }
        res
    }

    fn stored_map(&self, ty: TypeId, map: &Map) -> Map {
        let mut res = map.clone();
        for (name, value) in map.iter() {
            let presence = match self.ty(ty) {
                Type::Struct(it) => it.field(name).map(|it| it.presence),
                _ => None,
            };
            let is_always = presence == Some(Presence::Always);
            let is_empty = value.as_list().is_some_and(|it| it.is_empty());
            let Some(child) = self.child(ty, name) else { continue };
            let is_none = match self.ty(child) {
                Type::Map(_) => value.as_map().is_some_and(Map::is_empty),
                Type::List(_) => is_empty,
                _ => false,
            };
            if is_none && presence == Some(Presence::OmitEmpty) {
                res.remove(name);
                continue;
            }
            let new = if is_always && is_empty { Value::Null } else { self.stored(child, value) };
            if !new.same(value) {
                res.insert(name, new);
            }
        }
        res
    }
}
