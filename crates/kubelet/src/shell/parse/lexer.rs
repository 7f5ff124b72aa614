//! From text to tokens.

use super::{DEPTH_MAX, Part, RedirectKind, Word, parse_at};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token {
    Word(Word),
    /// `;`, `&&`, a new line and the like.
    Operator(&'static str),
    Redirect {
        descriptor: u8,
        kind: RedirectKind,
    },
}

/// Operators, longest first.
const OPERATORS: [&str; 10] = ["&&", "||", ";;", "\n", ";", "&", "|", "(", ")", "\0"];

/// The tokens of a script at a depth of nesting; `None` where they are not understood.
pub(super) fn tokens(text: &str, depth: u32) -> Option<Vec<Token>> {
    let mut lexer = Lexer { rest: text, depth, tokens: Vec::new() };
    lexer.tokens()?;
    Some(lexer.tokens)
}

/// Cuts a script into tokens; what is in brackets is parsed at once.
struct Lexer<'a> {
    rest: &'a str,
    depth: u32,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn tokens(&mut self) -> Option<()> {
        loop {
            while self.eat(" ") || self.eat("\t") || self.eat("\r") || self.eat("\\\n") {}
            if self.rest.starts_with('#') {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.rest = &self.rest[end..];
            }
            if self.rest.is_empty() {
                return Some(());
            }
            if let Some(token) = self.redirect() {
                self.tokens.push(token);
            } else if let Some(operator) = OPERATORS.into_iter().find(|it| self.eat(it)) {
                self.tokens.push(Token::Operator(operator));
            } else {
                let word = self.word()?;
                self.tokens.push(Token::Word(word));
            }
        }
    }

    fn redirect(&mut self) -> Option<Token> {
        let (digit, text) = match self.rest.as_bytes() {
            [digit @ b'0'..=b'9', b'<' | b'>', ..] => (Some(digit - b'0'), &self.rest[1..]),
            _ => (None, self.rest),
        };
        let kinds = [
            (">&", RedirectKind::Duplicate, 1),
            ("&>", RedirectKind::Write, 1),
            (">>", RedirectKind::Append, 1),
            (">", RedirectKind::Write, 1),
            ("<", RedirectKind::Read, 0),
        ];
        let (sign, kind, default) = kinds.into_iter().find(|(sign, ..)| text.starts_with(sign))?;
        self.rest = &text[sign.len()..];
        Some(Token::Redirect { descriptor: digit.unwrap_or(default), kind })
    }

    fn word(&mut self) -> Option<Word> {
        let mut parts = Vec::new();
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                '\'' => {
                    self.take();
                    let end = self.rest.find('\'')?;
                    parts.push(Part::Text { text: self.rest[..end].to_owned(), quoted: true });
                    self.rest = &self.rest[end + 1..];
                }
                '"' => {
                    self.take();
                    self.double_quoted(&mut parts)?;
                }
                '\\' => {
                    self.take();
                    let text = self.take().filter(|it| *it != '\n').map(String::from).unwrap_or_default();
                    parts.push(Part::Text { text, quoted: true });
                }
                '$' | '`' => parts.push(self.expansion(false)?),
                c => {
                    self.take();
                    push_text(&mut parts, c, false);
                }
            }
        }
        Some(Word(parts))
    }

    fn double_quoted(&mut self, parts: &mut Vec<Part>) -> Option<()> {
        // Even an empty pair of quotes makes a word.
        parts.push(Part::Text { text: String::new(), quoted: true });
        loop {
            match self.peek()? {
                '"' => {
                    self.take();
                    return Some(());
                }
                '\\' => {
                    self.take();
                    let c = self.take()?;
                    if !matches!(c, '"' | '\\' | '$' | '`' | '\n') {
                        push_text(parts, '\\', true);
                    }
                    if c != '\n' {
                        push_text(parts, c, true);
                    }
                }
                '$' | '`' => parts.push(self.expansion(true)?),
                c => {
                    self.take();
                    push_text(parts, c, true);
                }
            }
        }
    }

    /// What begins with `$` or a back quote.
    fn expansion(&mut self, quoted: bool) -> Option<Part> {
        if self.eat("`") {
            let end = self.rest.find('`')?;
            let node = Box::new(parse_at(&self.rest[..end], self.depth + 1)?);
            self.rest = &self.rest[end + 1..];
            return Some(Part::Command { node, quoted });
        }
        self.take();
        if self.eat("((") {
            let end = closing(self.rest, 2)?;
            let inner = self.inner_word(&self.rest[..end - 1])?;
            self.rest = &self.rest[end + 1..];
            return Some(Part::Arithmetic(inner));
        }
        if self.eat("(") {
            let end = closing(self.rest, 1)?;
            let node = Box::new(parse_at(&self.rest[..end], self.depth + 1)?);
            self.rest = &self.rest[end + 1..];
            return Some(Part::Command { node, quoted });
        }
        if self.eat("{") {
            let end = self.rest.find('}')?;
            let inner = self.rest[..end].to_owned();
            self.rest = &self.rest[end + 1..];
            let split = inner.find([':', '-', '=', '+', '?', '%', '#']).filter(|it| *it > 0).unwrap_or(inner.len());
            let (name, rest) = inner.split_at(split);
            let length = if rest.starts_with(':') || rest.starts_with("##") || rest.starts_with("%%") { 2 } else { 1 };
            let (operator, other) = rest.split_at(length.min(rest.len()));
            let other = self.inner_word(other)?;
            return Some(Part::Variable { name: name.to_owned(), operator: operator.to_owned(), other, quoted });
        }
        let special = self.peek().filter(|it| matches!(it, '?' | '#' | '@' | '*' | '$' | '!' | '0'..='9'));
        let name = match special {
            Some(c) => {
                self.take();
                c.to_string()
            }
            None => {
                let end = self.rest.find(|it: char| !is_name(it)).unwrap_or(self.rest.len());
                let name = self.rest[..end].to_owned();
                self.rest = &self.rest[end..];
                name
            }
        };
        if name.is_empty() {
            return Some(Part::Text { text: "$".to_owned(), quoted });
        }
        Some(Part::Variable { name, operator: String::new(), other: Word::default(), quoted })
    }

    /// A text in which only expansions count.
    fn inner_word(&self, text: &str) -> Option<Word> {
        if self.depth > DEPTH_MAX {
            return None;
        }
        let mut lexer = Lexer { rest: text, depth: self.depth + 1, tokens: Vec::new() };
        let mut parts = Vec::new();
        while let Some(c) = lexer.peek() {
            match c {
                '$' | '`' => parts.push(lexer.expansion(true)?),
                '"' | '\'' => {
                    lexer.take();
                }
                c => {
                    lexer.take();
                    push_text(&mut parts, c, true);
                }
            }
        }
        Some(Word(parts))
    }
}

fn push_text(parts: &mut Vec<Part>, c: char, is_quoted: bool) {
    if let Some(Part::Text { text, quoted }) = parts.last_mut()
        && *quoted == is_quoted
    {
        text.push(c);
        return;
    }
    parts.push(Part::Text { text: c.to_string(), quoted: is_quoted });
}

pub(super) fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Where the `n`-th bracket too many closes; quotes are respected.
fn closing(text: &str, n: i32) -> Option<usize> {
    let mut open = n;
    let mut quote = None;
    for (idx, c) in text.char_indices() {
        match (quote, c) {
            (Some(it), c) if it == c => quote = None,
            (Some(_), _) => (),
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => open += 1,
            (None, ')') => {
                open -= 1;
                if open == 0 {
                    return Some(idx);
                }
            }
            _ => (),
        }
    }
    None
}
