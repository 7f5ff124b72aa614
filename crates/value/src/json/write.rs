//! Writing: compact, or indented by two spaces.

use crate::Value;

/// Appends `value` to `out`: compact, `<`, `>` and `&` escaped as Go's encoder does.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(it) => write_int(*it, out),
        Value::Decimal(it) => out.extend_from_slice(it.as_bytes()),
        Value::Str(it) => write_str(it, out),
        Value::List(items) => {
            out.push(b'[');
            for (idx, item) in items.iter().enumerate() {
                if idx > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Map(map) => {
            out.push(b'{');
            for (idx, (key, item)) in map.iter().enumerate() {
                if idx > 0 {
                    out.push(b',');
                }
                write_str(key, out);
                out.push(b':');
                write(item, out);
            }
            out.push(b'}');
        }
    }
}

/// The compact text of `value`.
pub fn to_string(value: &Value) -> String {
    let mut out = Vec::new();
    write(value, &mut out);
    text_of(out)
}

/// The text of `value` with each step in indented by `indent`, as Go's `MarshalIndent`.
pub fn to_string_pretty(value: &Value, indent: &str) -> String {
    let mut out = Vec::new();
    write_pretty(value, indent, 0, &mut out);
    text_of(out)
}

fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|it| String::from_utf8_lossy(it.as_bytes()).into_owned())
}

fn write_pretty(value: &Value, indent: &str, depth: usize, out: &mut Vec<u8>) {
    let newline = |depth: usize, out: &mut Vec<u8>| {
        out.push(b'\n');
        for _ in 0..depth {
            out.extend_from_slice(indent.as_bytes());
        }
    };
    match value {
        Value::List(items) if !items.is_empty() => {
            out.push(b'[');
            for (idx, item) in items.iter().enumerate() {
                if idx > 0 {
                    out.push(b',');
                }
                newline(depth + 1, out);
                write_pretty(item, indent, depth + 1, out);
            }
            newline(depth, out);
            out.push(b']');
        }
        Value::Map(map) if !map.is_empty() => {
            out.push(b'{');
            for (idx, (key, item)) in map.iter().enumerate() {
                if idx > 0 {
                    out.push(b',');
                }
                newline(depth + 1, out);
                write_str(key, out);
                out.extend_from_slice(b": ");
                write_pretty(item, indent, depth + 1, out);
            }
            newline(depth, out);
            out.push(b'}');
        }
        _ => write(value, out),
    }
}

fn write_int(it: i64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut idx = digits.len();
    let mut rest = it.unsigned_abs();
    loop {
        idx -= 1;
        digits[idx] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if it < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[idx..]);
}

/// Bytes that are written as they are, whatever comes next.
static PLAIN: [bool; 256] = {
    let mut res = [true; 256];
    let mut byte = 0;
    while byte < res.len() {
        res[byte] = !matches!(byte as u8, 0..=0x1f | b'"' | b'\\' | b'<' | b'>' | b'&' | 0xe2);
        byte += 1;
    }
    res
};

/// Appends `text` as a JSON string.
pub fn write_str(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut start = 0;
    for (idx, &byte) in bytes.iter().enumerate() {
        if PLAIN[usize::from(byte)] {
            continue;
        }
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            0..=0x1f | b'<' | b'>' | b'&' => 0,
            // U+2028 and U+2029 are E2 80 A8 and E2 80 A9; Go escapes them.
            0xe2 if matches!(bytes.get(idx + 1..idx + 3), Some([0x80, 0xa8 | 0xa9])) => 1,
            _ => continue,
        };
        if idx < start {
            continue;
        }
        out.extend_from_slice(&bytes[start..idx]);
        start = idx + 1;
        match short {
            0 => {
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', HEX[(byte >> 4) as usize], HEX[(byte & 15) as usize]])
            }
            1 => {
                out.extend_from_slice(if bytes[idx + 2] == 0xa8 { b"\\u2028" } else { b"\\u2029" });
                start = idx + 3;
            }
            short => out.extend_from_slice(&[b'\\', short]),
        }
    }
    out.extend_from_slice(&bytes[start..]);
    out.push(b'"');
}
