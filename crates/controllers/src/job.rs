//! Runs pods of a Job until enough of them have succeeded (`pkg/controller/job`).

mod backoff;
mod indexes;
mod manage;
mod policy;
mod spec;
mod status;
mod track;

use std::collections::BTreeMap;
use std::sync::Arc;

use kinds::{JOB, POD};
use meta::selector::LabelSelector;
use meta::{Key, KindId, Object, Status};
use runtime::{Action, Cx, News, Reconciler, View, Watch, saved};
use sim::Duration;
use store::Change;
use value::{Map, Value};

use self::backoff::Record;
use self::indexes::Intervals;
use self::spec::Spec;
use self::status::JobStatus;
use crate::claim::{self, Claimed};
use crate::pods;

/// The finalizer that keeps a pod until it is counted.
const TRACKING: &str = "batch.kubernetes.io/job-tracking";
/// Changes of pods are looked at together (`SyncJobBatchPeriod`).
const BATCH: Duration = Duration::from_secs(1);
/// `MaxPodCreateDeletePerSync`
const BURST: usize = 500;

pub(crate) const COMPLETE: &str = "Complete";
pub(crate) const FAILED: &str = "Failed";
const FAILURE_TARGET: &str = "FailureTarget";
const SUCCESS_CRITERIA_MET: &str = "SuccessCriteriaMet";
const SUSPENDED: &str = "Suspended";

/// What is known of Jobs that have not ended.
#[derive(Default)]
pub(crate) struct Jobs {
    /// Failures of late.
    records: BTreeMap<Key, Record>,
    /// What they ask for, as it was last read.
    specs: BTreeMap<Key, Arc<Spec>>,
}

/// What one sync knows and decides.
struct Sync {
    job: Arc<Object>,
    spec: Arc<Spec>,
    status: JobStatus,
    /// All pods of the Job, ended ones too.
    pods: Vec<Arc<Object>>,
    active: Vec<Arc<Object>>,
    succeeded: i64,
    failed: i64,
    /// Of indexed Jobs: before this sync, and with what it found.
    succeeded_before: Intervals,
    succeeded_indexes: Intervals,
    /// With `backoffLimitPerIndex` only.
    failed_indexes: Option<Intervals>,
    /// The failed pod of each index that must be replaced before it is counted.
    delayed: BTreeMap<i64, Arc<Object>>,
    /// The condition by which the Job ends.
    finished: Option<Finished>,
    record: Record,
    now: i64,
    again: Option<Duration>,
}

/// A condition to come.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Finished {
    kind: &'static str,
    reason: String,
    message: String,
}

impl Finished {
    fn new(kind: &'static str, reason: &str, message: impl Into<String>) -> Finished {
        Finished { kind, reason: reason.to_owned(), message: message.into() }
    }
}

impl Reconciler for Jobs {
    fn name(&self) -> &'static str {
        "job"
    }

    fn kind(&self) -> KindId {
        JOB
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::itself(JOB),
            Watch::owner(POD, "Job", "batch"),
            Watch::map(POD, jobs_of_orphan).on(News::ANY.of_orphans()),
        ]
    }

    fn knows_own_status(&self) -> bool {
        true
    }

    fn batches(&self, kind: KindId) -> Duration {
        if kind == POD { BATCH } else { Duration::ZERO }
    }

    fn saved(&self) -> Value {
        self.records.iter().map(|(key, it)| (key.to_string().into(), it.saved())).collect::<Map>().into()
    }

    fn take_up(&mut self, saved: &Value) {
        for (key, it) in saved.as_map().into_iter().flat_map(Map::iter) {
            if let Some(key) = saved::to_key(key) {
                self.records.insert(key, Record::restored(it));
            }
        }
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(job) = cx.get(JOB, key) else {
            self.forget(key);
            return release_orphans(cx, key).map(|()| Action::AwaitChange);
        };
        if job.str_at("spec.managedBy").is_some_and(|it| it != "kubernetes.io/job-controller") {
            return Ok(Action::AwaitChange);
        }
        if is_finished(&job) {
            self.forget(key);
            return release_finished(cx, &job).map(|()| Action::AwaitChange);
        }
        let status = JobStatus::of(&job);
        let spec = self.spec(key, &job);
        let claimed = Claimed {
            owner: &job,
            kind: "Job",
            api_version: "batch/v1",
            selector: &spec.selector,
            finalizer: Some(TRACKING),
        };
        let pods = claim::pods(cx, &claimed)?;
        let record = self.records.get(key).cloned().unwrap_or_default();
        let mut sync = Sync::new(job, spec, status, pods, record, cx.now_secs());
        let res = sync.run(cx, &mut self.records);
        let again = sync.again;
        res?;
        Ok(again.map_or(Action::AwaitChange, Action::RequeueAfter))
    }
}

impl Jobs {
    fn forget(&mut self, key: &Key) {
        self.records.remove(key);
        self.specs.remove(key);
    }

    fn spec(&mut self, key: &Key, job: &Object) -> Arc<Spec> {
        if let Some(known) = self.specs.get(key).filter(|it| it.is_of(job)) {
            return known.clone();
        }
        let spec = Arc::new(Spec::of(job));
        self.specs.insert(key.clone(), spec.clone());
        spec
    }
}

