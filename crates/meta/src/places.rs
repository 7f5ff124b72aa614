//! Where things stand in a list, by the hash of what names them: one table for all maps that are looked up by text.
//!
//! Nothing can be walked through here, so no order ever comes of hashes.

use value::Str;

use crate::{Key, KindId};

/// Slots of the smallest table.
const SLOTS_MIN: usize = 8;

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

/// The places of things: a hash table with linear probing that holds hashes and numbers only.
///
/// With 8 slots, of two things whose hashes both lead to slot 3 the second stands behind the first: `[_, _, _, a, b, _, _, _]`.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The hash in the upper half, the place plus one in the lower; zero is free. As many as a power of two, or none.
    slots: Vec<u64>,
    n_taken: usize,
}

fn slot_of(hash: u32, place: u32) -> u64 {
    u64::from(hash) << 32 | (u64::from(place) + 1)
}

fn hash_of(slot: u64) -> usize {
    (slot >> 32) as usize
}

impl Places {
    /// The place of what has this hash and for which `is_it` answers true.
    pub fn find(&self, hash: u32, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut idx = hash as usize & mask;
        loop {
            let slot = *self.slots.get(idx)?;
            if slot == 0 {
                return None;
            }
            let place = (slot as u32 - 1) as usize;
            if hash_of(slot) == hash as usize && is_it(place) {
                return Some(place);
            }
            idx = (idx + 1) & mask;
        }
    }

    /// Something that is not there yet takes a place.
    pub fn insert(&mut self, hash: u32, place: usize) {
        // Three of four slots are taken at most.
        if (self.n_taken + 1) * 4 > self.slots.len() * 3 {
            let n_slots = (self.slots.len() * 2).max(SLOTS_MIN);
            let old = std::mem::replace(&mut self.slots, vec![0; n_slots]);
            for slot in old {
                if slot != 0 {
                    self.put(slot);
                }
            }
        }
        self.n_taken += 1;
        self.put(slot_of(hash, place as u32));
    }

    fn put(&mut self, slot: u64) {
        let mask = self.slots.len() - 1;
        let mut idx = hash_of(slot) & mask;
        while self.slots[idx] != 0 {
            idx = (idx + 1) & mask;
        }
        self.slots[idx] = slot;
    }

    fn slot_idx(&self, hash: u32, place: usize) -> Option<usize> {
        let wanted = slot_of(hash, place as u32);
        let mask = self.slots.len().wrapping_sub(1);
        let mut idx = hash as usize & mask;
        loop {
            let slot = *self.slots.get(idx)?;
            if slot == wanted {
                return Some(idx);
            }
            if slot == 0 {
                return None;
            }
            idx = (idx + 1) & mask;
        }
    }

    /// What stands in a place goes. Those that had to stand behind it move up.
    pub fn remove(&mut self, hash: u32, place: usize) {
        let Some(mut free) = self.slot_idx(hash, place) else { return };
        let mask = self.slots.len() - 1;
        let mut idx = free;
        loop {
            idx = (idx + 1) & mask;
            let slot = self.slots[idx];
            if slot == 0 {
                break;
            }
            // Whether where it would like to stand is not between the free slot and its own.
            if (idx.wrapping_sub(hash_of(slot)) & mask) >= (idx.wrapping_sub(free) & mask) {
                self.slots[free] = slot;
                free = idx;
            }
        }
        self.slots[free] = 0;
        self.n_taken -= 1;
    }

    /// What stands in a place stands in another one from now on.
    pub fn replace(&mut self, hash: u32, from: usize, to: usize) {
        if let Some(idx) = self.slot_idx(hash, from) {
            self.slots[idx] = slot_of(hash, to as u32);
        }
    }

    pub fn clear(&mut self) {
        *self = Places::default();
    }
}
