//! Gives out addresses and ports on nodes to Services.
//!
//! Follows `pkg/registry/core/service/storage/alloc.go`. What is taken is read off the stored Services,
//! so nothing has to be given back.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use kinds::service::{allocates_node_ports, complete, needs_health_check, takes_address};
use kinds::{IP_ADDRESS, SERVICE, SERVICE_CIDR, ip_address, service_cidr};
use meta::{Errors, Key, Object, Status};
use sim::Rng;
use value::{Map, Value};

use crate::server::ApiServer;
use crate::write::Write;

const PORTS: std::ops::RangeInclusive<i64> = 30_000..=32_767;
const STATIC_PORTS: i64 = 86;
/// The port after which a dry run counts.
const DRY_RUN_PORT: i64 = 32_768;

/// Addresses that Services get.
struct Range {
    text: String,
    network: u32,
    /// The last address but for the one that means all.
    last_host: u32,
}

impl Range {
    fn of(network: Ipv4Addr, length: u8) -> Range {
        let n_hosts = 1_u64 << (32 - u32::from(length.min(32)));
        Range {
            text: format!("{network}/{length}"),
            network: u32::from(network),
            last_host: u32::try_from(n_hosts - 1).unwrap_or(u32::MAX).saturating_sub(1),
        }
    }

    fn contains(&self, ip: u32) -> bool {
        ip.checked_sub(self.network).is_some_and(|host| (1..=self.last_host).contains(&host))
    }

    /// Below are addresses that users name themselves; others come from above while there are any (`calculateRangeOffset`).
    fn static_hosts(&self) -> u32 {
        if self.last_host <= 14 { 1 } else { (self.last_host.div_ceil(16)).clamp(16, 256) }
    }

    /// An address that nobody has.
    fn next(&self, rng: &mut Rng, is_free: &dyn Fn(Ipv4Addr) -> bool) -> Option<Ipv4Addr> {
        let offset = self.static_hosts();
        let upper = u64::from(self.last_host.saturating_sub(offset));
        let start = offset.saturating_add(rng.below(upper.max(1)) as u32);
        let mut hosts = (start..=self.last_host).chain(offset..start).chain(1..offset);
        hosts.find_map(|host| Some(Ipv4Addr::from(self.network.checked_add(host)?)).filter(|it| is_free(*it)))
    }
}

/// Ranges that are ready; the default one comes first. Without any object the server's own range counts.
fn ranges(api: &ApiServer) -> Vec<Range> {
    let is_ready = |it: &Object| !it.meta.is_deleted() && it.condition_status("Ready") == Some("True");
    let (name, text) = service_cidr::DEFAULT;
    let key = Key::cluster(name);
    let default = api.store.get(SERVICE_CIDR, &key);
    let networks = |it: &Object| -> Vec<Range> {
        let network = |(ip, length)| match ip {
            IpAddr::V4(ip) => Some(Range::of(ip, length)),
            IpAddr::V6(_) => None,
        };
        service_cidr::networks(it).filter_map(network).collect()
    };
    let own = meta::names::sloppy_cidr(text).and_then(|(ip, length)| match ip {
        IpAddr::V4(ip) => Some(Range::of(ip, length)),
        IpAddr::V6(_) => None,
    });
    // The server makes its range ready at its start, before anybody asks.
    let is_fresh = default.is_none_or(|it| it.at("status.conditions").is_none() && !it.meta.is_deleted());
    let mut res: Vec<Range> = own.into_iter().filter(|_| is_fresh).collect();
    let others = api.store.list(SERVICE_CIDR, None).filter(|it| it.meta.name != name);
    res.extend(default.into_iter().chain(others).filter(|it| is_ready(it)).flat_map(|it| networks(it)));
    res
}

