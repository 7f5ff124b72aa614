//! Writing, with go-yaml's choice of styles, order of keys and folding of long lines.

use std::cmp::Ordering;
use std::mem;

use super::decimal;
use super::resolve::{self, Scalar};
use crate::{List, Map, Value};

/// Where plain and quoted text is folded.
const WIDTH: usize = 80;

/// The text of `value` as `kubectl -o yaml` prints it, with a line break at its end.
pub fn emit(value: &Value) -> String {
    let mut emitter =
        Emitter { out: String::new(), column: 0, indent: 0, whitespace: true, indention: true, at_root: true };
    emitter.node(value, false);
    emitter.line_break();
    emitter.out
}

/// libyaml's emitter, cut down to what a JSON value needs.
struct Emitter {
    out: String,
    column: usize,
    indent: usize,
    /// Whether the last thing written was a space or nothing.
    whitespace: bool,
    /// Whether only indentation and `-`, `?`, `:` are on the line so far.
    indention: bool,
    /// Whether the outermost node was not yet begun.
    at_root: bool,
}

#[derive(PartialEq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

impl Emitter {
    fn put(&mut self, ch: char) {
        self.out.push(ch);
        self.column += 1;
    }

    fn line_break(&mut self) {
        if self.column > 0 {
            self.out.push('\n');
            self.column = 0;
        }
    }

    fn write_indent(&mut self) {
        let indent = self.indent;
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.out.push('\n');
            self.column = 0;
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.indention = true;
    }

    fn indicator(&mut self, text: &str, need_space: bool, is_space: bool, is_indention: bool) {
        if need_space && !self.whitespace {
            self.put(' ');
        }
        text.chars().for_each(|it| self.put(it));
        self.whitespace = is_space;
        self.indention = self.indention && is_indention;
    }

    fn node(&mut self, value: &Value, in_map: bool) {
        let at_root = mem::replace(&mut self.at_root, false);
        let step = if at_root { 0 } else { 2 };
        match value {
            Value::Map(map) if map.is_empty() => self.indicator("{}", true, false, false),
            Value::List(items) if items.is_empty() => self.indicator("[]", true, false, false),
            Value::Map(map) => {
                let before = self.indent;
                self.indent += step;
                self.map(map);
                self.indent = before;
            }
            Value::List(items) => {
                let step = if in_map && !self.indention { 0 } else { step };
                let before = self.indent;
                self.indent += step;
                self.list(items);
                self.indent = before;
            }
            scalar => {
                let before = self.indent;
                self.indent += 2;
                self.scalar(scalar, false);
                self.indent = before;
            }
        }
    }

    fn list(&mut self, items: &List) {
        for item in items {
            self.write_indent();
            self.indicator("-", true, false, true);
            self.node(item, false);
        }
    }

    fn map(&mut self, map: &Map) {
        let mut entries: Vec<_> = map.iter().collect();
        entries.sort_by(|(a, _), (b, _)| natural(a, b));
        for (key, value) in entries {
            self.write_indent();
            let is_simple = key.len() <= 128 && !key.contains(is_break);
            let key = Value::from(key);
            if is_simple {
                self.scalar(&key, true);
                self.indicator(":", false, false, false);
            } else {
                self.indicator("?", true, false, true);
                self.node(&key, true);
                self.write_indent();
                self.indicator(":", true, false, true);
            }
            self.node(value, true);
        }
    }

