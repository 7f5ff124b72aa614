//! The actor that plays every kubelet.

use std::collections::BTreeSet;
use std::sync::Arc;

use kinds::{ENDPOINT_SLICE, LEASE, MACHINE, NETWORK_POLICY, NODE, POD, SERVICE};
use meta::{Key, KeyMap, KindId, Object, Status};
use runtime::{Actor, Backlog, Cause, Cx, NAMED_MAX, News, Stats, View, Wanted};
use sim::{Instant, Timers};
use store::Change;
use value::{Str, Value};

use crate::client::Client;
use crate::dirty::Dirty;
use crate::fast::Fast;
use crate::foresight::Foresight;
use crate::life::Life;
use crate::machine::Network;
use crate::nodes;
use crate::status::Shared;

pub(crate) const NAME: &str = "kubelet";

/// How pods live.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// Images are pulled, containers start, crash, become ready.
    #[default]
    Real,
    /// Everything runs at once, for comparisons with recordings.
    Fast,
}

/// A machine and what its kubelet knows.
pub(crate) struct Machine {
    pub object: Arc<Object>,
    pub network: Network,
    /// When the next pod is evicted, while there is pressure.
    pub evicts_at: Option<Instant>,
    /// When its kubelet is ready, while it starts.
    pub ready_at: Option<Instant>,
    /// Images that it has pulled.
    pub images: BTreeSet<Str>,
}

/// All kubelets.
pub struct Kubelets {
    pub(crate) mode: Mode,
    pub(crate) foresight: Foresight,
    /// Pods in which such a program runs: looked at again when the network changes.
    pub(crate) asking: BTreeSet<Key>,
    /// Pods that wait for room for other resources: looked at again when the others on their machine change.
    pub(crate) waiting: BTreeSet<Key>,
    /// Machines that are there from the beginning were started before.
    pub(crate) began: Instant,
    pub(crate) machines: KeyMap<Machine, Str>,
    n_machines: u32,
    /// Pods of the real mode to which something will happen by time alone.
    pub(crate) lives: KeyMap<Box<Life>>,
    /// The same in the fast mode.
    pub(crate) fast: KeyMap<Fast>,
    /// What is known of lives that have not gone on since these kubelets began anew.
    pub(crate) kept: KeyMap<Value>,
    pub(crate) timers: Timers<Key>,
    pub(crate) machine_timers: Timers<Str>,
    /// Machines and pods to look at now, with the change that said so.
    dirty_machines: BTreeSet<Str>,
    pub(crate) dirty: Dirty,
    /// Machines that were off: their containers begin again. Until the turn's work is done.
    pub(crate) rebooting: BTreeSet<Str>,
    pub(crate) shared: Shared,
    last_work: Option<Instant>,
    last_key: Option<Key>,
}

/// Whether a machine runs and can be reached.
pub(crate) fn is_live(machine: &Object) -> bool {
    is_on(machine) && machine.str_at("spec.network") != Some("Partitioned")
}

pub(crate) fn is_on(machine: &Object) -> bool {
    machine.str_at("spec.power") != Some("Off")
}

/// The node of a pod; empty while it has none.
pub(crate) fn node_of(pod: &Object) -> &str {
    pod.str_at("spec.nodeName").unwrap_or("")
}

impl Kubelets {
    /// `began`: when the cluster did.
    pub fn new(mode: Mode, began: Instant, client: Client) -> Kubelets {
        Kubelets {
            mode,
            foresight: Foresight::new(client),
            asking: BTreeSet::new(),
            waiting: BTreeSet::new(),
            began,
            machines: KeyMap::new(),
            n_machines: 0,
            lives: KeyMap::new(),
            kept: KeyMap::new(),
            fast: KeyMap::new(),
            timers: Timers::new(),
            machine_timers: Timers::new(),
            dirty_machines: BTreeSet::new(),
            dirty: Dirty::default(),
            rebooting: BTreeSet::new(),
            shared: Shared::default(),
            last_work: None,
            last_key: None,
        }
    }

