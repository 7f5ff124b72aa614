//! Keeps the Endpoints of Services that select pods (`pkg/controller/endpoint`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kinds::{ENDPOINTS, POD, SERVICE};
use meta::{Key, KindId, Metadata, Object, Status};
use runtime::{Action, Cx, Reconciler, Watch};
use value::{Map, Str, Value, map, time};

use crate::{pods, services};

const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
const MANAGER: &str = "endpoint-controller";
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";
/// Addresses that an Endpoints object has at most.
const CAPACITY: usize = 1000;

#[derive(Default)]
pub(crate) struct Endpoints {
    triggers: services::TriggerTimes,
}

impl Reconciler for Endpoints {
    fn name(&self) -> &'static str {
        "endpoints"
    }

    fn kind(&self) -> KindId {
        SERVICE
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::itself(SERVICE),
            Watch::map(POD, services::of_pod).on(services::ENDPOINT_NEWS),
            Watch::map(ENDPOINTS, |change, _, keys| {
                if change.after.is_none() {
                    keys.push(change.object().key());
                }
            }),
        ]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(service) = cx.get(SERVICE, key) else {
            self.triggers.forget(key);
            return match cx.get(ENDPOINTS, key).map(|_| cx.delete(ENDPOINTS, key)) {
                Some(Err(status)) if !status.is_not_found() => Err(status),
                _ => Ok(Action::AwaitChange),
            };
        };
        let Some(selector) = services::selector(&service) else { return Ok(Action::AwaitChange) };
        let pods = services::pods_of(cx, &service, &selector);
        let trigger = self.triggers.of(&service, &pods);
        let subsets = subsets(&service, &pods);
        store(cx, &service, subsets, trigger)?;
        Ok(Action::AwaitChange)
    }
}

/// # Errors
/// A failed request, recorded.
fn store(cx: &mut Cx<'_>, service: &Object, subsets: Vec<Value>, trigger: Option<i64>) -> Result<(), Status> {
    const OURS: [&str; 2] = [services::HEADLESS, MANAGED_BY];
    let live = cx.get(ENDPOINTS, &service.key());
    if let Some(live) = &live {
        let n_addresses: usize = live
            .list_at("subsets")
            .iter()
            .map(|it| it.list_at("addresses").len() + it.list_at("notReadyAddresses").len())
            .sum();
        let is_marked = live.meta.annotations.contains_key(OVER_CAPACITY);
        let labels_match = live.meta.label(MANAGED_BY) == Some(MANAGER)
            && services::labels_without(&live.meta.labels, &OURS)
                == services::labels_without(&service.meta.labels, &OURS);
        if live.list_at("subsets") == subsets && labels_match && n_addresses <= CAPACITY && !is_marked {
            return Ok(());
        }
    }
    let is_new = live.is_none();
    let mut object = match live {
        Some(live) => Object::clone(&live),
        None => Object {
            kind: ENDPOINTS,
            meta: Metadata::new(&service.meta.namespace, &service.meta.name),
            body: Map::new(),
        },
    };
    let (subsets, is_cut) = truncated(subsets);
    object.meta.labels = services::labels_without(&service.meta.labels, &OURS).with(MANAGED_BY, MANAGER);
    if services::is_headless(service) {
        object.meta.labels.insert(services::HEADLESS, "");
    }
    mark(&mut object.meta.annotations, services::TRIGGER_TIME, trigger.map(time::format_secs));
    mark(&mut object.meta.annotations, OVER_CAPACITY, is_cut.then(|| Str::from("truncated")));
    object.body.remove("subsets");
    if !subsets.is_empty() {
        object.body.insert("subsets", subsets);
    }
    let about = object.clone();
    let res = if is_new { cx.create(object) } else { cx.update(object) };
    let Err(status) = res else { return Ok(()) };
    if is_new && pods::is_namespace_terminating(&status) {
        return Ok(());
    }
    let (namespace, name) = (service.namespace(), service.name());
    let (reason, message) = if is_new {
        (
            "FailedToCreateEndpoint",
            format!("Failed to create endpoint for service {namespace}/{name}: {}", status.message),
        )
    } else {
        ("FailedToUpdateEndpoint", format!("Failed to update endpoint {namespace}/{name}: {}", status.message))
    };
    cx.event(&about, "Warning", reason, &message);
    Err(status)
}

