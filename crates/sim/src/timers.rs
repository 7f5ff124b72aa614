//! What is due when.

use std::collections::BTreeMap;

use crate::Instant;

/// Wake-ups, earliest first; those of one instant in the order they were set.
#[derive(Clone, Debug)]
pub struct Timers<T> {
    /// Keyed by time and a counter that never repeats.
    due: BTreeMap<(Instant, u64), T>,
    n_set: u64,
}

impl<T> Timers<T> {
    pub fn new() -> Timers<T> {
        Timers { due: BTreeMap::new(), n_set: 0 }
    }

    /// Wakes `what` at `at`.
    pub fn set(&mut self, at: Instant, what: T) {
        self.due.insert((at, self.n_set), what);
        self.n_set += 1;
    }

    /// When the next one is due.
    pub fn next(&self) -> Option<Instant> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes the next one that is due at `now` or before.
    pub fn pop(&mut self, now: Instant) -> Option<T> {
        if self.next()? > now {
            return None;
        }
        self.due.pop_first().map(|(_, what)| what)
    }
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Timers::new()
    }
}
