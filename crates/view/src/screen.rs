//! Keeps the model of the screen current from the store, and hands out what changed.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use kinds::{
    CRON_JOB, DAEMON_SET, DEPLOYMENT, EVENT, JOB, LEASE, MACHINE, NODE, POD, REPLICA_SET, REPLICATION_CONTROLLER,
    Registry, STATEFUL_SET,
};
use meta::{KindId, Object, Revision};
use store::{Change, Cursor, Store};
use value::Str;

use crate::model::{EventRow, Pod, Ref, Update, WatchRow, Workload};
use crate::pods::Requests;
use crate::words::{self, Words};
use crate::{diff, nodes, pods, runs, why};

/// Changes read at once.
const BATCH_CHANGES_MAX: usize = 1024;
/// Rows that one update carries at most; what is more, nobody can read.
const ROWS_MAX: usize = 500;
/// Pods and nodes that one update carries at most: what draws them must not stand still. The rest comes with the next.
const PODS_MAX: usize = 100;
const NODES_MAX: usize = 30;
/// How long a chain of owners can be: CronJob, Job, pod.
const OWNERS_MAX: usize = 4;
/// Colours for workloads, each in two shades.
const HUES: u8 = 16;
/// Among more workloads than this nobody tells them by their hues.
const HUED_MAX: usize = 64;

/// Kinds that run pods, and those that own such kinds.
const WORKLOADS: [KindId; 7] =
    [CRON_JOB, DAEMON_SET, DEPLOYMENT, JOB, REPLICA_SET, REPLICATION_CONTROLLER, STATEFUL_SET];

/// The model of the screen, and how far the store was read.
pub struct Screen {
    registry: Registry,
    cursors: Vec<Cursor>,
    nodes: BTreeMap<Str, NodeState>,
    n_nodes_seen: u32,
    machines: BTreeMap<Str, Arc<Object>>,
    pods: BTreeMap<Str, PodState>,
    /// Workloads by the uid of the object; those owned by another are shown as part of that one.
    workloads: BTreeMap<Str, WorkloadState>,
    n_workloads_seen: u32,
    /// Not sent yet.
    dirty_nodes: BTreeSet<Str>,
    dirty_pods: BTreeSet<Str>,
    dirty_workloads: bool,
    /// What rows are to be made of, each with its time.
    new_changes: Vec<(Change, u64)>,
    new_events: Vec<(Arc<Object>, u64)>,
    update: Update,
}

struct NodeState {
    object: Arc<Object>,
    order: u32,
    /// Uids of the pods here.
    pods: BTreeSet<Str>,
}

struct PodState {
    object: Arc<Object>,
    requests: Requests,
    node: Str,
}

struct WorkloadState {
    object: Arc<Object>,
    id: u32,
    hue: u8,
}

impl Screen {
    /// A screen over what is in the store now.
    pub fn new(store: &Store, registry: &Registry) -> Screen {
        let mut screen = Screen {
            registry: *registry,
            cursors: Vec::new(),
            nodes: BTreeMap::new(),
            n_nodes_seen: 0,
            machines: BTreeMap::new(),
            pods: BTreeMap::new(),
            workloads: BTreeMap::new(),
            n_workloads_seen: 0,
            dirty_nodes: BTreeSet::new(),
            dirty_pods: BTreeSet::new(),
            dirty_workloads: false,
            new_changes: Vec::new(),
            new_events: Vec::new(),
            update: Update { is_whole: true, ..Update::default() },
        };
        screen.list(store);
        let mut events: Vec<_> = store.list(EVENT, None).map(|it| (it.clone(), event_nanos(it))).collect();
        events.sort_by_key(|(it, _)| it.meta.revision);
        screen.new_events = events;
        screen.cap_rows();
        screen
    }

