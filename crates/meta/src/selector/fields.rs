//! Field selectors as text: `spec.nodeName=node-1,status.phase!=Running` (`fields.ParseSelector` of apimachinery).

use value::Str;

/// One comparison of a field with a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldTerm {
    pub field: Str,
    /// Whether the field must equal the value, or must not.
    pub equal: bool,
    pub value: Str,
}

/// A conjunction of comparisons; none at all matches everything.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FieldSelector {
    /// In the order of their text.
    pub terms: Vec<FieldTerm>,
}

impl FieldSelector {
    /// Reads a selector; the error is upstream's text. Whether the fields exist is for the kind to say.
    ///
    /// # Errors
    /// What is wrong, such as `invalid selector: 'a'; can't understand 'a'`.
    pub fn parse(text: &str) -> Result<FieldSelector, String> {
        let mut parts = split(text);
        parts.sort_unstable();
        let mut terms = Vec::new();
        for part in parts.into_iter().filter(|it| !it.is_empty()) {
            let Some((field, equal, value)) = split_term(part) else {
                return Err(format!("invalid selector: '{text}'; can't understand '{part}'"));
            };
            terms.push(FieldTerm { field: field.into(), equal, value: unescape(value)?.into() });
        }
        Ok(FieldSelector { terms })
    }

    /// `field=value`
    pub fn equals(field: &str, value: &str) -> FieldSelector {
        FieldSelector { terms: vec![FieldTerm { field: field.into(), equal: true, value: value.into() }] }
    }

    pub fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }

    /// The value that a field must have, if the selector says so.
    pub fn required(&self, field: &str) -> Option<&Str> {
        self.terms.iter().find(|it| it.equal && it.field == field).map(|it| &it.value)
    }

    /// Whether an object matches whose fields `read` answers.
    pub fn matches(&self, read: &dyn Fn(&str) -> Str) -> bool {
        self.terms.iter().all(|it| (read(&it.field) == it.value) == it.equal)
    }
}

/// At commas that no backslash precedes.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => (),
        }
    }
    parts.push(&text[start..]);
    parts
}

fn split_term(term: &str) -> Option<(&str, bool, &str)> {
    for (at, _) in term.char_indices() {
        let rest = &term[at..];
        for (operator, equal) in [("!=", false), ("==", true), ("=", true)] {
            if let Some(value) = rest.strip_prefix(operator) {
                return Some((&term[..at], equal, value));
            }
        }
    }
    None
}

fn unescape(text: &str) -> Result<String, String> {
    let mut res = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('\\' | ',' | '=')) => res.push(c),
                Some(c) => return Err(format!("invalid field selector: invalid escape sequence: \\{c}")),
                None => return Err("invalid field selector: invalid escape sequence: \\".to_owned()),
            },
            ',' | '=' => return Err(format!("invalid field selector: unescaped character in value: {}", u32::from(c))),
            c => res.push(c),
        }
    }
    Ok(res)
}
