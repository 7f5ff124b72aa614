//! Texts in the shapes of Go's `fmt` and `strings`.

use value::{Value, json};

/// `'x'`, as Go's `%q` of a rune.
pub(crate) fn quote_char(ch: char) -> String {
    match ch {
        '\'' => "'\\''".to_owned(),
        '\\' => "'\\\\'".to_owned(),
        _ => format!("'{ch}'"),
    }
}

/// A value as Go's `%v` prints it: `map[a:1 b:[x y]]`, `<nil>`.
pub(crate) fn show(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Str(it) => it.to_string(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(show).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Map(map) => {
            let items: Vec<String> = map.iter().map(|(key, value)| format!("{key}:{}", show(value))).collect();
            format!("map[{}]", items.join(" "))
        }
        other => json::to_string(other),
    }
}

/// The first letter in upper case.
pub(crate) fn title(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// How many letters must change to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (idx, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = idx + 1;
        for (jdx, y) in b.iter().enumerate() {
            let cost = if x == *y { diagonal } else { diagonal.min(row[jdx]).min(row[jdx + 1]) + 1 };
            diagonal = row[jdx + 1];
            row[jdx + 1] = cost;
        }
    }
    row[b.len()]
}

/// Whether cobra would suggest `name` to who typed `typed`.
pub(crate) fn is_near(typed: &str, name: &str) -> bool {
    let typed = typed.to_lowercase();
    distance(&typed, &name.to_lowercase()) <= 2 || name.to_lowercase().starts_with(&typed)
}
