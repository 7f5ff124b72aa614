//! What objects use of ResourceQuotas (`pkg/quota/v1/evaluator/core`).

use std::collections::{BTreeMap, BTreeSet};

use meta::{Object, qualified};
use value::quantity::Quantity;
use value::{Map, Str, Value, time};

use crate::pod_template::fields::{child, child_or_empty, has, int, list, maps, opt_flag, text, texts};
use crate::pod_template::resources::{self, Amounts, amounts};
use crate::pod_template::scheduling::{PREFERRED, REQUIRED};
use crate::storage_class::class_of;
use crate::workload::{spec, status};
use crate::{Kind, PERSISTENT_VOLUME_CLAIM, POD, SERVICE, pod};

#[cfg(test)]
mod tests;

/// Amounts by the names that quotas use.
pub type Usage = BTreeMap<String, Quantity>;

/// Kinds that were counted by their bare name before `count/` came.
const COUNTED_BY_NAME: &[&str] = &["configmaps", "replicationcontrollers", "resourcequotas", "secrets"];
/// Between the name of a storage class and what is limited for it.
const OF_CLASS: &str = ".storageclass.storage.k8s.io/";
const CLAIM_RESOURCES: &[&str] = &["persistentvolumeclaims", "requests.storage"];
const SERVICE_RESOURCES: &[&str] = &["services", "services.loadbalancers", "services.nodeports"];
const POD_RESOURCES: &[&str] = &[
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "pods",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
/// What every container has to name where a quota limits it.
const MUST_BE_SET: &[&str] = &["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];
const DEVICE_CLASS: &str = "deviceclass.resource.kubernetes.io/";

/// `count/deployments.apps`
fn count_name(kind: &Kind) -> String {
    format!("count/{}", qualified(kind.group, kind.plural))
}

/// Whether objects of a kind use what a quota calls `name` (`MatchingResources`).
pub fn measures(kind: &Kind, name: &str) -> bool {
    if let Some(counted) = name.strip_prefix("count/") {
        return counted == qualified(kind.group, kind.plural);
    }
    if kind.id == POD {
        return POD_RESOURCES.contains(&name)
            || name.starts_with("hugepages-")
            || name.strip_prefix("requests.").is_some_and(|it| {
                it.starts_with("hugepages-") || !resources::is_native(name) || it.starts_with(DEVICE_CLASS)
            });
    }
    if kind.id == SERVICE {
        return SERVICE_RESOURCES.contains(&name);
    }
    if kind.id == PERSISTENT_VOLUME_CLAIM {
        let bare = name.split_once(OF_CLASS).map_or(name, |(_, it)| it);
        return CLAIM_RESOURCES.contains(&bare);
    }
    kind.group.is_empty() && COUNTED_BY_NAME.contains(&name) && kind.plural == name
}

/// What an object uses at `now`, in seconds since the Unix epoch (`Usage`).
pub fn usage(kind: &Kind, object: &Object, now: i64) -> Usage {
    let one = Quantity::from_int(1);
    let mut res = Usage::from([(count_name(kind), one)]);
    if kind.id == POD {
        if is_charged(object, now) {
            pod_usage(object, &mut res);
        }
    } else if kind.id == SERVICE {
        service_usage(spec(object), &mut res);
    } else if kind.id == PERSISTENT_VOLUME_CLAIM {
        claim_usage(object, &mut res);
    } else if kind.group.is_empty() && COUNTED_BY_NAME.contains(&kind.plural) {
        res.insert(kind.plural.to_string(), one);
    }
    res
}

/// Whether a pod has not ended, nor outlived the grace with which it was deleted (`QuotaV1Pod`).
pub fn is_charged(pod: &Object, now: i64) -> bool {
    let outlived =
        pod.meta.deleted.zip(pod.meta.grace_seconds).is_some_and(|(at, grace)| now > at + time::go_seconds(grace));
    !matches!(text(status(pod), "phase"), "Failed" | "Succeeded") && !outlived
}

fn service_usage(spec: &Map, res: &mut Usage) {
    let ports = list(spec, "ports").len() as i64;
    let (balancers, node_ports) = match text(spec, "type") {
        "NodePort" => (0, ports),
        "LoadBalancer" if opt_flag(spec, "allocateLoadBalancerNodePorts") == Some(false) => {
            (1, maps(spec, "ports").filter(|(_, it)| int(it, "nodePort") != 0).count() as i64)
        }
        "LoadBalancer" => (1, ports),
        _ => (0, 0),
    };
    let all = [("services", 1), ("services.loadbalancers", balancers), ("services.nodeports", node_ports)];
    res.extend(all.map(|(name, n)| (name.to_owned(), Quantity::from_int(n))));
}

fn claim_usage(claim: &Object, res: &mut Usage) {
    let storage = |holder| amounts(holder).find(|(name, _)| *name == "storage").map(|(_, it)| it);
    let wanted = storage(child_or_empty(child_or_empty(spec(claim), "resources"), "requests")).map(|wanted| {
        let given = storage(child_or_empty(status(claim), "allocatedResources"));
        let amount = given.filter(|it| *it > wanted).unwrap_or(wanted);
        if amount.is_whole() { amount } else { Quantity::from_int(amount.value()) }
    });
    let class = class_of(claim);
    for (name, amount) in CLAIM_RESOURCES.iter().zip([Some(Quantity::from_int(1)), wanted]) {
        let Some(amount) = amount else { continue };
        res.insert((*name).to_owned(), amount);
        if !class.is_empty() {
            res.insert(format!("{class}{OF_CLASS}{name}"), amount);
        }
    }
}

/// The CPU and memory that a pod asks for.
pub fn asked(pod: &Object) -> [Quantity; 2] {
    let all = total(spec(pod), "requests");
    ["cpu", "memory"].map(|it| all.get(it).copied().unwrap_or(Quantity::from_int(0)))
}

fn pod_usage(pod: &Object, res: &mut Usage) {
    let actual = with_actual(pod);
    let [requests, limits] = ["requests", "limits"].map(|key| total(&actual, key));
    compute_usage(&requests, &limits, res);
}

/// The spec in which containers ask for what they were given, where that is more (`determineContainerReqs`).
fn with_actual(pod: &Object) -> Map {
    let mut res = spec(pod).clone();
    for (key, of) in [("containers", "containerStatuses"), ("initContainers", "initContainerStatuses")] {
        if !maps(status(pod), of).any(|(_, it)| has(it, "resources") || has(it, "allocatedResources")) {
            continue;
        }
        res.edit_maps(key, |container| {
            let name = text(container, "name").to_owned();
            let Some((_, given)) = maps(status(pod), of).find(|(_, it)| text(it, "name") == name) else { return };
            let mut asked = child_or_empty(container, "resources").clone();
            let actual = child_or_empty(given, "resources");
            larger(&mut asked, "requests", child_or_empty(actual, "requests"));
            larger(&mut asked, "requests", child_or_empty(given, "allocatedResources"));
            larger(&mut asked, "limits", child_or_empty(actual, "limits"));
            container.insert("resources", asked);
        });
    }
    res
}

fn larger(holder: &mut Map, key: &str, others: &Map) {
    let mut res = child_or_empty(holder, key).clone();
    for (name, amount) in amounts(others) {
        if amounts(&res).find(|(it, _)| *it == name).is_none_or(|(_, it)| it < amount) {
            res.insert(name, amount.to_string());
        }
    }
    if !res.is_empty() {
        holder.insert(key, res);
    }
}

/// What the pod as a whole asks for (`PodRequests`, `PodLimits`).
fn total<'a>(spec: &'a Map, key: &str) -> Amounts<'a> {
    let mut res = resources::aggregate(spec, key);
    let of_pod = child(spec, "resources").map(|it| child_or_empty(it, key));
    res.extend(of_pod.into_iter().flat_map(amounts));
    for (name, amount) in amounts(child_or_empty(spec, "overhead")) {
        let have = res.get(name).copied();
        if key == "requests" || have.is_some_and(|it| !it.is_zero()) {
            res.insert(name, have.map_or(amount, |it| it.saturating_add(amount)));
        }
    }
    res
}

