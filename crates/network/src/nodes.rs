//! Nodes as places of the network: their addresses, and whether packets get to them.

use std::net::IpAddr;
use std::sync::Arc;

use kinds::{MACHINE, NODE};
use meta::{Key, Object};
use runtime::View;

/// Why nothing gets to a node or from it; `None` when something does.
pub(crate) fn unreachable(view: &View<'_>, name: &str) -> Option<&'static str> {
    let machine = view.get(MACHINE, &Key::cluster(name));
    match machine {
        Some(it) if it.str_at("spec.power") == Some("Off") => Some("is off"),
        Some(it) if it.str_at("spec.network") == Some("Partitioned") => Some("is cut off from the network"),
        Some(_) => None,
        // Nodes without a machine are taken to run.
        None if view.get(NODE, &Key::cluster(name)).is_some() => None,
        None => Some("is gone"),
    }
}

/// Addresses of a node, the internal ones first.
pub(crate) fn addresses(node: &Object) -> impl Iterator<Item = IpAddr> {
    let of = |kind: &'static str| {
        let listed = node.list_at("status.addresses").iter();
        listed.filter(move |it| it.str_at("type") == Some(kind)).filter_map(|it| it.str_at("address")?.parse().ok())
    };
    of("InternalIP").chain(of("ExternalIP"))
}

/// The node that has an address.
pub(crate) fn at<'a>(view: &View<'a>, ip: IpAddr) -> Option<&'a Arc<Object>> {
    view.list(NODE, None).find(|it| addresses(it).any(|it| it == ip))
}

pub(crate) fn zone(node: &Object) -> &str {
    node.meta.label("topology.kubernetes.io/zone").unwrap_or("")
}

pub(crate) fn is_ready(node: &Object) -> bool {
    node.condition_status("Ready") == Some("True")
}
