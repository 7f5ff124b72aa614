//! Strategic merge patch, as `k8s.io/apimachinery/pkg/util/strategicpatch` does it on the server.

mod order;

use meta::{Status, quoted};
use schema::{Schema, Type, TypeId};
use value::{List, Map, Value};

use self::order::{in_order, validate_order};
use crate::go_text::{go_text, go_type};
use crate::json_patch::does_not_apply;

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList";
const ELEMENT_ORDER: &str = "$setElementOrder";

/// `live` with `patch` merged into it by the rules of the type's fields. Shares what does not change.
///
/// # Errors
/// The API's answer to a patch that does not fit; also for a kind without a type, which knows no such rules.
pub fn strategic(schema: &Schema, ty: Option<TypeId>, live: &Value, patch: &Value) -> Result<Value, Status> {
    let Some(ty) = ty else { return Err(Status::bad_request("strategic merge patch format is not supported")) };
    match (live, patch) {
        (Value::Map(live), Value::Map(patch)) => Merge { schema }.maps(ty, live, patch).map(Value::Map),
        (_, Value::Map(patch)) => Merge { schema }.maps(ty, &Map::new(), patch).map(Value::Map),
        _ => Err(Status::bad_request("json: cannot unmarshal array into Go value of type map[string]interface {}")),
    }
}

struct Merge<'a> {
    schema: &'a Schema,
}

/// How a field that is a list is merged.
struct ListRule<'a> {
    item: TypeId,
    /// `None`: the patch replaces the list. Empty: a list of scalars.
    key: Option<&'a str>,
}

impl<'a> Merge<'a> {
    fn maps(&self, ty: TypeId, live: &Map, patch: &Map) -> Result<Map, Status> {
        if let Some(directive) = patch.get(DIRECTIVE) {
            return match directive.as_str() {
                Some("replace") => Ok(patch.filtered(|key, _| key != DIRECTIVE)),
                Some("delete") => Ok(Map::new()),
                _ => Err(bad_directive(directive, patch)),
            };
        }
        let mut res = retained(live, patch)?;
        let done = self.ordered_lists(ty, &mut res, patch)?;
        for (key, change) in patch.iter() {
            if key == RETAIN_KEYS || key.starts_with(ELEMENT_ORDER) || done.contains(&key.as_str()) {
                continue;
            }
            let (name, deletes) = match key.strip_prefix(DELETE_FROM_LIST) {
                Some(rest) => {
                    let name = rest.strip_prefix('/');
                    (name.ok_or_else(|| Status::bad_request("invalid patch format of primitive list"))?, true)
                }
                None => (key.as_str(), false),
            };
            self.field(ty, &mut res, name, change, deletes)?;
        }
        Ok(res)
    }

    fn field(&self, ty: TypeId, res: &mut Map, name: &str, change: &Value, deletes: bool) -> Result<(), Status> {
        if change.is_null() {
            res.remove(name);
            return Ok(());
        }
        let merged = match (res.get(name), change) {
            (Some(Value::Map(have)), Value::Map(change)) => {
                Some(Value::Map(self.maps(self.child(ty, name)?, have, change)?))
            }
            (Some(Value::List(have)), Value::List(change)) => {
                let rule = self.list_rule(ty, name)?;
                Some(Value::List(match rule.key {
                    _ if deletes => self.lists(&rule, have, change, true)?,
                    Some(_) => self.lists(&rule, have, change, false)?,
                    None => change.clone(),
                }))
            }
            _ if deletes => return Ok(()),
            _ => without_directives(&without_nulls(change)),
        };
        match merged {
            Some(new) if res.get(name).is_some_and(|it| it.same(&new)) => (),
            Some(new) => res.insert(name, new),
            None => {
                res.remove(name);
            }
        }
        Ok(())
    }

