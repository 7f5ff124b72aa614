//! The order in which strict reading meets what it minds: that of the text.

use std::collections::BTreeMap;

use meta::quoted;

/// Of many problems this many are told (`maxStrictErrors`).
const PROBLEMS_MAX: usize = 100;

/// What strict reading says of a JSON text: keys that come again and fields that are not known, as they are met.
/// What is inside of an unknown field is not looked at.
pub(super) fn in_order(text: &[u8], duplicates: &[String], unknown: &[String]) -> Vec<String> {
    let mut wanted: BTreeMap<&str, Kind> = duplicates.iter().map(|it| (it.as_str(), Kind::Known(0))).collect();
    wanted.extend(unknown.iter().map(|it| (it.as_str(), Kind::Unknown)));
    let mut scanner = Scanner { text, at: 0, path: String::new(), wanted, problems: Vec::new() };
    scanner.value();
    scanner.problems.truncate(PROBLEMS_MAX);
    scanner.problems
}

#[derive(Clone, Copy)]
enum Kind {
    /// Met so many times.
    Known(u32),
    Unknown,
    /// Told already.
    Told,
}

/// Walks a text that is JSON: it was parsed before.
struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    path: String,
    wanted: BTreeMap<&'a str, Kind>,
    problems: Vec<String>,
}

impl Scanner<'_> {
    fn value(&mut self) {
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.list(),
            Some(b'"') => {
                self.string();
            }
            _ => {
                let rest = self.text.get(self.at..).unwrap_or_default();
                let is_end = |it: &u8| matches!(it, b',' | b'}' | b']') || it.is_ascii_whitespace();
                self.at += rest.iter().position(is_end).unwrap_or(rest.len());
            }
        }
    }

    fn object(&mut self) {
        self.at += 1;
        while let Some(b'"') = self.peek() {
            let key = self.string();
            let len = self.path.len();
            if len > 0 {
                self.path.push('.');
            }
            self.path.push_str(&key);
            self.peek();
            // The colon.
            self.at += 1;
            if self.meet() {
                self.value();
            } else {
                let wanted = std::mem::take(&mut self.wanted);
                self.value();
                self.wanted = wanted;
            }
            self.path.truncate(len);
            if self.peek() == Some(b',') {
                self.at += 1;
            }
            self.peek();
        }
        self.at += 1;
    }

    fn list(&mut self) {
        self.at += 1;
        let mut idx = 0_usize;
        while self.peek().is_some_and(|it| it != b']') {
            let len = self.path.len();
            self.path.push_str(&format!("[{idx}]"));
            self.value();
            self.path.truncate(len);
            idx += 1;
            if self.peek() == Some(b',') {
                self.at += 1;
            }
        }
        self.at += 1;
    }

    /// Tells what there is to tell of the key at the present path; answers whether its value may be looked at.
    fn meet(&mut self) -> bool {
        let path = quoted(&self.path);
        let Some(kind) = self.wanted.get_mut(self.path.as_str()) else { return true };
        match kind {
            Kind::Known(0) => *kind = Kind::Known(1),
            Kind::Known(_) => {
                *kind = Kind::Told;
                self.problems.push(format!("duplicate field {path}"));
            }
            Kind::Unknown => {
                self.problems.push(format!("unknown field {path}"));
                *kind = Kind::Told;
                return false;
            }
            Kind::Told => (),
        }
        true
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    /// The text of a string, which begins here.
    fn string(&mut self) -> String {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.text.get(self.at) {
            self.at += if *byte == b'\\' { 2 } else { 1 };
            if *byte == b'"' {
                break;
            }
        }
        let bytes = self.text.get(start..self.at).unwrap_or_default();
        let parsed = value::json::parse(bytes).ok();
        parsed.and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
    }
}
