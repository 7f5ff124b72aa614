//! Counts what disruption budgets allow (`pkg/controller/disruption`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kinds::{DAEMON_SET, DEPLOYMENT, POD, POD_DISRUPTION_BUDGET, REPLICA_SET, REPLICATION_CONTROLLER, STATEFUL_SET};
use meta::selector::{LabelSelector, Operator};
use meta::{Key, KindId, Object, OwnerRef, Status, quoted};
use runtime::{Action, Cx, Reconciler, View, Watch, int_or_percent};
use sim::Duration;
use store::Change;
use value::{Map, Str, Value, map, time};

use crate::{conditions, pods};

const CONDITION: &str = "DisruptionAllowed";
/// How long an eviction counts before its pod is seen to go (`DeletionTimeout`), in seconds.
const DELETION_TIMEOUT: i64 = 2 * 60;
/// How long a pod may be marked for disruption and live (`stalePodDisruptionTimeout`), in seconds.
const STALE_TIMEOUT: i64 = 2 * 60;

pub(crate) struct Budgets;

impl Reconciler for Budgets {
    fn name(&self) -> &'static str {
        "disruption"
    }

    fn kind(&self) -> KindId {
        POD_DISRUPTION_BUDGET
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::itself(POD_DISRUPTION_BUDGET), Watch::map(POD, budgets_of).while_any(POD_DISRUPTION_BUDGET)]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        if let Some(name) = key.name.strip_prefix(POD_PREFIX) {
            tell_of_several(cx, &Key::new(&key.namespace, name));
            return Ok(Action::AwaitChange);
        }
        let Some(budget) = cx.get(POD_DISRUPTION_BUDGET, key) else { return Ok(Action::AwaitChange) };
        let selector = LabelSelector::from_value(budget.at("spec.selector"));
        let pods = cx.list(POD, Some(&key.namespace)).filter(|it| selector.matches(&it.meta.labels));
        let pods: Vec<Arc<Object>> = pods.cloned().collect();
        if pods.is_empty() {
            cx.event(&budget, "Normal", "NoPods", "No matching pods found");
        }
        let expected = match expected(&cx.view(), &budget, &pods) {
            Ok(expected) => expected,
            Err(why) => {
                let message = format!("Failed to calculate the number of expected pods: {why}");
                cx.event(&budget, "Warning", "CalculateExpectedPodCountFailed", &message);
                return fail_safe(cx, &budget, &why);
            }
        };
        if expected.has_unmanaged {
            let message = format!(
                "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set \".spec.minAvailable\" field of the PDB to an integer value.",
                printed(budget.at("spec.selector")),
            );
            cx.event(&budget, "Warning", "UnmanagedPods", &message);
        }
        let (disrupted, recheck) = disrupted(cx, &budget, &pods);
        store(cx, &budget, &pods, &expected, disrupted)?;
        Ok(recheck.map_or(Action::AwaitChange, Action::RequeueAfter))
    }
}

/// What the names of keys that stand for pods begin with.
const POD_PREFIX: &str = "pods/";

/// The budgets that select a pod.
fn selecting<'a>(view: &View<'a>, pod: &'a Object) -> impl Iterator<Item = &'a Arc<Object>> + use<'a> {
    let budgets = view.list(POD_DISRUPTION_BUDGET, Some(pod.namespace()));
    budgets.filter(|it| LabelSelector::from_value(it.at("spec.selector")).matches(&pod.meta.labels))
}

/// Says that a pod has several budgets, of which one counts (`getPdbForPod`).
fn tell_of_several(cx: &mut Cx<'_>, key: &Key) {
    let Some(pod) = cx.get(POD, key) else { return };
    let names: Vec<String> = selecting(&cx.view(), &pod).map(|it| quoted(it.name())).collect();
    if let [first, _, ..] = names.as_slice() {
        let message = format!(
            "Pod {}/{} matches multiple PodDisruptionBudgets.  Chose {first} arbitrarily.",
            quoted(pod.namespace()),
            quoted(pod.name())
        );
        cx.event(&pod, "Warning", "MultiplePodDisruptionBudgets", &message);
    }
}

