//! The status of a Job, read and written as a whole.

use meta::Object;
use value::{Map, Str, Value, present, time, value};

/// `status`; times are seconds since the Unix epoch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct JobStatus {
    pub active: i64,
    pub ready: i64,
    pub terminating: i64,
    pub succeeded: i64,
    pub failed: i64,
    pub start_time: Option<i64>,
    pub completion_time: Option<i64>,
    pub completed_indexes: String,
    pub failed_indexes: Option<String>,
    /// Pods that have ended and are not in the counters yet.
    pub uncounted_succeeded: Vec<Str>,
    pub uncounted_failed: Vec<Str>,
    pub conditions: Conditions,
    /// The start as it was read: shown again where it is the same.
    known_start: Option<(i64, Value)>,
}

/// `status.conditions`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Conditions(Vec<Value>);

impl JobStatus {
    pub fn of(job: &Object) -> JobStatus {
        let mut status = JobStatus::default();
        for (key, value) in job.map_at("status").into_iter().flat_map(Map::iter) {
            let count = || value.as_i64().unwrap_or(0);
            let time = || value.as_str().and_then(time::parse_secs);
            let uids =
                |key: &'static str| value.list_at(key).iter().filter_map(Value::as_shared_str).cloned().collect();
            match key.as_str() {
                "active" => status.active = count(),
                "completedIndexes" => status.completed_indexes = value.as_str().unwrap_or("").to_owned(),
                "completionTime" => status.completion_time = time(),
                "conditions" => status.conditions = Conditions(value.as_list().map_or_else(Vec::new, |it| it.to_vec())),
                "failed" => status.failed = count(),
                "failedIndexes" => status.failed_indexes = value.as_str().map(str::to_owned),
                "ready" => status.ready = count(),
                "startTime" => {
                    status.start_time = time();
                    status.known_start = status.start_time.map(|it| (it, value.clone()));
                }
                "succeeded" => status.succeeded = count(),
                "terminating" => status.terminating = count(),
                "uncountedTerminatedPods" => {
                    status.uncounted_succeeded = uids("succeeded");
                    status.uncounted_failed = uids("failed");
                }
                _ => (),
            }
        }
        status
    }

    pub fn to_value(&self) -> Value {
        let number = |it: i64| (it != 0).then_some(Value::Int(it));
        let time = |it: Option<i64>| it.map(|it| time::format_secs(it).into());
        let uids = |it: &[Str]| (!it.is_empty()).then(|| it.iter().map(Value::from).collect::<Vec<_>>().into());
        let uncounted = present!({
            "failed": uids(&self.uncounted_failed),
            "succeeded": uids(&self.uncounted_succeeded),
        });
        let Conditions(conditions) = &self.conditions;
        let start = self.known_start.iter().find(|it| self.start_time == Some(it.0)).map(|it| it.1.clone());
        Value::Map(present!({
            "active": number(self.active),
            "completedIndexes": (!self.completed_indexes.is_empty()).then(|| self.completed_indexes.as_str().into()),
            "completionTime": time(self.completion_time),
            "conditions": (!conditions.is_empty()).then(|| conditions.clone().into()),
            "failed": number(self.failed),
            "failedIndexes": self.failed_indexes.as_deref().map(Value::from),
            "ready": Some(self.ready.into()),
            "startTime": start.or_else(|| time(self.start_time)),
            "succeeded": number(self.succeeded),
            "terminating": Some(self.terminating.into()),
            "uncountedTerminatedPods": Some(uncounted.into()),
        }))
    }

    /// Counts the pods that `is_kept` no longer keeps; answers whether there were any.
    pub fn count(&mut self, is_kept: &dyn Fn(&Str) -> bool) -> bool {
        let before = self.uncounted_succeeded.len() + self.uncounted_failed.len();
        for (uids, counter) in
            [(&mut self.uncounted_succeeded, &mut self.succeeded), (&mut self.uncounted_failed, &mut self.failed)]
        {
            let n_before = uids.len();
            uids.retain(is_kept);
            *counter += (n_before - uids.len()) as i64;
        }
        before != self.uncounted_succeeded.len() + self.uncounted_failed.len()
    }
}

impl Conditions {
    /// The condition of a type, if it is true.
    pub fn is_true(&self, kind: &str) -> Option<&Value> {
        self.0.iter().find(|it| it.str_at("type") == Some(kind) && it.str_at("status") == Some("True"))
    }

    pub fn push(&mut self, kind: &str, reason: &str, message: &str, now: i64) {
        self.0.push(condition(kind, "True", reason, message, now));
    }

    /// Sees that the condition says this; a false one is not added. Answers whether that changed anything
    /// (`ensureJobConditionStatus`).
    pub fn ensure(&mut self, kind: &str, status: &str, reason: &str, message: &str, now: i64) -> bool {
        match self.0.iter_mut().find(|it| it.str_at("type") == Some(kind)) {
            Some(it) => {
                let says = |key: &'static str, text: &str| it.str_at(key).unwrap_or("") == text;
                if says("status", status) && says("reason", reason) && says("message", message) {
                    return false;
                }
                *it = condition(kind, status, reason, message, now);
                true
            }
            None if status == "False" => false,
            None => {
                self.0.push(condition(kind, status, reason, message, now));
                true
            }
        }
    }
}

fn condition(kind: &str, status: &str, reason: &str, message: &str, now: i64) -> Value {
    let now = Value::from(time::format_secs(now));
    value!({
        "lastProbeTime": &now, "lastTransitionTime": now, "message": message, "reason": Str::literal(reason),
        "status": Str::literal(status), "type": Str::literal(kind),
    })
}
