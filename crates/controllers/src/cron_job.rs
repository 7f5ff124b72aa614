//! Makes a Job at each time of a CronJob's schedule (`pkg/controller/cronjob`).

mod due;
mod spec;
mod status;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::DateTime;
use cron::zone::Zone;
use kinds::{CRON_JOB, JOB};
use meta::{Key, KindId, Metadata, Object, Revision, Status};
use runtime::{Action, Cx, Propagation, Reconciler, Watch};
use sim::{Duration, Instant};
use value::{Str, map, time};

use self::due::Due;
use self::spec::Spec;
use self::status::{Active, CronJobStatus};
use crate::{job, pods};

/// A Job is looked for a little after its time (`nextScheduleDelta`).
const LATER: Duration = Duration::from_millis(100);

/// CronJobs as they were last read.
#[derive(Default)]
pub(crate) struct CronJobs {
    known: BTreeMap<Key, Known>,
}

struct Known {
    spec: Spec,
    /// Of the version of this revision.
    status: (Revision, CronJobStatus),
    /// Of the Jobs at the last sync.
    ends: Vec<End>,
}

/// What one version of a Job says of its end, and that version; read once for each.
#[derive(Clone, Copy)]
struct End {
    revision: Revision,
    /// The type of the condition by which it ended.
    kind: Option<&'static str>,
    started: Option<i64>,
    completed: Option<i64>,
}

impl End {
    fn of(job: &Object) -> End {
        let at = |path: &'static str| job.str_at(path).and_then(time::parse_secs);
        End {
            revision: job.meta.revision,
            kind: job::ended_as(job),
            started: at("status.startTime"),
            completed: at("status.completionTime"),
        }
    }
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
        vec![Watch::itself(CRON_JOB), Watch::owner(JOB, "CronJob", "batch")]
    }

    fn knows_own_status(&self) -> bool {
        true
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(object) = cx.get(CRON_JOB, key) else {
            self.known.remove(key);
            return Ok(Action::AwaitChange);
        };
        let mut is_other = false;
        let known = match self.known.get_mut(key) {
            Some(known) => {
                is_other = !known.spec.is_of(&object) && known.read_again(&object);
                known
            }
            None => self.known.entry(key.clone()).or_insert(Known {
                spec: Spec::of(&object),
                status: Default::default(),
                ends: Vec::new(),
            }),
        };
        let mut sync = Sync { status: known.take_status(&object), now: cx.now(), object };
        if is_other {
            return Ok(sync.wait_for_new_schedule(cx, &mut known.spec));
        }
        let jobs = known.jobs(cx, &sync.object);
        sync.clean_up(cx, &known.spec, &jobs);
        let res = sync.run(cx, &mut known.spec, &jobs);
        if sync.status.is_changed() {
            sync.object = cx.update_status(&sync.object, sync.status.to_value())?;
            sync.status.note_stored();
        }
        known.status = (sync.object.meta.revision, sync.status);
        res.map(|it| it.map_or(Action::AwaitChange, Action::RequeueAfter))
    }
}

impl Known {
    /// Takes another spec in; answers whether its schedule or zone is another.
    fn read_again(&mut self, object: &Object) -> bool {
        let before = std::mem::replace(&mut self.spec, Spec::of(object));
        before.schedule_text != self.spec.schedule_text || before.zone_name != self.spec.zone_name
    }

    fn take_status(&mut self, object: &Object) -> CronJobStatus {
        let (revision, status) = std::mem::take(&mut self.status);
        if revision != object.meta.revision {
            return CronJobStatus::of(object);
        }
        debug_assert_eq!(status, CronJobStatus::of(object));
        status
    }

    /// The Jobs of the CronJob and how they ended.
    fn jobs(&mut self, cx: &Cx<'_>, object: &Object) -> Vec<(Arc<Object>, End)> {
        let before = std::mem::take(&mut self.ends);
        let jobs = cx.controlled(JOB, object).into_iter().map(|job| {
            let known = before.iter().find(|it| it.revision == job.meta.revision).copied();
            let end = known.unwrap_or_else(|| End::of(&job));
            (job, end)
        });
        let jobs: Vec<_> = jobs.collect();
        self.ends = jobs.iter().map(|(_, end)| *end).collect();
        jobs
    }
}