/// Whether a Job is complete or has failed (`IsJobFinished`).
pub(crate) fn is_finished(job: &Object) -> bool {
    finished_condition(job).is_some()
}

/// The condition that says that a Job has ended.
pub(crate) fn finished_condition(job: &Object) -> Option<&value::Value> {
    job.list_at("status.conditions")
        .iter()
        .find(|it| matches!(it.str_at("type"), Some(COMPLETE | FAILED)) && it.str_at("status") == Some("True"))
}

/// The type of that condition.
pub(crate) fn ended_as(job: &Object) -> Option<&'static str> {
    let kind = finished_condition(job)?.str_at("type");
    [COMPLETE, FAILED].into_iter().find(|it| kind == Some(it))
}

fn has_tracking(pod: &Object) -> bool {
    pod.meta.has_finalizer(TRACKING)
}

/// Lets a pod go.
fn remove_tracking(cx: &mut Cx<'_>, pod: &Object) -> Result<(), Status> {
    match cx.remove_finalizer(POD, &pod.key(), TRACKING) {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(()),
    }
}

/// Pods of a Job that has gone, or of none, are not kept (`syncOrphanPod`).
fn release_orphans(cx: &mut Cx<'_>, key: &Key) -> Result<(), Status> {
    let of_no_job = |pod: &Object| match pod.meta.controller() {
        Some(owner) => owner.kind == "Job" && owner.name == key.name,
        None => true,
    };
    let orphans: Vec<Arc<Object>> =
        cx.list(POD, Some(&key.namespace)).filter(|it| has_tracking(it) && of_no_job(it)).cloned().collect();
    orphans.iter().try_for_each(|it| remove_tracking(cx, it))
}

/// Pods that appear once their Job has ended are not kept either.
fn release_finished(cx: &mut Cx<'_>, job: &Object) -> Result<(), Status> {
    let late: Vec<Arc<Object>> = cx.controlled(POD, job).into_iter().filter(|it| has_tracking(it)).collect();
    late.iter().try_for_each(|it| remove_tracking(cx, it))
}

/// A pod without a controller wakes the Jobs that select it and, where it is still tracked, the Job that it had.
fn jobs_of_orphan(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let tracked = change.after.as_ref().filter(|it| has_tracking(it) && it.meta.controller().is_none());
    if let Some(pod) = tracked {
        let before = change.before.as_ref().and_then(|it| it.meta.controller()).map(|it| &*it.name);
        let name = before.or(pod.meta.label("batch.kubernetes.io/job-name")).unwrap_or(pod.name());
        keys.push(Key::new(pod.namespace(), name));
    }
    let Some(pod) = pods::new_orphan(change) else { return };
    for job in view.list(JOB, Some(pod.namespace())) {
        let selector = LabelSelector::from_value(job.at("spec.selector"));
        if !selector.is_everything() && selector.matches(&pod.meta.labels) {
            keys.push(job.key());
        }
    }
}

impl Sync {
    fn new(
        job: Arc<Object>,
        spec: Arc<Spec>,
        status: JobStatus,
        pods: Vec<Arc<Object>>,
        record: Record,
        now: i64,
    ) -> Sync {
        let active = pods.iter().filter(|it| pods::is_active(it)).cloned().collect();
        Sync {
            job,
            spec,
            status,
            pods,
            active,
            succeeded: 0,
            failed: 0,
            succeeded_before: Intervals::default(),
            succeeded_indexes: Intervals::default(),
            failed_indexes: None,
            delayed: BTreeMap::new(),
            finished: None,
            record,
            now,
            again: None,
        }
    }

    /// `syncJob`
    fn run(&mut self, cx: &mut Cx<'_>, records: &mut BTreeMap<Key, Record>) -> Result<(), Status> {
        let (succeeded, failed) = self.new_finished();
        self.succeeded = self.status.succeeded + (succeeded.len() + self.status.uncounted_succeeded.len()) as i64;
        let counted = failed.iter().filter(|it| policy::counts(&self.job, it)).count();
        self.failed = self.status.failed + (counted + self.status.uncounted_failed.len()) as i64;
        if self.status.start_time.is_none() && !self.spec.is_suspended {
            self.status.start_time = Some(self.now);
        }
        self.record = self.record.after(&succeeded, &failed);
        self.judge();
        if self.spec.is_indexed {
            self.judge_indexes();
        }
        let before = (self.status.active, self.status.ready, self.status.terminating);
        self.status.terminating = self.pods.iter().filter(|it| pods::is_terminating(it)).count() as i64;
        self.status.ready = self.active.iter().filter(|it| pods::is_ready(it)).count() as i64;
        let (managed, suspension_changed) = self.act(cx);
        let after = (self.status.active, self.status.ready, self.status.terminating);
        let is_new = self.job.at("status.ready").is_none() || self.job.at("status.terminating").is_none();
        self.track(cx, records, suspension_changed || is_new || before != after)?;
        managed
    }

