//! The document of version 2 in protobuf (`gnostic`'s `openapi.v2.Document`), which older clients ask for.

use value::{Map, Value, yaml};

use crate::protobuf::write::varint;

/// How a JSON value is written.
enum Form {
    Text,
    Flag,
    Texts,
    /// Values of any type, as YAML.
    Anys,
    One(&'static Table),
    Many(&'static Table),
    /// A map: a repeated field of this number with a name and a value.
    Named(u64, &'static Form),
    /// Within messages that have only the field of this number.
    Within(&'static [u64], &'static Form),
    Parameters,
    /// All keys that begin with `x-`.
    Extensions,
}

/// The fields of a message: keys of JSON, numbers and forms, by number.
struct Table(&'static [(&'static str, u64, Form)]);

static DOCUMENT: Table = Table(&[
    ("swagger", 1, Form::Text),
    ("info", 2, Form::One(&INFO)),
    ("paths", 8, Form::Named(2, &Form::One(&PATH))),
    ("definitions", 9, Form::Named(1, &Form::One(&SCHEMA))),
    ("security", 12, Form::Many(&REQUIREMENT)),
    ("securityDefinitions", 13, Form::Named(1, &Form::Within(&[2], &Form::One(&API_KEY)))),
]);

static INFO: Table = Table(&[("title", 1, Form::Text), ("version", 2, Form::Text)]);

static REQUIREMENT: Table = Table(&[("BearerToken", 1, Form::Extensions)]);

static API_KEY: Table =
    Table(&[("type", 1, Form::Text), ("name", 2, Form::Text), ("in", 3, Form::Text), ("description", 4, Form::Text)]);

static PATH: Table = Table(&[
    ("get", 2, Form::One(&OPERATION)),
    ("put", 3, Form::One(&OPERATION)),
    ("post", 4, Form::One(&OPERATION)),
    ("delete", 5, Form::One(&OPERATION)),
    ("options", 6, Form::One(&OPERATION)),
    ("head", 7, Form::One(&OPERATION)),
    ("patch", 8, Form::One(&OPERATION)),
    ("parameters", 9, Form::Parameters),
]);

static OPERATION: Table = Table(&[
    ("tags", 1, Form::Texts),
    ("operationId", 5, Form::Text),
    ("produces", 6, Form::Texts),
    ("consumes", 7, Form::Texts),
    ("parameters", 8, Form::Parameters),
    ("responses", 9, Form::Named(1, &Form::Within(&[1], &Form::One(&RESPONSE)))),
    ("x-", 13, Form::Extensions),
]);

static RESPONSE: Table =
    Table(&[("description", 1, Form::Text), ("schema", 2, Form::Within(&[1], &Form::One(&SCHEMA)))]);

static BODY: Table = Table(&[
    ("name", 2, Form::Text),
    ("in", 3, Form::Text),
    ("required", 4, Form::Flag),
    ("schema", 5, Form::One(&SCHEMA)),
]);

static QUERY: Table =
    Table(&[("in", 2, Form::Text), ("name", 4, Form::Text), ("type", 6, Form::Text), ("uniqueItems", 20, Form::Flag)]);

static PATH_PARAMETER: Table = Table(&[
    ("required", 1, Form::Flag),
    ("in", 2, Form::Text),
    ("name", 4, Form::Text),
    ("type", 5, Form::Text),
    ("uniqueItems", 19, Form::Flag),
]);

static SCHEMA: Table = Table(&[
    ("$ref", 1, Form::Text),
    ("format", 2, Form::Text),
    ("description", 4, Form::Text),
    ("required", 19, Form::Texts),
    ("enum", 20, Form::Anys),
    ("additionalProperties", 21, Form::Within(&[1], &Form::One(&SCHEMA))),
    ("type", 22, Form::Within(&[1], &Form::Text)),
    ("items", 23, Form::Within(&[1], &Form::One(&SCHEMA))),
    ("properties", 25, Form::Named(1, &Form::One(&SCHEMA))),
    ("x-", 31, Form::Extensions),
]);

/// The bytes of a document.
pub(super) fn encode(document: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(map) = document.as_map() {
        message(map, &DOCUMENT, &mut out);
    }
    out
}

fn message(map: &Map, table: &'static Table, out: &mut Vec<u8>) {
    for (key, number, form) in table.0 {
        if let Form::Extensions = form {
            for (name, value) in map.iter().filter(|(name, _)| name.starts_with(key)) {
                field(*number, out, &mut |out| {
                    text(1, name, out);
                    // What a requirement names has no parts.
                    if *key == "x-" {
                        field(2, out, &mut |out| any(value, out));
                    }
                });
            }
        } else if let Some(value) = map.get(key) {
            write(*number, value, form, out);
        }
    }
}

fn write(number: u64, value: &Value, form: &'static Form, out: &mut Vec<u8>) {
    let list = || value.as_list().map_or(&[][..], |it| it);
    match (form, value) {
        (Form::Text, Value::Str(it)) => text(number, it, out),
        (Form::Flag, Value::Bool(true)) => {
            varint(number << 3, out);
            out.push(1);
        }
        (Form::Texts, _) => list().iter().filter_map(Value::as_str).for_each(|it| text(number, it, out)),
        (Form::Anys, _) => list().iter().for_each(|it| field(number, out, &mut |out| any(it, out))),
        (Form::One(table), Value::Map(map)) => field(number, out, &mut |out| message(map, table, out)),
        (Form::Many(table), _) => {
            for map in list().iter().filter_map(Value::as_map) {
                field(number, out, &mut |out| message(map, table, out));
            }
        }
        (Form::Named(inner, form), Value::Map(map)) => field(number, out, &mut |out| {
            for (name, value) in map.iter() {
                field(*inner, out, &mut |out| {
                    text(1, name, out);
                    write(2, value, form, out);
                });
            }
        }),
        (Form::Within(path, form), _) => within(number, path, out, &mut |number, out| write(number, value, form, out)),
        (Form::Parameters, _) => {
            for map in list().iter().filter_map(Value::as_map) {
                // Each stands in a choice of choices.
                let (path, table): (&[u64], _) = match map.get("in").and_then(Value::as_str) {
                    Some("body") => (&[1, 1], &BODY),
                    Some("path") => (&[1, 2, 4], &PATH_PARAMETER),
                    _ => (&[1, 2, 3], &QUERY),
                };
                within(number, path, out, &mut |number, out| {
                    field(number, out, &mut |out| message(map, table, out));
                });
            }
        }
        _ => (),
    }
}

/// Writes a field within messages that have only one each: `number` and all of `path` but the last.
fn within(number: u64, path: &[u64], out: &mut Vec<u8>, write: &mut dyn FnMut(u64, &mut Vec<u8>)) {
    match path.split_first() {
        None => write(number, out),
        Some((next, rest)) => field(number, out, &mut |out| within(*next, rest, out, write)),
    }
}

/// A field whose bytes `write` makes.
fn field(number: u64, out: &mut Vec<u8>, write: &mut dyn FnMut(&mut Vec<u8>)) {
    let mut bytes = Vec::new();
    write(&mut bytes);
    varint(number << 3 | 2, out);
    varint(bytes.len() as u64, out);
    out.extend_from_slice(&bytes);
}

fn text(number: u64, it: &str, out: &mut Vec<u8>) {
    field(number, out, &mut |out| out.extend_from_slice(it.as_bytes()));
}

fn any(value: &Value, out: &mut Vec<u8>) {
    text(2, &yaml::emit(value), out);
}
