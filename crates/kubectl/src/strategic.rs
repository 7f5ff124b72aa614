//! The patch that `apply` sends: what differs from the live object, and what was applied before and is no more
//! (`k8s.io/apimachinery/pkg/util/strategicpatch`, three ways).

use value::{Map, Value, value};

use crate::go;
use crate::openapi::Document;
use crate::order;

/// A schema and the document that its references are in.
#[derive(Clone, Copy)]
pub(crate) struct Schema<'a> {
    pub(crate) document: &'a Document,
    pub(crate) node: Option<&'a Value>,
}

/// How a field is patched.
#[derive(Clone, Copy, Default)]
struct Field<'a> {
    merge: bool,
    replace: bool,
    retain_keys: bool,
    key: &'a str,
}

impl<'a> Schema<'a> {
    fn property(&self, name: &str) -> Option<&'a Value> {
        let node = self.document.resolve(self.node?);
        node.get("properties").and_then(|it| it.get(name)).or_else(|| node.get("additionalProperties"))
    }

    /// How the field `name` is patched, and the schema of what is in it.
    fn field(&self, name: &str) -> (Field<'a>, Schema<'a>) {
        let Some(property) = self.property(name) else {
            return (Field::default(), Schema { document: self.document, node: None });
        };
        let mut field =
            Field { key: property.str_at("x-kubernetes-patch-merge-key").unwrap_or_default(), ..Field::default() };
        for strategy in property.str_at("x-kubernetes-patch-strategy").unwrap_or_default().split(',') {
            match strategy {
                "merge" => field.merge = true,
                "replace" => field.replace = true,
                "retainKeys" => field.retain_keys = true,
                _ => {}
            }
        }
        let resolved = self.document.resolve(property);
        let node = resolved.get("items").unwrap_or(resolved);
        (field, Schema { document: self.document, node: Some(node) })
    }
}

#[derive(Clone, Copy)]
struct Diff {
    deletions: bool,
    additions: bool,
}

/// The strategic merge patch that makes `modified` of `current`, where `original` was applied before.
pub(crate) fn three_way(original: &Value, modified: &Value, current: &Value, schema: Schema<'_>) -> Value {
    let empty = Map::new();
    let map = |it: &Value| it.as_map().cloned().unwrap_or_else(|| empty.clone());
    let (original, modified, current) = (map(original), map(modified), map(current));
    let delta = diff_maps(&current, &modified, schema, Diff { deletions: false, additions: true }, false);
    let deleted = diff_maps(&original, &modified, schema, Diff { deletions: true, additions: false }, false);
    Value::Map(join_maps(deleted, &delta, schema))
}

fn diff_maps(original: &Map, modified: &Map, schema: Schema<'_>, diff: Diff, retain_keys: bool) -> Map {
    let mut patch = Map::new();
    for (key, new) in modified.iter() {
        let Some(old) = original.get(key) else {
            if diff.additions {
                patch.insert(key, new);
            }
            continue;
        };
        match (old, new) {
            (Value::Map(old), Value::Map(new)) => {
                let (field, inner) = schema.field(key);
                if field.replace {
                    if diff.additions {
                        patch.insert(key, new);
                    }
                    continue;
                }
                let inner = diff_maps(old, new, inner, diff, field.retain_keys);
                if !inner.is_empty() {
                    patch.insert(key, inner);
                }
            }
            (Value::List(old), Value::List(new)) => diff_lists(key, old, new, schema, diff, &mut patch),
            (old, new) => {
                if diff.additions && old != new {
                    patch.insert(key, new);
                }
            }
        }
    }
    if diff.deletions {
        for key in original.keys().filter(|it| !modified.contains_key(it)) {
            patch.insert(key, Value::Null);
        }
    }
    if retain_keys {
        let kept: Vec<Value> =
            modified.iter().filter(|(_, it)| !it.is_null()).map(|(key, _)| Value::from(key)).collect();
        let additional = original.keys().any(|it| !modified.contains_key(it));
        if !kept.is_empty() && (!patch.is_empty() || additional) {
            patch.insert("$retainKeys", kept);
        }
    }
    patch
}

