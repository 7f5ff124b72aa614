//! Services and ingresses.

use meta::names;
use value::{Value, value};

use super::{finish, name};
use crate::failure::{Result, fail};
use crate::shell::{Cx, Flow};

/// The port of `8080` and the target of `8080:80` (`parsePorts`).
fn port(text: &str, node_port: i64) -> Result<Value> {
    let mut parts = text.split(':');
    let (first, target) = (parts.next().unwrap_or_default(), parts.next());
    let is_number = !first.is_empty() && first.bytes().all(|it| it.is_ascii_digit());
    let Ok(port) = first.parse::<u16>() else {
        let problem = if is_number { "value out of range" } else { "invalid syntax" };
        return fail(format!("strconv.ParseUint: parsing {}: {problem}", meta::quoted(first)));
    };
    let port = i64::from(port);
    let target = match target.map(|it| (it, it.parse::<i64>())) {
        None => Value::Int(port),
        Some((_, Ok(number))) => named(Value::Int(number), names::port_number(number))?,
        Some((name, Err(_))) => named(Value::from(name), names::port_name(name))?,
    };
    let mut res = value!({"name": text.replace(':', "-"), "port": port, "protocol": "TCP", "targetPort": target});
    if node_port != 0 {
        res.set("nodePort", node_port);
    }
    Ok(res)
}

/// A port's name or number, unless something is wrong with it.
fn named(port: Value, problems: Vec<String>) -> Result<Value> {
    if problems.is_empty() { Ok(port) } else { fail(problems.join(",")) }
}

fn service(cx: &mut Cx<'_>, kind: &str, command: &str) -> Result<Flow> {
    let name = name(cx, command)?;
    let cluster_ip = cx.text("clusterip");
    let tcp = cx.flags().list("tcp");
    if tcp.is_empty() && kind != "ExternalName" && cluster_ip != "None" {
        return fail("at least one tcp port specifier must be provided");
    }
    let node_port = cx.flags().int("node-port", 0);
    let labels = value!({"app": name.as_str()});
    let mut spec = value!({"selector": &labels, "type": kind});
    if !tcp.is_empty() {
        spec.set("ports", tcp.iter().map(|it| port(it, node_port)).collect::<Result<Vec<_>>>()?);
    }
    for (field, text) in [("clusterIP", cluster_ip), ("externalName", cx.text("external-name"))] {
        if !text.is_empty() {
            spec.set(field, text);
        }
    }
    let object = value!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"labels": labels, "name": name}, "spec": spec,
        "status": {"loadBalancer": {}},
    });
    finish(cx, object, &format!("failed to create {kind} service: "))
}

pub(super) fn cluster_ip(cx: &mut Cx<'_>) -> Result<Flow> {
    service(cx, "ClusterIP", "create service clusterip")
}

pub(super) fn node_port(cx: &mut Cx<'_>) -> Result<Flow> {
    service(cx, "NodePort", "create service nodeport")
}

pub(super) fn load_balancer(cx: &mut Cx<'_>) -> Result<Flow> {
    service(cx, "LoadBalancer", "create service loadbalancer")
}

pub(super) fn external_name(cx: &mut Cx<'_>) -> Result<Flow> {
    if !cx.flags().changed("external-name") {
        return fail("required flag(s) \"external-name\" not set");
    }
    service(cx, "ExternalName", "create service externalname")
}

/// `service:port`
fn backend(text: &str) -> Option<Value> {
    let (service, port) = text.split_once(':').filter(|(service, port)| !service.is_empty() && !port.is_empty())?;
    let port = match port.parse::<i64>() {
        Ok(number) => value!({"number": number}),
        Err(_) => value!({"name": port}),
    };
    Some(value!({"service": {"name": service, "port": port}}))
}

pub(super) fn ingress(cx: &mut Cx<'_>) -> Result<Flow> {
    let name = name(cx, "create ingress")?;
    let default = cx.text("default-backend");
    if default.is_empty() && !cx.flags().changed("rule") {
        return fail(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)",
        );
    }
    let mut object = value!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name}, "status": {"loadBalancer": {}},
    });
    let mut annotations = value::Map::new();
    for text in cx.flags().all("annotation") {
        let Some((key, it)) = text.split_once('=') else {
            return fail(format!("annotation {text} is invalid and should be in format key=[value]"));
        };
        annotations.insert(key, it);
    }
    if !annotations.is_empty() {
        object.set("metadata.annotations", annotations);
    }
    if cx.flags().changed("class") {
        object.set("spec.ingressClassName", cx.text("class"));
    }
    if !default.is_empty() {
        let Some(backend) = backend(&default) else {
            return fail("default-backend should be in format servicename:serviceport");
        };
        object.set("spec.defaultBackend", backend);
    }
    let (mut hosts, mut tls): (Vec<(String, Vec<Value>)>, Vec<Value>) = (Vec::new(), Vec::new());
    for rule in cx.flags().all("rule") {
        let Some((host, path, secret)) = parse_rule(rule) else {
            return fail(format!(
                "rule {rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
            ));
        };
        if let Some(secret) = secret {
            let mut entry = value!({"hosts": [host.as_str()]});
            if !secret.is_empty() {
                entry.set("secretName", secret);
            }
            tls.push(entry);
        }
        match hosts.iter_mut().find(|(have, _)| *have == host) {
            Some((_, paths)) => paths.push(path),
            None => hosts.push((host, vec![path])),
        }
    }
    let rules: Vec<Value> = hosts
        .into_iter()
        .map(|(host, paths)| {
            let rule = value!({"http": {"paths": paths}});
            if host.is_empty() { rule } else { rule.with("host", host) }
        })
        .collect();
    for (field, list) in [("spec.rules", rules), ("spec.tls", tls)] {
        if !list.is_empty() {
            object.set(field, list);
        }
    }
    finish(cx, object, "failed to create ingress: ")
}

/// Host, path and the secret of `host/path=service:port,tls=secret`.
fn parse_rule(rule: &str) -> Option<(String, Value, Option<String>)> {
    let (rule, tls) = rule.split_once(',').map_or((rule, None), |(rule, tls)| (rule, Some(tls)));
    let secret = match tls {
        None => None,
        Some("tls") => Some(String::new()),
        Some(it) => Some(it.strip_prefix("tls=")?.to_owned()),
    };
    let (place, target) = rule.split_once('=')?;
    let (host, path) = place.split_once('/')?;
    let path = format!("/{path}");
    let (path, kind) = match path.strip_suffix('*') {
        Some(prefix) => (prefix.to_owned(), "Prefix"),
        None => (path, "Exact"),
    };
    Some((host.to_owned(), value!({"backend": backend(target)?, "path": path, "pathType": kind}), secret))
}
