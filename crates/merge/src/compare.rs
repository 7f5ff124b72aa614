//! Which fields differ between two values, told step by step. What both share as one allocation is not looked into.
//!
//! Follows `typed/compare.go` of sigs.k8s.io/structured-merge-diff.

use std::collections::BTreeMap;

use schema::{ListKind, ListType, Schema, StructType, TypeId};
use value::{List, Map, Str, Value};

use crate::shape::{Shape, element_of};
use crate::steps::{Step, StepOf};

pub(crate) struct Compare<'a> {
    pub schema: &'a Schema,
    pub steps: Vec<StepOf<'a>>,
    pub types: FieldTypes,
}

/// Places for types of fields.
const FIELD_TYPES: usize = 1_024;

/// Types of fields, each where the address of its name says: as a rule a name is one allocation.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldTypes(Vec<Option<(TypeId, Str, TypeId)>>);

impl FieldTypes {
    fn of(&mut self, id: TypeId, ty: &StructType, name: &Str) -> Option<TypeId> {
        self.0.resize(FIELD_TYPES, None);
        let place = (name.as_ptr() as usize >> 4) ^ (ty.fields.as_ptr() as usize >> 6);
        let place = &mut self.0[place % FIELD_TYPES];
        match place {
            Some((of, known, field)) if *of == id && known.same(name) => Some(*field),
            _ => {
                let field = ty.field(name)?.ty;
                *place = Some((id, name.clone(), field));
                Some(field)
            }
        }
    }
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
            (_, Value::Map(_)) => self.maps(ty, shape, map(old), map(new)),
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
                self.maps(ty, shape, map(old), map(new));
                let fits = |it: &Value| is_map(it) || it.is_null();
                if !(fits(old) && fits(new)) {
                    self.steps.push(Step::Changed);
                }
            }
            Shape::Struct(_) | Shape::Map(..) if !is_leaf => self.maps(ty, shape, map(old), map(new)),
            _ if equal(old, new) => (),
            _ => self.steps.push(Step::Changed),
        }
    }

    /// The same of a field. Scalars must differ.
    pub fn field(&mut self, name: &'a Str, ty: Option<TypeId>, old: Option<&'a Value>, new: Option<&'a Value>) {
        let step = match (old, new) {
            (Some(old), Some(new)) if is_scalar(old) && is_scalar(new) => Step::Set(name),
            (None, Some(it)) if is_scalar(it) => Step::Set(name),
            (Some(it), None) if is_scalar(it) => Step::Unset(name),
            _ => {
                let start = self.enter(Step::Field(name));
                self.values(ty, old, new);
                return self.leave(start);
            }
        };
        self.steps.push(step);
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

    /// The type of a field; the inner `None` is a deduced one.
    fn type_of(&mut self, ty: Option<TypeId>, shape: Shape<'_>, name: &Str) -> Option<Option<TypeId>> {
        match (shape, ty) {
            (Shape::Struct(it), Some(ty)) => self.types.of(ty, it, name).map(Some),
            _ => shape.field(name),
        }
    }

    fn maps(&mut self, ty: Option<TypeId>, shape: Shape<'_>, old: &'a Map, new: &'a Map) {
        let mut differ = |name: &'a Str, old: Option<&'a Value>, new: Option<&'a Value>| {
            if let (Some(old), Some(new)) = (old, new)
                && old.same(new)
            {
                return;
            }
            if let Some(ty) = self.type_of(ty, shape, name) {
                self.field(name, ty, old, new);
            }
        };
        if old.has_keys_of(new) {
            old.iter().zip(new.values()).for_each(|((name, old), new)| differ(name, Some(old), Some(new)));
            return;
        }
        if old.is_empty() {
            new.iter().for_each(|(name, new)| differ(name, None, Some(new)));
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
            let Some((name, _)) = of_new.or(of_old) else { continue };
            differ(name, of_old.map(|it| it.1), of_new.map(|it| it.1));
        }
    }

    fn lists(&mut self, it: &'a ListType, old: &'a List, new: &'a List) {
        let (Some(before), Some(after)) = (Items::of(it, old), Items::of(it, new)) else {
            return self.any_lists(it, old, new);
        };
        let aligned = before.all().eq(after.all());
        if before.repeat() || (!aligned && after.repeat()) {
            return self.any_lists(it, old, new);
        }
        for (idx, item) in new.iter().enumerate() {
            let place = if aligned { Some(idx) } else { before.place(after.keys(idx), idx) };
            let old = place.and_then(|it| old.get(it));
            if !old.is_some_and(|it| it.same(item)) {
                self.item(it, after.keys(idx), old, Some(item));
            }
        }
        for (idx, item) in old.iter().enumerate().filter(|_| !aligned) {
            if after.place(before.keys(idx), idx).is_none() {
                self.item(it, before.keys(idx), Some(item), None);
            }
        }
    }

    fn item(&mut self, it: &'a ListType, keys: Keys<'_, 'a>, old: Option<&'a Value>, new: Option<&'a Value>) {
        let start = self.steps.len();
        match &it.kind {
            ListKind::Map(names) => {
                self.steps.extend(names.iter().zip(keys.0).map(|(name, &key)| Step::Key(name, key)));
            }
            _ => self.steps.extend(keys.0.iter().map(|&it| Step::Value(it))),
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

/// Lists of up to so many keys are looked through item by item.
const KEYS_MAX: usize = 16;

/// What tells the items of a list apart: `n_keys` values of each.
struct Items<'v> {
    keys: [&'v Value; KEYS_MAX],
    n_keys: usize,
    n_items: usize,
}

impl<'v> Items<'v> {
    /// `None` where an item lacks a key, and for long lists.
    fn of(it: &ListType, list: &'v List) -> Option<Items<'v>> {
        let names = match &it.kind {
            ListKind::Map(names) => names.as_slice(),
            _ => &[],
        };
        let (n_keys, n_items) = (names.len().max(1), list.len());
        if n_items * n_keys > KEYS_MAX {
            return None;
        }
        let mut keys = [&Value::Null; KEYS_MAX];
        for (item, keys) in list.iter().zip(keys.chunks_mut(n_keys)) {
            match &it.kind {
                ListKind::Map(names) => {
                    for (key, name) in keys.iter_mut().zip(names) {
                        *key = item.get(name)?;
                    }
                }
                _ if matches!(item, Value::Null | Value::List(_) | Value::Map(_)) => return None,
                _ => keys[0] = item,
            }
        }
        Some(Items { keys, n_keys, n_items })
    }

    fn all(&self) -> impl Iterator<Item = Keys<'_, 'v>> {
        self.keys.chunks(self.n_keys).take(self.n_items).map(Keys)
    }

    fn keys(&self, idx: usize) -> Keys<'_, 'v> {
        Keys(&self.keys[idx * self.n_keys..][..self.n_keys])
    }

    /// Whether an item has the keys of another one.
    fn repeat(&self) -> bool {
        self.all().enumerate().any(|(idx, keys)| self.all().take(idx).any(|it| it == keys))
    }

    /// Where an item of these keys is; looks at `likely` first.
    fn place(&self, keys: Keys<'_, '_>, likely: usize) -> Option<usize> {
        let is_likely = likely < self.n_items && self.keys(likely) == keys;
        if is_likely { Some(likely) } else { self.all().position(|it| it == keys) }
    }
}

/// The keys of an item.
#[derive(Clone, Copy)]
struct Keys<'i, 'v>(&'i [&'v Value]);

impl<'v> PartialEq<Keys<'_, '_>> for Keys<'_, 'v> {
    fn eq(&self, other: &Keys<'_, '_>) -> bool {
        self.0.iter().zip(other.0).all(|(a, b)| a == b)
    }
}

/// Deep equality that does not look into what is one allocation.
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => a == b,
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
