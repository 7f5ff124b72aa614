//! Notices nodes that fall silent, and turns conditions into taints (`pkg/controller/nodelifecycle`).

mod zones;

use std::collections::BTreeSet;
use std::sync::Arc;

use kinds::{LEASE, NODE};
use meta::{Key, KeyMap, KindId, Object, Status};
use runtime::placement::{self, Taint};
use runtime::{Action, Cx, Reconciler, View, Watch, saved};
use sim::{Duration, Instant};
use store::Change;
use value::{Map, Str, Value, time, value};

use self::zones::{Counted, Turn, Zones};
use crate::{conditions, pods};

/// Silence after which a node counts as lost (`--node-monitor-grace-period`).
const GRACE: Duration = Duration::from_secs(50);
/// The same for a node that never spoke (`--node-startup-grace-period`).
const STARTUP_GRACE: Duration = Duration::from_secs(60);
/// How often upstream looks: a loss is noticed at the next look.
const PERIOD: Duration = Duration::from_secs(5);
const LEASES: &str = "kube-node-lease";

/// Conditions and the taints that they bring, by status of the condition.
const TAINTS: [(&str, &str, &str); 6] = [
    ("Ready", "False", "node.kubernetes.io/not-ready"),
    ("Ready", "Unknown", "node.kubernetes.io/unreachable"),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
];
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

/// Labels that go by other names, too: the newer ones count (`labelReconcileInfo`).
const LABELS: [(&str, &str); 2] =
    [("kubernetes.io/os", "beta.kubernetes.io/os"), ("kubernetes.io/arch", "beta.kubernetes.io/arch")];

#[derive(Default)]
pub(crate) struct NodeLifecycle {
    /// By name.
    known: KeyMap<Known, Str>,
    zones: Zones,
    /// Nodes that are to be evicted when it is their turn: not ready, and without the taint.
    waiting: BTreeSet<Str>,
    /// Whether all nodes that changed were looked at since somebody asked for a round.
    is_settled: bool,
    /// Whether taints are being taken off all nodes.
    is_clearing: bool,
}

/// A node that is there.
struct Known {
    uid: Str,
    /// The Ready condition as last seen, and since when it is like that.
    ready: Value,
    since: Instant,
    counted: Option<Counted>,
}

impl Reconciler for NodeLifecycle {
    fn name(&self) -> &'static str {
        "node-lifecycle-controller"
    }

    fn kind(&self) -> KindId {
        NODE
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::map(NODE, on_node), Watch::map(LEASE, on_lease)]
    }

    fn saved(&self) -> Value {
        let all = self.known.sorted().into_iter().map(|(name, Known { uid, ready, since, .. })| {
            (name.clone(), value!({ "ready": ready, "since": saved::instant(*since), "uid": uid }))
        });
        all.collect::<Map>().into()
    }

    fn take_up(&mut self, saved: &Value) {
        for (name, it) in saved.as_map().into_iter().flat_map(Map::iter) {
            if let (Some(ready), Some(since)) = (it.get("ready"), it.get("since").and_then(saved::to_instant)) {
                let uid = it.get("uid").and_then(Value::as_shared_str).cloned().unwrap_or_default();
                self.known.insert(name.clone(), Known { uid, ready: ready.clone(), since, counted: None });
            }
        }
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        if *key == round() {
            return self.evict(cx);
        }
        let Some(node) = cx.get(NODE, key) else {
            if let Some(gone) = self.known.remove(&key.name) {
                self.zones.count(gone.counted.as_ref(), None);
                self.waiting.remove(&key.name);
                let message = format!("Node {0} event: Removing Node {0} from Controller", key.name);
                cx.event_by_name((NODE, key), &gone.uid, "Normal", "RemovingNode", &message);
            }
            return Ok(Action::AwaitChange);
        };
        if !self.known.contains_key(&key.name) {
            let message = format!("Node {0} event: Registered Node {0} in Controller", node.name());
            cx.event_by_name((NODE, key), &node.meta.uid, "Normal", "RegisteredNode", &message);
        }
        let deadline = self.deadline(cx, &node);
        let node = match deadline {
            Some(it) if it <= cx.now() => lose(cx, &node)?,
            _ => node,
        };
        self.count(&node);
        taint(cx, &node)?;
        reconcile_labels(cx, &node)?;
        let silence = deadline.filter(|it| *it > cx.now()).map(|it| it.since(cx.now()));
        Ok(silence.map_or(Action::AwaitChange, Action::RequeueAfter))
    }
}

