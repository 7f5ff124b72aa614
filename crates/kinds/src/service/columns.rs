//! What `kubectl get services` shows (`printService`).

use std::collections::BTreeSet;

use meta::Object;
use value::{Map, Value};

use super::spec;
use crate::Column;
use crate::columns::{self, or_none};
use crate::pod_template::fields::{child_or_empty, int, list, maps, text, texts};

pub(super) const COLUMNS: &[Column] = &[
    columns::name(),
    columns::text("Type", "How the service is reached.", |it, _| columns::string(it, "spec.type")),
    columns::text("Cluster-IP", "The address inside the cluster.", |it, _| {
        or_none(list(spec(it), "clusterIPs").first().and_then(Value::as_str).unwrap_or("").to_owned()).into()
    }),
    columns::text("External-IP", "Addresses or a name outside the cluster.", |it, _| external(it).into()),
    columns::text("Port(s)", "The ports that the service serves.", |it, _| or_none(ports(spec(it))).into()),
    columns::created(),
    columns::wide(columns::text("Selector", "Which pods serve it.", |it, _| {
        columns::labels(child_or_empty(spec(it), "selector")).into()
    })),
];

fn ports(spec: &Map) -> String {
    let shown = maps(spec, "ports").map(|(_, it)| match int(it, "nodePort") {
        ..1 => format!("{}/{}", int(it, "port"), text(it, "protocol")),
        node_port => format!("{}:{node_port}/{}", int(it, "port"), text(it, "protocol")),
    });
    shown.collect::<Vec<_>>().join(",")
}

fn external(it: &Object) -> String {
    let spec = spec(it);
    let mut addresses: Vec<String> = texts(spec, "externalIPs").map(|(_, it)| it.to_owned()).collect();
    match text(spec, "type") {
        "ClusterIP" | "NodePort" => or_none(addresses.join(",")),
        "LoadBalancer" => {
            let mut all: Vec<String> = balancer_addresses(it);
            all.append(&mut addresses);
            if all.is_empty() { "<pending>".to_owned() } else { all.join(",") }
        }
        "ExternalName" => text(spec, "externalName").to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

/// Where load balancers say that they listen, sorted (`loadBalancerStatusStringer`).
pub(crate) fn balancer_addresses(it: &Object) -> Vec<String> {
    let balancer = child_or_empty(child_or_empty(&it.body, "status"), "loadBalancer");
    let all: BTreeSet<&str> = maps(balancer, "ingress")
        .map(|(_, it)| if text(it, "ip").is_empty() { text(it, "hostname") } else { text(it, "ip") })
        .filter(|it| !it.is_empty())
        .collect();
    all.into_iter().map(str::to_owned).collect()
}