    /// Takes everything from the store anew: at the beginning, and when the log was too short.
    fn list(&mut self, store: &Store) {
        self.cursors = self.registry.ids().map(|kind| store.watch(kind, store.revision())).collect();
        // Nodes before the pods on them, owners before the owned.
        for kind in [MACHINE, NODE].into_iter().chain(WORKLOADS).chain([POD]) {
            let mut objects: Vec<_> = store.list(kind, None).collect();
            if kind != POD {
                as_they_came(&mut objects);
            }
            for object in objects {
                self.take(kind, None, Some(object));
            }
        }
    }

    /// Takes in what happened since the last call; `now` is in nanoseconds.
    pub fn observe(&mut self, store: &Store, now: u64) {
        let mut changes = Vec::new();
        for idx in 0..self.cursors.len() {
            let kind = self.cursors[idx].kind;
            while self.cursors[idx].seen < store.newest(kind) {
                let n_before = changes.len();
                if store.read(&mut self.cursors[idx], BATCH_CHANGES_MAX, &mut changes).is_err() {
                    self.forget();
                    self.list(store);
                    return;
                }
                if changes.len() == n_before {
                    break;
                }
            }
        }
        changes.sort_by_key(|it| it.revision);
        // What comes first has its place first.
        let is_new_node = |it: &&Change| it.before.is_none() && it.object().kind == NODE;
        let mut nodes: Vec<_> = changes.iter().filter(is_new_node).filter_map(|it| it.after.as_ref()).collect();
        as_they_came(&mut nodes);
        for node in nodes {
            self.take_node(None, Some(node));
        }
        for change in &changes {
            let kind = change.object().kind;
            self.take(kind, change.before.as_ref(), change.after.as_ref());
            self.note(kind, change, now);
        }
        self.cap_rows();
    }

    fn forget(&mut self) {
        self.nodes.clear();
        self.machines.clear();
        self.pods.clear();
        self.workloads.clear();
        self.dirty_nodes.clear();
        self.dirty_pods.clear();
        self.new_changes.clear();
        self.new_events.clear();
        let n_skipped = self.update.n_skipped;
        self.update = Update { is_whole: true, n_skipped, ..Update::default() };
        self.dirty_workloads = true;
    }

    fn cap_rows(&mut self) {
        for excess in [cap(&mut self.new_changes), cap(&mut self.new_events)] {
            self.update.n_skipped = self.update.n_skipped.saturating_add(excess);
        }
    }

    fn take(&mut self, kind: KindId, before: Option<&Arc<Object>>, after: Option<&Arc<Object>>) {
        match kind {
            NODE => self.take_node(before, after),
            MACHINE => self.take_machine(before, after),
            POD => self.take_pod(before, after),
            _ if WORKLOADS.contains(&kind) => self.take_workload(before, after),
            _ => (),
        }
    }

    fn take_node(&mut self, before: Option<&Arc<Object>>, after: Option<&Arc<Object>>) {
        let Some(object) = after else {
            if let Some(gone) = before {
                self.nodes.remove(&gone.meta.name);
                self.dirty_nodes.remove(&gone.meta.name);
                self.update.nodes.retain(|it| *gone.meta.name != *it.name);
                self.update.nodes_gone.push(gone.name().to_owned());
            }
            return;
        };
        let name = object.meta.name.clone();
        let was_lost = self.is_lost(&name);
        match self.nodes.get_mut(&name) {
            Some(it) => it.object = object.clone(),
            None => {
                let pods: BTreeSet<Str> =
                    self.pods.iter().filter(|(_, it)| it.node == name).map(|(uid, _)| uid.clone()).collect();
                let state = NodeState { object: object.clone(), order: self.n_nodes_seen, pods };
                self.n_nodes_seen += 1;
                self.update.nodes_gone.retain(|it| *it != *name);
                self.nodes.insert(name.clone(), state);
            }
        }
        if was_lost != self.is_lost(&name)
            && let Some(node) = self.nodes.get(&name)
        {
            self.dirty_pods.extend(node.pods.iter().cloned());
        }
        self.dirty_nodes.insert(name);
    }

    fn is_lost(&self, node: &Str) -> bool {
        self.nodes.get(node).is_some_and(|it| nodes::is_lost(&it.object))
    }

