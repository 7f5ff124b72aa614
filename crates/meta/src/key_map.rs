//! Maps that are looked up and not walked through.

use std::fmt;

use crate::{Hashed, Key, Places};

/// Room for so many entries is kept when there are none.
const FEW: usize = 4;

/// A map by [`Key`] or text, in no order that means anything: who needs all entries sorts them.
#[derive(Clone)]
pub struct KeyMap<V, K = Key> {
    /// Where the entry of a key stands in `entries`. Nowhere, as a rule, when it is the only one.
    places: Places,
    entries: Vec<(K, V)>,
}

impl<V, K: Hashed + Eq> KeyMap<V, K> {
    pub fn new() -> KeyMap<V, K> {
        KeyMap { places: Places::default(), entries: Vec::new() }
    }

    fn place<Q: Hashed + ?Sized>(&self, key: &Q) -> Option<usize>
    where
        K: PartialEq<Q>,
    {
        // Most maps are empty most of the time, or have one entry.
        match &*self.entries {
            [] => None,
            [only] => (only.0 == *key).then_some(0),
            _ => self.places.find(key.hashed(), |it| self.entries[it].0 == *key),
        }
    }

    pub fn get<Q: Hashed + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: PartialEq<Q>,
    {
        self.place(key).map(|it| &self.entries[it].1)
    }

    pub fn get_mut<Q: Hashed + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: PartialEq<Q>,
    {
        self.place(key).map(|it| &mut self.entries[it].1)
    }

    pub fn contains_key<Q: Hashed + ?Sized>(&self, key: &Q) -> bool
    where
        K: PartialEq<Q>,
    {
        self.place(key).is_some()
    }

    /// Sets the value of a key; answers the one before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        if let Some(before) = self.get_mut(&key) {
            return Some(std::mem::replace(before, value));
        }
        self.insert_new(key, value);
        None
    }

    /// Sets the value of a key that is known not to be there.
    pub fn insert_new(&mut self, key: K, value: V) {
        self.push(key, value);
    }

    fn push(&mut self, key: K, value: V) -> usize {
        let place = self.entries.len();
        if let [only] = &*self.entries
            && self.places.is_empty()
        {
            self.places.insert(only.0.hashed(), 0);
        }
        if place > 0 {
            self.places.insert(key.hashed(), place);
        }
        self.entries.push((key, value));
        place
    }

    /// The value of a key; a new one if there was none.
    pub fn or_insert_with(&mut self, key: &K, make: impl FnOnce() -> V) -> &mut V
    where
        K: Clone,
    {
        let place = match self.place(key) {
            Some(it) => it,
            None => self.push(key.clone(), make()),
        };
        &mut self.entries[place].1
    }

    /// The same with the default value.
    pub fn or_default(&mut self, key: &K) -> &mut V
    where
        K: Clone,
        V: Default,
    {
        self.or_insert_with(key, V::default)
    }

    pub fn remove<Q: Hashed + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: PartialEq<Q>,
    {
        let place = self.place(key)?;
        if !self.places.is_empty() {
            self.places.remove(key.hashed(), place);
        }
        let (_, value) = self.entries.swap_remove(place);
        // Many queues are long once and then empty for good; others have one entry again and again.
        if self.entries.is_empty() && self.entries.capacity() > FEW {
            self.clear();
        }
        if let Some((moved, _)) = self.entries.get(place) {
            self.places.replace(moved.hashed(), self.entries.len(), place);
        }
        Some(value)
    }

    /// Takes out all but those for which `keep`, which must not depend on the order, answers true.
    pub fn retain(&mut self, keep: impl Fn(&K, &V) -> bool) {
        self.entries.retain(|(key, value)| keep(key, value));
        self.places.clear();
        for (place, (key, _)) in self.entries.iter().enumerate() {
            self.places.insert(key.hashed(), place);
        }
    }

    /// Changes every value; `f` must not depend on the order.
    pub fn change_all(&mut self, mut f: impl FnMut(&mut V)) {
        self.entries.iter_mut().for_each(|(_, value)| f(value));
    }

    pub(crate) fn entry(&self, place: usize) -> &(K, V) {
        &self.entries[place]
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn clear(&mut self) {
        *self = KeyMap::new();
    }

    /// All entries, in the order of keys.
    pub fn sorted(&self) -> Vec<&(K, V)>
    where
        K: Ord,
    {
        self.sorted_if(|_, _| true)
    }

    /// Those for which `keep`, which must not depend on the order, answers true, in the order of keys.
    pub fn sorted_if(&self, keep: impl Fn(&K, &V) -> bool) -> Vec<&(K, V)>
    where
        K: Ord,
    {
        let mut kept: Vec<&(K, V)> = self.entries.iter().filter(|(key, value)| keep(key, value)).collect();
        kept.sort_by(|a, b| a.0.cmp(&b.0));
        kept
    }
}

impl<V, K: Hashed + Eq> Default for KeyMap<V, K> {
    fn default() -> KeyMap<V, K> {
        KeyMap::new()
    }
}

impl<V: fmt::Debug, K: fmt::Debug> fmt::Debug for KeyMap<V, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries.iter().map(|(key, value)| (key, value))).finish()
    }
}
