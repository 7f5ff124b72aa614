//! Nodes and the pods on them, parsed once and summed up as they come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meta::selector::LabelSelector;
use meta::{Key, KindId, Object};
use runtime::placement::{self, NodeAffinity, Taint, Term, Toleration};
use runtime::volumes;
use value::{Map, Str, Value, time};

use crate::preemption::Budget;
use crate::resources::{Resources, non_zero_requests, pod_requests};
use crate::terms::{PodTerms, Spread};
use crate::volumes::PodVolumes;

/// A port that a pod takes of its node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct HostPort {
    /// `0.0.0.0` is every address.
    pub ip: Str,
    pub protocol: Str,
    pub port: i64,
}

impl HostPort {
    pub fn conflicts(&self, other: &HostPort) -> bool {
        let any = |it: &HostPort| it.ip == "0.0.0.0";
        self.port == other.port && self.protocol == other.protocol && (any(self) || any(other) || self.ip == other.ip)
    }
}

/// A pod as the scheduler sees it.
#[derive(Clone, Debug)]
pub(crate) struct PodInfo {
    pub pod: Arc<Object>,
    pub key: Key,
    pub priority: i64,
    pub requests: Resources,
    /// CPU and memory with defaults for containers that ask for nothing.
    pub non_zero: (i64, i64),
    pub tolerations: Arc<[Toleration]>,
    pub affinity: NodeAffinity,
    /// Preferred node affinity: weight and term.
    pub preferred: Vec<(i64, Term)>,
    pub ports: Vec<HostPort>,
    /// What it says about other pods.
    pub terms: Option<Box<PodTerms>>,
    /// Names of its claims.
    pub claims: Vec<Str>,
}

impl PodInfo {
    pub fn of(pod: &Arc<Object>) -> PodInfo {
        let empty = Value::map();
        let spec = pod.at("spec").unwrap_or(&empty);
        let preferred = "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution";
        PodInfo {
            pod: pod.clone(),
            key: pod.key(),
            priority: spec.i64_at("priority").unwrap_or(0),
            requests: pod_requests(spec),
            non_zero: non_zero_requests(spec),
            tolerations: placement::tolerations(spec).into(),
            affinity: NodeAffinity::from_spec(spec),
            preferred: spec
                .list_at(preferred)
                .iter()
                .filter_map(|it| Some((it.i64_at("weight")?, Term::from_value(it.get("preference")?))))
                .collect(),
            ports: host_ports(spec),
            terms: PodTerms::of(pod),
            claims: spec.list_at("volumes").iter().filter_map(|it| volumes::claim_name(pod, it)).collect(),
        }
    }

    /// The images of its containers.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        self.pod.list_at("spec.containers").iter().filter_map(|it| it.str_at("image"))
    }

    /// The one node that a daemon pod is for.
    pub fn only_node(&self) -> Option<&Str> {
        self.affinity.single_node()
    }

    /// When it was created or began to run, seconds since the Unix epoch.
    pub fn started(&self) -> i64 {
        self.pod.str_at("status.startTime").and_then(time::parse_secs).or(self.pod.meta.created).unwrap_or(0)
    }
}

fn host_ports(spec: &Value) -> Vec<HostPort> {
    let sidecars = spec.list_at("initContainers").iter().filter(|it| it.str_at("restartPolicy") == Some("Always"));
    let ports = sidecars.chain(spec.list_at("containers")).flat_map(|it| it.list_at("ports"));
    let text = |it: &Value, key: &str, default: &str| match it.get(key).and_then(Value::as_shared_str) {
        Some(text) if !text.is_empty() => text.clone(),
        _ => Str::from(default),
    };
    ports
        .filter_map(|it| {
            let port = it.i64_at("hostPort").filter(|port| *port > 0)?;
            Some(HostPort { ip: text(it, "hostIP", "0.0.0.0"), protocol: text(it, "protocol", "TCP"), port })
        })
        .collect()
}

/// A node and what is on it.
#[derive(Clone, Debug)]
pub(crate) struct NodeInfo {
    pub node: Arc<Object>,
    pub taints: Vec<Taint>,
    pub unschedulable: bool,
    pub allocatable: Resources,
    pub pods_max: i64,
    /// Sums over `pods`.
    pub requested: Resources,
    pub non_zero: (i64, i64),
    pub pods: BTreeMap<Key, Arc<PodInfo>>,
}

impl NodeInfo {
    pub fn of(node: &Arc<Object>) -> NodeInfo {
        let mut info = NodeInfo {
            node: node.clone(),
            taints: Vec::new(),
            unschedulable: false,
            allocatable: Resources::default(),
            pods_max: 0,
            requested: Resources::default(),
            non_zero: (0, 0),
            pods: BTreeMap::new(),
        };
        info.set_node(node);
        info
    }

    /// Takes a new state of the node in; the pods stay.
    pub fn set_node(&mut self, node: &Arc<Object>) {
        self.node = node.clone();
        self.taints = placement::taints(node);
        self.unschedulable = node.bool_at("spec.unschedulable") == Some(true);
        let allocatable = node.map_at("status.allocatable").cloned().unwrap_or_default();
        self.pods_max = allocatable.get("pods").and_then(crate::resources::quantity).map_or(0, |it| it.value());
        self.allocatable = Resources::from_map(&allocatable);
    }

