//! A tree without the items of a set (`typed/remove.go`).

use schema::{ListKind, ListType, Schema, TypeId};
use value::{List, Map, Str, Value};

use crate::fields::{child, has, has_children};
use crate::memo::element;
use crate::shape::{Shape, element_of};

/// What is owned as a whole and is to lose a part of itself becomes null, as does what loses everything.
pub(super) fn remove(schema: &Schema, ty: Option<TypeId>, value: &Value, set: &Map) -> Value {
    if set.is_empty() {
        return value.clone();
    }
    let shape = Shape::of(schema, ty);
    match (shape, value) {
        (Shape::List(it), Value::List(list)) if it.kind != ListKind::Atomic => items(schema, it, list, set),
        (Shape::Struct(_) | Shape::Map(..) | Shape::Deduced, Value::Map(map)) if !shape.is_leaf() => {
            fields(schema, shape, map, set)
        }
        (Shape::List(_) | Shape::Struct(_) | Shape::Map(..), _) => Value::Null,
        (Shape::Deduced | Shape::Whole, Value::Map(_) | Value::List(_)) => Value::Null,
        _ => value.clone(),
    }
}

fn fields(schema: &Schema, shape: Shape<'_>, map: &Map, set: &Map) -> Value {
    let mut res: Vec<(Str, Value)> = Vec::with_capacity(map.len());
    for (name, value) in map.iter() {
        let element = element(name);
        if has(set, &element) {
            continue;
        }
        let value = match child(set, &element).filter(|it| has_children(it)) {
            Some(below) => remove(schema, shape.field(name).flatten(), value, below),
            None => value.clone(),
        };
        res.push((name.clone(), value));
    }
    if res.is_empty() { Value::Null } else { Value::Map(res.into()) }
}

fn items(schema: &Schema, it: &ListType, list: &List, set: &Map) -> Value {
    let mut res = Vec::with_capacity(list.len());
    for item in list {
        let Ok(element) = element_of(schema, it, item) else {
            res.push(item.clone());
            continue;
        };
        if has(set, &element) {
            continue;
        }
        res.push(match child(set, &element).filter(|it| has_children(it)) {
            Some(below) => remove(schema, Some(it.item), item, below),
            None => item.clone(),
        });
    }
    if res.is_empty() { Value::Null } else { res.into() }
}
