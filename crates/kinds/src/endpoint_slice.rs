//! EndpointSlice. Follows `pkg/apis/discovery/validation` and `pkg/registry/discovery/endpointslice`.

use std::collections::BTreeSet;

use meta::{Errors, Object, names};
use value::{Map, Value};

use crate::path::Path;
use crate::pod_template::fields::{
    child, child_or_empty, list, maps, named, one_of, opt_int, opt_text, required_one_of, text, texts,
};
use crate::pod_template::labels;
use crate::service::endpoint_ip;
use crate::{Kind, Scope, Strategy, columns, spec_changed};

const TOPOLOGY_LABELS_MAX: usize = 16;
const ADDRESSES_MAX: usize = 100;
const PORTS_MAX: usize = 20_000;
const ENDPOINTS_MAX: usize = 1000;
const HINTS_MAX: usize = 8;

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.discovery.v1.EndpointSlice",
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("AddressType", "What the addresses are.", |it, _| columns::string(it, "addressType")),
                columns::text("Ports", "Ports of all endpoints.", |it, _| shown_ports(&it.body).into()),
                columns::text("Endpoints", "Addresses of the endpoints.", |it, _| shown_addresses(&it.body).into()),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        default: |it| {
            it.body.edit_maps("ports", |it| {
                it.set_default("name", "");
                it.set_default("protocol", "TCP");
            });
        },
        prepare_create: drop_topology,
        prepare_update: |new, old| {
            if new.body.get("endpoints") != old.body.get("endpoints") {
                drop_topology(new);
            }
        },
        validate: |it, errors| validate(it, None, errors),
        validate_update: |new, old, errors| {
            validate(new, Some(old), errors);
            let kind = text(&new.body, "addressType");
            if kind != text(&old.body, "addressType") {
                Path::root("addressType").invalid(errors, kind, "field is immutable");
            }
        },
        warnings,
        generation: true,
        counts: |new, old| spec_changed(new, old) || new.meta.labels != old.meta.labels,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Namespaced, "discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
};

const SHOWN_MAX: usize = 3;

fn shown_ports(body: &Map) -> String {
    let all: Vec<String> = maps(body, "ports")
        .map(|(_, it)| match opt_int(it, "port") {
            Some(port) => port.to_string(),
            None => opt_text(it, "name").unwrap_or("*").to_owned(),
        })
        .collect();
    if all.is_empty() { "<unset>".to_owned() } else { columns::some_of(&all, SHOWN_MAX) }
}

fn shown_addresses(body: &Map) -> String {
    let all: Vec<String> =
        maps(body, "endpoints").flat_map(|(_, it)| texts(it, "addresses")).map(|(_, it)| it.to_owned()).collect();
    if all.is_empty() { "<unset>".to_owned() } else { columns::some_of(&all, SHOWN_MAX) }
}

/// Version 1 has a field for the node and none for other labels of it.
fn drop_topology(it: &mut Object) {
    it.body.edit_maps("endpoints", |it| {
        if it.contains_key("deprecatedTopology") {
            it.remove("deprecatedTopology");
        }
    });
}

fn validate(it: &Object, old: Option<&Object>, errors: &mut Errors) {
    let kind = text(&it.body, "addressType");
    required_one_of(kind, &["FQDN", "IPv4", "IPv6"], &Path::root("addressType"), errors);
    ports(&it.body, errors);
    let unchanged = old.is_some_and(|old| old.body.get("endpoints") == it.body.get("endpoints"));
    if !unchanged {
        endpoints(&it.body, kind, errors);
    }
}

fn ports(body: &Map, errors: &mut Errors) {
    let path = Path::root("ports");
    let n_ports = list(body, "ports").len();
    if n_ports > PORTS_MAX {
        return path.too_many(errors, n_ports, PORTS_MAX);
    }
    let mut seen = BTreeSet::new();
    for (idx, port) in maps(body, "ports") {
        let path = path.index(idx);
        let name = text(port, "name");
        if !name.is_empty() {
            named(name, names::dns_label, &path.child("name"), errors);
        }
        if !seen.insert(name) {
            path.child("name").duplicate(errors, name);
        }
        one_of(text(port, "protocol"), &["SCTP", "TCP", "UDP"], &path.child("protocol"), errors);
        if let Some(it) = opt_text(port, "appProtocol") {
            named(it, names::qualified_name, &path.child("appProtocol"), errors);
        }
    }
}

