//! What a service must be (`validateService` in `pkg/apis/core/validation`).

use std::collections::BTreeSet;
use std::net::IpAddr;

use meta::{Errors, Object, names};
use value::{Map, Str, Value, json};

use super::change::shown;
use super::{HINTS, MODE, is_headless, is_reachable_from_outside, needs_health_check, spec};
use crate::path::Path;
use crate::pod_template::fields::{
    child, child_or_empty, has, int, list, maps, named, one_of, opt_int, opt_text, required_one_of, text, texts,
};
use crate::pod_template::labels;

/// The longest that a client may stick to an endpoint.
const CLIENT_IP_SECONDS_MAX: i64 = 86_400;
const ONLY_BALANCED: &str = "may only be used when `type` is 'LoadBalancer'";

pub(super) fn service(it: &Object, old: Option<&Object>, errors: &mut Errors) {
    let notes = &it.meta.annotations;
    if let (Some(hints), Some(mode)) = (notes.get(HINTS), notes.get(MODE))
        && hints != mode
    {
        let detail = format!("must match annotations[{HINTS}] when both are specified");
        Path::root("metadata.annotations").key(MODE).invalid(errors, mode, &detail);
    }
    let spec = spec(it);
    let before = old.map(super::spec);
    let path = Path::root("spec");
    let kind = text(spec, "type");
    if list(spec, "ports").is_empty() && !is_headless(spec) && kind != "ExternalName" {
        path.child("ports").required(errors, "");
    }
    fits_type(spec, kind, &path, errors);
    let mut names = BTreeSet::new();
    let requires_name = list(spec, "ports").len() > 1;
    for (idx, it) in maps(spec, "ports") {
        port(it, requires_name, &mut names, &path.child("ports").index(idx), errors);
    }
    if let Some(selector) = child(spec, "selector") {
        labels::validate(selector, &path.child("selector"), errors);
    }
    affinity(spec, &path, errors);
    addresses(spec, before, &path, errors);
    for (idx, ip) in texts(spec, "externalIPs") {
        let path = path.child("externalIPs");
        let path = path.index(idx);
        if !checked_before(ip, before, "externalIPs", names::legacy_ip, &path, errors) {
            endpoint_ip(ip, &path, errors);
        }
    }
    required_one_of(kind, &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"], &path.child("type"), errors);
    repeated_ports(spec, kind, &path, errors);
    source_ranges(it, old, errors);
    let allocates = has(spec, "allocateLoadBalancerNodePorts");
    if allocates && kind != "LoadBalancer" {
        path.child("allocateLoadBalancerNodePorts").forbidden(errors, ONLY_BALANCED);
    }
    if !allocates && kind == "LoadBalancer" {
        Path::root("allocateLoadBalancerNodePorts").required(errors, "");
    }
    balancer_class(spec, &path, errors);
    traffic(spec, kind, &path, errors);
}

fn fits_type(spec: &Map, kind: &str, path: &Path<'_>, errors: &mut Errors) {
    match kind {
        "LoadBalancer" | "NodePort" if is_headless(spec) => {
            let detail = format!("may not be set to 'None' for {kind} services");
            path.child("clusterIPs").index(0).invalid(errors, "None", &detail);
        }
        "ExternalName" => {
            for key in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                let is_set = if key == "ipFamilyPolicy" { has(spec, key) } else { !list(spec, key).is_empty() };
                if is_set {
                    path.child(key).forbidden(errors, "may not be set for ExternalName services");
                }
            }
            let path = path.child("externalName");
            let name = text(spec, "externalName");
            match name.strip_suffix('.').unwrap_or(name) {
                "" => path.required(errors, ""),
                name => named(name, names::dns_subdomain, &path, errors),
            }
        }
        _ => (),
    }
}

fn port<'a>(port: &'a Map, requires_name: bool, seen: &mut BTreeSet<&'a str>, path: &Path<'_>, errors: &mut Errors) {
    let name = text(port, "name");
    if !name.is_empty() {
        named(name, names::dns_label, &path.child("name"), errors);
        if !seen.insert(name) {
            path.child("name").duplicate(errors, name);
        }
    } else if requires_name {
        path.child("name").required(errors, "");
    }
    port_number(port, path, errors);
    protocol(port, path, errors);
    port_number_or_name(port.get("targetPort"), &path.child("targetPort"), errors);
    if let Some(protocol) = opt_text(port, "appProtocol") {
        named(protocol, names::qualified_name, &path.child("appProtocol"), errors);
    }
}

