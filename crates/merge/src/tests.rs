//! Laws over random pods.

use std::collections::BTreeMap;
use std::sync::Arc;

use meta::{KindId, ManagedEntry, Object, Operation};
use schema::{ListKind, Presence, Schema, Type, TypeId};
use value::{List, Map, Str, Value, json, value};

use crate::fields::Element;
use crate::managed::{self, Update};
use crate::shape::{Shape, element_of};
use crate::{Applied, Applier, Memo, apply, merge_patch, strategic};

const POD: &str = "io.k8s.api.core.v1.Pod";
const SEEDS: u64 = 150;

/// Numbers that a seed determines.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Makes values of any type.
struct Maker<'a> {
    schema: &'a Schema,
    chance: Chance,
}

impl Maker<'_> {
    fn value(&mut self, ty: TypeId, depth: u32) -> Value {
        let schema = self.schema;
        match schema.ty(ty) {
            Type::Struct(it) => {
                let share = if depth > 4 { 40 } else { 8 };
                let mut map = Map::new();
                for field in &it.fields {
                    if field.presence == Presence::Always || self.chance.below(share) == 0 {
                        map.insert(&field.name, self.value(field.ty, depth + 1));
                    }
                }
                Value::Map(map)
            }
            Type::Map(it) => {
                let n = self.chance.below(3);
                (0..n).fold(Value::map(), |map, _| {
                    let key = self.text();
                    map.with(&key, self.value(it.item, depth + 1))
                })
            }
            Type::List(it) => {
                let n = self.chance.below(if depth > 6 { 1 } else { 4 });
                let mut items: Vec<Value> = Vec::new();
                for idx in 0..n {
                    let mut item = self.value(it.item, depth + 1);
                    if let (ListKind::Map(keys), Value::Map(map)) = (&it.kind, &mut item) {
                        for key in keys {
                            let is_text = schema.child(it.item, key).is_some_and(|ty| *schema.ty(ty) == Type::Str);
                            let text = ["x", "y", "z"][idx as usize % 3];
                            map.insert(key, if is_text { text.into() } else { Value::Int(idx as i64) });
                        }
                    }
                    if it.kind == ListKind::Atomic || !items.contains(&item) {
                        items.push(item);
                    }
                }
                items.into()
            }
            Type::Bool => (self.chance.below(2) == 0).into(),
            Type::Int32 | Type::Int64 | Type::Number => Value::Int(self.chance.below(3) as i64),
            Type::Any => value!({ "any": 1 }),
            _ => self.text().into(),
        }
    }

    fn text(&mut self) -> String {
        ["a", "b", "c"][self.chance.below(3) as usize].to_owned()
    }

    /// Most of it stays, some goes, some is made anew.
    fn changed(&mut self, ty: TypeId, value: &Value, depth: u32) -> Value {
        if self.chance.below(12) == 0 {
            return self.value(ty, depth);
        }
        match (self.schema.ty(ty), value) {
            (Type::Struct(_) | Type::Map(_), Value::Map(map)) => {
                let mut res = Map::new();
                for (name, value) in map.iter() {
                    let Some(child) = self.schema.child(ty, name) else { continue };
                    if self.chance.below(10) > 0 {
                        res.insert(name, self.changed(child, value, depth + 1));
                    }
                }
                Value::Map(res)
            }
            (Type::List(it), Value::List(list)) if it.kind == ListKind::Atomic => Value::List(list.clone()),
            (Type::List(it), Value::List(list)) => {
                let mut items: Vec<Value> = Vec::new();
                for item in list {
                    if self.chance.below(8) > 0 {
                        items.push(match (&it.kind, item) {
                            (ListKind::Map(keys), Value::Map(have)) => {
                                let mut new = self.changed(it.item, item, depth + 1);
                                for key in keys {
                                    new.set(key, have.get(key).cloned().unwrap_or_default());
                                }
                                new
                            }
                            _ => item.clone(),
                        });
                    }
                }
                items.into()
            }
            _ => value.clone(),
        }
    }
}

