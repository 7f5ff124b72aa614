//! Nodes and the pods on them, parsed once and summed up as they come and go.

mod pods;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meta::selector::LabelSelector;
use meta::{Key, KeyMap, KindId, Object, OrderedMap};
use runtime::placement::{self, Taint};
use runtime::resources::{self, Resources};
use value::{Map, Str, Value};

use crate::preemption::Budget;
use crate::terms::{Spread, spreads};
use crate::volumes::PodVolumes;

pub(crate) use self::pods::{PodInfo, Pods, Templates};

/// Selectors for which pods are counted; beyond it the least recently used one is counted anew when it is needed.
const ALIKE_MAX: usize = 128;

pub(crate) const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// A node and what is on it.
#[derive(Clone, Debug)]
pub(crate) struct NodeInfo {
    pub node: Arc<Object>,
    pub taints: Vec<Taint>,
    pub unschedulable: bool,
    pub allocatable: Resources,
    pub pods_max: i64,
    /// Sizes in bytes of the images that are there, in the order of names.
    pub images: Vec<(Str, i64)>,
    /// Its labels of the two domains over which pods are spread by default.
    pub hostname: Option<Str>,
    pub zone: Option<Str>,
    /// How many of `pods` each selector means for which pods are counted, in the order of ids.
    alike: Vec<(AlikeId, i64)>,
    /// Sums over `pods`.
    pub requested: Resources,
    pub non_zero: (i64, i64),
    pub pods: Pods,
    /// What plugins that look at sums only said last, until anything changes.
    scores: [Cell<Option<Scored>>; 2],
}

/// What a pod asked for, and the score.
type Scored = ((i64, i64), i64);

/// A plugin that looks at sums only.
#[derive(Clone, Copy)]
pub(crate) enum BySums {
    Balanced,
    Least,
}

