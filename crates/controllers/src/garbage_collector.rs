//! Deletes dependents whose owners have gone, and carries out foreground and orphaning deletions (`pkg/controller/garbagecollector`).

use std::sync::Arc;

use kinds::Kind;
use meta::{FOREGROUND, Key, KindId, ORPHAN, Object, OwnerRef, Status, quoted};
use runtime::{Actor, Backlog, Cause, Cx, Item, News, Propagation, Queue, Stats, View, Wanted};
use sim::Instant;
use store::Change;
use value::{Str, Value, value};

const NAME: &str = "garbage-collector";

/// Objects of any kind that may have to go, or that are going and wait for others.
pub(crate) struct GarbageCollector {
    kinds: Vec<KindId>,
    queue: Queue<Item>,
    /// References, by their uid, to owners that live in another namespace than the object that has them. An event says so.
    misplaced: Vec<(Item, Str)>,
    last_work: Option<Instant>,
}

impl GarbageCollector {
    /// For all of `kinds`.
    pub fn new(kinds: Vec<KindId>) -> GarbageCollector {
        GarbageCollector { kinds, queue: Queue::default(), misplaced: Vec::new(), last_work: None }
    }

    /// Notes those of `references` whose owner is there, but elsewhere (`addDependentToOwners`).
    fn note_misplaced(&mut self, object: &Object, references: &mut dyn Iterator<Item = &OwnerRef>, view: &View<'_>) {
        for reference in references {
            let Some(kind) = view.kind_of(&reference.api_version, &reference.kind).filter(|it| it.is_namespaced())
            else {
                continue;
            };
            let key = Key::new(&object.meta.namespace, &reference.name);
            if view.get(kind.id, &key).is_some_and(|it| it.meta.uid == reference.uid) {
                continue;
            }
            let mut others = view.list(kind.id, None).filter(|it| it.namespace() != object.namespace());
            if others.any(|it| it.meta.uid == reference.uid) {
                self.misplaced.push(((object.kind, object.key()), reference.uid.clone()));
            }
        }
    }

    fn changed(&mut self, kind: KindId, change: &Change, view: &View<'_>) {
        // Most changes say nothing of owners.
        if let Some(after) = &change.after
            && !is_going(after)
            && match &change.before {
                Some(before) => before.meta.identity.same(&after.meta.identity),
                None => after.meta.owners.is_empty(),
            }
        {
            return;
        }
        let object = change.object();
        let cause = || Some(Cause { kind, key: object.key(), revision: change.revision });
        let add = |queue: &mut Queue<Item>, item: Item| queue.add(item, cause());
        match (&change.before, &change.after) {
            (_, None) => view.dependents(&object.meta.uid).into_iter().for_each(|it| add(&mut self.queue, it)),
            (before, Some(after)) => {
                let same_owners = before.as_ref().is_some_and(|it| {
                    Arc::ptr_eq(&it.meta.owners, &after.meta.owners) || it.meta.owners == after.meta.owners
                });
                if (!same_owners && !after.meta.owners.is_empty()) || is_going(after) {
                    add(&mut self.queue, (kind, object.key()));
                }
                if !same_owners {
                    let old = before.as_ref().map(|it| &*it.meta.owners).unwrap_or_default();
                    let is_new = |it: &&OwnerRef| old.iter().all(|old| old.uid != it.uid);
                    self.note_misplaced(after, &mut after.meta.owners.iter().filter(is_new), view);
                }
            }
        }
        // What it leaves behind: an owner may wait for just this dependent.
        let left = |it: &OwnerRef| change.after.as_ref().is_none_or(|after| !after.meta.owners.contains(it));
        for reference in change.before.iter().flat_map(|it| it.meta.owners.iter()).filter(|it| left(it)) {
            if let Some(owner) = owner_item(view, object, reference) {
                add(&mut self.queue, owner);
            }
        }
    }
}

/// Whether an owner is being deleted in a way that concerns its dependents.
fn is_going(object: &Object) -> bool {
    object.meta.is_deleted() && (object.meta.has_finalizer(ORPHAN) || object.meta.has_finalizer(FOREGROUND))
}

/// Whether it goes as soon as its dependents have gone.
fn waits(object: &Object) -> bool {
    object.meta.is_deleted() && object.meta.has_finalizer(FOREGROUND)
}

/// The owner that a dependent names; `None` where its kind is not served.
fn owner_item(view: &View<'_>, dependent: &Object, reference: &OwnerRef) -> Option<Item> {
    let kind = view.kind_of(&reference.api_version, &reference.kind)?;
    let namespace = if kind.is_namespaced() { dependent.meta.namespace.clone() } else { Str::default() };
    Some((kind.id, Key::new(namespace, &reference.name)))
}

