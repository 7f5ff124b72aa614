//! The ComponentStatuses: the control plane is well for as long as it answers.

use std::sync::Arc;

use kinds::COMPONENT_STATUS;
use meta::{Metadata, Object};
use value::map;

/// All of them, in the order of their names.
pub(crate) fn statuses() -> Vec<Arc<Object>> {
    let status = |name: &str| {
        let body = map!({ "conditions": [{ "message": "ok", "status": "True", "type": "Healthy" }] });
        let meta = Metadata::cluster(name);
        Arc::new(Object { kind: COMPONENT_STATUS, meta, body })
    };
    ["controller-manager", "etcd-0", "scheduler"].map(status).to_vec()
}