    fn take_machine(&mut self, before: Option<&Arc<Object>>, after: Option<&Arc<Object>>) {
        let Some(name) = after.or(before).map(|it| it.meta.name.clone()) else { return };
        match after {
            Some(object) => self.machines.insert(name.clone(), object.clone()),
            None => self.machines.remove(&name),
        };
        if self.nodes.contains_key(&name) {
            self.dirty_nodes.insert(name);
        }
    }

    fn take_pod(&mut self, before: Option<&Arc<Object>>, after: Option<&Arc<Object>>) {
        let Some(object) = after else {
            if let Some(gone) = before {
                self.drop_pod(&gone.meta.uid);
            }
            return;
        };
        let uid = object.meta.uid.clone();
        let node: Str = object.str_at("spec.nodeName").unwrap_or_default().into();
        let same_spec = before.is_some_and(|it| it.body.get("spec") == object.body.get("spec"));
        let known = self.pods.get(&uid).filter(|_| same_spec).map(|it| it.requests);
        let requests = known.unwrap_or_else(|| {
            if let Some(node) = self.nodes.get_mut(&node) {
                node.pods.insert(uid.clone());
            }
            pods::requests(object)
        });
        // The node's bars count only pods that have not ended.
        self.dirty_nodes.extend(self.nodes.contains_key(&node).then(|| node.clone()));
        self.pods.insert(uid.clone(), PodState { object: object.clone(), requests, node });
        self.dirty_pods.insert(uid);
    }

    fn drop_pod(&mut self, uid: &Str) {
        let Some(gone) = self.pods.remove(uid) else { return };
        if let Some(node) = self.nodes.get_mut(&gone.node) {
            node.pods.remove(uid);
            self.dirty_nodes.insert(gone.node);
        }
        self.dirty_pods.remove(uid);
        self.update.pods_gone.push(uid.to_string());
    }

    fn take_workload(&mut self, before: Option<&Arc<Object>>, after: Option<&Arc<Object>>) {
        self.dirty_workloads = true;
        let Some(object) = after else {
            if let Some(gone) = before {
                self.workloads.remove(&gone.meta.uid);
            }
            return;
        };
        if let Some(it) = self.workloads.get_mut(&object.meta.uid) {
            it.object = object.clone();
            return;
        }
        self.n_workloads_seen += 1;
        let state = WorkloadState { object: object.clone(), id: self.n_workloads_seen, hue: self.new_hue(object) };
        self.workloads.insert(object.meta.uid.clone(), state);
    }

    /// The object's own hue, or the next one that no other workload wears, as long as there is one.
    fn new_hue(&self, object: &Object) -> u8 {
        let own = self.hue_of(object);
        if self.workloads.len() > HUED_MAX || !self.is_root(object) {
            return own;
        }
        let roots = self.workloads.values().filter(|it| self.is_root(&it.object));
        let worn = roots.fold(0_u16, |worn, it| worn | 1 << it.hue);
        (0..HUES).map(|it| (own + it) % HUES).find(|it| worn & 1 << it == 0).unwrap_or(own)
    }

    /// A hue that depends on nothing but what the object is called, so that it is the same everywhere and always.
    fn hue_of(&self, object: &Object) -> u8 {
        hue_of(&self.ref_of(object).to_string())
    }

    fn is_root(&self, object: &Object) -> bool {
        object.meta.controller().is_none_or(|it| !self.workloads.contains_key(&it.uid))
    }

    /// The workloads above an object, nearest first. Owners that own each other in a circle end it, too.
    fn owners(&self, object: &Object) -> impl Iterator<Item = &WorkloadState> {
        let above = |it: &Object| it.meta.controller().and_then(|it| self.workloads.get(&it.uid));
        std::iter::successors(above(object), move |it| above(&it.object)).take(OWNERS_MAX)
    }

    /// The workload at the head of an object's owners.
    fn root(&self, object: &Object) -> Option<&WorkloadState> {
        self.owners(object).last()
    }

