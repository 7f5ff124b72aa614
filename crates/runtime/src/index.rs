//! Which objects belong to which: kept from the store's log, so that nobody scans.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kinds::{CONTROLLER_REVISION, POD, REPLICA_SET};
use meta::{Key, KeyMap, KindId, Object};
use store::Change;
use value::Str;

use crate::News;

/// Kinds whose objects are adopted when they have no controlling owner.
const ADOPTED: [KindId; 3] = [CONTROLLER_REVISION, POD, REPLICA_SET];

/// One object of any kind.
pub type Item = (KindId, Key);

/// More items than this are kept in a tree.
const FEW: usize = 8;

/// Items in order. Most owners have one: these stand in a list, with no room to spare.
#[derive(Clone, Debug, Default)]
struct Items {
    /// Empty once there are more than [`FEW`].
    few: Vec<Item>,
    many: BTreeSet<Item>,
}

impl Items {
    fn insert(&mut self, item: Item) {
        if !self.many.is_empty() {
            self.many.insert(item);
            return;
        }
        let Err(idx) = self.few.binary_search(&item) else { return };
        self.few.reserve_exact(usize::from(self.few.is_empty()));
        self.few.insert(idx, item);
        if self.few.len() > FEW {
            self.many.extend(std::mem::take(&mut self.few));
        }
    }

    fn remove(&mut self, item: &Item) {
        self.many.remove(item);
        if let Ok(idx) = self.few.binary_search(item) {
            self.few.remove(idx);
        }
    }

    fn is_empty(&self) -> bool {
        self.few.is_empty() && self.many.is_empty()
    }

    fn iter(&self) -> impl Iterator<Item = &Item> {
        self.few.iter().chain(&self.many)
    }
}

/// Indexes over all objects.
#[derive(Clone, Debug, Default)]
pub struct Indexes {
    /// Owner's uid to the objects that name it in `ownerReferences`.
    by_owner: KeyMap<Items, Str>,
    /// Kind (of [`ADOPTED`]) and namespace to objects without a controlling owner.
    orphans: BTreeMap<(KindId, Str), BTreeSet<Str>>,
    /// `spec.nodeName` to pods, in order: few on each node.
    by_node: KeyMap<Vec<Key>, Str>,
}

impl Indexes {
    /// Takes a batch of changes of one kind in, which are about `news`.
    pub fn apply(&mut self, kind: KindId, changes: &[Change], news: News) {
        let is_adopted = ADOPTED.contains(&kind);
        // Most changes say nothing of owners and nodes.
        let counts = match kind {
            POD => News::CREATED.or(News::GONE).or(News::OWNERS).or(News::SPEC),
            _ if is_adopted => News::CREATED.or(News::GONE).or(News::OWNERS),
            _ => News::OWNERS,
        };
        if !counts.meets(news) {
            return;
        }
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
            self.by_owner.or_default(&owner.uid).insert((kind, key.clone()));
        }
        if is_adopted && object.meta.controller().is_none() {
            self.orphans.entry((kind, key.namespace.clone())).or_default().insert(key.name.clone());
        }
        if kind == POD
            && let Some(node) = node_name(object)
        {
            let pods = self.by_node.or_default(node);
            if let Err(idx) = pods.binary_search(&key) {
                pods.reserve_exact(usize::from(pods.is_empty()));
                pods.insert(idx, key);
            }
        }
    }

    fn remove(&mut self, kind: KindId, object: &Object, is_adopted: bool) {
        let key = object.key();
        for owner in object.meta.owners.iter() {
            self.take_from_owner(&owner.uid, &(kind, key.clone()));
        }
        if is_adopted && object.meta.controller().is_none() {
            self.take_from_orphans(&(kind, key.namespace.clone()), &key.name);
        }
        if kind == POD
            && let Some(node) = node_name(object)
        {
            self.take_from_node(node, &key);
        }
    }

    fn take_from_owner(&mut self, uid: &Str, item: &Item) {
        let Some(items) = self.by_owner.get_mut(uid) else { return };
        items.remove(item);
        if items.is_empty() {
            self.by_owner.remove(uid);
        }
    }

    fn take_from_orphans(&mut self, place: &(KindId, Str), name: &Str) {
        let Some(names) = self.orphans.get_mut(place) else { return };
        names.remove(name);
        if names.is_empty() {
            self.orphans.remove(place);
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
        self.by_owner.get(uid).into_iter().flat_map(Items::iter)
    }

    /// Names of the objects of `kind`, one that is adopted, in `namespace` that have no controlling owner.
    pub fn orphans<'a>(&'a self, kind: KindId, namespace: &Str) -> impl Iterator<Item = &'a Str> + use<'a> {
        self.orphans.get(&(kind, namespace.clone())).into_iter().flatten()
    }

    /// Names of nodes that pods are bound to.
    pub fn nodes_with_pods(&self) -> impl Iterator<Item = &Str> {
        self.by_node.sorted().into_iter().map(|(node, _)| node)
    }

    /// Keys of the pods bound to `node`.
    pub fn on_node<'a>(&'a self, node: &str) -> impl Iterator<Item = &'a Key> + use<'a> {
        self.by_node.get(node).into_iter().flatten()
    }
}

fn node_name(pod: &Object) -> Option<&Str> {
    pod.at("spec.nodeName")?.as_shared_str().filter(|it| !it.is_empty())
}