impl Actor for GarbageCollector {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self) -> Vec<Wanted> {
        let news = News::OWNERS.or(News::GONE).or(News::DELETING);
        self.kinds.iter().map(|it| Wanted { news, ..Wanted::any(*it) }).collect()
    }

    fn deliver(&mut self, kind: KindId, changes: &[Change], _: News, view: &View<'_>) -> bool {
        let n_before = self.queue.len();
        for change in changes {
            self.changed(kind, change, view);
        }
        self.queue.len() > n_before
    }

    fn list(&mut self, view: &View<'_>) {
        self.queue.clear();
        self.misplaced.clear();
        for kind in self.kinds.clone() {
            for object in view.list(kind, None).filter(|it| is_going(it) || !it.meta.owners.is_empty()) {
                self.queue.add((kind, object.key()), None);
                self.note_misplaced(object, &mut object.meta.owners.iter(), view);
            }
        }
    }

    fn work(&mut self, cx: &mut Cx<'_>) -> bool {
        for (item, uid) in std::mem::take(&mut self.misplaced) {
            report_misplaced(cx, &item, &uid);
        }
        self.queue.wake(cx.now());
        let n_items = self.queue.len();
        for _ in 0..n_items {
            if !cx.may_write() {
                break;
            }
            let Some((item, cause)) = self.queue.pop() else { break };
            cx.begin(NAME, cause);
            match reconcile(cx, &item) {
                Ok(()) => self.queue.forget(&item),
                Err(why) => self.queue.add_failed(item, cx.now(), &why),
            }
            cx.end();
            self.last_work = Some(cx.now());
        }
        n_items > 0
    }

    fn next_wakeup(&self) -> Option<Instant> {
        if self.queue.is_empty() { self.queue.next_wakeup() } else { Some(Instant::default()) }
    }

    fn stats(&self) -> Stats {
        Stats { queue_depth: self.queue.len() as u64, retries: self.queue.n_retries(), last_work: self.last_work }
    }

    fn backlog(&self) -> Backlog {
        self.queue.backlog(&|(_, key)| key.to_string())
    }
}

/// Works on one object: as an owner that is going, or as a dependent whose owners may have gone.
fn reconcile(cx: &mut Cx<'_>, (kind, key): &Item) -> Result<(), Status> {
    let Some(object) = cx.get(*kind, key) else { return Ok(()) };
    if object.meta.is_deleted() && object.meta.has_finalizer(ORPHAN) {
        return orphan_dependents(cx, &object);
    }
    if waits(&object) {
        return delete_dependents(cx, &object);
    }
    if object.meta.owners.is_empty() || object.meta.is_deleted() {
        return Ok(());
    }
    attempt_to_delete(cx, &object)
}

/// Says that an owner is not where the reference looks for it (`reportInvalidNamespaceOwnerRef`).
fn report_misplaced(cx: &mut Cx<'_>, item: &Item, uid: &str) {
    let Some(object) = cx.get(item.0, &item.1) else { return };
    let Some(OwnerRef { api_version, kind, name, uid, .. }) = object.meta.owners.iter().find(|it| it.uid == *uid)
    else {
        return;
    };
    let namespace = object.namespace();
    let message = format!(
        "ownerRef [{api_version}/{kind}, namespace: {namespace}, name: {name}, uid: {uid}] does not exist in namespace {}",
        quoted(namespace)
    );
    cx.event_by_name((item.0, &item.1), &object.meta.uid, "Warning", "OwnerRefInvalidNamespace", &message);
}

/// How an owner reference stands (`classifyReferences`).
enum Owner {
    /// The owner is there and stays.
    Solid,
    /// There is no such owner.
    Dangling,
    /// The owner waits for its dependents to go first.
    WaitingForDependents,
}

/// `None` where the owner cannot be looked up: its kind is not served, or it has a namespace and the dependent has none.
fn owner_state(cx: &Cx<'_>, dependent: &Object, reference: &OwnerRef) -> Option<Owner> {
    let (kind, key) = owner_item(&cx.view(), dependent, reference)?;
    if key.namespace.is_empty() && cx.view().kind(kind).is_some_and(Kind::is_namespaced) {
        return None;
    }
    let state = match cx.view().get(kind, &key) {
        Some(owner) if owner.meta.uid == reference.uid => {
            if waits(owner) {
                Owner::WaitingForDependents
            } else {
                Owner::Solid
            }
        }
        _ => Owner::Dangling,
    };
    Some(state)
}

