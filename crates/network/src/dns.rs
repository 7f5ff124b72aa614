//! Names: what a container's resolver asks for, and what the cluster's DNS knows (the DNS specification of Kubernetes,
//! `coredns/plugin/kubernetes`).

use std::net::{IpAddr, Ipv4Addr};

use kinds::{INGRESS, NODE, SERVICE};
use meta::{Key, Object};
use runtime::View;
use value::Value;

use crate::{Outcome, Step, endpoints, nodes, pods};

/// Where the cluster's DNS answers.
pub(crate) const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 96, 0, 10));
const ZONE: &str = "cluster.local";
/// Aliases that are followed at most.
const ALIASES_MAX: usize = 8;
/// Ends of names that somebody outside is taken to have registered.
const DOMAINS: [&str; 24] = [
    "ai", "app", "at", "ch", "cloud", "co", "com", "de", "dev", "edu", "eu", "fr", "gov", "info", "io", "it", "jp",
    "me", "net", "nl", "org", "tv", "uk", "us",
];

/// What was found for a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub outcome: Outcome,
    /// The server that was asked; `None`: nobody needed to be.
    pub server: Option<IpAddr>,
    /// The name under which it was found, with the search path's end.
    pub name: String,
    /// What that is another name of, and so on.
    pub aliases: Vec<String>,
    pub addresses: Vec<IpAddr>,
    /// Full names that were asked for in vain.
    pub missed: Vec<String>,
    pub steps: Vec<Step>,
}

/// How a container resolves names: its `/etc/resolv.conf` and `/etc/hosts`.
#[derive(Clone, Debug)]
pub(crate) struct Resolver {
    /// Whether the cluster's DNS is asked, or what the node asks.
    pub in_cluster: bool,
    pub searches: Vec<String>,
    pub ndots: usize,
    /// Why it is so, if that is not the usual.
    pub why: &'static str,
    hosts: Vec<(String, IpAddr)>,
}

impl Resolver {
    /// Of somebody who is in no pod.
    pub fn plain() -> Resolver {
        Resolver { in_cluster: false, searches: Vec::new(), ndots: 1, why: "", hosts: Vec::new() }
    }

    /// Of a pod, by its `dnsPolicy`.
    pub fn of(pod: &Object) -> Resolver {
        let mut res = Resolver::plain();
        let policy = pod.str_at("spec.dnsPolicy").unwrap_or("ClusterFirst");
        let on_host = pods::is_host_network(pod);
        (res.in_cluster, res.why) = match policy {
            "Default" => (false, "dnsPolicy is Default, so the node's DNS is asked, which knows no Services"),
            "ClusterFirst" if on_host => (
                false,
                "hostNetwork with dnsPolicy ClusterFirst asks the node's DNS; ClusterFirstWithHostNet would not",
            ),
            "None" => {
                let servers = pod.list_at("spec.dnsConfig.nameservers");
                let ours = servers.iter().any(|it| it.as_str().and_then(|it| it.parse().ok()) == Some(SERVER));
                (ours, "dnsPolicy is None, so only dnsConfig counts")
            }
            _ => (true, ""),
        };
        if res.in_cluster && policy != "None" {
            let namespace = pod.namespace();
            res.searches = vec![format!("{namespace}.svc.{ZONE}"), format!("svc.{ZONE}"), ZONE.to_owned()];
            res.ndots = 5;
        }
        res.searches.extend(pod.list_at("spec.dnsConfig.searches").iter().filter_map(Value::as_str).map(str::to_owned));
        for option in pod.list_at("spec.dnsConfig.options") {
            if option.str_at("name") == Some("ndots") {
                res.ndots = option.str_at("value").and_then(|it| it.parse().ok()).unwrap_or(res.ndots);
            }
        }
        res.hosts = hosts(pod);
        res
    }

    /// Full names to ask for, in order.
    fn candidates(&self, name: &str) -> Vec<String> {
        if let Some(full) = name.strip_suffix('.') {
            return vec![full.to_owned()];
        }
        let searched = self.searches.iter().map(|it| format!("{name}.{it}"));
        let as_is = std::iter::once(name.to_owned());
        if name.matches('.').count() >= self.ndots {
            as_is.chain(searched).collect()
        } else {
            searched.chain(as_is).collect()
        }
    }