/// Writes down which addresses a Service that is about to be stored has, and those that it has no more (`IPAddress`).
pub(crate) fn note(api: &mut ApiServer, write: &Write, object: &Object, live: Option<&Object>) -> Result<(), Status> {
    if write.kind.id != SERVICE || live.is_some_and(|it| it.at("spec.clusterIPs") == object.at("spec.clusterIPs")) {
        return Ok(());
    }
    let had: Vec<IpAddr> = live.into_iter().flat_map(ip_address::of_service).collect();
    let has: Vec<IpAddr> = ip_address::of_service(object).collect();
    for ip in has.iter().filter(|it| !had.contains(it)) {
        let Some(mut its) = own_write(api, write) else { continue };
        crate::write::create(api, &mut its, ip_address::given(*ip, object))?;
    }
    let gone: Vec<IpAddr> = had.into_iter().filter(|it| !has.contains(it)).collect();
    release(api, write, &gone);
    Ok(())
}

/// A Service has gone.
pub(crate) fn release_all(api: &mut ApiServer, write: &Write, service: &Object) {
    if service.kind == SERVICE {
        let gone: Vec<IpAddr> = ip_address::of_service(service).collect();
        release(api, write, &gone);
    }
}

fn release(api: &mut ApiServer, write: &Write, ips: &[IpAddr]) {
    for ip in ips {
        if let Some(its) = own_write(api, write) {
            // Somebody else may have taken it out already.
            crate::delete::delete(api, &its, &Key::cluster(ip.to_string()), &Default::default()).ok();
        }
    }
}

/// What the server writes of itself.
fn own_write(api: &ApiServer, write: &Write) -> Option<Write> {
    let server = crate::Caller::component("kube-apiserver", "kube-apiserver");
    crate::calls::write(api, write.now, &server, IP_ADDRESS, "").ok()
}

/// Completes a new or changed Service with what it needs and has not named.
///
/// # Errors
/// `Invalid` where what it names is taken or out of range.
pub(crate) fn give(
    api: &mut ApiServer,
    write: &Write,
    object: &mut Object,
    live: Option<&Object>,
) -> Result<(), Status> {
    if write.kind.id != SERVICE || !write.sub.is_empty() {
        return Ok(());
    }
    let name = object.meta.name.clone();
    let invalid = |errors: Errors| Status::invalid("", "Service", &name, &errors);
    complete(object, live).map_err(invalid)?;
    let mut spec = object.map_at("spec").cloned().unwrap_or_default();
    let before = live.and_then(|it| it.map_at("spec"));
    if takes_address(&spec) && before.is_none_or(|it| !takes_address(it)) && !is_headless(&spec) {
        let ip = address(api, write, &name, &spec)?;
        let mut ips: Vec<Value> = listed(&spec, "clusterIPs").to_vec();
        match ips.first_mut() {
            Some(first) => *first = ip.as_str().into(),
            None => ips.push(ip.as_str().into()),
        }
        spec.insert("clusterIPs", ips);
        spec.insert("clusterIP", ip);
    }
    let mut ports = Ports::new(api, write.dry_run);
    let kind = spec.get("type").and_then(Value::as_str).unwrap_or("").to_owned();
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        match before {
            None => ports.of_new(&mut spec, &mut api.rng).map_err(invalid)?,
            Some(before) => ports.of_changed(&mut spec, before, &mut api.rng, &invalid)?,
        }
    }
    if needs_health_check(&spec) && before.is_none_or(|it| !needs_health_check(it)) {
        ports.of_health_check(&mut spec, &mut api.rng)?;
    }
    if object.map_at("spec") != Some(&spec) {
        object.body.insert("spec", spec);
    }
    Ok(())
}

fn listed<'a>(spec: &'a Map, key: &str) -> &'a [Value] {
    spec.get(key).and_then(Value::as_list).map_or(&[], |it| it)
}

fn is_headless(spec: &Map) -> bool {
    listed(spec, "clusterIPs").first().and_then(Value::as_str) == Some("None")
}

