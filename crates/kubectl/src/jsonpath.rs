//! Templates such as `{range .items[*]}{.metadata.name}{"\n"}{end}` (`k8s.io/client-go/util/jsonpath`).

use std::cmp::Ordering;

use value::{Value, json};

use crate::go;

/// How deep filters and unions may nest.
const DEPTH_MAX: u32 = 20;

/// A parsed template.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Action(Vec<Node>),
}

#[derive(Clone, Debug)]
enum Node {
    Literal(Value),
    Word(String),
    Field(String),
    Wildcard,
    Recursive,
    Slice { from: Option<i64>, to: To, step: Option<i64> },
    Union(Vec<Vec<Node>>),
    Filter { left: Vec<Node>, operator: String, right: Vec<Node> },
}

#[derive(Clone, Copy, Debug)]
enum To {
    Open,
    /// One past the beginning: `[3]`.
    Next,
    Index(i64),
}

type Fallible<T> = Result<T, String>;

/// Parses a template.
///
/// # Errors
/// In client-go's words.
pub(crate) fn parse(text: &str) -> Fallible<Template> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find('{') {
        if begin > 0 {
            parts.push(Part::Text(rest[..begin].to_owned()));
        }
        let mut parser = Parser { text: &rest[begin + 1..], at: 0, depth: 0 };
        let nodes = parser.action(true)?;
        rest = &parser.text[parser.at..];
        parts.push(Part::Action(nodes));
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(Template { parts })
}

