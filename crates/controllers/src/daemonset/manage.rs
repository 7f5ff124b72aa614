//! Which pods to create and delete so that every node has what it should, and the doing of it.

use std::sync::Arc;

use kinds::POD;
use meta::{Key, Metadata, Object, Status};
use runtime::Cx;
use sim::{Duration, Instant};
use value::{Map, Str, Value, map, value};

use super::{BURST, DaemonSets, FAILED_POD_BACK_OFF, Failed, Place, Sync, nodes};
use crate::pods;

/// What a sync is going to do.
#[derive(Default)]
pub(super) struct Plan {
    /// Nodes that need a pod.
    pub create: Vec<Str>,
    /// Names of pods to delete.
    pub delete: Vec<Str>,
    /// When to look again because of back-off.
    pub again: Option<Duration>,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.create.is_empty() && self.delete.is_empty()
    }
}

impl DaemonSets {
    /// `manage`: looks at every node.
    pub(super) fn manage(&mut self, cx: &mut Cx<'_>, sync: &Sync<'_>) -> Plan {
        let mut plan = Plan::default();
        for place in sync.places.iter().filter(|it| it.exists) {
            self.look_at(cx, sync, place, &mut plan);
        }
        plan.delete.extend(without_node(sync));
        plan
    }

    /// `podsShouldBeOnNode`
    fn look_at(&mut self, cx: &mut Cx<'_>, sync: &Sync<'_>, place: &Place, plan: &mut Plan) {
        let Place { name, pods, should_run, should_continue, .. } = place;
        match pods.as_slice() {
            [] if *should_run => plan.create.push(name.clone()),
            [] => (),
            // One that runs is as it should be.
            [pod] if *should_continue && !pod.meta.is_deleted() && !pods::is_terminal(pod) => (),
            pods if *should_continue => {
                let running = self.without_finished(cx, sync, name, pods, plan);
                match sync.allows_surge {
                    false if running.len() < 2 => (),
                    false => plan.delete.extend(by_age(running).into_iter().skip(1).map(|it| it.meta.name.clone())),
                    true if running.is_empty() && *should_run => plan.create.push(name.clone()),
                    true if running.len() > 1 => plan.delete.extend(excess_of_surge(sync, by_age(running))),
                    true => (),
                }
            }
            pods => {
                let leaving = pods.iter().filter(|it| !it.meta.is_deleted());
                plan.delete.extend(leaving.map(|it| it.meta.name.clone()));
            }
        }
    }

    /// The pods that are neither finished nor being deleted; finished ones are planned for deletion, failed ones with back-off.
    fn without_finished(
        &mut self,
        cx: &mut Cx<'_>,
        sync: &Sync<'_>,
        node: &Str,
        pods: &[Arc<Object>],
        plan: &mut Plan,
    ) -> Vec<Arc<Object>> {
        let mut running = Vec::new();
        for pod in pods.iter().filter(|it| !it.meta.is_deleted()) {
            let name = || format!("{}/{}", pod.namespace(), pod.name());
            match pods::phase(pod) {
                "Failed" => match self.back_off(sync.set, node, cx.now()) {
                    Some(delay) => plan.again = Some(plan.again.map_or(delay, |it| it.min(delay))),
                    None => {
                        let message = format!("Found failed daemon pod {} on node {node}, will try to kill it", name());
                        cx.event(sync.set, "Warning", "FailedDaemonPod", &message);
                        plan.delete.push(pod.meta.name.clone());
                    }
                },
                "Succeeded" => {
                    let message =
                        format!("Found succeeded daemon pod {} on node {node}, will try to delete it", name());
                    cx.event(sync.set, "Normal", "SucceededDaemonPod", &message);
                    plan.delete.push(pod.meta.name.clone());
                }
                _ => running.push(pod.clone()),
            }
        }
        running
    }

    /// The delay that a failed pod on this node still has to wait, or none, and then the next delay is twice as long.
    fn back_off(&mut self, set: &Object, node: &Str, now: Instant) -> Option<Duration> {
        let (first, max) = FAILED_POD_BACK_OFF;
        let key = (set.meta.uid.clone(), node.clone());
        match self.failed.get_mut(&key) {
            Some(it) if now.since(it.at) < it.delay => Some(it.delay),
            Some(it) => {
                // Upstream forgets after twice the longest delay.
                let forgotten = now.since(it.at) > max * 2;
                it.delay = if forgotten { first } else { (it.delay * 2).min(max) };
                it.at = now;
                None
            }
            None => {
                self.failed.insert(key, Failed { delay: first, at: now });
                None
            }
        }
    }