impl NodeInfo {
    pub fn of(node: &Arc<Object>) -> NodeInfo {
        let mut info = NodeInfo {
            node: node.clone(),
            taints: Vec::new(),
            unschedulable: false,
            allocatable: Resources::default(),
            pods_max: 0,
            images: Vec::new(),
            hostname: None,
            zone: None,
            alike: Vec::new(),
            requested: Resources::default(),
            non_zero: (0, 0),
            pods: Pods::default(),
            scores: Default::default(),
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
        self.pods_max = allocatable.get("pods").and_then(resources::quantity).map_or(0, |it| it.value());
        self.allocatable = Resources::from_map(&allocatable);
        self.images = images(node);
        self.scores = Default::default();
        let label = |key: &str| node.meta.labels.get(key).and_then(Value::as_shared_str).cloned();
        (self.hostname, self.zone) = (label(HOSTNAME), label(ZONE));
    }

    /// The value of a label that names a domain.
    pub fn domain(&self, key: &Str) -> Option<&Str> {
        match key.as_str() {
            HOSTNAME => self.hostname.as_ref(),
            ZONE => self.zone.as_ref(),
            key => self.node.meta.labels.get(key).and_then(Value::as_shared_str),
        }
    }

    pub fn name(&self) -> &Str {
        &self.node.meta.name
    }

    /// How many of its pods a selector means.
    pub fn n_alike(&self, id: AlikeId) -> i64 {
        self.alike.binary_search_by_key(&id, |(it, _)| *it).map_or(0, |idx| self.alike[idx].1)
    }

    /// A score that follows from what a pod asks for and from the sums: the same for the next pod that asks alike.
    pub fn score(&self, plugin: BySums, asked: (i64, i64), find: impl FnOnce() -> i64) -> i64 {
        let known = &self.scores[plugin as usize];
        if let Some((_, score)) = known.get().filter(|it| it.0 == asked) {
            return score;
        }
        let score = find();
        known.set(Some((asked, score)));
        score
    }

    /// Answers what was known of the pod before, if it is there already.
    pub fn add(&mut self, pod: Arc<PodInfo>) -> Option<Arc<PodInfo>> {
        self.scores = Default::default();
        self.requested.add(&pod.needs.requests);
        let ((cpu, memory), (more_cpu, more_memory)) = (self.non_zero, pod.needs.non_zero);
        self.non_zero = (cpu.wrapping_add(more_cpu), memory.wrapping_add(more_memory));
        let before = self.pods.insert(pod);
        before.iter().for_each(|it| self.forget(it));
        before
    }

    pub fn remove(&mut self, key: &Key) -> Option<Arc<PodInfo>> {
        let pod = self.pods.remove(key)?;
        self.forget(&pod);
        Some(pod)
    }

    fn forget(&mut self, pod: &PodInfo) {
        self.scores = Default::default();
        self.requested.subtract(&pod.needs.requests);
        let ((cpu, memory), (less_cpu, less_memory)) = (self.non_zero, pod.needs.non_zero);
        self.non_zero = (cpu.wrapping_sub(less_cpu), memory.wrapping_sub(less_memory));
    }
}

/// The images of a node and their sizes.
fn images(node: &Object) -> Vec<(Str, i64)> {
    let named = node.list_at("status.images").iter().flat_map(|it| {
        let size = it.i64_at("sizeBytes").unwrap_or(0);
        it.list_at("names").iter().filter_map(move |name| Some((name.as_shared_str()?.clone(), size)))
    });
    let mut images: Vec<(Str, i64)> = named.filter(|(_, size)| *size > 0).collect();
    images.sort();
    images.dedup_by(|a, b| a.0 == b.0);
    images
}

/// A selector for which pods are counted on every node, while they come and go.
#[derive(Clone, Debug)]
struct Alike {
    id: AlikeId,
    namespace: Str,
    selector: LabelSelector,
}

/// Names an [`Alike`] in the counts of nodes; never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct AlikeId(u64);

impl Alike {
    /// Pods that are being deleted do not count.
    fn means(&self, pod: &PodInfo) -> bool {
        let meta = &pod.pod.meta;
        meta.namespace == self.namespace && !meta.is_deleted() && self.selector.matches(&meta.labels)
    }
}

/// A pod comes to a node (1) or leaves it (-1).
fn count(all: &[Alike], pod: &PodInfo, node: &mut NodeInfo, by: i64) {
    for alike in all.iter().filter(|it| it.means(pod)) {
        match node.alike.binary_search_by_key(&alike.id, |(id, _)| *id) {
            Ok(idx) => node.alike[idx].1 += by,
            Err(idx) => node.alike.insert(idx, (alike.id, by)),
        }
    }
}

/// Whether every selector that means one state of a pod means the other.
fn is_counted_as(a: &Object, b: &Object) -> bool {
    a.meta.labels == b.meta.labels && a.meta.is_deleted() == b.meta.is_deleted()
}

/// The spread constraints of the pod that is being scheduled.
#[derive(Clone, Debug, Default)]
pub(crate) struct PodSpreads {
    /// They are the pod's own and not what holds for pods of any controller.
    pub own: bool,
    /// What must hold.
    pub hard: Vec<Spread>,
    /// What should.
    pub soft: Vec<Spread>,
}

/// All nodes, and where every bound pod is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cache {
    /// Of the pod that is being scheduled, if it has claims.
    pub volumes: Option<Box<PodVolumes>>,
    /// Of the pod that is being scheduled.
    pub spreads: PodSpreads,
    /// The least recently used first.
    alike: Vec<Alike>,
    n_alike: u64,
    /// On how many nodes each image is.
    pub image_nodes: BTreeMap<Str, i64>,
    pub nodes: OrderedMap<NodeInfo, Str>,
    /// Bound pods, live and not finished, to their node (which may not be there).
    placed: KeyMap<Str>,
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
    /// Selectors of the controllers and Services whose pods are spread even if they do not ask for it, by namespace, kind and name.
    selectors: BTreeMap<(Str, KindId, Str), LabelSelector>,
    /// What [`Cache::default_spreads`] last answered, while `selectors` stay.
    defaults: Option<Defaults>,
}

