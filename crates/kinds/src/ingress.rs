//! Ingress. Follows `pkg/apis/networking/validation` and `pkg/registry/networking/ingress`.

use meta::{Errors, Object, names};
use value::{Map, Value, map};

use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, has, int, list, maps, named, opt_text, text, texts};
use crate::service::{balancer_addresses, balancer_host};
use crate::workload::spec;
use crate::{Kind, Scope, Strategy, Subresource, columns};

/// Where the class was written before there was a field for it.
const CLASS_NOTE: &str = "kubernetes.io/ingress.class";

pub(crate) const KIND: Kind = Kind {
    short_names: &["ing"],
    definition: "io.k8s.api.networking.v1.Ingress",
    subresources: &[Subresource::status("Ingress")],
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Class", "Which controller serves it.", |it, _| {
                    it.str_at("spec.ingressClassName").unwrap_or("<none>").into()
                }),
                columns::text("Hosts", "Hosts that are served.", |it, _| hosts(spec(it)).into()),
                columns::text("Address", "Where it is served.", |it, _| balancer_addresses(it).join(",").into()),
                columns::text("Ports", "Ports on which it is served.", |it, _| {
                    if list(spec(it), "tls").is_empty() { "80".into() } else { "80, 443".into() }
                }),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        prepare_create: |it| it.body.insert("status", map!({ "loadBalancer": {} })),
        validate: |it, errors| {
            validate(it, None, errors);
            let (noted, class) = (class_note(it), opt_text(spec(it), "ingressClassName"));
            if let (Some(noted), Some(class)) = (noted, class)
                && noted != class
            {
                let path = Path::root("annotations");
                path.child(CLASS_NOTE).invalid(errors, noted, "must match `ingressClassName` when both are specified");
            }
        },
        validate_update: |new, old, errors| validate(new, Some(old), errors),
        validate_status,
        warnings: |new, old| {
            if old.is_some() || class_note(new).is_none() || has(spec(new), "ingressClassName") {
                return Vec::new();
            }
            vec![format!("annotation \"{CLASS_NOTE}\" is deprecated, please use 'spec.ingressClassName' instead")]
        },
        ..Strategy::WORKLOAD
    },
    ..Kind::new(Scope::Namespaced, "networking.k8s.io", "v1", "Ingress", "ingresses")
};

fn class_note(it: &Object) -> Option<&str> {
    it.meta.annotations.get(CLASS_NOTE).and_then(Value::as_str)
}

/// `a.example.com,b.example.com,c.example.com + 1 more...` (`formatHosts`)
fn hosts(spec: &Map) -> String {
    const SHOWN_MAX: usize = 3;
    let rules = list(spec, "rules").len();
    let (mut shown, mut more) = (Vec::new(), false);
    for (_, rule) in maps(spec, "rules") {
        more |= shown.len() == SHOWN_MAX;
        let host = text(rule, "host");
        if !more && !host.is_empty() {
            shown.push(host);
        }
    }
    match shown.join(",") {
        all if all.is_empty() => "*".to_owned(),
        all if more => format!("{all} + {} more...", rules - SHOWN_MAX),
        all => all,
    }
}

fn validate(it: &Object, old: Option<&Object>, errors: &mut Errors) {
    let spec = spec(it);
    let path = Path::root("spec");
    let backend = child(spec, "defaultBackend");
    if list(spec, "rules").is_empty() && backend.is_none() {
        let bad = spec.get("rules").cloned().unwrap_or_default();
        path.invalid(errors, bad, "either `defaultBackend` or `rules` must be specified");
    }
    if let Some(backend) = backend {
        backend_of(backend, &path.child("defaultBackend"), errors);
    }
    let old_spec = old.map(crate::workload::spec);
    let old_rules = old_spec.into_iter().flat_map(|it| maps(it, "rules"));
    let had_bad_wildcard = old_rules.filter(|(_, it)| text(it, "host").contains('*')).any(|(_, it)| {
        let mut errors = Errors::new();
        rule_value(it, &path, &mut errors);
        !errors.is_empty()
    });
    for (idx, rule) in maps(spec, "rules") {
        let path = path.child("rules");
        let path = path.index(idx);
        let host = text(rule, "host");
        if !host.is_empty() {
            host_of(host, &path.child("host"), errors);
        }
        if !host.contains('*') || !had_bad_wildcard {
            rule_value(rule, &path, errors);
        }
    }
    tls(spec, old_spec, &path.child("tls"), errors);
    if let Some(class) = opt_text(spec, "ingressClassName") {
        named(class, names::dns_subdomain, &path.child("ingressClassName"), errors);
    }
}

fn host_of(host: &str, path: &Path<'_>, errors: &mut Errors) {
    if names::sloppy_ip(host).is_some() {
        path.invalid(errors, host, "must be a DNS name, not an IP address");
    }
    let check = if host.contains('*') { names::wildcard_dns_subdomain } else { names::dns_subdomain };
    named(host, check, path, errors);
}

