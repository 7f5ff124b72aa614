//! Where things stand in a list, by the hash of what names them: one table for all maps that are looked up by text.
//!
//! Nothing can be walked through here, so no order ever comes of hashes.

use hashbrown::HashTable;
use value::Str;

use crate::{Key, KindId};

/// What things are found by.
pub trait Hashed {
    /// The same for equal ones.
    fn hashed(&self) -> u32;
}

impl Hashed for str {
    fn hashed(&self) -> u32 {
        value::hash(self)
    }
}

impl Hashed for Str {
    fn hashed(&self) -> u32 {
        value::hash(self)
    }
}

/// For numbers that are hashes themselves.
impl Hashed for u64 {
    fn hashed(&self) -> u32 {
        (*self ^ (*self >> 32)) as u32
    }
}

impl Hashed for Key {
    fn hashed(&self) -> u32 {
        hash_of_names(&self.namespace, &self.name)
    }
}

impl Hashed for (KindId, Key) {
    fn hashed(&self) -> u32 {
        self.1.hashed() ^ u32::from(self.0.0)
    }
}

/// As [`Key::hashed`], of its parts.
pub fn hash_of_names(namespace: &str, name: &str) -> u32 {
    // Every namespace has objects of the same names.
    value::hash(namespace).rotate_left(5) ^ value::hash(name)
}

/// The places of things: a table of hashes and numbers only.
#[derive(Clone, Debug, Default)]
pub struct Places(HashTable<(u32, u32)>);

/// The table looks at the upper and at the lower end of a hash.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Places {
    /// The place of what has this hash and for which `is_it` answers true.
    pub fn find(&self, hash: u32, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let found = self.0.find(spread(hash), |(its, place)| *its == hash && is_it(*place as usize));
        found.map(|(_, place)| *place as usize)
    }

    /// Something that is not there yet takes a place.
    pub fn insert(&mut self, hash: u32, place: usize) {
        self.0.insert_unique(spread(hash), (hash, place as u32), |it| spread(it.0));
    }

    /// What stands in a place goes.
    pub fn remove(&mut self, hash: u32, place: usize) {
        if let Ok(it) = self.0.find_entry(spread(hash), |it| *it == (hash, place as u32)) {
            it.remove();
        }
    }

    /// What stands in a place stands in another one from now on.
    pub fn replace(&mut self, hash: u32, from: usize, to: usize) {
        if let Some(it) = self.0.find_mut(spread(hash), |it| *it == (hash, from as u32)) {
            it.1 = to as u32;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        *self = Places::default();
    }
}
