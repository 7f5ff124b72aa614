//! What the controllers of endpoints share: which Services a pod belongs to, what it offers them, and since when.
//!
//! Follows `k8s.io/endpointslice/util` and `k8s.io/endpointslice/utils.go`.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use kinds::{POD, SERVICE};
use meta::selector::LabelSelector;
use meta::{Key, Object};
use runtime::{Cx, News, View};
use store::Change;
use value::{Map, Str, Value};

use crate::pods;

/// When the change that led to an update of endpoints happened.
pub(crate) const TRIGGER_TIME: &str = "endpoints.kubernetes.io/last-change-trigger-time";
/// Marks the endpoints of a Service without an address of its own.
pub(crate) const HEADLESS: &str = "service.kubernetes.io/headless";

/// What [`of_pod`] is about.
pub(crate) const ENDPOINT_NEWS: News =
    News::CREATED.or(News::GONE).or(News::LABELS).or(News::SPEC).or(News::STATUS).or(News::DELETING);

/// Keys of the Services whose endpoints a change of a pod may touch (`GetPodUpdateProjectionKey`, `GetServicesToUpdate`).
pub(crate) fn of_pod(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let (before, after) = (change.before.as_deref(), change.after.as_deref());
    // Most pods belong to no Service: what happened to the pod is asked when one that selects it is there.
    let mut matters = None;
    for service in view.list(SERVICE, Some(change.object().namespace())) {
        let Some(wanted) = wanted(service) else { continue };
        let means = |pod: Option<&Object>| pod.is_some_and(|it| has_labels(it, wanted));
        let (had, has) = (means(before), means(after));
        if had != has || (has && *matters.get_or_insert_with(|| is_other_endpoint(before, after))) {
            keys.push(service.key());
        }
    }
}

/// Whether endpoints say something else of the pod than before.
fn is_other_endpoint(before: Option<&Object>, after: Option<&Object>) -> bool {
    let (Some(before), Some(after)) = (before, after) else { return true };
    let differs = |path: &'static str| before.at(path) != after.at(path);
    before.meta.deleted != after.meta.deleted
        || pods::is_ready(before) != pods::is_ready(after)
        || differs("status.podIPs")
        || pods::is_terminal(before) != pods::is_terminal(after)
        || differs("spec.hostname")
        || differs("spec.subdomain")
}

/// The labels of pods that the Service selects; `None` where its endpoints are kept by somebody else.
fn wanted(service: &Object) -> Option<&Map> {
    service.map_at("spec.selector").filter(|_| service.str_at("spec.type") != Some("ExternalName"))
}

fn has_labels(pod: &Object, wanted: &Map) -> bool {
    wanted.iter().all(|(key, value)| pod.meta.labels.get(key) == Some(value))
}

/// What the Service selects; `None` where its endpoints are kept by somebody else.
pub(crate) fn selector(service: &Object) -> Option<LabelSelector> {
    wanted(service).map(LabelSelector::from_labels)
}

/// The pods that a Service selects.
pub(crate) fn pods_of(cx: &Cx<'_>, service: &Object, selector: &LabelSelector) -> Vec<Arc<Object>> {
    let pods = cx.list(POD, Some(service.namespace()));
    pods.filter(|it| selector.matches(&it.meta.labels)).cloned().collect()
}

/// Whether the Service has no address (`IsServiceIPSet`).
pub(crate) fn is_headless(service: &Object) -> bool {
    matches!(service.str_at("spec.clusterIP"), None | Some("" | "None"))
}

/// Whether the Service announces pods before they are ready.
pub(crate) fn publishes_not_ready(service: &Object) -> bool {
    service.bool_at("spec.publishNotReadyAddresses").unwrap_or(false)
}

/// Whether a pod can be an endpoint at all (`ShouldPodBeInEndpoints`).
pub(crate) fn is_endpoint(pod: &Object, with_terminating: bool) -> bool {
    let has_address =
        pod.str_at("status.podIP").is_some_and(|it| !it.is_empty()) || !pod.list_at("status.podIPs").is_empty();
    !pods::is_terminal(pod) && has_address && (with_terminating || !pod.meta.is_deleted())
}

/// The pod's addresses of a family.
pub(crate) fn addresses(pod: &Object, is_v6: bool) -> Vec<Str> {
    let parsed = pod.list_at("status.podIPs").iter().filter_map(|it| it.str_at("ip")?.parse::<IpAddr>().ok());
    parsed.filter(|it| it.is_ipv6() == is_v6).map(|it| it.to_string().into()).collect()
}

/// The pod's name in the Service's domain, if it has one there (`ShouldSetHostname`).
pub(crate) fn hostname(pod: &Object, service: &Object) -> Option<Str> {
    let host = pod.at("spec.hostname").and_then(Value::as_shared_str).filter(|it| !it.is_empty())?;
    (pod.str_at("spec.subdomain") == Some(service.name())).then(|| host.clone())
}

/// The port of a pod behind a port of a Service (`FindPort`).
pub(crate) fn find_port(pod: &Object, service_port: &Value) -> Option<i64> {
    let target = service_port.get("targetPort");
    let Some(name) = target.and_then(Value::as_str) else {
        return target.and_then(Value::as_i64);
    };
    let protocol = service_port.str_at("protocol");
    let sidecars = pod.list_at("spec.initContainers").iter().filter(|it| it.str_at("restartPolicy") == Some("Always"));
    let containers = pod.list_at("spec.containers").iter().chain(sidecars);
    let port = containers
        .flat_map(|it| it.list_at("ports"))
        .find(|it| it.str_at("name") == Some(name) && it.str_at("protocol") == protocol)?;
    port.i64_at("containerPort")
}

/// Orders ports by a hash of the way in which Go prints them, as upstream does.
pub(crate) fn by_hash(a: &Value, b: &Value, printed: fn(&Value) -> String) -> Ordering {
    fnv128(&printed(a)).cmp(&fnv128(&printed(b)))
}

/// FNV-1a of 128 bits.
fn fnv128(text: &str) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    text.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

/// Labels but for some keys.
pub(crate) fn labels_without(labels: &Map, keys: &[&str]) -> Map {
    labels.filtered(|key, _| !keys.contains(&key))
}

/// What was last seen of a Service and its pods.
#[derive(Default)]
struct Seen {
    service: i64,
    pods: BTreeMap<Str, i64>,
}

/// When endpoints were last given a reason to change (`TriggerTimeTracker`).
#[derive(Default)]
pub(crate) struct TriggerTimes(BTreeMap<Key, Seen>);

impl TriggerTimes {
    /// The time to note on the endpoints of a Service, if there is a new one; in seconds since the Unix epoch.
    pub fn of(&mut self, service: &Object, pods: &[Arc<Object>]) -> Option<i64> {
        let created = service.meta.created.unwrap_or(0);
        let now: BTreeMap<Str, i64> =
            pods.iter().filter_map(|it| Some((it.meta.name.clone(), pods::ready_since(it)?))).collect();
        let before = self.0.insert(service.key(), Seen { service: created, pods: now.clone() });
        let Some(before) = before else { return Some(created) };
        let changed =
            now.iter().filter(|(name, at)| before.pods.get(*name).is_none_or(|it| it < at)).map(|(_, at)| *at);
        changed.chain((before.service < created).then_some(created)).min()
    }

    pub fn forget(&mut self, service: &Key) {
        self.0.remove(service);
    }
}
