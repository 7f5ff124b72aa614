//! Services and what is behind and before them.

use value::Value;

use super::config::HEAD;
use super::page::{Page, text};
use super::{Subject, selector_or_none};
use crate::api::{JSON, Url};
use crate::failure::Result;
use crate::order;
use crate::{Cx, go};

/// Endpoints that are shown before the rest is only counted.
const ENDPOINTS_MAX: usize = 3;

fn slices(cx: &mut Cx<'_>, namespace: &str, service: &str) -> Vec<Value> {
    let found = cx.mapper().map(|it| it.of_kind("discovery.k8s.io/v1", "EndpointSlice"));
    let Ok(Some(resource)) = found else { return Vec::new() };
    let selector = format!("kubernetes.io/service-name={service}");
    let list = cx.list(&Url::of(&resource, namespace, "", "").with("labelSelector", &selector), JSON);
    list.map(|it| it.list_at("items").to_vec()).unwrap_or_default()
}

/// `10.0.0.1:80,10.0.0.2:80 + 2 more...`, of the port with this name.
fn addresses(slices: &[Value], port_name: &str) -> String {
    if slices.is_empty() {
        return "<none>".into();
    }
    let mut all = Vec::new();
    let mut n_seen = 0;
    for slice in slices {
        let ports = slice.list_at("ports");
        let chosen: Vec<Option<i64>> = match ports.is_empty() {
            true => vec![None],
            false => ports
                .iter()
                .filter(|it| text(it, "name") == port_name)
                .map(|it| Some(it.i64_at("port").unwrap_or(0)))
                .collect(),
        };
        for port in chosen {
            for endpoint in slice.list_at("endpoints") {
                n_seen += usize::from(all.len() >= ENDPOINTS_MAX);
                if endpoint.bool_at("conditions.ready") == Some(false) {
                    continue;
                }
                let address = endpoint.list_at("addresses").first().and_then(Value::as_str).unwrap_or_default();
                all.push(match port {
                    None => address.to_owned(),
                    Some(port) if address.contains(':') => format!("[{address}]:{port}"),
                    Some(port) => format!("{address}:{port}"),
                });
            }
        }
    }
    let n_all = all.len();
    all.truncate(ENDPOINTS_MAX);
    let shown = all.join(",");
    if n_seen > 0 { format!("{shown} + {} more...", n_all.saturating_sub(ENDPOINTS_MAX)) } else { shown }
}

pub(super) fn service(cx: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let object = it.object;
    let slices = slices(cx, &it.info.namespace, &it.info.name);
    page.rows(0, object, HEAD);
    page.rows(
        0,
        object,
        "Selector=spec.selector|map!<none>\nType=spec.type\n?IP Family Policy=spec.ipFamilyPolicy\n\
         IP Families=spec.ipFamilies|list!<none>\nIP=spec.clusterIP\nIPs=spec.clusterIPs|list!<none>\n\
         ?External IPs=spec.externalIPs|list\n?Desired LoadBalancer IP=spec.loadBalancerIP\n?External Name=spec.externalName",
    );
    let ingress: Vec<String> = object
        .list_at("status.loadBalancer.ingress")
        .iter()
        .map(|it| match (text(it, "ip"), text(it, "ipMode")) {
            ("", _) => text(it, "hostname").to_owned(),
            (ip, "") => ip.to_owned(),
            (ip, mode) => format!("{ip} ({mode})"),
        })
        .collect();
    if !ingress.is_empty() {
        page.line(&format!("LoadBalancer Ingress:\t{}", ingress.join(", ")));
    }
    for port in object.list_at("spec.ports") {
        let protocol = text(port, "protocol");
        let name = port.str_at("name").filter(|it| !it.is_empty()).unwrap_or("<unset>");
        let number = |field: &str| port.get(field).map_or("0".to_owned(), go::show);
        page.line(&format!("Port:\t{name}\t{}/{protocol}", number("port")));
        page.line(&format!("TargetPort:\t{}/{protocol}", number("targetPort")));
        page.rows(0, port, "?AppProtocol=appProtocol");
        if port.i64_at("nodePort").unwrap_or(0) != 0 {
            page.line(&format!("NodePort:\t{name}\t{}/{protocol}", number("nodePort")));
        }
        page.line(&format!("Endpoints:\t{}", addresses(&slices, text(port, "name"))));
    }
    page.rows(
        0,
        object,
        "Session Affinity=spec.sessionAffinity\n?External Traffic Policy=spec.externalTrafficPolicy\n\
         ?Internal Traffic Policy=spec.internalTrafficPolicy\n?HealthCheck NodePort=spec.healthCheckNodePort\n\
         ?LoadBalancer Source Ranges=spec.loadBalancerSourceRanges|list\n?Traffic Distribution=spec.trafficDistribution",
    );
    Ok(())
}

