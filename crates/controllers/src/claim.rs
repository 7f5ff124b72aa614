//! Adoption and release: which objects a controller owns (`pkg/controller/controller_ref_manager.go`).

use std::sync::Arc;

use kinds::POD;
use meta::selector::LabelSelector;
use meta::{Key, KindId, Object, Status};
use runtime::Cx;
use value::value;

use crate::pods;

/// An owner and what it selects.
pub(crate) struct Claimed<'a> {
    pub owner: &'a Arc<Object>,
    /// The owner's kind and version, as references name them.
    pub kind: &'static str,
    pub api_version: &'static str,
    pub selector: &'a LabelSelector,
    /// Put on what is adopted and taken from what is released.
    pub finalizer: Option<&'static str>,
}

/// The pods of an owner: those it controls and selects, and orphans that it adopts. Controlled ones that it no longer selects are released.
///
/// # Errors
/// A failed request other than that the object has gone or changed hands.
pub(crate) fn pods(cx: &mut Cx<'_>, claimed: &Claimed<'_>) -> Result<Vec<Arc<Object>>, Status> {
    all(cx, POD, claimed)
}

/// The same for those pods that count as replicas; others are neither adopted nor released.
///
/// # Errors
/// A failed request other than that the object has gone or changed hands.
pub(crate) fn active_pods(cx: &mut Cx<'_>, claimed: &Claimed<'_>) -> Result<Vec<Arc<Object>>, Status> {
    some(cx, POD, claimed, &pods::is_active)
}

/// The same for objects of any kind, such as ControllerRevisions.
///
/// # Errors
/// A failed request other than that the object has gone or changed hands.
pub(crate) fn all(cx: &mut Cx<'_>, kind: KindId, claimed: &Claimed<'_>) -> Result<Vec<Arc<Object>>, Status> {
    some(cx, kind, claimed, &|_| true)
}

/// The same, but what the owner controls and no longer selects is only left out.
///
/// # Errors
/// A failed request other than that the object has gone or changed hands.
pub(crate) fn kept(cx: &mut Cx<'_>, kind: KindId, claimed: &Claimed<'_>) -> Result<Vec<Arc<Object>>, Status> {
    let controlled = cx.controlled(kind, claimed.owner);
    let selected = controlled.into_iter().filter(|it| claimed.selector.matches(&it.meta.labels)).collect();
    with_orphans(cx, kind, claimed, &|_| true, selected)
}

/// The same for those for which `counts` answers true; others are left alone.
///
/// # Errors
/// A failed request other than that the object has gone or changed hands.
pub(crate) fn some(
    cx: &mut Cx<'_>,
    kind: KindId,
    claimed: &Claimed<'_>,
    counts: &dyn Fn(&Object) -> bool,
) -> Result<Vec<Arc<Object>>, Status> {
    let owner = claimed.owner;
    let mut selected = Vec::new();
    for object in cx.controlled(kind, owner).into_iter().filter(|it| counts(it)) {
        if claimed.selector.matches(&object.meta.labels) {
            selected.push(object);
        } else if !owner.meta.is_deleted() {
            release(cx, kind, &object, claimed)?;
        }
    }
    with_orphans(cx, kind, claimed, counts, selected)
}

/// Objects that are the owner's already, and those that it adopts.
fn with_orphans(
    cx: &mut Cx<'_>,
    kind: KindId,
    claimed: &Claimed<'_>,
    counts: &dyn Fn(&Object) -> bool,
    mut res: Vec<Arc<Object>>,
) -> Result<Vec<Arc<Object>>, Status> {
    let owner = claimed.owner;
    let orphans: Vec<Key> = cx.orphans(kind, &owner.meta.namespace);
    for key in orphans {
        let Some(orphan) = cx.get(kind, &key).filter(|it| counts(it)) else { continue };
        let adoptable = !orphan.meta.is_deleted() && orphan.meta.controller().is_none() && !owner.meta.is_deleted();
        if adoptable && claimed.selector.matches(&orphan.meta.labels) {
            res.extend(adopt(cx, kind, &orphan, claimed)?);
        }
    }
    res.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
    Ok(res)
}

/// `None` if the orphan has gone meanwhile.
fn adopt(cx: &mut Cx<'_>, kind: KindId, orphan: &Object, claimed: &Claimed<'_>) -> Result<Option<Arc<Object>>, Status> {
    let reference = pods::controller_ref(claimed.owner, claimed.api_version, claimed.kind);
    let mut patch = value!({ "metadata": { "ownerReferences": [reference.to_map()], "uid": &orphan.meta.uid } });
    if let Some(finalizer) = claimed.finalizer {
        patch.set("metadata.finalizers", value!([finalizer]));
    }
    match cx.patch(kind, &orphan.key(), &patch) {
        Ok(it) => Ok(Some(it)),
        Err(status) if status.is_not_found() => Ok(None),
        Err(status) => Err(status),
    }
}

fn release(cx: &mut Cx<'_>, kind: KindId, object: &Object, claimed: &Claimed<'_>) -> Result<(), Status> {
    let mut patch = value!({ "metadata": {
        "ownerReferences": [{ "$patch": "delete", "uid": &claimed.owner.meta.uid }], "uid": &object.meta.uid,
    } });
    if let Some(finalizer) = claimed.finalizer {
        patch.set("metadata.$deleteFromPrimitiveList/finalizers", value!([finalizer]));
    }
    match cx.patch(kind, &object.key(), &patch) {
        Err(status) if status.is_not_found() || status.code == 422 => Ok(()),
        res => res.map(|_| ()),
    }
}