    /// Merges the lists whose order the patch sets; answers the names of those that are merged.
    fn ordered_lists<'p>(&self, ty: TypeId, res: &mut Map, patch: &'p Map) -> Result<Vec<&'p str>, Status> {
        let mut done = Vec::new();
        for (key, order) in patch.iter() {
            let Some(rest) = key.strip_prefix(ELEMENT_ORDER) else { continue };
            let order = list(order)?;
            let name = rest
                .strip_prefix('/')
                .ok_or_else(|| Status::bad_request("invalid patch format of setElementOrder list"))?;
            let live = res.get(name).map(list).transpose()?.cloned();
            let change = patch.get(name).map(list).transpose()?;
            let rule = self.list_rule(ty, name)?;
            let merge_key = rule.key.unwrap_or("");
            validate_order(change, order, merge_key)?;
            let merged = match (&live, change) {
                (None, None) => continue,
                (Some(live), None) => live.clone(),
                (None, Some(change)) => change.iter().filter_map(without_directives).collect(),
                (Some(live), Some(change)) if rule.key.is_some() => self.lists(&rule, live, change, false)?,
                (Some(_), Some(change)) => change.clone(),
            };
            let live = live.unwrap_or_default();
            element_kind(&live, change.unwrap_or(&List::default()))?;
            res.insert(name, in_order(&merged, order, &live, merge_key)?);
            done.push(name);
        }
        Ok(done)
    }

    fn lists(&self, rule: &ListRule<'_>, live: &List, change: &List, deletes: bool) -> Result<List, Status> {
        if live.is_empty() && change.is_empty() {
            return Ok(live.clone());
        }
        let merge_key = rule.key.unwrap_or("");
        if !matches!(element_kind(live, change)?, Value::Map(_)) {
            if deletes {
                return Ok(live.iter().filter(|it| !change.contains(it)).cloned().collect());
            }
            let mut merged: Vec<Value> = Vec::with_capacity(live.len() + change.len());
            for item in live.iter().chain(change) {
                if !merged.contains(item) {
                    merged.push(item.clone());
                }
            }
            return in_order(&merged, change, live, merge_key);
        }
        if merge_key.is_empty() {
            return Err(fail(format!("cannot merge lists without merge key for {}", self.go_kind(rule.item))));
        }
        let (live, change) = special_items(live, change, merge_key)?;
        let mut merged = live.to_vec();
        for item in &change {
            let (Value::Map(map), Some(id)) = (item, item.get(merge_key)) else {
                return Err(no_merge_key(item, merge_key));
            };
            match merged.iter_mut().find(|have| have.get(merge_key) == Some(id)) {
                Some(Value::Map(have)) => *have = self.maps(rule.item, have, map)?,
                _ => merged.push(item.clone()),
            }
        }
        in_order(&merged, &change, &live, merge_key)
    }

    fn child(&self, ty: TypeId, name: &str) -> Result<TypeId, Status> {
        match self.schema.ty(ty) {
            Type::Struct(it) => it.field(name).map(|it| it.ty).ok_or_else(|| {
                fail(format!("unable to find api field in struct {} for the json field {}", it.go_name(), quoted(name)))
            }),
            Type::Any => Err(fail(format!(
                "unable to find api field in struct RawExtension for the json field {}",
                quoted(name)
            ))),
            _ => Err(fail(format!(
                "merging an object in json but data type is not struct, instead is: {}",
                self.go_kind(ty)
            ))),
        }
    }

    fn list_rule(&self, ty: TypeId, name: &str) -> Result<ListRule<'a>, Status> {
        match self.schema.ty(self.child(ty, name)?) {
            Type::List(it) => Ok(ListRule { item: it.item, key: it.merge_key.as_deref() }),
            _ => Err(fail(format!("expected slice or array type, but got: {}", self.go_kind(ty)))),
        }
    }

    /// `reflect.Kind` of a type.
    fn go_kind(&self, ty: TypeId) -> &'static str {
        match self.schema.ty(ty) {
            Type::Bool => "bool",
            Type::Int32 => "int32",
            Type::Int64 => "int64",
            Type::Number => "float64",
            Type::Str => "string",
            Type::Map(_) => "map",
            Type::List(_) | Type::Bytes => "slice",
            _ => "struct",
        }
    }
}

/// An error that upstream gives no code.
fn fail(message: impl Into<String>) -> Status {
    Status::new(500, "", message)
}

fn bad_directive(directive: &Value, map: &Map) -> Status {
    let shown = match directive {
        Value::Str(it) => it.to_string(),
        _ => format!("%!s({}={})", go_type(directive), go_text(directive)),
    };
    fail(format!("unknown patch type: {shown} in map: {}", go_text(&Value::Map(map.clone()))))
}