/// The default constraints of pods with these labels.
#[derive(Clone, Debug)]
struct Defaults {
    namespace: Str,
    labels: Map,
    spreads: Vec<Spread>,
}

fn count_images(counts: &mut BTreeMap<Str, i64>, node: &NodeInfo, by: i64) {
    for (image, _) in &node.images {
        let count = counts.entry(image.clone()).or_default();
        *count += by;
        if *count == 0 {
            counts.remove(image);
        }
    }
}

impl Cache {
    pub fn set_node(&mut self, node: &Arc<Object>) {
        let name = &node.meta.name;
        if let Some(info) = self.nodes.get_mut(name) {
            count_images(&mut self.image_nodes, info, -1);
            info.set_node(node);
            return count_images(&mut self.image_nodes, info, 1);
        }
        let mut info = NodeInfo::of(node);
        count_images(&mut self.image_nodes, &info, 1);
        let arrived: Vec<Key> = self.homeless.keys().filter(|it| self.placed.get(it) == Some(name)).cloned().collect();
        for key in arrived {
            if let Some(pod) = self.homeless.remove(&key) {
                count(&self.alike, &pod, &mut info, 1);
                info.add(pod);
            }
        }
        self.nodes.insert(name.clone(), info);
    }

    /// A node of which nothing changed that pods are scheduled by.
    pub fn renew_node(&mut self, node: &Arc<Object>) {
        let Some(info) = self.nodes.get_mut(&node.meta.name) else { return };
        let same_images = info.node.at("status.images") == node.at("status.images");
        info.node = node.clone();
        if !same_images {
            count_images(&mut self.image_nodes, info, -1);
            info.images = images(node);
            count_images(&mut self.image_nodes, info, 1);
        }
    }

    pub fn remove_node(&mut self, name: &Str) {
        if let Some(info) = self.nodes.remove(name) {
            count_images(&mut self.image_nodes, &info, -1);
            self.homeless.extend(info.pods.0.into_iter().map(|it| (it.key.clone(), it)));
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
            Some(info) => {
                let before = info.add(pod.clone());
                // Another state of a pod, such as the one that we bound, counts as the one before as a rule.
                if !before.as_ref().is_some_and(|it| is_counted_as(&it.pod, &pod.pod)) {
                    count(&self.alike, &pod, info, 1);
                    before.iter().for_each(|it| count(&self.alike, it, info, -1));
                }
            }
            None => {
                self.homeless.insert(pod.key.clone(), pod);
            }
        }
    }

    /// What is known of a pod that is on this node.
    pub fn on_node(&self, pod: &Key, node: &Str) -> Option<&Arc<PodInfo>> {
        self.nodes.get(node)?.pods.get(pod)
    }

    /// A pod on a node of which nothing changed that counts here. Older states of it need not be kept for us.
    pub fn renew_pod(&mut self, pod: &Arc<Object>, key: &Key, node: &Str) {
        let Some(pods) = self.nodes.get_mut(node).map(|it| &mut it.pods) else { return };
        if let Ok(idx) = pods.place(key) {
            Arc::make_mut(&mut pods.0[idx]).pod = pod.clone();
        }
    }

    /// A pod is on no node any more; answers which one it was on.
    pub fn unplace(&mut self, key: &Key) -> Option<Str> {
        let node = self.placed.remove(key)?;
        self.homeless.remove(key);
        self.with_terms.remove(key);
        if let Some(info) = self.nodes.get_mut(&node)
            && let Some(before) = info.remove(key)
        {
            count(&self.alike, &before, info, -1);
        }
        Some(node)
    }

