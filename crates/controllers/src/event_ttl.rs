//! Lets Event objects go an hour after they were last written, as etcd's leases do (`--event-ttl`), and the oldest when there are too many.

use std::collections::VecDeque;

use kinds::EVENT;
use meta::{Key, KindId, Revision};
use runtime::{Actor, Cx, Stats, View};
use sim::{Duration, Instant};
use store::Change;
use value::time;

const TTL: Duration = Duration::from_secs(3600);
/// Live events at most: in a large cluster they would be the largest kind.
const EVENTS_MAX: usize = 5_000;

/// Events in the order in which they go.
#[derive(Default)]
pub(crate) struct EventTtl {
    /// Due time, key and the revision that it had then: one that was written since is further back in the queue.
    due: VecDeque<(Instant, Key, Revision)>,
    n_live: usize,
    last_work: Option<Instant>,
}

impl EventTtl {
    fn is_over(&self, now: Instant) -> bool {
        self.n_live > EVENTS_MAX || self.due.front().is_some_and(|(at, ..)| *at <= now)
    }
}

impl Actor for EventTtl {
    fn name(&self) -> &'static str {
        "event-ttl"
    }

    fn kinds(&self) -> Vec<KindId> {
        vec![EVENT]
    }

    fn deliver(&mut self, _: KindId, changes: &[Change], view: &View<'_>) {
        for change in changes {
            if let Some(event) = &change.after {
                self.due.push_back((view.now + TTL, event.key(), change.revision));
            }
        }
        self.n_live = view.len(EVENT);
    }

    fn list(&mut self, view: &View<'_>) {
        let mut due: Vec<_> =
            view.list(EVENT, None).map(|it| (written(it) + TTL, it.key(), it.meta.revision)).collect();
        due.sort();
        self.n_live = due.len();
        self.due = due.into();
    }

    fn work(&mut self, cx: &mut Cx<'_>) -> bool {
        let mut did = false;
        while cx.may_write() && self.is_over(cx.now()) {
            let Some((_, key, revision)) = self.due.pop_front() else { break };
            if cx.get(EVENT, &key).is_some_and(|it| it.meta.revision == revision) {
                cx.delete(EVENT, &key).ok();
                self.n_live = self.n_live.saturating_sub(1);
            }
            did = true;
        }
        if did {
            self.last_work = Some(cx.now());
        }
        did
    }

    fn next_wakeup(&self) -> Option<Instant> {
        if self.n_live > EVENTS_MAX { Some(Instant::default()) } else { self.due.front().map(|(at, ..)| *at) }
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