pub(super) fn endpoints(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    page.rows(0, it.object, HEAD);
    page.line("Subsets:");
    for subset in it.object.list_at("subsets") {
        for (label, field) in [("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")] {
            let ips: Vec<&str> = subset.list_at(field).iter().map(|it| text(it, "ip")).collect();
            page.at(1, &format!("{label}:\t{}", if ips.is_empty() { "<none>".to_owned() } else { ips.join(",") }));
        }
        let ports = subset.list_at("ports");
        if !ports.is_empty() {
            page.at(1, "Ports:\n    Name\tPort\tProtocol\n    ----\t----\t--------");
            ports.iter().for_each(|it| port(page, 2, it));
        }
        page.line("");
    }
    Ok(())
}

fn port(page: &mut Page, level: usize, port: &Value) {
    let name = port.str_at("name").filter(|it| !it.is_empty()).unwrap_or("<unset>");
    let number = port.get("port").map_or("<unset>".to_owned(), go::show);
    page.at(level, &format!("{name}\t{number}\t{}", text(port, "protocol")));
}

pub(super) fn endpoint_slice(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    page.rows(0, it.object, HEAD);
    page.rows(0, it.object, "AddressType=addressType");
    let ports = it.object.list_at("ports");
    match ports.is_empty() {
        true => page.line("Ports: <unset>"),
        false => page.line("Ports:\n  Name\tPort\tProtocol\n  ----\t----\t--------"),
    }
    ports.iter().for_each(|it| port(page, 1, it));
    let endpoints = it.object.list_at("endpoints");
    page.line(if endpoints.is_empty() { "Endpoints: <none>" } else { "Endpoints:" });
    for endpoint in endpoints {
        let addresses: Vec<String> = endpoint.list_at("addresses").iter().map(go::show).collect();
        page.at(
            1,
            &format!("- Addresses:\t{}", if addresses.is_empty() { "<none>".to_owned() } else { addresses.join(", ") }),
        );
        page.at(2, "Conditions:");
        page.rows(3, endpoint, "Ready=conditions.ready!<unset>");
        page.rows(2, endpoint, "Hostname=hostname!<unset>");
        if let Some(target) = endpoint.get("targetRef") {
            page.at(2, &format!("TargetRef:\t{}/{}", text(target, "kind"), text(target, "name")));
        }
        page.rows(2, endpoint, "NodeName=nodeName!<unset>\nZone=zone!<unset>");
    }
    Ok(())
}

fn backend(cx: &mut Cx<'_>, namespace: &str, backend: &Value) -> String {
    if let Some(it) = backend.get("resource") {
        let group = it.str_at("apiGroup").unwrap_or("<none>");
        return format!("APIGroup: {group}, Kind: {}, Name: {}", text(it, "kind"), text(it, "name"));
    }
    let Some(service) = backend.get("service") else { return String::new() };
    let name = text(service, "name");
    let number = service.i64_at("port.number").filter(|it| *it != 0);
    let port_name = text(service, "port.name");
    let shown = format!("{name}:{}", number.map_or_else(|| port_name.to_owned(), |it| it.to_string()));
    let slices = slices(cx, namespace, name);
    let found = cx.resource("services").and_then(|it| cx.get(&Url::of(&it, namespace, name, "")));
    match found {
        Err(failure) => format!("{shown} (<error: {}>)", failure.message()),
        Ok(object) => {
            let matches = |it: &&Value| match number {
                Some(number) => it.i64_at("port") == Some(number),
                None => !port_name.is_empty() && text(it, "name") == port_name,
            };
            let port = object.list_at("spec.ports").iter().rfind(matches).map_or("", |it| text(it, "name"));
            format!("{shown} ({})", addresses(&slices, port))
        }
    }
}

