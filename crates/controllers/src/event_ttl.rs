//! Lets Event objects go an hour after they were last written (`--event-ttl`), and the oldest when there are too many.
//!
//! As upstream's storage does it, events of one minute share a lease, and all that hold one go in one commit
//! (`storage/etcd3/lease_manager.go`).

use std::collections::VecDeque;

use kinds::EVENT;
use meta::{Key, KindId, Revision};
use runtime::{Actor, Cx, Stats, View};
use sim::{Duration, Instant};
use store::Change;
use value::time;

const TTL: Duration = Duration::from_secs(3600);
/// How long a lease is given to new events; it lasts so much longer.
const REUSE: Duration = Duration::from_secs(60);
/// Events that share a lease at most.
const SHARED_MAX: usize = 1_000;
/// Live events at most: in a large cluster they would be the largest kind.
const EVENTS_MAX: usize = 5_000;

/// Leases in the order in which they end.
#[derive(Default)]
pub(crate) struct EventTtl {
    leases: VecDeque<Lease>,
    n_live: usize,
    last_work: Option<Instant>,
}

struct Lease {
    ends: Instant,
    /// With the revisions that they had then: one that was written since has another lease.
    events: VecDeque<(Key, Revision)>,
}

impl EventTtl {
    fn add(&mut self, event: &meta::Object, now: Instant) {
        let entry = (event.key(), event.meta.revision);
        match self.leases.back_mut() {
            Some(it) if now + TTL < it.ends && it.events.len() < SHARED_MAX => it.events.push_back(entry),
            _ => self.leases.push_back(Lease { ends: now + TTL + REUSE, events: VecDeque::from([entry]) }),
        }
    }

    /// Keys of what goes now.
    fn due(&mut self, cx: &Cx<'_>) -> Vec<Key> {
        let mut keys = Vec::new();
        while let Some(lease) = self.leases.front_mut() {
            let is_over = lease.ends <= cx.now();
            while (is_over || self.n_live - keys.len() > EVENTS_MAX)
                && let Some((key, revision)) = lease.events.pop_front()
            {
                if cx.get(EVENT, &key).is_some_and(|it| it.meta.revision == revision) {
                    keys.push(key);
                }
            }
            if !lease.events.is_empty() || !(is_over || self.leases.len() > 1) {
                break;
            }
            self.leases.pop_front();
        }
        keys
    }
}

impl Actor for EventTtl {
    fn name(&self) -> &'static str {
        "event-ttl"
    }

    fn kinds(&self) -> Vec<KindId> {
        vec![EVENT]
    }

    fn deliver(&mut self, _: KindId, changes: &[Change], view: &View<'_>) -> bool {
        for event in changes.iter().filter_map(|it| it.after.as_ref()) {
            self.add(event, view.now);
        }
        self.n_live = view.len(EVENT);
        true
    }

    fn list(&mut self, view: &View<'_>) {
        self.leases.clear();
        let mut events: Vec<_> = view.list(EVENT, None).map(|it| (written(it), it.meta.revision, it)).collect();
        events.sort_by_key(|(at, revision, it)| (*at, *revision, it.key()));
        self.n_live = events.len();
        for (at, _, event) in events {
            self.add(event, at);
        }
    }

    fn work(&mut self, cx: &mut Cx<'_>) -> bool {
        let keys = self.due(cx);
        if keys.is_empty() {
            return false;
        }
        self.n_live -= keys.len();
        cx.expire_events(&keys);
        self.last_work = Some(cx.now());
        true
    }

    fn next_wakeup(&self) -> Option<Instant> {
        if self.n_live > EVENTS_MAX { Some(Instant::default()) } else { self.leases.front().map(|it| it.ends) }
    }

    fn stats(&self) -> Stats {
        Stats { queue_depth: 0, retries: 0, last_work: self.last_work }
    }
}

/// When an event was last written: its last repetition or its creation.
fn written(event: &meta::Object) -> Instant {
    let repeated =
        event.str_at("series.lastObservedTime").or(event.str_at("lastTimestamp")).and_then(time::parse_nanos);
    let created = event.meta.created.and_then(|it| u64::try_from(it).ok()).unwrap_or(0);
    repeated.map_or(Instant::from_secs(created), Instant::from_nanos)
}
