//! Maps of what comes and goes seldom, is looked up often and is also walked through.

use crate::{Hashed, Key, KeyMap};

/// A [`KeyMap`] that knows the order of its keys.
#[derive(Clone, Debug)]
pub struct OrderedMap<V, K = Key> {
    map: KeyMap<V, K>,
    /// Where the entries stand in `map`, in the order of keys.
    order: Vec<u32>,
}

impl<V, K: Hashed + Ord> OrderedMap<V, K> {
    pub fn get<Q: Hashed + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: PartialEq<Q>,
    {
        self.map.get(key)
    }

    pub fn get_mut<Q: Hashed + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: PartialEq<Q>,
    {
        self.map.get_mut(key)
    }

    pub fn contains_key<Q: Hashed + ?Sized>(&self, key: &Q) -> bool
    where
        K: PartialEq<Q>,
    {
        self.map.contains_key(key)
    }

    fn idx(&self, key: &K) -> usize {
        self.order.partition_point(|it| self.map.entry(*it as usize).0 < *key)
    }

    /// Sets the value of a key; answers the one before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        if let Some(before) = self.get_mut(&key) {
            return Some(std::mem::replace(before, value));
        }
        let idx = self.idx(&key);
        self.order.insert(idx, self.map.len() as u32);
        self.map.insert_new(key, value);
        None
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        if !self.contains_key(key) {
            return None;
        }
        // The last entry takes the place of the one that goes.
        let last = self.map.len() - 1;
        let (idx, idx_of_last) = (self.idx(key), self.idx(&self.map.entry(last).0));
        self.order[idx_of_last] = self.order[idx];
        self.order.remove(idx);
        self.map.remove(key)
    }

    pub fn len(&self) -> usize {
        self.map.len()
    }

    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// In the order of keys.
    pub fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.order.iter().map(|it| self.map.entry(*it as usize))
    }

    /// In the order of keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Changes every value; `f` must not depend on the order.
    pub fn change_all(&mut self, f: impl FnMut(&mut V)) {
        self.map.change_all(f);
    }
}

impl<V, K: Hashed + Ord> Default for OrderedMap<V, K> {
    fn default() -> OrderedMap<V, K> {
        OrderedMap { map: KeyMap::new(), order: Vec::new() }
    }
}