/// The key that stands for all zones.
fn round() -> Key {
    Key::cluster("")
}

/// Whether a change of a node may let it be evicted, or others.
fn concerns_zones(change: &Change) -> bool {
    let (Some(before), Some(after)) = (&change.before, &change.after) else { return true };
    let ready = status_of(after, "Ready");
    status_of(before, "Ready") != ready
        || (before.meta.labels != after.meta.labels && Counted::of(before, true) != Counted::of(after, true))
        || (ready != "True" && before.at("spec.taints") != after.at("spec.taints"))
}

/// Heartbeats alone wake nobody.
fn on_node(change: &Change, _: &View<'_>, keys: &mut Vec<Key>) {
    if concerns_zones(change) {
        keys.push(round());
    }
    let same = match (&change.before, &change.after) {
        (Some(before), Some(after)) => {
            before.at("spec") == after.at("spec")
                && before.at("status.conditions") == after.at("status.conditions")
                && before.meta.labels == after.meta.labels
        }
        _ => false,
    };
    if !same {
        keys.push(change.object().key());
    }
}

fn on_lease(change: &Change, _: &View<'_>, keys: &mut Vec<Key>) {
    if change.object().namespace() == LEASES {
        keys.push(Key::cluster(change.object().name()));
    }
}

impl NodeLifecycle {
    /// When a node counts as lost; `None` while its kubelet is alive.
    fn deadline(&mut self, cx: &Cx<'_>, node: &Object) -> Option<Instant> {
        let ready = node.condition("Ready");
        let grace = if ready.is_some() { GRACE } else { STARTUP_GRACE };
        let ready = ready.cloned().unwrap_or_default();
        let (uid, now) = (node.meta.uid.clone(), cx.now());
        let new = || Known { uid: uid.clone(), ready: ready.clone(), since: now, counted: None };
        let seen = self.known.or_insert_with(&node.meta.name, new);
        if seen.uid != uid || (seen.ready != ready && ready.str_at("status") != Some("Unknown")) {
            *seen = Known { counted: seen.counted.take(), ..new() };
        }
        let lease = cx.get(LEASE, &Key::new(LEASES, node.name()));
        // A lease without a time of renewal is one whose holder is alive: its renewals are computed when read.
        if lease.as_ref().is_some_and(|it| it.at("spec.renewTime").is_none() && it.at("spec.holderIdentity").is_some())
        {
            return None;
        }
        let renewed = lease
            .and_then(|it| it.str_at("spec.renewTime").and_then(time::parse_nanos))
            .map_or(seen.since, |it| Instant::from_nanos(it).max(seen.since));
        Some(looked(renewed + grace))
    }
}

/// The first look at or after `at`.
fn looked(at: Instant) -> Instant {
    let period = PERIOD.as_nanos() as u64;
    Instant::from_nanos(at.nanos().div_ceil(period).saturating_mul(period))
}

fn status_of<'a>(node: &'a Object, kind: &str) -> &'a str {
    node.condition_status(kind).unwrap_or("Unknown")
}

