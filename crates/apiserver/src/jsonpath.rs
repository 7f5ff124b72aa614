//! The part of JSONPath that columns use: fields, indices, slices, wildcards, filters, descent (`client-go/util/jsonpath`).

use std::cmp::Ordering;

use value::{Str, Value};

/// A path taken apart. Steps apply one after the other to all values found so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Path(Vec<Step>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Step {
    Field(String),
    Wildcard,
    /// `..`: the values themselves and all below them that have parts.
    Descent,
    /// `[from:to:step]`; `[3]` is `[3:4]`.
    Slice {
        from: Option<i64>,
        to: Option<i64>,
        step: Option<i64>,
        single: bool,
    },
    Union(Vec<Path>),
    /// `[?(left operator right)]`; without an operator: where `left` finds something.
    Filter {
        left: Path,
        compare: Option<(&'static str, Operand)>,
    },
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Operand {
    Path(Path),
    Literal(Value),
}

const OPERATORS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];

impl Path {
    /// Reads a path without braces, such as `.spec.containers[0].image`. `None` where it is none.
    pub fn parse(text: &str) -> Option<Path> {
        let mut rest = text.trim();
        let mut steps = Vec::new();
        while !rest.is_empty() {
            rest = match rest.as_bytes() {
                [b'$' | b'@' | b' ', ..] => &rest[1..],
                [b'.', b'.', after, ..] => {
                    if steps.last() == Some(&Step::Descent) {
                        return None;
                    }
                    steps.push(Step::Descent);
                    // `..name` is a descent and a field, `..[0]` a descent and an index.
                    &rest[if *after == b'[' { 2 } else { 1 }..]
                }
                [b'.', ..] => {
                    let (field, rest) = field(&rest[1..]);
                    match field.as_str() {
                        "" if rest.is_empty() => return None,
                        "" => (),
                        "*" => steps.push(Step::Wildcard),
                        _ => steps.push(Step::Field(field)),
                    }
                    rest
                }
                [b'[', b'?', b'(', ..] => {
                    let (inner, rest) = filter_text(&rest[3..])?;
                    steps.push(filter(inner)?);
                    rest
                }
                [b'[', ..] => {
                    let (inner, rest) = rest[1..].split_once(']')?;
                    steps.push(bracket(inner)?);
                    rest
                }
                _ => return None,
            };
        }
        Some(Path(steps))
    }

    /// What the path leads to, in order. `None` where a step cannot be made, such as an index beyond the list.
    pub fn find(&self, value: &Value) -> Option<Vec<Value>> {
        self.0.iter().try_fold(vec![value.clone()], |values, step| step.apply(&values))
    }
}

/// Up to where a field's name ends; a backslash takes the next character as it is.
fn field(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.extend(chars.next().map(|(_, it)| it)),
            ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}' => return (name, &text[at..]),
            _ => name.push(c),
        }
    }
    (name, "")
}

/// The inside of `…)]` and what follows; a parenthesis in quotes does not end it.
fn filter_text(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, ')') => return Some((&text[..at], text[at + 1..].strip_prefix(']')?)),
            _ => (),
        }
    }
    None
}

fn filter(text: &str) -> Option<Step> {
    let at = text.find(['!', '<', '>', '=']).filter(|it| *it > 0);
    let Some(at) = at else { return Some(Step::Filter { left: Path::parse(text)?, compare: None }) };
    let operator = OPERATORS.into_iter().find(|it| text[at..].starts_with(it))?;
    let right = text[at + operator.len()..].trim();
    let literal = match right.as_bytes() {
        [b'"', .., b'"'] | [b'\'', .., b'\''] => Some(right[1..right.len() - 1].replace('\\', "").into()),
        b"true" | b"false" => Some((right == "true").into()),
        _ => right.parse::<i64>().map(Value::Int).ok(),
    };
    let right = match literal {
        Some(it) => Operand::Literal(it),
        None => Operand::Path(Path::parse(right)?),
    };
    Some(Step::Filter { left: Path::parse(&text[..at])?, compare: Some((operator, right)) })
}