    /// Keeps a change for its row, which is written only if it is shown.
    fn note(&mut self, kind: KindId, change: &Change, now: u64) {
        match kind {
            LEASE => (),
            EVENT => self.new_events.extend(change.after.clone().map(|it| (it, now))),
            _ => self.new_changes.push((change.clone(), now)),
        }
    }

    fn watch_row(&self, change: &Change, now: u64) -> WatchRow {
        let object = change.object();
        let letter = match (&change.before, &change.after) {
            (None, _) => b'A',
            (_, None) => b'D',
            _ => b'M',
        };
        WatchRow {
            revision: change.revision.0,
            at: now,
            letter,
            object: self.ref_of(object),
            owner: self.root(object).map(|it| it.object.name().to_owned()).unwrap_or_default(),
            what: diff::line(change.before.as_deref(), change.after.as_deref()),
        }
    }

    pub(crate) fn ref_of(&self, object: &Object) -> Ref {
        let kind = self.registry.get(object.kind).map(|it| it.kind.to_string()).unwrap_or_default();
        Ref { kind, namespace: object.namespace().to_owned(), name: object.name().to_owned() }
    }

    /// Whether there is anything to hand out.
    pub fn has_news(&self) -> bool {
        let Update { is_whole, nodes_gone, pods_gone, .. } = &self.update;
        *is_whole
            || self.dirty_workloads
            || !(self.dirty_nodes.is_empty() && self.dirty_pods.is_empty())
            || !(nodes_gone.is_empty() && pods_gone.is_empty())
            || !(self.new_changes.is_empty() && self.new_events.is_empty())
    }

    /// What changed since the last call; clock and requests are the caller's to fill in.
    pub fn take_update(&mut self) -> Update {
        let mut update = std::mem::take(&mut self.update);
        let (changes, events) = (std::mem::take(&mut self.new_changes), std::mem::take(&mut self.new_events));
        update.watch = changes.iter().map(|(it, now)| Rc::new(self.watch_row(it, *now))).collect();
        update.events = events.iter().map(|(it, now)| Rc::new(event_row(it, *now))).collect();
        for uid in first(&mut self.dirty_pods, PODS_MAX) {
            update.pods.extend(self.pod(&uid).map(Rc::new));
        }
        for name in first(&mut self.dirty_nodes, NODES_MAX) {
            if let Some(state) = self.nodes.get(&name) {
                update.nodes.push(Rc::new(self.node(&name, state)));
            }
        }
        if std::mem::take(&mut self.dirty_workloads) || update.is_whole {
            update.workloads = Some(self.shown_workloads());
        }
        update
    }

    fn pod(&self, uid: &Str) -> Option<Pod> {
        let state = self.pods.get(uid)?;
        let mut pod = pods::pod(&state.object, self.is_lost(&state.node));
        if let Some(root) = self.root(&state.object) {
            (pod.workload, pod.hue) = (root.id, root.hue);
        } else {
            pod.hue = self.hue_of(&state.object);
        }
        Some(pod)
    }

    fn node(&self, name: &Str, state: &NodeState) -> crate::model::Node {
        let mut used = Requests::default();
        let mut n_pods = 0;
        for pod in state.pods.iter().filter_map(|it| self.pods.get(it)) {
            if matches!(pod.object.str_at("status.phase"), Some("Succeeded" | "Failed")) {
                continue;
            }
            n_pods += 1;
            used.cpu = used.cpu.saturating_add(pod.requests.cpu);
            used.memory = used.memory.saturating_add(pod.requests.memory);
        }
        nodes::node(&state.object, self.machines.get(name).map(|it| &**it), state.order, used, n_pods)
    }

    fn shown_workloads(&self) -> Vec<Rc<Workload>> {
        let mut shown: Vec<&WorkloadState> = self.workloads.values().filter(|it| self.is_root(&it.object)).collect();
        shown.sort_by_key(|it| it.id);
        shown.into_iter().map(|it| Rc::new(self.workload(it))).collect()
    }

