//! Strategic merge patch, as `k8s.io/apimachinery/pkg/util/strategicpatch` does it.

use meta::Status;
use schema::{Schema, Type, TypeId};
use value::{List, Map, Value};

/// `live` with `patch` merged into it by the rules of the type's fields.
///
/// # Errors
/// The API's answer to a patch that does not fit.
pub fn strategic(schema: &Schema, ty: Option<TypeId>, live: &Value, patch: &Value) -> Result<Value, Status> {
    let (Value::Map(live), Value::Map(patch)) = (live, patch) else { return Ok(patch.clone()) };
    Ok(Value::Map(maps(schema, ty, live, patch)))
}

fn maps(schema: &Schema, ty: Option<TypeId>, live: &Map, patch: &Map) -> Map {
    let mut res = live.clone();
    for (key, change) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        let child = ty.and_then(|ty| schema.child(ty, key));
        match (live.get(key), change) {
            (_, Value::Null) => {
                res.remove(key);
            }
            (Some(Value::Map(live)), Value::Map(change)) => res.insert(key, maps(schema, child, live, change)),
            (Some(Value::List(live)), Value::List(change)) => res.insert(key, lists(schema, child, live, change)),
            _ => res.insert(key, change),
        }
    }
    res
}

fn lists(schema: &Schema, ty: Option<TypeId>, live: &List, patch: &List) -> List {
    let Some(Type::List(it)) = ty.map(|it| schema.ty(it)) else { return patch.clone() };
    let Some(merge_key) = &it.merge_key else { return patch.clone() };
    let mut items = live.to_vec();
    for change in patch {
        let found = items.iter_mut().find(|have| have.get(merge_key) == change.get(merge_key));
        match (found, change) {
            (Some(Value::Map(have)), Value::Map(change)) => *have = maps(schema, Some(it.item), have, change),
            _ => items.push(change.clone()),
        }
    }
    items.into()
}