/// The budgets that a change of a pod may touch.
///
/// Of several upstream tells one, which it draws anew at each change: as pods change several times, all hear of it before long.
fn budgets_of(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let pod = change.object();
    let is_news = match (&change.before, &change.after) {
        (Some(before), Some(after)) => {
            before.meta.labels != after.meta.labels
                || before.meta.deleted != after.meta.deleted
                || pods::is_ready(before) != pods::is_ready(after)
                || !Arc::ptr_eq(&before.meta.owners, &after.meta.owners)
        }
        _ => true,
    };
    // That there are several is said of every change.
    if !is_news && view.list(POD_DISRUPTION_BUDGET, Some(pod.namespace())).nth(1).is_none() {
        return;
    }
    let budgets: Vec<&Arc<Object>> = selecting(view, pod).collect();
    if budgets.len() > 1 && change.after.is_some() {
        keys.push(Key::new(pod.namespace(), format!("{POD_PREFIX}{}", pod.name())));
    }
    if is_news {
        keys.extend(budgets.iter().map(|it| it.key()));
    }
}

struct Expected {
    /// Pods that there should be.
    pods: i64,
    /// Pods that have to be healthy.
    healthy: i64,
    has_unmanaged: bool,
}

/// `getExpectedPodCount`
///
/// # Errors
/// Why it cannot be told.
fn expected(view: &View<'_>, budget: &Object, pods: &[Arc<Object>]) -> Result<Expected, String> {
    let scaled = |bound: &Value, total| {
        int_or_percent::scaled(bound, total, true).ok_or_else(|| "invalid value for IntOrString".to_owned())
    };
    if let Some(bound) = budget.at("spec.maxUnavailable") {
        let (n_pods, has_unmanaged) = scale_of_owners(view, pods)?;
        let healthy = n_pods.saturating_sub(scaled(bound, n_pods)?).max(0);
        return Ok(Expected { pods: n_pods, healthy, has_unmanaged });
    }
    match budget.at("spec.minAvailable") {
        Some(Value::Int(healthy)) => Ok(Expected { pods: pods.len() as i64, healthy: *healthy, has_unmanaged: false }),
        Some(bound) => {
            let (n_pods, has_unmanaged) = scale_of_owners(view, pods)?;
            Ok(Expected { pods: n_pods, healthy: scaled(bound, n_pods)?, has_unmanaged })
        }
        None => Ok(Expected { pods: 0, healthy: 0, has_unmanaged: false }),
    }
}

/// How many pods the controllers of `pods` want in all, and whether some have none (`getExpectedScale`).
fn scale_of_owners(view: &View<'_>, pods: &[Arc<Object>]) -> Result<(i64, bool), String> {
    let mut scales: BTreeMap<Str, i64> = BTreeMap::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let mut has_unmanaged = false;
    for pod in pods {
        let Some(owner) = pod.meta.controller() else {
            has_unmanaged = true;
            continue;
        };
        if !known.insert(&owner.uid) {
            continue;
        }
        let Some((uid, replicas)) = scale_of(view, owner, pod.namespace())? else {
            return Err(format!("found no controllers for pod {}", quoted(pod.name())));
        };
        scales.insert(uid, replicas);
    }
    Ok((scales.values().fold(0, |sum, it| sum.saturating_add(*it)), has_unmanaged))
}