    fn scalar(&mut self, value: &Value, is_key: bool) {
        let (text, style) = match value {
            Value::Bool(it) => (String::from(if *it { "true" } else { "false" }), Style::Plain),
            Value::Int(it) => (it.to_string(), Style::Plain),
            Value::Decimal(it) if it.parse::<u64>().is_ok() => (it.to_string(), Style::Plain),
            Value::Decimal(it) => (decimal::parse(it).map_or_else(|| it.to_string(), |it| it.general()), Style::Plain),
            Value::Str(it) => (it.to_string(), style(it, is_key)),
            _ => ("null".into(), Style::Plain),
        };
        match style {
            Style::Plain => {
                if !self.whitespace {
                    self.put(' ');
                }
                self.flowing(&text, is_key, Style::Plain);
            }
            Style::Single => {
                self.indicator("'", true, false, false);
                self.flowing(&text, is_key, Style::Single);
                self.indicator("'", false, false, false);
            }
            Style::Double => {
                self.indicator("\"", true, false, false);
                self.flowing(&text, is_key, Style::Double);
                self.indicator("\"", false, false, false);
            }
            Style::Literal => self.literal(&text),
        }
        if style != Style::Literal {
            self.whitespace = false;
            self.indention = false;
        }
    }

    /// Plain and quoted text, folded at spaces where it is long.
    fn flowing(&mut self, text: &str, is_key: bool, style: Style) {
        let mut after_space = false;
        let mut after_break = false;
        for (idx, ch) in text.char_indices() {
            let next = text[idx + ch.len_utf8()..].chars().next();
            let inside = style == Style::Plain || (idx > 0 && next.is_some());
            if ch == ' ' {
                let fold = !is_key && !after_space && self.column > WIDTH && inside;
                if fold && style == Style::Double {
                    self.write_indent();
                    if next == Some(' ') {
                        self.put('\\');
                    }
                } else if fold && next != Some(' ') {
                    self.write_indent();
                } else {
                    self.put(' ');
                }
                after_space = true;
                continue;
            }
            if style == Style::Single && is_break(ch) {
                if !after_break && ch == '\n' {
                    self.out.push('\n');
                }
                self.out.push(ch);
                self.column = 0;
                self.indention = true;
                after_break = true;
                continue;
            }
            if after_break {
                self.write_indent();
            }
            match style {
                Style::Double if must_escape(ch) => self.escaped(ch),
                Style::Single if ch == '\'' => {
                    self.put('\'');
                    self.put('\'');
                }
                _ => self.put(ch),
            }
            self.indention = false;
            after_space = false;
            after_break = false;
        }
    }

    fn escaped(&mut self, ch: char) {
        self.put('\\');
        let short = match ch {
            '\0' => '0',
            '\x07' => 'a',
            '\x08' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\x0b' => 'v',
            '\x0c' => 'f',
            '\r' => 'r',
            '\x1b' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let code = u32::from(ch);
                let (prefix, width) = match code {
                    ..=0xff => ('x', 2),
                    0x100..=0xffff => ('u', 4),
                    _ => ('U', 8),
                };
                self.put(prefix);
                for idx in (0..width).rev() {
                    let digit = char::from_digit(code >> (idx * 4) & 0xf, 16).unwrap_or('0');
                    self.put(digit.to_ascii_uppercase());
                }
                return;
            }
        };
        self.put(short);
    }

    fn literal(&mut self, text: &str) {
        self.indicator("|", true, false, false);
        if text.starts_with(|it| it == ' ' || is_break(it)) {
            self.indicator("2", false, false, false);
        }
        let mut from_end = text.chars().rev();
        match (from_end.next().is_some_and(is_break), from_end.next()) {
            (false, _) => self.indicator("-", false, false, false),
            (true, None) => self.indicator("+", false, false, false),
            (true, Some(it)) if is_break(it) => self.indicator("+", false, false, false),
            _ => {}
        }
        self.out.push('\n');
        self.column = 0;
        self.indention = true;
        self.whitespace = true;
        let mut after_break = true;
        for ch in text.chars() {
            if is_break(ch) {
                self.out.push(ch);
                self.column = 0;
                self.indention = true;
                after_break = true;
                continue;
            }
            if after_break {
                self.write_indent();
            }
            self.put(ch);
            self.indention = false;
            after_break = false;
        }
    }
}

