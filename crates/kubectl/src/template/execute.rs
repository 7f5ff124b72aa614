//! The text that a parsed template makes of an object.

use std::cmp::Ordering;

use value::{Value, base64, json};

use super::{Base, Fallible, Node, Operand, Pipe, Template};
use crate::go;

/// Values by the names of variables; the last of a name counts.
type Scope = Vec<(String, Value)>;

impl Template {
    /// The text that the template makes of `data`.
    ///
    /// # Errors
    /// What went wrong.
    pub(crate) fn execute(&self, data: &Value) -> Fallible<String> {
        let mut out = String::new();
        let mut scope = vec![("$".to_owned(), data.clone())];
        run(&self.nodes, data, &mut scope, &mut out)?;
        Ok(out)
    }
}

fn run(nodes: &[Node], dot: &Value, scope: &mut Scope, out: &mut String) -> Fallible<()> {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Print(pipe) => match evaluate(pipe, dot, scope)? {
                Value::Null => out.push_str("<no value>"),
                value => out.push_str(&go::show(&value)),
            },
            Node::Set { name, pipe } => {
                let value = evaluate(pipe, dot, scope)?;
                match scope.iter_mut().rev().find(|(have, _)| have == name) {
                    Some((_, slot)) => *slot = value,
                    None => scope.push((name.clone(), value)),
                }
            }
            Node::If { pipe, then, otherwise } => {
                let chosen = if truth(&evaluate(pipe, dot, scope)?) { then } else { otherwise };
                inner(chosen, dot, scope, out)?;
            }
            Node::With { pipe, then, otherwise } => {
                let value = evaluate(pipe, dot, scope)?;
                match truth(&value) {
                    true => inner(then, &value, scope, out)?,
                    false => inner(otherwise, dot, scope, out)?,
                }
            }
            Node::Range { names, pipe, body, otherwise } => {
                let value = evaluate(pipe, dot, scope)?;
                let items: Vec<(Value, Value)> = match &value {
                    Value::List(items) => {
                        (0i64..).zip(items.iter()).map(|(idx, it)| (idx.into(), it.clone())).collect()
                    }
                    Value::Map(map) => map.iter().map(|(key, it)| (key.into(), it.clone())).collect(),
                    Value::Null => Vec::new(),
                    other => return Err(format!("range can't iterate over {}", go::show(other))),
                };
                if items.is_empty() {
                    inner(otherwise, dot, scope, out)?;
                }
                for (key, item) in items {
                    let depth = scope.len();
                    match names.as_slice() {
                        [one] => scope.push((one.clone(), item.clone())),
                        [first, second] => {
                            scope.push((first.clone(), key));
                            scope.push((second.clone(), item.clone()));
                        }
                        _ => {}
                    }
                    run(body, &item, scope, out)?;
                    scope.truncate(depth);
                }
            }
        }
    }
    Ok(())
}

fn inner(nodes: &[Node], dot: &Value, scope: &mut Scope, out: &mut String) -> Fallible<()> {
    let depth = scope.len();
    run(nodes, dot, scope, out)?;
    scope.truncate(depth);
    Ok(())
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(it) => *it,
        Value::Int(it) => *it != 0,
        Value::Decimal(_) => true,
        Value::Str(text) => !text.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Map(map) => !map.is_empty(),
    }
}

fn evaluate(pipe: &Pipe, dot: &Value, scope: &mut Scope) -> Fallible<Value> {
    let mut last: Option<Value> = None;
    for command in pipe {
        let mut values = Vec::new();
        let mut function = None;
        for (idx, operand) in command.iter().enumerate() {
            match operand {
                Operand::Function(name) if idx == 0 => function = Some(name),
                Operand::Function(name) => values.push(call(name, &[])?),
                Operand::Literal(it) => values.push(it.clone()),
                Operand::Path { base, fields } => {
                    let mut value = match base {
                        Base::Dot => dot.clone(),
                        Base::Pipe(pipe) => evaluate(pipe, dot, scope)?,
                        Base::Variable(name) => match scope.iter().rev().find(|(have, _)| have == name) {
                            Some((_, it)) => it.clone(),
                            None => return Err(format!("template: output:1: undefined variable \"{name}\"")),
                        },
                    };
                    for field in fields {
                        value = value.get(field).cloned().unwrap_or_default();
                    }
                    values.push(value);
                }
            }
        }
        values.extend(last.take());
        last = Some(match function {
            Some(name) => call(name, &values)?,
            None => values.into_iter().next().unwrap_or_default(),
        });
    }
    Ok(last.unwrap_or_default())
}

