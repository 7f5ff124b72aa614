//! The status of a Deployment: counts, availability, and whether the rollout gets on (`progress.go`).

use meta::{Object, Status};
use runtime::Cx;
use sim::Duration;
use value::{Map, Value, time};

use super::condition::{self, AVAILABLE, PROGRESSING, REPLICA_FAILURE};
use super::{Sync, arithmetic, replicas};

const TIMED_OUT: &str = "ProgressDeadlineExceeded";
const COMPLETED: &str = "NewReplicaSetAvailable";
const PAUSED: &str = "DeploymentPaused";

fn count(status: &Value, key: &'static str) -> i64 {
    status.i64_at(key).unwrap_or(0)
}

fn put(status: &mut Map, key: &str, count: i64) {
    if count == 0 {
        status.remove(key);
    } else {
        status.insert(key, count);
    }
}

impl Sync {
    pub(super) fn has_deadline(&self) -> bool {
        self.deadline().is_some()
    }

    fn deadline(&self) -> Option<i64> {
        self.deployment.i64_at("spec.progressDeadlineSeconds").filter(|it| *it != i64::from(i32::MAX))
    }

    fn old_status(&self) -> Value {
        self.deployment.at("status").cloned().unwrap_or_default()
    }

    /// The counts of all sets and the Available condition (`calculateStatus`).
    pub(super) fn status_at(&self, now: i64) -> Value {
        let all = self.all();
        let sum = |path: &'static str| all.iter().map(|it| it.i64_at(path).unwrap_or(0)).sum::<i64>();
        let available = sum("status.availableReplicas");
        let total: i64 = all.iter().map(|it| replicas(it)).sum();
        let updated = self.new.as_ref().map_or(0, |it| it.i64_at("status.replicas").unwrap_or(0));
        let mut status = self.old_status().as_map().cloned().unwrap_or_default();
        put(&mut status, "observedGeneration", self.deployment.meta.generation);
        put(&mut status, "replicas", sum("status.replicas"));
        put(&mut status, "updatedReplicas", updated);
        put(&mut status, "readyReplicas", sum("status.readyReplicas"));
        put(&mut status, "availableReplicas", available);
        put(&mut status, "unavailableReplicas", (total - available).max(0));
        let is_known = |it: &Object| {
            it.at("status.terminatingReplicas").is_some() || it.i64_at("status.observedGeneration").unwrap_or(0) == 0
        };
        if all.iter().all(|it| is_known(it)) {
            status.insert("terminatingReplicas", sum("status.terminatingReplicas"));
        } else {
            status.remove("terminatingReplicas");
        }
        let mut status = Value::Map(status);
        let enough = available >= self.wanted() - arithmetic::max_unavailable(&self.deployment);
        let (is_true, reason, message) = if enough {
            ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        } else {
            ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
        };
        condition::set(&mut status, condition::new(AVAILABLE, is_true, reason, message, now));
        status
    }

    /// `DeploymentComplete`
    pub(super) fn is_complete(&self, status: &Value) -> bool {
        let wanted = self.wanted();
        count(status, "updatedReplicas") == wanted
            && count(status, "replicas") == wanted
            && count(status, "availableReplicas") == wanted
            && count(status, "observedGeneration") >= self.deployment.meta.generation
    }

    /// `DeploymentProgressing`
    fn is_progressing(&self, status: &Value) -> bool {
        let before = self.old_status();
        let old_pods = |it: &Value| count(it, "replicas") - count(it, "updatedReplicas");
        let more = |key: &'static str| count(status, key) > count(&before, key);
        more("updatedReplicas")
            || old_pods(status) < old_pods(&before)
            || more("readyReplicas")
            || more("availableReplicas")
    }

    /// `DeploymentTimedOut`
    fn is_timed_out(&self, status: &Value, now: i64) -> bool {
        let (Some(deadline), Some(condition)) = (self.deadline(), condition::get(status, PROGRESSING)) else {
            return false;
        };
        match condition.str_at("reason") {
            Some(COMPLETED) => false,
            Some(TIMED_OUT) => true,
            _ => last_update(condition).is_some_and(|it| it + deadline < now),
        }
    }

