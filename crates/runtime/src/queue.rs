//! A work queue: each key waits once, failures back off, delays are timers (client-go's `workqueue`).

use std::collections::VecDeque;

use meta::{Hashed, Key, KeyMap, KindId, Revision, Status};
use sim::{Duration, Instant, Timers};

use crate::{Backlog, Failing, NAMED_MAX};

/// First delay after a failure; doubles each time (client-go's `DefaultControllerRateLimiter`).
const BACK_OFF_FIRST: Duration = Duration::from_millis(5);
/// The longest delay after failures.
const BACK_OFF_MAX: Duration = Duration::from_secs(1000);

/// The watch event that led to a piece of work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cause {
    pub kind: KindId,
    pub key: Key,
    pub revision: Revision,
}

/// Keys that wait for their reconciler.
#[derive(Clone, Debug)]
pub struct Queue<K = Key> {
    /// Keys to work on, first in first out. Each is also in `waiting`, so it waits once.
    ready: VecDeque<K>,
    waiting: KeyMap<Option<Cause>, K>,
    /// Keys to add later.
    delayed: Timers<K>,
    /// When a key is to be added at the earliest of its delays; later timers of the same key are ignored.
    due: KeyMap<(Instant, Option<Cause>), K>,
    /// Failures in a row, and in what words the last one came.
    failures: KeyMap<(u32, String), K>,
    n_retries: u64,
}

impl<K: Hashed + Ord + Clone> Default for Queue<K> {
    fn default() -> Self {
        Queue {
            ready: VecDeque::new(),
            waiting: KeyMap::new(),
            delayed: Timers::new(),
            due: KeyMap::new(),
            failures: KeyMap::new(),
            n_retries: 0,
        }
    }
}

impl<K: Hashed + Ord + Clone> Queue<K> {
    /// Adds a key unless it waits already; the first cause is kept.
    pub fn add(&mut self, key: K, cause: Option<Cause>) {
        if let Some(waiting) = self.waiting.get_mut(&key) {
            if waiting.is_none() {
                *waiting = cause;
            }
            return;
        }
        self.ready.push_back(key.clone());
        self.waiting.insert_new(key, cause);
    }

    /// Adds a key at `at`, unless it will be added sooner.
    pub fn add_at(&mut self, key: K, at: Instant) {
        self.set_due(key, at, None);
    }

    /// Adds a key because of a change, but only at `at`; not at all if it waits already.
    pub fn add_later(&mut self, key: K, cause: Cause, at: Instant) {
        if !self.waiting.contains_key(&key) {
            self.set_due(key, at, Some(cause));
        }
    }

    fn set_due(&mut self, key: K, at: Instant, cause: Option<Cause>) {
        if self.due.get(&key).is_some_and(|(due, _)| *due <= at) {
            return;
        }
        self.due.insert(key.clone(), (at, cause));
        self.delayed.set(at, key);
    }

    /// Adds a key that failed, after its back-off.
    pub fn add_failed(&mut self, key: K, now: Instant, why: &Status) {
        let (n_failures, message) = self.failures.or_default(&key);
        *message = why.message.clone();
        let delay = BACK_OFF_FIRST.saturating_mul(1_u32.checked_shl(*n_failures).unwrap_or(u32::MAX)).min(BACK_OFF_MAX);
        *n_failures = n_failures.saturating_add(1);
        self.n_retries += 1;
        self.add_at(key, now + delay);
    }

    /// A key succeeded: its next failure backs off from the start.
    pub fn forget(&mut self, key: &K) {
        self.failures.remove(key);
    }

    /// Makes delayed keys that are due ready.
    pub fn wake(&mut self, now: Instant) {
        while let Some(key) = self.delayed.pop(now) {
            if self.due.get(&key).is_some_and(|(at, _)| *at <= now) {
                let cause = self.due.remove(&key).and_then(|(_, cause)| cause);
                self.add(key, cause);
            }
        }
    }

    /// The next key to work on.
    pub fn pop(&mut self) -> Option<(K, Option<Cause>)> {
        let key = self.ready.pop_front()?;
        let cause = self.waiting.remove(&key).flatten();
        Some((key, cause))
    }

    /// How many keys are ready.
    pub fn len(&self) -> usize {
        self.ready.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// When the next delayed key is due.
    pub fn next_wakeup(&self) -> Option<Instant> {
        self.delayed.next()
    }

    /// What waits, for who looks; `text` names a key.
    pub fn backlog(&self, text: &dyn Fn(&K) -> String) -> Backlog {
        let (due, failures) = (self.due.sorted(), self.failures.sorted());
        let later = due.iter().filter(|(key, _)| !self.failures.contains_key(key));
        let failing = failures.iter().take(NAMED_MAX).map(|(key, (n_failures, message))| Failing {
            key: text(key),
            n_failures: *n_failures,
            again: self.due.get(key).map(|(at, _)| *at),
            message: message.clone(),
        });
        Backlog {
            next: self.ready.iter().take(NAMED_MAX).map(text).collect(),
            n_later: later.clone().count() as u64,
            first_later: later.min_by_key(|(_, (at, _))| *at).map(|(key, (at, _))| (text(key), *at)),
            failing: failing.collect(),
            n_failing: self.failures.len() as u64,
            last: None,
        }
    }

    /// How often a key was put back after a failure.
    pub fn n_retries(&self) -> u64 {
        self.n_retries
    }

    /// Forgets everything, as a restart does.
    pub fn clear(&mut self) {
        *self = Queue { n_retries: self.n_retries, ..Queue::default() };
    }
}