/// Every condition becomes Unknown.
fn lose(cx: &mut Cx<'_>, node: &Arc<Object>) -> Result<Arc<Object>, Status> {
    let mut list: Vec<Value> = node.list_at("status.conditions").to_vec();
    let stamp = time::format_secs(cx.now_secs());
    for kind in ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] {
        let before = list.iter().find(|it| it.str_at("type") == Some(kind));
        let condition = match before {
            Some(it) if it.str_at("status") == Some("Unknown") => continue,
            Some(it) => {
                let beat = it.get("lastHeartbeatTime").cloned().unwrap_or_default();
                value!({ "lastHeartbeatTime": beat, "message": "Kubelet stopped posting node status.", "reason": "NodeStatusUnknown", "status": "Unknown", "type": kind })
            }
            None => value!({
                "lastHeartbeatTime": stamp.as_str(), "message": "Kubelet never posted node status.", "reason": "NodeStatusNeverUpdated", "status": "Unknown", "type": kind,
            }),
        };
        list = conditions::set(&list, condition, cx.now_secs());
    }
    let was_ready = status_of(node, "Ready") == "True";
    let mut status = node.at("status").cloned().unwrap_or_else(Value::map);
    status.set("conditions", list);
    let node = cx.update_status(node, status)?;
    if was_ready {
        let message = format!("Node {} status is now: NodeNotReady", node.name());
        cx.event_by_name((NODE, &node.key()), &node.meta.uid, "Normal", "NodeNotReady", &message);
        // Only what falls silent: a kubelet that says that it is not ready speaks for its pods, too.
        mark_pods(cx, &node)?;
    }
    Ok(node)
}

/// Gives labels that have two names the same value under both.
fn reconcile_labels(cx: &mut Cx<'_>, node: &Object) -> Result<(), Status> {
    let mut labels = Map::new();
    for (stable, beta) in LABELS {
        if let Some(value) = node.meta.label(stable).filter(|it| node.meta.label(beta) != Some(*it)) {
            labels.insert(beta, value);
        }
    }
    if labels.is_empty() {
        return Ok(());
    }
    cx.patch(NODE, &node.key(), &value!({ "metadata": { "labels": labels } })).map(|_| ())
}

/// Pods on a node that is not ready are not ready either (`MarkPodsNotReady`).
fn mark_pods(cx: &mut Cx<'_>, node: &Object) -> Result<(), Status> {
    for pod in cx.on_node(node.name()) {
        if !pods::is_ready(&pod) {
            continue;
        }
        let mut list: Vec<Value> = pod.list_at("status.conditions").to_vec();
        for condition in &mut list {
            if condition.str_at("type") == Some("Ready") {
                condition.set("status", "False");
                condition.set("lastTransitionTime", time::format_secs(cx.now_secs()));
            }
        }
        let mut status = pod.at("status").cloned().unwrap_or_default();
        status.set("conditions", list);
        match cx.update_status(&pod, status) {
            Err(status) if status.is_not_found() || status.is_conflict() => (),
            Err(status) => return Err(status),
            Ok(_) => cx.event_from(
                runtime::EventSource { component: "node-controller", host: "" },
                &pod,
                "Warning",
                "NodeNotReady",
                "Node is not ready",
                "",
            ),
        }
    }
    Ok(())
}

/// The NoExecute taint that goes with a node's Ready condition.
fn eviction_of(node: &Object) -> Option<&'static str> {
    match node.condition("Ready")?.str_at("status") {
        Some("True") => None,
        Some("False") => Some(NOT_READY),
        _ => Some(UNREACHABLE),
    }
}

fn is_eviction(taint: &Taint) -> bool {
    taint.effect == "NoExecute" && (taint.key == NOT_READY || taint.key == UNREACHABLE)
}

impl NodeLifecycle {
    /// Notes how the node counts in its zone, and whether it waits for its eviction.
    fn count(&mut self, node: &Object) {
        let after = Counted::of(node, status_of(node, "Ready") == "True");
        if let Some(known) = self.known.get_mut(&node.meta.name)
            && known.counted != after
        {
            self.zones.count(known.counted.as_ref(), after.as_ref());
            known.counted = after;
        }
        if eviction_of(node).is_some() && !placement::taints(node).iter().any(is_eviction) {
            self.waiting.insert(node.meta.name.clone());
        } else {
            self.waiting.remove(&node.meta.name);
        }
    }

