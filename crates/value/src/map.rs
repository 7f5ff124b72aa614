//! An immutable map with sorted keys.

use std::fmt;
use std::sync::LazyLock;

use crate::path::walk;
use crate::shape::Shape;
use crate::shared::Shared;
use crate::{Str, Value};

/// What becomes the key of a map.
pub trait Key {
    fn text(&self) -> &str;
    /// As it is kept: names that stand in code are one allocation each.
    fn kept(self) -> Str;
}

impl Key for &str {
    fn text(&self) -> &str {
        self
    }
    fn kept(self) -> Str {
        Str::literal(self)
    }
}

impl Key for Str {
    fn text(&self) -> &str {
        self
    }
    fn kept(self) -> Str {
        self
    }
}

impl Key for &Str {
    fn text(&self) -> &str {
        self
    }
    fn kept(self) -> Str {
        self.clone()
    }
}

impl Key for String {
    fn text(&self) -> &str {
        self
    }
    fn kept(self) -> Str {
        self.into()
    }
}

impl Key for &String {
    fn text(&self) -> &str {
        self
    }
    fn kept(self) -> Str {
        self.into()
    }
}

/// A map from text to values, sorted by key (bytewise); cloning is a counter.
///
/// `{b: 2, a: 1}` is kept as the keys `["a", "b"]`, each once, in order, which it shares with all maps that have the same,
/// and the values `[1, 2]`.
#[derive(Clone, Eq)]
pub struct Map(Shared<Shape, Value>);

impl Map {
    /// The empty map; all that are made here are one allocation.
    pub fn new() -> Map {
        static EMPTY: LazyLock<Map> = LazyLock::new(|| Map::of_entries(Vec::new()));
        EMPTY.clone()
    }

    /// Of the values of these keys.
    pub(crate) fn of_shape(shape: Shape, values: impl ExactSizeIterator<Item = Value>) -> Map {
        Map(Shared::new(shape, values))
    }

    /// Of entries in the order of keys, each once.
    fn of_entries(entries: Vec<(Str, Value)>) -> Map {
        let shape = Shape::new(entries.len(), &|idx| &entries[idx].0);
        Map::of_shape(shape, entries.into_iter().map(|(_, value)| value))
    }

    pub(crate) fn shape(&self) -> &Shape {
        self.0.header()
    }

