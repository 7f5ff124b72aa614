//! The walk of one request: who sends it, where the name leads, who has the address, whether somebody answers there.

use std::net::IpAddr;
use std::sync::Arc;

use kinds::{ENDPOINTS, NODE, POD};
use meta::{Key, Object};
use runtime::View;
use value::{Map, Str};

use crate::dns::{self, Answer, Resolver};
use crate::pods::Listening;
use crate::policy::{self, Connection, Direction, Party, Verdict};
use crate::{Origin, Outcome, Request, Step, Trace, Url, address, nodes, pods};

/// The client outside, unless something else is known of it: an address for documentation.
const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));
/// Where the control plane is.
const SERVER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 255, 254));
/// Networks of which the cluster knows all addresses: Services, nodes, pods.
const OURS: [&str; 3] = ["10.96.0.0/12", "10.0.0.0/16", "10.128.0.0/9"];

pub(crate) struct Walk<'a> {
    pub view: View<'a>,
    pub turn: u64,
    pub url: Url,
    /// The `Host` header.
    pub host: String,
    method: Str,
    steps: Vec<Step>,
    address: Option<(IpAddr, u16)>,
    pod: Option<Key>,
    node: Str,
}

/// An answer over HTTP.
#[derive(Default)]
pub(crate) struct Reply {
    pub code: u16,
    pub body: String,
    /// Of a redirection.
    pub location: String,
}

impl Reply {
    pub fn new(code: u16, body: impl Into<String>) -> Reply {
        Reply { code, body: body.into(), location: String::new() }
    }
}

/// Fails after a step that says why.
pub(crate) type Res<T> = Result<T, Outcome>;

pub(crate) fn walk(view: &View<'_>, request: &Request, turn: u64) -> Trace {
    let url = Url::parse(&request.url);
    let method = if request.method.is_empty() { "GET".into() } else { request.method.clone() };
    let is_bad = url.is_err();
    let mut walk = Walk {
        view: *view,
        turn,
        url: url.clone().unwrap_or(Url { is_tls: false, host: String::new(), port: 0, path: String::new() }),
        host: request.host.to_string(),
        method,
        steps: Vec::new(),
        address: None,
        pod: None,
        node: Str::default(),
    };
    let result = match url {
        Err(why) if is_bad => Err(walk.fail("Address", None, why, Outcome::NotSent)),
        _ => walk.run(&request.from, request.is_running),
    };
    let (outcome, reply) = match result {
        Ok(reply) => (Outcome::Answered, reply),
        Err(outcome) => (outcome, Reply::default()),
    };
    let Reply { code, body, location } = reply;
    let Walk { address, pod, node, steps, .. } = walk;
    Trace { outcome, code, body, location, address, pod, node, steps }
}

/// See [`crate::resolve`].
pub(crate) fn resolve(view: &View<'_>, from: &Origin, name: &str) -> Answer {
    let (resolver, pod) = match from {
        Origin::Pod(key) => match view.get(POD, key) {
            Some(pod) => (Resolver::of(pod), Some(pod)),
            None => (Resolver::plain(), None),
        },
        Origin::Node(_) | Origin::Server | Origin::Outside => (Resolver::plain(), None),
    };
    let answer = dns::resolve(view, &resolver, name);
    let Some(server) = answer.server else { return answer };
    let node = pod.map_or("", |it| pods::node_of(it));
    if let Some(why) = nodes::unreachable(view, node).filter(|_| !node.is_empty()) {
        let message = format!("{name} cannot be asked for: node {node} {why}");
        return unasked(answer, "Node", message, Some(("Node", Key::cluster(node))));
    }
    let Some(pod) = pod.filter(|it| !pods::is_host_network(it)) else { return answer };
    let peer = dns_server();
    let connection = Connection { peer: &peer, port: 53, protocol: "UDP", target: None };
    if let Verdict::Denied(policies) = policy::check(view, Direction::Egress, pod, &connection) {
        let message = format!(
            "{name} cannot be asked for: {} no connection to the cluster's DNS ({server}) on port 53/UDP",
            isolated(&policies, &format!("pod {}", pod.key()), Direction::Egress)
        );
        let object = policies.into_iter().next().map(|it| ("NetworkPolicy", it));
        return unasked(answer, "Policy", message, object);
    }
    answer
}

/// An answer that never came.
fn unasked(answer: Answer, stage: &'static str, message: String, object: Option<(&'static str, Key)>) -> Answer {
    let steps = vec![Step { stage, message, object, failed: true }];
    Answer { outcome: Outcome::NameTimedOut, addresses: Vec::new(), steps, ..answer }
}

