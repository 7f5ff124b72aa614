//! Bodies in protobuf, which kubectl sends for what it makes with typed clients (`serializer/protobuf`).

pub(crate) mod write;

use schema::{Field, Schema, StructType, Type, TypeId};
use value::{Map, Str, Value, base64, json, time};

use crate::layout;

pub(crate) use self::write::{write, write_event};

/// What each body begins with.
const PREFIX: &[u8] = b"k8s\0";
/// How deep messages may nest.
const DEPTH_MAX: usize = 64;

/// Reads a body as the tree that JSON would have given. Fields that the type does not have are passed over.
///
/// # Errors
/// Why it cannot be read.
pub(crate) fn read(body: &[u8]) -> Result<Value, String> {
    let Some(rest) = body.strip_prefix(PREFIX) else {
        return Err("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]".to_owned());
    };
    let (mut api_version, mut kind, mut raw) = (Str::default(), Str::default(), &[][..]);
    for field in fields(rest)? {
        match field {
            (1, Wire::Bytes(meta)) => {
                for (number, it) in fields(meta)? {
                    match (number, it) {
                        (1, Wire::Bytes(it)) => api_version = text(it)?,
                        (2, Wire::Bytes(it)) => kind = text(it)?,
                        _ => (),
                    }
                }
            }
            (2, Wire::Bytes(it)) => raw = it,
            _ => (),
        }
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    let Some(ty) = layout::definition(group, version, &kind) else {
        return Err(format!(
            "no kind {} is registered for version {}",
            meta::quoted(&kind),
            meta::quoted(&api_version)
        ));
    };
    let mut object = message(ty, raw, 0)?;
    if let Value::Map(map) = &mut object {
        map.insert("apiVersion", api_version);
        map.insert("kind", kind);
    }
    Ok(object)
}

#[derive(Clone, Copy)]
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Numbers of a fixed size, which no field but those with fractions has.
    Fixed,
}

const BROKEN: &str = "unexpected EOF";

fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(BROKEN)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Ok(number);
        }
    }
    Err("proto: integer overflow".to_owned())
}

fn take<'a>(bytes: &mut &'a [u8], len: u64) -> Result<&'a [u8], String> {
    let len = usize::try_from(len).map_err(|_| BROKEN)?;
    let (taken, rest) = bytes.split_at_checked(len).ok_or(BROKEN)?;
    *bytes = rest;
    Ok(taken)
}

/// The fields of a message in their order.
fn fields(mut bytes: &[u8]) -> Result<Vec<(u64, Wire<'_>)>, String> {
    let mut res = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let wire = match tag & 7 {
            0 => Wire::Number(varint(&mut bytes)?),
            1 => {
                take(&mut bytes, 8)?;
                Wire::Fixed
            }
            2 => {
                let len = varint(&mut bytes)?;
                Wire::Bytes(take(&mut bytes, len)?)
            }
            5 => {
                take(&mut bytes, 4)?;
                Wire::Fixed
            }
            other => return Err(format!("proto: illegal wireType {other}")),
        };
        res.push((tag >> 3, wire));
    }
    Ok(res)
}

fn text(bytes: &[u8]) -> Result<Str, String> {
    std::str::from_utf8(bytes).map(Str::from).map_err(|_| "proto: invalid UTF-8 in text".to_owned())
}

/// A message of a type; nothing at all for a time that is not set.
fn message(ty: TypeId, bytes: &[u8], depth: usize) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err("proto: too deep".to_owned());
    }
    match Schema::shared().ty(ty) {
        Type::Struct(it) => {
            let mut map = Map::new();
            structure(it, &[], bytes, depth, &mut map)?;
            Ok(map.into())
        }
        Type::Quantity => inner(bytes, 1, Type::Str),
        Type::IntOrString => {
            let is_text = fields(bytes)?.iter().any(|it| matches!(it, (1, Wire::Number(1))));
            if is_text { inner(bytes, 3, Type::Str) } else { inner(bytes, 2, Type::Int32) }
        }
        ty @ (Type::Time | Type::MicroTime) => timestamp(bytes, matches!(ty, Type::MicroTime)),
        // Lists in maps are messages of their own.
        Type::List(it) => {
            let mut items = Vec::new();
            for (number, wire) in fields(bytes)? {
                if number == 1 {
                    items.push(value(it.item, wire, depth)?);
                }
            }
            Ok(items.into())
        }
        // JSON within a message.
        _ => match fields(bytes)?.first() {
            Some((1, Wire::Bytes(it))) => json::parse(it).map_err(|it| it.message),
            _ => Ok(Value::Null),
        },
    }
}

