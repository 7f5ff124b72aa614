//! JSON patch (RFC 6902), as `gopkg.in/evanphx/json-patch.v4` does it behind the API server.

use meta::Status;
use value::{Map, Value};

/// `maxJSONPatchOperations`
const OPERATIONS_MAX: usize = 10_000;

/// `live` after the operations of `patch`, one after the other.
///
/// # Errors
/// The API's answer. Why an operation does not apply is not told: upstream drops the text, too.
pub fn json_patch(live: &Value, patch: &Value) -> Result<Value, Status> {
    let operations = match patch {
        Value::List(operations) => &**operations,
        Value::Null => &[],
        _ => return Err(not_a_list(patch, "jsonpatch.Patch")),
    };
    if operations.len() > OPERATIONS_MAX {
        return Err(Status::new(
            413,
            "RequestEntityTooLarge",
            format!(
                "Request entity too large: The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, got {}",
                operations.len()
            ),
        ));
    }
    let mut doc = live.clone();
    for operation in operations {
        let Some(operation) = operation.as_map() else { return Err(does_not_apply()) };
        apply(&mut doc, operation).ok_or_else(does_not_apply)?;
    }
    Ok(doc)
}

/// What strict decoding says of the operations (fields that no operation has), for warnings.
///
/// # Errors
/// The API's answer to operations of a wrong type.
pub fn json_patch_problems(patch: &Value) -> Result<Vec<String>, Status> {
    let operations = match patch {
        Value::List(operations) => operations,
        Value::Null => return Ok(Vec::new()),
        _ => return Err(decoding(not_a_list(patch, "[]handlers.jsonPatchOp"))),
    };
    let mut problems = Vec::new();
    for (idx, operation) in operations.iter().enumerate() {
        let map = match operation {
            Value::Map(map) => map,
            Value::Null => continue,
            _ => return Err(decoding(not_a_list(operation, "handlers.jsonPatchOp"))),
        };
        for (key, value) in map.iter() {
            match key.as_str() {
                "op" | "path" | "from" if !matches!(value, Value::Str(_) | Value::Null) => {
                    let what = format!(
                        "json: cannot unmarshal {} into Go struct field jsonPatchOp.{key} of type string",
                        value.json_type()
                    );
                    return Err(decoding(Status::bad_request(what)));
                }
                "op" | "path" | "from" | "value" => (),
                _ => problems.push(format!("json patch unknown field \"[{idx}].{key}\"")),
            }
        }
    }
    Ok(problems)
}

fn decoding(status: Status) -> Status {
    Status { message: format!("error decoding patch: {}", status.message), ..status }
}

fn not_a_list(value: &Value, go_type: &str) -> Status {
    Status::bad_request(format!("json: cannot unmarshal {} into Go value of type {go_type}", value.json_type()))
}

/// `NewGenericServerResponse(422)`: the error's own text is for unexpected answers only.
pub(crate) fn does_not_apply() -> Status {
    let mut res = Status::new(422, "Invalid", "the server rejected our request due to an error in our request");
    res.details = Some(Box::default());
    res
}

/// `None` where the operation does not apply.
fn apply(doc: &mut Value, operation: &Map) -> Option<()> {
    let text = |key: &str| operation.get(key).and_then(Value::as_str);
    let value = || operation.get("value").cloned().unwrap_or_default();
    let path = text("path");
    match text("op")? {
        "add" => add(doc, path?, value()),
        "remove" => take(doc, path?).map(|_| ()),
        "replace" => replace(doc, path?, value()),
        "move" => {
            let value = take(doc, text("from")?)?;
            add(doc, path?, value)
        }
        "copy" => {
            let value = read(doc, text("from")?)?;
            add(doc, path?, value)
        }
        "test" => {
            let have = if path?.is_empty() { doc.clone() } else { read(doc, path?)? };
            (have == value()).then_some(())
        }
        _ => None,
    }
}

