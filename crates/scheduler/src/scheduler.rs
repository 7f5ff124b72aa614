//! The actor: takes changes in, tries one pod after the other, binds or says why not.

use std::sync::Arc;

use kinds::{
    CSI_NODE, NAMESPACE, NODE, PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD, POD_DISRUPTION_BUDGET, REPLICA_SET,
    REPLICATION_CONTROLLER, SERVICE, STATEFUL_SET, STORAGE_CLASS, VOLUME_ATTACHMENT,
};
use meta::selector::LabelSelector;
use meta::{Key, KeyMap, KindId, Object, Status};
use runtime::{Actor, Backlog, Cause, Cx, EventSource, News, Stats, View, Wanted};
use sim::Instant;
use store::Change;
use value::{Str, Value, time, value};

use crate::cache::{Cache, PodInfo, Templates};
use crate::cycle::{self, Failure, Outcome, fit_message};
use crate::decision::{self, Decision, Decisions, Explained};
use crate::preemption::{self, Budget, Preemption};
use crate::queue::{Queue, Rejected};
use crate::volumes;

/// The scheduler that pods name by default.
const DEFAULT: &str = "default-scheduler";
/// Kinds that decide where volumes are.
const VOLUME_KINDS: [KindId; 5] =
    [CSI_NODE, PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, STORAGE_CLASS, VOLUME_ATTACHMENT];

/// The default scheduler.
#[derive(Default)]
pub struct Scheduler {
    cache: Cache,
    templates: Templates,
    queue: Queue,
    /// Pods in the queue, parsed.
    pending: KeyMap<Pending>,
    /// Where the next search begins.
    next_start: usize,
    decisions: Decisions,
    last_work: Option<Instant>,
    last_key: Option<Key>,
}

struct Pending {
    info: Arc<PodInfo>,
    cause: Cause,
}

/// Whether this scheduler is to find a node for the pod.
fn is_ours(pod: &Object) -> bool {
    node_of(pod).is_none()
        && !is_finished(pod)
        && pod.meta.deleted.is_none()
        && pod.str_at("spec.schedulerName").is_none_or(|it| it == DEFAULT)
        && pod.list_at("spec.schedulingGates").is_empty()
}

/// The node that a pod is bound to.
fn node_of(pod: &Object) -> Option<&Str> {
    pod.at("spec.nodeName").and_then(Value::as_shared_str).filter(|it| !it.is_empty())
}

fn is_finished(pod: &Object) -> bool {
    matches!(pod.str_at("status.phase"), Some("Failed" | "Succeeded"))
}

impl Scheduler {
    pub fn new() -> Scheduler {
        Scheduler::default()
    }

    /// The last decision about a pod.
    pub fn decision(&self, pod: &Key) -> Option<&Decision> {
        self.decisions.get(pod)
    }

    /// Every decision that is remembered, in the order of keys.
    pub fn decisions(&self) -> impl Iterator<Item = (&Key, &Decision)> {
        self.decisions.iter()
    }

    /// How many decisions there have been: changes when any does.
    pub fn n_decisions(&self) -> u64 {
        self.decisions.n_made()
    }

    fn pod_changed(&mut self, change: &Change, now: Instant) {
        let key = change.object().key();
        let Some(pod) = &change.after else {
            self.forget(&key, now);
            self.decisions.remove(&key);
            return;
        };
        if is_ours(pod) {
            let cause = Cause { kind: POD, key: key.clone(), revision: change.revision };
            self.wait(pod, cause, change.before.as_ref(), now);
            return;
        }
        self.unqueue(&key);
        let Some(node) = node_of(pod) else { return };
        if is_finished(pod) {
            // One that had ended before is on no node any more.
            if !change.before.as_ref().is_some_and(|it| is_finished(it) && node_of(it).is_some()) {
                self.freed(&key, now);
            }
            return;
        }
        // A status written by a kubelet changes nothing that counts here.
        let before = change.before.as_ref();
        let same_spec = before.is_some_and(|it| it.body.get("spec") == pod.body.get("spec"));
        let is_news = !same_spec && before.is_none_or(|it| node_of(it).is_none());
        let same_labels = before.is_some_and(|it| it.meta.labels == pod.meta.labels);
        if same_spec && same_labels && !pod.meta.is_deleted() {
            self.cache.renew_pod(pod, &key, node);
        } else {
            // What we bound ourselves is parsed already.
            let bound = before.filter(|_| is_news).map(|it| it.meta.revision);
            let assumed = self.cache.on_node(&key, node).filter(|it| Some(it.pod.meta.revision) == bound);
            let info = assumed.map_or_else(|| PodInfo::of(pod, &mut self.templates).bound(pod), |it| it.bound(pod));
            self.cache.place(Arc::new(info), node);
        }
        let is_news = is_news || !same_labels;
        if is_news && self.queue.has_unschedulable() {
            self.queue.something_changed(now, &|_, why| why.by_company);
        }
    }