    /// `syncNodes`: creates and deletes, at most [`BURST`] of each.
    ///
    /// # Errors
    /// The first failed request.
    pub(super) fn carry_out(&mut self, cx: &mut Cx<'_>, sync: &Sync<'_>, plan: &Plan) -> Result<(), Status> {
        let mut res = Ok(());
        if !plan.create.is_empty() {
            let template = PodTemplate::of(sync);
            res = pods::slow_start(plan.create.len().min(BURST), &mut |idx| match plan.create.get(idx) {
                Some(node) => create(cx, sync.set, template.pod(node)),
                None => Ok(()),
            });
        }
        for name in plan.delete.iter().take(BURST) {
            if let Err(status) = pods::delete(cx, sync.set, &Key::new(sync.set.namespace(), name)) {
                res = res.and(Err(status));
            }
        }
        if plan.create.len().max(plan.delete.len()) > BURST {
            cx.requeue_soon();
        }
        res
    }
}

/// Creates a pod and says so; a namespace that goes away is no failure.
fn create(cx: &mut Cx<'_>, set: &Arc<Object>, pod: Object) -> Result<(), Status> {
    match pods::create(cx, set, pod) {
        Err(status) if pods::is_namespace_terminating(&status) => Ok(()),
        res => res.map(|_| ()),
    }
}

/// Pods that are meant for a node that does not exist and were never bound: pod garbage collection does not see them.
fn without_node<'a>(sync: &'a Sync<'_>) -> impl Iterator<Item = Str> + use<'a> {
    let gone = sync.places.iter().filter(|it| !it.exists).flat_map(|it| &it.pods);
    gone.filter(|it| it.str_at("spec.nodeName").unwrap_or("").is_empty() && !it.meta.is_deleted())
        .map(|it| it.meta.name.clone())
}

/// Bound pods before others, then by age and name (`podByCreationTimestampAndPhase`).
pub(super) fn by_age(mut pods: Vec<Arc<Object>>) -> Vec<Arc<Object>> {
    let unbound = |it: &Object| it.str_at("spec.nodeName").unwrap_or("").is_empty();
    pods.sort_by(|a, b| (unbound(a), a.meta.created, &a.meta.name).cmp(&(unbound(b), b.meta.created, &b.meta.name)));
    pods
}

/// With surge two pods may share a node while the new one is not available; all others go.
fn excess_of_surge(sync: &Sync<'_>, running: Vec<Arc<Object>>) -> Vec<Str> {
    let mut excess = Vec::new();
    let (mut new, mut old): (Option<&Object>, Option<&Object>) = (None, None);
    for pod in &running {
        let slot = if pod.meta.label("controller-revision-hash") == Some(&sync.hash) { &mut new } else { &mut old };
        match slot {
            None => *slot = Some(pod),
            Some(_) => excess.push(pod.meta.name.clone()),
        }
    }
    if let (Some(new), Some(old)) = (new, old)
        && (!pods::is_ready(old) || pods::is_available(new, sync.min_ready_seconds, sync.now))
    {
        excess.push(old.meta.name.clone());
    }
    excess
}

/// The template with what all pods of one revision share; only the affinity differs from node to node.
pub(super) struct PodTemplate {
    meta: Metadata,
    /// Each with a place for what goes into it: the affinity, `nodeAffinity`, and what it requires.
    spec: Map,
    affinity: Map,
    node_affinity: Map,
}

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

impl PodTemplate {
    /// `CreatePodTemplate`
    pub(super) fn of(sync: &Sync<'_>) -> PodTemplate {
        let set = sync.set;
        let mut labels = set.map_at("spec.template.metadata.labels").cloned().unwrap_or_default();
        if let Some(generation) = set.meta.annotation("deprecated.daemonset.template.generation") {
            labels.insert("pod-template-generation", generation);
        }
        labels.insert("controller-revision-hash", &sync.hash);
        let mut spec = set.at("spec.template.spec").cloned().unwrap_or_default();
        spec.set("tolerations", nodes::tolerations(&spec));
        let annotations = set.map_at("spec.template.metadata.annotations").cloned().unwrap_or_default();
        let map = |path: &'static str| spec.map_at(path).cloned().unwrap_or_default();
        PodTemplate {
            meta: pods::meta_of(set, "apps/v1", "DaemonSet", labels, annotations),
            node_affinity: map("affinity.nodeAffinity").with(REQUIRED, Value::Null),
            affinity: map("affinity").with("nodeAffinity", Value::Null),
            spec: spec.as_map().cloned().unwrap_or_default().with("affinity", Value::Null),
        }
    }

    /// The pod for one node (`ReplaceDaemonSetPodNodeNameNodeAffinity`).
    pub(super) fn pod(&self, node: &Str) -> Object {
        let required = value!({ "nodeSelectorTerms": [
            { "matchFields": [{ "key": "metadata.name", "operator": "In", "values": [node] }] },
        ] });
        let affinity = self.affinity.with("nodeAffinity", self.node_affinity.with(REQUIRED, required));
        let spec = self.spec.with("affinity", affinity);
        Object { kind: POD, meta: self.meta.clone(), body: map!({ "spec": spec }) }
    }
}