fn diff_lists(key: &str, old: &[Value], new: &[Value], schema: Schema<'_>, diff: Diff, patch: &mut Map) {
    let (field, inner) = schema.field(key);
    if !field.merge {
        if diff.additions && old != new {
            patch.insert(key, new.to_vec());
        }
        return;
    }
    if old.is_empty() {
        if diff.additions && !new.is_empty() {
            patch.insert(key, new.to_vec());
        }
        return;
    }
    let order = format!("$setElementOrder/{key}");
    if old.iter().chain(new).any(|it| matches!(it, Value::Map(_))) {
        let items = diff_items(old, new, inner, field, diff);
        let key_of = |it: &Value| it.get(field.key).cloned().unwrap_or_default();
        let same_order = old.len() == new.len() && old.iter().zip(new).all(|(a, b)| key_of(a) == key_of(b));
        if (diff.deletions && !items.is_empty()) || (diff.additions && !(items.is_empty() && same_order)) {
            let keys: Vec<Value> = new.iter().map(|it| value!({ (field.key): key_of(it) })).collect();
            if !keys.is_empty() {
                patch.insert(order, keys);
            }
        }
        if !items.is_empty() {
            patch.insert(key, items);
        }
        return;
    }
    let added: Vec<Value> = new.iter().filter(|it| !old.contains(it)).cloned().collect();
    let mut gone: Vec<Value> = old.iter().filter(|it| !new.contains(it)).cloned().collect();
    order::by(&mut gone, &mut |a, b| go::show(a).cmp(&go::show(b)));
    gone.dedup();
    if (diff.deletions && !gone.is_empty()) || (diff.additions && old != new) {
        patch.insert(order, new.to_vec());
    }
    if diff.additions && !added.is_empty() {
        patch.insert(key, added);
    }
    if diff.deletions && !gone.is_empty() {
        patch.insert(format!("$deleteFromPrimitiveList/{key}"), gone);
    }
}

/// What changed in the items of a list, by their merge key; the order is the new list's, deletions come last.
fn diff_items(old: &[Value], new: &[Value], schema: Schema<'_>, field: Field<'_>, diff: Diff) -> Vec<Value> {
    let mut items = Vec::new();
    let find = |list: &[Value], key: &Value| list.iter().find(|it| it.get(field.key) == Some(key)).cloned();
    for item in new {
        let Some(key) = item.get(field.key) else { continue };
        match (find(old, key), item) {
            (Some(Value::Map(before)), Value::Map(after)) => {
                let mut inner = diff_maps(&before, after, schema, diff, field.retain_keys);
                if !inner.is_empty() {
                    inner.insert(field.key, key);
                    items.push(Value::Map(inner));
                }
            }
            _ if diff.additions => items.push(item.clone()),
            _ => {}
        }
    }
    if diff.deletions {
        for key in old.iter().filter_map(|it| it.get(field.key)) {
            if find(new, key).is_none() {
                items.push(value!({"$patch": "delete", (field.key): key}));
            }
        }
    }
    items
}

/// Deletions and what differs, as one patch.
fn join_maps(mut deleted: Map, delta: &Map, schema: Schema<'_>) -> Map {
    for (key, new) in delta.iter() {
        let joined = match (deleted.get(key), new) {
            (Some(Value::Map(old)), Value::Map(new)) => {
                let (field, inner) = schema.field(key);
                match field.replace {
                    true => Value::Map(new.clone()),
                    false => Value::Map(join_maps(old.clone(), new, inner)),
                }
            }
            (Some(Value::List(old)), Value::List(new)) if !key.starts_with('$') => {
                let (field, inner) = schema.field(key);
                match field.merge {
                    true => join_items(old, new, inner, field.key),
                    false => new.to_vec().into(),
                }
            }
            _ => new.clone(),
        };
        deleted.insert(key, joined);
    }
    deleted
}

fn join_items(old: &[Value], new: &[Value], schema: Schema<'_>, key: &str) -> Value {
    let mut res: Vec<Value> = Vec::new();
    let same = |a: &Value, b: &Value| a.get(key).is_some() && a.get(key) == b.get(key);
    for item in new {
        let joined = match (old.iter().find(|it| same(it, item)), item) {
            (Some(Value::Map(old)), Value::Map(new)) => Value::Map(join_maps(old.clone(), new, schema)),
            _ => item.clone(),
        };
        res.push(joined);
    }
    res.extend(old.iter().filter(|it| !new.iter().any(|item| same(it, item))).cloned());
    res.into()
}

