//! The actor that plays every kubelet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kinds::{LEASE, MACHINE, NODE, POD};
use meta::{Key, KindId, Metadata, Object, OwnerRef, Status};
use runtime::{Actor, Cause, Cx, EventSource, Stats, View};
use sim::{Duration, Instant, Timers};
use store::Change;
use value::{Str, Value, map, time};

use crate::behavior;
use crate::events::Events;
use crate::life::{Container, Life, Next, State};
use crate::logs::{self, LogLine, LogOptions};
use crate::machine::{self, Network};
use crate::{status, steps};

const NAME: &str = "kubelet";
/// The namespace of node leases.
const LEASES: &str = "kube-node-lease";
/// How often a lease is renewed; what readers see is computed from it.
const RENEWAL: Duration = Duration::from_secs(10);
/// Marks a lease whose holder is alive, so that its renewals need no writes.
pub const LIVE: &str = "sim.drydock.dev/renewed";
/// Delays of the fast mode: to running, to success of a Job's pod, to removal.
const FAST: (Duration, Duration, Duration) =
    (Duration::from_millis(200), Duration::from_secs(1), Duration::from_millis(200));

/// How pods live.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// Images are pulled, containers start, crash, become ready.
    #[default]
    Real,
    /// Everything runs at once, for comparisons with recordings.
    Fast,
}

struct Machine {
    object: Arc<Object>,
    network: Network,
    n_pods: u32,
}

/// A pod of the fast mode.
struct Fast {
    pod: Arc<Object>,
    ip: Str,
    at: Option<Instant>,
    /// What the next step is.
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Run,
    Succeed,
    Remove,
    Rest,
}

/// All kubelets.
pub struct Kubelets {
    mode: Mode,
    machines: BTreeMap<Str, Machine>,
    n_machines: u32,
    lives: BTreeMap<Key, Life>,
    fast: BTreeMap<Key, Fast>,
    timers: Timers<Key>,
    /// Machines and pods to look at now, with the change that said so.
    dirty_machines: BTreeSet<Str>,
    dirty: BTreeMap<Key, Option<Cause>>,
    last_work: Option<Instant>,
}

/// Whether a machine runs and can be reached.
fn is_live(machine: &Object) -> bool {
    is_on(machine) && machine.str_at("spec.network") != Some("Partitioned")
}

fn is_on(machine: &Object) -> bool {
    machine.str_at("spec.power") != Some("Off")
}

impl Kubelets {
    pub fn new(mode: Mode) -> Kubelets {
        Kubelets {
            mode,
            machines: BTreeMap::new(),
            n_machines: 0,
            lives: BTreeMap::new(),
            fast: BTreeMap::new(),
            timers: Timers::new(),
            dirty_machines: BTreeSet::new(),
            dirty: BTreeMap::new(),
            last_work: None,
        }
    }

    /// The log of a container, or why there is none in the API's words.
    ///
    /// # Errors
    /// 400 for a container that is not there or has not started.
    pub fn logs(&self, pod: &Key, options: &LogOptions, now: Instant) -> Result<Vec<LogLine>, Status> {
        let Some(life) = self.lives.get(pod) else { return Ok(Vec::new()) };
        let container = life.containers.iter().find(|it| it.name == options.container);
        let Some(container) = container else {
            return Err(Status::bad_request(format!(
                "container {} is not valid for pod {}",
                options.container, pod.name
            )));
        };
        let spans = (&container.state, &container.last);
        let (since, until) = match spans {
            (_, Some(last)) if options.previous => (last.since, last.at),
            (_, None) if options.previous => {
                let message =
                    format!("previous terminated container \"{}\" in pod \"{}\" not found", container.name, pod.name);
                return Err(Status::bad_request(message));
            }
            (State::Running { since }, _) => (*since, now),
            (State::Terminated(end), _) | (State::Waiting { reason: "CrashLoopBackOff", .. }, Some(end)) => {
                (end.since, end.at)
            }
            (State::Waiting { reason, .. }, _) => {
                let why = if *reason == "ErrImagePull" || *reason == "ImagePullBackOff" {
                    "trying and failing to pull image"
                } else {
                    reason
                };
                let message =
                    format!("container \"{}\" in pod \"{}\" is waiting to start: {why}", container.name, pod.name);
                return Err(Status::bad_request(message));
            }
        };
        let spec = life
            .pod
            .list_at("spec.containers")
            .iter()
            .chain(life.pod.list_at("spec.initContainers"))
            .find(|it| it.str_at("name") == Some(&container.name));
        let words: Vec<&str> = spec
            .into_iter()
            .flat_map(|it| it.list_at("command").iter().chain(it.list_at("args")))
            .filter_map(Value::as_str)
            .collect();
        let mut lines = match logs::script(&words) {
            Some(script) if container.behavior.log.is_empty() => logs::printed(&script, since, until),
            _ => container.behavior.log.iter().map(|it| LogLine { at: since, text: it.clone() }).collect(),
        };
        if let Some(after) = options.since {
            lines.retain(|it| it.at >= after);
        }
        let skip = options.tail.map_or(0, |it| lines.len().saturating_sub(it));
        Ok(lines.split_off(skip))
    }

