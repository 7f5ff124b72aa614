//! Which fields differ between two values. What both share as one allocation is not looked into.
//!
//! Follows `typed/compare.go` of sigs.k8s.io/structured-merge-diff.

use std::collections::BTreeMap;

use schema::{ListKind, ListType, Schema, TypeId};
use value::{List, Map, Str, Value};

use crate::fields::{leaf, node};
use crate::memo::Memo;
use crate::shape::{Shape, element_of};

/// Two sets of fields: what is new or different, and what is gone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Difference {
    pub added: Option<Value>,
    pub modified: Option<Value>,
    pub removed: Option<Value>,
}

impl Difference {
    fn is_empty(&self) -> bool {
        self.added.is_none() && self.modified.is_none() && self.removed.is_none()
    }
}

/// The children of a node while they are collected.
#[derive(Default)]
struct Level {
    added: Vec<(Str, Value)>,
    modified: Vec<(Str, Value)>,
    removed: Vec<(Str, Value)>,
}

impl Level {
    fn push(&mut self, element: &Str, child: Difference) {
        for (set, child) in
            [(&mut self.added, child.added), (&mut self.modified, child.modified), (&mut self.removed, child.removed)]
        {
            set.extend(child.map(|it| (element.clone(), it)));
        }
    }

    fn finish(self) -> Difference {
        Difference {
            added: node(false, self.added),
            modified: node(false, self.modified),
            removed: node(false, self.removed),
        }
    }
}

pub(crate) struct Compare<'a> {
    pub schema: &'a Schema,
    pub memo: &'a mut Memo,
    /// Whether what is compared now is a spec or status, whose parts are remembered.
    pub parts: bool,
}

impl Compare<'_> {
    /// How `new` differs from `old`; `None` is a value that is not there.
    pub fn values(&mut self, ty: Option<TypeId>, old: Option<&Value>, new: Option<&Value>) -> Difference {
        match (old, new) {
            (Some(old), Some(new)) => self.both(ty, old, new),
            (None, Some(new)) => Difference { added: Some(self.whole(ty, new)), ..Difference::default() },
            (Some(old), None) => Difference { removed: Some(self.whole(ty, old)), ..Difference::default() },
            (None, None) => Difference::default(),
        }
    }

    /// The same of a field; `keeps`: as it was remembered.
    fn part(&mut self, keeps: bool, ty: Option<TypeId>, old: Option<&Value>, new: Option<&Value>) -> Difference {
        let has_parts =
            |it: Option<&Value>| it.is_some_and(|it| !is_bare(it) && matches!(it, Value::List(_) | Value::Map(_)));
        let Some(id) = ty.filter(|_| keeps && (has_parts(old) || has_parts(new))) else {
            return self.values(ty, old, new);
        };
        if let Some(known) = self.memo.part(self.schema, id, old, new) {
            debug_assert_eq!(known, self.values(ty, old, new));
            return known;
        }
        let res = self.values(ty, old, new);
        self.memo.keep_part(id, old, new, &res);
        res
    }

    fn both(&mut self, ty: Option<TypeId>, old: &Value, new: &Value) -> Difference {
        if old.same(new) {
            return Difference::default();
        }
        let shape = Shape::of(self.schema, ty);
        match (shape, old, new) {
            _ if shape.is_leaf() || (is_bare(old) && is_bare(new)) => changed_leaf(old, new),
            (Shape::List(it), _, _) => self.lists(it, list(old), list(new)),
            (Shape::Deduced, Value::Map(_), Value::Map(_) | Value::Null)
            | (Shape::Deduced, Value::Null, Value::Map(_)) => self.maps(shape, map(old), map(new)),
            (Shape::Deduced, Value::Map(_), _) | (Shape::Deduced, _, Value::Map(_)) => {
                Difference { modified: Some(leaf()), ..self.maps(shape, map(old), map(new)) }
            }
            (Shape::Deduced, _, _) => changed_leaf(old, new),
            _ => self.maps(shape, map(old), map(new)),
        }
    }

    fn maps(&mut self, shape: Shape<'_>, old: &Map, new: &Map) -> Difference {
        let parts = std::mem::take(&mut self.parts);
        let mut level = Level::default();
        let (mut left, mut right) = (old.iter().peekable(), new.iter().peekable());
        loop {
            let order = match (left.peek(), right.peek()) {
                (Some((k, _)), Some((l, _))) => k.cmp(l),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => return level.finish(),
            };
            let of_old = if order.is_le() { left.next() } else { None };
            let of_new = if order.is_ge() { right.next() } else { None };
            if let (Some((_, old)), Some((_, new))) = (of_old, of_new)
                && old.same(new)
            {
                continue;
            }
            let Some((name, _)) = of_new.or(of_old) else { continue };
            let Some(ty) = shape.field(name) else { continue };
            let child = self.part(parts, ty, of_old.map(|it| it.1), of_new.map(|it| it.1));
            let element = self.memo.field(name);
            level.push(&element, child);
        }
    }

    fn lists(&mut self, it: &ListType, old: &List, new: &List) -> Difference {
        self.parts = false;
        if old.is_empty() {
            let added = self.items(it, new);
            let added = if added.is_empty() { None } else { Some(Value::Map(added)) };
            return Difference { added, ..Difference::default() };
        }
        if is_aligned(it, old, new) {
            return self.aligned(it, old, new);
        }
        let mut items: BTreeMap<Str, (Vec<&Value>, Vec<&Value>)> = BTreeMap::new();
        for item in old {
            if let Ok(element) = element_of(self.schema, it, item) {
                items.entry(element).or_default().0.push(item);
            }
        }
        for item in new {
            if let Ok(element) = element_of(self.schema, it, item) {
                items.entry(element).or_default().1.push(item);
            }
        }
        let mut level = Level::default();
        for (element, (old, new)) in &items {
            let mut child = match (old.as_slice(), new.as_slice()) {
                ([_, _, ..], [_, _, ..]) if old == new => Difference::default(),
                ([_, _, ..], [_, _, ..]) => Difference { modified: Some(leaf()), ..Difference::default() },
                // Repeated items are owned as one; what repeats no longer is added item by item.
                ([_, _, ..], new) => self.values(Some(it.item), None, new.first().copied()),
                (old, [_, _, ..]) => self.values(Some(it.item), old.first().copied(), None),
                (old, new) => self.values(Some(it.item), old.first().copied(), new.first().copied()),
            };
            if old.len() > 1 && new.len() < 2 {
                child.removed = Some(leaf());
            }
            if new.len() > 1 && old.len() < 2 {
                child.added = Some(leaf());
            }
            level.push(element, child);
        }
        level.finish()
    }

    /// Compares lists whose items stand at the same places.
    fn aligned(&mut self, it: &ListType, old: &List, new: &List) -> Difference {
        let mut level = Level::default();
        for (old, new) in old.iter().zip(new) {
            let child = self.both(Some(it.item), old, new);
            if child.is_empty() {
                continue;
            }
            if let Ok(element) = element_of(self.schema, it, new) {
                level.push(&element, child);
            }
        }
        level.finish()
    }

    /// The set of a value that is new or gone: its own membership and all below it.
    fn whole(&mut self, ty: Option<TypeId>, value: &Value) -> Value {
        let shape = Shape::of(self.schema, ty);
        if shape.is_leaf() || is_bare(value) {
            return leaf();
        }
        let below = match (shape, value) {
            (Shape::List(it), Value::List(list)) => self.items(it, list),
            (Shape::List(_), _) => return leaf(),
            (_, Value::Map(map)) => {
                let parts = std::mem::take(&mut self.parts);
                let mut res: Vec<(Str, Value)> = Vec::with_capacity(map.len() + 1);
                for (name, value) in map.iter() {
                    let Some(ty) = shape.field(name) else { continue };
                    let child = self.part(parts, ty, None, Some(value)).added.unwrap_or_else(leaf);
                    res.push((self.memo.field(name), child));
                }
                return node(true, res).unwrap_or_else(leaf);
            }
            _ => return leaf(),
        };
        node(true, below.iter().map(|(key, value)| (key.clone(), value.clone())).collect()).unwrap_or_else(leaf)
    }

    /// The sets of the items of a new list, without the list's own membership.
    fn items(&mut self, it: &ListType, list: &List) -> Map {
        self.parts = false;
        let mut seen: BTreeMap<Str, (&Value, bool)> = BTreeMap::new();
        for item in list {
            if let Ok(element) = element_of(self.schema, it, item) {
                seen.entry(element).and_modify(|it| it.1 = true).or_insert((item, false));
            }
        }
        let mut res: Vec<(Str, Value)> = Vec::with_capacity(seen.len());
        for (element, (item, repeats)) in seen {
            let child = match repeats {
                true => leaf(),
                false => self.part(true, Some(it.item), None, Some(item)).added.unwrap_or_else(leaf),
            };
            res.push((element, child));
        }
        res.into()
    }
}

