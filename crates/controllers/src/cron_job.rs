//! Makes a Job at each time of a CronJob's schedule (`pkg/controller/cronjob`).

mod due;
mod status;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::DateTime;
use cron::Schedule;
use cron::zone::Zone;
use kinds::{CRON_JOB, JOB};
use meta::{Key, KindId, Metadata, Object, OwnerRef, Status};
use runtime::{Action, Cx, Propagation, Reconciler, Watch};
use sim::{Duration, Instant};
use value::{Str, Value, map};

use self::due::Due;
use self::status::CronJobStatus;
use crate::{job, pods};

/// A Job is looked for a little after its time (`nextScheduleDelta`).
const LATER: Duration = Duration::from_millis(100);

/// Schedules as they were last read: a new one counts from its next time on.
#[derive(Default)]
pub(crate) struct CronJobs {
    known: BTreeMap<Key, (Str, Str)>,
}

/// A CronJob during one sync.
struct Sync {
    object: Arc<Object>,
    status: CronJobStatus,
    now: Instant,
}

impl Reconciler for CronJobs {
    fn name(&self) -> &'static str {
        "cronjob"
    }

    fn kind(&self) -> KindId {
        CRON_JOB
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::Itself(CRON_JOB), Watch::Owner { kind: JOB, owner_kind: "CronJob", owner_group: "batch" }]
    }

    fn knows_own_status(&self) -> bool {
        true
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(object) = cx.get(CRON_JOB, key) else {
            self.known.remove(key);
            return Ok(Action::AwaitChange);
        };
        let mut sync = Sync { status: CronJobStatus::of(&object), now: cx.now(), object };
        if let Some(wait) = self.wait_for_new_schedule(cx, key, &sync) {
            return Ok(wait);
        }
        let before = sync.status.clone();
        let jobs = cx.controlled(JOB, &sync.object);
        sync.clean_up(cx, &jobs);
        let res = sync.run(cx, &jobs);
        if sync.status != before {
            cx.update_status(&sync.object, sync.status.to_value())?;
        }
        res.map(|it| it.map_or(Action::AwaitChange, Action::RequeueAfter))
    }
}

impl CronJobs {
    /// A changed schedule or zone is no reason to start a Job that would have been due by it (`updateCronJob`).
    fn wait_for_new_schedule(&mut self, cx: &mut Cx<'_>, key: &Key, sync: &Sync) -> Option<Action> {
        let text = |path: &str| sync.object.at(path).and_then(Value::as_shared_str).cloned().unwrap_or_default();
        let now = (text("spec.schedule"), text("spec.timeZone"));
        let before = self.known.insert(key.clone(), now.clone())?;
        if before == now {
            return None;
        }
        match Schedule::parse(&now.0) {
            Ok(schedule) => {
                Some(Action::RequeueAfter(sync.until_next(&schedule, &sync.zone().unwrap_or_else(Zone::utc))))
            }
            Err(_) => {
                let message = format!("unparseable schedule for cronjob: {}", now.0);
                cx.event(&sync.object, "Warning", "UnParseableCronJobSchedule", &message);
                Some(Action::AwaitChange)
            }
        }
    }
}

impl Sync {
    fn zone_name(&self) -> Option<&str> {
        self.object.str_at("spec.timeZone")
    }

    fn zone(&self) -> Option<Zone> {
        Zone::find(self.zone_name().unwrap_or(""))
    }

    fn event(&self, cx: &mut Cx<'_>, level: &str, reason: &str, message: &str) {
        cx.event(&self.object, level, reason, message);
    }

    /// `syncCronJob`; answers when to look again.
    fn run(&mut self, cx: &mut Cx<'_>, jobs: &[Arc<Object>]) -> Result<Option<Duration>, Status> {
        self.look_at_jobs(cx, jobs);
        if self.object.meta.is_deleted() {
            return Ok(None);
        }
        let Some(zone) = self.zone() else {
            let name = self.zone_name().unwrap_or("");
            let message = format!("invalid timeZone: {}: unknown time zone {name}", meta::quoted(name));
            self.event(cx, "Warning", "UnknownTimeZone", &message);
            return Ok(None);
        };
        if self.object.bool_at("spec.suspend").unwrap_or(false) {
            return Ok(None);
        }
        let Some(schedule) = self.schedule(cx) else { return Ok(None) };
        let due = match due::most_recent(&self.bounds(true), &schedule, &zone) {
            Ok(due) => due,
            Err(why) => {
                let message =
                    format!("invalid schedule: {} : {why}", self.object.str_at("spec.schedule").unwrap_or(""));
                self.event(cx, "Warning", "InvalidSchedule", &message);
                return Ok(None);
            }
        };
        if let Some(at) = due.at {
            if due.is_many() {
                let message =
                    "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
                self.event(cx, "Warning", "TooManyMissedTimes", message);
            }
            if !self.start(cx, at, &zone)? {
                return Ok(None);
            }
        }
        Ok(Some(self.until_next(&schedule, &zone)))
    }