/// The same as a JSON merge patch, for kinds without a schema.
pub(crate) fn three_way_merge(original: &Value, modified: &Value, current: &Value) -> Value {
    let empty = Map::new();
    let map = |it: &Value| it.as_map().cloned().unwrap_or_else(|| empty.clone());
    Value::Map(merge_diff(Some(&map(original)), &map(modified), &map(current)))
}

fn merge_diff(original: Option<&Map>, modified: &Map, current: &Map) -> Map {
    let mut patch = Map::new();
    for (key, new) in modified.iter() {
        let before = original.and_then(|it| it.get(key)).and_then(Value::as_map);
        match (current.get(key), new) {
            (Some(Value::Map(old)), Value::Map(new)) => {
                let inner = merge_diff(before, new, old);
                if !inner.is_empty() {
                    patch.insert(key, inner);
                }
            }
            (old, new) if old != Some(new) && !(new.is_null() && old.is_none()) => patch.insert(key, new),
            _ => {}
        }
    }
    for key in original.into_iter().flat_map(Map::keys).filter(|it| !modified.contains_key(it)) {
        patch.insert(key, Value::Null);
    }
    patch
}

/// Applies a JSON merge patch; enough for showing what a dry run would give.
pub(crate) fn merged(target: &Value, patch: &Value) -> Value {
    let Value::Map(patch) = patch else { return patch.clone() };
    let mut res = target.as_map().cloned().unwrap_or_default();
    for (key, new) in patch.iter() {
        if new.is_null() {
            res.remove(key);
        } else {
            let old = res.get(key).cloned().unwrap_or_default();
            res.insert(key, merged(&old, new));
        }
    }
    Value::Map(res)
}

/// Applies a strategic merge patch.
pub(crate) fn patched(target: &Map, patch: &Map, schema: Schema<'_>) -> Map {
    let mut res = target.clone();
    if let Some(kept) = patch.get("$retainKeys").and_then(Value::as_list) {
        res = res.filtered(|key, _| kept.iter().any(|it| it.as_str() == Some(key)));
    }
    for (key, new) in patch.iter() {
        if let Some(list) = key.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = new.as_list().cloned().unwrap_or_default();
            let left = res.get(list).and_then(Value::as_list).cloned().unwrap_or_default();
            res.insert(list, left.iter().filter(|it| !gone.contains(it)).cloned().collect::<Vec<_>>());
        }
    }
    for (key, new) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        let (field, inner) = schema.field(key);
        match (res.get(key), new) {
            (_, Value::Null) => drop(res.remove(key)),
            (Some(Value::Map(old)), Value::Map(new)) if !field.replace => {
                let old = old.clone();
                res.insert(key, patched(&old, new, inner));
            }
            (Some(Value::List(old)), Value::List(new)) if field.merge => {
                let order = patch.get(&format!("$setElementOrder/{key}")).and_then(Value::as_list);
                let items = patched_items(old, new, inner, field.key);
                let items = ordered(items, order.map_or(&[], |it| it), field.key);
                res.insert(key, items);
            }
            (_, new) => res.insert(key, new),
        }
    }
    res
}

fn patched_items(old: &[Value], new: &[Value], schema: Schema<'_>, key: &str) -> Vec<Value> {
    let mut res = old.to_vec();
    for item in new {
        let found = res.iter().position(|it| match key {
            "" => it == item,
            key => it.get(key) == item.get(key),
        });
        match (found, item) {
            (Some(idx), item) if item.str_at("$patch") == Some("delete") => drop(res.remove(idx)),
            (Some(idx), Value::Map(new)) => {
                let old = res[idx].as_map().cloned().unwrap_or_default();
                res[idx] = Value::Map(patched(&old, new, schema));
            }
            (None, item) if item.get("$patch").is_none() => res.push(item.clone()),
            _ => {}
        }
    }
    res
}

/// Items that `order` names stand as there; others keep their places.
fn ordered(items: Vec<Value>, order: &[Value], key: &str) -> Vec<Value> {
    let rank = |item: &Value| {
        order.iter().position(|it| match key {
            "" => it == item,
            key => it.get(key) == item.get(key),
        })
    };
    let mut named: Vec<(usize, Value)> = items.iter().filter_map(|it| Some((rank(it)?, it.clone()))).collect();
    order::by(&mut named, &mut |(a, _), (b, _)| a.cmp(b));
    let mut named = named.into_iter().map(|(_, it)| it);
    items.iter().filter_map(|it| if rank(it).is_some() { named.next() } else { Some(it.clone()) }).collect()
}