    fn workload(&self, WorkloadState { object, id, hue }: &WorkloadState) -> Workload {
        let (ready, desired) = match object.kind {
            DAEMON_SET => ("status.numberReady", "status.desiredNumberScheduled"),
            JOB => ("status.succeeded", "spec.completions"),
            CRON_JOB => ("", ""),
            _ => ("status.readyReplicas", "spec.replicas"),
        };
        let number = |path: &'static str| object.i64_at(path).and_then(|it| u32::try_from(it).ok()).unwrap_or(0);
        Workload {
            id: *id,
            target: self.ref_of(object),
            hue: *hue,
            n_ready: number(ready),
            n_desired: number(desired),
            is_counted: object.kind != CRON_JOB,
            note: object.str_at("spec.schedule").unwrap_or_default().to_owned(),
        }
    }

    /// The change of this revision, if the log still has it.
    pub fn change(store: &Store, registry: &Registry, revision: u64) -> Option<Change> {
        let before = Revision(revision.checked_sub(1)?);
        registry.ids().find_map(|kind| {
            let mut found = Vec::new();
            store.read(&mut store.watch(kind, before), 1, &mut found).ok()?;
            found.pop().filter(|it| it.revision.0 == revision)
        })
    }

    /// A change in words: `Event default/web.18 was removed`.
    pub fn deed(&self, change: &Change) -> String {
        let deed = match (&change.before, &change.after) {
            (None, _) => "was created",
            (_, None) => "was removed",
            _ => "changed",
        };
        format!("{} {deed}", self.ref_of(change.object()))
    }

    /// Workloads in the order in which they came.
    pub(crate) fn workload_objects(&self) -> impl Iterator<Item = &Arc<Object>> {
        let mut all: Vec<&WorkloadState> = self.workloads.values().collect();
        all.sort_by_key(|it| it.id);
        all.into_iter().map(|it| &it.object)
    }

    pub(crate) fn pod_objects(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.pods.values().map(|it| &it.object)
    }

    /// The workload that controls an object, if it is there.
    pub(crate) fn workload_above(&self, object: &Object) -> Option<&Arc<Object>> {
        object.meta.controller().and_then(|it| self.workloads.get(&it.uid)).map(|it| &it.object)
    }

    /// What is shown of a pod; none for other objects.
    pub(crate) fn pod_of(&self, object: &Object) -> Option<Pod> {
        if object.kind == POD { self.pod(&object.meta.uid) } else { None }
    }

    /// The hue of the workload at the head of an object's owners.
    pub(crate) fn hue(&self, object: &Object) -> u8 {
        let own = || self.workloads.get(&object.meta.uid).map(|it| it.hue);
        self.root(object).map(|it| it.hue).or_else(own).unwrap_or_else(|| self.hue_of(object))
    }

    pub fn n_machines(&self) -> usize {
        self.machines.len()
    }

    /// Event objects about an object, oldest first.
    pub fn events_about(store: &Store, target: &Ref) -> Vec<EventRow> {
        let about = store.list(EVENT, None).filter(|it| {
            let is = |path: &'static str, text: &str| it.str_at(path).unwrap_or_default() == text;
            is("involvedObject.kind", &target.kind)
                && is("involvedObject.name", &target.name)
                && is("involvedObject.namespace", &target.namespace)
        });
        let mut rows: Vec<EventRow> = about.map(|it| event_row(it, event_nanos(it))).collect();
        rows.sort_by_key(|it| it.revision);
        rows
    }

    /// By node, the taint that keeps a pod away, in words.
    pub fn untolerated(&self, pod: &Pod) -> BTreeMap<String, String> {
        let Some(pod) = self.pods.get(pod.uid.as_str()) else { return BTreeMap::new() };
        let nodes = self.nodes.iter();
        nodes.filter_map(|(name, it)| Some((name.to_string(), why::untolerated(&pod.object, &it.object)?))).collect()
    }

    /// How far a workload is.
    pub fn words_of(&self, target: &Ref, now_secs: i64) -> Option<Words> {
        let object = &self.workloads.values().find(|it| self.ref_of(&it.object) == *target)?.object;
        let next = if object.kind == CRON_JOB { runs::next_label(object, now_secs) } else { String::new() };
        Some(words::of_workload(object, &next))
    }

