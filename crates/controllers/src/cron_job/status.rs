//! The status of a CronJob, read and written as a whole.

use meta::Object;
use value::{Map, Str, Value, present, time, value};

/// `status`; times are seconds since the Unix epoch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct CronJobStatus {
    pub active: Vec<Active>,
    pub last_schedule: Option<i64>,
    pub last_success: Option<i64>,
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
            let time = || value.as_str().and_then(time::parse_secs);
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
        let shown = |at: Option<i64>| at.map(|it| time::format_secs(it).into());
        Value::Map(present!({
            "active": (!active.is_empty()).then(|| active.into()),
            "lastScheduleTime": shown(self.last_schedule),
            "lastSuccessfulTime": shown(self.last_success),
        }))
    }

    pub fn is_active(&self, is_it: impl Fn(&Active) -> bool) -> bool {
        self.active.iter().any(is_it)
    }

    pub fn add_active(&mut self, job: &Object) {
        self.active.push(Active {
            namespace: job.meta.namespace.clone(),
            name: job.meta.name.clone(),
            uid: job.meta.uid.clone(),
            revision: job.meta.revision.0.to_string().into(),
        });
    }

    pub fn remove_active(&mut self, uid: &str) {
        self.active.retain(|it| it.uid != uid);
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
