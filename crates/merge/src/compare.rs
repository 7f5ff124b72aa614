//! Which fields differ between two values, told step by step. What both share as one allocation is not looked into.
//!
//! Follows `typed/compare.go` of sigs.k8s.io/structured-merge-diff.

use std::collections::BTreeMap;

use schema::{ListKind, ListType, Schema, TypeId};
use value::{List, Map, Str, Value};

use crate::shape::{Shape, element_of};
use crate::steps::{Step, StepOf};

pub(crate) struct Compare<'a> {
    pub schema: &'a Schema,
    pub steps: Vec<StepOf<'a>>,
}

impl<'a> Compare<'a> {
    /// How `new` differs from `old`; `None` is a value that is not there.
    fn values(&mut self, ty: Option<TypeId>, old: Option<&'a Value>, new: Option<&'a Value>) {
        let (value, step) = match (old, new) {
            (Some(old), Some(new)) => return self.both(ty, old, new),
            (None, Some(new)) => (new, Step::Changed),
            (Some(old), None) => (old, Step::Removed),
            (None, None) => return,
        };
        self.steps.push(step);
        let shape = Shape::of(self.schema, ty);
        if shape.is_leaf() || is_bare(value) {
            return;
        }
        let (old, new) = (old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null));
        match (shape, value) {
            (Shape::List(it), Value::List(_)) => self.lists(it, list(old), list(new)),
            (Shape::List(_), _) => (),
            (_, Value::Map(_)) => self.maps(shape, map(old), map(new)),
            _ => (),
        }
    }

    fn both(&mut self, ty: Option<TypeId>, old: &'a Value, new: &'a Value) {
        if old.same(new) {
            return;
        }
        let shape = Shape::of(self.schema, ty);
        let is_map = |it: &Value| matches!(it, Value::Map(_));
        let is_leaf = shape.is_leaf() || (is_bare(old) && is_bare(new));
        match shape {
            Shape::List(it) if !is_leaf => self.lists(it, list(old), list(new)),
            Shape::Deduced if !is_leaf && (is_map(old) || is_map(new)) => {
                self.maps(shape, map(old), map(new));
                let fits = |it: &Value| is_map(it) || it.is_null();
                if !(fits(old) && fits(new)) {
                    self.steps.push(Step::Changed);
                }
            }
            Shape::Struct(_) | Shape::Map(..) if !is_leaf => self.maps(shape, map(old), map(new)),
            _ if equal(old, new) => (),
            _ => self.steps.push(Step::Changed),
        }
    }

    /// The same of a field.
    pub fn field(&mut self, name: &'a Str, ty: Option<TypeId>, old: Option<&'a Value>, new: Option<&'a Value>) {
        let start = self.enter(Step::Field(name));
        self.values(ty, old, new);
        self.leave(start);
    }

    /// Steps down. Answers what [`Compare::leave`] needs.
    pub fn enter(&mut self, step: StepOf<'a>) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// Steps back up; where nothing was found since the walk went down at `start`, it did not go there.
    pub fn leave(&mut self, start: usize) {
        let whole = match &self.steps[start..] {
            [Step::Field(name), Step::Changed] => Some(Step::Set(*name)),
            [Step::Field(name), Step::Removed] => Some(Step::Unset(*name)),
            _ => None,
        };
        if whole.is_some() {
            self.steps.truncate(start);
            self.steps.extend(whole);
            return;
        }
        match self.steps.last() {
            Some(Step::Changed | Step::Removed | Step::Up | Step::Set(_) | Step::Unset(_)) => self.steps.push(Step::Up),
            _ => self.steps.truncate(start),
        }
    }

    fn maps(&mut self, shape: Shape<'_>, old: &'a Map, new: &'a Map) {
        if old.has_keys_of(new) {
            for ((name, old), new) in old.iter().zip(new.values()) {
                if old.same(new) {
                    continue;
                }
                let Some(ty) = shape.field(name) else { continue };
                match is_scalar(old) && is_scalar(new) {
                    true => self.steps.push(Step::Set(name)),
                    false => self.field(name, ty, Some(old), Some(new)),
                }
            }
            return;
        }
        let (mut left, mut right) = (old.iter().peekable(), new.iter().peekable());
        loop {
            let order = match (left.peek(), right.peek()) {
                (Some((k, _)), Some((l, _))) => k.cmp(l),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => return,
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
            self.field(name, ty, of_old.map(|it| it.1), of_new.map(|it| it.1));
        }
    }

    fn lists(&mut self, it: &'a ListType, old: &'a List, new: &'a List) {
        let (Some(before), Some(after)) = (Items::of(it, old), Items::of(it, new)) else {
            return self.any_lists(it, old, new);
        };
        for (idx, item) in new.iter().enumerate() {
            let old = before.place(after.keys(idx), idx).and_then(|it| old.get(it));
            self.item(it, after.keys(idx), old, Some(item));
        }
        for (idx, item) in old.iter().enumerate() {
            if after.place(before.keys(idx), idx).is_none() {
                self.item(it, before.keys(idx), Some(item), None);
            }
        }
    }

    fn item(&mut self, it: &'a ListType, keys: &[&'a Value], old: Option<&'a Value>, new: Option<&'a Value>) {
        let start = self.steps.len();
        match &it.kind {
            ListKind::Map(names) => {
                self.steps.extend(names.iter().zip(keys).map(|(name, &key)| Step::Key(name, key)));
            }
            _ => self.steps.extend(keys.iter().map(|&it| Step::Value(it))),
        }
        self.values(Some(it.item), old, new);
        self.leave(start);
    }

    /// Lists whose items repeat one another or lack keys, or of very many.
    fn any_lists(&mut self, it: &'a ListType, old: &'a List, new: &'a List) {
        let mut items: BTreeMap<Str, (Vec<&'a Value>, Vec<&'a Value>)> = BTreeMap::new();
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
        let item = Some(it.item);
        for (element, (old, new)) in items {
            let start = self.enter(Step::Item(element));
            match (old.as_slice(), new.as_slice()) {
                ([_, _, ..], [_, _, ..]) if old == new => (),
                ([_, _, ..], [_, _, ..]) => self.steps.push(Step::Changed),
                // Repeated items are owned as one; what repeats no longer is added item by item.
                ([_, _, ..], new) => {
                    self.values(item, None, new.first().copied());
                    self.steps.push(Step::Removed);
                }
                (old, [_, _, ..]) => {
                    self.values(item, old.first().copied(), None);
                    self.steps.push(Step::Changed);
                }
                (old, new) => self.values(item, old.first().copied(), new.first().copied()),
            }
            self.leave(start);
        }
    }
}