fn tls(spec: &Map, before: Option<&Map>, path: &Path<'_>, errors: &mut Errors) {
    let secret_problems = |tls: &Map| match text(tls, "secretName") {
        "" => Vec::new(),
        name => names::dns_subdomain(name),
    };
    let had_bad_name = before.is_some_and(|it| maps(it, "tls").any(|(_, it)| !secret_problems(it).is_empty()));
    for (idx, tls) in maps(spec, "tls") {
        let path = path.index(idx);
        for (idx, host) in texts(tls, "hosts") {
            let check = if host.contains('*') { names::wildcard_dns_subdomain } else { names::dns_subdomain };
            named(host, check, &path.child("hosts").index(idx), errors);
        }
        if !had_bad_name {
            path.child("secretName").invalid_each(errors, text(tls, "secretName"), &secret_problems(tls));
        }
    }
}

fn rule_value(rule: &Map, path: &Path<'_>, errors: &mut Errors) {
    let Some(http) = child(rule, "http") else { return };
    let path = path.child("http.paths");
    if list(http, "paths").is_empty() {
        path.required(errors, "");
    }
    for (idx, it) in maps(http, "paths") {
        http_path(it, &path.index(idx), errors);
    }
}

fn http_path(it: &Map, path: &Path<'_>, errors: &mut Errors) {
    let target = text(it, "path");
    let target_path = path.child("path");
    match opt_text(it, "pathType") {
        None => return path.child("pathType").required(errors, "pathType must be specified"),
        Some("Exact" | "Prefix") => {
            if !target.starts_with('/') {
                target_path.invalid(errors, target, "must be an absolute path");
            }
            for part in ["//", "/./", "/../", "%2f", "%2F"].iter().filter(|it| target.contains(**it)) {
                target_path.invalid(errors, target, &format!("must not contain '{part}'"));
            }
            for end in ["/..", "/."].iter().filter(|it| target.ends_with(**it)) {
                target_path.invalid(errors, target, &format!("cannot end with '{end}'"));
            }
        }
        Some("ImplementationSpecific") => {
            if !target.is_empty() && !target.starts_with('/') {
                target_path.invalid(errors, target, "must be an absolute path");
            }
        }
        Some(kind) => {
            path.child("pathType").not_supported(errors, kind, &["Exact", "ImplementationSpecific", "Prefix"]);
        }
    }
    backend_of(child_or_empty(it, "backend"), &path.child("backend"), errors);
}

fn backend_of(backend: &Map, path: &Path<'_>, errors: &mut Errors) {
    match (child(backend, "resource"), child(backend, "service")) {
        (Some(_), Some(_)) => path.invalid(errors, "", "cannot set both resource and service backends"),
        (Some(resource), None) => reference(resource, &path.child("resource"), errors),
        (None, Some(service)) => service_of(service, path, errors),
        (None, None) => path.invalid(errors, "", "resource or service backend is required"),
    }
}

fn service_of(service: &Map, path: &Path<'_>, errors: &mut Errors) {
    match text(service, "name") {
        "" => path.child("service.name").required(errors, ""),
        name => named(name, names::dns_label, &path.child("service.name"), errors),
    }
    let port = child_or_empty(service, "port");
    match (text(port, "name"), int(port, "number")) {
        ("", 0) => path.required(errors, "port name or number is required"),
        ("", number) => {
            for message in names::port_number(number) {
                path.child("service.port.number").invalid(errors, number, &message);
            }
        }
        (name, 0) => named(name, names::port_name, &path.child("service.port.name"), errors),
        _ => path.invalid(errors, "", "cannot set both port name & port number"),
    }
}

/// A group, a kind and a name of an object nearby.
pub(crate) fn reference(it: &Map, path: &Path<'_>, errors: &mut Errors) {
    if let Some(group) = opt_text(it, "apiGroup") {
        named(group, names::dns_subdomain, &path.child("apiGroup"), errors);
    }
    for key in ["kind", "name"] {
        match text(it, key) {
            "" => path.child(key).required(errors, ""),
            name => named(name, names::path_segment_name, &path.child(key), errors),
        }
    }
}

fn validate_status(new: &Object, old: &Object, errors: &mut Errors) {
    let balancer = |it: &Object| it.map_at("status.loadBalancer").cloned().unwrap_or_default();
    let before = balancer(old);
    for (idx, ingress) in maps(&balancer(new), "ingress") {
        let path = Path::root("status.loadBalancer.ingress");
        let path = path.index(idx);
        let ip = text(ingress, "ip");
        let known = maps(&before, "ingress").any(|(_, it)| text(it, "ip") == ip);
        if !ip.is_empty() && !known {
            named(ip, names::legacy_ip, &path.child("ip"), errors);
        }
        balancer_host(ingress, &path, errors);
    }
}