    fn machine_changed(&mut self, change: &Change) {
        let name = change.object().meta.name.clone();
        match &change.after {
            Some(machine) => {
                let number = self.machines.get(&name).map(|it| it.network.number);
                let number = number.unwrap_or_else(|| {
                    self.n_machines += 1;
                    self.n_machines - 1
                });
                let n_pods = self.machines.get(&name).map_or(0, |it| it.n_pods);
                self.machines
                    .insert(name.clone(), Machine { object: machine.clone(), network: Network::of(number), n_pods });
            }
            None => {
                self.machines.remove(&name);
                self.forget_pods_of(&name);
            }
        }
        self.dirty_machines.insert(name);
    }

    fn forget_pods_of(&mut self, node: &str) {
        self.lives.retain(|_, it| it.node != node);
        self.fast.retain(|_, it| it.pod.str_at("spec.nodeName") != Some(node));
    }

    fn pod_changed(&mut self, change: &Change, view: &View<'_>) {
        let key = change.object().key();
        let Some(pod) = &change.after else {
            self.lives.remove(&key);
            self.fast.remove(&key);
            self.dirty.remove(&key);
            return;
        };
        let node = pod.str_at("spec.nodeName").unwrap_or("");
        let Some(machine) = self.machines.get(node).filter(|it| is_on(&it.object)) else { return };
        let _ = machine;
        let cause = Cause { kind: POD, key: key.clone(), revision: change.revision };
        match self.mode {
            Mode::Real => self.pod_of_life(pod, view),
            Mode::Fast => self.pod_of_fast(pod, view.now),
        }
        self.dirty.insert(key, Some(cause));
    }

    fn pod_of_life(&mut self, pod: &Arc<Object>, view: &View<'_>) {
        let key = pod.key();
        if let Some(life) = self.lives.get_mut(&key).filter(|it| it.uid == pod.meta.uid) {
            life.pod = pod.clone();
            return;
        }
        if matches!(pod.str_at("status.phase"), Some("Succeeded" | "Failed")) && !pod.meta.is_deleted() {
            return;
        }
        let life = self.begin(pod, view);
        self.lives.insert(key, life);
    }

    /// A new life, or the one that the pod's status tells of.
    fn begin(&mut self, pod: &Arc<Object>, view: &View<'_>) -> Life {
        let node = pod.at("spec.nodeName").and_then(Value::as_shared_str).cloned().unwrap_or_default();
        let (host_ip, ip) = self.addresses(pod, &node);
        let container = |it: &Value, is_init| Container::of(it, is_init, behavior::of(view, pod, it, is_init));
        let init = pod.list_at("spec.initContainers").iter().map(|it| container(it, true));
        let main = pod.list_at("spec.containers").iter().map(|it| container(it, false));
        let mut life = Life {
            key: pod.key(),
            uid: pod.meta.uid.clone(),
            pod: pod.clone(),
            node,
            ip,
            host_ip,
            began: pod.str_at("status.startTime").and_then(time::parse_nanos).map_or(view.now, Instant::from_nanos),
            containers: init.chain(main).collect(),
            restart_policy: pod.at("spec.restartPolicy").and_then(Value::as_shared_str).cloned().unwrap_or_default(),
            stop_at: None,
            stopping: false,
            failed: None,
        };
        for container in &mut life.containers {
            resume(container, pod, view.now);
        }
        life
    }

