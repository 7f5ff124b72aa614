//! What a parsed path finds in an object.

use std::cmp::Ordering;

use value::{Value, json};

use super::{DEPTH_MAX, Fallible, Node, Part, Template, To};
use crate::go;

impl Template {
    /// What each part of the template finds.
    ///
    /// # Errors
    /// A key is not there and `missing_ok` is false, or a value is of the wrong type.
    pub(crate) fn find(&self, data: &Value, missing_ok: bool) -> Fallible<Vec<Vec<Value>>> {
        let mut res = Vec::new();
        self.run(0, data, missing_ok, 0, &mut res)?;
        Ok(res)
    }

    /// Goes on from part `from`; answers the part after the `end` that stops it.
    fn run(
        &self,
        from: usize,
        data: &Value,
        missing_ok: bool,
        depth: u32,
        res: &mut Vec<Vec<Value>>,
    ) -> Fallible<usize> {
        let mut at = from;
        while let Some(part) = self.parts.get(at) {
            let nodes = match part {
                Part::Text(text) => {
                    res.push(vec![text.as_str().into()]);
                    at += 1;
                    continue;
                }
                Part::Action(nodes) => nodes,
            };
            match nodes.first() {
                Some(Node::Word(word)) if word == "end" => {
                    return if depth == 0 { Err("not in range, nothing to end".into()) } else { Ok(at + 1) };
                }
                Some(Node::Word(word)) if word == "range" && depth < DEPTH_MAX => {
                    let items = walk(vec![data.clone()], &nodes[1..], missing_ok)?;
                    let mut after = self.after_range(at + 1);
                    for item in items {
                        after = self.run(at + 1, &item, missing_ok, depth + 1, res)?;
                    }
                    at = after;
                }
                _ => {
                    res.push(walk(vec![data.clone()], nodes, missing_ok)?);
                    at += 1;
                }
            }
        }
        Ok(at)
    }

    fn after_range(&self, from: usize) -> usize {
        let mut n_open = 1;
        for (idx, part) in self.parts.iter().enumerate().skip(from) {
            match part {
                Part::Action(nodes) => match nodes.first() {
                    Some(Node::Word(word)) if word == "range" => n_open += 1,
                    Some(Node::Word(word)) if word == "end" => n_open -= 1,
                    _ => {}
                },
                Part::Text(_) => {}
            }
            if n_open == 0 {
                return idx + 1;
            }
        }
        self.parts.len()
    }

    /// The text that the template makes of `data`.
    ///
    /// # Errors
    /// See [`Template::find`].
    pub(crate) fn execute(&self, data: &Value, as_json: bool, missing_ok: bool) -> Fallible<String> {
        let mut out = String::new();
        for results in self.find(data, missing_ok)? {
            if as_json {
                out.push_str(&json::to_string_pretty(&Value::from(results), "    "));
                out.push('\n');
                continue;
            }
            let texts: Vec<String> = results
                .iter()
                .map(|it| match it {
                    Value::Map(_) | Value::List(_) => json::to_string(it),
                    Value::Null => "null".to_owned(),
                    it => go::show(it),
                })
                .collect();
            out.push_str(&texts.join(" "));
        }
        Ok(out)
    }
}

fn walk(mut values: Vec<Value>, nodes: &[Node], missing_ok: bool) -> Fallible<Vec<Value>> {
    for node in nodes {
        values = step(values, node, missing_ok)?;
    }
    Ok(values)
}

fn children(value: &Value) -> Vec<Value> {
    match value {
        Value::Map(map) => map.values().cloned().collect(),
        Value::List(items) => items.to_vec(),
        _ => Vec::new(),
    }
}