struct World {
    schema: Arc<Schema>,
    ty: TypeId,
    memo: Memo,
}

impl World {
    fn new() -> World {
        let schema = Schema::shared();
        let ty = schema.definition(POD).unwrap();
        World { schema: schema.clone(), ty, memo: Memo::default() }
    }

    fn spec(&self) -> TypeId {
        self.schema.child(self.ty, "spec").unwrap()
    }

    fn pod(&self, spec: Value) -> Object {
        let mut meta = meta::Metadata::cluster("a");
        meta.uid = "u".into();
        Object { kind: KindId(0), meta, body: Map::new().with("spec", spec) }
    }

    fn pair(&self, seed: u64) -> (Value, Value) {
        let mut maker = Maker { schema: &self.schema, chance: Chance(seed) };
        let old = maker.value(self.spec(), 0);
        let new = maker.changed(self.spec(), &old, 0);
        (old, new)
    }

    fn update(&mut self, live: Option<&Object>, mut object: Object, manager: &str) -> Object {
        let update =
            Update { ty: Some(self.ty), manager: manager.into(), api_version: "v1".into(), sub: "", now_secs: 1 };
        managed::update(&self.schema, update, live.cloned().map(Arc::new).as_ref(), &mut object, &self.memo);
        object
    }

    fn apply(&mut self, live: &Object, spec: Option<&Value>, force: bool) -> Option<(Object, Applied)> {
        let mut config = value!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a" } });
        if let Some(spec) = spec {
            config.set("spec", spec);
        }
        let (manager, api_version) = (Str::from("applier"), Str::from("v1"));
        let applier =
            Applier { manager: &manager, api_version: &api_version, kind: "Pod", sub: "", now_secs: 2, force };
        let applied = apply(&self.schema, Some(self.ty), Some(live), &config, &applier, &self.memo).ok()?;
        let mut object = match &applied.whole {
            Some(whole) => Object::from_map(live.kind, whole.as_map().unwrap()),
            None => live.clone(),
        };
        object.meta.managed = applied.managed.clone().into();
        Some((object, applied))
    }

    /// Every place of a value: leaves with their text, the rest without.
    fn places(&self, ty: Option<TypeId>, value: &Value, at: String, all: &mut BTreeMap<String, Option<String>>) {
        let shape = Shape::of(&self.schema, ty);
        match (shape, value) {
            (Shape::List(it), Value::List(list)) if !shape.is_leaf() && !list.is_empty() => {
                for item in list {
                    let element = element_of(&self.schema, it, item).ok().unwrap();
                    let step = Element::parse(&element).unwrap();
                    self.places(Some(it.item), item, format!("{at}{step}"), all);
                }
                all.insert(at, None);
            }
            (_, Value::Map(map)) if !shape.is_leaf() && !map.is_empty() => {
                for (name, value) in map.iter() {
                    self.places(shape.field(name).unwrap(), value, format!("{at}.{name}"), all);
                }
                all.insert(at, None);
            }
            _ => {
                all.insert(at, Some(json::to_string(value)));
            }
        }
    }

    fn all_places(&self, spec: &Value) -> BTreeMap<String, Option<String>> {
        let mut all = BTreeMap::new();
        self.places(Some(self.spec()), spec, ".spec".into(), &mut all);
        all
    }
}

fn sorted_paths(set: &Map) -> Vec<String> {
    let mut paths = crate::fields::paths(set);
    paths.sort();
    paths
}

fn entry<'a>(object: &'a Object, manager: &str) -> Option<&'a ManagedEntry> {
    object.meta.managed.iter().find(|it| it.manager == *manager)
}

/// The same tree with all lists in the order of their items' texts, and without what is empty:
/// a place that loses all that was in it becomes null.
fn unordered(value: &Value) -> Value {
    let is_bare = |it: &Value| matches!(json::to_string(it).as_str(), "null" | "{}" | "[]");
    match value {
        Value::Map(map) => {
            let children = map.iter().map(|(key, it)| (key.clone(), unordered(it)));
            Value::Map(children.filter(|(_, it)| !is_bare(it)).collect())
        }
        Value::List(list) => {
            let mut items: Vec<Value> = list.iter().map(unordered).filter(|it| !is_bare(it)).collect();
            items.sort_by_key(json::to_string);
            Value::List(List::from(items))
        }
        _ => value.clone(),
    }
}

