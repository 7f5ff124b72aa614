//! What a scalar without quotes is, by the rules of YAML 1.1 as go-yaml 2 has them.

use super::decimal::{self, Decimal};

/// A scalar's type and value.
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Above what an `Int` holds.
    Uint(u64),
    Float(Decimal),
    /// `+Inf`, `-Inf` or `NaN`.
    NoNumber(&'static str),
    Timestamp,
    Merge,
    Str,
}

impl Scalar {
    fn tag(&self) -> &'static str {
        match self {
            Scalar::Null => "!!null",
            Scalar::Bool(_) => "!!bool",
            Scalar::Int(_) | Scalar::Uint(_) => "!!int",
            Scalar::Float(_) | Scalar::NoNumber(_) => "!!float",
            Scalar::Timestamp => "!!timestamp",
            Scalar::Merge => "!!merge",
            Scalar::Str => "!!str",
        }
    }
}

const LONG_TAG_PREFIX: &str = "tag:yaml.org,2002:";

/// The tag as it is written: `!!str`.
pub(super) fn short_tag(tag: &str) -> String {
    match tag.strip_prefix(LONG_TAG_PREFIX) {
        Some(name) => format!("!!{name}"),
        None => tag.to_owned(),
    }
}

/// Resolves a scalar that has `tag` (short).
///
/// # Errors
/// The text is not of the tag's type.
pub(super) fn resolve(tag: Option<&str>, text: &str) -> Result<Scalar, String> {
    let tag = match tag {
        None => return Ok(plain(text, true)),
        Some(tag @ ("!!bool" | "!!int" | "!!float" | "!!null" | "!!timestamp")) => tag,
        Some(_) => return Ok(Scalar::Str),
    };
    match plain(text, tag == "!!timestamp") {
        it if it.tag() == tag => Ok(it),
        it @ (Scalar::Int(_) | Scalar::Uint(_)) if tag == "!!float" => Ok(it),
        it => Err(format!("cannot decode {} `{text}` as a {tag}", it.tag())),
    }
}

fn plain(text: &str, timestamps: bool) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::NoNumber("NaN"),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::NoNumber("+Inf"),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::NoNumber("-Inf"),
        "<<" => return Scalar::Merge,
        _ => {}
    }
    match text.as_bytes()[0] {
        b'.' => decimal::parse(text).map_or(Scalar::Str, Scalar::Float),
        b'0'..=b'9' | b'+' | b'-' => number(text, timestamps),
        _ => Scalar::Str,
    }
}

fn number(text: &str, timestamps: bool) -> Scalar {
    if timestamps && is_timestamp(text) {
        return Scalar::Timestamp;
    }
    let plain = text.replace('_', "");
    if let Some(it) = integer(&plain) {
        return it;
    }
    // `1.` is a number here, `+.` and `.` are not.
    decimal::parse(&plain).map_or(Scalar::Str, Scalar::Float)
}

/// An integer with Go's prefixes: `0x1f`, `0o17`, `017`, `0b11`.
fn integer(text: &str) -> Option<Scalar> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // Rust takes a sign here and Go does not.
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let size = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return 0i64.checked_sub_unsigned(size).map(Scalar::Int);
    }
    // go-yaml reads a number with a plus as a signed one only.
    match i64::try_from(size) {
        Ok(it) => Some(Scalar::Int(it)),
        Err(_) => (!text.starts_with('+')).then_some(Scalar::Uint(size)),
    }
}

/// Whether `text` is `2006-1-2`, `2006-1-2 15:4:5.9` or `2006-1-2T15:4:5.9Z` (or with `+07:00`).
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(idx) => (&text[..idx], Some((bytes[idx], &text[idx + 1..]))),
        None => (text, None),
    };
    let mut parts = date.split('-').map(two_digits_or_year);
    let (Some(Some(year)), Some(Some(month)), Some(Some(day)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    if !(1..=12).contains(&month) || day == 0 || day > days(year, month) {
        return false;
    }
    match time {
        None => true,
        Some((b' ', time)) => is_time(time),
        Some((_, time)) => match time.strip_suffix('Z') {
            Some(time) => is_time(time),
            None => {
                time.len() > 6 && time.is_char_boundary(time.len() - 6) && {
                    let (time, zone) = time.split_at(time.len() - 6);
                    is_time(time) && is_zone(zone.as_bytes())
                }
            }
        },
    }
}

fn two_digits_or_year(text: &str) -> Option<u32> {
    (matches!(text.len(), 1 | 2 | 4) && text.bytes().all(|it| it.is_ascii_digit())).then(|| text.parse().ok())?
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_time(text: &str) -> bool {
    let (clock, fraction) = match text.find(['.', ',']) {
        Some(idx) => (&text[..idx], Some(&text[idx + 1..])),
        None => (text, None),
    };
    let mut parts = clock.split(':').map(two_digits_or_year);
    matches!(
        (parts.next(), parts.next(), parts.next(), parts.next()),
        (Some(Some(0..=23)), Some(Some(0..=59)), Some(Some(0..=59)), None)
    ) && fraction.is_none_or(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()))
}

fn is_zone(zone: &[u8]) -> bool {
    let [b'+' | b'-', hour @ .., b':', m1, m2] = zone else { return false };
    hour.iter().chain([m1, m2]).all(u8::is_ascii_digit)
}