/// Somebody who is neither a pod nor a node.
fn stranger(what: &str, ip: IpAddr) -> Party<'static> {
    Party { what: what.to_owned(), ip: Some(ip), node: "", pod: None, labels: None, is_host: false, is_outside: false }
}

/// The cluster's DNS as selectors of policies see it.
fn dns_server() -> Party<'static> {
    let labels = value::map!({ "k8s-app": "kube-dns" });
    Party {
        what: "the cluster's DNS".to_owned(),
        ip: Some(dns::SERVER),
        node: "",
        pod: None,
        labels: Some(("kube-system".into(), labels)),
        is_host: false,
        is_outside: false,
    }
}

/// `NetworkPolicy default/deny isolates pod default/web for ingress and allows`
fn isolated(policies: &[Key], pod: &str, direction: Direction) -> String {
    let names: Vec<String> = policies.iter().map(Key::to_string).collect();
    let (kind, verb, allow) = match policies.len() {
        1 => ("NetworkPolicy", "isolates", "and allows"),
        _ => ("NetworkPolicies", "isolate", "and allow"),
    };
    format!("{kind} {} {verb} {pod} for {} {allow}", names.join(", "), direction.name())
}

impl<'a> Walk<'a> {
    pub fn say(&mut self, stage: &'static str, object: Option<(&'static str, Key)>, message: impl Into<String>) {
        self.steps.push(Step { stage, message: message.into(), object, failed: false });
    }

    /// The last step.
    pub fn fail(
        &mut self,
        stage: &'static str,
        object: Option<(&'static str, Key)>,
        message: impl Into<String>,
        outcome: Outcome,
    ) -> Outcome {
        self.steps.push(Step { stage, message: message.into(), object, failed: true });
        outcome
    }

    fn run(&mut self, origin: &Origin, is_running: bool) -> Res<Reply> {
        let from = self.party(origin, is_running)?;
        let host = self.url.host.clone();
        if self.host.is_empty() {
            self.host.clone_from(&host);
        }
        let ip = match host.parse() {
            Ok(ip) => ip,
            Err(_) => self.look_up(origin, &host)?,
        };
        self.address = Some((ip, self.url.port));
        self.connect(&from, ip, self.url.port)
    }

    /// The sender, if it can send.
    fn party(&mut self, origin: &Origin, is_running: bool) -> Res<Party<'a>> {
        let not_sent = Outcome::NotSent;
        let party = match origin {
            Origin::Server => return Ok(stranger("the API server", SERVER)),
            Origin::Outside => {
                return Ok(Party { is_outside: true, ..stranger("the client outside", CLIENT) });
            }
            Origin::Node(name) => {
                let key = Key::cluster(name);
                let Some(node) = self.view.get(NODE, &key) else {
                    return Err(self.fail("Node", None, format!("there is no node {name}"), not_sent));
                };
                self.host_party(node)
            }
            Origin::Pod(key) => {
                let Some(pod) = self.view.get(POD, key) else {
                    return Err(self.fail("Address", None, format!("there is no pod {key}"), not_sent));
                };
                if !is_running && (pods::is_over(pod) || pods::ips(pod).next().is_none()) {
                    let message = format!("pod {key} does not run: nothing in it can send");
                    return Err(self.fail("Container", Some(("Pod", key.clone())), message, not_sent));
                }
                Party::of_pod(pod)
            }
        };
        match nodes::unreachable(&self.view, party.node).filter(|why| *why != "is cut off from the network") {
            Some(why) => {
                let message = format!("node {} {why}: nothing on it can send", party.node);
                Err(self.fail("Node", Some(("Node", Key::cluster(party.node))), message, not_sent))
            }
            None => Ok(party),
        }
    }

    /// A node as a sender.
    pub fn host_party(&self, node: &'a Arc<Object>) -> Party<'a> {
        Party {
            what: format!("node {}", node.name()),
            ip: nodes::addresses(node).next(),
            node: node.name(),
            pod: None,
            labels: None,
            is_host: true,
            is_outside: false,
        }
    }

    fn look_up(&mut self, origin: &Origin, name: &str) -> Res<IpAddr> {
        let mut answer = resolve(&self.view, origin, name);
        self.steps.append(&mut answer.steps);
        if answer.outcome != Outcome::Answered {
            return Err(answer.outcome);
        }
        let chosen = address::choose(&answer.addresses, self.turn);
        if let (Some(ip), 2..) = (chosen, answer.addresses.len()) {
            self.say("DNS", None, format!("the client takes {ip} of them: the DNS server turns their order"));
        }
        chosen.ok_or(Outcome::NameNotFound)
    }

    fn connect(&mut self, from: &Party<'a>, ip: IpAddr, port: u16) -> Res<Reply> {
        if ip.is_loopback() {
            return self.loopback(from, port);
        }
        if let Some(reply) = self.service_at(from, ip, port) {
            return reply;
        }
        if let Some(reply) = self.ingress_at(from, ip, port) {
            return reply;
        }
        self.arrive(from, ip, port)
    }

    /// To who has the address itself: a pod, a node, the API server, somebody outside.
    pub fn arrive(&mut self, from: &Party<'a>, ip: IpAddr, port: u16) -> Res<Reply> {
        if let Some(pod) = pods::at(&self.view, ip) {
            if from.is_outside {
                let message =
                    format!("{ip} is the address of pod {}, which is not routed outside of the cluster", pod.key());
                return Err(self.fail("Address", Some(("Pod", pod.key())), message, Outcome::TimedOut));
            }
            return self.enter_pod(from, pod, port);
        }
        if let Some(node) = nodes::at(&self.view, ip) {
            return self.enter_node(from, node, ip, port);
        }
        self.elsewhere(from, ip, port)
    }

    fn loopback(&mut self, from: &Party<'a>, port: u16) -> Res<Reply> {
        let pod = match from.pod {
            Some(pod) => pod,
            None => {
                let message = "nothing listens on the loopback address there";
                return Err(self.fail("Address", None, message, Outcome::Refused));
            }
        };
        self.say("Address", None, "the loopback address: it stays in the pod");
        self.container(pod, port)
    }

    /// Over the network to a pod.
    pub fn enter_pod(&mut self, from: &Party<'a>, pod: &'a Arc<Object>, port: u16) -> Res<Reply> {
        self.say("Address", Some(("Pod", pod.key())), format!("it goes to pod {} on port {port}", pod.key()));
        self.reach_node(from, pods::node_of(pod))?;
        if from.pod.is_none_or(|it| it.meta.uid != pod.meta.uid) {
            let to = Party::of_pod(pod);
            self.egress(from, &to, port)?;
            self.ingress_policies(from, pod, port)?;
        }
        self.container(pod, port)
    }

    /// Whether packets get to a node.
    pub fn reach_node(&mut self, from: &Party<'a>, node: &str) -> Res<()> {
        if node.is_empty() || from.node == node {
            return Ok(());
        }
        for end in [from.node, node] {
            let Some(why) = nodes::unreachable(&self.view, end).filter(|_| !end.is_empty()) else { continue };
            let message = format!("node {end} {why}: no packet gets through");
            return Err(self.fail("Node", Some(("Node", Key::cluster(end))), message, Outcome::TimedOut));
        }
        let way = match from.node {
            "" => format!("it comes to node {node}"),
            sender => format!("it goes from node {sender} to node {node}"),
        };
        self.say("Node", Some(("Node", Key::cluster(node))), way);
        Ok(())
    }

    /// The sender's policies.
    pub fn egress(&mut self, from: &Party<'a>, to: &Party<'_>, port: u16) -> Res<()> {
        let Some(pod) = from.pod else { return Ok(()) };
        let connection = Connection { peer: to, port, protocol: "TCP", target: to.pod.map(|it| &**it) };
        self.judge(Direction::Egress, pod, &connection)
    }

    fn ingress_policies(&mut self, from: &Party<'a>, pod: &'a Arc<Object>, port: u16) -> Res<()> {
        if pods::is_host_network(pod) || (from.is_host && from.node == pods::node_of(pod)) {
            return Ok(());
        }
        let connection = Connection { peer: from, port, protocol: "TCP", target: Some(pod) };
        self.judge(Direction::Ingress, pod, &connection)
    }

    fn judge(&mut self, direction: Direction, pod: &Object, connection: &Connection<'_>) -> Res<()> {
        let way = match direction {
            Direction::Ingress => format!("from {}", connection.peer.what),
            Direction::Egress => format!("to {}", connection.peer.what),
        };
        let port = connection.port;
        match policy::check(&self.view, direction, pod, connection) {
            Verdict::Free => Ok(()),
            Verdict::Allowed(key) => {
                let message = format!("NetworkPolicy {key} allows {} {way} on port {port}/TCP", direction.name());
                self.say("Policy", Some(("NetworkPolicy", key)), message);
                Ok(())
            }
            Verdict::Denied(policies) => {
                let isolated = isolated(&policies, &format!("pod {}", pod.key()), direction);
                let message = format!("{isolated} no connection {way} on port {port}/TCP: packets are dropped");
                let object = policies.into_iter().next().map(|it| ("NetworkPolicy", it));
                Err(self.fail("Policy", object, message, Outcome::TimedOut))
            }
        }
    }

    /// The end of the way: does a container listen?
    pub fn container(&mut self, pod: &'a Arc<Object>, port: u16) -> Res<Reply> {
        let key = pod.key();
        self.pod = Some(key.clone());
        self.node = pods::node_of(pod).into();
        match pods::listening(pod, port) {
            Listening::Yes(container, why) => {
                let message = format!("container {container} {why}: the connection is taken");
                self.say("Container", Some(("Pod", key.clone())), message);
                let (node, path) = (pods::node_of(pod), &self.url.path);
                let body = format!("{} on {node}: {} {path}\n", key.name, self.method);
                self.say("Answer", None, "HTTP 200 OK");
                Ok(Reply::new(200, body))
            }
            Listening::No(why) => {
                let message = format!("nothing listens on port {port} of pod {key}: {why}");
                Err(self.fail("Container", Some(("Pod", key)), message, Outcome::Refused))
            }
        }
    }

    /// To an address of a node: a pod in its network, a host port, a node port.
    fn enter_node(&mut self, from: &Party<'a>, node: &'a Arc<Object>, ip: IpAddr, port: u16) -> Res<Reply> {
        let name = node.name();
        self.say("Address", Some(("Node", Key::cluster(name))), format!("{ip} is node {name}"));
        self.reach_node(from, name)?;
        if let Some(reply) = self.node_port(from, node, port) {
            return reply;
        }
        let mut others = Vec::new();
        for pod in self.view.list(POD, None).filter(|it| pods::node_of(it) == name && !pods::is_over(it)) {
            if let Some(inside) = pods::behind_host_port(pod, ip, port) {
                let message = format!("hostPort {port} of pod {} leads to its port {inside}", pod.key());
                self.say("Address", Some(("Pod", pod.key())), message);
                self.egress(from, &Party::of_pod(pod), inside)?;
                self.ingress_policies(from, pod, inside)?;
                return self.container(pod, inside);
            }
            if pods::is_host_network(pod) {
                others.push(pod);
            }
        }
        let to = self.host_party(node);
        self.egress(from, &to, port)?;
        for pod in others {
            if matches!(pods::listening(pod, port), Listening::Yes(..)) {
                let message = format!("pod {} is in the node's own network", pod.key());
                self.say("Address", Some(("Pod", pod.key())), message);
                return self.container(pod, port);
            }
        }
        let message =
            format!("nothing listens on port {port} of node {name}: no hostPort, no nodePort, no pod with hostNetwork");
        Err(self.fail("Address", Some(("Node", Key::cluster(name))), message, Outcome::Refused))
    }

    /// To addresses that are neither pods nor nodes.
    fn elsewhere(&mut self, from: &Party<'a>, ip: IpAddr, port: u16) -> Res<Reply> {
        let api = Key::new("default", "kubernetes");
        let subsets = self.view.get(ENDPOINTS, &api).map_or(&[][..], |it| it.list_at("subsets"));
        let is_api = subsets
            .iter()
            .flat_map(|it| it.list_at("addresses"))
            .any(|it| it.str_at("ip").and_then(|it| it.parse().ok()) == Some(ip));
        let to = stranger(&if is_api { "the API server".to_owned() } else { ip.to_string() }, ip);
        self.egress(from, &to, port)?;
        if is_api {
            return Ok(self.api_server());
        }
        if ip == dns::SERVER {
            let message = format!("{ip} is the cluster's DNS, which does not speak HTTP");
            return Err(self.fail("Address", None, message, Outcome::Refused));
        }
        if OURS.iter().any(|it| address::is_in(ip, it)) {
            let message = format!("nobody has the address {ip}");
            return Err(self.fail("Address", None, message, Outcome::TimedOut));
        }
        if let Some(why) = nodes::unreachable(&self.view, from.node).filter(|_| !from.node.is_empty()) {
            let message = format!("node {} {why}: no packet gets out", from.node);
            return Err(self.fail("Node", Some(("Node", Key::cluster(from.node))), message, Outcome::TimedOut));
        }
        self.say("Address", None, format!("{ip} is outside of the cluster; what answers there is not simulated"));
        Ok(Reply::new(200, format!("{} is outside of the cluster: this answer is made up\n", self.url.host)))
    }

    fn api_server(&mut self) -> Reply {
        if !self.url.is_tls {
            self.say("Answer", None, "the API server speaks HTTPS only");
            return Reply::new(400, "Client sent an HTTP request to an HTTPS server.\n");
        }
        let path = self.url.plain_path().to_owned();
        self.say("Answer", None, "the API server knows nobody without a token: HTTP 403");
        let message = format!("forbidden: User \"system:anonymous\" cannot get path \"{path}\"");
        let status = meta::Status::new(403, "Forbidden", message);
        let body = value::json::to_string(&status.to_value().with("details", Map::new()));
        Reply::new(403, format!("{body}\n"))
    }
}