fn no_merge_key(map: &Value, key: &str) -> Status {
    fail(format!("map: {} does not contain declared merge key: {key}", go_text(map)))
}

fn wrong_type(expected: &str, have: &Value) -> Status {
    fail(format!("expected a {expected}, but received a {}", go_type(have)))
}

fn list(value: &Value) -> Result<&List, Status> {
    value.as_list().ok_or_else(|| wrong_type("[]interface {}", value))
}

/// The live map without the fields that `$retainKeys` does not name.
fn retained(live: &Map, patch: &Map) -> Result<Map, Status> {
    let Some(keys) = patch.get(RETAIN_KEYS) else { return Ok(live.clone()) };
    let bad = || Status::bad_request("invalid patch format of retainKeys");
    let keys = keys.as_list().ok_or_else(bad)?;
    let retains = |key: &str| keys.iter().any(|it| it.as_str() == Some(key));
    let fits = patch.iter().all(|(key, value)| {
        value.is_null()
            || key == RETAIN_KEYS
            || key.starts_with(DELETE_FROM_LIST)
            || key.starts_with(ELEMENT_ORDER)
            || retains(key)
    });
    if fits { Ok(live.filtered(|key, _| retains(key))) } else { Err(bad()) }
}

/// One item of two lists whose items must all be of one kind.
fn element_kind<'v>(live: &'v List, change: &'v List) -> Result<&'v Value, Status> {
    let mut items = live.iter().chain(change);
    let Some(first) = items.next() else { return Err(fail("no elements in any of the given slices")) };
    if matches!(first, Value::List(_)) {
        return Err(does_not_apply());
    }
    if first.is_null() || items.any(|it| go_type(it) != go_type(first)) {
        let both = Value::from(vec![Value::List(live.clone()), Value::List(change.clone())]);
        return Err(fail(format!("list element types are not identical: {}", go_text(&both))));
    }
    Ok(first)
}

/// Obeys items with `$patch`: deletes from the live list or empties it; answers the patch without such items.
fn special_items(live: &List, change: &List, merge_key: &str) -> Result<(List, List), Status> {
    let mut live: Vec<Value> = live.to_vec();
    let mut plain = Vec::with_capacity(change.len());
    let mut replaces = false;
    for item in change {
        let (Some(directive), Value::Map(map)) = (item.get(DIRECTIVE), item) else {
            plain.push(item.clone());
            continue;
        };
        match directive.as_str() {
            Some("delete") => {
                let Some(id) = item.get(merge_key) else { return Err(no_merge_key(item, merge_key)) };
                live.retain(|it| it.get(merge_key) != Some(id));
            }
            Some("replace") => replaces = true,
            Some("merge") => return Err(fail("merging lists cannot yet be specified in the patch")),
            _ => return Err(bad_directive(directive, map)),
        }
    }
    Ok(if replaces { (plain.into(), List::default()) } else { (live.into(), plain.into()) })
}

/// `discardNullValuesFromPatch`: fields that are null are left out, items stay.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let mut res = map.filtered(|_, it| !it.is_null());
            for key in map.keys() {
                res.edit(key, |it| *it = without_nulls(it));
            }
            Value::Map(res)
        }
        Value::List(list) => {
            let mut res = list.clone();
            res.edit_each(&mut |_, it| *it = without_nulls(it));
            Value::List(res)
        }
        _ => value.clone(),
    }
}

/// `None` for a map that is only an instruction.
fn without_directives(value: &Value) -> Option<Value> {
    match value {
        Value::Map(map) if map.contains_key(DIRECTIVE) => None,
        Value::Map(map) => {
            let mut res = map.clone();
            for (key, it) in map.iter() {
                match without_directives(it) {
                    Some(new) if new.same(it) => (),
                    Some(new) => res.insert(key, new),
                    None => {
                        res.remove(key);
                    }
                }
            }
            Some(Value::Map(res))
        }
        Value::List(list) => {
            let items: Vec<Value> = list.iter().filter_map(without_directives).collect();
            let same = items.len() == list.len() && items.iter().zip(list).all(|(a, b)| a.same(b));
            Some(if same { value.clone() } else { items.into() })
        }
        _ => Some(value.clone()),
    }
}

#[cfg(test)]
mod tests;