fn add(doc: &mut Value, path: &str, value: Value) -> Option<()> {
    within(doc, path, &mut |parent, key| match parent {
        Value::Map(map) => {
            map.insert(key, &value);
            Some(Value::Null)
        }
        Value::List(list) => {
            let mut items = list.to_vec();
            let idx = if key == "-" { items.len() } else { index(key, items.len() + 1)? };
            items.insert(idx, value.clone());
            *list = items.into();
            Some(Value::Null)
        }
        _ => None,
    })
    .map(|_| ())
}

/// A key that is absent is read as null; an index that is absent is not.
fn read(doc: &Value, path: &str) -> Option<Value> {
    let mut doc = doc.clone();
    within(&mut doc, path, &mut |parent, key| child(parent, key))
}

fn child(parent: &Value, key: &str) -> Option<Value> {
    match parent {
        Value::Map(map) => Some(map.get(key).cloned().unwrap_or_default()),
        Value::List(list) => list.get(index(key, list.len())?).cloned(),
        _ => None,
    }
}

/// Takes a value out. A move takes an absent key for null when it reads, and fails when it removes.
fn take(doc: &mut Value, path: &str) -> Option<Value> {
    within(doc, path, &mut |parent, key| match parent {
        Value::Map(map) => map.remove(key),
        Value::List(list) => {
            let mut items = list.to_vec();
            let taken = items.remove(index(key, items.len())?);
            *list = items.into();
            Some(taken)
        }
        _ => None,
    })
}

/// A key of a map need not exist, an index must.
fn replace(doc: &mut Value, path: &str, value: Value) -> Option<()> {
    if path.is_empty() {
        *doc = Some(value).filter(|it| matches!(it, Value::Map(_) | Value::List(_)))?;
        return Some(());
    }
    within(doc, path, &mut |parent, key| match parent {
        Value::Map(map) => {
            map.insert(key, &value);
            Some(Value::Null)
        }
        Value::List(list) => {
            let idx = index(key, list.len())?;
            list.set(idx, value.clone())?;
            Some(Value::Null)
        }
        _ => None,
    })
    .map(|_| ())
}

/// Runs `f` on the parent of `path` with the last key. What precedes the first slash is ignored.
fn within(doc: &mut Value, path: &str, f: &mut dyn FnMut(&mut Value, &str) -> Option<Value>) -> Option<Value> {
    let (_, rest) = path.split_once('/')?;
    descend(doc, rest, f)
}

fn descend(at: &mut Value, rest: &str, f: &mut dyn FnMut(&mut Value, &str) -> Option<Value>) -> Option<Value> {
    let Some((key, rest)) = rest.split_once('/') else { return f(at, &unescaped(rest)) };
    let key = unescaped(key);
    let mut next = child(at, &key).filter(|it| matches!(it, Value::Map(_) | Value::List(_)))?;
    let res = descend(&mut next, rest, f)?;
    match at {
        Value::Map(map) => map.edit(&key, |it| *it = next),
        Value::List(list) => {
            let idx = index(&key, list.len())?;
            if list.get(idx).is_some_and(|it| !it.same(&next)) {
                list.set(idx, next)?;
            }
        }
        _ => return None,
    }
    Some(res)
}

/// Negative numbers count from the end.
fn index(key: &str, len: usize) -> Option<usize> {
    let idx: i64 = key.parse().ok()?;
    let len = len as i64;
    let idx = if idx < 0 { idx.checked_add(len)? } else { idx };
    (0..len).contains(&idx).then_some(idx as usize)
}

/// `~1` is a slash and `~0` a tilde.
fn unescaped(key: &str) -> String {
    let mut res = String::with_capacity(key.len());
    let mut rest = key;
    while let Some(at) = rest.find('~') {
        let (before, escape) = rest.split_at(at);
        res.push_str(before);
        let (c, len) = match escape.as_bytes().get(1) {
            Some(b'1') => ('/', 2),
            Some(b'0') => ('~', 2),
            _ => ('~', 1),
        };
        res.push(c);
        rest = &escape[len..];
    }
    res.push_str(rest);
    res
}

#[cfg(test)]
mod tests;
