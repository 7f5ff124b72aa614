//! Deletes Jobs some time after they have ended (`pkg/controller/ttlafterfinished`).

use kinds::JOB;
use meta::{Key, KindId, Status};
use runtime::{Action, Cx, Propagation, Reconciler, View, Watch};
use sim::{Duration, Instant};
use store::Change;
use value::time;

use crate::job;

pub(crate) struct TtlAfterFinished;

/// A Job that has ended and is not to stay (`needsCleanup`).
fn mortal(change: &Change, _: &View<'_>, keys: &mut Vec<Key>) {
    let job = change.after.as_ref().filter(|it| it.i64_at("spec.ttlSecondsAfterFinished").is_some());
    keys.extend(job.filter(|it| job::is_finished(it)).map(|it| it.key()));
}

impl Reconciler for TtlAfterFinished {
    fn name(&self) -> &'static str {
        "ttl-after-finished"
    }

    fn kind(&self) -> KindId {
        JOB
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::map(JOB, mortal)]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(job) = cx.get(JOB, key).filter(|it| !it.meta.is_deleted()) else { return Ok(Action::AwaitChange) };
        let (Some(ttl), Some(condition)) = (job.i64_at("spec.ttlSecondsAfterFinished"), job::finished_condition(&job))
        else {
            return Ok(Action::AwaitChange);
        };
        let Some(ended) = condition.str_at("lastTransitionTime").and_then(time::parse_secs) else {
            return Ok(Action::AwaitChange);
        };
        let expires = Instant::from_secs(u64::try_from(ended.saturating_add(ttl)).unwrap_or(0));
        let left = expires.since(cx.now());
        if left > Duration::ZERO {
            return Ok(Action::RequeueAfter(left));
        }
        match cx.delete_with(JOB, key, &job.meta.uid, Propagation::Foreground) {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(Action::AwaitChange),
        }
    }
}