    fn wait(&mut self, pod: &Arc<Object>, cause: Cause, before: Option<&Arc<Object>>, now: Instant) {
        let key = pod.key();
        let info = Arc::new(PodInfo::of(pod, &mut self.templates));
        let is_news =
            before.is_none_or(|it| it.body.get("spec") != pod.body.get("spec") || it.meta.labels != pod.meta.labels);
        self.queue.add(key.clone(), info.priority, now);
        if is_news && before.is_some() {
            self.queue.back_off(&key, now);
        }
        match pod.at("status.nominatedNodeName").and_then(Value::as_shared_str).filter(|it| !it.is_empty()) {
            Some(node) => drop(self.cache.nominated.insert(key.clone(), (node.clone(), info.clone()))),
            None => drop(self.cache.nominated.remove(&key)),
        }
        self.pending.insert(key, Pending { info, cause });
    }

    fn unqueue(&mut self, key: &Key) {
        self.cache.nominated.remove(key);
        if self.pending.remove(key).is_some() {
            self.queue.remove(key);
        }
    }

    fn forget(&mut self, key: &Key, now: Instant) {
        self.unqueue(key);
        self.freed(key, now);
    }

    /// A bound pod has gone: others may fit where it was.
    fn freed(&mut self, key: &Key, now: Instant) {
        let Some(node) = self.cache.unplace(key) else { return };
        if !self.queue.has_unschedulable() {
            return;
        }
        let pending = &self.pending;
        let fits_there = |key: &Key, why: Rejected| {
            (why.by_pods || why.by_company)
                && pending.get(key).is_some_and(|it| it.info.only_node().is_none_or(|it| *it == node))
        };
        self.queue.something_changed(now, &fits_there);
    }

    fn node_changed(&mut self, change: &Change, now: Instant) {
        let name = change.object().meta.name.clone();
        let Some(node) = &change.after else {
            self.cache.remove_node(&name);
            return;
        };
        let grew = change.before.as_ref().is_none_or(|before| {
            before.meta.labels != node.meta.labels
                || before.at("spec") != node.at("spec")
                || before.at("status.allocatable") != node.at("status.allocatable")
        });
        if !grew && self.cache.nodes.contains_key(&name) {
            return self.cache.renew_node(node);
        }
        self.cache.set_node(node);
        let pending = &self.pending;
        let concerns = |key: &Key, _: Rejected| {
            pending.get(key).is_some_and(|it| it.info.only_node().is_none_or(|it| *it == name))
        };
        self.queue.something_changed(now, &concerns);
    }

    /// Something else that decides where pods go.
    fn other_changed(&mut self, kind: KindId, change: &Change) {
        let key = change.object().key();
        let Some(object) = &change.after else {
            match kind {
                NAMESPACE => drop(self.cache.namespaces.remove(&key.name)),
                _ => self.cache.select(key, kind, None),
            }
            return;
        };
        if kind == NAMESPACE {
            self.cache.namespaces.insert(key.name, object.meta.labels.clone());
            return;
        }
        let selector_of = |it: &Object| it.at("spec.selector").cloned();
        if change.before.as_ref().is_some_and(|it| selector_of(it) == selector_of(object)) {
            return;
        }
        let selector = match (kind, object.at("spec.selector")) {
            (REPLICATION_CONTROLLER | SERVICE, it) => {
                it.and_then(Value::as_map).filter(|it| !it.is_empty()).map(LabelSelector::from_labels)
            }
            (_, it) => Some(LabelSelector::from_value(it)),
        };
        self.cache.select(key, kind, selector);
    }

    fn schedule_one(&mut self, cx: &mut Cx<'_>, key: &Key, attempt: u32) {
        let Some(pending) = self.pending.get(key) else { return };
        let info = pending.info.clone();
        cx.begin("scheduler", Some(pending.cause.clone()));
        self.cache.volumes = None;
        if !info.claims.is_empty() {
            match volumes::of(&cx.view(), &info) {
                Ok(it) => self.cache.volumes = it,
                Err(why) => {
                    self.fail(cx, &info, &Failure::beforehand(why), attempt, Explained::default());
                    return cx.end();
                }
            }
        }
        let (outcome, explained) = cycle::schedule(&mut self.cache, &info, &mut self.next_start, cx.rng());
        match outcome {
            Outcome::Node(node) => self.bind(cx, &info, node, attempt, explained),
            Outcome::Nowhere(failure) => self.fail(cx, &info, &failure, attempt, explained),
        }
        cx.end();
    }