#[test]
fn sets_of_updates_equal_a_naive_comparison() {
    let mut world = World::new();
    for seed in 0..SEEDS {
        let (old, new) = world.pair(seed);
        let live = world.update(None, world.pod(old.clone()), "one");
        let object = world.update(Some(&live), world.pod(new.clone()), "two");
        let (before, after) = (world.all_places(&old), world.all_places(&new));
        let mut changed: Vec<String> = after
            .iter()
            .filter(|(at, text)| match before.get(*at) {
                None => true,
                Some(had) => had.is_some() && text.is_some() && had != *text,
            })
            .map(|(at, _)| at.clone())
            .collect();
        changed.sort();
        let owned = entry(&object, "two").map(|it| sorted_paths(&it.fields)).unwrap_or_default();
        assert_eq!(owned, changed, "seed {seed}");
        let kept: Vec<String> = entry(&live, "one")
            .map(|it| sorted_paths(&it.fields))
            .unwrap_or_default()
            .into_iter()
            .filter(|at| after.contains_key(at) && !changed.contains(at))
            .collect();
        let owned = entry(&object, "one").map(|it| sorted_paths(&it.fields)).unwrap_or_default();
        assert_eq!(owned, kept, "seed {seed}");
    }
}

#[test]
fn applying_twice_changes_nothing() {
    let mut world = World::new();
    for seed in 0..SEEDS {
        let (old, new) = world.pair(seed);
        let live = world.update(None, world.pod(old), "one");
        let (first, _) = world.apply(&live, Some(&new), true).unwrap();
        let (second, applied) = world.apply(&first, Some(&new), false).unwrap();
        assert_eq!(applied.whole, None, "seed {seed}");
        assert_eq!(first.meta.managed, second.meta.managed, "seed {seed}");
    }
}

#[test]
fn what_is_applied_is_there_and_goes_when_it_is_applied_no_longer() {
    let mut world = World::new();
    let mut n_without_conflicts = 0;
    for seed in 0..SEEDS {
        let (old, new) = world.pair(seed);
        let live = world.update(None, world.pod(old.clone()), "one");
        let (forced, _) = world.apply(&live, Some(&new), true).unwrap();
        let there = world.all_places(forced.body.get("spec").unwrap());
        for (at, text) in world.all_places(&new).into_iter().filter(|(_, text)| text.is_some()) {
            let is_bare = matches!(text.as_deref(), Some("{}" | "[]"));
            assert!(is_bare || there.get(&at) == Some(&text), "seed {seed}: {at}");
        }
        let Some((object, _)) = world.apply(&live, Some(&new), false) else { continue };
        n_without_conflicts += 1;
        let (after, _) = world.apply(&object, None, false).unwrap();
        let spec = after.body.get("spec").unwrap();
        assert_eq!(unordered(spec), unordered(&old), "seed {seed}");
        assert!(after.meta.managed.iter().all(|it| it.operation == Operation::Update), "seed {seed}");
    }
    assert!(n_without_conflicts > 10);
}

#[test]
fn patches_share_what_they_leave_and_are_idempotent() {
    let world = World::new();
    for seed in 0..SEEDS {
        let (old, new) = world.pair(seed);
        let merge = |live: &Value, patch: &Value| strategic(&world.schema, Some(world.spec()), live, patch).unwrap();
        assert!(merge(&old, &Value::map()).same(&old));
        assert!(merge_patch(&old, &Value::map()).same(&old));
        assert_eq!(merge(&old, &new.with("$patch", "replace")), new, "seed {seed}");
        let once = merge(&old, &new);
        assert_eq!(merge(&once, &new), once, "seed {seed}");
        let once = merge_patch(&old, &new);
        assert_eq!(merge_patch(&once, &new), once, "seed {seed}");
    }
}