/// `podComputeUsageHelper`
fn compute_usage(requests: &Amounts<'_>, limits: &Amounts<'_>, res: &mut Usage) {
    res.insert("pods".to_owned(), Quantity::from_int(1));
    for (name, amount) in requests {
        let common = matches!(*name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-");
        if common {
            res.insert((*name).to_owned(), *amount);
        }
        if common || resources::is_extended(name) || name.starts_with(DEVICE_CLASS) {
            res.insert(format!("requests.{name}"), *amount);
        }
    }
    for (name, amount) in limits.iter().filter(|(name, _)| matches!(**name, "cpu" | "memory" | "ephemeral-storage")) {
        res.insert(format!("limits.{name}"), *amount);
    }
}

/// What containers of a pod would have to name for a quota that limits `names`; `None`: nothing is missing (`Constraints`).
pub fn missing<'a>(pod: &Object, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let spec = spec(pod);
    let of_pod = child_or_empty(spec, "resources");
    if ["requests", "limits"].iter().any(|it| !child_or_empty(of_pod, it).is_empty()) {
        return None;
    }
    let required: BTreeSet<&str> = names.filter(|it| MUST_BE_SET.contains(it)).collect();
    let mut absent: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (_, container) in maps(spec, "containers").chain(maps(spec, "initContainers")) {
        let asked = child_or_empty(container, "resources");
        let [requests, limits] = ["requests", "limits"].map(|it| amounts(child_or_empty(asked, it)).collect());
        let mut have = Usage::new();
        compute_usage(&requests, &limits, &mut have);
        for name in required.iter().filter(|it| !have.contains_key(**it)) {
            absent.entry(name).or_default().insert(text(container, "name"));
        }
    }
    let words: Vec<String> = absent
        .iter()
        .map(|(name, of)| format!("{name} for: {}", of.iter().copied().collect::<Vec<_>>().join(",")))
        .collect();
    if words.is_empty() { None } else { Some(format!("must specify {}", words.join("; "))) }
}

