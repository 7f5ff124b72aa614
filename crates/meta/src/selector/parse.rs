//! Label selectors as text: `app in (web, api), tier != cache, !old` (`labels.Parse` of apimachinery).

use value::Str;

use super::{LabelSelector, Operator, Requirement};
use crate::errors::{FieldError, Problem};
use crate::names;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Token {
    Word,
    In,
    NotIn,
    Not,
    Equals,
    NotEquals,
    Greater,
    Less,
    Comma,
    Open,
    Close,
    Error,
    End,
}

/// What may follow a key, as the error names it.
const OPERATORS: &str = "in, notin, =, ==, !=, gt, lt";

impl LabelSelector {
    /// Reads a selector; the error is upstream's text.
    ///
    /// # Errors
    /// What is wrong, such as `found ',', expected: !, identifier, or 'end of string'`.
    pub fn parse(text: &str) -> Result<LabelSelector, String> {
        let mut parser = Parser { tokens: tokens(text), at: 0 };
        let mut requirements: Vec<Requirement> = Vec::new();
        loop {
            let (token, lit) = parser.peek();
            match token {
                Token::Word | Token::Not => {
                    requirements.push(parser.requirement().map_err(|it| format!("unable to parse requirement: {it}"))?);
                    let (token, lit) = parser.next();
                    match token {
                        Token::End => break,
                        Token::Comma => {
                            let (token, lit) = parser.peek();
                            if !matches!(token, Token::Word | Token::Not) {
                                return Err(format!("found '{lit}', expected: identifier after ','"));
                            }
                        }
                        _ => return Err(format!("found '{lit}', expected: ',' or 'end of string'")),
                    }
                }
                Token::End => break,
                _ => return Err(format!("found '{lit}', expected: !, identifier, or 'end of string'")),
            }
        }
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(LabelSelector { requirements, nothing: false })
    }
}

fn is_special(c: u8) -> bool {
    matches!(c, b'=' | b'!' | b'(' | b')' | b',' | b'>' | b'<')
}

fn is_space(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\r' | b'\n')
}

fn symbol(text: &str) -> Option<Token> {
    Some(match text {
        ")" => Token::Close,
        "," => Token::Comma,
        "!" => Token::Not,
        "==" | "=" => Token::Equals,
        ">" => Token::Greater,
        "<" => Token::Less,
        "!=" => Token::NotEquals,
        "(" => Token::Open,
        _ => return None,
    })
}

fn tokens(text: &str) -> Vec<(Token, String)> {
    // A zero byte ends the text, as it does upstream.
    let bytes = text.split('\0').next().unwrap_or_default().as_bytes();
    let mut res = Vec::new();
    let mut at = 0;
    loop {
        while at < bytes.len() && is_space(bytes[at]) {
            at += 1;
        }
        let start = at;
        if at == bytes.len() {
            res.push((Token::End, String::new()));
            return res;
        }
        if !is_special(bytes[at]) {
            while at < bytes.len() && !is_special(bytes[at]) && !is_space(bytes[at]) {
                at += 1;
            }
            let word = &text[start..at];
            let token = match word {
                "in" => Token::In,
                "notin" => Token::NotIn,
                _ => Token::Word,
            };
            res.push((token, word.to_owned()));
            continue;
        }
        // The longest run of symbols that is known; what follows begins the next token.
        let mut known: Option<(Token, usize)> = None;
        while at < bytes.len() && is_special(bytes[at]) {
            at += 1;
            match symbol(&text[start..at]) {
                Some(token) => known = Some((token, at)),
                None if known.is_some() => {
                    at -= 1;
                    break;
                }
                None => (),
            }
        }
        match known {
            Some((token, end)) => res.push((token, text[start..end].to_owned())),
            None => res.push((Token::Error, format!("error expected: keyword found '{}'", &text[start..at]))),
        }
    }
}

struct Parser {
    /// Ends with `End`.
    tokens: Vec<(Token, String)>,
    at: usize,
}

impl Parser {
    fn item(&self, at: usize) -> (Token, &str) {
        self.tokens.get(at).map_or((Token::End, ""), |(token, lit)| (*token, lit))
    }

    /// The next token where a value may stand: `in` and `notin` are words there.
    fn peek(&self) -> (Token, &str) {
        match self.item(self.at) {
            (Token::In | Token::NotIn, lit) => (Token::Word, lit),
            other => other,
        }
    }

