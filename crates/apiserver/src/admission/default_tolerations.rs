//! Pods tolerate a node that is not ready or unreachable for five minutes (`plugin/pkg/admission/defaulttolerationseconds`).

use kinds::POD;
use meta::{Object, Status};
use value::{Value, value};

use super::{Operation, Request};
use crate::server::ApiServer;

const SECONDS: i64 = 300;

/// # Errors
/// None.
pub(super) fn admit(_: &mut ApiServer, request: &Request<'_>, object: &mut Object) -> Result<(), Status> {
    if !request.is_of(POD) || request.operation == Operation::Delete {
        return Ok(());
    }
    let have = object.list_at("spec.tolerations");
    let tolerated = |key: &str| {
        have.iter().any(|it| {
            matches!(it.str_at("key"), None | Some("")) && it.str_at("operator") == Some("Exists") && has_effect(it)
                || it.str_at("key") == Some(key) && has_effect(it)
        })
    };
    let missing: Vec<Value> = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
        .into_iter()
        .filter(|it| !tolerated(it))
        .map(|key| value!({ "effect": "NoExecute", "key": key, "operator": "Exists", "tolerationSeconds": SECONDS }))
        .collect();
    if !missing.is_empty() {
        let list: Vec<Value> = have.iter().cloned().chain(missing).collect();
        object.set("spec.tolerations", list);
    }
    Ok(())
}

fn has_effect(toleration: &Value) -> bool {
    matches!(toleration.str_at("effect"), None | Some("" | "NoExecute"))
}
