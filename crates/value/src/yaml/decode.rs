//! From nodes to a value: types, merge keys, aliases, duplicate keys.

use std::collections::BTreeMap;

use super::compose::{Kind, Node, NodeId, Nodes};
use super::resolve::{self, Scalar};
use super::{Document, Error, Position, Span};
use crate::{Str, Value, base64, json};

/// The document that the nodes are.
///
/// # Errors
/// What has no counterpart in JSON, and aliases without end.
pub(super) fn decode(nodes: &Nodes, first_line: u32) -> Result<Document, Error> {
    let mut decoder = Decoder {
        nodes: &nodes.0,
        first_line,
        duplicates: Vec::new(),
        open_aliases: Vec::new(),
        n_decoded: 0,
        n_from_aliases: 0,
    };
    let (value, span) = match nodes.0.is_empty() {
        true => (Value::Null, leaf(Position { line: first_line + 1, column: 1 })),
        false => decoder.node(0)?,
    };
    Ok(Document { value, duplicates: decoder.duplicates, span })
}

fn leaf(position: Position) -> Span {
    Span { position, children: Vec::new() }
}

struct Decoder<'a> {
    nodes: &'a [Node],
    first_line: u32,
    duplicates: Vec<String>,
    /// The targets that are being decoded because of an alias.
    open_aliases: Vec<NodeId>,
    n_decoded: u64,
    n_from_aliases: u64,
}

type Entries = BTreeMap<Str, (Value, Span)>;