    fn bind(&mut self, cx: &mut Cx<'_>, info: &Arc<PodInfo>, node: Str, attempt: u32, mut explained: Explained) {
        if self.waits_for_volumes(cx, info, &node) {
            return self.queue.reject(&info.key, Rejected { by_volumes: true, ..Rejected::default() });
        }
        match cx.bind(&info.pod, &node) {
            Ok(()) => {
                let message = decision::assigned(&info.key, &node);
                self.cache.place(info.clone(), &node);
                self.unqueue(&info.key);
                event(cx, info, "Normal", "Scheduled", "Binding", &message);
                explained.nodes.shrink_to_fit();
                let message = Str::default();
                self.decisions.insert(
                    &info.key,
                    Decision { attempt, at: cx.now(), explained, chosen: Some(node), nominated: None, message },
                );
            }
            // The pod has gone or was bound by somebody else: its change will say so.
            Err(status) if status.is_not_found() || status.is_conflict() => (),
            Err(_) => self.queue.back_off(&info.key, cx.now()),
        }
    }

    /// Has the pod's claims bound on the node; it is bound itself once they are (`PreBind`). Until then the pod says
    /// where it is going to be (`NominatedNodeNameForExpectation`).
    fn waits_for_volumes(&self, cx: &mut Cx<'_>, info: &PodInfo, node: &Str) -> bool {
        let Some(volumes) = &self.cache.volumes else { return false };
        if volumes.waits()
            && let Some(pod) = cx.get(POD, &info.key).filter(|it| it.str_at("status.nominatedNodeName") != Some(node))
        {
            let status = pod.at("status").cloned().unwrap_or_else(Value::map);
            cx.update_status(&pod, status.with("nominatedNodeName", node)).ok();
        }
        let Some(node) = self.cache.nodes.get(node) else { return true };
        volumes.bind(cx, &node.node).unwrap_or(true)
    }

    fn fail(&mut self, cx: &mut Cx<'_>, info: &Arc<PodInfo>, failure: &Failure, attempt: u32, explained: Explained) {
        self.queue.reject(&info.key, failure.why);
        let mut message = fit_message(self.cache.nodes.len(), &failure.reasons());
        let mut nominated = None;
        if self.cache.nodes.is_empty() {
            message = "no nodes available to schedule pods".to_owned();
        } else if let Some(why) = &failure.beforehand {
            // Upstream's preemption finds nothing prepared then.
            message = format!("{message} {why}. not found");
        } else {
            self.cache.budgets = cx.list(POD_DISRUPTION_BUDGET, None).map(|it| Budget::of(it)).collect();
            match preemption::preempt(&self.cache, info, failure) {
                Preemption::Victims { node, pods } => {
                    if pods.iter().any(|it| !it.pod.meta.is_deleted()) {
                        self.clear_nominations(cx, info, &node);
                    }
                    for victim in pods {
                        evict(cx, info, &victim, &node).ok();
                    }
                    nominated = Some(node);
                }
                Preemption::No(why) => {
                    message.push_str(" no new claims to deallocate, preemption: ");
                    message.push_str(&why);
                }
            }
        }
        event(cx, info, "Warning", "FailedScheduling", "Scheduling", &message);
        set_condition(cx, info, &message, nominated.as_ref()).ok();
        self.decisions.insert(
            &info.key,
            Decision { attempt, at: cx.now(), explained, chosen: None, nominated, message: message.into() },
        );
    }

    /// Pods of lower priority that wait for room on the node may find none there any more (`prepareCandidate`).
    fn clear_nominations(&mut self, cx: &mut Cx<'_>, preemptor: &PodInfo, node: &Str) {
        let waits = |(at, it): &(Str, Arc<PodInfo>)| at == node && it.priority < preemptor.priority;
        let cleared: Vec<Key> =
            self.cache.nominated.iter().filter(|(_, it)| waits(it)).map(|(key, _)| key.clone()).collect();
        for key in cleared {
            self.cache.nominated.remove(&key);
            let Some(pod) = cx.get(POD, &key) else { continue };
            let mut status = pod.at("status").cloned().unwrap_or_default();
            status.remove("nominatedNodeName");
            cx.update_status(&pod, status).ok();
        }
    }
}

fn event(cx: &mut Cx<'_>, info: &PodInfo, level: &str, reason: &str, action: &str, message: &str) {
    cx.event_v1(EventSource { component: DEFAULT, host: "" }, &info.pod, level, reason, action, message);
}