/// `port` is a port.
pub(crate) fn port_number(port: &Map, path: &Path<'_>, errors: &mut Errors) {
    let number = int(port, "port");
    for message in names::port_number(number) {
        path.child("port").invalid(errors, number, &message);
    }
}

/// `protocol` is one that Kubernetes knows.
pub(crate) fn protocol(port: &Map, path: &Path<'_>, errors: &mut Errors) {
    required_one_of(text(port, "protocol"), &["SCTP", "TCP", "UDP"], &path.child("protocol"), errors);
}

/// `ValidatePortNumOrName`
pub(crate) fn port_number_or_name(port: Option<&Value>, path: &Path<'_>, errors: &mut Errors) {
    match port {
        Some(Value::Str(name)) => named(name, names::port_name, path, errors),
        port => {
            let number = port.and_then(Value::as_i64).unwrap_or(0);
            for message in names::port_number(number) {
                path.invalid(errors, number, &message);
            }
        }
    }
}

fn affinity(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let kind = text(spec, "sessionAffinity");
    required_one_of(kind, &["ClientIP", "None"], &path.child("sessionAffinity"), errors);
    let path = path.child("sessionAffinityConfig");
    let config = child(spec, "sessionAffinityConfig");
    match (kind, config) {
        ("None", Some(_)) => path.forbidden(errors, "must not be set when session affinity is None"),
        ("ClientIP", config) => {
            let needed = "when session affinity type is ClientIP";
            let Some(config) = config else { return path.required(errors, needed) };
            let path = path.child("clientIP");
            let Some(config) = child(config, "clientIP") else { return path.required(errors, needed) };
            let path = path.child("timeoutSeconds");
            match opt_int(config, "timeoutSeconds") {
                None => path.required(errors, needed),
                Some(1..=CLIENT_IP_SECONDS_MAX) => (),
                Some(seconds) => {
                    let detail = format!("must be greater than 0 and less than {CLIENT_IP_SECONDS_MAX}");
                    path.invalid(errors, seconds, &detail);
                }
            }
        }
        _ => (),
    }
}

/// Says what is wrong with a value that the old object does not have; answers whether something is.
fn checked_before(
    value: &str,
    before: Option<&Map>,
    key: &str,
    check: fn(&str) -> Vec<String>,
    path: &Path<'_>,
    errors: &mut Errors,
) -> bool {
    if before.is_some_and(|it| texts(it, key).any(|(_, it)| it == value)) {
        return false;
    }
    let messages = check(value);
    path.invalid_each(errors, value, &messages);
    !messages.is_empty()
}

/// `ValidateServiceClusterIPsRelatedFields`
pub(super) fn addresses(spec: &Map, before: Option<&Map>, path: &Path<'_>, errors: &mut Errors) {
    if text(spec, "type") == "ExternalName" {
        return;
    }
    let (single, ips) = (text(spec, "clusterIP"), list(spec, "clusterIPs"));
    let (ips_path, families_path) = (path.child("clusterIPs"), path.child("ipFamilies"));
    let all = || shown(spec, "clusterIPs");
    match ips.first().map(|it| it.as_str().unwrap_or("")) {
        None if !single.is_empty() => ips_path.required(errors, ""),
        Some(first) if !single.is_empty() && first != single => {
            ips_path.invalid(errors, all(), "first value must match `clusterIP`");
        }
        Some(_) if single.is_empty() => {
            ips_path.invalid(errors, all(), "must be empty when `clusterIP` is not specified");
        }
        _ => (),
    }
    let mut seen = BTreeSet::new();
    for (idx, family) in texts(spec, "ipFamilies") {
        one_of(family, &["IPv4", "IPv6"], &families_path.index(idx), errors);
        if !seen.insert(family) {
            families_path.index(idx).duplicate(errors, family);
        }
    }
    if let Some(policy) = opt_text(spec, "ipFamilyPolicy") {
        let known = ["PreferDualStack", "RequireDualStack", "SingleStack"];
        one_of(policy, &known, &path.child("ipFamilyPolicy"), errors);
    }
    let mut is_bad = false;
    for (idx, ip) in texts(spec, "clusterIPs") {
        if idx == 0 && ip == "None" {
            if ips.len() > 1 {
                is_bad = true;
                ips_path.invalid(errors, all(), "'None' must be the first and only value");
            }
            continue;
        }
        is_bad |= checked_before(ip, before, "clusterIPs", names::legacy_ip, &ips_path.index(idx), errors);
    }
    if ips.len() > 2 {
        ips_path.invalid(errors, all(), "may only hold up to 2 values");
    }
    if is_bad {
        return;
    }
    let is_v6 = |ip: &str| names::sloppy_ip(ip).is_some_and(|it| it.to_canonical().is_ipv6());
    if ips.len() > 1 {
        let n_v6 = texts(spec, "clusterIPs").filter(|(_, it)| is_v6(it)).count();
        if n_v6 == 0 || n_v6 == ips.len() {
            ips_path.invalid(errors, all(), "may specify no more than one IP for each IP family");
        }
    }
    if is_headless(spec) {
        return;
    }
    for ((idx, ip), (_, family)) in texts(spec, "clusterIPs").zip(texts(spec, "ipFamilies")) {
        if (family == "IPv4" && is_v6(ip)) || (family == "IPv6" && !is_v6(ip)) {
            let detail = format!("expected an {family} value as indicated by `ipFamilies[{idx}]`");
            ips_path.index(idx).invalid(errors, ip, &detail);
        }
    }
}