/// A path as the user may write it, `metadata.name` or `{.metadata.name}`, in full.
///
/// # Errors
/// It is no single path.
pub(crate) fn relaxed(path: &str) -> Fallible<String> {
    let inner = path.strip_prefix('{').and_then(|it| it.strip_suffix('}')).unwrap_or(path);
    let field = inner.strip_prefix('.').unwrap_or(inner);
    if path.is_empty() {
        return Ok(String::new());
    }
    if field.is_empty() || field.contains(['{', '}']) {
        return Err(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'"
                .into(),
        );
    }
    Ok(format!("{{.{field}}}"))
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

fn is_terminator(ch: char) -> bool {
    matches!(ch, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.text[self.at..].starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// The nodes up to the closing brace, or to the end of the text where there is none.
    fn action(&mut self, braced: bool) -> Fallible<Vec<Node>> {
        let mut nodes: Vec<Node> = Vec::new();
        loop {
            if self.eat("[?(") {
                nodes.push(self.filter()?);
                continue;
            }
            if self.eat("..") {
                if matches!(nodes.last(), Some(Node::Recursive)) {
                    return Err("invalid multiple recursive descent".into());
                }
                nodes.push(Node::Recursive);
                if self.peek().is_some_and(|it| it == '_' || it.is_alphanumeric()) {
                    nodes.push(self.field());
                }
                continue;
            }
            let Some(ch) = self.peek() else {
                return if braced { Err("unclosed action".into()) } else { Ok(nodes) };
            };
            match ch {
                '}' if braced => {
                    self.at += 1;
                    return Ok(nodes);
                }
                '\r' | '\n' => return Err("unclosed action".into()),
                ' ' | '@' | '$' => self.at += 1,
                '[' => self.array(&mut nodes)?,
                '"' | '\'' => nodes.push(Node::Literal(self.quoted(ch)?.into())),
                '.' => {
                    self.at += 1;
                    nodes.push(self.field());
                }
                '+' | '-' | '0'..='9' => nodes.push(self.number()?),
                ch if ch == '_' || ch.is_alphanumeric() => nodes.push(self.word()),
                ch => return Err(format!("unrecognized character in action: U+{:04X} '{ch}'", u32::from(ch))),
            }
        }
    }

    fn word(&mut self) -> Node {
        let word: String = self.text[self.at..].chars().take_while(|&it| !is_terminator(it)).collect();
        self.at += word.len();
        match &*word {
            "true" | "false" => Node::Literal((word == "true").into()),
            _ => Node::Word(word),
        }
    }

    fn field(&mut self) -> Node {
        let mut name = String::new();
        while let Some(ch) = self.peek() {
            if ch == '\\' {
                self.at += 1;
                if let Some(escaped) = self.peek() {
                    name.push(escaped);
                    self.at += escaped.len_utf8();
                }
                continue;
            }
            if is_terminator(ch) {
                break;
            }
            name.push(ch);
            self.at += ch.len_utf8();
        }
        if name == "*" { Node::Wildcard } else { Node::Field(name) }
    }

    fn number(&mut self) -> Fallible<Node> {
        let rest = &self.text[self.at..];
        let n_sign = usize::from(rest.starts_with(['+', '-']));
        let n_digits = rest[n_sign..].find(|it: char| it != '.' && !it.is_ascii_digit()).unwrap_or(rest.len() - n_sign);
        let text = &rest[..n_sign + n_digits];
        self.at += text.len();
        match text.parse::<i64>() {
            Ok(it) => Ok(Node::Literal(it.into())),
            Err(_) if text.bytes().filter(|&it| it == b'.').count() == 1 && n_digits > 1 => {
                Ok(Node::Literal(Value::Decimal(text.into())))
            }
            Err(_) => Err(format!("cannot parse number {text}")),
        }
    }

    fn quoted(&mut self, quote: char) -> Fallible<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let Some(ch) = self.peek().filter(|&it| it != '\n') else {
                return Err("unterminated quoted string".into());
            };
            self.at += ch.len_utf8();
            match ch {
                ch if ch == quote => return Ok(out),
                '\\' => {
                    let Some(escaped) = self.peek() else { return Err("unterminated quoted string".into()) };
                    self.at += escaped.len_utf8();
                    out.push(match escaped {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        other => other,
                    });
                }
                ch => out.push(ch),
            }
        }
    }

    fn nested(&self, text: &str) -> Fallible<Vec<Node>> {
        if self.depth >= DEPTH_MAX {
            return Err("too many nested filters".into());
        }
        Parser { text, at: 0, depth: self.depth + 1 }.action(false)
    }

    fn array(&mut self, nodes: &mut Vec<Node>) -> Fallible<()> {
        let rest = &self.text[self.at + 1..];
        let Some(end) = rest.find([']', '\n']).filter(|&it| rest[it..].starts_with(']')) else {
            return Err("unterminated array".into());
        };
        let inner = &rest[..end];
        self.at += end + 2;
        if inner.contains(',') {
            let parts = inner.split(',').map(|it| self.nested(&format!("[{}]", it.trim_matches(' '))));
            nodes.push(Node::Union(parts.collect::<Fallible<_>>()?));
            return Ok(());
        }
        if let Some(key) = inner.strip_prefix('\'').and_then(|it| it.strip_suffix('\'')) {
            nodes.extend(self.nested(&format!(".{key}"))?);
            return Ok(());
        }
        nodes.push(slice(if inner == "*" { ":" } else { inner })?);
        Ok(())
    }

    fn filter(&mut self) -> Fallible<Node> {
        let start = self.at;
        let mut quote = None;
        loop {
            let Some(ch) = self.peek().filter(|&it| it != '\n') else { return Err("unterminated filter".into()) };
            self.at += ch.len_utf8();
            match (quote, ch) {
                (None, ')') => break,
                (None, '"' | '\'') => quote = Some(ch),
                (Some(open), ch) if ch == open => quote = None,
                _ => {}
            }
        }
        let inner = &self.text[start..self.at - 1];
        if !self.eat("]") {
            return Err("unclosed array expect ]".into());
        }
        let is_operator = |it: char| matches!(it, '!' | '<' | '>' | '=');
        let found = inner.find(is_operator).filter(|&it| it > 0).and_then(|begin| {
            let n_operator = inner[begin..].find(|it| !is_operator(it))?;
            Some((&inner[..begin], &inner[begin..begin + n_operator], &inner[begin + n_operator..]))
        });
        Ok(match found {
            Some((left, operator, right)) => {
                Node::Filter { left: self.nested(left)?, operator: operator.to_owned(), right: self.nested(right)? }
            }
            None => Node::Filter { left: self.nested(inner)?, operator: "exists".into(), right: Vec::new() },
        })
    }
}

fn slice(text: &str) -> Fallible<Node> {
    let invalid = || format!("invalid array index {text}");
    let number = |part: &str| match part {
        "" => Ok(None),
        part => part.parse::<i64>().map(Some).map_err(|_| invalid()),
    };
    let parts: Vec<&str> = text.split(':').collect();
    let from = number(parts[0])?;
    Ok(match parts[..] {
        [_] => Node::Slice { from: Some(from.ok_or_else(invalid)?), to: To::Next, step: None },
        [_, to] => Node::Slice { from, to: number(to)?.map_or(To::Open, To::Index), step: None },
        [_, to, step] => Node::Slice { from, to: number(to)?.map_or(To::Open, To::Index), step: number(step)? },
        _ => return Err(invalid()),
    })
}

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
        To::Next => begin + 1,
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