    fn schedule(&self, cx: &mut Cx<'_>) -> Option<Schedule> {
        let text = self.object.str_at("spec.schedule").unwrap_or("");
        if text.contains("TZ") {
            let message = format!(
                "CRON_TZ or TZ used in schedule {} is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details",
                meta::quoted(text)
            );
            self.event(cx, "Warning", "UnsupportedSchedule", &message);
        }
        match Schedule::parse(text) {
            Ok(schedule) => Some(schedule),
            Err(why) => {
                let message = format!("unparseable schedule: {} : {why}", meta::quoted(text));
                self.event(cx, "Warning", "UnparseableSchedule", &message);
                None
            }
        }
    }

    /// From when on times count, and what the present is.
    fn bounds(&self, with_deadline: bool) -> due::Bounds {
        let now = self.now.secs();
        let since = self.status.last_schedule.or(self.object.meta.created).unwrap_or(now);
        let deadline = self.object.i64_at("spec.startingDeadlineSeconds").filter(|_| with_deadline);
        due::Bounds { since: deadline.map_or(since, |it| since.max(now.saturating_sub(it))), now }
    }

    /// `nextScheduleTimeDuration`
    fn until_next(&self, schedule: &Schedule, zone: &Zone) -> Duration {
        let bounds = self.bounds(false);
        let from = match due::most_recent(&bounds, schedule, zone) {
            Ok(Due { at: Some(at), .. }) => at,
            Ok(Due { n_missed: 0, .. }) => bounds.since,
            _ => bounds.now,
        };
        let Some(next) = schedule.next(from, zone).and_then(|it| u64::try_from(it).ok()) else {
            // A schedule that never fires.
            return Duration::from_secs(u64::from(u32::MAX));
        };
        (Instant::from_secs(next) + LATER).since(self.now)
    }

    /// Starts the Job of a time, unless something forbids that. Answers whether the next time is to be awaited.
    fn start(&mut self, cx: &mut Cx<'_>, at: i64, zone: &Zone) -> Result<bool, Status> {
        let deadline = self.object.i64_at("spec.startingDeadlineSeconds");
        if deadline.is_some_and(|it| at.saturating_add(it) < self.now.secs()) {
            let missed = DateTime::from_timestamp(at, 0).unwrap_or_default().format("%a, %d %b %Y %H:%M:%S %z");
            self.event(cx, "Warning", "MissSchedule", &format!("Missed scheduled time to start a job: {missed}"));
            return Ok(true);
        }
        let name = Str::from(format!("{}-{}", self.object.name(), at.div_euclid(60)));
        if self.status.is_active(|it| it.name == name) || self.status.last_schedule == Some(at) {
            return Ok(true);
        }
        match self.object.str_at("spec.concurrencyPolicy") {
            Some("Forbid") if !self.status.active.is_empty() => {
                let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
                self.event(cx, "Normal", "JobAlreadyActive", message);
                return Ok(true);
            }
            Some("Replace") => self.replace_active(cx)?,
            _ => (),
        }
        let created = match cx.create(self.new_job(name.clone(), at, zone)) {
            Ok(created) => {
                self.event(cx, "Normal", "SuccessfulCreate", &format!("Created job {name}"));
                created
            }
            Err(status) if status.is_already_exists() => {
                let existing = cx.get(JOB, &Key::new(self.object.namespace(), &name)).ok_or(status)?;
                let is_ours = existing.meta.controller().is_some_and(|it| it.uid == self.object.meta.uid);
                if !is_ours || self.status.is_active(|it| it.uid == existing.meta.uid) {
                    return Ok(false);
                }
                existing
            }
            Err(status) if pods::is_namespace_terminating(&status) => return Err(status),
            Err(status) => {
                self.event(cx, "Warning", "FailedCreate", &format!("Error creating job: {}", status.message));
                return Err(status);
            }
        };
        self.status.add_active(&created);
        self.status.last_schedule = Some(at);
        Ok(true)
    }