    /// Gets ready for a pod: its constraints, and the numbers of pods that they look at.
    pub fn prepare(&mut self, pod: &PodInfo) {
        let own = pod.pod.at("spec.topologySpreadConstraints").is_some();
        // Where there is one node at most to choose from, nothing is scored.
        let is_scored = pod.only_node().is_none();
        self.spreads = match own {
            _ if !own && !is_scored => PodSpreads::default(),
            true => PodSpreads { own, hard: spreads(&pod.pod, true), soft: spreads(&pod.pod, false) },
            false => PodSpreads { own, hard: Vec::new(), soft: self.default_spreads(&pod.pod) },
        };
        let n_old = self.alike.len().saturating_sub(ALIKE_MAX);
        for old in self.alike.drain(..n_old) {
            self.nodes.change_all(|it| it.alike.retain(|(id, _)| *id != old.id));
        }
        let namespace = &pod.key.namespace;
        for spread in self.spreads.hard.iter().chain(&self.spreads.soft) {
            match self.alike.iter().rposition(|it| it.namespace == *namespace && it.selector == spread.selector) {
                // It goes to the end, where what was used last stands.
                Some(idx) => self.alike[idx..].rotate_left(1),
                None => {
                    self.n_alike += 1;
                    let (id, selector) = (AlikeId(self.n_alike), spread.selector.clone());
                    let alike = Alike { id, namespace: namespace.clone(), selector };
                    self.nodes.change_all(|info| {
                        let n_pods = info.pods.values().filter(|it| alike.means(it)).count() as i64;
                        info.alike.push((id, n_pods));
                        info.alike.retain(|(_, it)| *it != 0);
                    });
                    self.alike.push(alike);
                }
            }
        }
    }

    /// Under which name pods of a namespace are counted that the selector of one of [`Cache::spreads`] means.
    pub fn alike(&self, namespace: &str, selector: &LabelSelector) -> AlikeId {
        let known = self.alike.iter().rev().find(|it| it.namespace == *namespace && it.selector == *selector);
        known.map_or(AlikeId::default(), |it| it.id)
    }

    /// Bound pods that say something about others, with their nodes.
    pub fn pods_with_terms(&self) -> impl Iterator<Item = (&Key, &Str)> {
        self.with_terms.iter().filter_map(|it| Some((it, self.placed.get(it)?)))
    }

    pub fn namespace_labels(&self, name: &str) -> Option<Map> {
        self.namespaces.get(name).cloned()
    }

    /// What a controller or a Service selects, if it does.
    pub fn select(&mut self, key: Key, kind: KindId, selector: Option<LabelSelector>) {
        self.defaults = None;
        match selector {
            Some(selector) => drop(self.selectors.insert((key.namespace, kind, key.name), selector)),
            None => drop(self.selectors.remove(&(key.namespace, kind, key.name))),
        }
    }

    /// Constraints for a pod that has none of its own but belongs to something.
    fn default_spreads(&mut self, pod: &Object) -> Vec<Spread> {
        let (namespace, labels) = (&pod.meta.namespace, &pod.meta.labels);
        if let Some(it) = self.defaults.as_ref().filter(|it| it.namespace == *namespace && it.labels == *labels) {
            return it.spreads.clone();
        }
        let spreads = self.build_default_spreads(pod);
        self.defaults =
            Some(Defaults { namespace: namespace.clone(), labels: labels.clone(), spreads: spreads.clone() });
        spreads
    }

    /// `buildDefaultConstraints`
    fn build_default_spreads(&self, pod: &Object) -> Vec<Spread> {
        let mut requirements = Vec::new();
        let start = (pod.meta.namespace.clone(), KindId(0), Str::default());
        for ((namespace, ..), selector) in self.selectors.range(start..) {
            if *namespace != pod.meta.namespace {
                break;
            }
            if !selector.is_everything() && selector.matches(&pod.meta.labels) {
                requirements.extend(selector.requirements.iter().cloned());
            }
        }
        if requirements.is_empty() {
            return Vec::new();
        }
        let selector = LabelSelector { requirements, nothing: false };
        [(ZONE, 3), (HOSTNAME, 5)]
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