/// `attemptToDeleteItem`: an object all of whose owners have gone goes too.
fn attempt_to_delete(cx: &mut Cx<'_>, object: &Arc<Object>) -> Result<(), Status> {
    let (mut n_solid, mut unneeded, mut n_waiting) = (0, Vec::new(), 0);
    for reference in object.meta.owners.iter() {
        let Some(state) = owner_state(cx, object, reference) else { return Ok(()) };
        match state {
            Owner::Solid => n_solid += 1,
            Owner::Dangling => unneeded.push(reference.uid.clone()),
            Owner::WaitingForDependents => {
                n_waiting += 1;
                unneeded.push(reference.uid.clone());
            }
        }
    }
    if n_solid > 0 {
        if !unneeded.is_empty() {
            let gone: Vec<Value> = unneeded.iter().map(|uid| value!({ "$patch": "delete", "uid": uid })).collect();
            cx.patch(
                object.kind,
                &object.key(),
                &value!({ "metadata": { "ownerReferences": gone, "uid": &object.meta.uid } }),
            )?;
        }
        return Ok(());
    }
    let dependents = cx.view().dependents(&object.meta.uid);
    if n_waiting > 0 && dependents.iter().any(|(kind, key)| cx.get(*kind, key).is_some_and(|it| waits(&it))) {
        unblock_owners(cx, object)?;
    }
    let propagation = match n_waiting {
        0 if object.meta.has_finalizer(ORPHAN) => Propagation::Orphan,
        0 if object.meta.has_finalizer(FOREGROUND) => Propagation::Foreground,
        0 => Propagation::Background,
        _ if !dependents.is_empty() => Propagation::Foreground,
        _ => Propagation::Background,
    };
    ignore_gone(cx.delete_with(object.kind, &object.key(), &object.meta.uid, propagation))?;
    Ok(())
}

/// An object between two that wait for their dependents may close a circle: its owners no longer wait for it.
fn unblock_owners(cx: &mut Cx<'_>, object: &Object) -> Result<(), Status> {
    let blocking = object.meta.owners.iter().filter(|it| it.block_deletion == Some(true));
    let list: Vec<Value> = blocking.map(|it| value!({ "blockOwnerDeletion": false, "uid": &it.uid })).collect();
    let patch = value!({ "metadata": { "ownerReferences": list, "uid": &object.meta.uid } });
    cx.patch(object.kind, &object.key(), &patch).map(|_| ())
}

/// `processDeletingDependentsItem`: the owner goes when no dependent that blocks it is left.
fn delete_dependents(cx: &mut Cx<'_>, owner: &Arc<Object>) -> Result<(), Status> {
    let dependents: Vec<(KindId, Key)> = cx.view().dependents(&owner.meta.uid);
    let mut is_blocked = false;
    for (kind, key) in dependents {
        let Some(dependent) = cx.get(kind, &key) else { continue };
        let reference = dependent.meta.owners.iter().find(|it| it.uid == owner.meta.uid);
        is_blocked |= reference.is_some_and(|it| it.block_deletion == Some(true));
        if !dependent.meta.is_deleted() {
            attempt_to_delete(cx, &dependent)?;
        }
    }
    if !is_blocked {
        remove_finalizer(cx, owner, FOREGROUND)?;
    }
    Ok(())
}

/// `orphanDependents`: dependents lose their reference, then the owner may go.
fn orphan_dependents(cx: &mut Cx<'_>, owner: &Arc<Object>) -> Result<(), Status> {
    for (kind, key) in cx.view().dependents(&owner.meta.uid) {
        let Some(dependent) = cx.get(kind, &key) else { continue };
        let patch = value!({ "metadata": {
            "ownerReferences": [{ "$patch": "delete", "uid": &owner.meta.uid }], "uid": &dependent.meta.uid,
        } });
        ignore_gone(cx.patch(kind, &key, &patch).map(|_| ()))?;
    }
    remove_finalizer(cx, owner, ORPHAN)?;
    Ok(())
}

fn remove_finalizer(cx: &mut Cx<'_>, owner: &Object, finalizer: &str) -> Result<(), Status> {
    let left: Vec<Value> = owner.meta.finalizers.iter().filter(|it| *it != finalizer).map(Value::from).collect();
    let patch = value!({ "metadata": { "finalizers": left, "resourceVersion": owner.meta.revision.text() } });
    ignore_gone(cx.patch_merge(owner.kind, &owner.key(), &patch).map(|_| ()))
}

fn ignore_gone(res: Result<(), Status>) -> Result<(), Status> {
    match res {
        Err(status) if status.is_not_found() || status.code == 422 => Ok(()),
        res => res,
    }
}
