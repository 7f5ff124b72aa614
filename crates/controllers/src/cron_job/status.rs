//! The status of a CronJob, read and written as a whole.

use meta::Object;
use value::{Map, Str, Value, present, time, value};

/// `status`; times are seconds since the Unix epoch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct CronJobStatus {
    pub active: Vec<Active>,
    pub last_schedule: Option<i64>,
    pub last_success: Option<i64>,
    known: Known,
    /// Something is other than it was read.
    changed: bool,
}

/// The two times as they were read, which are shown again where they are the same.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Known {
    schedule: Option<(i64, Value)>,
    success: Option<(i64, Value)>,
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
                "lastScheduleTime" => status.known.schedule = time(),
                "lastSuccessfulTime" => status.known.success = time(),
                _ => (),
            }
        }
        status.last_schedule = status.known.schedule.as_ref().map(|it| it.0);
        status.last_success = status.known.success.as_ref().map(|it| it.0);
        status
    }

    pub fn to_value(&self) -> Value {
        let active: Vec<Value> = self.active.iter().map(Active::to_value).collect();
        let shown = |at: Option<i64>, known: &Option<(i64, Value)>| {
            let same = known.iter().find(|it| at == Some(it.0)).map(|it| it.1.clone());
            same.or_else(|| at.map(|it| time::format_secs(it).into()))
        };
        Value::Map(present!({
            "active": (!active.is_empty()).then(|| active.into()),
            "lastScheduleTime": shown(self.last_schedule, &self.known.schedule),
            "lastSuccessfulTime": shown(self.last_success, &self.known.success),
        }))
    }

    /// Whether anything was changed since it was read.
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    pub fn note_schedule(&mut self, at: i64) {
        self.changed |= self.last_schedule != Some(at);
        self.last_schedule = Some(at);
    }

    /// Takes the end of a Job that succeeded in.
    pub fn note_success(&mut self, at: Option<i64>) {
        self.changed |= at > self.last_success;
        self.last_success = self.last_success.max(at);
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
            revision: job.meta.revision.0.to_string().into(),
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
