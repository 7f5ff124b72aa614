//! `binding`: gives a pod its node, once and for all (`BindingREST`).

use std::sync::Arc;

use kinds::POD;
use meta::{Key, Object, Status};
use value::{Map, Str};

use crate::admission;
use crate::server::ApiServer;
use crate::write::{self, Write};

/// What a binding says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Binding {
    /// Of the pod; empty for any.
    pub uid: Str,
    pub node: Str,
    pub annotations: Map,
    pub labels: Map,
}

/// # Errors
/// `Conflict` for a pod that has a node already, is another or is being deleted.
pub(crate) fn bind(
    api: &mut ApiServer,
    write: &mut Write,
    pod: &Key,
    binding: &Binding,
) -> Result<Arc<Object>, Status> {
    let live = api.store.get(POD, pod).cloned().ok_or_else(|| Status::not_found("", "pods", &pod.name))?;
    let conflict = |why: &str| Status::conflict("", "pods/binding", &pod.name, why);
    if !binding.uid.is_empty() && live.meta.uid != binding.uid {
        return Err(conflict(&format!(
            "Precondition failed: UID in precondition: {}, UID in object meta: {}",
            binding.uid, live.meta.uid
        )));
    }
    let Binding { node, annotations, .. } = binding;
    let mut labels = binding.labels.clone();
    admission::topology_labels::copy(api, node, &mut labels);
    let bound = kinds::pod::bind(&live, node, annotations, &labels, write.now.secs()).map_err(|why| conflict(&why))?;
    write::update(api, write, &live, bound)
}