/// Lists up to this length are looked through item by item.
const ITEMS_MAX: usize = 16;

/// What tells the items of a list apart: `n_keys` values of each.
struct Items<'v> {
    keys: Vec<&'v Value>,
    n_keys: usize,
}

impl<'v> Items<'v> {
    /// `None` where an item repeats another or lacks a key, and for long lists.
    fn of(it: &ListType, list: &'v List) -> Option<Items<'v>> {
        if list.len() > ITEMS_MAX {
            return None;
        }
        let names = match &it.kind {
            ListKind::Map(names) => names.as_slice(),
            _ => &[],
        };
        let n_keys = names.len().max(1);
        let mut keys: Vec<&Value> = Vec::with_capacity(list.len() * n_keys);
        for (idx, item) in list.iter().enumerate() {
            match &it.kind {
                ListKind::Map(names) => {
                    for name in names {
                        keys.push(item.get(name)?);
                    }
                }
                _ if matches!(item, Value::Null | Value::List(_) | Value::Map(_)) => return None,
                _ => keys.push(item),
            }
            let (before, own) = keys.split_at(idx * n_keys);
            if before.chunks(n_keys).any(|it| it == own) {
                return None;
            }
        }
        Some(Items { keys, n_keys })
    }

    fn keys(&self, idx: usize) -> &[&'v Value] {
        &self.keys[idx * self.n_keys..][..self.n_keys]
    }

    /// Where an item of these keys is; looks at `likely` first.
    fn place(&self, keys: &[&Value], likely: usize) -> Option<usize> {
        let mut all = self.keys.chunks(self.n_keys);
        let is_likely = self.keys.chunks(self.n_keys).nth(likely).is_some_and(|it| it == keys);
        if is_likely { Some(likely) } else { all.position(|it| it == keys) }
    }
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

/// What is owned as a whole whatever its type.
fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Int(_) | Value::Decimal(_) | Value::Str(_))
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

/// The map that a value is; an empty one for any other.
fn map(value: &Value) -> &Map {
    static EMPTY: std::sync::LazyLock<Map> = std::sync::LazyLock::new(Map::new);
    value.as_map().unwrap_or(&EMPTY)
}

/// The list that a value is; an empty one for any other.
fn list(value: &Value) -> &List {
    static EMPTY: std::sync::LazyLock<List> = std::sync::LazyLock::new(List::default);
    value.as_list().unwrap_or(&EMPTY)
}
