//! Lets Event objects go an hour after they were last written, as etcd's leases do (`--event-ttl`).

use kinds::EVENT;
use meta::{Key, KindId, Object, Status};
use runtime::{Action, Cx, Reconciler, Watch};
use sim::{Duration, Instant};
use value::time;

const TTL: Duration = Duration::from_secs(3600);

#[derive(Default)]
pub(crate) struct EventTtl;

impl Reconciler for EventTtl {
    fn name(&self) -> &'static str {
        "event-ttl"
    }

    fn kind(&self) -> KindId {
        EVENT
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::Itself(EVENT)]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(event) = cx.get(EVENT, key) else { return Ok(Action::AwaitChange) };
        let due = written(&event) + TTL;
        if due > cx.now() {
            return Ok(Action::RequeueAfter(due.since(cx.now())));
        }
        match cx.delete(EVENT, key) {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(Action::AwaitChange),
        }
    }
}

/// When an event was last written: its last repetition or its creation.
fn written(event: &Object) -> Instant {
    let repeated =
        event.str_at("series.lastObservedTime").or(event.str_at("lastTimestamp")).and_then(time::parse_nanos);
    let created = event.meta.created.and_then(|it| u64::try_from(it).ok()).unwrap_or(0);
    repeated.map_or(Instant::from_secs(created), Instant::from_nanos)
}