    fn replace_active(&mut self, cx: &mut Cx<'_>) -> Result<(), Status> {
        for active in self.status.active.clone() {
            let key = Key::new(&active.namespace, &active.name);
            let Some(job) = cx.get(JOB, &key) else {
                let status = Status::not_found("batch", "jobs", &active.name);
                self.event(cx, "Warning", "FailedGet", &format!("Get job: {}", status.message));
                return Err(status);
            };
            if !self.delete_job(cx, &job) {
                return Err(Status::internal(&format!("could not replace job {key}")));
            }
        }
        Ok(())
    }

    fn delete_job(&mut self, cx: &mut Cx<'_>, job: &Object) -> bool {
        if let Err(status) = cx.delete_with(JOB, &job.key(), &job.meta.uid, Propagation::Background) {
            self.event(cx, "Warning", "FailedDelete", &format!("Deleted job: {}", status.message));
            return false;
        }
        self.status.remove_active(&job.meta.uid);
        self.event(cx, "Normal", "SuccessfulDelete", &format!("Deleted job {}", job.name()));
        true
    }

    /// `getJobFromTemplate2`
    fn new_job(&self, name: Str, at: i64, zone: &Zone) -> Object {
        let object = &self.object;
        let map_at = |path: &str| object.map_at(path).cloned().unwrap_or_default();
        let meta = Metadata {
            name,
            namespace: object.meta.namespace.clone(),
            labels: map_at("spec.jobTemplate.metadata.labels"),
            annotations: map_at("spec.jobTemplate.metadata.annotations")
                .with("batch.kubernetes.io/cronjob-scheduled-timestamp", due::shown(at, zone)),
            owners: Arc::from([pods::controller_ref(object, "batch/v1", "CronJob")]) as Arc<[OwnerRef]>,
            ..Metadata::default()
        };
        Object { kind: JOB, meta, body: map!({ "spec": map_at("spec.jobTemplate.spec") }) }
    }

    /// Takes Jobs that have ended, or gone, out of the active ones.
    fn look_at_jobs(&mut self, cx: &mut Cx<'_>, jobs: &[Arc<Object>]) {
        for job in jobs {
            let is_active = self.status.is_active(|it| it.uid == job.meta.uid);
            let Some(condition) = job::finished_condition(job) else {
                if !is_active {
                    let message = format!("Saw a job that the controller did not create or forgot: {}", job.name());
                    self.event(cx, "Warning", "UnexpectedJob", &message);
                }
                continue;
            };
            let kind = condition.str_at("type").unwrap_or("");
            if is_active {
                self.status.remove_active(&job.meta.uid);
                let message = format!("Saw completed job: {}, condition: {kind}", job.name());
                self.event(cx, "Normal", "SawCompletedJob", &message);
            }
            if kind == "Complete" {
                self.status.note_success(job.str_at("status.completionTime"));
            }
        }
        for active in self.status.active.clone() {
            let is_there = jobs.iter().any(|it| it.meta.uid == active.uid)
                || cx.get(JOB, &Key::new(&active.namespace, &active.name)).is_some();
            if !is_there {
                self.event(cx, "Normal", "MissingJob", &format!("Active job went missing: {}", active.name));
                self.status.remove_active(&active.uid);
            }
        }
    }

    /// Deletes the oldest Jobs beyond the two limits of history (`cleanupFinishedJobs`).
    fn clean_up(&mut self, cx: &mut Cx<'_>, jobs: &[Arc<Object>]) {
        for (kind, limit) in
            [("Complete", "spec.successfulJobsHistoryLimit"), ("Failed", "spec.failedJobsHistoryLimit")]
        {
            let Some(limit) = self.object.i64_at(limit) else { continue };
            let is_of = |it: &Object| job::finished_condition(it).and_then(|it| it.str_at("type")) == Some(kind);
            let mut ended: Vec<&Arc<Object>> = jobs.iter().filter(|it| is_of(it)).collect();
            let excess = usize::try_from(ended.len() as i64 - limit).unwrap_or(0);
            ended.sort_by_key(|it| {
                let start = it.str_at("status.startTime");
                (start.is_none(), start.and_then(value::time::parse_secs), it.meta.name.clone())
            });
            for job in ended.into_iter().take(excess) {
                self.delete_job(cx, job);
            }
        }
    }
}
