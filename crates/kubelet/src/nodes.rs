//! What a kubelet does for its node: registers it, reports its state, renews its lease, runs static pods.

use std::collections::BTreeSet;
use std::sync::Arc;

use kinds::{LEASE, MACHINE, NODE, POD};
use meta::{Key, Metadata, Object, OwnerRef, Status};
use runtime::{Cx, EventSource};
use sim::{Duration, Instant};
use value::{Map, Str, Value, map};

use crate::kubelets::{Kubelets, Mode, NAME, is_live, is_on};
use crate::machine::{self, Network};

/// The namespace of node leases.
pub const LEASES: &str = "kube-node-lease";
/// How often a lease is renewed; what readers see is computed from it.
pub(crate) const RENEWAL: Duration = Duration::from_secs(10);
/// From the start of a kubelet until it is ready.
const START: Duration = Duration::from_secs(3);
const START_FAST: Duration = Duration::from_millis(100);
/// Marks pods that stand for static pods.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// Whether a pod stands for one that its kubelet runs by itself.
pub(crate) fn is_mirror(pod: &Object) -> bool {
    pod.meta.annotations.contains_key(MIRROR)
}

/// Whether the holder of a node's lease is alive: then its renewals are computed and not stored.
pub fn is_live_lease(lease: &Object) -> bool {
    lease.namespace() == LEASES && lease.at("spec.holderIdentity").is_some() && lease.at("spec.renewTime").is_none()
}

/// The last renewal of a live lease at `now`.
pub fn renewed(now: Instant) -> Instant {
    let every = RENEWAL.as_nanos() as u64;
    Instant::from_nanos(now.nanos() / every * every)
}

/// The address of a pod: the machine's, the one it has, or a free one of the machine's network.
pub(crate) fn pod_ip(cx: &Cx<'_>, network: &Network, pod: &Object) -> Str {
    if pod.bool_at("spec.hostNetwork") == Some(true) {
        return network.host_ip.clone();
    }
    if let Some(ip) = pod.at("status.podIP").and_then(Value::as_shared_str) {
        return ip.clone();
    }
    let node = pod.str_at("spec.nodeName").unwrap_or("");
    let mut used = [false; Network::PODS as usize];
    for pod in cx.view().pods_on(node) {
        let number = pod.str_at("status.podIP").and_then(|it| network.number_of_pod(it));
        if let Some(it) = number.and_then(|it| used.get_mut(it as usize)) {
            *it = true;
        }
    }
    let free = used.iter().position(|it| !it).and_then(|it| u32::try_from(it).ok());
    free.map_or_else(Str::default, |it| network.pod_ip(it))
}

impl Kubelets {
    pub(crate) fn work_machine(&mut self, cx: &mut Cx<'_>, name: &Str) -> Result<(), Status> {
        let node = cx.get(NODE, &Key::cluster(name));
        let Some(machine) = self.machines.get(name) else {
            // Its cloud would say that it has gone.
            lease_stops(cx, name)?;
            return if node.is_some() && cx.get(MACHINE, &Key::cluster(name)).is_none() {
                cx.delete(NODE, &Key::cluster(name))
            } else {
                Ok(())
            };
        };
        let (object, network) = (machine.object.clone(), machine.network.clone());
        let was = object.str_at("status.phase").unwrap_or("").to_owned();
        if !is_live(&object) {
            lease_stops(cx, name)?;
            if !is_on(&object) {
                self.forget_pods_of(name);
            }
            return report(cx, &object, if is_on(&object) { "Partitioned" } else { "Off" });
        }
        let ready = self.is_ready(name, &was, cx.now());
        let node = match node {
            // Somebody deleted the node; a kubelet registers only when it starts.
            None if was == "Running" => return Ok(()),
            None => register(cx, &object, &network, ready, self.mode)?,
            Some(node) => update(cx, &object, &network, &node, ready, self.mode)?,
        };
        if matches!(&*was, "Off" | "Starting") {
            self.rebooting.insert(name.clone());
        }
        lease_lives(cx, &node)?;
        if !ready {
            return report(cx, &object, "Starting");
        }
        report(cx, &object, "Running")?;
        static_pods(cx, &object, &node)?;
        if was != "Running" {
            self.look_at_pods(cx, name);
        }
        if self.mode == Mode::Real { self.evict(cx, name) } else { Ok(()) }
    }

    /// Whether the kubelet of a machine is ready; one that starts needs a moment.
    fn is_ready(&mut self, name: &Str, was: &str, now: Instant) -> bool {
        let Some(machine) = self.machines.get_mut(name) else { return true };
        let from_the_beginning = was.is_empty() && machine.object.meta.created == Some(self.began.secs());
        if matches!(was, "Running" | "Partitioned") || from_the_beginning {
            return true;
        }
        let at = *machine.ready_at.get_or_insert(now + if self.mode == Mode::Fast { START_FAST } else { START });
        if at > now {
            self.machine_timers.set(at, name.clone());
            return false;
        }
        machine.ready_at = None;
        true
    }

    /// Pods that were bound while the machine was away, or that it has to start again.
    fn look_at_pods(&mut self, cx: &Cx<'_>, node: &str) {
        for pod in cx.on_node(node) {
            match self.mode {
                Mode::Fast => {
                    self.pod_of_fast(&pod, cx.now());
                }
                Mode::Real => {
                    self.dirty.add(pod.key());
                }
            }
        }
    }
}

