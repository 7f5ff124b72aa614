//! Which fields differ between two objects: metadata is typed, the rest a tree.

use std::sync::Arc;

use meta::{Metadata, Object, OwnerRef};
use schema::{Schema, Type, TypeId};
use value::{List, Map, Value, time};

use crate::compare::{Compare, Difference};
use crate::fields::union;
use crate::memo::Memo;
use crate::resets::Resets;

/// Sets of fields in which two objects differ.
#[derive(Default)]
pub(crate) struct Changes {
    pub added: Map,
    pub modified: Map,
    pub removed: Map,
}

impl Changes {
    /// What is new or different.
    pub fn changed(&self) -> Map {
        union(&self.added, &self.modified)
    }
}

/// Fields of metadata that nobody owns.
pub(crate) const UNOWNED: &[&str] =
    &["creationTimestamp", "generation", "managedFields", "name", "namespace", "resourceVersion", "selfLink", "uid"];

/// The Go name of a type.
pub(crate) fn kind_of(schema: &Schema, ty: Option<TypeId>) -> Option<&str> {
    match schema.ty(ty?) {
        Type::Struct(it) => Some(it.go_name()),
        _ => None,
    }
}

/// An object of a type before anything is set, as Go makes it.
pub(crate) fn empty_body(schema: &Schema, ty: TypeId) -> Map {
    match schema.decode(ty, &Value::map()).map(|it| it.value) {
        Ok(Value::Map(map)) => map.filtered(|key, _| key != "metadata"),
        _ => Map::new(),
    }
}

/// How `new` differs from `old`, but for what nobody owns and what the write sets back.
pub(crate) fn compare(
    schema: &Schema,
    ty: Option<TypeId>,
    old: Option<&Object>,
    new: &Object,
    resets: Resets,
    memo: &mut Memo,
) -> Changes {
    let nothing = Metadata::default();
    let empty;
    let (old_meta, old_body) = match old {
        Some(old) => (&old.meta, &old.body),
        None => {
            empty = memo.empty_body(schema, ty);
            (&nothing, &empty)
        }
    };
    let mut walk = Walk { compare: Compare { schema, memo, parts: false }, ty, resets, changes: Changes::default() };
    walk.metadata(old_meta, &new.meta);
    walk.body(old_body, &new.body);
    walk.changes
}

struct Walk<'a> {
    compare: Compare<'a>,
    ty: Option<TypeId>,
    resets: Resets,
    changes: Changes,
}

impl Walk<'_> {
    fn child(&self, ty: Option<TypeId>, key: &str) -> Option<TypeId> {
        self.compare.schema.child(ty?, key)
    }

    fn body(&mut self, old: &Map, new: &Map) {
        let keys = old.keys().chain(new.keys().filter(|it| !old.contains_key(it)));
        for key in keys {
            if self.resets.has(key) {
                continue;
            }
            let (a, b) = (old.get(key), new.get(key));
            if matches!((a, b), (Some(a), Some(b)) if a.same(b)) {
                continue;
            }
            self.compare.parts = true;
            let mut res = self.compare.values(self.child(self.ty, key), a, b);
            if key == "status" {
                without(&mut res, self.resets);
            }
            self.compare.parts = false;
            let element = self.compare.memo.field(key);
            put(&mut self.changes, &element, res);
        }
    }

    fn metadata(&mut self, old: &Metadata, new: &Metadata) {
        if self.resets.has("metadata") || old.same_but_managed(new) {
            return;
        }
        let ty = self.child(self.ty, "metadata").or_else(|| self.compare.schema.definition(OBJECT_META));
        let (old, new) = (owned(old, new, self.resets), owned(new, old, self.resets));
        let res = self.compare.values(ty, Some(&Value::Map(old)), Some(&Value::Map(new)));
        let element = self.compare.memo.field(&"metadata".into());
        put(&mut self.changes, &element, res);
    }
}

const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

fn put(changes: &mut Changes, element: &value::Str, child: Difference) {
    for (set, child) in [
        (&mut changes.added, child.added),
        (&mut changes.modified, child.modified),
        (&mut changes.removed, child.removed),
    ] {
        if let Some(child) = child {
            set.insert(element, child);
        }
    }
}

/// Drops what the write sets back within the status.
fn without(res: &mut Difference, resets: Resets) {
    for name in resets.0.iter().filter_map(|it| it.strip_prefix("status.")) {
        for set in [&mut res.added, &mut res.modified, &mut res.removed] {
            if let Some(Value::Map(map)) = set {
                map.remove(&format!("f:{name}"));
            }
        }
    }
}

/// The part of metadata that can be owned and that is not surely the same in `other`.
fn owned(meta: &Metadata, other: &Metadata, resets: Resets) -> Map {
    let mut entries = Vec::new();
    let mut put = |key: &str, differs: bool, value: Option<Value>| {
        if differs
            && let Some(value) = value
            && !resets.0.iter().any(|it| it.strip_prefix("metadata.") == Some(key))
        {
            entries.push((value::Str::literal(key), value));
        }
    };
    let map = |it: &Map| (!it.is_empty()).then(|| Value::Map(it.clone()));
    let date = |it: Option<i64>| it.map(|it| Value::from(time::format_secs(it)));
    put("annotations", !meta.annotations.same(&other.annotations), map(&meta.annotations));
    put("deletionGracePeriodSeconds", true, meta.grace_seconds.map(Value::from));
    put("deletionTimestamp", true, date(meta.deleted));
    let same = Arc::ptr_eq(&meta.finalizers, &other.finalizers);
    put("finalizers", !same, list(meta.finalizers.iter().map(Value::from).collect()));
    put("generateName", true, (!meta.generate_name.is_empty()).then(|| Value::from(&meta.generate_name)));
    put("labels", !meta.labels.same(&other.labels), map(&meta.labels));
    let same = meta.owners == other.owners;
    if !same {
        put("ownerReferences", true, list(meta.owners.iter().map(OwnerRef::to_map).map(Value::Map).collect()));
    }
    entries.into()
}

fn list(items: List) -> Option<Value> {
    (!items.is_empty()).then_some(Value::List(items))
}