/// Lists up to this length are looked through for repeated keys item by item.
const ALIGNED_MAX: usize = 16;

/// Whether both lists have items of the same keys at the same places, none of them twice.
fn is_aligned(it: &ListType, old: &List, new: &List) -> bool {
    let ListKind::Map(keys) = &it.kind else { return false };
    let same = |a: &Value, b: &Value| keys.iter().all(|key| a.get(key) == b.get(key));
    let whole = |it: &Value| keys.iter().all(|key| it.get(key).is_some());
    old.len() == new.len()
        && new.len() <= ALIGNED_MAX
        && old.iter().zip(new).all(|(a, b)| whole(b) && same(a, b))
        && new.iter().enumerate().all(|(idx, a)| new.iter().skip(idx + 1).all(|b| !same(a, b)))
}

fn changed_leaf(old: &Value, new: &Value) -> Difference {
    Difference { modified: (!equal(old, new)).then(leaf), ..Difference::default() }
}

/// Deep equality that does not look into what is one allocation.
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => meta::maps_equal(a, b),
        (Value::List(a), Value::List(b)) => {
            a.same(b) || (a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b)))
        }
        _ => a == b,
    }
}

/// Empty or null: owned as a whole, to tell the two apart.
fn is_bare(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::List(it) => it.is_empty(),
        Value::Map(it) => it.is_empty(),
        _ => false,
    }
}

pub(crate) fn map(value: &Value) -> &Map {
    static EMPTY: std::sync::LazyLock<Map> = std::sync::LazyLock::new(Map::new);
    value.as_map().unwrap_or(&EMPTY)
}

pub(crate) fn list(value: &Value) -> &List {
    static EMPTY: std::sync::LazyLock<List> = std::sync::LazyLock::new(List::default);
    value.as_list().unwrap_or(&EMPTY)
}
