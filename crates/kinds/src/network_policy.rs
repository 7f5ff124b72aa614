//! NetworkPolicy. Follows `pkg/apis/networking/validation`.

use meta::{Errors, Object, names};
use value::{Map, Value};

use crate::path::Path;
use crate::pod_template::fields::{
    child, child_or_empty, has, list, maps, named, one_of, opt_int, opt_text, text, texts,
};
use crate::pod_template::labels;
use crate::workload::{edit_or_make, spec};
use crate::{Kind, Scope, Strategy, columns};

/// Directions and where each keeps its peers.
const DIRECTIONS: [(&str, &str); 2] = [("ingress", "from"), ("egress", "to")];

pub(crate) const KIND: Kind = Kind {
    short_names: &["netpol"],
    definition: "io.k8s.api.networking.v1.NetworkPolicy",
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Pod-Selector", "Pods to which it applies.", |it, _| {
                    columns::or_none(columns::selector(it.map_at("spec.podSelector"))).into()
                }),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        default,
        validate: |it, errors| validate(spec(it), &[], errors),
        validate_update: |new, old, errors| validate(spec(new), &blocks(spec(old)), errors),
        warnings: |new, _| warnings(spec(new)),
        generation: true,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Namespaced, "networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
};

fn default(it: &mut Object) {
    edit_or_make(&mut it.body, "spec", |spec| {
        if list(spec, "policyTypes").is_empty() {
            let mut types = vec![Value::from("Ingress")];
            if !list(spec, "egress").is_empty() {
                types.push("Egress".into());
            }
            spec.insert("policyTypes", types);
        }
        for (direction, _) in DIRECTIONS {
            spec.edit_maps(direction, |rule| rule.edit_maps("ports", |it| it.set_default("protocol", "TCP")));
        }
    });
}

/// Ranges that were there before are not looked at again.
fn blocks(spec: &Map) -> Vec<&str> {
    let mut res = Vec::new();
    for (direction, peers) in DIRECTIONS {
        for (_, rule) in maps(spec, direction) {
            for block in maps(rule, peers).filter_map(|(_, it)| child(it, "ipBlock")) {
                res.push(text(block, "cidr"));
                res.extend(texts(block, "except").map(|(_, it)| it));
            }
        }
    }
    res
}

fn validate(spec: &Map, known: &[&str], errors: &mut Errors) {
    let path = Path::root("spec");
    labels::validate_selector(child(spec, "podSelector"), &path.child("podSelector"), errors);
    for (direction, peers) in DIRECTIONS {
        for (idx, rule) in maps(spec, direction) {
            let path = path.child(direction);
            let path = path.index(idx);
            for (idx, it) in maps(rule, "ports") {
                port(it, &path.child("ports").index(idx), errors);
            }
            for (idx, it) in maps(rule, peers) {
                peer(it, known, &path.child(peers).index(idx), errors);
            }
        }
    }
    let types = path.child("policyTypes");
    if list(spec, "policyTypes").len() > DIRECTIONS.len() {
        let bad = spec.get("policyTypes").cloned().unwrap_or_default();
        return types.invalid(errors, bad, "may not specify more than two policyTypes");
    }
    for (idx, kind) in texts(spec, "policyTypes") {
        one_of(kind, &["Ingress", "Egress"], &types.index(idx), errors);
    }
}

fn port(port: &Map, path: &Path<'_>, errors: &mut Errors) {
    if let Some(protocol) = opt_text(port, "protocol") {
        one_of(protocol, &["TCP", "UDP", "SCTP"], &path.child("protocol"), errors);
    }
    let end = opt_int(port, "endPort");
    let (port_path, end_path) = (path.child("port"), path.child("endPort"));
    let in_range = |number: i64, path: &Path<'_>, errors: &mut Errors| {
        names::port_number(number).iter().for_each(|it| path.invalid(errors, number, it));
    };
    match (port.get("port").filter(|it| !it.is_null()), end) {
        (Some(Value::Int(number)), end) => {
            in_range(*number, &port_path, errors);
            let Some(end) = end else { return };
            if end < *number {
                // Upstream shows the other end.
                end_path.invalid(errors, *number, "must be greater than or equal to `port`");
            }
            in_range(end, &end_path, errors);
        }
        (Some(name), end) => {
            if let Some(end) = end {
                end_path.invalid(errors, end, "may not be specified when `port` is non-numeric");
            }
            named(name.as_str().unwrap_or(""), names::port_name, &port_path, errors);
        }
        (None, Some(end)) => end_path.invalid(errors, end, "may not be specified when `port` is not specified"),
        (None, None) => (),
    }
}

fn peer(peer: &Map, known: &[&str], path: &Path<'_>, errors: &mut Errors) {
    let mut n_peers = 0;
    for key in ["podSelector", "namespaceSelector"] {
        if let Some(selector) = child(peer, key) {
            n_peers += 1;
            labels::validate_selector(Some(selector), &path.child(key), errors);
        }
    }
    if let Some(block) = child(peer, "ipBlock") {
        n_peers += 1;
        ip_block(block, known, &path.child("ipBlock"), errors);
    }
    if n_peers == 0 {
        path.required(errors, "must specify a peer");
    } else if n_peers > 1 && has(peer, "ipBlock") {
        path.forbidden(errors, "may not specify both ipBlock and another peer");
    }
}

fn ip_block(block: &Map, known: &[&str], path: &Path<'_>, errors: &mut Errors) {
    let cidr = text(block, "cidr");
    if cidr.is_empty() {
        return path.child("cidr").required(errors, "");
    }
    let range = |text: &str, path: &Path<'_>, errors: &mut Errors| {
        if !known.contains(&text) {
            named(text, names::legacy_cidr, path, errors);
        }
        names::sloppy_cidr(text)
    };
    let Some((network, length)) = range(cidr, &path.child("cidr"), errors) else { return };
    for (idx, except) in texts(block, "except") {
        let path = path.child("except");
        let path = path.index(idx);
        let Some((ip, inner)) = range(except, &path, errors) else { continue };
        let inside = ip.is_ipv4() == network.is_ipv4()
            && names::network_of(names::network_of(ip, inner), length) == names::network_of(network, length);
        if !inside || length >= inner {
            path.invalid(errors, except, "must be a strict subset of `cidr`");
        }
    }
}

fn warnings(spec: &Map) -> Vec<String> {
    let mut res = Vec::new();
    for (direction, peers) in DIRECTIONS {
        for (i, rule) in maps(spec, direction) {
            for (j, peer) in maps(rule, peers) {
                let block = child_or_empty(peer, "ipBlock");
                let at = format!("spec.{direction}[{i}].{peers}[{j}].ipBlock");
                for warning in names::cidr_warnings(text(block, "cidr")) {
                    res.push(format!("{at}.cidr: {warning}"));
                }
                for (k, except) in texts(block, "except") {
                    for warning in names::cidr_warnings(except) {
                        res.push(format!("{at}.except[{k}]: {warning}"));
                    }
                }
            }
        }
    }
    res
}