    fn machine_changed(&mut self, change: &Change, view: &View<'_>) {
        let name = change.object().meta.name.clone();
        match (&change.after, self.machines.get_mut(&name)) {
            (Some(object), Some(machine)) => {
                // A status tells nothing new: kubelets write it.
                if machine.object.at("spec") == object.at("spec") && machine.object.meta.uid == object.meta.uid {
                    machine.object = object.clone();
                    return;
                }
                machine.object = object.clone();
            }
            (Some(object), None) => {
                // A node that is there already keeps its addresses.
                let known = view.get(NODE, &Key::cluster(&name)).and_then(|it| Network::number_of(it));
                let number = known.unwrap_or(self.n_machines);
                self.n_machines = self.n_machines.max(number + 1);
                let machine = Machine {
                    object: object.clone(),
                    network: Network::of(number),
                    evicts_at: None,
                    ready_at: None,
                    images: BTreeSet::new(),
                };
                self.machines.insert(name.clone(), machine);
            }
            (None, _) => {
                self.machines.remove(&name);
                self.forget_pods_of(&name);
            }
        }
        self.dirty_machines.insert(name);
    }

    /// Its machine went off.
    pub(crate) fn forget_pods_of(&mut self, node: &str) {
        self.lives.retain(|_, it| it.node != node);
        self.fast.retain(|_, it| node_of(&it.pod) != node);
    }

    /// Whoever waits for room hears of pods that come, go, end or ask for something else (`RetryPendingResizes`).
    fn room_changed(&mut self, change: &Change) {
        let is_over = |it: &Object| matches!(it.str_at("status.phase"), Some("Succeeded" | "Failed"));
        let same = match (&change.before, &change.after) {
            (Some(before), Some(after)) => {
                before.body.get("spec") == after.body.get("spec") && is_over(before) == is_over(after)
            }
            _ => false,
        };
        if same {
            return;
        }
        let (node, key) = (node_of(change.object()), change.object().key());
        let is_beside = |it: &&Key| **it != key && self.lives.get(*it).is_some_and(|life| &*life.node == node);
        for it in self.waiting.iter().filter(is_beside) {
            self.dirty.insert(it.clone(), Cause { kind: POD, key: key.clone(), revision: change.revision });
        }
    }

    fn pod_changed(&mut self, change: &Change, view: &View<'_>) {
        let key = change.object().key();
        if !self.waiting.is_empty() {
            self.room_changed(change);
        }
        let Some(pod) = &change.after else {
            self.lives.remove(&key);
            self.kept.remove(&key);
            self.fast.remove(&key);
            self.dirty.remove(&key);
            self.asking.remove(&key);
            self.waiting.remove(&key);
            if nodes::is_mirror(change.object()) {
                self.dirty_machines.insert(node_of(change.object()).into());
            }
            return;
        };
        let node = node_of(pod);
        let runs = match self.machines.get(node) {
            Some(machine) => is_on(&machine.object),
            // The fast mode plays for every name of a node, as what the recordings were made with.
            None => self.mode == Mode::Fast && !node.is_empty(),
        };
        if !runs {
            return;
        }
        let wake = match self.mode {
            Mode::Real => self.pod_of_life(pod, change.before.as_deref()),
            Mode::Fast => self.pod_of_fast(pod, view.now),
        };
        if wake {
            let cause = Cause { kind: POD, key: key.clone(), revision: change.revision };
            self.dirty.insert(key, cause);
        }
    }

    /// A lease that somebody else wrote: its kubelet renews it.
    fn lease_changed(&mut self, change: &Change) {
        let lease = change.object();
        if lease.namespace() == nodes::LEASES && change.after.as_ref().is_none_or(|it| !nodes::is_live_lease(it)) {
            self.dirty_machines.insert(lease.meta.name.clone());
        }
    }

