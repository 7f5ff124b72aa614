//! Gives out addresses and ports on nodes to Services.
//!
//! Follows `pkg/registry/core/service/storage/alloc.go`. What is taken is read off the stored Services,
//! so nothing has to be given back.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use kinds::SERVICE;
use kinds::service::{allocates_node_ports, complete, needs_health_check, takes_address};
use meta::{Errors, Object, Status};
use sim::Rng;
use value::{Map, Value};

use crate::server::ApiServer;
use crate::write::Write;

/// `10.96.0.0/16`
const NETWORK: u32 = u32::from_be_bytes([10, 96, 0, 0]);
const NETWORK_TEXT: &str = "10.96.0.0/16";
/// Addresses of the network but for the first and the last.
const LAST_HOST: u32 = 0xfffe;
/// Below are addresses that users name themselves; others come from above while there are any.
const STATIC_HOSTS: u32 = 256;
const PORTS: std::ops::RangeInclusive<i64> = 30_000..=32_767;
const STATIC_PORTS: i64 = 86;
/// The port after which a dry run counts.
const DRY_RUN_PORT: i64 = 32_768;

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
        let ip = address(api, write, object, &spec).map_err(invalid)?;
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
fn address(api: &mut ApiServer, write: &Write, object: &Object, spec: &Map) -> Result<String, Errors> {
    let is_server = object.meta.namespace == "default" && object.meta.name == "kubernetes";
    let mut used: BTreeSet<u32> = api
        .store
        .list(SERVICE, None)
        .flat_map(|it| it.list_at("spec.clusterIPs"))
        .filter_map(|it| it.as_str()?.parse::<Ipv4Addr>().ok())
        .map(u32::from)
        .collect();
    if !is_server {
        used.insert(NETWORK + 1);
    }
    let asked = listed(spec, "clusterIPs").first().and_then(Value::as_str).filter(|it| !it.is_empty());
    if let Some(text) = asked {
        let ip = text.parse::<Ipv4Addr>().map_or(0, u32::from);
        let problem = if !(NETWORK + 1..=NETWORK + LAST_HOST).contains(&ip) {
            format!("the provided IP ({text}) is not in the valid range. The range of valid IPs is {NETWORK_TEXT}")
        } else if used.contains(&ip) {
            "provided IP is already allocated".to_owned()
        } else {
            return Ok(text.to_owned());
        };
        let mut errors = Errors::new();
        let bad = spec.get("clusterIPs").cloned().unwrap_or_default();
        errors.invalid("spec.clusterIPs", bad, format!("failed to allocate IP {text}: {problem}"));
        return Err(errors);
    }
    if write.dry_run {
        return Ok(Ipv4Addr::from(NETWORK).to_string());
    }
    let upper = u64::from(LAST_HOST - STATIC_HOSTS);
    let start = STATIC_HOSTS + api.rng.below(upper) as u32;
    let hosts = (start..=LAST_HOST).chain(STATIC_HOSTS..start).chain(1..STATIC_HOSTS);
    match hosts.map(|host| NETWORK + host).find(|it| !used.contains(it)) {
        Some(ip) => Ok(Ipv4Addr::from(ip).to_string()),
        None => {
            let mut errors = Errors::new();
            errors.invalid("spec.clusterIPs", Value::Null, "failed to allocate IP: range is full");
            Err(errors)
        }
    }
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

fn number(port: &Value, key: &str) -> i64 {
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