    /// Writes the status with what the rollout came to (`syncRolloutStatus`).
    pub(super) fn sync_progress(&mut self, cx: &mut Cx<'_>) -> Result<(), Status> {
        let now = cx.now_secs();
        let mut status = self.status_at(now);
        let before = self.old_status();
        if self.has_deadline() {
            self.judge(&mut status, &before, now);
        } else {
            condition::remove(&mut status, PROGRESSING);
        }
        match self.replica_failure() {
            Some(failure) => condition::set(&mut status, failure),
            None => condition::remove(&mut status, REPLICA_FAILURE),
        }
        if status == before {
            self.look_again(&status, now);
            return Ok(());
        }
        self.store_status(cx, status)
    }

    fn judge(&self, status: &mut Value, before: &Value, now: i64) {
        let current = condition::get(before, PROGRESSING).cloned();
        let was_complete = current.as_ref().is_some_and(|it| it.str_at("reason") == Some(COMPLETED));
        if was_complete && count(status, "replicas") == count(status, "updatedReplicas") {
            return;
        }
        let what = match &self.new {
            Some(new) => format!("ReplicaSet {}", meta::quoted(new.name())),
            None => format!("Deployment {}", meta::quoted(self.deployment.name())),
        };
        let says = |is_true: &str, reason: &str, verb: &str| {
            condition::new(PROGRESSING, is_true, reason, &format!("{what} {verb}."), now)
        };
        if self.is_complete(status) {
            condition::set(status, says("True", COMPLETED, "has successfully progressed"));
        } else if self.is_progressing(status) {
            let mut condition = says("True", "ReplicaSetUpdated", "is progressing");
            if let Some(current) = current {
                if current.str_at("status") == Some("True")
                    && let Some(since) = current.get("lastTransitionTime")
                {
                    condition.set("lastTransitionTime", since.clone());
                }
                condition::remove(status, PROGRESSING);
            }
            condition::set(status, condition);
        } else if self.is_timed_out(status, now) {
            condition::set(status, says("False", TIMED_OUT, "has timed out progressing"));
        }
    }

    /// The failure of the new set, or of any.
    fn replica_failure(&self) -> Option<Value> {
        let failure = |set: &Object| {
            let found = set.condition(REPLICA_FAILURE)?;
            let since = found.get("lastTransitionTime").cloned().unwrap_or_default();
            Some(found.with("lastUpdateTime", since))
        };
        self.new.as_deref().and_then(failure).or_else(|| self.all().iter().find_map(|it| failure(it)))
    }

    /// A rollout that does not get on is looked at again at its deadline (`requeueStuckDeployment`).
    fn look_again(&mut self, status: &Value, now: i64) {
        let (Some(deadline), Some(condition)) = (self.deadline(), condition::get(status, PROGRESSING)) else { return };
        if self.is_complete(status) || condition.str_at("reason") == Some(TIMED_OUT) {
            return;
        }
        if let Some(update) = last_update(condition) {
            let seconds = (update + deadline - now).max(0) + 1;
            self.again = Some(Duration::from_secs(seconds.unsigned_abs()));
        }
    }

    /// A pause and its end show in the Progressing condition, so that no time of it counts (`checkPausedConditions`).
    pub(super) fn note_pause(&mut self, cx: &mut Cx<'_>) -> Result<(), Status> {
        let mut status = self.old_status();
        let reason = condition::get(&status, PROGRESSING).and_then(|it| it.str_at("reason"));
        if !self.has_deadline() || reason == Some(TIMED_OUT) {
            return Ok(());
        }
        let was_paused = reason == Some(PAUSED);
        let (reason, message) = match (self.is_paused(), was_paused) {
            (true, false) => (PAUSED, "Deployment is paused"),
            (false, true) => ("DeploymentResumed", "Deployment is resumed"),
            _ => return Ok(()),
        };
        condition::set(&mut status, condition::new(PROGRESSING, "Unknown", reason, message, cx.now_secs()));
        self.store_status(cx, status)
    }
}

fn last_update(condition: &Value) -> Option<i64> {
    condition.str_at("lastUpdateTime").and_then(time::parse_secs)
}