fn mark(annotations: &mut Map, key: &str, text: Option<Str>) {
    match text {
        Some(text) => annotations.insert(key, text),
        None => {
            annotations.remove(key);
        }
    }
}

/// Addresses by name and uid, whether each is ready.
type Addresses = BTreeMap<(Str, Str), bool>;

/// Subsets in canonical form: no address stands twice, and one that is not ready somewhere is not ready (`RepackSubsets`).
pub(crate) fn repacked(subsets: &[Value]) -> Vec<Value> {
    let mut shown: BTreeMap<(Str, Str), Value> = BTreeMap::new();
    let mut by_port: Vec<(Value, Addresses)> = Vec::new();
    for subset in subsets {
        let ports = subset.list_at("ports");
        for port in if ports.is_empty() { &[Value::Null] } else { ports } {
            let addresses = of_port(&mut by_port, port);
            for (list, is_ready) in [("addresses", true), ("notReadyAddresses", false)] {
                for address in subset.list_at(list) {
                    let text = |path: &'static str| Str::from(address.str_at(path).unwrap_or(""));
                    let key = (text("ip"), text("targetRef.uid"));
                    shown.entry(key.clone()).or_insert_with(|| address.clone());
                    addresses.entry(key).and_modify(|it| *it &= is_ready).or_insert(is_ready);
                }
            }
        }
    }
    by_addresses(&by_port, &shown)
}

fn of_port<'a>(by_port: &'a mut Vec<(Value, Addresses)>, port: &Value) -> &'a mut Addresses {
    let idx = by_port.iter().position(|(it, _)| it == port).unwrap_or(by_port.len());
    if idx == by_port.len() {
        by_port.push((port.clone(), Addresses::new()));
    }
    &mut by_port[idx].1
}

/// The pods of a Service as subsets.
fn subsets(service: &Object, pods: &[Arc<Object>]) -> Vec<Value> {
    let is_v6 = service.list_at("spec.ipFamilies").first().and_then(Value::as_str) == Some("IPv6");
    let tolerates = services::publishes_not_ready(service);
    let ports = service.list_at("spec.ports");
    let is_portless = ports.is_empty() && service.str_at("spec.clusterIP") == Some("None");
    let mut shown: BTreeMap<(Str, Str), Value> = BTreeMap::new();
    let mut by_port: Vec<(Value, Addresses)> = Vec::new();
    for pod in pods.iter().filter(|it| services::is_endpoint(it, tolerates)) {
        let Some(ip) = services::addresses(pod, is_v6).into_iter().next() else { continue };
        let key = (ip.clone(), pod.meta.uid.clone());
        let is_ready = tolerates || pods::is_ready(pod);
        let mut offered: Vec<Value> = ports.iter().filter_map(|it| offered_port(pod, it)).collect();
        if is_portless {
            offered.push(Value::Null);
        }
        if !offered.is_empty() {
            shown.insert(key.clone(), address(service, pod, ip));
        }
        for port in offered {
            of_port(&mut by_port, &port).insert(key.clone(), is_ready);
        }
    }
    by_addresses(&by_port, &shown)
}

