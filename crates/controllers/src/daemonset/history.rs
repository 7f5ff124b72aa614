//! ControllerRevisions of a DaemonSet: one for each template it has had.

use std::sync::Arc;

use kinds::{CONTROLLER_REVISION, DAEMON_SET, POD};
use meta::selector::LabelSelector;
use meta::{Key, Object, Status};
use runtime::Cx;
use value::{Str, Value, value};

use crate::claim::{self, Claimed};
use crate::{hash, revision};

/// The label that ties pods to their revision.
const HASH_LABEL: &str = "controller-revision-hash";

/// The revisions that a set controls.
pub(super) struct History {
    /// The current revision's hash, as its label has it.
    pub hash: Str,
    pub old: Vec<Arc<Object>>,
}

/// Finds or makes the revision of the present template, and gives it the highest number (`constructHistory`).
///
/// # Errors
/// A failed request; `AlreadyExists` after a collision of hashes, so that the sync is tried again with another one.
pub(super) fn construct(cx: &mut Cx<'_>, set: &Arc<Object>, selector: &LabelSelector) -> Result<History, Status> {
    let claimed = Claimed { owner: set, kind: "DaemonSet", api_version: "apps/v1", selector, finalizer: None };
    let data = revision::data(set);
    let mut current = Vec::new();
    let mut old = Vec::new();
    for revision in claim::all(cx, CONTROLLER_REVISION, &claimed)? {
        let revision = with_hash_label(cx, revision)?;
        if revision.at("data") == Some(&data) { current.push(revision) } else { old.push(revision) }
    }
    let number = hash::next_number(old.iter().map(|it| revision::number(it)));
    let newest = current.iter().max_by_key(|it| revision::number(it)).cloned();
    let current = match newest {
        None => create(cx, set, &data, number)?,
        Some(newest) => {
            keep_one(cx, set, selector, &newest, &current)?;
            if revision::number(&newest) < number {
                let mut update = Object::clone(&newest);
                update.body.insert("revision", number);
                cx.update(update)?;
            }
            newest
        }
    };
    Ok(History { hash: current.meta.label(HASH_LABEL).unwrap_or("").into(), old })
}

/// A revision without the label gets its own name as the hash.
fn with_hash_label(cx: &mut Cx<'_>, revision: Arc<Object>) -> Result<Arc<Object>, Status> {
    if revision.meta.labels.contains_key(HASH_LABEL) {
        return Ok(revision);
    }
    let mut update = Object::clone(&revision);
    update.meta.labels.insert(HASH_LABEL, &revision.meta.name);
    cx.update(update)
}

/// `snapshot`: a collision with another template's revision counts in the set's status and fails.
fn create(cx: &mut Cx<'_>, set: &Arc<Object>, data: &Value, number: i64) -> Result<Arc<Object>, Status> {
    let collisions = set.i64_at("status.collisionCount");
    let hash = hash::of_template(set.at("spec.template").unwrap_or(&Value::Null), collisions);
    let name = Str::from(format!("{}-{hash}", set.name()));
    let revision = revision::new(set, "DaemonSet", &name, (HASH_LABEL, &hash), data, number);
    let exists = match cx.create(revision) {
        Err(status) if status.is_already_exists() => status,
        res => return res,
    };
    let key = Key { namespace: set.meta.namespace.clone(), name };
    let existing = cx.get(CONTROLLER_REVISION, &key).ok_or_else(|| exists.clone())?;
    if existing.at("data") == Some(data) {
        return Ok(existing);
    }
    let fresh = cx.get(DAEMON_SET, &set.key()).ok_or_else(|| exists.clone())?;
    let status = fresh.at("status").cloned().unwrap_or_default();
    cx.update_status(&fresh, status.with("collisionCount", hash::after_collision(collisions)))?;
    Err(exists)
}

/// Several revisions of one template become one; pods are relabelled first (`dedupCurHistories`).
fn keep_one(
    cx: &mut Cx<'_>,
    set: &Arc<Object>,
    selector: &LabelSelector,
    keep: &Object,
    all: &[Arc<Object>],
) -> Result<(), Status> {
    if all.len() == 1 {
        return Ok(());
    }
    let hash = keep.meta.label(HASH_LABEL).unwrap_or("");
    for pod in
        claim::pods(cx, &Claimed { owner: set, kind: "DaemonSet", api_version: "apps/v1", selector, finalizer: None })?
    {
        if pod.meta.label(HASH_LABEL) != Some(hash) {
            let patch = value!({ "metadata": { "labels": { "controller-revision-hash": hash } } });
            cx.patch(POD, &pod.key(), &patch)?;
        }
    }
    for revision in all.iter().filter(|it| it.meta.name != keep.meta.name) {
        cx.delete(CONTROLLER_REVISION, &revision.key())?;
    }
    Ok(())
}

/// Deletes the oldest revisions beyond `revisionHistoryLimit` that no pod is of (`cleanupHistory`).
///
/// # Errors
/// A failed request.
pub(super) fn clean_up(cx: &mut Cx<'_>, set: &Object, old: &[Arc<Object>], pods: &[Arc<Object>]) -> Result<(), Status> {
    let keep = usize::try_from(set.i64_at("spec.revisionHistoryLimit").unwrap_or(10)).unwrap_or(0);
    let Some(excess) = old.len().checked_sub(keep).filter(|it| *it > 0) else { return Ok(()) };
    let is_live = |revision: &Object| {
        let hash = revision.meta.label(HASH_LABEL).filter(|it| !it.is_empty());
        hash.is_some() && pods.iter().any(|it| it.meta.label(HASH_LABEL) == hash)
    };
    let mut oldest_first: Vec<&Arc<Object>> = old.iter().collect();
    oldest_first.sort_by_key(|it| revision::number(it));
    for revision in oldest_first.into_iter().filter(|it| !is_live(it)).take(excess) {
        cx.delete(CONTROLLER_REVISION, &revision.key())?;
    }
    Ok(())
}
