//! JSON merge patch (RFC 7386), as `github.com/evanphx/json-patch` does it.

use value::{Map, Value};

/// `live` with `patch` merged into it: maps merge, null removes, everything else replaces.
pub fn merge_patch(live: &Value, patch: &Value) -> Value {
    let Value::Map(patch) = patch else { return patch.clone() };
    let empty = Map::new();
    let live = live.as_map().unwrap_or(&empty);
    let mut res = live.clone();
    for (key, change) in patch.iter() {
        match change {
            Value::Null => {
                res.remove(key);
            }
            Value::Map(_) => {
                let merged = merge_patch(live.get(key).unwrap_or(&Value::Null), change);
                res.insert(key, merged);
            }
            _ => res.insert(key, change),
        }
    }
    Value::Map(res)
}
