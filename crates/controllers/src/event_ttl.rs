//! Lets Event objects go an hour after they were last written (`--event-ttl`), and the oldest when there are too many.
//!
//! As upstream's storage does it, events of one minute share a lease, and all that hold one go in one commit
//! (`storage/etcd3/lease_manager.go`).

use std::collections::VecDeque;

use kinds::EVENT;
use meta::{Key, KindId, Revision};
use runtime::{Actor, Cx, News, Stats, View, Wanted};
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

/// What is leased, in the order in which leases end.
#[derive(Default)]
pub(crate) struct EventTtl {
    leased: VecDeque<Leased>,
    /// When the lease ends that was given last, and how many events share it.
    ends: Instant,
    n_shared: usize,
    n_live: usize,
    last_work: Option<Instant>,
}

struct Leased {
    ends: Instant,
    key: Key,
    /// What it was then: an event that was written since has another lease.
    revision: Revision,
}

impl EventTtl {
    fn add(&mut self, event: &meta::Object, now: Instant) {
        if now + TTL >= self.ends || self.n_shared == SHARED_MAX {
            (self.ends, self.n_shared) = (now + TTL + REUSE, 0);
        }
        self.n_shared += 1;
        self.leased.push_back(Leased { ends: self.ends, key: event.key(), revision: event.meta.revision });
    }
}

impl Actor for EventTtl {
    fn name(&self) -> &'static str {
        "event-ttl"
    }

    fn wants(&self) -> Vec<Wanted> {
        vec![Wanted::any(EVENT)]
    }

    fn deliver(&mut self, _: KindId, changes: &[Change], _: News, view: &View<'_>) -> bool {
        for event in changes.iter().filter_map(|it| it.after.as_ref()) {
            self.add(event, view.now);
        }
        self.n_live = view.len(EVENT);
        true
    }

    fn list(&mut self, view: &View<'_>) {
        self.leased.clear();
        self.ends = Instant::default();
        let mut events: Vec<_> = view.list(EVENT, None).map(|it| (written(it), it.meta.revision, it)).collect();
        events.sort_by_key(|(at, revision, it)| (*at, *revision, it.key()));
        self.n_live = events.len();
        for (at, _, event) in events {
            self.add(event, at);
        }
    }

    fn work(&mut self, cx: &mut Cx<'_>) -> bool {
        let (now, n_before, commit) = (cx.now(), self.n_live, cx.next_revision());
        while let Some(Leased { key, revision, .. }) =
            self.leased.pop_front_if(|it| it.ends <= now || self.n_live > EVENTS_MAX)
        {
            self.n_live -= usize::from(cx.expire_event(&key, revision, commit));
        }
        let is_work = self.n_live < n_before;
        if is_work {
            self.last_work = Some(now);
        }
        is_work
    }

    fn next_wakeup(&self) -> Option<Instant> {
        if self.n_live > EVENTS_MAX { Some(Instant::default()) } else { self.leased.front().map(|it| it.ends) }
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
