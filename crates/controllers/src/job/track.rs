//! Counts pods that have ended, each once: first in a list in the status, then, when its finalizer is gone, in a counter
//! (`trackJobStatusAndRemoveFinalizers`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meta::{Key, Object, Status};
use runtime::Cx;
use value::Str;

use super::backoff::Record;
use super::{
    COMPLETE, FAILED, FAILURE_TARGET, Finished, SUCCESS_CRITERIA_MET, Sync, has_tracking, policy, remove_tracking,
};
use crate::pods;

/// Pods in the lists of the status at most (`MaxUncountedPods`).
const UNCOUNTED_MAX: usize = 500;

impl Sync {
    /// # Errors
    /// A failed request.
    pub(super) fn track(
        &mut self,
        cx: &mut Cx<'_>,
        records: &mut BTreeMap<Key, Record>,
        changed: bool,
    ) -> Result<(), Status> {
        let mut kept: BTreeSet<Str> =
            self.pods.iter().filter(|it| has_tracking(it)).map(|it| it.meta.uid.clone()).collect();
        let mut flush = self.status.count(&|uid| kept.contains(uid)) || changed;
        let (release, full, found) = self.count_ended();
        flush |= found;
        flush |= self.announce();
        if flush {
            self.store(cx)?;
            records.insert(self.job.key(), self.record.clone());
        }
        let mut released = Ok(());
        for pod in &release {
            match remove_tracking(cx, pod) {
                Ok(()) => {
                    kept.remove(&pod.meta.uid);
                }
                Err(status) => released = Err(status),
            }
        }
        flush = self.status.count(&|uid| kept.contains(uid));
        if released.is_err() {
            if flush {
                self.store(cx)?;
            }
            return released;
        }
        let finished = if full { None } else { self.enact_finished() };
        if flush || finished.is_some() {
            self.store(cx)?;
        }
        if let Some(finished) = finished {
            self.record_finished(cx, &finished);
        }
        if full {
            cx.requeue_soon();
        }
        Ok(())
    }

    /// Notes pods that have ended; answers those whose finalizer may go, whether there are more, and whether any is news.
    fn count_ended(&mut self) -> (Vec<Arc<Object>>, bool, bool) {
        let mut release = Vec::new();
        let mut found = false;
        let mut new_indexes = BTreeSet::new();
        let ends_badly = self.finished.as_ref().is_some_and(|it| it.kind != SUCCESS_CRITERIA_MET);
        let mut pods = self.pods.clone();
        if self.spec.is_indexed {
            pods.sort_by_key(|it| super::indexes::of(it));
        }
        let mut full = false;
        for pod in pods.iter().filter(|it| has_tracking(it)) {
            let is_failed = policy::is_failed(&self.spec, pod);
            if !self.may_release(pod, is_failed) {
                continue;
            }
            release.push(pod.clone());
            let uid = &pod.meta.uid;
            let is_valid = !self.spec.is_indexed || self.valid_index(pod).is_some();
            let counted_as_failed = self.status.uncounted_failed.contains(uid);
            if pods::phase(pod) == "Succeeded" && !counted_as_failed {
                match self.valid_index(pod).filter(|_| self.spec.is_indexed) {
                    Some(index) if !self.succeeded_before.contains(index) => found |= new_indexes.insert(index),
                    Some(_) => (),
                    None if !self.spec.is_indexed && !self.status.uncounted_succeeded.contains(uid) => {
                        found = true;
                        self.status.uncounted_succeeded.push(uid.clone());
                    }
                    None => (),
                }
            } else if (is_failed || ends_badly) && !counted_as_failed && is_valid && policy::counts(&self.job, pod) {
                found = true;
                self.status.uncounted_failed.push(uid.clone());
            }
            let uncounted = self.status.uncounted_succeeded.len() + self.status.uncounted_failed.len();
            if new_indexes.len() + uncounted >= UNCOUNTED_MAX {
                full = true;
                break;
            }
        }
        (release, full, self.store_indexes(&new_indexes) || found)
    }

    /// `canRemoveFinalizer`
    fn may_release(&self, pod: &Object, is_failed: bool) -> bool {
        if self.job.meta.is_deleted() || self.finished.is_some() || pods::phase(pod) == "Succeeded" {
            return true;
        }
        let is_awaited = || {
            let index = super::indexes::of(pod);
            index.and_then(|it| self.delayed.get(&it)).is_some_and(|it| it.meta.uid == pod.meta.uid)
        };
        is_failed && !(self.spec.backoff_limit_per_index.is_some() && is_awaited())
    }

    /// Puts the indexes into the status; answers whether they changed.
    fn store_indexes(&mut self, new: &BTreeSet<i64>) -> bool {
        if !self.spec.is_indexed {
            return false;
        }
        self.succeeded_indexes = self.succeeded_indexes.with(new);
        let completed = self.succeeded_indexes.to_string();
        let failed = self.failed_indexes.as_ref().map(ToString::to_string);
        let changed = completed != self.status.completed_indexes || failed != self.status.failed_indexes;
        self.status.succeeded = self.succeeded_indexes.total();
        self.status.completed_indexes = completed;
        self.status.failed_indexes = failed;
        changed
    }

    /// Says in a condition that the Job is about to end; answers whether that is news.
    fn announce(&mut self) -> bool {
        let Some(finished) = self.finished.clone() else { return false };
        let ends_as = match finished.kind {
            FAILURE_TARGET => FAILED,
            SUCCESS_CRITERIA_MET => COMPLETE,
            _ => return false,
        };
        let Finished { kind, reason, message } = &finished;
        let is_news = self.status.conditions.is_true(kind).is_none();
        if is_news {
            self.status.conditions.push(kind, reason, message, self.now);
        }
        self.finished = Some(Finished { kind: ends_as, ..finished.clone() });
        is_news
    }

    /// The Job ends once every pod is counted and none is going; answers the condition (`enactJobFinished`).
    fn enact_finished(&mut self) -> Option<Finished> {
        let uncounted = self.status.uncounted_succeeded.len() + self.status.uncounted_failed.len();
        if uncounted > 0 || self.status.terminating > 0 {
            return None;
        }
        let finished = self.finished.clone()?;
        let Finished { kind, reason, message } = &finished;
        self.status.conditions.ensure(kind, "True", reason, message, self.now);
        if *kind == COMPLETE {
            self.status.completion_time = Some(self.now);
        }
        Some(finished)
    }

    fn record_finished(&self, cx: &mut Cx<'_>, finished: &Finished) {
        if finished.kind != COMPLETE {
            cx.event(&self.job, "Warning", &finished.reason, &finished.message);
            return;
        }
        if self.spec.completions.is_some_and(|it| self.status.succeeded > it) {
            let message = "Too many succeeded pods running after completion count reached";
            cx.event(&self.job, "Warning", "TooManySucceededPods", message);
        }
        cx.event(&self.job, "Normal", "Completed", "Job completed");
    }

    fn store(&mut self, cx: &mut Cx<'_>) -> Result<(), Status> {
        let job = self.job.clone();
        self.job = cx.update_status(&job, self.status.to_value())?;
        Ok(())
    }
}