    pub fn name(&self) -> &Str {
        &self.node.meta.name
    }

    pub fn add(&mut self, pod: Arc<PodInfo>) {
        self.requested.add(&pod.requests);
        self.non_zero = (self.non_zero.0 + pod.non_zero.0, self.non_zero.1 + pod.non_zero.1);
        if let Some(before) = self.pods.insert(pod.key.clone(), pod) {
            self.forget(&before);
        }
    }

    pub fn remove(&mut self, key: &Key) -> bool {
        let Some(pod) = self.pods.remove(key) else { return false };
        self.forget(&pod);
        true
    }

    fn forget(&mut self, pod: &PodInfo) {
        self.requested.subtract(&pod.requests);
        self.non_zero = (self.non_zero.0 - pod.non_zero.0, self.non_zero.1 - pod.non_zero.1);
    }
}

/// All nodes, and where every bound pod is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cache {
    /// Of the pod that is being scheduled, if it has claims.
    pub volumes: Option<Box<PodVolumes>>,
    pub nodes: BTreeMap<Str, NodeInfo>,
    /// Bound pods, live and not finished, to their node (which may not be there).
    placed: BTreeMap<Key, Str>,
    /// Pods on nodes that are not there (yet).
    homeless: BTreeMap<Key, Arc<PodInfo>>,
    /// Bound pods that say something about others.
    with_terms: BTreeSet<Key>,
    /// Pods that wait for victims to leave a node, with that node.
    pub nominated: BTreeMap<Key, (Str, Arc<PodInfo>)>,
    /// Disruption budgets, while a preemption is being thought about.
    pub budgets: Vec<Budget>,
    /// Labels of namespaces.
    pub namespaces: BTreeMap<Str, Map>,
    /// Selectors of the controllers and Services whose pods are spread even if they do not ask for it.
    pub selectors: BTreeMap<(KindId, Key), LabelSelector>,
}

impl Cache {
    pub fn set_node(&mut self, node: &Arc<Object>) {
        if let Some(info) = self.nodes.get_mut(&node.meta.name) {
            info.set_node(node);
            return;
        }
        let mut info = NodeInfo::of(node);
        let arrived: Vec<Key> =
            self.homeless.keys().filter(|it| self.placed.get(it) == Some(&node.meta.name)).cloned().collect();
        for key in arrived {
            if let Some(pod) = self.homeless.remove(&key) {
                info.add(pod);
            }
        }
        self.nodes.insert(node.meta.name.clone(), info);
    }

    pub fn remove_node(&mut self, name: &Str) {
        if let Some(info) = self.nodes.remove(name) {
            self.homeless.extend(info.pods);
        }
    }

    /// A pod is on a node, whether the API says so already or only we do (`assume`).
    pub fn place(&mut self, pod: Arc<PodInfo>, node: &Str) {
        if self.placed.get(&pod.key).is_some_and(|it| it != node) {
            self.unplace(&pod.key);
        }
        self.placed.insert(pod.key.clone(), node.clone());
        if pod.terms.is_some() {
            self.with_terms.insert(pod.key.clone());
        }
        match self.nodes.get_mut(node) {
            Some(info) => info.add(pod),
            None => {
                self.homeless.insert(pod.key.clone(), pod);
            }
        }
    }

    /// A pod is on no node any more; answers which one it was on.
    pub fn unplace(&mut self, key: &Key) -> Option<Str> {
        let node = self.placed.remove(key)?;
        self.homeless.remove(key);
        self.with_terms.remove(key);
        if let Some(info) = self.nodes.get_mut(&node) {
            info.remove(key);
        }
        Some(node)
    }

    /// Bound pods that say something about others, with their nodes.
    pub fn pods_with_terms(&self) -> impl Iterator<Item = (&Key, &Str)> {
        self.with_terms.iter().filter_map(|it| Some((it, self.placed.get(it)?)))
    }

    pub fn namespace_labels(&self, name: &str) -> Option<Map> {
        self.namespaces.get(name).cloned()
    }

    /// Constraints for a pod that has none of its own but belongs to something (`buildDefaultConstraints`).
    pub fn default_spreads(&self, pod: &Object) -> Vec<Spread> {
        let mut requirements = Vec::new();
        for ((_, key), selector) in &self.selectors {
            if key.namespace == pod.meta.namespace && !selector.is_everything() && selector.matches(&pod.meta.labels) {
                requirements.extend(selector.requirements.iter().cloned());
            }
        }
        if requirements.is_empty() {
            return Vec::new();
        }
        let selector = LabelSelector { requirements, nothing: false };
        [("topology.kubernetes.io/zone", 3), ("kubernetes.io/hostname", 5)]
            .map(|(key, max_skew)| Spread {
                max_skew,
                topology_key: key.into(),
                selector: selector.clone(),
                min_domains: 1,
                honors_affinity: true,
                honors_taints: false,
            })
            .to_vec()
    }
}