/// Addresses that offer the same ports stand together.
fn by_addresses(by_port: &[(Value, Addresses)], shown: &BTreeMap<(Str, Str), Value>) -> Vec<Value> {
    let mut by_addresses: BTreeMap<Addresses, BTreeSet<usize>> = BTreeMap::new();
    for (idx, (_, addresses)) in by_port.iter().enumerate() {
        by_addresses.entry(addresses.clone()).or_default().insert(idx);
    }
    let mut res: Vec<Value> = by_addresses
        .into_iter()
        .map(|(addresses, ports)| {
            let mut ports: Vec<Value> =
                ports.into_iter().filter_map(|idx| by_port.get(idx)).map(|(it, _)| it.clone()).collect();
            ports.retain(|it| !it.is_null());
            ports.sort_by(|a, b| services::by_hash(a, b, printed));
            let listed = |ready: bool| -> Vec<Value> {
                let some = addresses.iter().filter(|(_, it)| **it == ready);
                some.filter_map(|(key, _)| shown.get(key).cloned()).collect()
            };
            subset(listed(true), listed(false), ports)
        })
        .collect();
    res.sort_by_cached_key(|it| it.list_at("ports").iter().map(printed).collect::<Vec<_>>());
    res
}

fn subset(ready: Vec<Value>, not_ready: Vec<Value>, ports: Vec<Value>) -> Value {
    let mut res = Map::new();
    for (key, list) in [("addresses", ready), ("notReadyAddresses", not_ready), ("ports", ports)] {
        if !list.is_empty() {
            res.insert(key, list);
        }
    }
    Value::Map(res)
}

fn offered_port(pod: &Object, service_port: &Value) -> Option<Value> {
    let mut port = map!({ "port": services::find_port(pod, service_port)? });
    for key in ["appProtocol", "name", "protocol"] {
        if let Some(it) = service_port.get(key).filter(|it| it.as_str() != Some("")) {
            port.insert(key, it);
        }
    }
    Some(Value::Map(port))
}

/// As Go prints a `v1.EndpointPort`.
fn printed(port: &Value) -> String {
    let text = |key: &'static str| port.str_at(key).unwrap_or("");
    format!(
        "(v1.EndpointPort){{Name:(string){} Port:(int32){} Protocol:(v1.Protocol){} AppProtocol:(*string){}}}",
        text("name"),
        port.i64_at("port").unwrap_or(0),
        text("protocol"),
        port.str_at("appProtocol").unwrap_or("<nil>"),
    )
}

fn address(service: &Object, pod: &Object, ip: Str) -> Value {
    let mut res = map!({
        "ip": ip,
        "nodeName": pod.at("spec.nodeName").cloned().unwrap_or_else(|| "".into()),
        "targetRef": { "kind": "Pod", "name": &pod.meta.name, "namespace": &pod.meta.namespace, "uid": &pod.meta.uid },
    });
    if let Some(host) = services::hostname(pod, service) {
        res.insert("hostname", host);
    }
    Value::Map(res)
}

/// At most [`CAPACITY`] addresses, ready ones first, from all subsets in proportion (`truncateEndpoints`).
fn truncated(mut subsets: Vec<Value>) -> (Vec<Value>, bool) {
    let total = |key: &'static str| subsets.iter().map(|it| it.list_at(key).len()).sum::<usize>();
    let (n_ready, n_not_ready) = (total("addresses"), total("notReadyAddresses"));
    if n_ready + n_not_ready <= CAPACITY {
        return (subsets, false);
    }
    let cuts_ready = n_ready > CAPACITY;
    let (key, room, n_all) = if cuts_ready {
        ("addresses", CAPACITY, n_ready)
    } else {
        ("notReadyAddresses", CAPACITY - n_ready, n_not_ready)
    };
    let mut left = room;
    for subset in &mut subsets {
        let list = subset.list_at(key).to_vec();
        let share = (list.len() * room).div_ceil(n_all.max(1)).min(left);
        left -= share;
        if cuts_ready {
            subset.remove("notReadyAddresses");
        }
        match share {
            0 => {
                subset.remove(key);
            }
            _ => subset.set(key, Value::from(list.into_iter().take(share).collect::<Vec<_>>())),
        }
    }
    subsets.retain(|it| !it.list_at("addresses").is_empty() || !it.list_at("notReadyAddresses").is_empty());
    (subsets, true)
}

#[cfg(test)]
mod tests;