impl Decoder<'_> {
    fn error(&self, id: NodeId, message: String) -> Error {
        let Position { line, column } = self.nodes[id].position;
        Error { message, line, column }
    }

    fn count(&mut self, id: NodeId) -> Result<(), Error> {
        self.n_decoded += 1;
        if !self.open_aliases.is_empty() {
            self.n_from_aliases += 1;
        }
        // Of few nodes 99 % may come from aliases, of many 10 %.
        let percent = match self.n_decoded {
            ..=400_000 => 99,
            4_000_000.. => 10,
            it => 99 - 89 * (it - 400_000) / 3_600_000,
        };
        if self.n_from_aliases > 100 && self.n_decoded > 1000 && self.n_from_aliases * 100 > self.n_decoded * percent {
            return Err(self.error(id, "yaml: document contains excessive aliasing".into()));
        }
        Ok(())
    }

    fn node(&mut self, id: NodeId) -> Result<(Value, Span), Error> {
        self.count(id)?;
        let nodes = self.nodes;
        let position = nodes[id].position;
        match &nodes[id].kind {
            Kind::Scalar { tag, text, implicit } => {
                let value = self.scalar(id, tag.as_deref(), text, *implicit)?;
                Ok((value, leaf(position)))
            }
            Kind::Sequence(items) => {
                let mut values = Vec::with_capacity(items.len());
                let mut children = Vec::with_capacity(items.len());
                for (idx, &item) in items.iter().enumerate() {
                    let (value, span) = self.node(item)?;
                    values.push(value);
                    children.push((Str::from(idx.to_string()), span));
                }
                Ok((Value::from(values), Span { position, children }))
            }
            Kind::Mapping(_) => {
                let mut entries = Entries::new();
                self.mapping(id, &mut entries)?;
                let mut values = Vec::with_capacity(entries.len());
                let mut children = Vec::with_capacity(entries.len());
                for (key, (value, span)) in entries {
                    values.push((key.clone(), value));
                    children.push((key, span));
                }
                Ok((Value::Map(values.into()), Span { position, children }))
            }
            Kind::Alias { anchor, target } => {
                self.enter(id, anchor, *target)?;
                let res = self.node(*target);
                self.open_aliases.pop();
                res
            }
            Kind::Open => Ok((Value::Null, leaf(position))),
        }
    }

    fn enter(&mut self, id: NodeId, anchor: &str, target: NodeId) -> Result<(), Error> {
        if self.open_aliases.contains(&target) || matches!(self.nodes[target].kind, Kind::Open) {
            return Err(self.error(id, format!("yaml: anchor '{anchor}' value contains itself")));
        }
        self.open_aliases.push(target);
        Ok(())
    }

    fn mapping(&mut self, id: NodeId, entries: &mut Entries) -> Result<(), Error> {
        let nodes = self.nodes;
        let Kind::Mapping(pairs) = &nodes[id].kind else { return Ok(()) };
        for &(key, value) in pairs {
            if is_merge(&nodes[key].kind) {
                self.merge(value, entries)?;
                continue;
            }
            let (decoded, _) = self.node(key)?;
            if matches!(decoded, Value::Map(_) | Value::List(_)) {
                return Err(self.error(key, format!("yaml: invalid map key: {}", go_syntax(&decoded))));
            }
            let (item, mut span) = self.node(value)?;
            span.position = nodes[key].position;
            let Some(text) = key_text(&decoded) else {
                let problem =
                    format!("unsupported map key of type: %!s(<nil>), key: <nil>, value: {}", go_syntax(&item));
                return Err(self.error(key, problem));
            };
            if entries.contains_key(&text) {
                let line = nodes[value].position.line.saturating_sub(self.first_line);
                self.duplicates.push(format!("line {line}: key {} already set in map", go_syntax(&decoded)));
            }
            entries.insert(text, (item, span));
        }
        Ok(())
    }

    /// Sets the keys of a map, or of each map of a list, as if they stood here; of a list the first map wins.
    fn merge(&mut self, id: NodeId, entries: &mut Entries) -> Result<(), Error> {
        let nodes = self.nodes;
        let sources = match &nodes[id].kind {
            Kind::Sequence(items) => items.as_slice(),
            _ => &[id],
        };
        for &source in sources.iter().rev() {
            self.count(source)?;
            match &nodes[source].kind {
                Kind::Mapping(_) => self.mapping(source, entries)?,
                Kind::Alias { anchor, target } if matches!(nodes[*target].kind, Kind::Mapping(_)) => {
                    self.enter(source, anchor, *target)?;
                    let res = self.count(*target).and_then(|()| self.mapping(*target, entries));
                    self.open_aliases.pop();
                    res?;
                }
                _ => {
                    let problem = "yaml: map merge requires map or sequence of maps as the value";
                    return Err(self.error(source, problem.into()));
                }
            }
        }
        Ok(())
    }

    fn scalar(&self, id: NodeId, tag: Option<&str>, text: &str, implicit: bool) -> Result<Value, Error> {
        if tag.is_none() && !implicit {
            return Ok(Value::from(text));
        }
        let tag = tag.map(resolve::short_tag);
        if tag.as_deref() == Some("!!binary") {
            let Ok(bytes) = base64::decode(text) else {
                return Err(self.error(id, "yaml: !!binary value contains invalid base64 data".into()));
            };
            return Ok(Value::from(String::from_utf8_lossy(&bytes).into_owned()));
        }
        let scalar = resolve::resolve(tag.as_deref(), text).map_err(|it| self.error(id, format!("yaml: {it}")))?;
        Ok(match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(it) => Value::Bool(it),
            Scalar::Int(it) => Value::Int(it),
            Scalar::Uint(it) => Value::Decimal(it.to_string().into()),
            Scalar::Float(it) => {
                let text = it.json();
                text.parse().map_or_else(|_| Value::Decimal(text.as_str().into()), Value::Int)
            }
            Scalar::NoNumber(it) => return Err(self.error(id, format!("json: unsupported value: {it}"))),
            Scalar::Timestamp | Scalar::Merge | Scalar::Str => Value::from(text),
        })
    }
}

fn is_merge(kind: &Kind) -> bool {
    match kind {
        Kind::Scalar { tag, text, implicit } => {
            text == "<<" && (*implicit || tag.as_deref().is_some_and(|it| resolve::short_tag(it) == "!!merge"))
        }
        _ => false,
    }
}

fn key_text(key: &Value) -> Option<Str> {
    match key {
        Value::Str(it) | Value::Decimal(it) => Some(it.clone()),
        Value::Int(it) => Some(it.to_string().into()),
        Value::Bool(it) => Some(Str::from(if *it { "true" } else { "false" })),
        _ => None,
    }
}

/// A value as Go's `%#v` prints it.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".into(),
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Map(map) => {
            let entries: Vec<_> = map
                .iter()
                .map(|(key, value)| format!("{}:{}", go_syntax(&Value::from(key)), go_syntax(value)))
                .collect();
            format!("map[interface {{}}]interface {{}}{{{}}}", entries.join(", "))
        }
        other => json::to_string(other),
    }
}