    /// `/etc/resolv.conf`
    pub fn file(&self) -> String {
        let server = if self.in_cluster { SERVER.to_string() } else { "10.0.0.1".to_owned() };
        let mut text = String::new();
        if !self.searches.is_empty() {
            text.push_str(&format!("search {}\n", self.searches.join(" ")));
        }
        text.push_str(&format!("nameserver {server}\n"));
        if self.ndots != 1 {
            text.push_str(&format!("options ndots:{}\n", self.ndots));
        }
        text
    }

    /// `/etc/hosts`, as kubelets write it.
    pub fn hosts_file(&self) -> String {
        let mut text = "# Kubernetes-managed hosts file.\n".to_owned();
        for (name, ip) in &self.hosts {
            text.push_str(&format!("{ip}\t{name}\n"));
        }
        text
    }
}

/// `/etc/hosts`: the loopback address, the pod itself, and its `hostAliases`.
fn hosts(pod: &Object) -> Vec<(String, IpAddr)> {
    let mut res = vec![("localhost".to_owned(), IpAddr::V4(Ipv4Addr::LOCALHOST))];
    let own = pod.str_at("spec.hostname").filter(|it| !it.is_empty()).unwrap_or(pod.name());
    res.extend(pods::ips(pod).next().map(|it| (own.to_owned(), it)));
    for alias in pod.list_at("spec.hostAliases") {
        let Some(ip) = alias.str_at("ip").and_then(|it| it.parse().ok()) else { continue };
        res.extend(alias.list_at("hostnames").iter().filter_map(Value::as_str).map(|it| (it.to_owned(), ip)));
    }
    res
}

