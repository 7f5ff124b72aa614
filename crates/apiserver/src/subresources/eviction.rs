//! `eviction`: deletes a pod where no disruption budget forbids it (`EvictionREST`).

use kinds::POD;
use meta::{Key, Status};

use crate::delete::{self, DeleteOptions, Deleted};
use crate::server::ApiServer;
use crate::write::Write;

/// # Errors
/// 404, `Conflict`.
pub(crate) fn evict(api: &mut ApiServer, write: &Write, pod: &Key, options: &DeleteOptions) -> Result<Deleted, Status> {
    if api.store.get(POD, pod).is_none() {
        return Err(write.not_found(&pod.name));
    }
    delete::delete(api, write, pod, options)
}