/// The controller of a pod, or of its ReplicaSet, with its replicas.
fn scale_of(view: &View<'_>, owner: &OwnerRef, namespace: &str) -> Result<Option<(Str, i64)>, String> {
    let find = |kind, owner: &OwnerRef| {
        view.get(kind, &Key::new(namespace, &owner.name)).filter(|it| it.meta.uid == owner.uid)
    };
    let counted = |it: &Object| (it.meta.uid.clone(), it.i64_at("spec.replicas").unwrap_or(1));
    let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
    let found = match (group, &*owner.kind) {
        ("", "ReplicationController") => find(REPLICATION_CONTROLLER, owner),
        ("apps" | "extensions", "ReplicaSet") => find(REPLICA_SET, owner).map(|set| {
            let deployment = set.meta.controller().filter(|it| it.kind == "Deployment");
            deployment.and_then(|it| find(DEPLOYMENT, it)).unwrap_or(set)
        }),
        ("apps", "StatefulSet") => find(STATEFUL_SET, owner),
        _ => None,
    };
    if let Some(found) = found {
        return Ok(Some(counted(found)));
    }
    let Some(kind) = view.kind_of(&owner.api_version, &owner.kind) else {
        return Err(format!("no matches for kind {} in version {}", quoted(&owner.kind), quoted(&owner.api_version)));
    };
    if kind.id == DAEMON_SET || !kind.subresources.iter().any(|it| it.name == "scale") {
        let resource = meta::qualified(kind.group, kind.plural);
        return Err(format!("{resource} does not implement the scale subresource"));
    }
    Ok(find(kind.id, owner).map(|it| {
        let replicas = kinds::scale::of(it).i64_at("spec.replicas").unwrap_or(0);
        (it.meta.uid.clone(), replicas)
    }))
}

/// Evicted pods that are not seen to go yet, with the time of the eviction; and when to look again (`buildDisruptedPodMap`).
fn disrupted(cx: &mut Cx<'_>, budget: &Object, pods: &[Arc<Object>]) -> (Map, Option<Duration>) {
    let mut res = Map::new();
    let mut recheck: Option<i64> = None;
    let Some(noted) = budget.map_at("status.disruptedPods").cloned() else { return (res, None) };
    let now = cx.now_secs();
    for pod in pods.iter().filter(|it| !it.meta.is_deleted()) {
        let Some(at) = noted.get(pod.name()) else { continue };
        let until = at.as_str().and_then(time::parse_secs).unwrap_or(0) + DELETION_TIMEOUT;
        if until < now {
            // Upstream names the namespace twice.
            let namespace = budget.namespace();
            let message = format!("Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't");
            cx.event(pod, "Warning", "NotDeleted", &message);
            continue;
        }
        recheck = Some(recheck.map_or(until, |it| it.min(until)));
        res.insert(pod.name(), at);
    }
    (res, recheck.map(|it| Duration::from_secs((it - now + 1).unsigned_abs())))
}

/// Writes the status where it is not up to date (`updatePdbStatus`).
fn store(
    cx: &mut Cx<'_>,
    budget: &Arc<Object>,
    pods: &[Arc<Object>],
    expected: &Expected,
    disrupted: Map,
) -> Result<(), Status> {
    let now = cx.now_secs();
    let goes = |pod: &Object| {
        pod.meta.is_deleted()
            || disrupted
                .get(pod.name())
                .and_then(|it| time::parse_secs(it.as_str()?))
                .is_some_and(|it| it + DELETION_TIMEOUT > now)
    };
    let healthy = pods.iter().filter(|it| !goes(it) && pods::is_ready(it)).count() as i64;
    let mut allowed = healthy - expected.healthy;
    if expected.pods <= 0 || allowed <= 0 {
        allowed = 0;
    }
    let (reason, holds) = if allowed > 0 { ("SufficientPods", "True") } else { ("InsufficientPods", "False") };
    let generation = budget.meta.generation;
    let live = budget.map_at("status").cloned().unwrap_or_default();
    let mut status = map!({
        "currentHealthy": healthy, "desiredHealthy": expected.healthy, "disruptionsAllowed": allowed,
        "expectedPods": expected.pods, "observedGeneration": generation,
    });
    if !disrupted.is_empty() {
        status.insert("disruptedPods", disrupted);
    }
    let is_current = |it: &Value| {
        it.str_at("type") == Some(CONDITION)
            && it.str_at("status") == Some(holds)
            && it.str_at("reason") == Some(reason)
    };
    let up_to_date = budget.list_at("status.conditions").iter().any(is_current);
    if up_to_date && live.filtered(|key, _| key != "conditions") == status {
        return Ok(());
    }
    let condition = map!({
        "message": "", "observedGeneration": generation, "reason": reason, "status": holds, "type": CONDITION,
    });
    status.insert("conditions", conditions::set(budget.list_at("status.conditions"), Value::Map(condition), now));
    cx.update_status(budget, Value::Map(status)).map(|_| ())
}