/// Whether an object is within all scopes of a quota (`Matches`).
pub fn in_scopes(quota: &Object, kind: &Kind, object: &Object) -> bool {
    let spec = spec(quota);
    let selector = child_or_empty(spec, "scopeSelector");
    texts(spec, "scopes").all(|(_, scope)| in_scope(scope, "Exists", &[], kind, object))
        && maps(selector, "matchExpressions")
            .all(|(_, it)| in_scope(text(it, "scopeName"), text(it, "operator"), list(it, "values"), kind, object))
}

fn in_scope(scope: &str, operator: &str, values: &[Value], kind: &Kind, object: &Object) -> bool {
    let spec = spec(object);
    if kind.id == PERSISTENT_VOLUME_CLAIM && scope == "VolumeAttributesClass" {
        return selects(operator, values, &attribute_classes(object));
    }
    if kind.id != POD {
        return false;
    }
    match scope {
        "Terminating" => is_terminating(object),
        "NotTerminating" => !is_terminating(object),
        "BestEffort" => pod::qos_class(spec) == "BestEffort",
        "NotBestEffort" => pod::qos_class(spec) != "BestEffort",
        "PriorityClass" => {
            let name = text(spec, "priorityClassName");
            selects(operator, values, if name.is_empty() { &[] } else { std::slice::from_ref(&name) })
        }
        "CrossNamespacePodAffinity" => crosses_namespaces(spec),
        _ => false,
    }
}

/// Whether any of the names is selected.
fn selects(operator: &str, values: &[Value], names: &[&str]) -> bool {
    let listed = |name: &&str| values.iter().any(|it| it.as_str() == Some(name));
    match operator {
        "In" => names.iter().any(listed),
        "NotIn" => names.is_empty() || !names.iter().all(listed),
        "Exists" => !names.is_empty(),
        "DoesNotExist" => names.is_empty(),
        _ => false,
    }
}

fn attribute_classes(claim: &Object) -> Vec<&str> {
    let status = status(claim);
    let all = [
        text(spec(claim), "volumeAttributesClassName"),
        text(status, "currentVolumeAttributesClassName"),
        text(child_or_empty(status, "modifyVolumeStatus"), "targetVolumeAttributesClassName"),
    ];
    all.into_iter().filter(|it| !it.is_empty()).collect()
}

/// Whether a pod has a deadline (`IsTerminating`).
pub fn is_terminating(pod: &Object) -> bool {
    pod.i64_at("spec.activeDeadlineSeconds").is_some_and(|it| it >= 0)
}

fn crosses_namespaces(spec: &Map) -> bool {
    let crosses = |term: &Map| !list(term, "namespaces").is_empty() || has(term, "namespaceSelector");
    ["podAffinity", "podAntiAffinity"].iter().any(|key| {
        let affinity = child_or_empty(child_or_empty(spec, "affinity"), key);
        maps(affinity, REQUIRED).any(|(_, it)| crosses(it))
            || maps(affinity, PREFERRED).any(|(_, it)| crosses(child_or_empty(it, "podAffinityTerm")))
    })
}

/// Amounts under `key` of a quota's status.
pub fn amounts_of(quota: &Object, key: &str) -> Usage {
    amounts(child_or_empty(status(quota), key)).map(|(name, it)| (name.to_owned(), it)).collect()
}

/// `a` and `b` together.
pub fn add(a: &mut Usage, b: &Usage) {
    for (name, amount) in b {
        a.entry(name.clone()).and_modify(|it| *it = it.saturating_add(*amount)).or_insert(*amount);
    }
}

/// As a status shows it.
pub fn to_value(usage: &Usage) -> Value {
    let res: Map = usage.iter().map(|(name, it)| (Str::from(name.as_str()), Value::from(it.to_string()))).collect();
    res.into()
}