fn step(values: Vec<Value>, node: &Node, missing_ok: bool) -> Fallible<Vec<Value>> {
    Ok(match node {
        Node::Literal(Value::Str(text)) => vec![text.into()],
        Node::Literal(it) => vec![it.clone(); values.len()],
        Node::Word(word) => return Err(format!("unrecognized identifier {word}")),
        Node::Field(name) => {
            let found: Vec<Value> = values.iter().filter_map(|it| it.get(name)).cloned().collect();
            if found.is_empty() && !values.is_empty() && !missing_ok {
                return Err(format!("{name} is not found"));
            }
            found
        }
        Node::Wildcard => values.iter().flat_map(children).collect(),
        Node::Recursive => {
            let mut found = Vec::new();
            values.iter().for_each(|it| descend(it, &mut found));
            found
        }
        Node::Slice { from, to, step } => {
            let mut found = Vec::new();
            for value in values.iter().filter(|it| !it.is_null()) {
                let Value::List(items) = value else {
                    return Err(format!("{} is not array or slice", type_name(value)));
                };
                found.extend(sliced(items, *from, *to, *step)?);
            }
            found
        }
        Node::Union(parts) => {
            let mut found = Vec::new();
            for part in parts {
                found.extend(walk(values.clone(), part, missing_ok)?);
            }
            found
        }
        Node::Filter { left, operator, right } => filtered(&values, left, operator, right, missing_ok)?,
    })
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Decimal(_) => "float64",
        Value::Str(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
    }
}

fn descend(value: &Value, found: &mut Vec<Value>) {
    let inner = children(value);
    if !inner.is_empty() {
        found.push(value.clone());
        inner.iter().for_each(|it| descend(it, found));
    }
}

fn sliced(items: &[Value], from: Option<i64>, to: To, step: Option<i64>) -> Fallible<Vec<Value>> {
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let begin = from.unwrap_or(0);
    let mut end = match to {
        To::Open => len,
        To::Next => begin.saturating_add(1),
        To::Index(it) => it,
    };
    if end < 0 || (end == 0 && matches!(to, To::Next)) {
        end += len;
    }
    let begin = if begin < 0 { begin + len } else { begin };
    if begin == end {
        return Ok(Vec::new());
    }
    if begin < 0 || begin >= len {
        return Err(format!("array index out of bounds: index {begin}, length {len}"));
    }
    if end < 0 || end > len {
        return Err(format!("array index out of bounds: index {}, length {len}", end - 1));
    }
    if begin > end {
        return Err(format!("starting index {begin} is greater than ending index {end}"));
    }
    let step = match step {
        Some(it) if it <= 0 => return Err("step must be > 0".into()),
        it => usize::try_from(it.unwrap_or(1)).unwrap_or(usize::MAX),
    };
    let (begin, end) = (usize::try_from(begin).unwrap_or(0), usize::try_from(end).unwrap_or(0));
    Ok(items.get(begin..end).unwrap_or_default().iter().step_by(step).cloned().collect())
}

fn filtered(values: &[Value], left: &[Node], operator: &str, right: &[Node], missing_ok: bool) -> Fallible<Vec<Value>> {
    let mut found = Vec::new();
    for value in values {
        let Value::List(items) = value else {
            return Err(format!("{} is not array or slice and cannot be filtered", go::show(value)));
        };
        for item in items {
            let lefts = walk(vec![item.clone()], left, missing_ok);
            if operator == "exists" {
                if lefts.is_ok_and(|it| !it.is_empty()) {
                    found.push(item.clone());
                }
                continue;
            }
            let (lefts, rights) = (lefts?, walk(vec![item.clone()], right, missing_ok)?);
            let (a, b) = match (&lefts[..], &rights[..]) {
                ([], _) | (_, []) => continue,
                ([a], [b]) => (a, b),
                _ => return Err("can only compare one element at a time".into()),
            };
            let Some(order) = compare(a, b) else {
                return Err("incompatible types for comparison".into());
            };
            let passes = match operator {
                "==" => order == Ordering::Equal,
                "!=" => order != Ordering::Equal,
                "<" => order == Ordering::Less,
                ">" => order == Ordering::Greater,
                "<=" => order != Ordering::Greater,
                ">=" => order != Ordering::Less,
                _ => return Err(format!("unrecognized filter operator {operator}")),
            };
            if passes {
                found.push(item.clone());
            }
        }
    }
    Ok(found)
}

fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => Some(a.cmp(b)),
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Decimal(_) | Value::Int(_), Value::Decimal(_) | Value::Int(_)) => {
            let number = |it: &Value| value::quantity::Quantity::parse(&go::show(it)).ok();
            Some(number(a)?.cmp(&number(b)?))
        }
        _ => None,
    }
}
