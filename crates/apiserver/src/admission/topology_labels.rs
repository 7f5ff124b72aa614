//! Pods carry the zone and the region of their node (`plugin/pkg/admission/podtopologylabels`).

use kinds::{NODE, POD};
use meta::{Key, Object, Status};
use value::Map;

use super::Request;
use crate::server::ApiServer;

const LABELS: [&str; 2] = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

/// # Errors
/// None.
pub(super) fn admit(api: &mut ApiServer, request: &Request<'_>, object: &mut Object) -> Result<(), Status> {
    if request.creates(POD)
        && let Some(node) = object.str_at("spec.nodeName").filter(|it| !it.is_empty())
    {
        let node = node.to_owned();
        copy(api, &node, &mut object.meta.labels);
    }
    Ok(())
}

/// Puts a node's zone and region into labels, over those that are there.
pub(crate) fn copy(api: &ApiServer, node: &str, labels: &mut Map) {
    let Some(node) = api.store.get(NODE, &Key::cluster(node)) else { return };
    for key in LABELS {
        if let Some(value) = node.meta.labels.get(key) {
            labels.insert(key, value);
        }
    }
}