fn register(
    cx: &mut Cx<'_>,
    machine: &Object,
    network: &Network,
    ready: bool,
    mode: Mode,
) -> Result<Arc<Object>, Status> {
    let node = cx.create(machine::node(machine, network, ready, mode, cx.now()))?;
    let source = EventSource { component: NAME, host: &machine.meta.name };
    cx.event_from(source, &node, "Normal", "Starting", "Starting kubelet.", "");
    Ok(node)
}

/// Reports a node's state, and brings labels to what the machine says.
fn update(
    cx: &mut Cx<'_>,
    machine: &Object,
    network: &Network,
    node: &Arc<Object>,
    ready: bool,
    mode: Mode,
) -> Result<Arc<Object>, Status> {
    let mut node = node.clone();
    let wanted = machine::labels(machine);
    if wanted.iter().any(|(key, value)| node.meta.labels.get(key) != Some(value)) {
        let mut update = Object::clone(&node);
        for (key, value) in wanted.iter() {
            update.meta.labels.insert(key, value);
        }
        node = cx.update(update)?;
    }
    let status = machine::status(machine, network, node.list_at("status.conditions"), ready, mode, cx.now());
    let mut merged = node.map_at("status").cloned().unwrap_or_default();
    for (key, value) in status.as_map().into_iter().flat_map(Map::iter) {
        merged.insert(key, value);
    }
    cx.update_status(&node, Value::Map(merged))
}

/// The lease of a node whose kubelet lives: made once, its renewals computed when read.
fn lease_lives(cx: &mut Cx<'_>, node: &Object) -> Result<(), Status> {
    let key = Key::new(LEASES, &node.meta.name);
    let spec = map!({ "holderIdentity": &node.meta.name, "leaseDurationSeconds": 40 });
    if let Some(lease) = cx.get(LEASE, &key) {
        if is_live_lease(&lease) {
            return Ok(());
        }
        let mut update = Object::clone(&lease);
        update.body.insert("spec", spec);
        return cx.update(update).map(|_| ());
    }
    let owner = node_ref(node, None);
    let meta = Metadata::new(key.namespace, key.name).owned_by(owner);
    cx.create(Object { kind: LEASE, meta, body: map!({ "spec": spec }) }).map(|_| ())
}

fn node_ref(node: &Object, controller: Option<bool>) -> OwnerRef {
    OwnerRef {
        api_version: "v1".into(),
        kind: "Node".into(),
        name: node.meta.name.clone(),
        uid: node.meta.uid.clone(),
        controller,
        block_deletion: None,
    }
}

/// A kubelet falls silent: its lease shows the last renewal from now on.
fn lease_stops(cx: &mut Cx<'_>, name: &Str) -> Result<(), Status> {
    let Some(lease) = cx.get(LEASE, &Key::new(LEASES, name)) else { return Ok(()) };
    if !is_live_lease(&lease) {
        return Ok(());
    }
    let mut update = Object::clone(&lease);
    update.set("spec.renewTime", value::time::format_micros(renewed(cx.now()).nanos()));
    cx.update(update).map(|_| ())
}

/// Says in a Machine's status what it does.
fn report(cx: &mut Cx<'_>, machine: &Object, phase: &str) -> Result<(), Status> {
    let status = map!({ "nodeName": &machine.meta.name, "phase": phase });
    cx.update_status(machine, Value::Map(status)).map(|_| ())
}

/// Keeps a mirror of each static pod: what the machine's manifests say, whatever the API wants.
fn static_pods(cx: &mut Cx<'_>, machine: &Object, node: &Object) -> Result<(), Status> {
    let name = &machine.meta.name;
    let mut wanted: BTreeSet<Key> = BTreeSet::new();
    for manifest in machine.list_at("spec.staticPods") {
        let pod = mirror(manifest, node);
        wanted.insert(pod.key());
        let same = |it: &Arc<Object>| it.meta.annotation(MIRROR) == pod.meta.annotation(MIRROR);
        match cx.get(POD, &pod.key()) {
            Some(live) if same(&live) => (),
            Some(live) => cx.delete_now(POD, &live.key())?,
            None => {
                cx.create(pod)?;
            }
        }
    }
    for pod in cx.on_node(name) {
        if is_mirror(&pod) && !wanted.contains(&pod.key()) {
            cx.delete_now(POD, &pod.key())?;
        }
    }
    Ok(())
}

/// The pod that stands for a static one (`CreateMirrorPod`, `applyDefaults`).
fn mirror(manifest: &Value, node: &Object) -> Object {
    let empty = Map::new();
    let mut pod = Object::from_map(POD, manifest.as_map().unwrap_or(&empty));
    pod.body = pod.body.filtered(|key, _| key == "spec");
    pod.meta.name = format!("{}-{}", pod.meta.name, node.meta.name).into();
    if pod.meta.namespace.is_empty() {
        pod.meta.namespace = "default".into();
    }
    let hash = crate::status::digest(&value::json::to_string(manifest)).get(..32).unwrap_or("").to_owned();
    for (key, value) in [("config.hash", hash.as_str()), ("config.mirror", &hash), ("config.source", "file")] {
        pod.meta.annotations.insert(format!("kubernetes.io/{key}"), value);
    }
    pod.meta.owners = Arc::from([node_ref(node, Some(true))]) as Arc<[OwnerRef]>;
    pod.set("spec.nodeName", &node.meta.name);
    let mut tolerations = pod.list_at("spec.tolerations").to_vec();
    tolerations.push(value::value!({ "effect": "NoExecute", "operator": "Exists" }));
    pod.set("spec.tolerations", tolerations);
    pod
}
