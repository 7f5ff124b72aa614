//! Whether two writes change the same fields, found without collecting them.
//!
//! Writes of controllers are like one another: a thousand pods get the same fields, one by one. What [`crate::compare`]
//! finds depends on which fields there are, on what tells items of lists apart and on what is equal before and after.
//! "No" may be wrong, "yes" never is.

use std::cmp::Ordering;

use meta::Metadata;
use schema::{ListKind, ListType, Schema, TypeId};
use value::{List, Map, Value};

use crate::compare::{equal, list, map};
use crate::shape::Shape;

/// Lists up to this length are looked through item by item.
const ITEMS_MAX: usize = 16;

/// Before and after a write.
#[derive(Clone, Copy)]
pub(crate) struct Change<T> {
    pub old: T,
    pub new: T,
}

impl<'a> Change<Option<&'a Value>> {
    fn map<T>(self, f: fn(&'a Value) -> &'a T, nothing: &'a T) -> Change<&'a T> {
        Change { old: self.old.map_or(nothing, f), new: self.new.map_or(nothing, f) }
    }

    fn is_same(&self) -> bool {
        same(self.old, self.new)
    }
}

fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.same(b),
        _ => a.is_none() && b.is_none(),
    }
}

/// What a value is, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Absent,
    Null,
    Scalar,
    EmptyList,
    EmptyMap,
    /// A list or map with something in it.
    Parts,
}

impl Class {
    fn of(value: Option<&Value>) -> Class {
        match value {
            None => Class::Absent,
            Some(Value::Null) => Class::Null,
            Some(Value::List(it)) if it.is_empty() => Class::EmptyList,
            Some(Value::Map(it)) if it.is_empty() => Class::EmptyMap,
            Some(Value::List(_) | Value::Map(_)) => Class::Parts,
            Some(_) => Class::Scalar,
        }
    }
}

/// Whether the bodies of `a` differ in what those of `b` differ in.
pub(crate) fn bodies(schema: &Schema, ty: Option<TypeId>, a: Change<&Map>, b: Change<&Map>) -> bool {
    maps(schema, Shape::of(schema, ty), a, b)
}

/// The same for metadata, as far as it can be owned.
pub(crate) fn metadata(schema: &Schema, a: Change<&Metadata>, b: Change<&Metadata>) -> bool {
    let unchanged = |it: Change<&Metadata>| it.old.same_but_managed(it.new);
    match (unchanged(a), unchanged(b)) {
        (true, true) => return true,
        (false, false) => {}
        _ => return false,
    }
    let facts = |Change { old, new }: Change<&Metadata>| {
        [
            old.grace_seconds.is_some(),
            new.grace_seconds.is_some(),
            old.grace_seconds == new.grace_seconds,
            old.deleted.is_some(),
            new.deleted.is_some(),
            old.deleted == new.deleted,
            old.generate_name.is_empty(),
            new.generate_name.is_empty(),
            old.generate_name == new.generate_name,
        ]
    };
    // Labels and annotations are text: no type is asked for.
    let texts = |a: Change<&Map>, b: Change<&Map>| maps(schema, Shape::Deduced, a, b);
    facts(a) == facts(b)
        && a.old.owners == b.old.owners
        && a.new.owners == b.new.owners
        && a.old.finalizers == b.old.finalizers
        && a.new.finalizers == b.new.finalizers
        && texts(Change { old: &a.old.labels, new: &a.new.labels }, Change { old: &b.old.labels, new: &b.new.labels })
        && texts(
            Change { old: &a.old.annotations, new: &a.new.annotations },
            Change { old: &b.old.annotations, new: &b.new.annotations },
        )
}

/// The same for values of a type.
pub(crate) fn values(schema: &Schema, ty: TypeId, a: Change<Option<&Value>>, b: Change<Option<&Value>>) -> bool {
    parts(schema, Shape::of(schema, Some(ty)), None, a, b)
}

