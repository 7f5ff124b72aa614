//! ControllerRevisions of a StatefulSet: the one that its pods come from and the one that they go to.

use std::collections::BTreeSet;
use std::sync::Arc;

use kinds::CONTROLLER_REVISION;
use meta::{Key, Object, Status};
use runtime::Cx;
use value::{Str, Value};

use super::{Sync, identity};
use crate::{hash, revision};

const HASH_LABEL: &str = "controller.kubernetes.io/hash";

/// The two revisions of a sync.
pub(super) struct Revisions {
    pub current: Arc<Object>,
    pub update: Arc<Object>,
    /// Every revision, the oldest first.
    pub all: Vec<Arc<Object>>,
    pub collisions: i64,
    /// Pods that this sync deleted for the update.
    pub n_deleted: i64,
}

/// The set with the template of a revision.
pub(super) fn applied(set: &Arc<Object>, revision: &Object) -> Arc<Object> {
    let Some(template) = revision.at("data.spec.template") else { return set.clone() };
    let mut template = template.clone();
    template.remove("$patch");
    if set.at("spec.template") == Some(&template) {
        return set.clone();
    }
    let mut res = Object::clone(set);
    res.set("spec.template", template);
    Arc::new(res)
}

/// Finds both revisions, makes what is missing and gives the update's the highest number (`getStatefulSetRevisions`).
pub(super) fn find(
    cx: &mut Cx<'_>,
    set: &Arc<Object>,
    mut all: Vec<Arc<Object>>,
) -> Result<(Arc<Object>, Revisions), Status> {
    all.sort_by(|a, b| {
        (revision::number(a), a.meta.created, &a.meta.name).cmp(&(revision::number(b), b.meta.created, &b.meta.name))
    });
    let data = revision::data(set);
    let next = all.last().map_or(1, |it| revision::number(it).wrapping_add(1));
    let mut collisions = set.i64_at("status.collisionCount").unwrap_or(0);
    let equal = all.iter().rposition(|it| it.at("data") == Some(&data));
    let update = match equal {
        Some(idx) if idx + 1 == all.len() => all[idx].clone(),
        Some(idx) => {
            let mut update = Object::clone(&all[idx]);
            update.body.insert("revision", next);
            cx.update(update)?
        }
        None => create(cx, set, &data, next, &mut collisions)?,
    };
    let known = set.str_at("status.currentRevision").unwrap_or("");
    let current = all.iter().find(|it| it.name() == known).unwrap_or(&update).clone();
    Ok((set.clone(), Revisions { current, update, all, collisions, n_deleted: 0 }))
}

/// A collision of names with another template's revision counts, and changes the hash.
fn create(
    cx: &mut Cx<'_>,
    set: &Arc<Object>,
    data: &Value,
    number: i64,
    collisions: &mut i64,
) -> Result<Arc<Object>, Status> {
    loop {
        let hash = hash::of_template(data, Some(*collisions));
        let name = Str::from(format!("{}-{hash}", set.name().get(..223).unwrap_or(set.name())));
        let revision = revision::new(set, "StatefulSet", &name, (HASH_LABEL, &hash), data, number);
        match cx.create(revision) {
            Err(status) if status.is_already_exists() => {
                let existing = cx.get(CONTROLLER_REVISION, &Key::new(set.namespace(), &name)).ok_or(status)?;
                if existing.at("data") == Some(data) {
                    return Ok(existing);
                }
                *collisions = hash::after_collision(Some(*collisions));
            }
            res => return res,
        }
    }
}

/// Deletes the oldest revisions beyond `revisionHistoryLimit` that nothing is of (`truncateHistory`).
pub(super) fn clean_up(cx: &mut Cx<'_>, sync: &Sync, pods: &[Arc<Object>]) -> Result<(), Status> {
    let Revisions { current, update, all, .. } = &sync.revisions;
    let mut live: BTreeSet<&str> = pods.iter().filter_map(|it| identity::revision(it)).collect();
    live.extend([current.name(), update.name()]);
    let dead: Vec<&Arc<Object>> = all.iter().filter(|it| !live.contains(it.name())).collect();
    let limit = sync.set.i64_at("spec.revisionHistoryLimit").unwrap_or(10);
    let excess = if limit < 0 { 0 } else { usize::try_from(dead.len() as i64 - limit).unwrap_or(0) };
    for revision in dead.into_iter().take(excess) {
        cx.delete(CONTROLLER_REVISION, &revision.key())?;
    }
    Ok(())
}
