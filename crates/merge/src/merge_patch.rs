//! JSON merge patch (RFC 7386), as `gopkg.in/evanphx/json-patch.v4` does it behind the API server.

use value::{List, Map, Value};

/// `live` with `patch` merged into it: maps merge, null removes, everything else replaces.
pub fn merge_patch(live: &Value, patch: &Value) -> Value {
    match (live, patch) {
        (Value::Map(live), Value::Map(patch)) => Value::Map(merged(live, patch)),
        (Value::Map(_), _) => patch.clone(),
        _ => without_nulls(patch),
    }
}

fn merged(live: &Map, patch: &Map) -> Map {
    let mut res = live.clone();
    for (key, change) in patch.iter() {
        match (live.get(key), change) {
            (_, Value::Null) => {
                res.remove(key);
            }
            (None | Some(Value::Null), _) => res.insert(key, without_nulls(change)),
            (Some(have), _) => {
                let new = merge_patch(have, change);
                if !new.same(have) {
                    res.insert(key, new);
                }
            }
        }
    }
    res
}

/// Upstream prunes maps, also those in lists, but keeps nulls that are items.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            Value::Map(map.iter().filter(|(_, it)| !it.is_null()).map(|(k, v)| (k.clone(), without_nulls(v))).collect())
        }
        Value::List(list) => Value::List(list.iter().map(without_nulls).collect::<List>()),
        _ => value.clone(),
    }
}
