//! A configuration merged into a tree (`typed/merge.go`).

use std::collections::{BTreeMap, BTreeSet};

use schema::{ListKind, ListType, Schema, TypeId};
use value::{List, Map, Str, Value};

use crate::shape::{Shape, element_of};

/// Nothing is lost: fields of `config` replace those of `live`, items are merged by their keys.
pub(super) fn merge(schema: &Schema, ty: Option<TypeId>, live: &Value, config: &Value) -> Value {
    let shape = Shape::of(schema, ty);
    match (shape, live, config) {
        _ if shape.is_leaf() => kept(live, config),
        (Shape::List(it), _, Value::List(new)) if it.kind != ListKind::Atomic => match live {
            Value::List(old) if !(old.is_empty() && new.is_empty()) => Value::List(lists(schema, it, old, new)),
            _ => config.clone(),
        },
        (Shape::List(_), Value::List(old), _) if !old.is_empty() => live.clone(),
        (Shape::Struct(_) | Shape::Map(..) | Shape::Deduced, Value::Map(old), Value::Map(new))
            if !(old.is_empty() && new.is_empty()) =>
        {
            Value::Map(maps(schema, shape, old, new))
        }
        (Shape::Struct(_) | Shape::Map(..) | Shape::Deduced, Value::Map(old), Value::Null) if !old.is_empty() => {
            live.clone()
        }
        _ => kept(live, config),
    }
}

/// The configured value; the live one where both are the same, so that it stays shared.
fn kept(live: &Value, config: &Value) -> Value {
    if live == config { live.clone() } else { config.clone() }
}

fn maps(schema: &Schema, shape: Shape<'_>, old: &Map, new: &Map) -> Map {
    let mut res = old.clone();
    for (name, value) in new.iter() {
        match old.get(name) {
            None => res.insert(name, value),
            Some(have) => {
                let merged = merge(schema, shape.field(name).flatten(), have, value);
                if !merged.same(have) {
                    res.insert(name, merged);
                }
            }
        }
    }
    res
}

/// Items of a list with the elements that tell them apart. Repeated ones have no value of their own.
struct Indexed<'a> {
    elements: Vec<(Str, &'a Value)>,
    values: BTreeMap<Str, Option<&'a Value>>,
}

impl<'a> Indexed<'a> {
    fn new(schema: &Schema, it: &ListType, list: &'a List) -> Indexed<'a> {
        let mut res = Indexed { elements: Vec::with_capacity(list.len()), values: BTreeMap::new() };
        for item in list {
            let Ok(element) = element_of(schema, it, item) else { continue };
            res.values.entry(element.clone()).and_modify(|it| *it = None).or_insert(Some(item));
            res.elements.push((element, item));
        }
        res
    }

    fn has(&self, element: &Str) -> bool {
        self.values.contains_key(element)
    }
}

/// Weaves both lists together: configured items in their order, others where they stood among them.
fn lists(schema: &Schema, it: &ListType, old: &List, new: &List) -> List {
    let (left, right) = (Indexed::new(schema, it, old), Indexed::new(schema, it, new));
    let mut shared = right.elements.iter().map(|it| &it.0).filter(|it| left.has(it));
    let mut next_shared = shared.next();
    let mut done: BTreeSet<&Str> = BTreeSet::new();
    let mut res: Vec<Value> = Vec::with_capacity(old.len().max(new.len()));
    let (mut l, mut r) = (0, 0);
    loop {
        let (of_left, of_right) = (left.elements.get(l), right.elements.get(r));
        if of_left.is_none() && of_right.is_none() {
            break;
        }
        if let (Some((a, _)), Some((b, item))) = (of_left, of_right) {
            if a == b {
                done.insert(a);
                res.push(merged_item(schema, it, left.values.get(a).copied().flatten(), item));
                l += 1;
                r += 1;
                next_shared = shared.next();
                continue;
            }
            if right.has(a) && next_shared.is_some_and(|it| it != a) {
                l += 1;
                continue;
            }
        }
        if let Some((a, item)) = of_left {
            if !right.has(a) {
                res.push((*item).clone());
                l += 1;
                continue;
            }
            if done.contains(a) {
                l += 1;
            }
        }
        if let Some((b, item)) = of_right {
            done.insert(b);
            res.push(merged_item(schema, it, left.values.get(b).copied().flatten(), item));
            r += 1;
            if next_shared == Some(b) {
                next_shared = shared.next();
            }
        }
    }
    let unchanged = res.len() == old.len() && res.iter().zip(old).all(|(a, b)| a.same(b));
    if unchanged { old.clone() } else { res.into() }
}

fn merged_item(schema: &Schema, it: &ListType, old: Option<&Value>, new: &Value) -> Value {
    match old {
        Some(old) => merge(schema, Some(it.item), old, new),
        None => new.clone(),
    }
}