/// The address that the Service asks for, or a free one.
fn address(api: &mut ApiServer, write: &Write, name: &str, spec: &Map) -> Result<String, Status> {
    let ranges = ranges(api);
    let ApiServer { store, rng, .. } = api;
    let is_free = |ip: Ipv4Addr| store.get(IP_ADDRESS, &Key::cluster(ip.to_string())).is_none();
    let asked = listed(spec, "clusterIPs").first().and_then(Value::as_str).filter(|it| !it.is_empty());
    let problem = match asked.map(|it| (it, it.parse::<Ipv4Addr>())) {
        // A dry run asks any range, and not what is taken.
        Some((text, ip)) if write.dry_run => match ranges.first() {
            Some(range) if !ip.is_ok_and(|ip| range.contains(u32::from(ip))) => {
                let range = &range.text;
                format!("the provided IP ({text}) is not in the valid range. The range of valid IPs is {range}")
            }
            _ => return Ok(text.to_owned()),
        },
        Some((text, Ok(ip))) if ranges.iter().any(|it| it.contains(u32::from(ip))) => match is_free(ip) {
            true => return Ok(text.to_owned()),
            false => "provided IP is already allocated".to_owned(),
        },
        Some(_) => "the provided network does not match the current range".to_owned(),
        None => {
            let found = match write.dry_run {
                true => ranges.first().map(|it| Ipv4Addr::from(it.network)),
                false => ranges.iter().find_map(|it| it.next(rng, &is_free)),
            };
            return found.map(|it| it.to_string()).ok_or_else(|| {
                let quoted = meta::quoted(name);
                Status::internal(&format!("failed to allocate a serviceIP for Service {quoted}: range is full"))
            });
        }
    };
    let mut errors = Errors::new();
    let bad = spec.get("clusterIPs").cloned().unwrap_or_default();
    errors.invalid("spec.clusterIPs", bad, format!("failed to allocate IP {}: {problem}", asked.unwrap_or("")));
    Err(Status::invalid("", "Service", name, &errors))
}

/// Ports on nodes: who has which.
struct Ports {
    used: BTreeSet<i64>,
    /// Those of this write.
    mine: Vec<i64>,
    dry_run: bool,
}

impl Ports {
    fn new(api: &ApiServer, dry_run: bool) -> Ports {
        let mut used = BTreeSet::new();
        for service in api.store.list(SERVICE, None) {
            used.extend(service.list_at("spec.ports").iter().filter_map(|it| it.i64_at("nodePort")));
            used.extend(service.i64_at("spec.healthCheckNodePort"));
        }
        used.remove(&0);
        Ports { used, mine: Vec::new(), dry_run }
    }

    fn take(&mut self, port: i64) -> Result<(), String> {
        if !self.dry_run && !PORTS.contains(&port) {
            let (first, last) = (PORTS.start(), PORTS.end());
            return Err(format!("provided port is not in the valid range. The range of valid ports is {first}-{last}"));
        }
        if self.used.contains(&port) || self.mine.contains(&port) {
            return Err("provided port is already allocated".to_owned());
        }
        self.mine.push(port);
        Ok(())
    }

    /// A free port; a dry run answers numbers that nobody gets.
    fn next(&mut self, rng: &mut Rng) -> Result<i64, Status> {
        let port = if self.dry_run {
            Some(self.mine.iter().max().copied().unwrap_or(DRY_RUN_PORT) + 1)
        } else {
            let first = PORTS.start() + STATIC_PORTS;
            let start = first + rng.below((PORTS.end() - first + 1) as u64) as i64;
            let mut all = (start..=*PORTS.end()).chain(first..start).chain(*PORTS.start()..first);
            all.find(|it| !self.used.contains(it) && !self.mine.contains(it))
        };
        let port = port.ok_or_else(|| Status::internal("failed to allocate a nodePort: range is full"))?;
        self.mine.push(port);
        Ok(port)
    }

