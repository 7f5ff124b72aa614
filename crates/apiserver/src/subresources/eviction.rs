//! `eviction`: deletes a pod where no disruption budget forbids it (`EvictionREST`).

use std::sync::Arc;

use kinds::{POD, POD_DISRUPTION_BUDGET};
use meta::selector::LabelSelector;
use meta::{Cause, Key, Object, Status};
use value::{Map, Value, map, time};

use crate::delete::{self, DeleteOptions, Deleted};
use crate::server::ApiServer;
use crate::write::{self, Write};

/// Evictions that the controller of budgets has not confirmed.
const DISRUPTED_MAX: usize = 2_000;

/// # Errors
/// 404, `Conflict`, 429 where a budget forbids it.
pub(crate) fn evict(api: &mut ApiServer, write: &Write, pod: &Key, options: &DeleteOptions) -> Result<Deleted, Status> {
    let live = api.store.get(POD, pod).cloned().ok_or_else(|| write.not_found(&pod.name))?;
    let phase = live.str_at("status.phase").unwrap_or("");
    if !matches!(phase, "Succeeded" | "Failed" | "Pending") && !live.meta.is_deleted() {
        ask_budgets(api, write, &live, options.dry_run)?;
    }
    let mut options = options.clone();
    if !options.dry_run {
        delete::check_preconditions(write, &live, &options)?;
        let noted = note(api, write, &live)?;
        // The revision that was asked for was met, and is a new one now.
        if options.resource_version.is_some() {
            options.resource_version = Some(noted.meta.revision.text());
        }
    }
    delete::delete(api, write, pod, &options)
}

/// Notes in the pod's status why it goes.
fn note(api: &mut ApiServer, write: &Write, live: &Arc<Object>) -> Result<Arc<Object>, Status> {
    let mut object = Object::clone(live);
    let mut status = live.map_at("status").cloned().unwrap_or_default();
    let (reason, message) = ("EvictionByEvictionAPI", "Eviction API: evicting");
    kinds::pod::set_condition(&mut status, "DisruptionTarget", "True", reason, message, write.now.secs());
    object.body.insert("status", status);
    write::update(api, &mut Write { sub: "status", ..write.clone() }, live, object)
}

fn ask_budgets(api: &mut ApiServer, write: &Write, pod: &Object, dry_run: bool) -> Result<(), Status> {
    let guards = |it: &&Arc<Object>| {
        it.at("spec.selector").is_some() && LabelSelector::from_value(it.at("spec.selector")).matches(&pod.meta.labels)
    };
    let budgets: Vec<Arc<Object>> =
        api.store.list(POD_DISRUPTION_BUDGET, Some(pod.namespace())).filter(guards).cloned().collect();
    let budget = match budgets.as_slice() {
        [] => return Ok(()),
        [one] => one,
        _ => {
            let why =
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(Status::new(500, "", why));
        }
    };
    let number = |path: &'static str| budget.i64_at(path).unwrap_or(0);
    let (healthy, wanted) = (number("status.currentHealthy"), number("status.desiredHealthy"));
    if !is_ready(pod) {
        let always = budget.str_at("spec.unhealthyPodEvictionPolicy") == Some("AlwaysAllow");
        if always || (healthy >= wanted && wanted > 0) {
            return Ok(());
        }
    }
    check(budget)?;
    if dry_run { Ok(()) } else { take(api, write, budget, pod) }
}

fn is_ready(pod: &Object) -> bool {
    pod.condition_status("Ready") == Some("True")
}

