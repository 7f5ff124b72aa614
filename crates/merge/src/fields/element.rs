//! One step of a path: `f:name`, `k:{"name":"web"}`, `v:"a"`, `i:0`.

use std::cmp::Ordering;
use std::fmt;

use meta::quoted;
use value::{Map, Str, Value, json};

use crate::go_text::number;

/// A step, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Element {
    Field(Str),
    /// An item of a list by the fields that tell it from others.
    Key(Map),
    /// An item of a list of scalars.
    Value(Value),
    Index(i64),
}

impl Element {
    pub fn parse(text: &str) -> Option<Element> {
        let (kind, rest) = text.split_once(':')?;
        Some(match kind {
            "f" => Element::Field(rest.into()),
            "k" => match json::parse(rest.as_bytes()).ok()? {
                Value::Map(it) => Element::Key(it),
                _ => return None,
            },
            "v" => Element::Value(json::parse(rest.as_bytes()).ok()?),
            "i" => Element::Index(rest.parse().ok()?),
            _ => return None,
        })
    }

    /// Fields, then keys, then values, then indexes; numbers by their value.
    pub fn cmp(&self, other: &Element) -> Ordering {
        match (self, other) {
            (Element::Field(a), Element::Field(b)) => a.cmp(b),
            (Element::Key(a), Element::Key(b)) => {
                let pairs = a.iter().zip(b.iter());
                let mut orders = pairs.map(|((k, v), (l, w))| k.cmp(l).then_with(|| compare(v, w)));
                orders.find(|it| it.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (Element::Value(a), Element::Value(b)) => compare(a, b),
            (Element::Index(a), Element::Index(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Element::Field(_) => 0,
            Element::Key(_) => 1,
            Element::Value(_) => 2,
            Element::Index(_) => 3,
        }
    }

    fn text(&self) -> String {
        match self {
            Element::Field(it) => format!("f:{it}"),
            Element::Key(it) => format!("k:{}", json::to_string(&Value::Map(it.clone()))),
            Element::Value(it) => format!("v:{}", json::to_string(it)),
            Element::Index(it) => format!("i:{it}"),
        }
    }
}

/// `value.Compare` for what elements are made of.
fn compare(a: &Value, b: &Value) -> Ordering {
    let rank = |it: &Value| match it {
        Value::Int(_) | Value::Decimal(_) => 0,
        Value::Str(_) => 1,
        Value::Bool(_) => 2,
        Value::List(_) => 3,
        Value::Map(_) => 4,
        Value::Null => 5,
    };
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Str(a), Value::Str(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)).then_with(|| json::to_string(a).cmp(&json::to_string(b))),
    }
}

/// As messages show a step: `.name`, `[name="web"]`, `[="a"]`, `[0]`.
impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Element::Field(it) => write!(f, ".{it}"),
            Element::Key(it) => {
                let parts: Vec<String> = it.iter().map(|(key, value)| format!("{key}={}", shown(value))).collect();
                write!(f, "[{}]", parts.join(","))
            }
            Element::Value(it) => write!(f, "[={}]", shown(it)),
            Element::Index(it) => write!(f, "[{it}]"),
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Str(it) => quoted(it),
        Value::Int(it) => number(*it),
        _ => json::to_string(value),
    }
}

/// The text of an item that its sorted keys tell from others.
pub(crate) fn key_text(keys: &[(&str, Value)]) -> Str {
    let mut out = Vec::with_capacity(48);
    out.extend_from_slice(b"k:");
    for (idx, (key, value)) in keys.iter().enumerate() {
        out.push(if idx == 0 { b'{' } else { b',' });
        json::write_str(key, &mut out);
        out.push(b':');
        json::write(value, &mut out);
    }
    out.push(b'}');
    text_of(&out)
}

/// The text of an item of a list of scalars.
pub(crate) fn value_text(value: &Value) -> Str {
    let mut out = Vec::with_capacity(48);
    out.extend_from_slice(b"v:");
    json::write(value, &mut out);
    text_of(&out)
}

fn text_of(bytes: &[u8]) -> Str {
    match std::str::from_utf8(bytes) {
        Ok(it) => it.into(),
        Err(_) => String::from_utf8_lossy(bytes).into_owned().into(),
    }
}

/// The text as we write it. Of an unknown kind: `Some(None)`. Unreadable: `None`.
pub(super) fn canonical(text: &Str) -> Option<Option<Str>> {
    match text.as_bytes() {
        [b'f', b':', ..] => Some(Some(text.clone())),
        [b'k' | b'v' | b'i', b':', ..] => Some(Some(Element::parse(text)?.text().into())),
        [_, b':', ..] => Some(None),
        _ => None,
    }
}