/// Says in the pod's status that it has no node, and which one it is nominated for.
fn set_condition(cx: &mut Cx<'_>, info: &PodInfo, message: &str, nominated: Option<&Str>) -> Result<(), Status> {
    let Some(pod) = cx.get(POD, &info.key) else { return Ok(()) };
    let since = match pod.condition("PodScheduled") {
        Some(it) if it.str_at("status") == Some("False") => it.get("lastTransitionTime").cloned(),
        _ => None,
    };
    let condition = value!({
        "lastProbeTime": null, "lastTransitionTime": since.unwrap_or_else(|| time::format_secs(cx.now_secs()).into()),
        "message": message, "observedGeneration": pod.meta.generation, "reason": "Unschedulable", "status": "False", "type": "PodScheduled",
    });
    let mut status = pod.at("status").cloned().unwrap_or_else(Value::map);
    status.set("conditions", with_condition(&pod, condition));
    if let Some(node) = nominated {
        status.set("nominatedNodeName", node);
    }
    cx.update_status(&pod, status).map(|_| ())
}

/// The pod's conditions with this one in the place of the one of its type, or at the end.
fn with_condition(pod: &Object, condition: Value) -> Vec<Value> {
    let mut list = pod.list_at("status.conditions").to_vec();
    match list.iter_mut().find(|it| it.get("type") == condition.get("type")) {
        Some(it) => *it = condition,
        None => list.push(condition),
    }
    list
}

/// Marks a victim and deletes it.
fn evict(cx: &mut Cx<'_>, preemptor: &PodInfo, victim: &PodInfo, node: &Str) -> Result<(), Status> {
    if victim.pod.meta.is_deleted() {
        return Ok(());
    }
    let condition = value!({
        "lastProbeTime": null, "lastTransitionTime": time::format_secs(cx.now_secs()), "observedGeneration": victim.pod.meta.generation,
        "message": format!("{DEFAULT}: preempting to accommodate a higher priority pod"),
        "reason": "PreemptionByScheduler", "status": "True", "type": "DisruptionTarget",
    });
    let Some(pod) = cx.get(POD, &victim.key) else { return Ok(()) };
    let status = pod.at("status").cloned().unwrap_or_else(Value::map);
    cx.update_status(&pod, status.with("conditions", with_condition(&pod, condition)))?;
    cx.delete(POD, &victim.key)?;
    let message = format!("Preempted by pod {} on node {node}", preemptor.pod.meta.uid);
    cx.event_v1(
        EventSource { component: DEFAULT, host: "" },
        &victim.pod,
        "Normal",
        "Preempted",
        "Preempting",
        &message,
    );
    Ok(())
}

impl Actor for Scheduler {
    fn name(&self) -> &'static str {
        "scheduler"
    }

    fn wants(&self) -> Vec<Wanted> {
        let selecting = [NAMESPACE, NODE, POD, REPLICA_SET, REPLICATION_CONTROLLER, SERVICE, STATEFUL_SET];
        selecting.into_iter().chain(VOLUME_KINDS).map(Wanted::any).collect()
    }

    fn deliver(&mut self, kind: KindId, changes: &[Change], _: News, view: &View<'_>) -> bool {
        for change in changes {
            match kind {
                NODE => self.node_changed(change, view.now),
                POD => self.pod_changed(change, view.now),
                kind if VOLUME_KINDS.contains(&kind) => {
                    self.queue.something_changed(view.now, &|_, why| why.by_volumes)
                }
                kind => self.other_changed(kind, change),
            }
        }
        true
    }

    fn list(&mut self, view: &View<'_>) {
        *self = Scheduler { decisions: std::mem::take(&mut self.decisions), ..Scheduler::default() };
        // Pods last: what they wait for is there then.
        for kind in [NAMESPACE, REPLICA_SET, REPLICATION_CONTROLLER, SERVICE, STATEFUL_SET, NODE, POD] {
            for object in view.list(kind, None) {
                let change = Change { revision: object.meta.revision, before: None, after: Some(object.clone()) };
                self.deliver(kind, &[change], News::ANY, view);
            }
        }
    }

    fn work(&mut self, cx: &mut Cx<'_>) -> bool {
        let mut did = false;
        while cx.may_write() {
            let Some((key, attempt)) = self.queue.pop(cx.now()) else { break };
            self.schedule_one(cx, &key, attempt);
            self.last_key = Some(key);
            self.last_work = Some(cx.now());
            did = true;
        }
        did
    }

    fn next_wakeup(&self) -> Option<Instant> {
        self.queue.next_wakeup()
    }

    fn stats(&self) -> Stats {
        Stats { queue_depth: self.queue.n_ready() as u64, retries: 0, last_work: self.last_work }
    }

    fn backlog(&self) -> Backlog {
        Backlog { last: self.last_key.as_ref().map(Key::to_string), ..self.queue.backlog() }
    }

    fn saved(&self) -> Value {
        self.decisions.saved()
    }

    fn take_up(&mut self, saved: &Value) {
        self.decisions = Decisions::restored(saved);
    }
}