    fn asked(&mut self, idx: usize, port: i64) -> Result<(), Errors> {
        self.take(port).map_err(|problem| {
            let mut errors = Errors::new();
            errors.invalid(format!("spec.ports[{idx}].nodePort"), port, problem);
            errors
        })
    }

    /// Ports of one number share a port on nodes, whatever their protocols (`initNodePorts`).
    fn of_new(&mut self, spec: &mut Map, rng: &mut Rng) -> Result<(), Errors> {
        let allocates = allocates_node_ports(spec);
        let ports: Vec<(i64, i64)> =
            listed(spec, "ports").iter().map(|it| (number(it, "port"), number(it, "nodePort"))).collect();
        let mut given: BTreeMap<i64, i64> = BTreeMap::new();
        let mut chosen = Vec::new();
        for (idx, (port, node_port)) in ports.iter().copied().enumerate() {
            let mut choice = node_port;
            match given.get(&port).copied() {
                _ if node_port == 0 && !allocates => (),
                None => {
                    choice = match ports.iter().find(|it| it.0 == port && it.1 != 0) {
                        Some((_, asked)) => {
                            self.asked(idx, *asked)?;
                            *asked
                        }
                        None => self.next(rng).map_err(|_| full())?,
                    };
                    given.insert(port, choice);
                }
                Some(given) if node_port == 0 => choice = given,
                Some(given) if node_port != given => self.asked(idx, node_port)?,
                Some(_) => (),
            }
            chosen.push(choice);
        }
        set(spec, &chosen);
        Ok(())
    }

    /// `updateNodePorts`
    fn of_changed(
        &mut self,
        spec: &mut Map,
        before: &Map,
        rng: &mut Rng,
        invalid: &dyn Fn(Errors) -> Status,
    ) -> Result<(), Status> {
        let allocates = allocates_node_ports(spec);
        let had: BTreeSet<i64> = listed(before, "ports").iter().map(|it| number(it, "nodePort")).collect();
        let mut chosen = Vec::new();
        let mut seen = BTreeSet::new();
        let ports = listed(spec, "ports").to_vec();
        for (idx, port) in ports.iter().enumerate() {
            let mut choice = number(port, "nodePort");
            if choice != 0 || allocates {
                if choice == 0 {
                    choice = self.next(rng)?;
                } else if !had.contains(&choice) && !self.mine.contains(&choice) {
                    self.asked(idx, choice).map_err(invalid)?;
                }
                let protocol = port.str_at("protocol").unwrap_or("");
                if !seen.insert((protocol, choice)) {
                    return Err(Status::internal(&format!("duplicate nodePort: {{{protocol} {choice}}}")));
                }
            }
            chosen.push(choice);
        }
        set(spec, &chosen);
        Ok(())
    }

    fn of_health_check(&mut self, spec: &mut Map, rng: &mut Rng) -> Result<(), Status> {
        match spec.get("healthCheckNodePort").and_then(Value::as_i64).unwrap_or(0) {
            0 => {
                let port = self.next(rng)?;
                spec.insert("healthCheckNodePort", port);
            }
            asked => self.take(asked).map_err(|problem| {
                Status::internal(&format!("failed to allocate requested HealthCheck NodePort {asked}: {problem}"))
            })?,
        }
        Ok(())
    }
}

fn full() -> Errors {
    let mut errors = Errors::new();
    errors.invalid("spec.ports", Value::Null, "failed to allocate a nodePort: range is full");
    errors
}

fn number(port: &Value, key: &'static str) -> i64 {
    port.i64_at(key).unwrap_or(0)
}

fn set(spec: &mut Map, chosen: &[i64]) {
    let mut chosen = chosen.iter();
    spec.edit_maps("ports", |port| {
        if let Some(choice) = chosen.next().filter(|it| **it != 0)
            && port.get("nodePort").and_then(Value::as_i64) != Some(*choice)
        {
            port.insert("nodePort", *choice);
        }
    });
}