    /// Creates and deletes pods, or deletes them all when the Job ends. The flag: the Suspended condition changed.
    fn act(&mut self, cx: &mut Cx<'_>) -> (Result<(), Status>, bool) {
        self.status.active = self.active.len() as i64;
        if self.finished.is_some() {
            let doomed = self.active.clone();
            let res = self.delete_pods(cx, &doomed, false);
            if res.is_err() {
                self.finished = None;
            }
            return (res, false);
        }
        let is_live = !self.job.meta.is_deleted();
        let res = if is_live { self.manage(cx) } else { Ok(()) };
        let complete = match self.spec.completions {
            None => self.succeeded > 0 && self.status.active == 0,
            Some(completions) => self.succeeded >= completions && self.status.active == 0,
        };
        if complete {
            let message = "Reached expected number of succeeded pods";
            self.finished = Some(Finished::new(SUCCESS_CRITERIA_MET, "CompletionsReached", message));
            return (res, false);
        }
        (res, is_live && self.note_suspension(cx))
    }

    fn note_suspension(&mut self, cx: &mut Cx<'_>) -> bool {
        let (status, reason, message, event) = if self.spec.is_suspended {
            ("True", "JobSuspended", "Job suspended", "Suspended")
        } else {
            ("False", "JobResumed", "Job resumed", "Resumed")
        };
        if !self.status.conditions.ensure(SUSPENDED, status, reason, message, self.now) {
            return false;
        }
        cx.event(&self.job, "Normal", event, message);
        self.status.start_time = if self.spec.is_suspended { None } else { Some(self.now) };
        true
    }

    /// Whether the Job has failed, or is known to have succeeded.
    fn judge(&mut self) {
        let conditions = &self.status.conditions;
        let told = |kind: &'static str, as_kind: &'static str| {
            conditions.is_true(kind).map(|it| {
                let text = |key: &'static str| it.str_at(key).unwrap_or("").to_owned();
                Finished { kind: as_kind, reason: text("reason"), message: text("message") }
            })
        };
        self.finished = told(SUCCESS_CRITERIA_MET, SUCCESS_CRITERIA_MET)
            .or_else(|| told(FAILURE_TARGET, FAILED))
            .or_else(|| {
                policy::failure(&self.job, &self.spec, &self.pods)
                    .map(|it| Finished::new(FAILURE_TARGET, "PodFailurePolicy", it))
            })
            .or_else(|| self.limits());
    }

    fn limits(&mut self) -> Option<Finished> {
        let limit = self.spec.backoff_limit;
        if self.failed > limit || self.restarts_exceed(limit) {
            let message = "Job has reached the specified backoff limit";
            return Some(Finished::new(FAILURE_TARGET, "BackoffLimitExceeded", message));
        }
        let deadline = self.spec.deadline_seconds.filter(|_| !self.spec.is_suspended)?;
        let left = deadline.saturating_sub(self.now - self.status.start_time.unwrap_or(self.now));
        if left <= 0 {
            let message = "Job was active longer than specified deadline";
            return Some(Finished::new(FAILURE_TARGET, "DeadlineExceeded", message));
        }
        self.look_again(Duration::from_secs(left.unsigned_abs()));
        None
    }

    /// `pastBackoffLimitOnFailure`: restarts within pods count where pods restart their containers.
    fn restarts_exceed(&self, limit: i64) -> bool {
        if !self.spec.restarts_in_place {
            return false;
        }
        let running = self.pods.iter().filter(|it| matches!(pods::phase(it), "Running" | "Pending"));
        let restarts: i64 = running
            .flat_map(|it| {
                it.list_at("status.initContainerStatuses").iter().chain(it.list_at("status.containerStatuses"))
            })
            .filter_map(|it| it.i64_at("restartCount"))
            .sum();
        if limit == 0 { restarts > 0 } else { restarts >= limit }
    }

    fn completions(&self) -> i64 {
        self.spec.completions.unwrap_or(0)
    }

    fn look_again(&mut self, after: Duration) {
        self.again = Some(self.again.map_or(after, |it| it.min(after)));
    }

    /// Pods that ended since the status was written: succeeded and failed ones.
    fn new_finished(&self) -> (Vec<Arc<Object>>, Vec<Arc<Object>>) {
        let valid =
            |pod: &&Arc<Object>| has_tracking(pod) && (!self.spec.is_indexed || self.valid_index(pod).is_some());
        let succeeded = |it: &&Arc<Object>| {
            pods::phase(it) == "Succeeded" && !self.status.uncounted_succeeded.contains(&it.meta.uid)
        };
        let failed = |it: &&Arc<Object>| {
            policy::is_failed(&self.spec, it) && !self.status.uncounted_failed.contains(&it.meta.uid)
        };
        (
            self.pods.iter().filter(valid).filter(succeeded).cloned().collect(),
            self.pods.iter().filter(valid).filter(failed).cloned().collect(),
        )
    }

    /// The completion index of a pod, if the Job has it.
    fn valid_index(&self, pod: &Object) -> Option<i64> {
        indexes::of(pod).filter(|it| *it < self.completions())
    }
}