/// What a full name stands for.
enum Record {
    Nothing(String, Option<Key>),
    Alias(String, Key),
    Addresses(Vec<IpAddr>, &'static str, Option<Key>, String),
}

/// Resolves a name; `is_asked`: whether the cluster's DNS can be asked at all.
pub(crate) fn resolve(view: &View<'_>, resolver: &Resolver, name: &str) -> Answer {
    let mut answer = Answer {
        outcome: Outcome::NameNotFound,
        server: None,
        name: name.to_owned(),
        aliases: Vec::new(),
        addresses: Vec::new(),
        missed: Vec::new(),
        steps: Vec::new(),
    };
    if let Some((_, ip)) = resolver.hosts.iter().find(|(it, _)| it == name) {
        answer.outcome = Outcome::Answered;
        answer.addresses = vec![*ip];
        answer.say(false, None, format!("{name} is {ip} in the container's /etc/hosts"));
        return answer;
    }
    answer.server = resolver.in_cluster.then_some(SERVER);
    if !resolver.why.is_empty() {
        answer.say(false, None, resolver.why.to_owned());
    }
    let mut reasons = Vec::new();
    for full in resolver.candidates(name) {
        match record(view, resolver, &full) {
            Record::Nothing(why, object) => {
                answer.missed.push(full);
                reasons.push((why, object));
            }
            found => {
                answer.found(view, resolver, name, &full, found);
                return answer;
            }
        }
    }
    let tried = answer.missed.join(", ");
    let known = reasons.iter().find(|(_, it)| it.is_some()).or(reasons.first());
    let why = known.map_or(String::new(), |(it, _)| format!(": {it}"));
    let object = known.and_then(|(_, it)| it.clone()).map(|it| ("Service", it));
    answer.say(true, object, format!("no name is found; asked for {tried}{why}"));
    answer
}

impl Answer {
    fn say(&mut self, failed: bool, object: Option<(&'static str, Key)>, message: String) {
        self.steps.push(Step { stage: "DNS", message, object, failed });
    }

    /// Follows aliases to addresses.
    fn found(&mut self, view: &View<'_>, resolver: &Resolver, asked: &str, full: &str, mut record: Record) {
        self.name = full.to_owned();
        let mut current = full.to_owned();
        if asked.trim_end_matches('.') != full {
            self.say(false, None, format!("{asked} is {full} by the search path"));
        }
        for _ in 0..ALIASES_MAX {
            match record {
                Record::Alias(target, service) => {
                    let text = format!("{current} is another name of {target}: Service {service} is an ExternalName");
                    self.say(false, Some(("Service", service)), text);
                    self.aliases.push(target.clone());
                    record = self::record(view, resolver, &target);
                    current = target;
                }
                Record::Addresses(addresses, kind, key, why) => {
                    self.outcome = Outcome::Answered;
                    let list: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
                    self.addresses = addresses;
                    self.say(false, key.map(|it| (kind, it)), format!("{current} is {}: {why}", list.join(", ")));
                    return;
                }
                Record::Nothing(why, object) => {
                    let object = object.map(|it| ("Service", it));
                    self.say(true, object, format!("there is no name {current}: {why}"));
                    return;
                }
            }
        }
        self.say(true, None, format!("{current} is another name of itself"));
    }
}

/// Looks a full name up.
fn record(view: &View<'_>, resolver: &Resolver, full: &str) -> Record {
    let full = full.trim_end_matches('.').to_ascii_lowercase();
    if let Some(rest) = full.strip_suffix(ZONE).and_then(|it| it.strip_suffix('.')) {
        if !resolver.in_cluster {
            return Record::Nothing("names of the cluster are known to its own DNS only".to_owned(), None);
        }
        let labels: Vec<&str> = rest.split('.').collect();
        return match labels.as_slice() {
            [service, namespace, "svc"] => of_service(view, &Key::new(*namespace, *service)),
            [host, service, namespace, "svc"] => of_endpoint(view, host, &Key::new(*namespace, *service)),
            [dashed, _, "pod"] => of_pod(dashed),
            _ => Record::Nothing("it is no name of the cluster".to_owned(), None),
        };
    }
    outside(view, resolver, &full)
}

fn of_service(view: &View<'_>, key: &Key) -> Record {
    let Some(service) = view.get(SERVICE, key) else {
        return Record::Nothing(format!("there is no Service {key}"), None);
    };
    if service.str_at("spec.type") == Some("ExternalName") {
        let target = service.str_at("spec.externalName").unwrap_or("").trim_end_matches('.');
        return Record::Alias(target.to_owned(), key.clone());
    }
    let ips: Vec<IpAddr> = cluster_ips(service).collect();
    if !ips.is_empty() {
        return Record::Addresses(ips, "Service", Some(key.clone()), format!("the address of Service {key}"));
    }
    let listed = both(view, service);
    let ready: Vec<IpAddr> = listed.iter().filter(|it| it.ready).map(|it| it.ip).collect();
    if ready.is_empty() {
        let why = match listed.len() {
            0 => format!("headless Service {key} has no endpoints"),
            1 => format!("the one endpoint of headless Service {key} is not ready"),
            n => format!("none of the {n} endpoints of headless Service {key} is ready"),
        };
        return Record::Nothing(why, Some(key.clone()));
    }
    let which = match service.bool_at("spec.publishNotReadyAddresses") {
        Some(true) => "pods, ready or not",
        _ => "ready pods",
    };
    let why = format!("Service {key} is headless, so these are the addresses of its {which}");
    Record::Addresses(ready, "Service", Some(key.clone()), why)
}

fn both<'a>(view: &View<'a>, service: &Object) -> Vec<endpoints::Endpoint<'a>> {
    let mut all = endpoints::of(view, service, false, None);
    all.extend(endpoints::of(view, service, true, None));
    all
}

