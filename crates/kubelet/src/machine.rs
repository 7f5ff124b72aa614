//! Machines and the Nodes that their kubelets register.

use meta::{Metadata, Object};
use sim::Instant;
use value::{Map, Str, Value, map, time, value};

use kinds::{NODE, declared_features};

use crate::kubelets::Mode;

/// What every machine has unless its manifest says otherwise.
const CAPACITY: [(&str, &str); 4] = [("cpu", "4"), ("ephemeral-storage", "100Gi"), ("memory", "8Gi"), ("pods", "110")];

/// Addresses of the `n`-th machine: its own and the first of its pods' network, as dotted texts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Network {
    pub host_ip: Str,
    /// The same as pods on it show it in a list.
    pub host_ips: Value,
    pub pod_cidr: Str,
}

impl Network {
    /// Addresses that a machine has for pods.
    pub const PODS: u32 = 250;

    /// The number of the machine that has registered a node, by the network of its pods.
    pub fn number_of(node: &Object) -> Option<u32> {
        let mut parts = node.str_at("spec.podCIDR")?.split('.').skip(1);
        let (high, low): (u8, u8) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        high.checked_sub(128).map(|it| u32::from(it) * 256 + u32::from(low))
    }

    pub fn of(number: u32) -> Network {
        let host = number + 2;
        let host_ip = Str::from(format!("10.0.{}.{}", host / 250 % 256, host % 250 + 1));
        Network {
            host_ips: value!([{ "ip": &host_ip }]),
            host_ip,
            pod_cidr: format!("10.{}.{}.0/24", 128 + number / 256 % 128, number % 256).into(),
        }
    }

    /// Addresses of a node that has no machine, by its name.
    pub fn elsewhere(name: &str) -> Network {
        let hash = name.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        Network::of(20_000 + hash % 10_000)
    }

    /// The `n`-th address for pods.
    pub fn pod_ip(&self, n: u32) -> Str {
        [self.pod_prefix(), &(n % Network::PODS + 2).to_string()].concat().into()
    }

    /// Which address for pods this is.
    pub fn number_of_pod(&self, ip: &str) -> Option<u32> {
        ip.strip_prefix(self.pod_prefix())?.parse::<u32>().ok()?.checked_sub(2)
    }

    /// What all addresses of its pods begin with.
    fn pod_prefix(&self) -> &str {
        self.pod_cidr.strip_suffix("0/24").unwrap_or_default()
    }
}

/// A machine's capacity with the defaults for what it leaves out.
pub(crate) fn capacity(machine: &Object) -> Map {
    let mut capacity: Map = CAPACITY.iter().map(|(name, amount)| (Str::from(*name), Value::from(*amount))).collect();
    for (name, amount) in machine.map_at("spec.capacity").into_iter().flat_map(Map::iter) {
        capacity.insert(name, amount);
    }
    capacity
}

/// Labels that a kubelet sets, with those of the machine.
pub(crate) fn labels(machine: &Object) -> Map {
    let mut labels = map!({
        "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": &machine.meta.name, "kubernetes.io/os": "linux",
    });
    for (key, value) in machine.map_at("spec.labels").into_iter().flat_map(Map::iter) {
        labels.insert(key, value);
    }
    labels
}

/// The Node that a machine's kubelet registers.
pub(crate) fn node(machine: &Object, network: &Network, ready: bool, mode: Mode, now: Instant) -> Object {
    let mut spec = map!({ "podCIDR": &network.pod_cidr, "podCIDRs": [&network.pod_cidr] });
    let taints = machine.list_at("spec.taints");
    if !taints.is_empty() {
        spec.insert("taints", taints.to_vec());
    }
    let meta = Metadata { labels: labels(machine), ..Metadata::cluster(&machine.meta.name) };
    Object { kind: NODE, meta, body: map!({ "spec": spec, "status": status(machine, network, &[], ready, mode, now) }) }
}

/// The status of a node whose kubelet runs; times of conditions that did not change stay.
pub(crate) fn status(
    machine: &Object,
    network: &Network,
    before: &[Value],
    ready: bool,
    mode: Mode,
    now: Instant,
) -> Value {
    let capacity = capacity(machine);
    let status = value!({
        "addresses": [{ "address": &network.host_ip, "type": "InternalIP" }, { "address": &machine.meta.name, "type": "Hostname" }],
        "allocatable": &capacity,
        "capacity": &capacity,
        "conditions": conditions(machine, before, ready, now),
        "daemonEndpoints": { "kubeletEndpoint": { "Port": 10250 } },
        "nodeInfo": {
            "architecture": "amd64", "bootID": "", "containerRuntimeVersion": "drydock://0.0.0", "kernelVersion": "simulated", "kubeProxyVersion": "",
            "kubeletVersion": "v1.36.2", "machineID": "", "operatingSystem": "linux", "osImage": "Drydock (simulated)", "systemUUID": "",
        },
    });
    match mode {
        Mode::Real => status.with("declaredFeatures", Vec::from(declared_features::ALL.map(Value::from))),
        Mode::Fast => status,
    }
}

/// What a kubelet says while it starts.
const NOT_READY: &str = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized";

fn conditions(machine: &Object, before: &[Value], ready: bool, now: Instant) -> Vec<Value> {
    let pressure = |path: &'static str| machine.bool_at(path) == Some(true);
    let rows = [
        (
            "MemoryPressure",
            pressure("spec.pressure.memory"),
            ["KubeletHasInsufficientMemory", "KubeletHasSufficientMemory"],
            ["kubelet has insufficient memory available", "kubelet has sufficient memory available"],
        ),
        (
            "DiskPressure",
            pressure("spec.pressure.disk"),
            ["KubeletHasDiskPressure", "KubeletHasNoDiskPressure"],
            ["kubelet has disk pressure", "kubelet has no disk pressure"],
        ),
        (
            "PIDPressure",
            pressure("spec.pressure.pid"),
            ["KubeletHasInsufficientPID", "KubeletHasSufficientPID"],
            ["kubelet has insufficient PID available", "kubelet has sufficient PID available"],
        ),
        ("Ready", ready, ["KubeletReady", "KubeletNotReady"], ["kubelet is posting ready status", NOT_READY]),
    ];
    rows.iter()
        .map(|(kind, is_true, reasons, messages)| {
            let status = if *is_true { "True" } else { "False" };
            let which = usize::from(!*is_true);
            let old = before.iter().find(|it| it.str_at("type") == Some(kind)).filter(|it| it.str_at("status") == Some(status));
            let stamp = Value::from(time::format_secs(now.secs()));
            let since = old.and_then(|it| it.get("lastTransitionTime").cloned()).unwrap_or_else(|| stamp.clone());
            let beat = old.and_then(|it| it.get("lastHeartbeatTime").cloned()).unwrap_or(stamp);
            value!({
                "lastHeartbeatTime": beat, "lastTransitionTime": since, "message": messages[which], "reason": reasons[which], "status": status, "type": *kind,
            })
        })
        .collect()
}