impl Sync {
    fn event(&self, cx: &mut Cx<'_>, level: &str, reason: &str, message: &str) {
        cx.event(&self.object, level, reason, message);
    }

    /// A changed schedule or zone is no reason to start a Job that would have been due by it (`updateCronJob`).
    fn wait_for_new_schedule(&self, cx: &mut Cx<'_>, spec: &mut Spec) -> Action {
        if spec.schedule.is_ok() {
            return Action::RequeueAfter(self.until_next(spec));
        }
        let message = format!("unparseable schedule for cronjob: {}", spec.schedule_text);
        self.event(cx, "Warning", "UnParseableCronJobSchedule", &message);
        Action::AwaitChange
    }

    /// `syncCronJob`; answers when to look again.
    fn run(
        &mut self,
        cx: &mut Cx<'_>,
        spec: &mut Spec,
        jobs: &[(Arc<Object>, End)],
    ) -> Result<Option<Duration>, Status> {
        self.look_at_jobs(cx, jobs);
        if self.object.meta.is_deleted() {
            return Ok(None);
        }
        if !spec.is_zone_known {
            let name = &spec.zone_name;
            let message = format!("invalid timeZone: {}: unknown time zone {name}", meta::quoted(name));
            self.event(cx, "Warning", "UnknownTimeZone", &message);
            return Ok(None);
        }
        if spec.is_suspended || !self.has_schedule(cx, spec) {
            return Ok(None);
        }
        let due = match due::most_recent(&self.bounds(spec.deadline), &mut |it| spec.next(it)) {
            Ok(due) => due,
            Err(why) => {
                let message = format!("invalid schedule: {} : {why}", spec.schedule_text);
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
            if !self.start(cx, spec, at)? {
                return Ok(None);
            }
        }
        Ok(Some(self.until_next(spec)))
    }

    /// Whether the schedule can be read; says what is wrong with it.
    fn has_schedule(&self, cx: &mut Cx<'_>, spec: &Spec) -> bool {
        let text = &spec.schedule_text;
        if spec.schedule_names_zone {
            let message = format!(
                "CRON_TZ or TZ used in schedule {} is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details",
                meta::quoted(text)
            );
            self.event(cx, "Warning", "UnsupportedSchedule", &message);
        }
        if let Err(why) = &spec.schedule {
            let message = format!("unparseable schedule: {} : {why}", meta::quoted(text));
            self.event(cx, "Warning", "UnparseableSchedule", &message);
        }
        spec.schedule.is_ok()
    }

    /// From when on times count, and what the present is.
    fn bounds(&self, deadline: Option<i64>) -> due::Bounds {
        let now = self.now.secs();
        let since = self.status.last_schedule().or(self.object.meta.created).unwrap_or(now);
        due::Bounds { since: deadline.map_or(since, |it| since.max(now.saturating_sub(it))), now }
    }

    /// `nextScheduleTimeDuration`
    fn until_next(&self, spec: &mut Spec) -> Duration {
        let bounds = self.bounds(None);
        let from = match due::most_recent(&bounds, &mut |it| spec.next(it)) {
            Ok(Due { at: Some(at), .. }) => at,
            Ok(Due { n_missed: 0, .. }) => bounds.since,
            _ => bounds.now,
        };
        let Some(next) = spec.next(from).and_then(|it| u64::try_from(it).ok()) else {
            // A schedule that never fires.
            return Duration::from_secs(u64::from(u32::MAX));
        };
        (Instant::from_secs(next) + LATER).since(self.now)
    }

    /// Starts the Job of a time, unless something forbids that. Answers whether the next time is to be awaited.
    fn start(&mut self, cx: &mut Cx<'_>, spec: &Spec, at: i64) -> Result<bool, Status> {
        if spec.deadline.is_some_and(|it| at.saturating_add(it) < self.now.secs()) {
            let missed = DateTime::from_timestamp(at, 0).unwrap_or_default().format("%a, %d %b %Y %H:%M:%S %z");
            self.event(cx, "Warning", "MissSchedule", &format!("Missed scheduled time to start a job: {missed}"));
            return Ok(true);
        }
        let name = Str::from([self.object.name(), "-", &at.div_euclid(60).to_string()].concat());
        if self.status.is_active(|it| it.name == name) || self.status.last_schedule() == Some(at) {
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
        let created = match cx.create(self.new_job(name.clone(), at, &spec.zone)) {
            Ok(created) => {
                self.event(cx, "Normal", "SuccessfulCreate", &["Created job ", &name].concat());
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
        self.status.note_schedule(at);
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
        self.event(cx, "Normal", "SuccessfulDelete", &["Deleted job ", job.name()].concat());
        true
    }

    /// `getJobFromTemplate2`
    fn new_job(&self, name: Str, at: i64, zone: &Zone) -> Object {
        let object = &self.object;
        let map_at = |path: &'static str| object.map_at(path).cloned().unwrap_or_default();
        let meta = Metadata {
            labels: map_at("spec.jobTemplate.metadata.labels"),
            annotations: map_at("spec.jobTemplate.metadata.annotations")
                .with("batch.kubernetes.io/cronjob-scheduled-timestamp", due::shown(at, zone)),
            ..Metadata::new(&object.meta.namespace, name).owned_by(pods::controller_ref(object, "batch/v1", "CronJob"))
        };
        Object { kind: JOB, meta, body: map!({ "spec": map_at("spec.jobTemplate.spec") }) }
    }

    /// Takes Jobs that have ended, or gone, out of the active ones.
    fn look_at_jobs(&mut self, cx: &mut Cx<'_>, jobs: &[(Arc<Object>, End)]) {
        for (job, end) in jobs {
            let is_active = self.status.is_active(|it| it.uid == job.meta.uid);
            let Some(kind) = end.kind else {
                if !is_active {
                    let message = format!("Saw a job that the controller did not create or forgot: {}", job.name());
                    self.event(cx, "Warning", "UnexpectedJob", &message);
                }
                continue;
            };
            if is_active {
                self.status.remove_active(&job.meta.uid);
                let message = ["Saw completed job: ", job.name(), ", condition: ", kind].concat();
                self.event(cx, "Normal", "SawCompletedJob", &message);
            }
            if kind == job::COMPLETE {
                self.status.note_success(end.completed);
            }
        }
        let is_gone = |it: &&Active| {
            jobs.iter().all(|(job, _)| job.meta.uid != it.uid)
                && cx.get(JOB, &Key::new(&it.namespace, &it.name)).is_none()
        };
        let gone: Vec<Active> = self.status.active.iter().filter(is_gone).cloned().collect();
        for active in gone {
            self.event(cx, "Normal", "MissingJob", &format!("Active job went missing: {}", active.name));
            self.status.remove_active(&active.uid);
        }
    }

    /// Deletes the oldest Jobs beyond the two limits of history (`cleanupFinishedJobs`).
    fn clean_up(&mut self, cx: &mut Cx<'_>, spec: &Spec, jobs: &[(Arc<Object>, End)]) {
        for (kind, limit) in [(job::COMPLETE, spec.n_succeeded_max), (job::FAILED, spec.n_failed_max)] {
            let Some(limit) = limit else { continue };
            let ended = jobs.iter().filter(|(_, it)| it.kind == Some(kind));
            let excess = usize::try_from(ended.clone().count() as i64 - limit).unwrap_or(0);
            if excess == 0 {
                continue;
            }
            let mut ended: Vec<&(Arc<Object>, End)> = ended.collect();
            ended.sort_by_key(|(job, it)| (it.started.is_none(), it.started, job.meta.name.clone()));
            for (job, _) in ended.into_iter().take(excess) {
                self.delete_job(cx, job);
            }
        }
    }
}