    /// The value under `key`.
    #[inline]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.find(key).map(|idx| &self.0[idx])
    }

    /// The value at a dotted path such as `template.metadata`; a key with a dot needs [`Map::get`].
    pub fn at(&self, path: &'static str) -> Option<&Value> {
        walk(self, path)
    }

    /// The same of a path that does not stand in code.
    pub fn at_any(&self, path: &str) -> Option<&Value> {
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let value = self.get(first)?;
        rest.map_or(Some(value), |rest| value.as_map()?.at_any(rest))
    }

    /// Whether `key` is there.
    #[inline]
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values in the order of keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Str, &Value)> + DoubleEndedIterator + Clone {
        self.keys().zip(self.0.iter())
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Str> + DoubleEndedIterator + Clone {
        self.shape().keys().iter()
    }

    /// The values, in the order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> + DoubleEndedIterator + Clone {
        self.0.iter()
    }

    /// Whether both surely have the same keys, which is told at once; where they have, it says so as a rule.
    pub fn has_keys_of(&self, other: &Map) -> bool {
        self.shape().same(other.shape())
    }

    /// Whether both are one allocation.
    pub fn same(&self, other: &Map) -> bool {
        self.0.same(&other.0)
    }

    /// Sets `key`; the map is copied first when it is shared.
    pub fn insert<K: Key>(&mut self, key: K, value: impl Into<Value>) {
        match self.shape().place(key.text().as_bytes()) {
            Ok(idx) => self.0.set(idx, value.into()),
            Err(idx) => self.put(key.kept(), idx, value.into()),
        }
    }

    fn put(&mut self, key: Str, idx: usize, value: Value) {
        self.0.splice(self.shape().with(idx, &key), idx, 0, Some(value));
    }

    /// Takes `key` out; answers what was there.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let idx = self.find(key)?;
        let value = self.0[idx].clone();
        self.0.splice(self.shape().without(idx), idx, 1, None);
        Some(value)
    }

    /// Sets `key` if it is absent or null. Shares everything when there is nothing to do.
    pub fn set_default(&mut self, key: &str, value: impl Into<Value>) {
        if self.get(key).is_none_or(Value::is_null) {
            self.insert(key, value);
        }
    }

    /// The same of every key of `defaults`, at once.
    pub fn set_defaults(&mut self, defaults: &Map) {
        let missing = defaults.filtered(|key, _| self.get(key).is_none_or(Value::is_null));
        if !missing.is_empty() {
            *self = self.merged(&missing);
        }
    }

    /// Changes the value under `key`, if there is one; what `f` leaves as it was stays shared.
    pub fn edit(&mut self, key: &str, f: impl FnOnce(&mut Value)) {
        if let Some(idx) = self.find(key) {
            self.0.edit(idx, f, Value::same);
        }
    }

    /// Changes the map under `key`, if there is one.
    pub fn edit_map(&mut self, key: &str, f: impl FnOnce(&mut Map)) {
        self.edit(key, |value| {
            if let Value::Map(map) = value {
                f(map);
            }
        });
    }

    /// Changes every map in the list under `key`.
    pub fn edit_maps(&mut self, key: &str, mut f: impl FnMut(&mut Map)) {
        self.edit(key, |value| {
            if let Value::List(list) = value {
                list.edit_each(&mut |_, item| {
                    if let Value::Map(map) = item {
                        f(map);
                    }
                });
            }
        });
    }

    /// A copy with `key` set; the rest is shared.
    pub fn with<K: Key>(&self, key: K, value: impl Into<Value>) -> Map {
        let mut map = self.clone();
        map.insert(key, value);
        map
    }

    /// A copy in which the entries of `other` are set, too; made at once. What is equal stays the allocation that it was.
    pub fn merged(&self, other: &Map) -> Map {
        self.overlaid(other).unwrap_or_else(|| self.woven(other))
    }

    /// [`Map::merged`] where all keys of `other` are there.
    fn overlaid(&self, other: &Map) -> Option<Map> {
        let mut places = [0; 16];
        for (place, key) in places.get_mut(..other.len())?.iter_mut().zip(other.keys()) {
            *place = self.find(key)?;
        }
        let mut values: Vec<Value> = self.0.to_vec();
        for (place, value) in places.iter().zip(other.values()) {
            let old = &mut values[*place];
            if old != value {
                *old = value.clone();
            }
        }
        Some(Map::of_shape(self.shape().clone(), values.into_iter()))
    }

    /// [`Map::merged`] of any keys.
    fn woven(&self, other: &Map) -> Map {
        let n_max = self.len() + other.len();
        let (mut keys, mut values): (Vec<&Str>, Vec<Value>) = (Vec::with_capacity(n_max), Vec::with_capacity(n_max));
        let mut put = |key, value: &Value| {
            keys.push(key);
            values.push(value.clone());
        };
        let mut rest = other.iter().peekable();
        for (key, value) in self.iter() {
            while let Some((key, value)) = rest.next_if(|(it, _)| *it < key) {
                put(key, value);
            }
            let instead = rest.next_if(|(it, _)| *it == key).map(|(_, it)| it);
            put(key, instead.filter(|it| *it != value).unwrap_or(value));
        }
        rest.for_each(|(key, value)| put(key, value));
        let n = keys.len();
        let same = [self, other].into_iter().find(|it| it.len() == n).map(|it| it.shape().clone());
        Map::of_shape(same.unwrap_or_else(|| Shape::new(n, &|idx| keys[idx])), values.into_iter())
    }

    /// A copy with only the entries for which `keep` answers true.
    pub fn filtered(&self, keep: impl Fn(&str, &Value) -> bool) -> Map {
        if self.iter().all(|(key, value)| keep(key, value)) {
            return self.clone();
        }
        let kept = self.iter().filter(|(key, value)| keep(key, value)).map(|(key, value)| (key.clone(), value.clone()));
        Map::of_entries(kept.collect())
    }

    /// The value at the place that [`Map::find`] answered.
    pub(crate) fn nth(&self, idx: usize) -> Option<&Value> {
        self.0.get(idx)
    }

    #[inline]
    pub(crate) fn find(&self, key: &str) -> Option<usize> {
        self.shape().find(key.as_bytes())
    }
}

impl PartialEq for Map {
    /// What is one allocation is not looked into.
    fn eq(&self, other: &Map) -> bool {
        self.same(other) || (self.shape() == other.shape() && *self.0 == *other.0)
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Default for Map {
    fn default() -> Self {
        Map::new()
    }
}

impl From<Vec<(Str, Value)>> for Map {
    /// Sorts; of equal keys the last wins.
    fn from(mut entries: Vec<(Str, Value)>) -> Self {
        if !entries.is_sorted_by(|(a, _), (b, _)| a < b) {
            entries.reverse();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.dedup_by(|(a, _), (b, _)| a == b);
        }
        Map::of_entries(entries)
    }
}

impl FromIterator<(Str, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Str, Value)>>(entries: I) -> Self {
        entries.into_iter().collect::<Vec<_>>().into()
    }
}

#[cfg(test)]
mod tests;
