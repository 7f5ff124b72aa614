//! Pods that wait: ready by priority, backing off, or unschedulable until something changes (`backend/queue`).

use std::collections::BTreeSet;

use meta::{Key, KeyMap};
use runtime::{Backlog, Failing, NAMED_MAX};
use sim::{Duration, Instant};

/// First and longest delay after a failed attempt.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));
/// Unschedulable pods are tried again after this long even if nothing happened.
const UNSCHEDULABLE_MAX: Duration = Duration::from_secs(300);

/// What kept a pod from being scheduled, as far as it tells which change may help.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Rejected {
    /// Something of the node itself: labels, taints, cordon, name.
    pub by_node: bool,
    /// Something that other pods take: resources, ports.
    pub by_pods: bool,
    /// Where other pods are: a pod that comes may help as well as one that goes.
    pub by_company: bool,
    /// Its claims.
    pub by_volumes: bool,
}

#[derive(Clone, Debug)]
struct Waiting {
    priority: i64,
    attempts: u32,
    /// When it was last tried.
    tried: Instant,
    /// When it became ready to be tried first; earlier ones go first within a priority.
    since: Instant,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Ready,
    BackingOff(Instant),
    Unschedulable(Rejected),
}

/// The queue. Each pod is in it at most once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    pods: KeyMap<Waiting>,
    /// Ready pods in the order in which they are tried: highest priority first, then longest wait, then key.
    ready: BTreeSet<(i64, Instant, Key)>,
    /// When pods that back off or are unschedulable are due.
    due: BTreeSet<(Instant, Key)>,
}

impl Queue {
    /// A pod that is to be scheduled; one that waits already becomes ready at once if its spec changed.
    pub fn add(&mut self, key: Key, priority: i64, now: Instant) {
        if self.pods.contains_key(&key) {
            return;
        }
        self.ready.insert((-priority, now, key.clone()));
        self.pods
            .insert(key, Waiting { priority, attempts: 0, tried: Instant::default(), since: now, state: State::Ready });
    }

    pub fn remove(&mut self, key: &Key) {
        let Some(pod) = self.pods.remove(key) else { return };
        self.unlink(key, &pod);
    }

    fn unlink(&mut self, key: &Key, pod: &Waiting) {
        match pod.state {
            State::Ready => self.ready.remove(&(-pod.priority, pod.since, key.clone())),
            State::BackingOff(at) => self.due.remove(&(at, key.clone())),
            State::Unschedulable(_) => self.due.remove(&(pod.tried + UNSCHEDULABLE_MAX, key.clone())),
        };
    }

    /// The next pod to try, and which attempt this is.
    pub fn pop(&mut self, now: Instant) -> Option<(Key, u32)> {
        self.wake(now);
        let (_, _, key) = self.ready.pop_first()?;
        let pod = self.pods.get_mut(&key).expect("every ready key is of a waiting pod");
        pod.attempts += 1;
        pod.tried = now;
        // Until its fate is told it counts as unschedulable for no reason.
        pod.state = State::Unschedulable(Rejected::default());
        let attempts = pod.attempts;
        self.due.insert((now + UNSCHEDULABLE_MAX, key.clone()));
        Some((key, attempts))
    }

    /// The pod of the last [`Queue::pop`] found no node.
    pub fn reject(&mut self, key: &Key, why: Rejected) {
        if let Some(pod) = self.pods.get_mut(key) {
            pod.state = State::Unschedulable(why);
        }
    }

    /// Something changed: unschedulable pods for which `may_help` answers true become ready, after their back-off.
    pub fn something_changed(&mut self, now: Instant, may_help: &dyn Fn(&Key, Rejected) -> bool) {
        let helped =
            self.pods.sorted_if(|key, pod| matches!(pod.state, State::Unschedulable(why) if may_help(key, why)));
        let keys: Vec<Key> = helped.into_iter().map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.back_off(&key, now);
        }
    }

    /// One pod is to be tried again after its back-off.
    pub fn back_off(&mut self, key: &Key, now: Instant) {
        let Some(before) = self.pods.get(key).cloned() else { return };
        if matches!(before.state, State::Ready | State::BackingOff(_)) {
            return;
        }
        self.unlink(key, &before);
        let at = before.tried + delay(before.attempts);
        let pod = self.pods.get_mut(key).expect("the pod was there a line before");
        if at <= now || before.attempts == 0 {
            pod.state = State::Ready;
            pod.since = now;
            self.ready.insert((-pod.priority, now, key.clone()));
        } else {
            pod.state = State::BackingOff(at);
            self.due.insert((at, key.clone()));
        }
    }

    fn wake(&mut self, now: Instant) {
        while self.due.first().is_some_and(|(at, _)| *at <= now)
            && let Some((_, key)) = self.due.pop_first()
        {
            if let Some(pod) = self.pods.get_mut(&key) {
                pod.state = State::Ready;
                pod.since = now;
                self.ready.insert((-pod.priority, now, key));
            }
        }
    }

    pub fn next_wakeup(&self) -> Option<Instant> {
        if !self.ready.is_empty() {
            return Some(Instant::default());
        }
        self.due.first().map(|(at, _)| *at)
    }

    pub fn n_ready(&self) -> usize {
        self.ready.len()
    }

    /// What waits, for who looks: pods that fit nowhere are those that failed.
    pub fn backlog(&self) -> Backlog {
        let failing = self.pods.sorted_if(|_, it| it.state != State::Ready && it.attempts > 0);
        let one = |(key, it): &(Key, Waiting)| Failing {
            key: key.to_string(),
            n_failures: it.attempts,
            again: match it.state {
                State::BackingOff(at) => Some(at),
                _ => Some(it.tried + UNSCHEDULABLE_MAX),
            },
            message: match it.state {
                State::BackingOff(_) => String::new(),
                _ => "fits nowhere until something changes".to_owned(),
            },
        };
        Backlog {
            next: self.ready.iter().take(NAMED_MAX).map(|(_, _, key)| key.to_string()).collect(),
            n_failing: failing.len() as u64,
            failing: failing.into_iter().take(NAMED_MAX).map(one).collect(),
            ..Backlog::default()
        }
    }

    /// Whether any pod waits for a change.
    pub fn has_unschedulable(&self) -> bool {
        self.pods.len() > self.ready.len()
    }
}

fn delay(attempts: u32) -> Duration {
    let (first, max) = BACK_OFF;
    first.saturating_mul(1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX)).min(max)
}