    /// Every node as it is shown, in order.
    pub fn nodes(&self) -> Vec<crate::model::Node> {
        let mut nodes: Vec<crate::model::Node> = self.nodes.iter().map(|(name, it)| self.node(name, it)).collect();
        nodes.sort_by_key(|it| it.order);
        nodes
    }

    /// The pods of a workload, or the one pod itself, each with what it asks for: thousandths of a CPU and bytes.
    pub fn pods_of(&self, target: &Ref) -> Vec<(Pod, [i64; 2])> {
        let is_wanted = |it: &Object| match target.kind.as_str() {
            "Pod" => it.name() == target.name && it.namespace() == target.namespace,
            _ => self.owners(it).any(|owner| self.ref_of(&owner.object) == *target),
        };
        let found = self.pods.iter().filter(|(_, it)| is_wanted(&it.object));
        found.filter_map(|(uid, it)| Some((self.pod(uid)?, [it.requests.cpu, it.requests.memory]))).collect()
    }
}

/// Takes so many out.
fn first(all: &mut BTreeSet<Str>, n_max: usize) -> BTreeSet<Str> {
    let rest = all.iter().nth(n_max).cloned().map(|it| all.split_off(&it)).unwrap_or_default();
    std::mem::replace(all, rest)
}

/// Keeps the newest rows; answers how many went.
fn cap<T>(rows: &mut Vec<T>) -> u32 {
    let excess = rows.len().saturating_sub(ROWS_MAX);
    rows.drain(..excess);
    u32::try_from(excess).unwrap_or(u32::MAX)
}

/// In the order that decides about places and hues: by age, and of one age by name, 2 before 10.
/// They nearly are already, so each is put among those before it, which takes less code than sorting.
fn as_they_came(objects: &mut [&Arc<Object>]) {
    for end in 1..objects.len() {
        let it = objects[end];
        let at = objects[..end].partition_point(|other| came_before(other, it));
        objects.copy_within(at..end, at + 1);
        objects[at] = it;
    }
}

fn came_before(a: &Object, b: &Object) -> bool {
    (a.meta.created, numbered(a.name())) <= (b.meta.created, numbered(b.name()))
}

/// A name in parts by which it is sorted: `rack-`, 10.
fn numbered(name: &str) -> (&str, u64) {
    let stem = name.trim_end_matches(|it: char| it.is_ascii_digit());
    (stem, name[stem.len()..].parse().unwrap_or(0))
}

/// The hash's best bits are its highest (FNV-1a).
fn hue_of(name: &str) -> u8 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    ((hash ^ (hash >> 15)).wrapping_mul(0x9e37_79b1) >> (32 - HUES.trailing_zeros())) as u8
}

/// When an Event was last written, in nanoseconds.
fn event_nanos(event: &Object) -> u64 {
    let written = event.str_at("lastTimestamp").or(event.str_at("eventTime")).and_then(value::time::parse_nanos);
    let created = || event.meta.created.and_then(|it| u64::try_from(it).ok()?.checked_mul(1_000_000_000));
    written.or_else(created).unwrap_or(0)
}

fn event_row(event: &Object, now: u64) -> EventRow {
    let text = |path: &'static str| event.str_at(path).unwrap_or_default().to_owned();
    let object = Ref {
        kind: text("involvedObject.kind"),
        namespace: text("involvedObject.namespace"),
        name: text("involvedObject.name"),
    };
    let source = text("source.component");
    EventRow {
        uid: event.meta.uid.to_string(),
        revision: event.meta.revision.0,
        at: now,
        is_warning: event.str_at("type") == Some("Warning"),
        reason: text("reason"),
        object,
        source: if source.is_empty() { text("reportingComponent") } else { source },
        message: text("message"),
        count: event.i64_at("count").and_then(|it| u32::try_from(it).ok()).unwrap_or(1),
    }
}

#[cfg(test)]
mod tests;
