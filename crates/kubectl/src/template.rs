//! Go templates, as far as kubectl's users write them: `{{range .items}}{{.metadata.name}}{{"\n"}}{{end}}`.

mod execute;

use value::{Value, json};

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