fn bracket(text: &str) -> Option<Step> {
    if text.contains(',') {
        let paths = text.split(',').map(|it| bracket(it.trim()).map(|step| Path(vec![step])));
        return Some(Step::Union(paths.collect::<Option<_>>()?));
    }
    if let Some(key) = text.strip_prefix('\'').and_then(|it| it.strip_suffix('\'')) {
        // `['a.b']` is read as `.a.b`; a dot of a key needs a backslash here too.
        return Some(Step::Union(vec![Path::parse(&format!(".{key}"))?]));
    }
    if text == "*" {
        return Some(Step::Slice { from: None, to: None, step: None, single: false });
    }
    let numbers: Vec<Option<i64>> = text
        .split(':')
        .map(|it| if it.is_empty() { Some(None) } else { it.parse().ok().map(Some) })
        .collect::<Option<_>>()?;
    match numbers.as_slice() {
        [Some(from)] => Some(Step::Slice { from: Some(*from), to: None, step: None, single: true }),
        [from, to] => Some(Step::Slice { from: *from, to: *to, step: None, single: false }),
        [from, to, step] => Some(Step::Slice { from: *from, to: *to, step: *step, single: false }),
        _ => None,
    }
}

fn parts(value: &Value) -> Vec<Value> {
    match value {
        Value::Map(map) => map.values().cloned().collect(),
        Value::List(list) => list.to_vec(),
        _ => Vec::new(),
    }
}

fn descend(values: &[Value], found: &mut Vec<Value>) {
    for value in values {
        let parts = parts(value);
        if !parts.is_empty() {
            found.push(value.clone());
            descend(&parts, found);
        }
    }
}

impl Step {
    fn apply(&self, values: &[Value]) -> Option<Vec<Value>> {
        let mut found = Vec::new();
        match self {
            Step::Field(name) => found.extend(values.iter().filter_map(|it| it.get(name)).cloned()),
            Step::Wildcard => found.extend(values.iter().flat_map(parts)),
            Step::Descent => descend(values, &mut found),
            Step::Union(paths) => {
                for path in paths {
                    for value in values {
                        found.extend(path.find(value)?);
                    }
                }
            }
            Step::Slice { from, to, step, single } => {
                for value in values.iter().filter(|it| !it.is_null()) {
                    slice(value.as_list()?, (*from, *to, *step), *single, &mut found)?;
                }
            }
            Step::Filter { left, compare } => {
                for value in values {
                    for item in value.as_list()?.iter() {
                        if passes(item, left, compare.as_ref())? {
                            found.push(item.clone());
                        }
                    }
                }
            }
        }
        Some(found)
    }
}

fn slice(
    list: &[Value],
    (from, to, step): (Option<i64>, Option<i64>, Option<i64>),
    single: bool,
    found: &mut Vec<Value>,
) -> Option<()> {
    let len = list.len() as i64;
    let from = from.unwrap_or(0);
    let from = if from < 0 { from + len } else { from };
    let to = match to {
        _ if single => from + 1,
        Some(to) if to < 0 => to + len,
        Some(to) => to,
        None => len,
    };
    if from == to {
        return Some(());
    }
    if from < 0 || from >= len || to < from || to > len {
        return None;
    }
    let step = usize::try_from(step.unwrap_or(1)).ok().filter(|it| *it > 0)?;
    found.extend(list.get(from as usize..to as usize)?.iter().step_by(step).cloned());
    Some(())
}

fn passes(item: &Value, left: &Path, compare: Option<&(&'static str, Operand)>) -> Option<bool> {
    let Some((operator, right)) = compare else {
        return Some(left.find(item).is_some_and(|it| !it.is_empty()));
    };
    let one = |found: Vec<Value>| if found.len() > 1 { None } else { Some(found.into_iter().next()) };
    let right = match right {
        Operand::Literal(it) => Some(it.clone()),
        Operand::Path(path) => one(path.find(item)?)?,
    };
    let (Some(left), Some(right)) = (one(left.find(item)?)?, right) else { return Some(false) };
    let order = match (&left, &right) {
        (Value::Int(left), Value::Int(right)) => left.cmp(right),
        (Value::Str(left), Value::Str(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) if matches!(*operator, "==" | "!=") => left.cmp(right),
        _ => return None,
    };
    Some(match *operator {
        "==" => order == Ordering::Equal,
        "!=" => order != Ordering::Equal,
        "<" => order == Ordering::Less,
        ">" => order == Ordering::Greater,
        "<=" => order != Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

/// A value as a template prints it: text as it is, lists and maps as JSON.
pub(crate) fn text(value: &Value) -> Str {
    match value {
        Value::Str(it) | Value::Decimal(it) => it.clone(),
        Value::Null => "<no value>".into(),
        _ => value::json::to_string(value).into(),
    }
}

#[cfg(test)]
mod tests;
