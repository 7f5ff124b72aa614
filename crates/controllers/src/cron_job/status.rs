//! The status of a CronJob, read and written as a whole.

use meta::Object;
use value::{Map, Str, Value, present, time, value};

/// `status`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct CronJobStatus {
    pub active: Vec<Active>,
    last_schedule: Option<Time>,
    last_success: Option<Time>,
    /// Something is other than it was read.
    changed: bool,
}

/// Seconds since the Unix epoch, and as it is shown.
type Time = (i64, Value);

fn shown(at: i64) -> Time {
    (at, time::format_secs(at).into())
}

/// A running Job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Active {
    pub namespace: Str,
    pub name: Str,
    pub uid: Str,
    revision: Str,
}

impl CronJobStatus {
    pub fn of(object: &Object) -> CronJobStatus {
        let mut status = CronJobStatus::default();
        for (key, value) in object.map_at("status").into_iter().flat_map(Map::iter) {
            let time = || Some((value.as_str().and_then(time::parse_secs)?, value.clone()));
            match key.as_str() {
                "active" => status.active = value.as_list().into_iter().flatten().map(Active::of).collect(),
                "lastScheduleTime" => status.last_schedule = time(),
                "lastSuccessfulTime" => status.last_success = time(),
                _ => (),
            }
        }
        status
    }

    pub fn to_value(&self) -> Value {
        let active: Vec<Value> = self.active.iter().map(Active::to_value).collect();
        let time = |it: &Option<Time>| it.as_ref().map(|it| it.1.clone());
        Value::Map(present!({
            "active": (!active.is_empty()).then(|| active.into()),
            "lastScheduleTime": time(&self.last_schedule),
            "lastSuccessfulTime": time(&self.last_success),
        }))
    }

    /// Whether anything was changed since it was read.
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// It is stored as it is.
    pub fn note_stored(&mut self) {
        self.changed = false;
    }

    /// Seconds since the Unix epoch.
    pub fn last_schedule(&self) -> Option<i64> {
        self.last_schedule.as_ref().map(|it| it.0)
    }

    pub fn note_schedule(&mut self, at: i64) {
        if self.last_schedule() != Some(at) {
            self.last_schedule = Some(shown(at));
            self.changed = true;
        }
    }

    /// Takes the end of a Job that succeeded in.
    pub fn note_success(&mut self, at: Option<i64>) {
        if let Some(at) = at.filter(|at| self.last_success.as_ref().is_none_or(|it| *at > it.0)) {
            self.last_success = Some(shown(at));
            self.changed = true;
        }
    }

    pub fn is_active(&self, is_it: impl Fn(&Active) -> bool) -> bool {
        self.active.iter().any(is_it)
    }

    pub fn add_active(&mut self, job: &Object) {
        self.changed = true;
        self.active.push(Active {
            namespace: job.meta.namespace.clone(),
            name: job.meta.name.clone(),
            uid: job.meta.uid.clone(),
            revision: job.meta.revision.text(),
        });
    }

    pub fn remove_active(&mut self, uid: &str) {
        let n_before = self.active.len();
        self.active.retain(|it| it.uid != uid);
        self.changed |= self.active.len() != n_before;
    }
}

impl Active {
    fn of(reference: &Value) -> Active {
        let text = |key: &str| reference.get(key).and_then(Value::as_shared_str).cloned().unwrap_or_default();
        Active { namespace: text("namespace"), name: text("name"), uid: text("uid"), revision: text("resourceVersion") }
    }

    fn to_value(&self) -> Value {
        value!({
            "apiVersion": "batch/v1", "kind": "Job", "name": &self.name, "namespace": &self.namespace,
            "resourceVersion": &self.revision, "uid": &self.uid,
        })
    }
}
