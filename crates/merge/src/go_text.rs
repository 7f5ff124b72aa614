//! Trees as Go's `%v` prints them.

use value::Value;

/// `map[image:redis ports:[80 443]]`
pub fn go_text(value: &Value) -> String {
    let mut out = String::new();
    write(value, i64_text, &mut out);
    out
}

/// The same for a tree of YAML, whose numbers are floats to Go.
pub(crate) fn go_text_of_yaml(value: &Value) -> String {
    let mut out = String::new();
    write(value, number, &mut out);
    out
}

fn i64_text(it: i64) -> String {
    it.to_string()
}

fn write(value: &Value, int: fn(i64) -> String, out: &mut String) {
    match value {
        Value::Null => out.push_str("<nil>"),
        Value::Bool(it) => out.push_str(if *it { "true" } else { "false" }),
        Value::Int(it) => out.push_str(&int(*it)),
        Value::Decimal(it) | Value::Str(it) => out.push_str(it),
        Value::List(list) => {
            out.push('[');
            for (idx, item) in list.iter().enumerate() {
                if idx > 0 {
                    out.push(' ');
                }
                write(item, int, out);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push_str("map[");
            for (idx, (key, item)) in map.iter().enumerate() {
                if idx > 0 {
                    out.push(' ');
                }
                out.push_str(key);
                out.push(':');
                write(item, int, out);
            }
            out.push(']');
        }
    }
}

/// A whole number as Go prints the float that a number of YAML is decoded to: `80`, `1.5e+06`.
pub(crate) fn number(it: i64) -> String {
    if it.unsigned_abs() < 1_000_000 {
        return it.to_string();
    }
    let digits = it.unsigned_abs().to_string();
    let (first, rest) = digits.split_at(1);
    let rest = rest.trim_end_matches('0');
    let (sign, point) = (if it < 0 { "-" } else { "" }, if rest.is_empty() { "" } else { "." });
    format!("{sign}{first}{point}{rest}e+{:02}", digits.len() - 1)
}

/// The Go type of a decoded value.
pub(crate) fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "%!s(<nil>)",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Decimal(_) => "float64",
        Value::Str(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
    }
}