/// `name`: of which field of `shape` these are the values; otherwise they are items.
fn parts(
    schema: &Schema,
    shape: Shape<'_>,
    name: Option<&str>,
    a: Change<Option<&Value>>,
    b: Change<Option<&Value>>,
) -> bool {
    let (before, after) = (Class::of(a.old), Class::of(a.new));
    if before != Class::of(b.old) || after != Class::of(b.new) {
        return false;
    }
    match (a.is_same(), b.is_same()) {
        (true, true) => return true,
        (false, false) => {}
        _ => return false,
    }
    if (before != Class::Parts && after != Class::Parts) || (same(a.old, b.old) && same(a.new, b.new)) {
        return true;
    }
    let shape = match name {
        Some(name) => shape.field(name).map_or(Shape::Deduced, |ty| Shape::of(schema, ty)),
        None => shape,
    };
    let all = [a.old, a.new, b.old, b.new];
    let are = |fits: fn(&Value) -> bool| all.iter().flatten().all(|it| fits(it));
    match shape {
        _ if shape.is_leaf() => match all {
            [Some(v), Some(w), Some(x), Some(y)] => equal(v, w) == equal(x, y),
            _ => true,
        },
        Shape::List(it) => {
            let nothing = list(&Value::Null);
            are(|it| matches!(it, Value::List(_) | Value::Null))
                && lists(schema, it, a.map(list, nothing), b.map(list, nothing))
        }
        _ => {
            let nothing = map(&Value::Null);
            are(|it| matches!(it, Value::Map(_) | Value::Null))
                && maps(schema, shape, a.map(map, nothing), b.map(map, nothing))
        }
    }
}

fn maps(schema: &Schema, shape: Shape<'_>, a: Change<&Map>, b: Change<&Map>) -> bool {
    let same_keys = |a: &Map, b: &Map| a.same(b) || a.keys().eq(b.keys());
    if !same_keys(a.old, b.old) || !same_keys(a.new, b.new) {
        return false;
    }
    let mut old = a.old.iter().zip(b.old.values()).peekable();
    let mut new = a.new.iter().zip(b.new.values()).peekable();
    loop {
        let order = match (old.peek(), new.peek()) {
            (Some(((k, _), _)), Some(((l, _), _))) => k.cmp(l),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return true,
        };
        let before = if order.is_le() { old.next() } else { None };
        let after = if order.is_ge() { new.next() } else { None };
        let Some(((name, _), _)) = after.or(before) else { return true };
        let a = Change { old: before.map(|((_, it), _)| it), new: after.map(|((_, it), _)| it) };
        let b = Change { old: before.map(|(_, it)| it), new: after.map(|(_, it)| it) };
        if !parts(schema, shape, Some(name), a, b) {
            return false;
        }
    }
}

fn lists(schema: &Schema, it: &ListType, a: Change<&List>, b: Change<&List>) -> bool {
    let same_items = |a: &List, b: &List| {
        a.len() == b.len()
            && a.len() <= ITEMS_MAX
            && a.iter().zip(b).all(|(a, b)| is_same_item(it, a, b))
            && a.iter().enumerate().all(|(idx, item)| place(it, a, item) == Some(idx))
    };
    if !same_items(a.old, b.old) || !same_items(a.new, b.new) {
        return false;
    }
    let shape = Shape::of(schema, Some(it.item));
    let kept = a.new.iter().zip(b.new).all(|(x, y)| {
        let before = place(it, a.old, x).unwrap_or(usize::MAX);
        let a = Change { old: a.old.get(before), new: Some(x) };
        parts(schema, shape, None, a, Change { old: b.old.get(before), new: Some(y) })
    });
    kept && a.old.iter().zip(b.old).all(|(x, y)| {
        let gone = |it| Change { old: Some(it), new: None };
        place(it, a.new, x).is_some() || parts(schema, shape, None, gone(x), gone(y))
    })
}

/// Where the first item is that the same keys tell apart.
fn place(it: &ListType, list: &List, item: &Value) -> Option<usize> {
    list.iter().position(|have| is_same_item(it, have, item))
}

/// Whether two items are surely one element, and which one is surely known.
fn is_same_item(it: &ListType, a: &Value, b: &Value) -> bool {
    match &it.kind {
        ListKind::Map(keys) => keys.iter().all(|key| a.get(key).is_some_and(|it| Some(it) == b.get(key))),
        _ => Class::of(Some(a)) == Class::Scalar && a == b,
    }
}
