//! Pods as the scheduler sees them, parsed once.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

use meta::{Key, Object};
use runtime::placement::{self, NodeAffinity, Term, Toleration};
use runtime::resources::{Resources, non_zero_requests, pod_requests};
use runtime::volumes;
use value::{Map, Str, Value, time};

use crate::terms::PodTerms;

/// Templates of pods that are remembered; the oldest is forgotten.
const TEMPLATES_MAX: usize = 64;
/// What the pods of a template have of their own in their specs. It says nothing of what they need.
const OWN: [&str; 3] = ["affinity", "hostname", "nodeName"];

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
    pub needs: Arc<Needs>,
    /// What it wants of nodes; nothing more once it has one.
    pub wants: Arc<Wants>,
    /// What it says about other pods.
    pub terms: Option<Box<PodTerms>>,
    /// Names of its claims.
    pub claims: Box<[Str]>,
}

/// What pods of a template need alike.
#[derive(Debug)]
pub(crate) struct Needs {
    pub requests: Resources,
    /// CPU and memory with defaults for containers that ask for nothing.
    pub non_zero: (i64, i64),
    pub ports: Vec<HostPort>,
    pub tolerations: Vec<Toleration>,
}

/// What pods of late need, by the specs of the first of each template.
#[derive(Clone, Debug, Default)]
pub(crate) struct Templates(VecDeque<(Map, Arc<Needs>)>);

impl Templates {
    fn needs(&mut self, spec: &Map) -> Arc<Needs> {
        let is_sibling = |it: &Map| {
            let mut entries = it.iter().zip(spec.values());
            it.has_keys_of(spec) && entries.all(|((key, a), b)| a.same(b) || OWN.contains(&key.as_str()))
        };
        if let Some((_, needs)) = self.0.iter().rfind(|(it, _)| is_sibling(it)) {
            return needs.clone();
        }
        if self.0.len() == TEMPLATES_MAX {
            self.0.pop_front();
        }
        let needs = Arc::new(Needs::of(&Value::Map(spec.clone())));
        self.0.push_back((spec.clone(), needs.clone()));
        needs
    }
}

impl Needs {
    fn of(spec: &Value) -> Needs {
        Needs {
            requests: pod_requests(spec),
            non_zero: non_zero_requests(spec),
            ports: host_ports(spec),
            tolerations: placement::tolerations(spec),
        }
    }
}

/// What a pod wants of nodes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wants {
    pub affinity: NodeAffinity,
    /// Preferred node affinity: weight and term.
    pub preferred: Vec<(i64, Term)>,
}

impl Wants {
    fn of(spec: &Map) -> Arc<Wants> {
        static NOTHING: LazyLock<Arc<Wants>> = LazyLock::new(Arc::default);
        if !spec.contains_key("affinity") && !spec.contains_key("nodeSelector") {
            return NOTHING.clone();
        }
        let preferred = "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution";
        let preferred = spec.at(preferred).and_then(Value::as_list).into_iter().flatten();
        let term = |it: &Value| Some((it.i64_at("weight")?, Term::from_value(it.get("preference")?)));
        Arc::new(Wants {
            affinity: NodeAffinity::from_spec(&Value::Map(spec.clone())),
            preferred: preferred.filter_map(term).collect(),
        })
    }
}

impl PodInfo {
    pub fn of(pod: &Arc<Object>, templates: &mut Templates) -> PodInfo {
        let empty = Map::new();
        let spec = pod.map_at("spec").unwrap_or(&empty);
        PodInfo {
            pod: pod.clone(),
            key: pod.key(),
            priority: pod.i64_at("spec.priority").unwrap_or(0),
            needs: templates.needs(spec),
            wants: Wants::of(spec),
            terms: PodTerms::of(pod),
            claims: pod.list_at("spec.volumes").iter().filter_map(|it| volumes::claim_name(pod, it)).collect(),
        }
    }

    /// The same pod as the API shows it once it has a node. What it wants of nodes matters no more.
    pub fn bound(&self, pod: &Arc<Object>) -> PodInfo {
        PodInfo {
            pod: pod.clone(),
            key: self.key.clone(),
            needs: self.needs.clone(),
            wants: Wants::of(&Map::new()),
            terms: self.terms.clone(),
            claims: self.claims.clone(),
            ..*self
        }
    }

    /// The images of its containers.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        self.pod.list_at("spec.containers").iter().filter_map(|it| it.str_at("image"))
    }

    /// The one node that a daemon pod is for.
    pub fn only_node(&self) -> Option<&Str> {
        self.wants.affinity.single_node()
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

/// Pods in the order of their keys; a node has few.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pods(pub(super) Vec<Arc<PodInfo>>);

impl Pods {
    pub(super) fn place(&self, key: &Key) -> Result<usize, usize> {
        self.0.binary_search_by(|it| it.key.cmp(key))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn values(&self) -> std::slice::Iter<'_, Arc<PodInfo>> {
        self.0.iter()
    }

    pub fn get(&self, key: &Key) -> Option<&Arc<PodInfo>> {
        self.0.get(self.place(key).ok()?)
    }

    /// Answers what was there before.
    pub(super) fn insert(&mut self, pod: Arc<PodInfo>) -> Option<Arc<PodInfo>> {
        match self.place(&pod.key) {
            Ok(idx) => Some(std::mem::replace(&mut self.0[idx], pod)),
            Err(idx) => {
                self.0.insert(idx, pod);
                None
            }
        }
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Arc<PodInfo>> {
        Some(self.0.remove(self.place(key).ok()?))
    }
}