/// The one field of a message that counts.
fn inner(bytes: &[u8], number: u64, ty: Type) -> Result<Value, String> {
    let found = fields(bytes)?.into_iter().find(|(it, _)| *it == number).map(|(_, wire)| wire);
    Ok(match (ty, found) {
        (Type::Str, Some(Wire::Bytes(it))) => text(it)?.into(),
        (Type::Str, _) => "".into(),
        (_, Some(Wire::Number(it))) => Value::Int(it as i64),
        _ => Value::Int(0),
    })
}

fn timestamp(bytes: &[u8], micros: bool) -> Result<Value, String> {
    let (mut seconds, mut nanos) = (0, 0);
    for field in fields(bytes)? {
        match field {
            (1, Wire::Number(it)) => seconds = it as i64,
            (2, Wire::Number(it)) => nanos = it,
            _ => (),
        }
    }
    Ok(match u64::try_from(seconds) {
        _ if bytes.is_empty() => Value::Null,
        Ok(seconds) if micros => {
            time::format_micros(seconds.saturating_mul(1_000_000_000).saturating_add(nanos % 1_000_000_000)).into()
        }
        _ => time::format_secs(seconds).into(),
    })
}

/// Reads the fields whose numbers begin with `prefix`.
fn structure(it: &StructType, prefix: &[u8], bytes: &[u8], depth: usize, map: &mut Map) -> Result<(), String> {
    for (number, wire) in fields(bytes)? {
        let Ok(number) = u8::try_from(number) else { continue };
        let path = [prefix, &[number]].concat();
        let begins = |field: &&Field| field.number.starts_with(&path);
        let Some(field) = it.fields.iter().find(begins) else { continue };
        match (field.number.get(path.len()), wire) {
            (Some(1..), Wire::Bytes(bytes)) => structure(it, &path, bytes, depth + 1, map)?,
            _ => set(field, wire, depth, map)?,
        }
    }
    Ok(())
}

fn set(field: &Field, wire: Wire<'_>, depth: usize, map: &mut Map) -> Result<(), String> {
    let schema = Schema::shared();
    let read = match (schema.ty(field.ty), wire) {
        (Type::Map(it), Wire::Bytes(bytes)) => {
            let mut entry = (Str::default(), None);
            for (number, wire) in fields(bytes)? {
                match (number, wire) {
                    (1, Wire::Bytes(key)) => entry.0 = text(key)?,
                    (2, wire) => entry.1 = Some(value(it.item, wire, depth)?),
                    _ => (),
                }
            }
            let item = entry.1.map_or_else(|| zero(it.item), Ok)?;
            let known = map.get(&field.name).and_then(Value::as_map).cloned().unwrap_or_default();
            known.with(entry.0, item).into()
        }
        (Type::List(it), wire) => {
            let known = map.get(&field.name).and_then(Value::as_list).cloned().unwrap_or_default();
            match (schema.ty(it.item), wire) {
                // Numbers may be packed into one field.
                (Type::Int32 | Type::Int64, Wire::Bytes(mut bytes)) => {
                    let mut items = known.to_vec();
                    while !bytes.is_empty() {
                        items.push(Value::Int(varint(&mut bytes)? as i64));
                    }
                    items.into()
                }
                _ => known.pushed(value(it.item, wire, depth)?).into(),
            }
        }
        _ => value(field.ty, wire, depth)?,
    };
    map.insert(&field.name, read);
    Ok(())
}

/// What a map has under a key without a value.
fn zero(ty: TypeId) -> Result<Value, String> {
    match Schema::shared().ty(ty) {
        Type::Str | Type::Bytes => Ok("".into()),
        _ => message(ty, &[], 0),
    }
}

fn value(ty: TypeId, wire: Wire<'_>, depth: usize) -> Result<Value, String> {
    Ok(match (Schema::shared().ty(ty), wire) {
        (Type::Bool, Wire::Number(it)) => (it != 0).into(),
        (Type::Int32 | Type::Int64, Wire::Number(it)) => Value::Int(it as i64),
        (Type::Number, _) => return Err("numbers with fractions are read from JSON only".to_owned()),
        (Type::Str, Wire::Bytes(it)) => text(it)?.into(),
        (Type::Bytes, Wire::Bytes(it)) => base64::encode(it).into(),
        (_, Wire::Bytes(it)) => message(ty, it, depth + 1)?,
        _ => return Err("proto: wrong wireType".to_owned()),
    })
}

#[cfg(test)]
mod tests;
