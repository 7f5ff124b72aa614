//! Services as places: their addresses and ports, and what a node's proxy does with a connection (`pkg/proxy`).

use std::net::IpAddr;
use std::sync::Arc;

use kinds::{NODE, SERVICE};
use meta::{Key, Object};
use value::Value;

use crate::endpoints::{self, Choice, Endpoint, Nothing};
use crate::policy::Party;
use crate::walk::{Reply, Res, Walk};
use crate::{Outcome, address, dns, nodes};

/// How a Service was addressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    ClusterIp,
    ExternalIp,
    LoadBalancer,
    NodePort,
}

/// The Service that has an address.
fn at<'a>(walk: &Walk<'a>, ip: IpAddr) -> Option<(&'a Arc<Object>, Way)> {
    let listed = |it: &Object, path: &'static str| {
        it.list_at(path).iter().any(|it| it.as_str().and_then(|it| it.parse().ok()) == Some(ip))
    };
    walk.view.list(SERVICE, None).find_map(|it| {
        if dns::cluster_ips(it).any(|it| it == ip) {
            Some((it, Way::ClusterIp))
        } else if listed(it, "spec.externalIPs") {
            Some((it, Way::ExternalIp))
        } else if dns::load_balancer_ips(it).contains(&ip) {
            Some((it, Way::LoadBalancer))
        } else {
            None
        }
    })
}

fn is_tcp(port: &Value) -> bool {
    port.str_at("protocol").unwrap_or("TCP") == "TCP"
}

impl<'a> Walk<'a> {
    /// A connection to a Service's address; `None` if no Service has it.
    pub fn service_at(&mut self, from: &Party<'a>, ip: IpAddr, port: u16) -> Option<Res<Reply>> {
        let (service, way) = at(self, ip)?;
        Some(self.enter_service(from, service, way, ip, port))
    }

    fn enter_service(
        &mut self,
        from: &Party<'a>,
        service: &'a Arc<Object>,
        way: Way,
        ip: IpAddr,
        port: u16,
    ) -> Res<Reply> {
        let key = service.key();
        let object = Some(("Service", key.clone()));
        let what = match way {
            Way::ClusterIp => "the cluster IP",
            Way::ExternalIp => "an external IP",
            _ => "the load balancer's address",
        };
        self.say("Service", object.clone(), format!("{ip} is {what} of Service {key}"));
        let is_outside = from.is_outside;
        if way == Way::ClusterIp && is_outside {
            let message = format!("{ip} means something inside of the cluster only: nobody outside routes it");
            return Err(self.fail("Service", object, message, Outcome::TimedOut));
        }
        if way == Way::LoadBalancer && is_outside {
            self.firewall(from, service)?;
        }
        let wanted = |it: &&Value| it.i64_at("port") == Some(port.into()) && is_tcp(it);
        let Some(found) = service.list_at("spec.ports").iter().find(wanted) else {
            let ports: Vec<String> = service.list_at("spec.ports").iter().map(shown).collect();
            let message =
                format!("Service {key} has no port {port}/TCP, only {}: no rule takes the packets", ports.join(", "));
            return Err(self.fail("Service", object, message, Outcome::TimedOut));
        };
        self.proxied(from, service, found, way, None)
    }

    /// `spec.loadBalancerSourceRanges`
    fn firewall(&mut self, from: &Party<'a>, service: &Object) -> Res<()> {
        let ranges: Vec<&str> =
            service.list_at("spec.loadBalancerSourceRanges").iter().filter_map(Value::as_str).collect();
        let Some(ip) = from.ip.filter(|_| !ranges.is_empty()) else { return Ok(()) };
        if ranges.iter().any(|it| address::is_in(ip, it)) {
            return Ok(());
        }
        let message = format!("loadBalancerSourceRanges lets in {} only, and the client is {ip}", ranges.join(", "));
        Err(self.fail("Service", Some(("Service", service.key())), message, Outcome::TimedOut))
    }

    /// A connection to a port of a node; `None` if it is no Service's.
    pub fn node_port(&mut self, from: &Party<'a>, node: &'a Arc<Object>, port: u16) -> Option<Res<Reply>> {
        let is_it = |it: &&Value| it.i64_at("nodePort") == Some(port.into()) && is_tcp(it);
        let (service, found) = self
            .view
            .list(SERVICE, None)
            .find_map(|service| Some((service, service.list_at("spec.ports").iter().find(is_it)?)))?;
        let key = service.key();
        let message = format!("port {port} of every node is the node port of Service {key}");
        self.say("Service", Some(("Service", key)), message);
        Some(self.proxied(from, service, found, Way::NodePort, Some(node)))
    }

