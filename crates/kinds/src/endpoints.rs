//! Endpoints. Follows `pkg/registry/core/endpoint/strategy.go`.

use meta::{Errors, Object, names};
use value::{Map, Value};

use crate::path::Path;
use crate::pod_template::fields::{int, list, maps, named, opt_text, text};
use crate::service::{endpoint_ip, port_number, protocol};
use crate::{Kind, Scope, Strategy, columns};

pub(crate) const KIND: Kind = Kind {
    short_names: &["ep"],
    definition: "io.k8s.api.core.v1.Endpoints",
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Endpoints", "Addresses and ports.", |it, _| shown(&it.body).into()),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        default: |it| {
            it.body.edit_maps("subsets", |it| {
                it.edit_maps("ports", |it| {
                    if text(it, "protocol").is_empty() {
                        it.insert("protocol", "TCP");
                    }
                });
            });
        },
        validate: |it, errors| subsets(&it.body, errors),
        validate_update: |new, old, errors| {
            if new.body.get("subsets") != old.body.get("subsets") {
                subsets(&new.body, errors);
            }
        },
        warnings: |it, _| warnings(it),
        create_on_update: true,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Namespaced, "", "v1", "Endpoints", "endpoints")
};

/// Such as `10.0.0.1:80,10.0.0.2:80 + 3 more...` (`formatEndpoints`).
fn shown(body: &Map) -> String {
    const SHOWN_MAX: usize = 3;
    if list(body, "subsets").is_empty() {
        return "<none>".to_owned();
    }
    let mut all: Vec<String> = Vec::new();
    for (_, subset) in maps(body, "subsets") {
        let addresses = || maps(subset, "addresses").map(|(_, it)| text(it, "ip"));
        if list(subset, "ports").is_empty() {
            all.extend(addresses().map(str::to_owned));
        }
        for (_, port) in maps(subset, "ports") {
            let port = int(port, "port");
            all.extend(
                addresses().map(|ip| if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }),
            );
        }
    }
    columns::some_of(&all, SHOWN_MAX)
}

fn subsets(body: &Map, errors: &mut Errors) {
    let path = Path::root("subsets");
    for (idx, subset) in maps(body, "subsets") {
        let path = path.index(idx);
        if list(subset, "addresses").is_empty() && list(subset, "notReadyAddresses").is_empty() {
            path.required(errors, "must specify `addresses` or `notReadyAddresses`");
        }
        for key in ["addresses", "notReadyAddresses"] {
            for (idx, it) in maps(subset, key) {
                address(it, &path.child(key).index(idx), errors);
            }
        }
        let requires_name = list(subset, "ports").len() > 1;
        for (idx, it) in maps(subset, "ports") {
            port(it, requires_name, &path.child("ports").index(idx), errors);
        }
    }
}

fn address(address: &Map, path: &Path<'_>, errors: &mut Errors) {
    let ip = text(address, "ip");
    named(ip, names::legacy_ip, &path.child("ip"), errors);
    let host = text(address, "hostname");
    if !host.is_empty() {
        named(host, names::dns_label, &path.child("hostname"), errors);
    }
    if let Some(node) = opt_text(address, "nodeName") {
        named(node, names::dns_subdomain, &path.child("nodeName"), errors);
    }
    endpoint_ip(ip, &path.child("ip"), errors);
}

fn port(port: &Map, requires_name: bool, path: &Path<'_>, errors: &mut Errors) {
    match text(port, "name") {
        "" if requires_name => path.child("name").required(errors, ""),
        "" => (),
        name => named(name, names::dns_label, &path.child("name"), errors),
    }
    port_number(port, path, errors);
    protocol(port, path, errors);
    if let Some(it) = opt_text(port, "appProtocol") {
        named(it, names::qualified_name, &path.child("appProtocol"), errors);
    }
}

fn warnings(it: &Object) -> Vec<String> {
    let mut res = Vec::new();
    let manager = it.meta.labels.get("endpoints.kubernetes.io/managed-by").and_then(Value::as_str);
    if manager == Some("endpoint-controller") {
        return res;
    }
    for (idx, subset) in maps(&it.body, "subsets") {
        for key in ["addresses", "notReadyAddresses"] {
            for (j, address) in maps(subset, key) {
                if let Some(warning) = names::ip_warning(text(address, "ip")) {
                    res.push(format!("subsets[{idx}].{key}[{j}].ip: {warning}"));
                }
            }
        }
    }
    res
}
