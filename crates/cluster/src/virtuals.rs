//! Objects and parts of objects that are not stored: made anew when somebody looks at them.

use std::sync::Arc;

use kinds::{API_REQUEST, CLOCK, COMPONENT, DAEMON_SET, LEASE, NODE, PLACEMENT_DECISION, POD, SCHEDULING_DECISION};
use meta::{Key, KindId, Metadata, Object};
use runtime::Backlog;
use sim::{Duration, Instant};
use value::{Map, Str, Value, map, time, value};

use crate::Cluster;
use crate::actors::Slot;

/// A kind of which something is made when it is looked at: its name in paths and how to make it.
struct Shown {
    kind: KindId,
    plural: &'static str,
    refresh: fn(&mut Cluster, Option<&Key>),
    /// What it depends on: as long as this stays, nothing needs to be made anew.
    version: fn(&Cluster) -> u64,
}

const SHOWN: [Shown; 6] = [
    Shown { kind: API_REQUEST, plural: "apirequests", refresh: requests, version: |it| it.api.requests().count() },
    Shown { kind: CLOCK, plural: "clocks", refresh: clock, version: Cluster::n_turns },
    Shown { kind: COMPONENT, plural: "components", refresh: components, version: Cluster::n_turns },
    Shown { kind: LEASE, plural: "leases", refresh: leases, version: |it| it.now.nanos() },
    Shown { kind: PLACEMENT_DECISION, plural: "placementdecisions", refresh: placements, version: placement_version },
    Shown { kind: SCHEDULING_DECISION, plural: "schedulingdecisions", refresh: decisions, version: decision_version },
];

impl Cluster {
    /// Before a request: makes what its path may show.
    pub(crate) fn refresh_for(&mut self, path: &str) {
        let parts: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
        for shown in &SHOWN {
            let Some(idx) = parts.iter().position(|it| *it == shown.plural) else { continue };
            let key = parts.get(idx + 1).map(|name| match parts.get(..idx) {
                Some([.., "namespaces", namespace]) => Key::new(*namespace, *name),
                _ => Key::cluster(*name),
            });
            (shown.refresh)(self, key.as_ref());
        }
    }

    /// Before streams are pumped: makes what open watches may show.
    pub(crate) fn refresh_watched(&mut self) {
        for (idx, shown) in SHOWN.iter().enumerate() {
            if !self.api.is_shown(shown.kind) || !self.api.has_watch(shown.kind) {
                continue;
            }
            let version = (shown.version)(self);
            if self.shown_versions[idx] != Some(version) {
                self.shown_versions[idx] = Some(version);
                (shown.refresh)(self, None);
            }
        }
    }

    /// Shows one object of a kind or, without a key, all of them.
    fn show(&mut self, kind: KindId, key: Option<&Key>, objects: Vec<Object>) {
        match key {
            Some(key) => self.api.show_one(kind, key, objects.into_iter().next()),
            None => self.api.show(kind, objects),
        }
    }
}

/// How many kinds are shown; for the versions that a cluster remembers.
pub(crate) const N_SHOWN: usize = SHOWN.len();

fn shown_object(kind: KindId, key: Key, created: i64, status: Value) -> Object {
    let mut meta = Metadata::new(key.namespace, key.name);
    meta.created = Some(created);
    Object { kind, meta, body: map!({ "status": status }) }
}

fn requests(cluster: &mut Cluster, key: Option<&Key>) {
    let api = &cluster.api;
    let objects = api
        .requests()
        .iter()
        .map(|it| (Key::cluster(format!("{:08}", it.number)), it))
        .filter(|(name, _)| key.is_none_or(|it| it == name))
        .map(|(name, it)| shown_object(API_REQUEST, name, it.at.secs(), api.request_status(it)))
        .collect();
    cluster.show(API_REQUEST, key, objects);
}

fn decisions(cluster: &mut Cluster, key: Option<&Key>) {
    let scheduler = cluster.scheduler();
    let show = |pod: &Key, it: &scheduler::Decision| {
        shown_object(SCHEDULING_DECISION, pod.clone(), it.at.secs(), it.to_value(pod))
    };
    let objects = match key {
        Some(key) => scheduler.decision(key).map(|it| show(key, it)).into_iter().collect(),
        None => scheduler.decisions().map(|(pod, it)| show(pod, it)).collect(),
    };
    cluster.show(SCHEDULING_DECISION, key, objects);
}

fn decision_version(cluster: &Cluster) -> u64 {
    cluster.scheduler().n_decisions()
}

fn placements(cluster: &mut Cluster, key: Option<&Key>) {
    let store = cluster.api.store();
    let sets: Vec<&Arc<Object>> = match key {
        Some(key) => store.get(DAEMON_SET, key).into_iter().collect(),
        None => store.list(DAEMON_SET, None).collect(),
    };
    let objects = sets
        .into_iter()
        .map(|set| shown_object(PLACEMENT_DECISION, set.key(), set.meta.created.unwrap_or(0), placement(cluster, set)))
        .collect();
    cluster.show(PLACEMENT_DECISION, key, objects);
}

fn placement_version(cluster: &Cluster) -> u64 {
    let newest = |kind| cluster.api.store().newest(kind).0;
    newest(DAEMON_SET).max(newest(NODE)).max(newest(POD))
}