    fn next(&mut self) -> (Token, String) {
        let (token, lit) = self.peek();
        let res = (token, lit.to_owned());
        self.at += 1;
        res
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let (mut token, mut key) = self.next();
        let negated = token == Token::Not;
        if negated {
            (token, key) = self.next();
        }
        if token != Token::Word {
            return Err(format!("found '{key}', expected: identifier"));
        }
        if let Some(error) = bad_key("<nil>", &key) {
            return Err(error.to_string());
        }
        let ends = matches!(self.peek().0, Token::End | Token::Comma);
        if negated || ends {
            let operator = if negated { Operator::DoesNotExist } else { Operator::Exists };
            return Ok(Requirement { key: key.into(), operator, values: Vec::new() });
        }
        let (token, lit) = self.item(self.at);
        let lit = lit.to_owned();
        self.at += 1;
        let operator = match token {
            Token::In | Token::Equals => Operator::In,
            Token::NotIn | Token::NotEquals => Operator::NotIn,
            Token::Greater => Operator::Gt,
            Token::Less => Operator::Lt,
            _ => return Err(format!("found '{lit}', expected: {OPERATORS}")),
        };
        let mut values = if matches!(token, Token::In | Token::NotIn) { self.values()? } else { self.value()? };
        values.sort();
        values.dedup();
        check(&key, operator, &values)?;
        Ok(Requirement { key: key.into(), operator, values: values.into_iter().map(Str::from).collect() })
    }

    fn value(&mut self) -> Result<Vec<String>, String> {
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Ok(vec![String::new()]);
        }
        match self.next() {
            (Token::Word, lit) => Ok(vec![lit]),
            (_, lit) => Err(format!("found '{lit}', expected: identifier")),
        }
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        let (token, lit) = self.next();
        if token != Token::Open {
            return Err(format!("found '{lit}' expected: '('"));
        }
        let (token, lit) = self.peek();
        let first = lit.to_owned();
        match token {
            Token::Word | Token::Comma => {
                let values = self.words()?;
                if self.next().0 != Token::Close {
                    return Err(format!("found '{first}', expected: ')'"));
                }
                Ok(values)
            }
            Token::Close => {
                self.at += 1;
                Ok(vec![String::new()])
            }
            _ => Err(format!("found '{first}', expected: ',', ')' or identifier")),
        }
    }

    fn words(&mut self) -> Result<Vec<String>, String> {
        let mut values: Vec<String> = Vec::new();
        loop {
            match self.next() {
                (Token::Word, lit) => {
                    values.push(lit);
                    match self.peek() {
                        (Token::Comma, _) => (),
                        (Token::Close, _) => return Ok(values),
                        (_, lit) => return Err(format!("found '{lit}', expected: ',' or ')'")),
                    }
                }
                (Token::Comma, _) => {
                    if values.is_empty() {
                        values.push(String::new());
                    }
                    match self.peek().0 {
                        Token::Close => {
                            values.push(String::new());
                            return Ok(values);
                        }
                        Token::Comma => values.push(String::new()),
                        _ => (),
                    }
                }
                (_, lit) => return Err(format!("found '{lit}', expected: ',', or identifier")),
            }
        }
    }
}

fn bad_key(path: &str, key: &str) -> Option<FieldError> {
    let messages = names::qualified_name(key);
    (!messages.is_empty()).then(|| FieldError {
        field: path.to_owned(),
        problem: Problem::Invalid(key.into()),
        detail: messages.join("; "),
    })
}

fn check(key: &str, operator: Operator, values: &[String]) -> Result<(), String> {
    let mut errors: Vec<String> = Vec::new();
    for (idx, value) in values.iter().enumerate() {
        if matches!(operator, Operator::Gt | Operator::Lt) && value.parse::<i64>().is_err() {
            let detail = "for 'Gt', 'Lt' operators, the value must be an integer";
            errors.push(
                FieldError {
                    field: format!("values[{idx}]"),
                    problem: Problem::Invalid(value.as_str().into()),
                    detail: detail.into(),
                }
                .to_string(),
            );
        }
    }
    for (idx, value) in values.iter().enumerate() {
        let messages = names::label_value(value);
        if !messages.is_empty() {
            let field = format!("values[{idx}][{key}]");
            errors.push(
                FieldError { field, problem: Problem::Invalid(value.as_str().into()), detail: messages.join("; ") }
                    .to_string(),
            );
        }
    }
    match errors.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        many => Err(format!("[{}]", many.join(", "))),
    }
}