/// Whether the budget has room for one more disruption.
fn check(budget: &Object) -> Result<(), Status> {
    let number = |path: &'static str| budget.i64_at(path).unwrap_or(0);
    let name = budget.name();
    let forbidden = |why: &str| Err(Status::forbidden("policy", "poddisruptionbudget", name, why));
    if number("status.observedGeneration") < budget.meta.generation {
        let why = format!("The disruption budget {name} is still being processed by the server.");
        return Err(too_many(10, why));
    }
    let allowed = number("status.disruptionsAllowed");
    if allowed < 0 {
        return forbidden("pdb disruptions allowed is negative");
    }
    if budget.map_at("status.disruptedPods").is_some_and(|it| it.len() > DISRUPTED_MAX) {
        return forbidden("DisruptedPods map too big - too many evictions not confirmed by PDB controller");
    }
    if allowed > 0 {
        return Ok(());
    }
    let refusal = budget
        .condition("DisruptionAllowed")
        .filter(|it| it.str_at("status") == Some("False"))
        .map(|it| (it.str_at("reason").unwrap_or(""), it.str_at("message").unwrap_or("")))
        .filter(|(_, message)| !message.is_empty());
    let (healthy, wanted) = (number("status.currentHealthy"), number("status.desiredHealthy"));
    let currently = format!("The disruption budget {name} does not allow evicting pods currently");
    let why = match refusal {
        Some(("SyncFailed", message)) => format!("{currently} because it failed sync: {message}"),
        _ if healthy <= wanted => {
            format!("The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently")
        }
        Some((reason, message)) => format!("{currently} ({reason}): {message}"),
        None => currently,
    };
    Err(too_many(0, why))
}

fn too_many(retry_after_seconds: i64, why: String) -> Status {
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    let mut status = Status::too_many_requests(message, retry_after_seconds);
    let cause = Cause { reason: "DisruptionBudget".into(), message: why, field: String::new() };
    status.details.get_or_insert_default().causes.push(cause);
    status
}

/// Takes one disruption from the budget, in the name of the server itself.
fn take(api: &mut ApiServer, write: &Write, budget: &Arc<Object>, pod: &Object) -> Result<(), Status> {
    let kind = api.registry.get(POD_DISRUPTION_BUDGET).ok_or_else(crate::route::unknown)?;
    let mut object = Object::clone(budget);
    let left = budget.i64_at("status.disruptionsAllowed").unwrap_or(0) - 1;
    object.set("status.disruptionsAllowed", left);
    if left == 0 {
        let conditions = refused(budget, write.now.secs());
        object.set("status.conditions", conditions);
    }
    let mut disrupted = budget.map_at("status.disruptedPods").cloned().unwrap_or_default();
    disrupted.insert(pod.name(), time::format_secs(write.now.secs()));
    object.set("status.disruptedPods", disrupted);
    let api_version = kind.api_version().into();
    let manager = "kube-apiserver".into();
    let mut write = Write { kind, api_version, manager, served: None, sub: "status", ..write.clone() };
    write::change(api, &mut write, budget, object).map(|_| ())
}

/// The conditions of a budget that has no room left (`UpdateDisruptionAllowedCondition`).
fn refused(budget: &Object, now: i64) -> Vec<Value> {
    const KIND: &str = "DisruptionAllowed";
    let mut conditions = budget.list_at("status.conditions").to_vec();
    let place = conditions.iter().position(|it| it.str_at("type") == Some(KIND));
    let old: Map = place.and_then(|idx| conditions.get(idx)?.as_map().cloned()).unwrap_or_default();
    let is_false = old.get("status").and_then(Value::as_str) == Some("False");
    let mut condition = map!({ "message": "", "reason": "InsufficientPods", "status": "False", "type": KIND });
    match old.get("lastTransitionTime") {
        Some(since) if is_false => condition.insert("lastTransitionTime", since),
        _ => condition.insert("lastTransitionTime", time::format_secs(now)),
    }
    if let Some(seen) = budget.at("status.observedGeneration") {
        condition.insert("observedGeneration", seen);
    }
    match place.and_then(|idx| conditions.get_mut(idx)) {
        Some(it) => *it = Value::Map(condition),
        None => conditions.push(Value::Map(condition)),
    }
    conditions
}