/// Every node's verdict on a DaemonSet, and whether a pod of it is there.
fn placement(cluster: &Cluster, set: &Object) -> Value {
    let store = cluster.api.store();
    let owned = cluster.indexes.owned_by(&set.meta.uid).filter(|(kind, _)| *kind == POD);
    let mut with_pod: Vec<Str> = owned
        .filter_map(|(_, key)| store.get(POD, key))
        .filter_map(|pod| pod.at("spec.nodeName")?.as_shared_str().cloned())
        .collect();
    with_pod.sort();
    let nodes: Vec<Value> = controllers::verdicts(set, store.list(NODE, None))
        .into_iter()
        .map(|it| {
            value!({
                "field": it.field, "hasPod": with_pod.binary_search(&it.node).is_ok(), "message": it.message, "name": it.node,
                "reason": it.reason, "shouldContinue": it.should_continue, "shouldRun": it.should_run,
            })
        })
        .collect();
    value!({ "nodes": nodes })
}

fn clock(cluster: &mut Cluster, _: Option<&Key>) {
    let status = cluster.clock_status();
    cluster.api.overlay(CLOCK, Key::cluster(crate::clock::NAME), map!({ "status": status }));
}

fn components(cluster: &mut Cluster, _: Option<&Key>) {
    let statuses: Vec<(&'static str, Map)> =
        cluster.slots.iter().map(|it| (it.actor.name(), component_status(cluster, it))).collect();
    for (name, status) in statuses {
        cluster.api.overlay(COMPONENT, Key::cluster(name), map!({ "status": status }));
    }
}

fn component_status(cluster: &Cluster, slot: &Slot) -> Map {
    let stats = slot.actor.stats();
    // What an informer of it would hold: every object of the kinds that it watches.
    let n_cached: usize = slot.wants().iter().map(|it| cluster.api.store().len(it.kind)).sum();
    let number = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
    let mut status = map!({
        "cacheObjects": number(n_cached as u64), "queueDepth": number(stats.queue_depth), "retries": number(stats.retries),
    });
    if let Some(at) = stats.last_work {
        status.insert("lastReconcileTime", time::format_micros(at.nanos()));
    }
    let backlog = slot.actor.backlog();
    let stamp = |it: &Instant| time::format_micros(it.nanos());
    if let Some(key) = &backlog.last {
        status.insert("lastReconciled", key.as_str());
    }
    if !backlog.next.is_empty() {
        status.insert("queue", backlog.next.iter().map(|it| it.as_str().into()).collect::<Vec<Value>>());
    }
    let back_offs = backlog.failing.iter().map(|it| {
        let mut one =
            map!({ "failures": i64::from(it.n_failures), "message": it.message.as_str(), "name": it.key.as_str() });
        if let Some(at) = &it.again {
            one.insert("retryTime", stamp(at));
        }
        one.into()
    });
    let back_offs: Vec<Value> = back_offs.collect();
    if !back_offs.is_empty() {
        status.insert("backOffs", back_offs);
    }
    status.insert("delayed", number(backlog.n_later));
    if let Some((_, at)) = &backlog.first_later {
        status.insert("nextDelayedTime", stamp(at));
    }
    let message = words(cluster.now, slot.is_running(), stats.queue_depth, &backlog);
    status.with("message", message)
}

/// What a component does, in a sentence.
fn words(now: Instant, is_running: bool, n_ready: u64, backlog: &Backlog) -> String {
    let mut parts = Vec::new();
    if !is_running {
        parts.push("is stopped".to_owned());
    }
    match (n_ready, backlog.next.first()) {
        (0, _) => (),
        (n, Some(next)) if is_running => parts.push(format!("{n} to work on, {next} next")),
        (n, _) => parts.push(format!("{n} to work on")),
    }
    if let Some(first) = backlog.failing.first() {
        let again = first.again.map_or(String::new(), |it| format!(", again in {}", span(it.since(now))));
        let why = if first.message.is_empty() { String::new() } else { format!(": {}", first.message) };
        let times = if first.n_failures == 1 { "once".to_owned() } else { format!("{} times", first.n_failures) };
        let others = backlog.n_failing - 1;
        let others = if others > 0 { format!(", and {others} more") } else { String::new() };
        parts.push(format!("{} failed {times}{again}{why}{others}", first.key));
    }
    if let (true, Some((key, at))) = (is_running, &backlog.first_later) {
        parts.push(format!("looks at {key} in {}", span(at.since(now))));
    }
    if parts.is_empty() { "waits for changes".to_owned() } else { parts.join("; ") }
}

fn span(it: Duration) -> String {
    match it.as_secs() {
        0 => format!("{} ms", it.as_millis()),
        secs @ ..120 => format!("{secs} s"),
        secs => format!("{} min", secs / 60),
    }
}

/// A lease without a time of renewal is one whose holder is alive: it was renewed a moment ago.
fn leases(cluster: &mut Cluster, key: Option<&Key>) {
    let store = cluster.api.store();
    let live = |it: &Arc<Object>| {
        kubelet::is_live_lease(it).then(|| (it.key(), it.map_at("spec").cloned().unwrap_or_default()))
    };
    let specs: Vec<(Key, Map)> = match key {
        Some(key) => store.get(LEASE, key).and_then(live).into_iter().collect(),
        None => store.list(LEASE, Some(kubelet::LEASES)).filter_map(live).collect(),
    };
    let renewed = time::format_micros(kubelet::renewed(cluster.now).nanos());
    for (key, spec) in specs {
        cluster.api.overlay(LEASE, key, map!({ "spec": spec.with("renewTime", renewed.as_str()) }));
    }
}