    fn addresses(&mut self, pod: &Object, node: &str) -> (Str, Str) {
        let Some(machine) = self.machines.get_mut(node) else { return (Str::default(), Str::default()) };
        let host_ip = machine.network.host_ip.clone();
        if pod.bool_at("spec.hostNetwork") == Some(true) {
            return (host_ip.clone(), host_ip);
        }
        if let Some(ip) = pod.at("status.podIP").and_then(Value::as_shared_str) {
            return (host_ip, ip.clone());
        }
        machine.n_pods += 1;
        let ip = machine.network.pod_ip(machine.n_pods - 1);
        (host_ip, ip)
    }

    fn pod_of_fast(&mut self, pod: &Arc<Object>, now: Instant) {
        let key = pod.key();
        let node = pod.str_at("spec.nodeName").unwrap_or("").to_owned();
        if self.fast.get(&key).is_none_or(|it| it.pod.meta.uid != pod.meta.uid) {
            let (_, ip) = self.addresses(pod, &node);
            self.fast.insert(key.clone(), Fast { pod: pod.clone(), ip, at: None, stage: Stage::Rest });
        }
        let Some(fast) = self.fast.get_mut(&key) else { return };
        fast.pod = pod.clone();
        let has_statuses = pod.at("status.containerStatuses").is_some();
        let by_job = pod.meta.controller().is_some_and(|it| it.kind == "Job");
        let running = pod.str_at("status.phase") == Some("Running");
        let (stage, delay) = match () {
            () if pod.meta.is_deleted() => (Stage::Remove, FAST.2),
            () if !has_statuses => (Stage::Run, FAST.0),
            () if by_job && running && fast.stage == Stage::Run => (Stage::Succeed, FAST.1),
            () if by_job && running && fast.stage == Stage::Succeed => return,
            () => (Stage::Rest, Duration::ZERO),
        };
        if stage == fast.stage && fast.at.is_some() {
            return;
        }
        fast.stage = stage;
        fast.at = (stage != Stage::Rest).then(|| now + delay);
        if let Some(at) = fast.at {
            self.timers.set(at, key);
        }
    }

    fn work_machine(&mut self, cx: &mut Cx<'_>, name: &Str) -> Result<(), Status> {
        let node = cx.get(NODE, &Key::cluster(name));
        let Some(machine) = self.machines.get(name) else {
            return lease_stops(cx, name);
        };
        let (object, network) = (machine.object.clone(), machine.network.clone());
        if !is_live(&object) {
            lease_stops(cx, name)?;
            if !is_on(&object) {
                self.forget_pods_of(name);
            }
            return report(cx, &object, if is_on(&object) { "Partitioned" } else { "Off" });
        }
        let node = match node {
            None if object.str_at("status.phase") == Some("Running") => return Ok(()),
            None => cx.create(machine::node(&object, &network, cx.now()))?,
            Some(node) => {
                let status = machine::status(&object, &network, node.list_at("status.conditions"), cx.now());
                let mut merged = node.map_at("status").cloned().unwrap_or_default();
                for (key, value) in status.as_map().into_iter().flat_map(value::Map::iter) {
                    merged.insert(key, value);
                }
                cx.update_status(&node, Value::Map(merged))?
            }
        };
        lease_lives(cx, &node)?;
        report(cx, &object, "Running")?;
        // Pods that were bound while the machine was away.
        for pod in cx.on_node(name) {
            let change = Change { revision: pod.meta.revision, before: None, after: Some(pod) };
            let view = cx.view();
            self.pod_changed(&change, &view);
        }
        Ok(())
    }

