//! Go templates, as far as kubectl's users write them: `{{range .items}}{{.metadata.name}}{{"\n"}}{{end}}`.

use std::cmp::Ordering;

use value::{Value, json};

use crate::go;

/// How deep blocks and parentheses may nest.
const DEPTH_MAX: u32 = 50;

type Fallible<T> = Result<T, String>;

/// A parsed template.
pub(crate) struct Template {
    nodes: Vec<Node>,
}

enum Node {
    Text(String),
    Print(Pipe),
    Set { name: String, pipe: Pipe },
    If { pipe: Pipe, then: Vec<Node>, otherwise: Vec<Node> },
    With { pipe: Pipe, then: Vec<Node>, otherwise: Vec<Node> },
    Range { names: Vec<String>, pipe: Pipe, body: Vec<Node>, otherwise: Vec<Node> },
}

/// Commands, each of which gets what the one before gave.
type Pipe = Vec<Vec<Operand>>;

enum Operand {
    Literal(Value),
    /// `$x.a.b`, `.a.b`, `(pipe).a`
    Path {
        base: Base,
        fields: Vec<String>,
    },
    Function(String),
}

enum Base {
    Dot,
    Variable(String),
    Pipe(Pipe),
}

/// Parses a template.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(text: &str) -> Fallible<Template> {
    let mut parser = Parser { pieces: pieces(text)?, at: 0, depth: 0 };
    let (nodes, end) = parser.block()?;
    match end.as_deref() {
        None => Ok(Template { nodes }),
        Some(word) => Err(format!("template: output:1: unexpected {{{{{word}}}}}")),
    }
}

enum Piece {
    Text(String),
    Action(Vec<Token>),
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    /// `.a.b`, `$x`, a number, a word.
    Word(String),
    Quoted(String),
    Sign(char),
    Define,
}

/// Cuts a template at its actions; `{{-` and `-}}` take the space around them.
fn pieces(text: &str) -> Fallible<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut trim = false;
    while let Some(begin) = rest.find("{{") {
        let mut before = &rest[..begin];
        let mut inner = &rest[begin + 2..];
        if trim {
            before = before.trim_start();
        }
        if let Some(it) = inner.strip_prefix("- ") {
            before = before.trim_end();
            inner = it;
        }
        pieces.push(Piece::Text(before.to_owned()));
        let end = action_end(inner).ok_or("template: output:1: unclosed action")?;
        let action = &inner[..end];
        rest = &inner[end + 2..];
        let (action, trimmed) = match action.strip_suffix("-") {
            Some(it) if it.ends_with(char::is_whitespace) => (it, true),
            _ => (action, false),
        };
        trim = trimmed;
        if !action.trim_start().starts_with("/*") {
            pieces.push(Piece::Action(tokens(action)?));
        }
    }
    pieces.push(Piece::Text(if trim { rest.trim_start() } else { rest }.to_owned()));
    Ok(pieces)
}

/// Where the braces close that are not in a string.
fn action_end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (idx, ch) in text.char_indices() {
        match (quote, ch) {
            _ if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), ch) if ch == open => quote = None,
            (None, '"' | '`') => quote = Some(ch),
            (None, '}') if text[idx..].starts_with("}}") => return Some(idx),
            _ => {}
        }
    }
    None
}

fn tokens(text: &str) -> Fallible<Vec<Token>> {
    let mut res = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((idx, ch)) = chars.next() {
        match ch {
            ch if ch.is_whitespace() => {}
            '"' | '`' => {
                let mut out = String::new();
                loop {
                    match chars.next() {
                        None => return Err("template: output:1: unterminated quoted string".into()),
                        Some((_, it)) if it == ch => break,
                        Some((_, '\\')) if ch == '"' => match chars.next().map(|(_, it)| it) {
                            Some('n') => out.push('\n'),
                            Some('t') => out.push('\t'),
                            Some('r') => out.push('\r'),
                            Some(it) => out.push(it),
                            None => return Err("template: output:1: unterminated quoted string".into()),
                        },
                        Some((_, it)) => out.push(it),
                    }
                }
                res.push(Token::Quoted(out));
            }
            '(' | ')' | '|' | ',' | '=' => {
                // `(a).b` goes on with the fields of what is in parentheses.
                res.push(Token::Sign(ch));
            }
            ':' if text[idx..].starts_with(":=") => {
                chars.next();
                res.push(Token::Define);
            }
            _ => {
                let mut word = String::from(ch);
                while let Some((_, it)) = chars.peek() {
                    if it.is_whitespace() || matches!(it, '(' | ')' | '|' | ',' | '"' | '`' | ':' | '=') {
                        break;
                    }
                    word.push(*it);
                    chars.next();
                }
                res.push(Token::Word(word));
            }
        }
    }
    Ok(res)
}

struct Parser {
    pieces: Vec<Piece>,
    at: usize,
    depth: u32,
}