    /// What the proxy of a node does: chooses an endpoint and sends the connection on.
    fn proxied(
        &mut self,
        from: &Party<'a>,
        service: &'a Arc<Object>,
        port: &'a Value,
        way: Way,
        node: Option<&'a Arc<Object>>,
    ) -> Res<Reply> {
        let all = endpoints::of(&self.view, service, is_v6(service, from), Some(port.str_at("name").unwrap_or("")));
        let is_outside = from.is_outside;
        let is_local = |field: &'static str| service.str_at(field) == Some("Local");
        // Who is in the cluster gets the same from all addresses as from the cluster IP, but for the policy of that.
        let local = match way {
            Way::ClusterIp => is_local("spec.internalTrafficPolicy").then_some("internalTrafficPolicy"),
            _ => (is_outside && is_local("spec.externalTrafficPolicy")).then_some("externalTrafficPolicy"),
        };
        let node = match (node, way) {
            (None, Way::ExternalIp | Way::LoadBalancer) if is_outside => {
                self.entrance(service, &all, local.is_some())?
            }
            (Some(node), _) => Some(node),
            (None, _) => self.view.get(NODE, &Key::cluster(from.node)),
        };
        let choice = Choice {
            node: node.map_or(from.node, |it| it.name()),
            zone: node.map_or("", |it| nodes::zone(it)),
            local,
            client: from.ip,
            turn: self.turn,
        };
        let chosen = self.chosen(service, &all, &choice)?;
        let sender = match node {
            Some(node) if is_outside && local.is_none() => {
                let mut party = self.host_party(node);
                party.what = format!("node {} (the client's packets bear its address)", node.name());
                party.is_host = false;
                party
            }
            Some(node) if is_outside => Party { node: node.name(), is_outside: false, ..from.clone() },
            _ => from.clone(),
        };
        self.arrive(&sender, chosen.ip, chosen.port)
    }

    /// Chooses, and says so.
    pub fn chosen(&mut self, service: &Object, all: &[Endpoint<'a>], choice: &Choice<'_>) -> Res<Endpoint<'a>> {
        let key = service.key();
        match endpoints::choose(service, all, choice) {
            Ok((chosen, why)) => {
                let object = chosen.pod.clone().map(|it| ("Pod", it));
                let place = if chosen.node.is_empty() { String::new() } else { format!(" on node {}", chosen.node) };
                let message = format!("{} ({}:{}){place} is chosen, {why}", chosen.name(), chosen.ip, chosen.port);
                self.say("Endpoint", object, message);
                Ok(chosen)
            }
            Err(Nothing::NoEndpoints(why)) => {
                let why = match service.map_at("spec.selector") {
                    None => why.replace(
                        "no pod that its selector matches has an address",
                        "it has no selector, and nobody has made any",
                    ),
                    Some(_) => why,
                };
                let message = format!("Service {key} refuses connections: {why}");
                Err(self.fail("Endpoint", Some(("Service", key)), message, Outcome::Refused))
            }
            Err(Nothing::NoLocal(why)) => {
                let message = format!("{why}: packets are dropped");
                Err(self.fail("Endpoint", Some(("Service", key)), message, Outcome::TimedOut))
            }
        }
    }

    /// The node to which a load balancer sends what comes from outside.
    fn entrance(&mut self, service: &Object, all: &[Endpoint<'a>], only_local: bool) -> Res<Option<&'a Arc<Object>>> {
        let has_local = |it: &Object| all.iter().any(|endpoint| endpoint.ready && endpoint.node == it.name());
        let healthy: Vec<&'a Arc<Object>> = self
            .view
            .list(NODE, None)
            .filter(|it| nodes::is_ready(it) && nodes::unreachable(&self.view, it.name()).is_none())
            .filter(|it| !only_local || has_local(it))
            .collect();
        let Some(node) = address::choose(&healthy, self.turn) else {
            let why = if only_local { "no healthy node has an endpoint of it" } else { "no node is healthy" };
            let message = format!("the load balancer sends it nowhere: {why}");
            return Err(self.fail("Node", Some(("Service", service.key())), message, Outcome::TimedOut));
        };
        let why = if only_local { ", which has an endpoint: externalTrafficPolicy is Local" } else { "" };
        let message = format!("it comes in at node {}, one of {} healthy nodes{why}", node.name(), healthy.len());
        self.say("Node", Some(("Node", Key::cluster(node.name()))), message);
        Ok(Some(node))
    }
}

fn is_v6(service: &Object, from: &Party<'_>) -> bool {
    let first = service.list_at("spec.ipFamilies").first().and_then(Value::as_str);
    match first {
        Some(family) if service.list_at("spec.ipFamilies").len() == 1 => family == "IPv6",
        _ => from.ip.is_some_and(|it| it.is_ipv6()),
    }
}

fn shown(port: &Value) -> String {
    format!("{}/{}", port.i64_at("port").unwrap_or(0), port.str_at("protocol").unwrap_or("TCP"))
}