fn endpoints(body: &Map, kind: &str, errors: &mut Errors) {
    let path = Path::root("endpoints");
    let n_endpoints = list(body, "endpoints").len();
    if n_endpoints > ENDPOINTS_MAX {
        return path.too_many(errors, n_endpoints, ENDPOINTS_MAX);
    }
    for (idx, endpoint) in maps(body, "endpoints") {
        let path = path.index(idx);
        addresses(endpoint, kind, &path.child("addresses"), errors);
        if let Some(node) = opt_text(endpoint, "nodeName") {
            named(node, names::dns_subdomain, &path.child("nodeName"), errors);
        }
        let topology = child_or_empty(endpoint, "deprecatedTopology");
        let topology_path = path.child("deprecatedTopology");
        if topology.len() > TOPOLOGY_LABELS_MAX {
            topology_path.too_many(errors, topology.len(), TOPOLOGY_LABELS_MAX);
        }
        labels::validate(topology, &topology_path, errors);
        if let Some(host) = opt_text(endpoint, "hostname") {
            named(host, names::dns_label, &path.child("hostname"), errors);
        }
        if let Some(hints) = child(endpoint, "hints") {
            let path = path.child("hints");
            if hints_of(hints, "forZones", names::label_value, &path, errors) {
                hints_of(hints, "forNodes", names::dns_subdomain, &path, errors);
            }
        }
    }
}

fn addresses(endpoint: &Map, kind: &str, path: &Path<'_>, errors: &mut Errors) {
    match list(endpoint, "addresses").len() {
        0 => path.required(errors, "must contain at least 1 address"),
        n if n > ADDRESSES_MAX => path.too_many(errors, n, ADDRESSES_MAX),
        _ => (),
    }
    for (idx, address) in texts(endpoint, "addresses") {
        let item = path.index(idx);
        let check = match kind {
            "IPv4" => names::legacy_ip,
            "IPv6" => names::ip,
            "FQDN" if address.is_empty() => {
                item.required(errors, "");
                continue;
            }
            "FQDN" => {
                if let Some((bad, message)) = names::fully_qualified_domain_name(address) {
                    item.invalid(errors, bad, &message);
                }
                continue;
            }
            _ => continue,
        };
        let messages = check(address);
        item.invalid_each(errors, address, &messages);
        if !messages.is_empty() {
            continue;
        }
        let is_v4 = names::sloppy_ip(address).is_some_and(|it| it.to_canonical().is_ipv4());
        if is_v4 != (kind == "IPv4") {
            path.invalid(errors, address, &format!("must be an {kind} address"));
        }
        endpoint_ip(address, &item, errors);
    }
}

/// Answers whether there are not too many.
fn hints_of(hints: &Map, key: &str, check: fn(&str) -> Vec<String>, path: &Path<'_>, errors: &mut Errors) -> bool {
    let path = path.child(key);
    let n_hints = list(hints, key).len();
    if n_hints > HINTS_MAX {
        path.too_many(errors, n_hints, HINTS_MAX);
        return false;
    }
    let mut seen = BTreeSet::new();
    for (idx, hint) in maps(hints, key) {
        let path = path.index(idx);
        let (path, name) = (path.child("name"), text(hint, "name"));
        if !seen.insert(name) {
            path.duplicate(errors, name);
        }
        named(name, check, &path, errors);
    }
    true
}

fn warnings(it: &Object, old: Option<&Object>) -> Vec<String> {
    let mut res = Vec::new();
    if old.is_none() && text(&it.body, "addressType") == "FQDN" {
        res.push("spec.addressType: FQDN endpoints are deprecated".to_owned());
    }
    let manager = it.meta.labels.get("endpointslice.kubernetes.io/managed-by").and_then(Value::as_str);
    if matches!(manager, Some("endpointslice-controller.k8s.io" | "endpointslicemirroring-controller.k8s.io")) {
        return res;
    }
    for (idx, endpoint) in maps(&it.body, "endpoints") {
        for (j, address) in texts(endpoint, "addresses") {
            if let Some(warning) = names::ip_warning(address) {
                res.push(format!("endpoints[{idx}].addresses[{j}]: {warning}"));
            }
        }
    }
    res
}
