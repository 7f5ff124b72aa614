//! The counts and conditions in the status of a ReplicaSet (`calculateStatus`).

use std::sync::Arc;

use kinds::REPLICATION_CONTROLLER;
use meta::{Object, Status};
use runtime::Cx;
use sim::Duration;
use value::{Map, Value, value};

use crate::{conditions, pods};

const FAILURE: &str = "ReplicaFailure";

/// Writes the status if it differs; answers when to look again because a pod becomes available by time alone.
///
/// # Errors
/// A failed request.
pub(super) fn store(
    cx: &mut Cx<'_>,
    set: &Arc<Object>,
    active: &[Arc<Object>],
    terminating: usize,
    failure: Option<&Status>,
) -> Result<Option<Duration>, Status> {
    let now = cx.now_secs();
    let min_ready = set.i64_at("spec.minReadySeconds").unwrap_or(0);
    let labels = set.map_at("spec.template.metadata.labels").cloned().unwrap_or_default();
    let has_labels = |pod: &Object| labels.iter().all(|(key, value)| pod.meta.labels.get(key) == Some(value));
    let count = |test: &dyn Fn(&Object) -> bool| active.iter().filter(|it| test(it)).count() as i64;
    let ready = count(&pods::is_ready);
    let available = if min_ready == 0 { ready } else { count(&|it| pods::is_available(it, min_ready, now)) };
    let mut status = set.map_at("status").cloned().unwrap_or_default();
    status.insert("replicas", active.len() as i64);
    put(&mut status, "fullyLabeledReplicas", count(&has_labels));
    put(&mut status, "readyReplicas", ready);
    put(&mut status, "availableReplicas", available);
    put(&mut status, "observedGeneration", set.meta.generation);
    if set.kind != REPLICATION_CONTROLLER {
        status.insert("terminatingReplicas", terminating as i64);
    }
    put_failure(&mut status, set, active.len(), failure, now);
    cx.update_status(set, Value::Map(status))?;
    Ok(if min_ready > 0 && ready != available { pods::until_available(active, min_ready, now) } else { None })
}

/// Sets a count; zero is left out.
fn put(status: &mut Map, key: &str, count: i64) {
    if count == 0 {
        status.remove(key);
    } else {
        status.insert(key, count);
    }
}

/// The condition stays as it was while requests go on failing.
fn put_failure(status: &mut Map, set: &Object, n_active: usize, failure: Option<&Status>, now: i64) {
    let list = set.list_at("status.conditions");
    let has_failure = list.iter().any(|it| it.str_at("type") == Some(FAILURE));
    match failure {
        Some(failure) if !has_failure => {
            let wanted = set.i64_at("spec.replicas").unwrap_or(1);
            let reason = if (n_active as i64) < wanted { "FailedCreate" } else { "FailedDelete" };
            let condition = value!({
                "message": failure.message.as_str(), "reason": reason, "status": "True", "type": FAILURE,
            });
            status.insert("conditions", conditions::set(list, condition, now));
        }
        None if has_failure => {
            let rest: Vec<Value> = list.iter().filter(|it| it.str_at("type") != Some(FAILURE)).cloned().collect();
            if rest.is_empty() {
                status.remove("conditions");
            } else {
                status.insert("conditions", rest);
            }
        }
        _ => (),
    }
}