/// The name of one endpoint: its pod's host name, or its address with dashes.
fn of_endpoint(view: &View<'_>, host: &str, key: &Key) -> Record {
    let Some(service) = view.get(SERVICE, key) else {
        return Record::Nothing(format!("there is no Service {key}"), None);
    };
    let listed = both(view, service);
    let is_it = |it: &&endpoints::Endpoint<'_>| match it.hostname {
        Some(name) => name == host,
        None => endpoints::dashed(it.ip) == host,
    };
    let found: Vec<&endpoints::Endpoint<'_>> = listed.iter().filter(is_it).collect();
    let ready: Vec<IpAddr> = found.iter().filter(|it| it.ready).map(|it| it.ip).collect();
    if ready.is_empty() {
        let why = match found.first() {
            Some(it) => format!("{} is not ready, so Service {key} does not announce it", it.name()),
            None => {
                format!("Service {key} has no endpoint called {host}: a pod is called so by its hostname and subdomain")
            }
        };
        return Record::Nothing(why, Some(key.clone()));
    }
    Record::Addresses(ready, "Service", Some(key.clone()), format!("the pod that Service {key} announces as {host}"))
}

/// `10-0-0-7.NAMESPACE.pod`: whatever the name says.
fn of_pod(dashed: &str) -> Record {
    let v4 = dashed.replace('-', ".").parse::<IpAddr>();
    match v4.or_else(|_| dashed.replace('-', ":").parse()) {
        Ok(ip) => Record::Addresses(vec![ip], "Pod", None, "the name says it".to_owned()),
        Err(_) => Record::Nothing("it is no address with dashes".to_owned(), None),
    }
}

/// Names that are not the cluster's.
fn outside(view: &View<'_>, resolver: &Resolver, name: &str) -> Record {
    let node = view.get(NODE, &Key::cluster(name)).filter(|_| !resolver.in_cluster);
    if let Some(ip) = node.and_then(|it| nodes::addresses(it).next()) {
        return Record::Addresses(vec![ip], "Node", Some(Key::cluster(name)), "the node's address".to_owned());
    }
    let mut unserved = None;
    for ingress in view.list(INGRESS, None) {
        let has_host = |it: &Value| it.str_at("host").is_some_and(|it| is_host(it, name));
        if !ingress.list_at("spec.rules").iter().any(has_host) {
            continue;
        }
        let (addresses, key) = (load_balancer_ips(ingress), ingress.key());
        unserved = Some((key.clone(), ingress.str_at("spec.ingressClassName").unwrap_or("").to_owned()));
        if !addresses.is_empty() {
            let why = format!("a host of Ingress {key}, taken to point to its controller");
            return Record::Addresses(addresses, "Ingress", Some(key), why);
        }
    }
    if let Some((key, class)) = unserved {
        let why = match class.as_str() {
            "" => "it has no class".to_owned(),
            class => format!("no controller serves its class {class}"),
        };
        return Record::Nothing(format!("it is a host of Ingress {key}, which has no address: {why}"), None);
    }
    match name.rsplit_once('.') {
        Some((_, end)) if DOMAINS.contains(&end) => {
            let last = u8::try_from(crate::address::hash(name) % 254).unwrap_or(0) + 1;
            let ip = IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
            Record::Addresses(vec![ip], "", None, "a name of the world outside".to_owned())
        }
        _ => Record::Nothing(format!("nobody outside has registered {name}"), None),
    }
}

/// Whether a rule's host, which may begin with `*.`, is this one.
pub(crate) fn is_host(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(rest) => {
            name.split_once('.').is_some_and(|(first, it)| !first.is_empty() && it.eq_ignore_ascii_case(rest))
        }
        None => pattern.eq_ignore_ascii_case(name),
    }
}

/// The addresses of a Service inside the cluster; none for a headless one.
pub(crate) fn cluster_ips(service: &Object) -> impl Iterator<Item = IpAddr> {
    let listed = service.list_at("spec.clusterIPs").iter().filter_map(Value::as_str);
    let one = service.str_at("spec.clusterIP").filter(|_| service.list_at("spec.clusterIPs").is_empty());
    listed.chain(one).filter_map(|it| it.parse().ok())
}

/// The addresses that a load balancer or an Ingress controller has reported.
pub(crate) fn load_balancer_ips(object: &Object) -> Vec<IpAddr> {
    let listed = object.list_at("status.loadBalancer.ingress").iter();
    listed.filter_map(|it| it.str_at("ip")?.parse().ok()).collect()
}
