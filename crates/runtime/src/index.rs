//! Which objects belong to which: kept from the store's log, so that nobody scans.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kinds::{CONTROLLER_REVISION, POD, REPLICA_SET};
use meta::{Key, KindId, Object};
use store::Change;
use value::Str;

/// Kinds whose objects are adopted when they have no controlling owner.
const ADOPTED: [KindId; 3] = [CONTROLLER_REVISION, POD, REPLICA_SET];

/// One object of any kind.
pub type Item = (KindId, Key);

/// Indexes over all objects.
#[derive(Clone, Debug, Default)]
pub struct Indexes {
    /// Owner's uid to the objects that name it in `ownerReferences`.
    by_owner: BTreeMap<Str, BTreeSet<Item>>,
    /// Kind (of [`ADOPTED`]) and namespace to objects without a controlling owner.
    orphans: BTreeMap<(KindId, Str), BTreeSet<Str>>,
    /// `spec.nodeName` to pods, in order: few on each node.
    by_node: BTreeMap<Str, Vec<Key>>,
}

impl Indexes {
    /// Takes a batch of changes of one kind in.
    pub fn apply(&mut self, kind: KindId, changes: &[Change]) {
        let is_adopted = ADOPTED.contains(&kind);
        for change in changes {
            let (before, after) = (change.before.as_ref(), change.after.as_ref());
            if let (Some(before), Some(after)) = (before, after)
                && Arc::ptr_eq(&before.meta.owners, &after.meta.owners)
                && (kind != POD || node_name(before) == node_name(after))
            {
                continue;
            }
            for object in before.into_iter().filter(|it| is_adopted || !it.meta.owners.is_empty()) {
                self.remove(kind, object, is_adopted);
            }
            for object in after.into_iter().filter(|it| is_adopted || !it.meta.owners.is_empty()) {
                self.insert(kind, object, is_adopted);
            }
        }
    }

    fn insert(&mut self, kind: KindId, object: &Object, is_adopted: bool) {
        let key = object.key();
        for owner in object.meta.owners.iter() {
            self.by_owner.entry(owner.uid.clone()).or_default().insert((kind, key.clone()));
        }
        if is_adopted && object.meta.controller().is_none() {
            self.orphans.entry((kind, key.namespace.clone())).or_default().insert(key.name.clone());
        }
        if kind == POD
            && let Some(node) = node_name(object)
        {
            let pods = self.by_node.entry(node.clone()).or_insert_with(|| Vec::with_capacity(1));
            if let Err(idx) = pods.binary_search(&key) {
                pods.insert(idx, key);
            }
        }
    }

    fn remove(&mut self, kind: KindId, object: &Object, is_adopted: bool) {
        let key = object.key();
        for owner in object.meta.owners.iter() {
            take(&mut self.by_owner, &owner.uid, &(kind, key.clone()));
        }
        if is_adopted && object.meta.controller().is_none() {
            take(&mut self.orphans, &(kind, key.namespace.clone()), &key.name);
        }
        if kind == POD
            && let Some(node) = node_name(object)
        {
            self.take_from_node(node, &key);
        }
    }

    fn take_from_node(&mut self, node: &Str, key: &Key) {
        let Some(pods) = self.by_node.get_mut(node) else { return };
        if let Ok(idx) = pods.binary_search(key) {
            pods.remove(idx);
        }
        if pods.is_empty() {
            self.by_node.remove(node);
        }
    }

    /// Everything that names `uid` as an owner, in order.
    pub fn owned_by<'a>(&'a self, uid: &str) -> impl Iterator<Item = &'a Item> + use<'a> {
        self.by_owner.get(uid).into_iter().flatten()
    }

    /// Names of the objects of `kind`, one that is adopted, in `namespace` that have no controlling owner.
    pub fn orphans<'a>(&'a self, kind: KindId, namespace: &str) -> impl Iterator<Item = &'a Str> + use<'a> {
        self.orphans.get(&(kind, Str::from(namespace))).into_iter().flatten()
    }

    /// Names of nodes that pods are bound to.
    pub fn nodes_with_pods(&self) -> impl Iterator<Item = &Str> {
        self.by_node.keys()
    }

    /// Keys of the pods bound to `node`.
    pub fn on_node<'a>(&'a self, node: &str) -> impl Iterator<Item = &'a Key> + use<'a> {
        self.by_node.get(node).into_iter().flatten()
    }
}

fn node_name(pod: &Object) -> Option<&Str> {
    pod.at("spec.nodeName")?.as_shared_str().filter(|it| !it.is_empty())
}

/// Takes `item` out of the set under `key`, and the set with its last item.
fn take<K: Ord, T: Ord>(sets: &mut BTreeMap<K, BTreeSet<T>>, key: &K, item: &T) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(item);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}
