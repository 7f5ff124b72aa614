//! The status of a Job, read and written as a whole.

use meta::Object;
use value::{Map, Str, Value, map, time, value};

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
}

/// `status.conditions`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Conditions(Vec<Value>);

impl JobStatus {
    pub fn of(job: &Object) -> JobStatus {
        let count = |key: &str| job.i64_at(key).unwrap_or(0);
        let at = |key: &str| job.str_at(key).and_then(time::parse_secs);
        let uids = |key: &str| job.list_at(key).iter().filter_map(Value::as_shared_str).cloned().collect();
        JobStatus {
            active: count("status.active"),
            ready: count("status.ready"),
            terminating: count("status.terminating"),
            succeeded: count("status.succeeded"),
            failed: count("status.failed"),
            start_time: at("status.startTime"),
            completion_time: at("status.completionTime"),
            completed_indexes: job.str_at("status.completedIndexes").unwrap_or("").to_owned(),
            failed_indexes: job.str_at("status.failedIndexes").map(str::to_owned),
            uncounted_succeeded: uids("status.uncountedTerminatedPods.succeeded"),
            uncounted_failed: uids("status.uncountedTerminatedPods.failed"),
            conditions: Conditions(job.list_at("status.conditions").to_vec()),
        }
    }

    pub fn to_value(&self) -> Value {
        let mut status = map!({ "ready": self.ready, "terminating": self.terminating });
        for (key, count) in [("active", self.active), ("succeeded", self.succeeded), ("failed", self.failed)] {
            if count != 0 {
                status.insert(key, count);
            }
        }
        for (key, at) in [("startTime", self.start_time), ("completionTime", self.completion_time)] {
            if let Some(at) = at {
                status.insert(key, time::format_secs(at));
            }
        }
        if !self.completed_indexes.is_empty() {
            status.insert("completedIndexes", self.completed_indexes.as_str());
        }
        if let Some(failed) = &self.failed_indexes {
            status.insert("failedIndexes", failed.as_str());
        }
        let mut uncounted = Map::new();
        for (key, uids) in [("succeeded", &self.uncounted_succeeded), ("failed", &self.uncounted_failed)] {
            if !uids.is_empty() {
                uncounted.insert(key, uids.iter().map(Value::from).collect::<Vec<_>>());
            }
        }
        status.insert("uncountedTerminatedPods", uncounted);
        if !self.conditions.0.is_empty() {
            status.insert("conditions", self.conditions.0.clone());
        }
        Value::Map(status)
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
                let says = |key: &str| it.str_at(key).unwrap_or("").to_owned();
                if (says("status").as_str(), says("reason").as_str(), says("message").as_str())
                    == (status, reason, message)
                {
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
    let now = time::format_secs(now);
    value!({
        "lastProbeTime": now.as_str(), "lastTransitionTime": now, "message": message, "reason": reason,
        "status": status, "type": kind,
    })
}
