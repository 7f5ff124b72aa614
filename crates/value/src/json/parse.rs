//! Reading, with the error texts of Go's `encoding/json`.

use std::fmt;

use crate::{List, Map, Str, Value};

/// How deep values may nest; Go's limit is 10,000, which a wasm stack would not bear.
const DEPTH_MAX: u32 = 500;

/// Why a text is no JSON, in the words of Go's `encoding/json`, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// Such as `invalid character '}' looking for beginning of value`.
    pub message: String,
    /// Bytes before the error.
    pub offset: usize,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A value and the keys that its text had more than once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    pub value: Value,
    /// Paths such as `spec.containers[0].name`, in the order they were met.
    pub duplicates: Vec<String>,
}

/// Reads one JSON value that fills `text`.
pub fn parse(text: &[u8]) -> Result<Value, Error> {
    parse_strict(text).map(|it| it.value)
}

/// Reads one JSON value that fills `text`, and lists duplicate keys (the last one wins).
pub fn parse_strict(text: &[u8]) -> Result<Parsed, Error> {
    let mut parser = Parser { text, at: 0, duplicates: Vec::new(), path: Vec::new() };
    let value = parser.value(0)?;
    parser.space();
    if parser.at < text.len() {
        return Err(parser.unexpected("after top-level value"));
    }
    Ok(Parsed { value, duplicates: parser.duplicates })
}

enum Step {
    Key(Str),
    Item(usize),
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    duplicates: Vec<String>,
    /// Where the parser is, for naming duplicates.
    path: Vec<Step>,
}

impl Parser<'_> {
    fn space(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn error(&self, message: String) -> Error {
        Error { message, offset: self.at }
    }

    fn unexpected(&self, context: &str) -> Error {
        let Some(&byte) = self.text.get(self.at) else {
            return self.error("unexpected end of JSON input".into());
        };
        let shown = match byte {
            b'\'' => "'\\''".to_owned(),
            b'"' => "'\"'".to_owned(),
            b'\\' => "'\\\\'".to_owned(),
            b'\n' => "'\\n'".to_owned(),
            b'\r' => "'\\r'".to_owned(),
            b'\t' => "'\\t'".to_owned(),
            0..=0x1f | 0x7f => format!("'\\x{byte:02x}'"),
            0x80.. => format!("'{}'", char::from(byte)),
            _ => format!("'{}'", char::from(byte)),
        };
        self.error(format!("invalid character {shown} {context}"))
    }

    fn value(&mut self, depth: u32) -> Result<Value, Error> {
        if depth > DEPTH_MAX {
            return Err(self.error("exceeded max depth".into()));
        }
        self.space();
        match self.text.get(self.at) {
            Some(b'{') => self.map(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Value::Str),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Error> {
        for (idx, expected) in word.char_indices() {
            if idx > 0 && self.text.get(self.at) != Some(&(expected as u8)) {
                return Err(self.unexpected(&format!("in literal {word} (expecting '{expected}')")));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn map(&mut self, depth: u32) -> Result<Value, Error> {
        self.at += 1;
        let mut entries: Vec<(Str, Value)> = Vec::new();
        self.space();
        if self.text.get(self.at) == Some(&b'}') {
            self.at += 1;
            return Ok(Value::Map(Map::new()));
        }
        loop {
            self.space();
            if self.text.get(self.at) != Some(&b'"') {
                return Err(self.unexpected("looking for beginning of object key string"));
            }
            let key = self.string()?;
            self.space();
            if self.text.get(self.at) != Some(&b':') {
                return Err(self.unexpected("after object key"));
            }
            self.at += 1;
            if entries.iter().any(|(have, _)| *have == key) {
                let path = self.path_to(&key);
                if !self.duplicates.contains(&path) {
                    self.duplicates.push(path);
                }
            }
            self.path.push(Step::Key(key.clone()));
            let value = self.value(depth + 1)?;
            self.path.pop();
            entries.push((key, value));
            self.space();
            match self.text.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Map(entries.into()));
                }
                _ => return Err(self.unexpected("after object key:value pair")),
            }
        }
    }

    fn list(&mut self, depth: u32) -> Result<Value, Error> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.text.get(self.at) == Some(&b']') {
            self.at += 1;
            return Ok(Value::List(List::default()));
        }
        loop {
            self.path.push(Step::Item(items.len()));
            items.push(self.value(depth + 1)?);
            self.path.pop();
            self.space();
            match self.text.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::List(items.into()));
                }
                _ => return Err(self.unexpected("after array element")),
            }
        }
    }

    fn path_to(&self, key: &str) -> String {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Key(key) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(key);
                }
                Step::Item(idx) => path.push_str(&format!("[{idx}]")),
            }
        }
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key);
        path
    }

    fn number(&mut self) -> Result<Value, Error> {
        let start = self.at;
        if self.text.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        match self.text.get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.unexpected("in numeric literal")),
        }
        let mut whole = true;
        if self.text.get(self.at) == Some(&b'.') {
            whole = false;
            self.at += 1;
            if !matches!(self.text.get(self.at), Some(b'0'..=b'9')) {
                return Err(self.unexpected("after decimal point in numeric literal"));
            }
            self.digits();
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            whole = false;
            self.at += 1;
            if matches!(self.text.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !matches!(self.text.get(self.at), Some(b'0'..=b'9')) {
                return Err(self.unexpected("in exponent of numeric literal"));
            }
            self.digits();
        }
        let text = String::from_utf8_lossy(&self.text[start..self.at]);
        Ok(match text.parse() {
            Ok(it) if whole => Value::Int(it),
            _ => Value::Decimal(Str::from(&*text)),
        })
    }

    fn digits(&mut self) {
        while matches!(self.text.get(self.at), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Result<Str, Error> {
        self.at += 1;
        let start = self.at;
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'"' => {
                    let text = String::from_utf8_lossy(&self.text[start..self.at]);
                    self.at += 1;
                    return Ok(Str::from(&*text));
                }
                b'\\' | 0..=0x1f => return self.escaped_string(start),
                _ => self.at += 1,
            }
        }
        Err(self.error("unexpected end of JSON input".into()))
    }

    fn escaped_string(&mut self, start: usize) -> Result<Str, Error> {
        let mut out = self.text[start..self.at].to_vec();
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'"' => {
                    self.at += 1;
                    return Ok(Str::from(&*String::from_utf8_lossy(&out)));
                }
                0..=0x1f => return Err(self.unexpected("in string literal")),
                b'\\' => {
                    self.at += 1;
                    self.escape(&mut out)?;
                }
                _ => {
                    out.push(byte);
                    self.at += 1;
                }
            }
        }
        Err(self.error("unexpected end of JSON input".into()))
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let plain = match self.text.get(self.at) {
            Some(b'"') => b'"',
            Some(b'\\') => b'\\',
            Some(b'/') => b'/',
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                self.at += 1;
                let unit = self.hex4()?;
                let mut code = char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
                if (0xd800..0xdc00).contains(&unit) && self.text.get(self.at..self.at + 2) == Some(b"\\u") {
                    let before = self.at;
                    self.at += 2;
                    let low = self.hex4()?;
                    if (0xdc00..0xe000).contains(&low) {
                        let joined = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                        code = char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER);
                    } else {
                        self.at = before;
                    }
                }
                out.extend_from_slice(code.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(self.unexpected("in string escape code")),
        };
        out.push(plain);
        self.at += 1;
        Ok(())
    }

    fn hex4(&mut self) -> Result<u32, Error> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.text.get(self.at).and_then(|&it| char::from(it).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.unexpected("in \\u hexadecimal character escape"));
            };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }
}
