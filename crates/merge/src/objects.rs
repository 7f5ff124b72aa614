//! Which fields differ between two objects: metadata is typed, the rest a tree.

use std::sync::{Arc, LazyLock};

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

/// A field at the top of an object or in its metadata that may differ.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    name: Str,
    in_metadata: bool,
    ty: Option<TypeId>,
    old: Option<Value>,
    new: Option<Value>,
}

/// Puts into `fields` what may differ between two objects, but for what nobody owns and what the write sets back; what is of
/// metadata comes first. Where there is no old one, a body of `empty` stands for its.
pub(crate) fn differing(
    schema: &Schema,
    ty: Option<TypeId>,
    old: Option<&Object>,
    empty: &Map,
    new: &Object,
    resets: Resets,
    fields: &mut Vec<Field>,
) {
    metadata(schema, ty, old.map(|it| &it.meta), &new.meta, resets, fields);
    body(schema, ty, old.map_or(empty, |it| &it.body), &new.body, resets, fields);
}

/// Walks over the differences.
pub(crate) fn walk<'a>(compare: &mut Compare<'a>, fields: &'a [Field]) {
    static METADATA_KEY: LazyLock<Str> = LazyLock::new(|| METADATA.into());
    let n_metadata = fields.iter().take_while(|it| it.in_metadata).count();
    if n_metadata > 0 {
        let start = compare.enter(Step::Field(&*METADATA_KEY));
        for Field { name, ty, old, new, .. } in &fields[..n_metadata] {
            compare.field(name, *ty, old.as_ref(), new.as_ref());
        }
        compare.leave(start);
    }
    for Field { name, ty, old, new, .. } in &fields[n_metadata..] {
        compare.field(name, *ty, old.as_ref(), new.as_ref());
    }
}

fn body(schema: &Schema, ty: Option<TypeId>, old: &Map, new: &Map, resets: Resets, fields: &mut Vec<Field>) {
    let mut push = |name: &Str, old: Option<&Value>, new: Option<&Value>| {
        if matches!((old, new), (Some(old), Some(new)) if old.same(new)) || resets.has(name) {
            return;
        }
        let within = resets.are_within(name);
        let kept = |it: &Value| match it {
            Value::Map(it) if within => Value::Map(it.filtered(|child, _| !resets.has_child(name, child))),
            _ => it.clone(),
        };
        let ty = ty.and_then(|it| schema.child(it, name));
        fields.push(Field { name: name.clone(), in_metadata: false, ty, old: old.map(kept), new: new.map(kept) });
    };
    if old.has_keys_of(new) {
        for ((name, old), new) in old.iter().zip(new.values()) {
            push(name, Some(old), Some(new));
        }
        return;
    }
    for (name, value) in old.iter() {
        push(name, Some(value), new.get(name));
    }
    for (name, value) in new.iter().filter(|(name, _)| !old.contains_key(name)) {
        push(name, None, Some(value));
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

fn metadata(
    schema: &Schema,
    ty: Option<TypeId>,
    old: Option<&Metadata>,
    new: &Metadata,
    resets: Resets,
    fields: &mut Vec<Field>,
) {
    let nothing = Metadata::default();
    let old = old.unwrap_or(&nothing);
    if resets.has(METADATA) || old.same_but_managed(new) {
        return;
    }
    let ty = ty.and_then(|it| schema.child(it, METADATA)).or_else(|| schema.definition(OBJECT_META));
    for (name, same, value) in OWNED {
        if !same(old, new) && !resets.has_child(METADATA, name) {
            let ty = ty.and_then(|it| schema.child(it, name));
            let (old, new) = (value(old), value(new));
            fields.push(Field { name: Str::literal(name), in_metadata: true, ty, old, new });
        }
    }
}

fn map(it: &Map) -> Option<Value> {
    (!it.is_empty()).then(|| Value::Map(it.clone()))
}

fn list(items: List) -> Option<Value> {
    (!items.is_empty()).then_some(Value::List(items))
}
