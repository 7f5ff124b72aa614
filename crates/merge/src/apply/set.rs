//! The fields that a configuration names (`typed/tofieldset.go`).

use std::collections::BTreeMap;

use schema::{ListKind, ListType, Schema, TypeId};
use value::{List, Map, Str, Value};

use crate::fields::{has, leaf, node};
use crate::memo::element;
use crate::shape::{Shape, element_of};

/// The set of a whole tree.
pub(super) fn set_of(schema: &Schema, ty: Option<TypeId>, value: &Value) -> Map {
    walk(schema, ty, value, false).unwrap_or_default()
}

/// `member`: whether the place itself belongs to the set whatever is in it.
fn walk(schema: &Schema, ty: Option<TypeId>, value: &Value, member: bool) -> Option<Map> {
    let shape = Shape::of(schema, ty);
    if shape.is_leaf() {
        return Some(Map::new());
    }
    match (shape, value) {
        (Shape::List(it), Value::List(list)) => node(member, items(schema, it, list)),
        (Shape::List(_), _) => member.then(Map::new),
        (_, Value::Map(map)) => {
            let mut res: Vec<(Str, Value)> = Vec::with_capacity(map.len());
            for (name, value) in map.iter() {
                let Some(ty) = shape.field(name) else { continue };
                let is_bare = value.is_null() || value.as_map().is_some_and(|it| it.is_empty());
                let is_free = !matches!(shape, Shape::Struct(_));
                if let Some(child) = walk(schema, ty, value, is_bare || is_free) {
                    res.push((element(name), Value::Map(child)));
                }
            }
            node(member, res)
        }
        (Shape::Deduced, Value::Null) => member.then(Map::new),
        (Shape::Deduced, _) => Some(Map::new()),
        _ => member.then(Map::new),
    }
}

fn items(schema: &Schema, it: &ListType, list: &List) -> Vec<(Str, Value)> {
    let mut seen: BTreeMap<Str, (&Value, bool)> = BTreeMap::new();
    for item in list {
        if let Ok(element) = element_of(schema, it, item) {
            seen.entry(element).and_modify(|it| it.1 = true).or_insert((item, false));
        }
    }
    let child = |item: &Value, repeats: bool| {
        if repeats { leaf() } else { walk(schema, Some(it.item), item, true).map_or_else(leaf, Value::Map) }
    };
    seen.into_iter().map(|(element, (item, repeats))| (element, child(item, repeats))).collect()
}

/// The set with every field of a struct as a member that has members below it (`EnsureNamedFieldsAreMembers`).
pub(super) fn with_named(schema: &Schema, ty: Option<TypeId>, set: &Map) -> Map {
    let shape = Shape::of(schema, ty);
    let mut res: Vec<(Str, Value)> = Vec::with_capacity(set.len());
    for (key, below) in set.iter() {
        let Some(below_map) = below.as_map().filter(|it| key != "." && !it.is_empty()) else {
            res.push((key.clone(), below.clone()));
            continue;
        };
        let (named, ty) = match (key.strip_prefix("f:"), shape) {
            (Some(name), _) => (matches!(shape, Shape::Struct(it) if it.field(name).is_some()), shape.field(name)),
            (None, Shape::List(it)) if it.kind != ListKind::Atomic => (false, Some(Some(it.item))),
            _ => (false, None),
        };
        let children = with_named(schema, ty.flatten(), below_map);
        let member = named || has(set, key);
        let children = children.iter().filter(|(key, _)| *key != ".").map(|(k, v)| (k.clone(), v.clone())).collect();
        res.extend(node(member, children).map(|it| (key.clone(), Value::Map(it))));
    }
    res.into()
}