/// Allows nothing while nobody can tell how much to allow (`failSafe`).
fn fail_safe(cx: &mut Cx<'_>, budget: &Arc<Object>, why: &str) -> Result<Action, Status> {
    let mut status = budget.map_at("status").cloned().unwrap_or_default();
    for count in ["currentHealthy", "desiredHealthy", "expectedPods"] {
        status.set_default(count, 0);
    }
    status.insert("disruptionsAllowed", 0);
    let mut condition = map!({ "message": why, "reason": "SyncFailed", "status": "False", "type": CONDITION });
    if let Some(seen) = budget.i64_at("status.observedGeneration") {
        condition.insert("observedGeneration", seen);
    }
    let list = conditions::set(budget.list_at("status.conditions"), Value::Map(condition), cx.now_secs());
    status.insert("conditions", list);
    cx.update_status(budget, Value::Map(status))?;
    Ok(Action::AwaitChange)
}

/// As Go prints a label selector.
pub(crate) fn printed(selector: Option<&Value>) -> String {
    let Some(Value::Map(map)) = selector else { return "nil".to_owned() };
    let labels: String = map
        .get("matchLabels")
        .and_then(Value::as_map)
        .into_iter()
        .flat_map(Map::iter)
        .map(|(key, value)| format!("{key}: {},", value.as_str().unwrap_or("")))
        .collect();
    let selector = LabelSelector::from_value(Some(&value_of(map)));
    let terms: String = selector
        .requirements
        .iter()
        .map(|it| {
            let operator = match it.operator {
                Operator::In => "In",
                Operator::NotIn => "NotIn",
                Operator::Exists => "Exists",
                _ => "DoesNotExist",
            };
            format!("LabelSelectorRequirement{{Key:{},Operator:{operator},Values:[{}],}},", it.key, it.values.join(" "))
        })
        .collect();
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{terms}}},}}"
    )
}

fn value_of(map: &Map) -> Value {
    Value::Map(map.filtered(|key, _| key == "matchExpressions"))
}

/// Takes the mark of a disruption that did not happen from a pod again (`syncStalePodDisruption`).
pub(crate) struct StaleDisruptions;

impl Reconciler for StaleDisruptions {
    fn name(&self) -> &'static str {
        "stale-disruption"
    }

    fn kind(&self) -> KindId {
        POD
    }

    fn watches(&self) -> Vec<Watch> {
        let keys = |change: &Change, _: &View<'_>, keys: &mut Vec<Key>| {
            keys.extend(change.after.as_deref().filter(|it| stale_at(it).is_some()).map(Object::key));
        };
        vec![Watch::map(POD, keys)]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(pod) = cx.get(POD, key) else { return Ok(Action::AwaitChange) };
        let Some(at) = stale_at(&pod) else { return Ok(Action::AwaitChange) };
        let left = at - cx.now_secs();
        if left > 0 {
            return Ok(Action::RequeueAfter(Duration::from_secs(left.unsigned_abs())));
        }
        let mut condition = map!({ "lastProbeTime": null, "status": "False", "type": "DisruptionTarget" });
        if pod.meta.generation > 0 {
            condition.insert("observedGeneration", pod.meta.generation);
        }
        let list = conditions::set(pod.list_at("status.conditions"), Value::Map(condition), cx.now_secs());
        let mut status = pod.map_at("status").cloned().unwrap_or_default();
        status.insert("conditions", list);
        cx.update_status(&pod, Value::Map(status))?;
        Ok(Action::AwaitChange)
    }
}

/// When the mark of a pod that lives on counts no longer, in seconds since the Unix epoch.
fn stale_at(pod: &Object) -> Option<i64> {
    let condition = pod.condition("DisruptionTarget").filter(|_| pods::is_active(pod))?;
    let is_by_kubelet = condition.str_at("reason") == Some("TerminationByKubelet");
    if is_by_kubelet || condition.str_at("status") != Some("True") {
        return None;
    }
    Some(condition.str_at("lastTransitionTime").and_then(time::parse_secs).unwrap_or(0) + STALE_TIMEOUT)
}