pub(super) fn ingress(cx: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let object = it.object;
    page.rows(0, object, "Name=metadata.name\n@labels\nNamespace=metadata.namespace");
    let mut addresses: Vec<&str> = object
        .list_at("status.loadBalancer.ingress")
        .iter()
        .map(|it| if text(it, "ip").is_empty() { text(it, "hostname") } else { text(it, "ip") })
        .filter(|it| !it.is_empty())
        .collect();
    order::texts(&mut addresses);
    addresses.dedup();
    page.line(&format!("Address:\t{}", addresses.join(",")));
    page.rows(0, object, "Ingress Class=spec.ingressClassName!<none>");
    let namespace = &it.info.namespace;
    let default = match object.at("spec.defaultBackend") {
        Some(it) => backend(cx, namespace, it),
        None => "<default>".into(),
    };
    page.line(&format!("Default backend:\t{default}"));
    let tls = object.list_at("spec.tls");
    if !tls.is_empty() {
        page.line("TLS:");
    }
    for entry in tls {
        let hosts: Vec<String> = entry.list_at("hosts").iter().map(go::show).collect();
        match text(entry, "secretName") {
            "" => page.at(1, &format!("SNI routes {}", hosts.join(","))),
            secret => page.at(1, &format!("{secret} terminates {}", hosts.join(","))),
        }
    }
    page.line("Rules:\n  Host\tPath\tBackends\n  ----\t----\t--------");
    let rules: Vec<&Value> = object.list_at("spec.rules").iter().filter(|it| it.get("http").is_some()).collect();
    for rule in &rules {
        let host = rule.str_at("host").filter(|it| !it.is_empty()).unwrap_or("*");
        page.at(1, &format!("{host}\t"));
        for path in rule.list_at("http.paths") {
            let target = path.get("backend").map_or_else(String::new, |it| backend(cx, namespace, it));
            page.at(2, &format!("\t{} \t{target}", text(path, "path")));
        }
    }
    if rules.is_empty() {
        page.at(1, &format!("*\t*\t{default}"));
    }
    page.rows(0, object, "@annotations");
    Ok(())
}

pub(super) fn ingress_class(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    page.rows(0, it.object, "Name=metadata.name\n@labels\n@annotations\nController=spec.controller");
    if let Some(parameters) = it.object.at("spec.parameters") {
        page.line("Parameters:");
        page.rows(1, parameters, "?APIGroup=apiGroup\nKind=kind\nName=name");
    }
    Ok(())
}

pub(super) fn policy(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let object = it.object;
    page.rows(0, object, "Name=metadata.name\nNamespace=metadata.namespace");
    let created = text(object, "metadata.creationTimestamp").replace('T', " ").replace('Z', " +0000 UTC");
    page.line(&format!("Created on:\t{created}"));
    page.rows(0, object, "@labels\n@annotations\nSpec:");
    let selector = selector_or_none(object.at("spec.podSelector"));
    let everything =
        if selector == "<none>" { " (Allowing the specific traffic to all pods in this namespace)" } else { "" };
    page.at(1, &format!("PodSelector:     {selector}{everything}"));
    let types: Vec<&str> = object.list_at("spec.policyTypes").iter().filter_map(Value::as_str).collect();
    for (kind, word, field, peers, side) in
        [("Ingress", "ingress", "spec.ingress", "from", "From"), ("Egress", "egress", "spec.egress", "to", "To")]
    {
        if !types.contains(&kind) {
            page.at(1, &format!("Not affecting {word} traffic"));
            continue;
        }
        page.at(1, &format!("Allowing {word} traffic:"));
        let rules = object.list_at(field);
        if rules.is_empty() {
            page.at(2, &format!("<none> (Selected pods are isolated for {word} connectivity)"));
        }
        for (idx, rule) in rules.iter().enumerate() {
            policy_rule(page, rule, peers, side);
            if idx + 1 < rules.len() {
                page.at(2, "----------");
            }
        }
    }
    page.at(1, &format!("Policy Types: {}", if types.is_empty() { "<none>".to_owned() } else { types.join(", ") }));
    Ok(())
}

fn policy_rule(page: &mut Page, rule: &Value, peers: &'static str, side: &str) {
    let ports = rule.list_at("ports");
    if ports.is_empty() {
        page.at(2, "To Port: <any> (traffic allowed to all ports)");
    }
    for port in ports {
        let protocol = port.str_at("protocol").unwrap_or("TCP");
        let number = port.get("port").map_or("<nil>".to_owned(), go::show);
        match port.i64_at("endPort") {
            None => page.at(2, &format!("To Port: {number}/{protocol}")),
            Some(end) => page.at(2, &format!("To Port Range: {number}-{end}/{protocol}")),
        }
    }
    let list = rule.list_at(peers);
    if list.is_empty() {
        let end = if side == "From" { "source" } else { "destination" };
        page.at(2, &format!("{side}: <any> (traffic not restricted by {end})"));
    }
    for peer in list {
        page.at(2, &format!("{side}:"));
        for (label, field) in [("NamespaceSelector", "namespaceSelector"), ("PodSelector", "podSelector")] {
            if let Some(it) = peer.get(field) {
                page.at(3, &format!("{label}: {}", selector_or_none(Some(it))));
            }
        }
        if let Some(block) = peer.get("ipBlock") {
            let except: Vec<String> = block.list_at("except").iter().map(go::show).collect();
            page.at(3, "IPBlock:");
            page.at(4, &format!("CIDR: {}", text(block, "cidr")));
            page.at(4, &format!("Except: {}", except.join(", ")));
        }
    }
}