    fn work_pod(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<(), Status> {
        match self.mode {
            Mode::Real => self.live(cx, key),
            Mode::Fast => self.live_fast(cx, key),
        }
    }

    fn live(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<(), Status> {
        let Some(life) = self.lives.get_mut(key) else { return Ok(()) };
        let now = cx.now();
        let mut events = Events::default();
        if life.pod.meta.is_deleted() {
            steps::begin_stop(life, now, &mut events);
        }
        steps::advance(life, now, &mut events);
        if let Some(at) = life.next_at() {
            self.timers.set(at, key.clone());
        }
        let reachable = self.machines.get(&life.node).is_some_and(|it| is_live(&it.object));
        if !reachable {
            return Ok(());
        }
        for event in events.list {
            let source = EventSource { component: NAME, host: &life.node };
            cx.event_from(source, &life.pod, event.level, event.reason, &event.message, &event.field_path);
        }
        let status = status::of(life, now);
        let pod = cx.update_status(&life.pod.clone(), status)?;
        let gone = life.stopping && life.stop_at.is_none() && pod.meta.is_deleted();
        life.pod = pod;
        if gone {
            self.lives.remove(key);
            cx.delete_now(POD, key)?;
        }
        Ok(())
    }

    fn live_fast(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<(), Status> {
        let now = cx.now();
        let Some(fast) = self.fast.get_mut(key).filter(|it| it.at.is_some_and(|at| at <= now)) else { return Ok(()) };
        fast.at = None;
        let (pod, ip, stage) = (fast.pod.clone(), fast.ip.clone(), fast.stage);
        let host_ip = pod
            .str_at("spec.nodeName")
            .and_then(|it| self.machines.get(it))
            .map(|it| it.network.host_ip.clone())
            .unwrap_or_default();
        match stage {
            Stage::Remove => cx.delete_now(POD, key),
            Stage::Run | Stage::Succeed => {
                let status = status::fast(&pod, &host_ip, &ip, now, stage == Stage::Succeed);
                cx.update_status(&pod, status).map(|_| ())
            }
            Stage::Rest => Ok(()),
        }
    }
}

/// Takes up a container where the pod's status left it, as after a restart of the kubelet.
fn resume(container: &mut Container, pod: &Object, now: Instant) {
    let list = if container.is_init { "status.initContainerStatuses" } else { "status.containerStatuses" };
    let Some(status) = pod.list_at(list).iter().find(|it| it.str_at("name") == Some(&container.name)) else { return };
    container.restarts = status.i64_at("restartCount").unwrap_or(0);
    if let Some(since) = status.str_at("state.running.startedAt").and_then(time::parse_nanos) {
        let since = Instant::from_nanos(since);
        container.state = State::Running { since };
        container.ready = status.bool_at("ready") == Some(true);
        container.started = status.bool_at("started") == Some(true);
        container.ready_at = container
            .behavior
            .ready
            .filter(|_| !container.ready)
            .map(|it| (since + it + container.probe_delay).max(now));
        if let Some(exit) = &container.behavior.exit {
            let at = (since + exit.after).max(now);
            container.plan(Next::Exit, at);
        }
    } else if let Some(end) = status.at("state.terminated") {
        let at = |field: &str| end.str_at(field).and_then(time::parse_nanos).map_or(now, Instant::from_nanos);
        let ended = crate::life::Ended {
            code: end.i64_at("exitCode").unwrap_or(0),
            reason: end.str_at("reason").unwrap_or("").into(),
            since: at("startedAt"),
            at: at("finishedAt"),
        };
        container.ready = status.bool_at("ready") == Some(true);
        container.state = State::Terminated(ended);
    }
}

/// The lease of a node whose kubelet lives: made once, its renewals computed when read.
fn lease_lives(cx: &mut Cx<'_>, node: &Object) -> Result<(), Status> {
    let key = Key::new(LEASES, &node.meta.name);
    let owner = OwnerRef {
        api_version: "v1".into(),
        kind: "Node".into(),
        name: node.meta.name.clone(),
        uid: node.meta.uid.clone(),
        controller: None,
        block_deletion: None,
    };
    let spec = map!({
        "holderIdentity": &node.meta.name, "leaseDurationSeconds": 40, "renewTime": time::format_micros(cx.now().nanos()),
    });
    match cx.get(LEASE, &key) {
        Some(lease) if lease.meta.annotations.contains_key(LIVE) => Ok(()),
        Some(lease) => {
            let mut update = Object::clone(&lease);
            update.meta.annotations.insert(LIVE, "continuously");
            update.body.insert("spec", spec);
            cx.update(update).map(|_| ())
        }
        None => {
            let meta = Metadata {
                name: key.name,
                namespace: key.namespace,
                annotations: map!({ "sim.drydock.dev/renewed": "continuously" }),
                owners: Arc::from([owner]) as Arc<[OwnerRef]>,
                ..Metadata::default()
            };
            cx.create(Object { kind: LEASE, meta, body: map!({ "spec": spec }) }).map(|_| ())
        }
    }
}

/// A kubelet falls silent: its lease shows the last renewal from now on.
fn lease_stops(cx: &mut Cx<'_>, name: &Str) -> Result<(), Status> {
    let Some(lease) = cx.get(LEASE, &Key::new(LEASES, name)) else { return Ok(()) };
    if !lease.meta.annotations.contains_key(LIVE) {
        return Ok(());
    }
    let mut update = Object::clone(&lease);
    update.meta.annotations.remove(LIVE);
    update.set("spec.renewTime", time::format_micros(renewed(cx.now()).nanos()));
    cx.update(update).map(|_| ())
}

/// The last renewal of a live lease at `now`.
pub fn renewed(now: Instant) -> Instant {
    let every = RENEWAL.as_nanos() as u64;
    Instant::from_nanos(now.nanos() / every * every)
}

/// Says in a Machine's status what it does.
fn report(cx: &mut Cx<'_>, machine: &Object, phase: &str) -> Result<(), Status> {
    let status = map!({ "nodeName": &machine.meta.name, "phase": phase });
    cx.update_status(machine, Value::Map(status)).map(|_| ())
}

impl Actor for Kubelets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn kinds(&self) -> Vec<KindId> {
        vec![MACHINE, POD]
    }

    fn deliver(&mut self, kind: KindId, changes: &[Change], view: &View<'_>) {
        for change in changes {
            if kind == MACHINE { self.machine_changed(change) } else { self.pod_changed(change, view) }
        }
    }

    fn list(&mut self, view: &View<'_>) {
        let (mode, n_machines) = (self.mode, self.n_machines);
        let machines = std::mem::take(&mut self.machines);
        *self = Kubelets { n_machines, machines, ..Kubelets::new(mode) };
        for kind in [MACHINE, POD] {
            for object in view.list(kind, None) {
                let change = Change { revision: object.meta.revision, before: None, after: Some(object.clone()) };
                self.deliver(kind, &[change], view);
            }
        }
    }

    fn work(&mut self, cx: &mut Cx<'_>) -> bool {
        let mut did = false;
        while let Some(name) = self.dirty_machines.pop_first() {
            cx.begin(NAME, None);
            if self.work_machine(cx, &name).is_err() {
                self.dirty_machines.insert(name);
                break;
            }
            did = true;
        }
        while let Some(key) = self.timers.pop(cx.now()) {
            self.dirty.entry(key).or_default();
        }
        while cx.may_write() {
            let Some((key, cause)) = self.dirty.pop_first() else { break };
            cx.begin(NAME, cause);
            // A conflict means that a newer state is on its way here, which wakes the pod again.
            self.work_pod(cx, &key).ok();
            cx.end();
            did = true;
            self.last_work = Some(cx.now());
        }
        did
    }

    fn next_wakeup(&self) -> Option<Instant> {
        if !self.dirty.is_empty() || !self.dirty_machines.is_empty() {
            return Some(Instant::default());
        }
        self.timers.next()
    }

    fn stats(&self) -> Stats {
        Stats { queue_depth: self.dirty.len() as u64, retries: 0, last_work: self.last_work }
    }
}
