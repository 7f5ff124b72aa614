//! Service. Follows `pkg/registry/core/service/strategy.go` and `SetDefaults_Service`.

mod change;
mod columns;
mod families;
mod validate;
mod warnings;

use meta::Object;
use value::{Map, Str, Value, map};

pub(crate) use self::columns::balancer_addresses;
pub use self::families::{complete, takes_address};
pub(crate) use self::validate::{balancer_host, endpoint_ip, port_number, protocol};
use crate::pod_template::fields::{child_or_empty, flag, int, list, opt_int, set_if_empty, text};
use crate::workload::spec;
use crate::{Kind, Scope, SelectableField, Strategy, Subresource, label_name};

/// The annotation that asks for endpoints near the client, and what it was called before.
const MODE: &str = "service.kubernetes.io/topology-mode";
const HINTS: &str = "service.kubernetes.io/topology-aware-hints";

pub(crate) const KIND: Kind = Kind {
    short_names: &["svc"],
    categories: &["all"],
    definition: "io.k8s.api.core.v1.Service",
    subresources: &[
        Subresource {
            name: "proxy",
            group: "",
            version: "",
            kind: "ServiceProxyOptions",
            verbs: &["create", "delete", "get", "patch", "update"],
        },
        Subresource::status("Service"),
    ],
    columns: || columns::COLUMNS,
    selectable_fields: SELECTABLE,
    strategy: Strategy {
        default,
        prepare_create: |it| it.body.insert("status", no_balancer()),
        prepare_update: change::prepare,
        validate: |it, errors| validate::service(it, None, errors),
        validate_update: |new, old, errors| {
            change::validate(new, old, errors);
            validate::service(new, Some(old), errors);
        },
        validate_status: validate::status,
        warnings: |new, _| warnings::of(new),
        validate_name: label_name,
        create_on_update: true,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Namespaced, "", "v1", "Service", "services")
};

const SELECTABLE: &[SelectableField] = &[
    SelectableField { name: "spec.clusterIP", read: |it| shared(it, "clusterIP") },
    SelectableField { name: "spec.type", read: |it| shared(it, "type") },
];

fn shared(it: &Object, key: &str) -> Str {
    spec(it).get(key).and_then(Value::as_shared_str).cloned().unwrap_or_default()
}

/// The status of a service that no load balancer serves.
fn no_balancer() -> Value {
    Value::Map(map!({ "loadBalancer": {} }))
}

/// The longest that a client may stick to an endpoint, and what it does if nobody says.
const CLIENT_IP_SECONDS: i64 = 10_800;

fn default(it: &mut Object) {
    if !it.body.contains_key("spec") {
        it.body.insert("spec", Value::map());
    }
    it.body.edit_map("spec", default_spec);
    if text(spec(it), "type") == "LoadBalancer" {
        it.body.edit_map("status", |status| {
            status.edit_map("loadBalancer", |balancer| {
                balancer.edit_maps("ingress", |it| {
                    if !text(it, "ip").is_empty() {
                        it.set_default("ipMode", "VIP");
                    }
                });
            });
        });
    }
}

fn default_spec(spec: &mut Map) {
    set_if_empty(spec, "sessionAffinity", "None");
    match text(spec, "sessionAffinity") {
        "None" if spec.contains_key("sessionAffinityConfig") => {
            spec.remove("sessionAffinityConfig");
        }
        "ClientIP" => {
            let config = child_or_empty(spec, "sessionAffinityConfig");
            if opt_int(child_or_empty(config, "clientIP"), "timeoutSeconds").is_none() {
                spec.insert("sessionAffinityConfig", map!({ "clientIP": { "timeoutSeconds": CLIENT_IP_SECONDS } }));
            }
        }
        _ => (),
    }
    set_if_empty(spec, "type", "ClusterIP");
    spec.edit_maps("ports", |port| {
        set_if_empty(port, "protocol", "TCP");
        let is_zero = match port.get("targetPort") {
            Some(Value::Int(it)) => *it == 0,
            Some(Value::Str(it)) => it.is_empty(),
            _ => true,
        };
        if is_zero {
            port.insert("targetPort", int(port, "port"));
        }
    });
    if is_reachable_from_outside(spec) {
        set_if_empty(spec, "externalTrafficPolicy", "Cluster");
    }
    if matches!(text(spec, "type"), "NodePort" | "LoadBalancer" | "ClusterIP") {
        spec.set_default("internalTrafficPolicy", "Cluster");
    }
    if text(spec, "type") == "LoadBalancer" {
        spec.set_default("allocateLoadBalancerNodePorts", true);
    }
}

/// `ExternallyAccessible`
fn is_reachable_from_outside(spec: &Map) -> bool {
    match text(spec, "type") {
        "LoadBalancer" | "NodePort" => true,
        "ClusterIP" => !list(spec, "externalIPs").is_empty(),
        _ => false,
    }
}

/// Whether a port on every node tells load balancers if there are endpoints (`NeedsHealthCheck`).
pub fn needs_health_check(spec: &Map) -> bool {
    text(spec, "type") == "LoadBalancer" && text(spec, "externalTrafficPolicy") == "Local"
}

/// Whether ports that name none get a port on every node (`shouldAllocateNodePorts`).
pub fn allocates_node_ports(spec: &Map) -> bool {
    match text(spec, "type") {
        "NodePort" => true,
        "LoadBalancer" => flag(spec, "allocateLoadBalancerNodePorts"),
        _ => false,
    }
}

/// `clusterIPs` says that there is no address.
fn is_headless(spec: &Map) -> bool {
    matches!(list(spec, "clusterIPs"), [only] if only.as_str() == Some("None"))
}