    /// Evicts the pods of nodes whose turn it is (`doNoExecuteTaintingPass`), after a look at how many are lost.
    fn evict(&mut self, cx: &mut Cx<'_>) -> Result<Action, Status> {
        // Those that change together are all counted before one is evicted.
        if !std::mem::replace(&mut self.is_settled, true) {
            cx.requeue_soon();
            return Ok(Action::AwaitChange);
        }
        let now = cx.now();
        match self.zones.turn(now) {
            Turn::AllLost => self.is_clearing = true,
            // Everybody gets the time to speak up.
            Turn::SomeBack => self.known.change_all(|it| it.since = now),
            Turn::Nothing => (),
        }
        if self.is_clearing && !self.clear(cx)? {
            cx.requeue_soon();
            return Ok(Action::AwaitChange);
        }
        (self.is_clearing, self.is_settled) = (false, false);
        let mut again: Option<Instant> = None;
        for name in self.waiting.clone() {
            let node = cx.get(NODE, &Key::cluster(&name));
            let Some((node, taint)) = node.and_then(|it| eviction_of(&it).map(|taint| (it, taint))) else {
                self.waiting.remove(&name);
                continue;
            };
            match self.zones.try_evict(&node, now) {
                Ok(()) => {
                    let list = with_taints(&node, &[(taint, "NoExecute")], is_eviction, cx.now_secs());
                    store_taints(cx, &node, list)?;
                    self.waiting.remove(&name);
                }
                Err(at) => again = [again, at].into_iter().flatten().min(),
            }
        }
        Ok(again.map_or(Action::AwaitChange, |it| Action::RequeueAfter(it.since(now))))
    }

    /// Nobody is evicted any longer. Answers whether all is done.
    fn clear(&mut self, cx: &mut Cx<'_>) -> Result<bool, Status> {
        let is_evicted = |it: &&Arc<Object>| placement::taints(it).iter().any(is_eviction);
        let evicted: Vec<Arc<Object>> = cx.list(NODE, None).filter(is_evicted).cloned().collect();
        for node in evicted {
            if !cx.may_write() {
                return Ok(false);
            }
            let list = with_taints(&node, &[], is_eviction, cx.now_secs());
            store_taints(cx, &node, list)?;
        }
        Ok(true)
    }
}

/// The taints of a node with those that are `ours` as `wanted`: what stays keeps its place and its time.
fn with_taints(node: &Object, wanted: &[(&str, &str)], ours: fn(&Taint) -> bool, now: i64) -> Vec<Value> {
    let have = placement::taints(node);
    let is_wanted = |it: &Taint| wanted.iter().any(|(key, effect)| it.key == *key && it.effect == *effect);
    let stays = |it: &&Value| {
        let it = Taint::from_value(it);
        !ours(&it) || is_wanted(&it)
    };
    let mut list: Vec<Value> = node.list_at("spec.taints").iter().filter(stays).cloned().collect();
    for (key, effect) in wanted {
        if !have.iter().any(|it| it.key == *key && it.effect == *effect) {
            list.push(value!({ "effect": *effect, "key": *key, "timeAdded": time::format_secs(now) }));
        }
    }
    list
}

fn store_taints(cx: &mut Cx<'_>, node: &Arc<Object>, list: Vec<Value>) -> Result<(), Status> {
    if list.as_slice() == node.list_at("spec.taints") {
        return Ok(());
    }
    let mut update = Object::clone(node);
    if list.is_empty() {
        update.remove("spec.taints");
    } else {
        update.set("spec.taints", list);
    }
    cx.update(update).map(|_| ())
}

/// Brings the taints that stand for conditions up to date. One that evicts comes later, but is taken away or becomes the other
/// one at once.
fn taint(cx: &mut Cx<'_>, node: &Arc<Object>) -> Result<(), Status> {
    let mut wanted: Vec<(&str, &str)> = TAINTS
        .iter()
        .filter(|(kind, status, _)| node.condition_status(kind) == Some(status))
        .map(|(_, _, key)| (*key, "NoSchedule"))
        .collect();
    if node.bool_at("spec.unschedulable") == Some(true) {
        wanted.push((UNSCHEDULABLE, "NoSchedule"));
    }
    if let Some(key) = eviction_of(node).filter(|_| placement::taints(node).iter().any(is_eviction)) {
        wanted.push((key, "NoExecute"));
    }
    let ours = |it: &Taint| {
        let is_of_condition = it.key == UNSCHEDULABLE || TAINTS.iter().any(|(_, _, key)| it.key == *key);
        (it.effect == "NoSchedule" && is_of_condition) || is_eviction(it)
    };
    let list = with_taints(node, &wanted, ours, cx.now_secs());
    store_taints(cx, node, list)
}