fn is_break(ch: char) -> bool {
    matches!(ch, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// libyaml takes what is above U+FFFF for not printable.
fn is_printable(ch: char) -> bool {
    matches!(ch, '\n' | ' '..='~' | '\u{a0}'..='\u{fffd}') && ch != '\u{feff}'
}

fn must_escape(ch: char) -> bool {
    !is_printable(ch) || is_break(ch) || ch == '"' || ch == '\\'
}

fn style(text: &str, is_key: bool) -> Style {
    let can_be_plain = matches!(resolve::resolve(None, text), Ok(Scalar::Str)) && !is_base_60(text);
    let allowed = Allowed::by(text);
    if text.contains('\n') {
        return if allowed.block && !is_key { Style::Literal } else { Style::Double };
    }
    match () {
        () if !can_be_plain => Style::Double,
        () if allowed.plain => Style::Plain,
        () if allowed.single => Style::Single,
        () => Style::Double,
    }
}

/// Which styles can hold a text.
struct Allowed {
    plain: bool,
    single: bool,
    block: bool,
}

impl Allowed {
    fn by(text: &str) -> Allowed {
        let mut res = Allowed { plain: true, single: true, block: true };
        if text.starts_with("---") || text.starts_with("...") || text.starts_with([' ']) || text.ends_with(' ') {
            res.plain = false;
        }
        if text.ends_with(' ') {
            res.block = false;
        }
        let mut before = None;
        for (idx, ch) in text.char_indices() {
            let next = text[idx + ch.len_utf8()..].chars().next();
            let at_end = matches!(next, None | Some(' ' | '\t'));
            let after_space = before.is_none_or(|it: char| matches!(it, ' ' | '\t' | '\0') || is_break(it));
            let is_indicator = match ch {
                '?' | '-' => idx == 0 && at_end,
                ':' => at_end,
                '#' => after_space,
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => idx == 0,
                _ => false,
            };
            if is_indicator || is_break(ch) {
                res.plain = false;
            }
            if ch == ' ' && before.is_some_and(is_break) {
                res.plain = false;
                res.single = false;
            }
            if !is_printable(ch) || (is_break(ch) && before == Some(' ')) {
                return Allowed { plain: false, single: false, block: false };
            }
            before = Some(ch);
        }
        res
    }
}

/// Whether `text` is a number of YAML 1.1 such as `12:30:45`.
fn is_base_60(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = digits.split(':');
    let first = parts.next().unwrap_or_default();
    if !first.starts_with(|it: char| it.is_ascii_digit())
        || first.contains(|it: char| !it.is_ascii_digit() && it != '_')
    {
        return false;
    }
    let mut n_parts = 0;
    let n_colons = digits.matches(':').count();
    for part in parts {
        n_parts += 1;
        let part = match part.split_once('.') {
            Some((part, fraction)) if n_parts == n_colons => {
                if fraction.contains(|it: char| !it.is_ascii_digit() && it != '_') {
                    return false;
                }
                part
            }
            _ => part,
        };
        match part.as_bytes() {
            [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'] => {}
            _ => return false,
        }
    }
    n_parts > 0
}

/// go-yaml's order of keys: letters after other characters, numbers in keys by their size.
fn natural(a: &str, b: &str) -> Ordering {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    for (idx, (&x, &y)) in a.iter().zip(&b).enumerate() {
        if x == y {
            continue;
        }
        match (x.is_alphabetic(), y.is_alphabetic()) {
            (true, true) => return x.cmp(&y),
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) => {}
        }
        // A zero inside of a number is no beginning.
        let inside =
            (x == '0' || y == '0') && a[..idx].iter().rev().take_while(|it| it.is_numeric()).any(|&it| it != '0');
        let (a_number, a_end) = number(&a, idx, inside);
        let (b_number, b_end) = number(&b, idx, inside);
        return a_number.cmp(&b_number).then(a_end.cmp(&b_end)).then(x.cmp(&y));
    }
    a.len().cmp(&b.len())
}

fn number(text: &[char], from: usize, inside: bool) -> (i64, usize) {
    let mut number = i64::from(inside);
    let mut end = from;
    while let Some(digit) = text.get(end).and_then(|it| it.to_digit(10)) {
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
        end += 1;
    }
    (number, end)
}
