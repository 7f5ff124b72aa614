//! Conditions of Deployments: they keep two times.

use value::{Value, time, value};

pub(super) const AVAILABLE: &str = "Available";
pub(super) const PROGRESSING: &str = "Progressing";
pub(super) const REPLICA_FAILURE: &str = "ReplicaFailure";

/// The condition of a type in a status.
pub(super) fn get<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    status.list_at("conditions").iter().find(|it| it.str_at("type") == Some(kind))
}

/// A new one; both times are `now`, seconds since the Unix epoch.
pub(super) fn new(kind: &str, status: &str, reason: &str, message: &str, now: i64) -> Value {
    let now = time::format_secs(now);
    value!({
        "lastTransitionTime": now.as_str(), "lastUpdateTime": now, "message": message, "reason": reason,
        "status": status, "type": kind,
    })
}

/// Puts a condition at the end in the place of the one of its type, unless that says the same
/// (`SetDeploymentCondition`).
pub(super) fn set(status: &mut Value, mut condition: Value) {
    let kind = condition.str_at("type").unwrap_or("").to_owned();
    if let Some(before) = get(status, &kind).filter(|it| it.get("status") == condition.get("status")) {
        if before.get("reason") == condition.get("reason") {
            return;
        }
        if let Some(since) = before.get("lastTransitionTime") {
            condition.set("lastTransitionTime", since.clone());
        }
    }
    let mut list = without(status, &kind);
    list.push(condition);
    status.set("conditions", list);
}

/// Takes the condition of a type out.
pub(super) fn remove(status: &mut Value, kind: &str) {
    if get(status, kind).is_none() {
        return;
    }
    let list = without(status, kind);
    if list.is_empty() {
        status.remove("conditions");
    } else {
        status.set("conditions", list);
    }
}

fn without(status: &Value, kind: &str) -> Vec<Value> {
    status.list_at("conditions").iter().filter(|it| it.str_at("type") != Some(kind)).cloned().collect()
}