fn call(name: &str, args: &[Value]) -> Fallible<Value> {
    let first = args.first().cloned().unwrap_or_default();
    let compared = |wanted: fn(Ordering) -> bool| -> Fallible<Value> {
        let second = args.get(1).cloned().unwrap_or_default();
        match compare(&first, &second) {
            Some(order) => Ok(wanted(order).into()),
            None => Err(format!("error calling {name}: incompatible types for comparison")),
        }
    };
    Ok(match name {
        "len" => match &first {
            Value::List(items) => i64::try_from(items.len()).unwrap_or(0).into(),
            Value::Map(map) => i64::try_from(map.len()).unwrap_or(0).into(),
            Value::Str(text) => i64::try_from(text.len()).unwrap_or(0).into(),
            _ => return Err("error calling len: len of nil pointer".into()),
        },
        "index" => args[1.min(args.len())..].iter().try_fold(first, |value, key| index(&value, key))?,
        "eq" => args[1.min(args.len())..].contains(&first).into(),
        "ne" => (args.get(1) != Some(&first)).into(),
        "lt" => compared(Ordering::is_lt)?,
        "le" => compared(Ordering::is_le)?,
        "gt" => compared(Ordering::is_gt)?,
        "ge" => compared(Ordering::is_ge)?,
        "not" => (!truth(&first)).into(),
        "and" => args.iter().find(|it| !truth(it)).or(args.last()).cloned().unwrap_or_default(),
        "or" => args.iter().find(|it| truth(it)).or(args.last()).cloned().unwrap_or_default(),
        "exists" => {
            let found = args[1.min(args.len())..].iter().try_fold(first, |value, key| index(&value, key));
            found.is_ok_and(|it| !it.is_null()).into()
        }
        "print" => args.iter().map(go::show).collect::<Vec<_>>().join(" ").into(),
        "println" => (args.iter().map(go::show).collect::<Vec<_>>().join(" ") + "\n").into(),
        "printf" => format(&go::show(&first), &args[1.min(args.len())..]).into(),
        "html" | "js" | "urlquery" => go::show(&first).into(),
        "base64decode" => decode(&go::show(&first))?.into(),
        _ => return Err(format!("template: output:1: function \"{name}\" not defined")),
    })
}

fn index(value: &Value, key: &Value) -> Fallible<Value> {
    match (value, key) {
        (Value::Map(map), Value::Str(key)) => Ok(map.get(key).cloned().unwrap_or_default()),
        (Value::List(items), Value::Int(idx)) => usize::try_from(*idx)
            .ok()
            .and_then(|it| items.get(it).cloned())
            .ok_or_else(|| format!("error calling index: index out of range: {idx}")),
        (Value::Null, _) => Err("error calling index: index of untyped nil".into()),
        _ => Err(format!("error calling index: can't index item of type {}", go::show(value))),
    }
}

fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Str(a), Value::Str(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// `%s`, `%v`, `%d`, `%q`, `%t`, with a width.
fn format(pattern: &str, args: &[Value]) -> String {
    let mut out = String::new();
    let mut args = args.iter();
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let n_flags = rest.find(|it: char| !matches!(it, '-' | '0'..='9')).unwrap_or(rest.len());
        let (flags, after) = rest.split_at(n_flags);
        let verb = after.chars().next();
        rest = verb.map_or("", |it| &after[it.len_utf8()..]);
        let width = flags.trim_start_matches('-').parse::<usize>().unwrap_or(0).min(1000);
        let text = match verb {
            Some('%') => "%".to_owned(),
            None => "%!(NOVERB)".to_owned(),
            Some(verb) => match (args.next(), verb) {
                (None, verb) => format!("%!{verb}(MISSING)"),
                (Some(it), 'q') => meta::quoted(&go::show(it)),
                (Some(it), 'v' | 's' | 'd' | 't') => go::show(it),
                (Some(it), verb) => format!("%!{verb}({})", json::to_string(it)),
            },
        };
        match flags.starts_with('-') {
            true => out.push_str(&format!("{text:<width$}")),
            false => out.push_str(&format!("{text:>width$}")),
        }
    }
    out.push_str(rest);
    out
}

/// As kubectl's own function of this name (`printers/template.go` of k8s.io/cli-runtime).
fn decode(text: &str) -> Fallible<String> {
    let bytes = base64::decode(text).map_err(|at| {
        format!("error calling base64decode: base64 decode failed: illegal base64 data at input byte {at}")
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