    /// Programs that ask the network may go on.
    fn network_changed(&mut self, change: &Change) {
        for key in &self.asking {
            let cause = Cause { kind: change.object().kind, key: change.object().key(), revision: change.revision };
            if let Some(life) = self.lives.get_mut(key) {
                life.hears_news = true;
            }
            self.dirty.insert(key.clone(), cause);
        }
    }

    fn work_pod(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<(), Status> {
        match self.mode {
            Mode::Real => self.live(cx, key),
            Mode::Fast => self.live_fast(cx, key),
        }
    }
}

impl Actor for Kubelets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self) -> Vec<Wanted> {
        [ENDPOINT_SLICE, LEASE, MACHINE, NETWORK_POLICY, POD, SERVICE].map(Wanted::any).to_vec()
    }

    fn deliver(&mut self, kind: KindId, changes: &[Change], _: News, view: &View<'_>) -> bool {
        for change in changes {
            match kind {
                LEASE => self.lease_changed(change),
                MACHINE => self.machine_changed(change, view),
                POD => self.pod_changed(change, view),
                _ => self.network_changed(change),
            }
        }
        true
    }

    fn list(&mut self, view: &View<'_>) {
        let client = self.foresight.client;
        let new = Kubelets { n_machines: self.n_machines, ..Kubelets::new(self.mode, self.began, client) };
        let mut before = std::mem::replace(self, new).machines;
        for kind in [MACHINE, POD] {
            for object in view.list(kind, None) {
                let change = Change { revision: object.meta.revision, before: None, after: Some(object.clone()) };
                self.deliver(kind, &[change], News::ANY, view);
            }
        }
        // What was pulled stays on the disk.
        self.machines.change_all(|it| {
            it.images = before.remove(&it.object.meta.name).map(|it| it.images).unwrap_or_default();
        });
    }

    fn work(&mut self, cx: &mut Cx<'_>) -> bool {
        let mut did = false;
        while let Some(name) = self.machine_timers.pop(cx.now()) {
            self.dirty_machines.insert(name);
        }
        while cx.may_write() {
            let Some(name) = self.dirty_machines.pop_first() else { break };
            cx.begin(NAME, None);
            if self.work_machine(cx, &name).is_err() {
                // Tried again when anything wakes it, at the latest with its next renewal.
                self.machine_timers.set(cx.now() + nodes::RENEWAL, name);
            }
            cx.end();
            did = true;
        }
        while let Some(key) = self.timers.pop(cx.now()) {
            self.dirty.add(key);
        }
        while cx.may_write() {
            let Some((key, cause)) = self.dirty.pop() else { break };
            cx.begin(NAME, cause);
            // A conflict means that a newer state is on its way here, which wakes the pod again.
            self.work_pod(cx, &key).ok();
            self.last_key = Some(key);
            cx.end();
            did = true;
            self.last_work = Some(cx.now());
        }
        if self.dirty.is_empty() {
            self.rebooting.clear();
        }
        did
    }

    fn next_wakeup(&self) -> Option<Instant> {
        if !self.dirty.is_empty() || !self.dirty_machines.is_empty() {
            return Some(Instant::default());
        }
        [self.timers.next(), self.machine_timers.next()].into_iter().flatten().min()
    }

    fn stats(&self) -> Stats {
        Stats { queue_depth: self.dirty.len() as u64, retries: 0, last_work: self.last_work }
    }

    fn backlog(&self) -> Backlog {
        let lives = self.lives.sorted();
        let later = lives.iter().filter_map(|(key, it)| Some((it.next_at()?, key)));
        Backlog {
            next: self.dirty.keys().into_iter().take(NAMED_MAX).map(Key::to_string).collect(),
            n_later: later.clone().count() as u64,
            first_later: later.min().map(|(at, key)| (key.to_string(), at)),
            last: self.last_key.as_ref().map(Key::to_string),
            ..Backlog::default()
        }
    }

    fn saved(&self) -> Value {
        self.saved_state()
    }

    fn take_up(&mut self, saved: &Value) {
        self.take_up_state(saved);
    }
}
