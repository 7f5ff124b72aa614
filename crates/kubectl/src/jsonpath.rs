//! Templates such as `{range .items[*]}{.metadata.name}{"\n"}{end}` (`k8s.io/client-go/util/jsonpath`).

mod find;

use value::Value;

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