/// `ValidateEndpointIP`: where no traffic can go.
pub(crate) fn endpoint_ip(text: &str, path: &Path<'_>, errors: &mut Errors) {
    let Some(ip) = names::sloppy_ip(text).map(|it| it.to_canonical()) else {
        return path.invalid(errors, text, "must be a valid IP address");
    };
    if ip.is_unspecified() {
        path.invalid(errors, text, &format!("may not be unspecified ({text})"));
    }
    let link_local = |v4: fn(&std::net::Ipv4Addr) -> bool, v6: fn(u16) -> bool| match &ip {
        IpAddr::V4(ip) => v4(ip),
        IpAddr::V6(ip) => v6(ip.segments().first().copied().unwrap_or(0)),
    };
    if ip.is_loopback() {
        path.invalid(errors, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
    }
    if link_local(std::net::Ipv4Addr::is_link_local, |it| it & 0xffc0 == 0xfe80) {
        path.invalid(errors, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
    }
    if link_local(|it| it.octets().starts_with(&[224, 0, 0]), |it| it & 0xff0f == 0xff02) {
        path.invalid(errors, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
    }
}

fn repeated_ports(spec: &Map, kind: &str, path: &Path<'_>, errors: &mut Errors) {
    let path = path.child("ports");
    if kind == "ClusterIP" {
        for (idx, _) in maps(spec, "ports").filter(|(_, it)| int(it, "nodePort") != 0) {
            path.index(idx).child("nodePort").forbidden(errors, "may not be used when `type` is 'ClusterIP'");
        }
    }
    let mut seen = BTreeSet::new();
    for (idx, port) in maps(spec, "ports").filter(|(_, it)| int(it, "nodePort") != 0) {
        if !seen.insert((text(port, "protocol"), int(port, "nodePort"))) {
            path.index(idx).child("nodePort").duplicate(errors, int(port, "nodePort"));
        }
    }
    let mut seen = BTreeSet::new();
    for (idx, port) in maps(spec, "ports") {
        let (protocol, number) = (text(port, "protocol"), int(port, "port"));
        if !seen.insert((protocol, number)) {
            // The struct inside, with Go's names in Go's order; a decimal is shown as its text.
            let protocol = json::to_string(&Value::from(protocol));
            let key = format!(
                "{{\"Name\":\"\",\"Protocol\":{protocol},\"AppProtocol\":null,\"Port\":{number},\"TargetPort\":0,\"NodePort\":0}}"
            );
            path.index(idx).duplicate(errors, Value::Decimal(Str::from(key)));
        }
    }
}

fn source_ranges(it: &Object, old: Option<&Object>, errors: &mut Errors) {
    const NOTE: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
    let spec = spec(it);
    let is_balanced = text(spec, "type") == "LoadBalancer";
    if !list(spec, "loadBalancerSourceRanges").is_empty() {
        // Upstream spells it like this.
        let path = Path::root("spec.LoadBalancerSourceRanges");
        if !is_balanced {
            path.forbidden(errors, ONLY_BALANCED);
        }
        for (idx, range) in texts(spec, "loadBalancerSourceRanges") {
            let range = range.trim();
            let known = old
                .is_some_and(|it| texts(super::spec(it), "loadBalancerSourceRanges").any(|(_, it)| it.trim() == range));
            if !known {
                named(range, names::legacy_cidr, &path.index(idx), errors);
            }
        }
        return;
    }
    let note = |it: &Object| it.meta.annotations.get(NOTE).and_then(Value::as_str).map(str::to_owned);
    let Some(ranges) = note(it) else { return };
    let path = Path::root("metadata.annotations");
    let path = path.key(NOTE);
    if !is_balanced {
        path.forbidden(errors, ONLY_BALANCED);
    }
    if old.and_then(note).unwrap_or_default() != ranges && !ranges.trim().is_empty() {
        for range in ranges.trim().split(',') {
            named(range.trim(), names::legacy_cidr, &path, errors);
        }
    }
}

/// `validateLoadBalancerClassField` of a service by itself.
pub(super) fn balancer_class(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let Some(class) = opt_text(spec, "loadBalancerClass") else { return };
    let path = path.child("loadBalancerClass");
    if text(spec, "type") == "LoadBalancer" {
        named(class, names::qualified_name, &path, errors);
    } else {
        path.forbidden(errors, ONLY_BALANCED);
    }
}

fn traffic(spec: &Map, kind: &str, path: &Path<'_>, errors: &mut Errors) {
    let policy = text(spec, "externalTrafficPolicy");
    let external = path.child("externalTrafficPolicy");
    if is_reachable_from_outside(spec) {
        required_one_of(policy, &["Cluster", "Local"], &external, errors);
    } else if !policy.is_empty() {
        external.invalid(errors, policy, "may only be set for externally-accessible services");
    }
    let port = int(spec, "healthCheckNodePort");
    let health = path.child("healthCheckNodePort");
    match (needs_health_check(spec), port) {
        (false, 0) => (),
        (false, _) => health.invalid(
            errors,
            port,
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        ),
        (true, 0) => health.required(errors, ""),
        (true, _) => names::port_number(port).iter().for_each(|it| health.invalid(errors, port, it)),
    }
    let internal = path.child("internalTrafficPolicy");
    match opt_text(spec, "internalTrafficPolicy") {
        None if matches!(kind, "NodePort" | "LoadBalancer" | "ClusterIP") => internal.required(errors, ""),
        None => (),
        Some(policy) => one_of(policy, &["Cluster", "Local"], &internal, errors),
    }
    if let Some(it) = opt_text(spec, "trafficDistribution") {
        let known = ["PreferClose", "PreferSameZone", "PreferSameNode"];
        one_of(it, &known, &path.child("trafficDistribution"), errors);
    }
}

/// `ValidateServiceStatusUpdate`
pub(super) fn status(new: &Object, old: &Object, errors: &mut Errors) {
    fn balancer(it: &Object) -> &Map {
        child_or_empty(child_or_empty(&it.body, "status"), "loadBalancer")
    }
    let path = Path::root("status.loadBalancer.ingress");
    if text(spec(new), "type") != "LoadBalancer" && !list(balancer(new), "ingress").is_empty() {
        return path.forbidden(errors, "may only be used when `spec.type` is 'LoadBalancer'");
    }
    for (idx, ingress) in maps(balancer(new), "ingress") {
        let path = path.index(idx);
        let ip = text(ingress, "ip");
        let known = maps(balancer(old), "ingress").any(|(_, it)| text(it, "ip") == ip);
        if !ip.is_empty() && !known {
            named(ip, names::legacy_ip, &path.child("ip"), errors);
        }
        let mode_path = path.child("ipMode");
        match opt_text(ingress, "ipMode") {
            None if ip.is_empty() => (),
            None => mode_path.required(errors, "must be specified when `ip` is set"),
            Some(_) if ip.is_empty() => mode_path.forbidden(errors, "may not be specified when `ip` is not set"),
            Some(mode) => one_of(mode, &["Proxy", "VIP"], &mode_path, errors),
        }
        balancer_host(ingress, &path, errors);
    }
}

/// The host of a load balancer is a name and no address.
pub(crate) fn balancer_host(ingress: &Map, path: &Path<'_>, errors: &mut Errors) {
    let host = text(ingress, "hostname");
    if host.is_empty() {
        return;
    }
    named(host, names::dns_subdomain, &path.child("hostname"), errors);
    if names::sloppy_ip(host).is_some() {
        path.child("hostname").invalid(errors, host, "must be a DNS name, not an IP address");
    }
}
