//! A new node is tainted as not ready until its controller sees that it is (`plugin/pkg/admission/nodetaint`).

use kinds::NODE;
use meta::{Object, Status};
use value::{Value, value};

use super::Request;
use crate::server::ApiServer;

const NOT_READY: &str = "node.kubernetes.io/not-ready";

/// # Errors
/// None.
pub(super) fn admit(_: &mut ApiServer, request: &Request<'_>, object: &mut Object) -> Result<(), Status> {
    if !request.creates(NODE) {
        return Ok(());
    }
    let have = object.list_at("spec.taints");
    if !have.iter().any(|it| it.str_at("key") == Some(NOT_READY) && it.str_at("effect") == Some("NoSchedule")) {
        let taint = value!({ "effect": "NoSchedule", "key": NOT_READY });
        let taints: Vec<Value> = have.iter().cloned().chain([taint]).collect();
        object.set("spec.taints", taints);
    }
    Ok(())
}
