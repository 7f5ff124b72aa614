//! IPAddress. Follows `pkg/apis/networking/validation`.

use std::net::IpAddr;

use meta::{Errors, Metadata, Object, names};
use value::map;

use crate::path::Path;
use crate::pod_template::fields::{child, named, text};
use crate::pod_template::internal;
use crate::workload::spec;
use crate::{IP_ADDRESS, Kind, Scope, Strategy, columns};

/// Label with who gave the address out, and the name of the allocator of Services.
pub const MANAGED_BY: &str = "ipaddress.kubernetes.io/managed-by";
pub const ALLOCATOR: &str = "ipallocator.k8s.io";
/// Label with `IPv4` or `IPv6`.
pub const FAMILY: &str = "ipaddress.kubernetes.io/ip-family";

/// The addresses that a Service has, one by one.
pub fn of_service(service: &Object) -> impl Iterator<Item = IpAddr> {
    service.list_at("spec.clusterIPs").iter().filter_map(|it| it.as_str()?.parse().ok())
}

/// The object that says that a Service has an address (`createIPAddress`).
pub fn given(ip: IpAddr, service: &Object) -> Object {
    let family = if ip.is_ipv4() { "IPv4" } else { "IPv6" };
    let meta =
        Metadata { labels: map!({ FAMILY: family, MANAGED_BY: ALLOCATOR }), ..Metadata::cluster(ip.to_string()) };
    let (name, namespace) = (&service.meta.name, &service.meta.namespace);
    let parent = map!({ "name": name, "namespace": namespace, "resource": "services" });
    Object { kind: IP_ADDRESS, meta, body: map!({ "spec": { "parentRef": parent } }) }
}

pub(crate) const KIND: Kind = Kind {
    short_names: &["ip"],
    definition: "io.k8s.api.networking.v1.IPAddress",
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("ParentRef", "What has the address.", |it, _| parent(it).into()),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        validate,
        validate_update: |new, old, errors| {
            validate(new, errors);
            let (now, before) = (child(spec(new), "parentRef"), child(spec(old), "parentRef"));
            if now != before {
                let bad = now.map(|it| internal::bad_value(it, "ParentReference")).unwrap_or_default();
                Path::root("spec.parentRef").invalid(errors, bad, "field is immutable");
            }
        },
        validate_name: |name, _| names::ip(name),
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Cluster, "networking.k8s.io", "v1", "IPAddress", "ipaddresses")
};

/// `services/default/kubernetes`
fn parent(it: &Object) -> String {
    let Some(parent) = child(spec(it), "parentRef") else { return "<none>".to_owned() };
    let mut res = meta::qualified(text(parent, "group"), text(parent, "resource")).to_lowercase();
    for part in [text(parent, "namespace"), text(parent, "name")].into_iter().filter(|it| !it.is_empty()) {
        res.push('/');
        res.push_str(part);
    }
    res
}

fn validate(it: &Object, errors: &mut Errors) {
    let path = Path::root("spec.parentRef");
    let Some(parent) = child(spec(it), "parentRef") else { return path.required(errors, "") };
    let group = text(parent, "group");
    if !group.is_empty() {
        named(group, names::dns_subdomain, &path.child("group"), errors);
    }
    for (key, is_required) in [("resource", true), ("name", true), ("namespace", false)] {
        match text(parent, key) {
            "" if is_required => path.child(key).required(errors, ""),
            "" => (),
            name => named(name, names::path_segment_name, &path.child(key), errors),
        }
    }
}
