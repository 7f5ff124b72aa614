//! Objects as protobuf, for clients that take nothing else or like it best.

use schema::{Schema, StructType, Type, TypeId};
use value::{Map, Value, base64, json, time};

use super::PREFIX;
use crate::layout;

/// An object, a list of objects, a status or metadata in its envelope. `None`: there are no messages for it.
pub(crate) fn write(value: &Value) -> Option<Vec<u8>> {
    let map = value.as_map()?;
    let text = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let raw = match (layout::definition(group, version, kind), kind) {
        // Schemas have numbers with fractions, which nothing here calculates with.
        (Some(_), "CustomResourceDefinition") => return None,
        (Some(ty), _) => message(ty, value),
        (None, "PartialObjectMetadata") => partial(map)?,
        (None, "PartialObjectMetadataList") => list(map, &mut |item| item.as_map().and_then(partial))?,
        (None, _) => {
            let item = kind.strip_suffix("List").filter(|it| *it != "CustomResourceDefinition")?;
            let ty = layout::definition(group, version, item)?;
            list(map, &mut |item| Some(message(ty, item)))?
        }
    };
    let mut meta = Vec::new();
    bytes(1, api_version.as_bytes(), &mut meta);
    bytes(2, kind.as_bytes(), &mut meta);
    let mut out = PREFIX.to_vec();
    bytes(1, &meta, &mut out);
    bytes(2, &raw, &mut out);
    // How the content is encoded, and its type: nothing to say.
    bytes(3, &[], &mut out);
    bytes(4, &[], &mut out);
    Some(out)
}

/// One event of a watch with its length before it. `None`: there are no messages for the object.
pub(crate) fn write_event(word: &str, object: &Value) -> Option<Vec<u8>> {
    let object = write(object)?;
    let mut raw = Vec::new();
    bytes(1, &object, &mut raw);
    let mut event = Vec::new();
    bytes(1, word.as_bytes(), &mut event);
    bytes(2, &raw, &mut event);
    let mut out = u32::try_from(event.len()).ok()?.to_be_bytes().to_vec();
    out.extend_from_slice(&event);
    Some(out)
}

fn meta(name: &str, value: Option<&Value>) -> Option<Vec<u8>> {
    let ty = Schema::shared().definition(&format!("io.k8s.apimachinery.pkg.apis.meta.v1.{name}"))?;
    Some(value.map(|it| message(ty, it)).unwrap_or_default())
}

fn partial(map: &Map) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    bytes(1, &meta("ObjectMeta", map.get("metadata"))?, &mut out);
    Some(out)
}

fn list(map: &Map, item: &mut dyn FnMut(&Value) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    bytes(1, &meta("ListMeta", map.get("metadata"))?, &mut out);
    for it in map.get("items").and_then(Value::as_list).into_iter().flat_map(|it| it.iter()) {
        bytes(2, &item(it)?, &mut out);
    }
    Some(out)
}

pub(crate) fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn bytes(number: u8, it: &[u8], out: &mut Vec<u8>) {
    varint(u64::from(number) << 3 | 2, out);
    varint(it.len() as u64, out);
    out.extend_from_slice(it);
}

fn integer(number: u8, it: i64, out: &mut Vec<u8>) {
    varint(u64::from(number) << 3, out);
    varint(it as u64, out);
}

/// The message of a value of a type.
fn message(ty: TypeId, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    let text = value.as_str().unwrap_or_default();
    match (Schema::shared().ty(ty), value) {
        (Type::Struct(it), Value::Map(map)) => structure(it, &[], map, &mut out),
        (Type::Quantity, Value::Str(it)) => bytes(1, it.as_bytes(), &mut out),
        (Type::Quantity, Value::Int(it)) => bytes(1, it.to_string().as_bytes(), &mut out),
        (Type::IntOrString, Value::Int(it)) => {
            integer(1, 0, &mut out);
            integer(2, *it, &mut out);
            bytes(3, &[], &mut out);
        }
        (Type::IntOrString, Value::Str(it)) => {
            integer(1, 1, &mut out);
            integer(2, 0, &mut out);
            bytes(3, it.as_bytes(), &mut out);
        }
        (Type::Time, Value::Str(_)) => {
            integer(1, time::parse_secs(text).unwrap_or(0), &mut out);
            integer(2, 0, &mut out);
        }
        (Type::MicroTime, Value::Str(_)) => {
            let nanos = time::parse_nanos(text).unwrap_or(0);
            integer(1, (nanos / 1_000_000_000) as i64, &mut out);
            integer(2, (nanos % 1_000_000_000) as i64, &mut out);
        }
        (Type::List(it), Value::List(items)) => items.iter().for_each(|item| field(1, it.item, item, &mut out)),
        (Type::Any, Value::Null) | (_, Value::Null) => (),
        (Type::Any, _) => bytes(1, json::to_string(value).as_bytes(), &mut out),
        _ => (),
    }
    out
}

/// Writes the fields whose numbers begin with `prefix`.
fn structure(it: &StructType, prefix: &[u8], map: &Map, out: &mut Vec<u8>) {
    let depth = prefix.len();
    let mut numbers: Vec<u8> = it
        .fields
        .iter()
        .filter(|it| it.number.starts_with(prefix) && map.contains_key(&it.name))
        .filter_map(|it| it.number.get(depth).copied())
        .filter(|it| *it > 0)
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    for number in numbers {
        let path = [prefix, &[number]].concat();
        let mut inner = false;
        for field in it.fields.iter().filter(|it| it.number.starts_with(&path)) {
            match (field.number.get(path.len()), map.get(&field.name)) {
                (Some(1..), _) => inner = true,
                (_, Some(value)) => self::field(number, field.ty, value, out),
                _ => (),
            }
        }
        if inner {
            let mut message = Vec::new();
            structure(it, &path, map, &mut message);
            bytes(number, &message, out);
        }
    }
}

/// A field; lists and maps are fields again and again.
fn field(number: u8, ty: TypeId, value: &Value, out: &mut Vec<u8>) {
    match (Schema::shared().ty(ty), value) {
        (_, Value::Null) => (),
        (Type::Bool, Value::Bool(it)) => integer(number, i64::from(*it), out),
        (Type::Int32 | Type::Int64, Value::Int(it)) => integer(number, *it, out),
        (Type::Str, Value::Str(it)) => bytes(number, it.as_bytes(), out),
        (Type::Bytes, Value::Str(it)) => bytes(number, &base64::decode(it).unwrap_or_default(), out),
        (Type::Map(it), Value::Map(map)) => {
            for (key, value) in map.iter() {
                let mut entry = Vec::new();
                bytes(1, key.as_bytes(), &mut entry);
                match Schema::shared().ty(it.item) {
                    // A list within a map is a message of its own.
                    Type::List(_) => bytes(2, &message(it.item, value), &mut entry),
                    _ => field(2, it.item, value, &mut entry),
                }
                bytes(number, &entry, out);
            }
        }
        (Type::List(it), Value::List(items)) => items.iter().for_each(|item| field(number, it.item, item, out)),
        _ => bytes(number, &message(ty, value), out),
    }
}
