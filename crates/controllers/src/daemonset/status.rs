//! The counts in a DaemonSet's status (`updateDaemonSetStatus`).

use meta::Status;
use runtime::Cx;
use sim::Duration;
use value::{Map, Value};

use super::manage::by_age;
use super::{Place, Sync, update};
use crate::pods;

/// What the status counts.
#[derive(Default, PartialEq, Eq, Debug)]
struct Counts {
    desired: i64,
    current: i64,
    misscheduled: i64,
    ready: i64,
    updated: i64,
    available: i64,
}

fn count(sync: &Sync<'_>) -> Counts {
    let mut counts = Counts::default();
    let at_once = sync.min_ready_seconds == 0;
    for Place { should_run, pods, .. } in sync.places.iter().filter(|it| it.exists) {
        match pods.as_slice() {
            [] if *should_run => counts.desired += 1,
            [] => (),
            _ if !should_run => counts.misscheduled += 1,
            pods => {
                counts.desired += 1;
                counts.current += 1;
                let oldest =
                    if pods.len() == 1 { pods.first().cloned() } else { by_age(pods.to_vec()).into_iter().next() };
                let Some(pod) = oldest else { continue };
                let ready = pods::is_ready(&pod);
                counts.ready += i64::from(ready);
                counts.available +=
                    i64::from(ready && (at_once || pods::is_available(&pod, sync.min_ready_seconds, sync.now)));
                counts.updated += i64::from(update::is_updated(sync, &pod));
            }
        }
    }
    counts
}

/// Writes the status if it differs; answers when to look again because pods become available by time alone.
///
/// # Errors
/// A failed request.
pub(super) fn store(cx: &mut Cx<'_>, sync: &Sync<'_>) -> Result<Option<Duration>, Status> {
    let counts = count(sync);
    // The set as it is now: history may have counted a collision in its status.
    let mut status = sync.set.map_at("status").cloned().unwrap_or_default();
    put(&mut status, "desiredNumberScheduled", counts.desired, true);
    put(&mut status, "currentNumberScheduled", counts.current, true);
    put(&mut status, "numberMisscheduled", counts.misscheduled, true);
    put(&mut status, "numberReady", counts.ready, true);
    put(&mut status, "updatedNumberScheduled", counts.updated, false);
    put(&mut status, "numberAvailable", counts.available, false);
    put(&mut status, "numberUnavailable", counts.desired - counts.available, false);
    put(&mut status, "observedGeneration", sync.set.meta.generation, false);
    cx.update_status(sync.set, Value::Map(status))?;
    let min_ready = sync.min_ready_seconds;
    let waits = min_ready > 0 && counts.ready != counts.available;
    let again = waits.then(|| Duration::from_secs(min_ready.unsigned_abs()));
    // Of the pods of a node only the oldest is counted, but a younger one decides about it: `updatePod` comes back
    // a second after it became available.
    let waits = sync.places.iter().filter_map(|it| pods::until_available(&it.pods, min_ready, sync.now));
    let next = waits.min().map(|it| it + Duration::from_secs(1));
    Ok(again.into_iter().chain(next).min())
}

/// Sets a count; zero is left out where the field is optional.
fn put(status: &mut Map, key: &str, count: i64, always: bool) {
    if count == 0 && !always {
        status.remove(key);
    } else if status.get(key).and_then(Value::as_i64) != Some(count) {
        status.insert(key, count);
    }
}
