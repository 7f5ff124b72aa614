//! Endpoints of a Service, and which of them a node's proxy chooses (`pkg/proxy/topology.go`).

use std::net::IpAddr;

use kinds::ENDPOINT_SLICE;
use meta::{Key, Object};
use runtime::View;
use value::{Str, Value};

use crate::address::{self, hash};

/// One address behind a Service.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint<'a> {
    pub ip: IpAddr,
    /// The port behind the Service's, if it was asked for.
    pub port: u16,
    pub node: &'a str,
    pub hostname: Option<&'a str>,
    pub pod: Option<Key>,
    pub ready: bool,
    serving: bool,
    terminating: bool,
    hints: Option<&'a Value>,
}

impl Endpoint<'_> {
    /// `10.0.0.7`, or the pod that has it.
    pub fn name(&self) -> String {
        self.pod.as_ref().map_or_else(|| self.ip.to_string(), |it| format!("pod {it}"))
    }
}

/// How a proxy may choose.
pub(crate) struct Choice<'a> {
    /// The node whose proxy chooses.
    pub node: &'a str,
    pub zone: &'a str,
    /// Only endpoints of this node, by a policy of this name.
    pub local: Option<&'static str>,
    /// The client, for Services that remember it.
    pub client: Option<IpAddr>,
    pub turn: u64,
}

/// Why there is no endpoint to choose.
pub(crate) enum Nothing {
    NoEndpoints(String),
    /// There are some, but none on this node.
    NoLocal(String),
}

/// The endpoints of a Service in its slices of one family, of the port of that name or, without one, of any.
pub(crate) fn of<'a>(view: &View<'a>, service: &Object, v6: bool, port: Option<&str>) -> Vec<Endpoint<'a>> {
    let family = if v6 { "IPv6" } else { "IPv4" };
    let slices = view.list(ENDPOINT_SLICE, Some(own(view, service)));
    let mut all = Vec::new();
    for slice in slices {
        let is_its = slice.meta.label("kubernetes.io/service-name") == Some(service.name());
        if !is_its || slice.str_at("addressType") != Some(family) {
            continue;
        }
        let number = match port {
            Some(name) => {
                let named = |it: &&Value| it.str_at("name").unwrap_or("") == name;
                let Some(found) = slice.list_at("ports").iter().find(named) else { continue };
                found.i64_at("port").and_then(|it| u16::try_from(it).ok()).unwrap_or(0)
            }
            None => 0,
        };
        all.extend(slice.list_at("endpoints").iter().filter_map(|it| endpoint(it, number)));
    }
    all.sort_by_key(|it| it.ip);
    all.dedup_by_key(|it| it.ip);
    all
}

/// The Service's namespace, living as long as the store.
fn own<'a>(view: &View<'a>, service: &Object) -> &'a str {
    let namespace = view.get(kinds::NAMESPACE, &Key::cluster(service.namespace()));
    namespace.map_or("", |it| it.name())
}

fn endpoint(it: &Value, port: u16) -> Option<Endpoint<'_>> {
    let condition = |name: &'static str| it.get("conditions").and_then(|it| it.bool_at(name));
    let ready = condition("ready").unwrap_or(true);
    let target = it.get("targetRef").filter(|it| it.str_at("kind") == Some("Pod"));
    Some(Endpoint {
        ip: it.list_at("addresses").first()?.as_str()?.parse().ok()?,
        port,
        node: it.str_at("nodeName").unwrap_or(""),
        hostname: it.str_at("hostname"),
        pod: target.map(|it| Key::new(it.str_at("namespace").unwrap_or(""), it.str_at("name").unwrap_or(""))),
        ready,
        serving: condition("serving").unwrap_or(ready),
        terminating: condition("terminating").unwrap_or(false),
        hints: it.get("hints"),
    })
}

/// The endpoint that a proxy sends a connection to, and why it is that one.
///
/// # Errors
/// Why there is none.
pub(crate) fn choose<'a>(
    service: &Object,
    all: &[Endpoint<'a>],
    choice: &Choice<'_>,
) -> Result<(Endpoint<'a>, String), Nothing> {
    let ready: Vec<&Endpoint<'a>> = all.iter().filter(|it| it.ready).collect();
    let dying: Vec<&Endpoint<'a>> = all.iter().filter(|it| it.serving && it.terminating).collect();
    let (usable, mut why) = match (ready.is_empty(), dying.is_empty()) {
        (false, _) => (ready, Vec::new()),
        (true, false) => {
            (dying, vec!["none is ready, so those that still serve while they terminate are used".to_owned()])
        }
        (true, true) => return Err(Nothing::NoEndpoints(nothing_usable(all))),
    };
    let n_usable = usable.len();
    let usable = match choice.local {
        Some(policy) => {
            let local: Vec<_> = all
                .iter()
                .filter(|it| it.node == choice.node && (it.ready || (it.serving && it.terminating)))
                .collect();
            let ready: Vec<_> = local.iter().copied().filter(|it| it.ready).collect();
            let local = if ready.is_empty() { local } else { ready };
            if local.is_empty() {
                return Err(Nothing::NoLocal(format!(
                    "{policy} is Local and none of the {n_usable} usable endpoints is on node {}",
                    choice.node
                )));
            }
            why.push(format!("{policy} is Local: {} of {n_usable} on node {}", local.len(), choice.node));
            local
        }
        None => near(usable, choice, &mut why),
    };
    let turn = match choice.client.filter(|_| service.str_at("spec.sessionAffinity") == Some("ClientIP")) {
        Some(client) => {
            why.push(format!("sessionAffinity is ClientIP, so {client} always gets the same"));
            hash(&client.to_string())
        }
        None => choice.turn,
    };
    let chosen = address::choose(&usable, turn).cloned();
    let chosen = chosen.ok_or_else(|| Nothing::NoEndpoints(nothing_usable(all)))?;
    why.insert(0, format!("one of {}", usable.len()));
    Ok((chosen, why.join("; ")))
}

/// The endpoints that the hints of a `trafficDistribution` prefer, where all have hints and one is for here.
fn near<'e, 'a>(usable: Vec<&'e Endpoint<'a>>, choice: &Choice<'_>, why: &mut Vec<String>) -> Vec<&'e Endpoint<'a>> {
    for (key, here, what) in [("forNodes", choice.node, "node"), ("forZones", choice.zone, "zone")] {
        let names = |it: &Endpoint<'a>| it.hints.map_or(&[][..], |it| it.list_at(key));
        if here.is_empty() || usable.iter().any(|it| names(it).is_empty()) {
            continue;
        }
        let for_here = |it: &&&Endpoint<'a>| names(it).iter().any(|it| it.str_at("name") == Some(here));
        let near: Vec<&Endpoint<'a>> = usable.iter().filter(for_here).copied().collect();
        if !near.is_empty() {
            why.push(format!("trafficDistribution prefers those of {what} {here}"));
            return near;
        }
    }
    usable
}

fn nothing_usable(all: &[Endpoint<'_>]) -> String {
    match all.len() {
        0 => "it has no endpoints: no pod that its selector matches has an address".to_owned(),
        1 => format!("its one endpoint, {}, is not ready", all.first().map(Endpoint::name).unwrap_or_default()),
        n => format!("none of its {n} endpoints is ready"),
    }
}

/// The address as CoreDNS makes a name of it for endpoints without a host name.
pub(crate) fn dashed(ip: IpAddr) -> Str {
    ip.to_string().replace(['.', ':'], "-").into()
}
