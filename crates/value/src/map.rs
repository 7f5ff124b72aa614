//! An immutable map with sorted keys.

use std::fmt;
use std::sync::LazyLock;

use crate::shared::Shared;
use crate::str::same_text;
use crate::{Str, Value};

/// Maps of more entries are searched by halves.
const LOOKED_AT_MAX: usize = 24;

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
/// `{b: 2, a: 1}` is kept as `[("a", 1), ("b", 2)]`: each key once, in order.
#[derive(Clone, Eq)]
pub struct Map(Shared<(Str, Value)>);

impl Map {
    /// The empty map; all that are made here are one allocation.
    pub fn new() -> Map {
        static EMPTY: LazyLock<Map> = LazyLock::new(|| Map(Shared::new(std::iter::empty())));
        EMPTY.clone()
    }

    /// Of entries in the order of keys, each once.
    pub(crate) fn of_sorted(entries: impl ExactSizeIterator<Item = (Str, Value)>) -> Map {
        Map(Shared::new(entries))
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.find(key).map(|idx| &self.0[idx].1)
    }

    /// Whether `key` is there.
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
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Str> + DoubleEndedIterator + Clone {
        self.0.iter().map(|(key, _)| key)
    }

    /// The values, in the order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> + DoubleEndedIterator + Clone {
        self.0.iter().map(|(_, value)| value)
    }

    /// Whether both are one allocation.
    pub fn same(&self, other: &Map) -> bool {
        self.0.same(&other.0)
    }

    /// Sets `key`; the map is copied first when it is shared.
    pub fn insert<K: Key>(&mut self, key: K, value: impl Into<Value>) {
        match self.position(key.text()) {
            Ok(idx) => self.replace_at(idx, value.into()),
            Err(idx) => self.0 = self.0.spliced(idx, 0, Some((key.kept(), value.into()))),
        }
    }

    fn replace_at(&mut self, idx: usize, value: Value) {
        self.0.set(idx, (self.0[idx].0.clone(), value));
    }

    /// Takes `key` out; answers what was there.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let idx = self.find(key)?;
        let value = self.0[idx].1.clone();
        self.0 = self.0.spliced(idx, 1, None);
        Some(value)
    }

    /// Sets `key` if it is absent or null. Shares everything when there is nothing to do.
    pub fn set_default(&mut self, key: &str, value: impl Into<Value>) {
        if self.get(key).is_none_or(Value::is_null) {
            self.insert(key, value);
        }
    }

    /// Changes the value under `key`, if there is one; what `f` leaves as it was stays shared.
    pub fn edit(&mut self, key: &str, f: impl FnOnce(&mut Value)) {
        let Some(idx) = self.find(key) else { return };
        let mut value = self.0[idx].1.clone();
        f(&mut value);
        if !value.same(&self.0[idx].1) {
            self.replace_at(idx, value);
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

    /// A copy in which the entries of `other` are set, too; made at once.
    pub fn merged(&self, other: &Map) -> Map {
        let mut entries = Vec::with_capacity(self.len() + other.len());
        let mut rest = other.0.iter().peekable();
        for entry in self.0.iter() {
            while let Some(it) = rest.next_if(|it| it.0 < entry.0) {
                entries.push(it.clone());
            }
            let instead = rest.next_if(|it| it.0 == entry.0);
            // What is equal stays the allocation that it was.
            entries.push(instead.filter(|it| it.1 != entry.1).unwrap_or(entry).clone());
        }
        entries.extend(rest.cloned());
        Map(Shared::new(entries.into_iter()))
    }

    /// A copy with only the entries for which `keep` answers true.
    pub fn filtered(&self, keep: impl Fn(&str, &Value) -> bool) -> Map {
        if self.iter().all(|(key, value)| keep(key, value)) {
            return self.clone();
        }
        let kept: Vec<(Str, Value)> = self.0.iter().filter(|(key, value)| keep(key, value)).cloned().collect();
        Map(Shared::new(kept.into_iter()))
    }

    /// Where `key` is. Most maps are small and most keys differ in length, which is at hand: looking at each is quickest.
    fn find(&self, key: &str) -> Option<usize> {
        if self.0.len() > LOOKED_AT_MAX {
            return self.position(key).ok();
        }
        for (idx, (have, _)) in self.0.iter().enumerate() {
            if have.len() == key.len() && same_text(have, key) {
                return Some(idx);
            }
        }
        None
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(have, _)| have.as_str().cmp(key))
    }
}

impl PartialEq for Map {
    /// What is one allocation is not looked into.
    fn eq(&self, other: &Map) -> bool {
        self.same(other) || *self.0 == *other.0
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
        Map(Shared::new(entries.into_iter()))
    }
}

impl FromIterator<(Str, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Str, Value)>>(entries: I) -> Self {
        entries.into_iter().collect::<Vec<_>>().into()
    }
}
