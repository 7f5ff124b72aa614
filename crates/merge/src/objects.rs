//! Which fields differ between two objects: metadata is typed, the rest a tree.

use std::sync::Arc;

use meta::{Metadata, Object, OwnerRef};
use schema::{Schema, Type, TypeId};
use value::{List, Map, Str, Value, time};

use crate::compare::Compare;
use crate::resets::Resets;
use crate::steps::Step;

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

/// Walks over the differences of two objects, but for what nobody owns and what the write sets back. Where there is no old
/// one, over the differences from a body of `empty`. `steps` is room for the walk.
pub(crate) fn walk(
    schema: &Schema,
    ty: Option<TypeId>,
    old: Option<&Object>,
    empty: &Map,
    new: &Object,
    resets: Resets,
    steps: Vec<Step>,
) -> Vec<Step> {
    let mut compare = Compare { schema, steps };
    metadata(&mut compare, ty, old.map(|it| &it.meta), &new.meta, resets);
    body(&mut compare, ty, old.map_or(empty, |it| &it.body), &new.body, resets);
    compare.steps
}

fn body(compare: &mut Compare<'_>, ty: Option<TypeId>, old: &Map, new: &Map, resets: Resets) {
    let keys = old.keys().chain(new.keys().filter(|it| !old.contains_key(it)));
    for key in keys.filter(|it| !resets.has(it)) {
        let (a, b) = (old.get(key), new.get(key));
        if matches!((a, b), (Some(a), Some(b)) if a.same(b)) {
            continue;
        }
        let ty = ty.and_then(|it| compare.schema.child(it, key));
        if resets.are_within(key) {
            let kept = |it: &Value| match it {
                Value::Map(it) => Value::Map(it.filtered(|name, _| !resets.has_child(key, name))),
                _ => it.clone(),
            };
            compare.field(key, ty, a.map(kept).as_ref(), b.map(kept).as_ref());
        } else {
            compare.field(key, ty, a, b);
        }
    }
}

const METADATA: &str = "metadata";
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// A field of metadata that can be owned: its name, whether it surely is the same in two, its value.
type Owned = (&'static str, fn(&Metadata, &Metadata) -> bool, fn(&Metadata) -> Option<Value>);

const OWNED: &[Owned] = &[
    ("annotations", |a, b| a.annotations.same(&b.annotations), |it| map(&it.annotations)),
    ("deletionGracePeriodSeconds", |a, b| a.grace_seconds == b.grace_seconds, |it| it.grace_seconds.map(Value::from)),
    ("deletionTimestamp", |a, b| a.deleted == b.deleted, |it| it.deleted.map(|it| time::format_secs(it).into())),
    (
        "finalizers",
        |a, b| Arc::ptr_eq(&a.finalizers, &b.finalizers),
        |it| list(it.finalizers.iter().map(Value::from).collect()),
    ),
    (
        "generateName",
        |a, b| a.generate_name == b.generate_name,
        |it| (!it.generate_name.is_empty()).then(|| Value::from(&it.generate_name)),
    ),
    ("labels", |a, b| a.labels.same(&b.labels), |it| map(&it.labels)),
    (
        "ownerReferences",
        |a, b| Arc::ptr_eq(&a.owners, &b.owners) || a.owners == b.owners,
        |it| list(it.owners.iter().map(OwnerRef::to_map).map(Value::Map).collect()),
    ),
];

fn metadata(compare: &mut Compare<'_>, ty: Option<TypeId>, old: Option<&Metadata>, new: &Metadata, resets: Resets) {
    let nothing = Metadata::default();
    let old = old.unwrap_or(&nothing);
    if resets.has(METADATA) || old.same_but_managed(new) {
        return;
    }
    let schema = compare.schema;
    let ty = ty.and_then(|it| schema.child(it, METADATA)).or_else(|| schema.definition(OBJECT_META));
    let start = compare.enter(Step::Field(Str::literal(METADATA)));
    for (name, same, value) in OWNED {
        if !same(old, new) && !resets.has_child(METADATA, name) {
            let ty = ty.and_then(|it| schema.child(it, name));
            compare.field(&Str::literal(name), ty, value(old).as_ref(), value(new).as_ref());
        }
    }
    compare.leave(start);
}

fn map(it: &Map) -> Option<Value> {
    (!it.is_empty()).then(|| Value::Map(it.clone()))
}

fn list(items: List) -> Option<Value> {
    (!items.is_empty()).then_some(Value::List(items))
}