impl Parser {
    /// Nodes up to `end` or `else`, and which it was (with what follows the `else`).
    fn block(&mut self) -> Fallible<(Vec<Node>, Option<String>)> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("template: output:1: too many nested blocks".into());
        }
        let mut nodes = Vec::new();
        while self.at < self.pieces.len() {
            self.at += 1;
            let tokens = match &self.pieces[self.at - 1] {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text.clone()));
                    continue;
                }
                Piece::Action(tokens) => tokens.clone(),
            };
            let word = match tokens.first() {
                Some(Token::Word(word)) => word.as_str(),
                Some(_) => "",
                None => return Err("template: output:1: missing value for command".into()),
            };
            match word {
                "end" | "else" => {
                    self.depth -= 1;
                    return Ok((nodes, Some(word.to_owned())));
                }
                "if" | "with" | "range" => nodes.push(self.control(word, &tokens[1..])?),
                _ => nodes.push(plain(&tokens)?),
            }
        }
        self.depth -= 1;
        Ok((nodes, None))
    }

    fn control(&mut self, word: &str, tokens: &[Token]) -> Fallible<Node> {
        let (names, rest) = variables(tokens);
        let pipe = pipe(rest)?;
        let (body, end) = self.block()?;
        let mut otherwise = Vec::new();
        match end.as_deref() {
            None => return Err("template: output:1: unexpected EOF".into()),
            Some("else") => {
                let chained = match &self.pieces[self.at - 1] {
                    Piece::Action(tokens) => tokens[1..].to_vec(),
                    Piece::Text(_) => Vec::new(),
                };
                if let Some((Token::Word(inner), rest)) = chained.split_first() {
                    otherwise = vec![self.control(&inner.clone(), rest)?];
                } else {
                    let (nodes, end) = self.block()?;
                    if end.as_deref() != Some("end") {
                        return Err("template: output:1: unexpected EOF".into());
                    }
                    otherwise = nodes;
                }
            }
            Some(_) => {}
        }
        Ok(match word {
            "if" => Node::If { pipe, then: body, otherwise },
            "with" => Node::With { pipe, then: body, otherwise },
            _ => Node::Range { names, pipe, body, otherwise },
        })
    }
}

/// The variables before a `:=`, and what is after it.
fn variables(tokens: &[Token]) -> (Vec<String>, &[Token]) {
    let Some(at) = tokens.iter().position(|it| *it == Token::Define) else { return (Vec::new(), tokens) };
    let names = tokens[..at].iter().filter_map(|it| match it {
        Token::Word(word) => Some(word.clone()),
        _ => None,
    });
    (names.collect(), &tokens[at + 1..])
}

fn plain(tokens: &[Token]) -> Fallible<Node> {
    let (mut names, rest) = variables(tokens);
    if let Some(name) = names.pop() {
        return Ok(Node::Set { name, pipe: pipe(rest)? });
    }
    if let [Token::Word(name), Token::Sign('='), rest @ ..] = tokens {
        return Ok(Node::Set { name: name.clone(), pipe: pipe(rest)? });
    }
    Ok(Node::Print(pipe(tokens)?))
}

fn pipe(tokens: &[Token]) -> Fallible<Pipe> {
    let mut at = 0;
    let pipe = commands(tokens, &mut at, 0)?;
    if at < tokens.len() {
        return Err("template: output:1: unexpected right paren".into());
    }
    Ok(pipe)
}

fn commands(tokens: &[Token], at: &mut usize, depth: u32) -> Fallible<Pipe> {
    if depth > DEPTH_MAX {
        return Err("template: output:1: too many nested parentheses".into());
    }
    let mut pipe: Pipe = vec![Vec::new()];
    while let Some(token) = tokens.get(*at) {
        let operand = match token {
            Token::Sign(')') => break,
            Token::Sign('|') => {
                *at += 1;
                pipe.push(Vec::new());
                continue;
            }
            Token::Sign('(') => {
                *at += 1;
                let inner = commands(tokens, at, depth + 1)?;
                if tokens.get(*at) != Some(&Token::Sign(')')) {
                    return Err("template: output:1: unclosed left paren".into());
                }
                let fields = match tokens.get(*at + 1) {
                    Some(Token::Word(word)) if word.starts_with('.') && word.len() > 1 => {
                        *at += 1;
                        fields(word)
                    }
                    _ => Vec::new(),
                };
                Operand::Path { base: Base::Pipe(inner), fields }
            }
            Token::Quoted(text) => Operand::Literal(text.as_str().into()),
            Token::Word(word) => operand(word),
            Token::Sign(ch) => return Err(format!("template: output:1: unexpected {ch:?} in operand")),
            Token::Define => return Err("template: output:1: unexpected \":=\" in operand".into()),
        };
        *at += 1;
        if let Some(command) = pipe.last_mut() {
            command.push(operand);
        }
    }
    if pipe.iter().any(Vec::is_empty) {
        return Err("template: output:1: missing value for command".into());
    }
    Ok(pipe)
}

fn fields(word: &str) -> Vec<String> {
    word.split('.').filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

fn operand(word: &str) -> Operand {
    if word.starts_with('.') {
        return Operand::Path { base: Base::Dot, fields: fields(word) };
    }
    if word.starts_with('$') {
        let (name, rest) = word.split_once('.').unwrap_or((word, ""));
        return Operand::Path { base: Base::Variable(name.to_owned()), fields: fields(rest) };
    }
    match word {
        "true" | "false" => Operand::Literal((word == "true").into()),
        "nil" => Operand::Literal(Value::Null),
        _ => match json::parse(word.as_bytes()) {
            Ok(number @ (Value::Int(_) | Value::Decimal(_))) => Operand::Literal(number),
            _ => Operand::Function(word.to_owned()),
        },
    }
}

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

fn decode(text: &str) -> Fallible<String> {
    let (mut bits, mut n_bits, mut bytes) = (0u32, 0, Vec::new());
    for byte in text.bytes().filter(|&it| it != b'=' && it != b'\n') {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err("error calling base64decode: illegal base64 data".into()),
        };
        bits = bits << 6 | u32::from(six);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push((bits >> n_bits & 0xff) as u8);
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
