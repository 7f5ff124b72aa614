//! How long a Job waits before it replaces a failed pod (`backoff_utils.go`).

use std::sync::Arc;

use meta::Object;
use sim::Duration;
use value::{Value, time, value};

/// First and longest delay.
const FIRST: i64 = 10;
const MAX: i64 = 600;

/// Failures since the last success.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Record {
    n_failures: i64,
    /// Seconds since the Unix epoch.
    last: Option<i64>,
}

impl Record {
    pub fn saved(&self) -> Value {
        value!({ "failures": self.n_failures, "last": self.last.unwrap_or(0) })
    }

    pub fn restored(saved: &Value) -> Record {
        let number = |field: &'static str| saved.i64_at(field).unwrap_or(0);
        Record { n_failures: number("failures"), last: Some(number("last")).filter(|it| *it != 0) }
    }

    /// With pods that have ended meanwhile: a success forgets the failures before it.
    pub fn after(&self, succeeded: &[Arc<Object>], failed: &[Arc<Object>]) -> Record {
        let ends = |pods: &[Arc<Object>]| -> Vec<i64> { pods.iter().map(|it| finished_at(it)).collect() };
        let failures = ends(failed);
        match ends(succeeded).into_iter().max() {
            None if failures.is_empty() => self.clone(),
            None => Record { n_failures: self.n_failures + failures.len() as i64, last: failures.into_iter().max() },
            Some(success) => {
                let later: Vec<i64> = failures.into_iter().filter(|it| *it > success).collect();
                Record { n_failures: later.len() as i64, last: later.into_iter().max() }
            }
        }
    }

    /// What is left of the delay at `now`.
    pub fn remaining(&self, now: i64) -> Option<Duration> {
        remaining(self.n_failures, self.last?, now)
    }
}

/// What is left of the delay of an index whose last pod failed.
pub(super) fn of_index(failures_before: i64, failed: &Object, now: i64) -> Option<Duration> {
    remaining(failures_before + 1, finished_at(failed), now)
}

fn remaining(n_failures: i64, last: i64, now: i64) -> Option<Duration> {
    if n_failures == 0 {
        return None;
    }
    let doublings = u32::try_from(n_failures - 1).unwrap_or(u32::MAX).min(16);
    let delay = (FIRST << doublings).min(MAX);
    let left = delay - (now - last);
    (left > 0).then(|| Duration::from_secs(left.unsigned_abs()))
}

/// When a pod ended: by its containers, its Ready condition or its deletion, else when it was made.
pub(super) fn finished_at(pod: &Object) -> i64 {
    by_containers(pod)
        .or_else(|| by_condition(pod))
        .or_else(|| pod.meta.deleted.map(|it| it - time::go_seconds(pod.meta.grace_seconds.unwrap_or(0))))
        .or(pod.meta.created)
        .unwrap_or(0)
}

fn by_containers(pod: &Object) -> Option<i64> {
    let sidecars: Vec<&str> = pod
        .list_at("spec.initContainers")
        .iter()
        .filter(|it| it.str_at("restartPolicy") == Some("Always"))
        .filter_map(|it| it.str_at("name"))
        .collect();
    let is_sidecar = |name: Option<&str>| name.is_some_and(|it| sidecars.contains(&it));
    let statuses = pod.list_at("status.containerStatuses").iter();
    let inits = pod.list_at("status.initContainerStatuses").iter().filter(|it| is_sidecar(it.str_at("name")));
    let mut last = None;
    for status in statuses.chain(inits) {
        last = last.max(Some(status.str_at("state.terminated.finishedAt").and_then(time::parse_secs)?));
    }
    last
}

fn by_condition(pod: &Object) -> Option<i64> {
    let ready = pod.condition("Ready").filter(|it| it.str_at("status") == Some("False"))?;
    ready.str_at("lastTransitionTime").and_then(time::parse_secs)
}
