//! Deleting: with grace, with finalizers, with what becomes of dependents (`registry/rest/delete.go`, `generic/registry/store.go`).

use std::sync::Arc;

use kinds::{Kind, NAMESPACE, POD};
use meta::{Key, KindId, Object, Revision, Status};
use sim::Instant;
use value::Str;

use crate::calls::{DeleteOptions, Propagation};
use crate::server::ApiServer;

/// What a deletion came to.
pub(crate) struct Deleted {
    pub object: Arc<Object>,
    /// Whether it is gone; otherwise it waits for its grace period or finalizers.
    pub gone: bool,
}

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// Deletes an object, or marks it as being deleted.
///
/// # Errors
/// The API's answer.
pub(crate) fn delete(api: &mut ApiServer, now: Instant, kind: KindId, key: &Key, how: &DeleteOptions) -> Result<Deleted, Status> {
    let kind = api.kind(kind)?;
    let not_found = || Status::not_found(&kind.group, &kind.plural, &key.name);
    let live = api.store.get(kind.id, key).cloned().ok_or_else(not_found)?;
    check_preconditions(&kind, &live, how)?;
    let mut object = Object::clone(&live);
    object.meta.finalizers = finalizers(&live, how);
    let grace = grace(&kind, &live, how);
    let waits = grace > 0 || !object.meta.finalizers.is_empty() || (kind.id == NAMESPACE && has_spec_finalizers(&live));
    if !waits {
        let last = if how.dry_run { live } else { api.store.delete(kind.id, key, None).map_err(|_| not_found())? };
        return Ok(Deleted { object: last, gone: true });
    }
    mark(&kind, &live, &mut object, grace, now);
    if how.dry_run || object == *live {
        return Ok(Deleted { object: live, gone: false });
    }
    let object = api.store.update(object, None).map_err(|_| not_found())?;
    Ok(Deleted { object, gone: false })
}

/// Sets the time of deletion, or brings it forward (`BeforeDelete`).
fn mark(kind: &Kind, live: &Object, object: &mut Object, grace: i64, now: Instant) {
    match live.meta.grace_seconds {
        Some(before) if live.meta.is_deleted() && before <= grace => return,
        _ => (),
    }
    if live.meta.is_deleted() && live.meta.grace_seconds == Some(0) {
        return;
    }
    object.meta.deleted = Some(now.secs() + grace);
    object.meta.grace_seconds = Some(grace);
    if kind.strategy.generation && live.meta.generation > 0 && !live.meta.is_deleted() {
        object.meta.generation = live.meta.generation + 1;
    }
    if kind.id == NAMESPACE {
        object.set("status.phase", "Terminating");
    }
}

fn has_spec_finalizers(namespace: &Object) -> bool {
    !namespace.list_at("spec.finalizers").is_empty()
}

fn check_preconditions(kind: &Kind, live: &Object, how: &DeleteOptions) -> Result<(), Status> {
    let conflict = |why: String| Err(Status::conflict(&kind.group, &kind.plural, &live.meta.name, &why));
    if let Some(uid) = how.uid.as_ref().filter(|it| **it != live.meta.uid) {
        return conflict(format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", live.meta.uid));
    }
    if let Some(Revision(revision)) = how.revision.filter(|it| *it != live.meta.revision) {
        return conflict(format!(
            "Precondition failed: ResourceVersion in precondition: {revision}, ResourceVersion in object meta: {}",
            live.meta.revision.0
        ));
    }
    Ok(())
}

/// Seconds of grace: only pods have any.
fn grace(kind: &Kind, live: &Object, how: &DeleteOptions) -> i64 {
    if kind.id != POD {
        return 0;
    }
    kinds::pod::deletion_grace(live, how.grace_seconds)
}

/// The finalizers that the way of deleting asks for (`deletionFinalizersForGarbageCollection`).
fn finalizers(live: &Object, how: &DeleteOptions) -> Arc<[Str]> {
    let orphan = match how.propagation {
        Some(it) => it == Propagation::Orphan,
        None => live.meta.has_finalizer(ORPHAN),
    };
    let foreground = match how.propagation {
        Some(it) => it == Propagation::Foreground,
        None => live.meta.has_finalizer(FOREGROUND),
    };
    if orphan == live.meta.has_finalizer(ORPHAN) && foreground == live.meta.has_finalizer(FOREGROUND) {
        return live.meta.finalizers.clone();
    }
    let others = live.meta.finalizers.iter().filter(|it| **it != ORPHAN && **it != FOREGROUND).cloned();
    others.chain(orphan.then(|| ORPHAN.into())).chain(foreground.then(|| FOREGROUND.into())).collect()
}
