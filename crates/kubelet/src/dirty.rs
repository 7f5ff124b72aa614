//! Pods that are to be looked at, in the order of their keys.

use meta::{Key, KeyMap};
use runtime::Cause;

/// Keys that wait, each once, with the change that said so.
#[derive(Default)]
pub(crate) struct Dirty {
    causes: KeyMap<Option<Cause>>,
    /// Keys in `causes` and such as have been taken out, the first one last.
    sorted: Vec<Key>,
    /// The same of those that came since.
    fresh: Vec<Key>,
}

impl Dirty {
    /// Adds a key; the last cause is kept.
    pub fn insert(&mut self, key: Key, cause: Cause) {
        *self.add(key) = Some(cause);
    }

    /// Adds a key that no change made wait, or leaves it as it is.
    pub fn add(&mut self, key: Key) -> &mut Option<Cause> {
        let fresh = &mut self.fresh;
        self.causes.or_insert_with(&key, || {
            fresh.push(key.clone());
            None
        })
    }

    pub fn remove(&mut self, key: &Key) {
        self.causes.remove(key);
    }

    /// Takes the first key.
    pub fn pop(&mut self) -> Option<(Key, Option<Cause>)> {
        if !self.fresh.is_empty() {
            self.sorted.append(&mut self.fresh);
            self.sorted.sort_by(|a, b| b.cmp(a));
        }
        while let Some(key) = self.sorted.pop() {
            if let Some(cause) = self.causes.remove(&key) {
                return Some((key, cause));
            }
        }
        self.sorted = Vec::new();
        None
    }

    pub fn len(&self) -> usize {
        self.causes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.causes.is_empty()
    }

    /// In order.
    pub fn keys(&self) -> Vec<&Key> {
        self.causes.sorted().into_iter().map(|(key, _)| key).collect()
    }
}
