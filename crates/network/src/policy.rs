//! Whether NetworkPolicies let a connection through, and which of them decide it.

use std::net::IpAddr;
use std::sync::Arc;

use kinds::{NAMESPACE, NETWORK_POLICY};
use meta::selector::LabelSelector;
use meta::{Key, Object};
use runtime::View;
use value::{Map, Str, Value};

use crate::{address, pods};

/// One end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Party<'a> {
    /// `pod default/web`, `node node-1`, `the client outside`
    pub what: String,
    pub ip: Option<IpAddr>,
    /// The node that it is on; empty outside of the cluster.
    pub node: &'a str,
    /// The pod whose policies apply; pods in the network of their host have none.
    pub pod: Option<&'a Arc<Object>>,
    /// Namespace and labels that selectors of pods can match.
    pub labels: Option<(Str, Map)>,
    /// Whether it is the node itself, which always gets to its own pods.
    pub is_host: bool,
    /// Whether it is in no network of the cluster.
    pub is_outside: bool,
}

impl<'a> Party<'a> {
    pub fn of_pod(pod: &'a Arc<Object>) -> Party<'a> {
        let own = !pods::is_host_network(pod);
        Party {
            what: format!("pod {}", pod.key()),
            ip: pods::ips(pod).next(),
            node: pods::node_of(pod),
            pod: own.then_some(pod),
            labels: own.then(|| (pod.meta.namespace.clone(), pod.meta.labels.clone())),
            is_host: !own,
            is_outside: false,
        }
    }
}

/// The side of the connection whose policies are asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Ingress,
    Egress,
}

impl Direction {
    pub fn name(self) -> &'static str {
        match self {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        }
    }
}

pub(crate) enum Verdict {
    /// No policy selects the pod.
    Free,
    /// This one has a rule that allows it.
    Allowed(Key),
    /// These select the pod, and none has such a rule.
    Denied(Vec<Key>),
}

/// A connection as rules see it.
pub(crate) struct Connection<'a> {
    pub peer: &'a Party<'a>,
    pub port: u16,
    pub protocol: &'static str,
    /// The pod that is connected to, for ports by name.
    pub target: Option<&'a Object>,
}

/// Asks the policies of `pod`.
pub(crate) fn check(view: &View<'_>, direction: Direction, pod: &Object, connection: &Connection<'_>) -> Verdict {
    let namespace = view.get(NAMESPACE, &Key::cluster(pod.namespace()));
    let policies = view.list(NETWORK_POLICY, namespace.map(|it| it.name()));
    let selecting: Vec<&Arc<Object>> = policies.filter(|it| selects(it, direction, pod)).collect();
    if selecting.is_empty() {
        return Verdict::Free;
    }
    let rules = if direction == Direction::Ingress { "spec.ingress" } else { "spec.egress" };
    let allows =
        |it: &&&Arc<Object>| it.list_at(rules).iter().any(|rule| allows(view, it, direction, rule, connection));
    match selecting.iter().find(allows) {
        Some(policy) => Verdict::Allowed(policy.key()),
        None => Verdict::Denied(selecting.iter().map(|it| it.key()).collect()),
    }
}

fn selects(policy: &Object, direction: Direction, pod: &Object) -> bool {
    if policy.namespace() != pod.namespace() {
        return false;
    }
    let wanted = if direction == Direction::Ingress { "Ingress" } else { "Egress" };
    let types = policy.list_at("spec.policyTypes");
    let has_type = match types.is_empty() {
        true => direction == Direction::Ingress || policy.at("spec.egress").is_some(),
        false => types.iter().any(|it| it.as_str() == Some(wanted)),
    };
    has_type && LabelSelector::from_value(policy.at("spec.podSelector")).matches(&pod.meta.labels)
}

fn allows(view: &View<'_>, policy: &Object, direction: Direction, rule: &Value, connection: &Connection<'_>) -> bool {
    let peers = rule.list_at(if direction == Direction::Ingress { "from" } else { "to" });
    let ports = rule.list_at("ports");
    (peers.is_empty() || peers.iter().any(|it| is_peer(view, policy, it, connection.peer)))
        && (ports.is_empty() || ports.iter().any(|it| is_port(it, connection)))
}

fn is_peer(view: &View<'_>, policy: &Object, wanted: &Value, peer: &Party<'_>) -> bool {
    if let Some(block) = wanted.get("ipBlock") {
        let Some(ip) = peer.ip else { return false };
        let excepted = block.list_at("except").iter().filter_map(Value::as_str).any(|it| address::is_in(ip, it));
        return address::is_in(ip, block.str_at("cidr").unwrap_or("")) && !excepted;
    }
    let Some((namespace, labels)) = &peer.labels else { return false };
    let in_namespace = match wanted.get("namespaceSelector") {
        None => policy.meta.namespace == *namespace,
        Some(selector) => LabelSelector::from_value(Some(selector)).matches(&labels_of(view, namespace)),
    };
    let is_pod = wanted.get("podSelector").is_none_or(|it| LabelSelector::from_value(Some(it)).matches(labels));
    in_namespace && is_pod
}

/// The labels of a namespace; of one that is not there, as the server would set them.
fn labels_of(view: &View<'_>, namespace: &Str) -> Map {
    match view.get(NAMESPACE, &Key::cluster(namespace)) {
        Some(it) => it.meta.labels.clone(),
        None => value::map!({ "kubernetes.io/metadata.name": namespace }),
    }
}

fn is_port(wanted: &Value, connection: &Connection<'_>) -> bool {
    if wanted.str_at("protocol").unwrap_or("TCP") != connection.protocol {
        return false;
    }
    let port = i64::from(connection.port);
    match wanted.get("port") {
        None => true,
        Some(Value::Str(name)) => {
            let named = connection.target.and_then(|it| pods::port_named(it, name, connection.protocol));
            named == Some(connection.port)
        }
        Some(it) => {
            let first = it.as_i64().unwrap_or(0);
            (first..=wanted.i64_at("endPort").unwrap_or(first)).contains(&port)
        }
    }
}
