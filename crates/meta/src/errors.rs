//! Field errors: what validation says, in upstream's words (`k8s.io/apimachinery/pkg/util/validation/field`).

use value::{Value, json};

/// What is wrong with a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// `Required value`
    Required,
    /// `Invalid value: BAD`
    Invalid(Value),
    /// `Invalid value`, which is not shown (`OmitValueType`).
    Hidden,
    /// `Duplicate value: BAD`
    Duplicate(Value),
    /// `Unsupported value: BAD: supported values: "A", "B"`; the detail is made of the list.
    NotSupported(Value, Vec<String>),
    /// `Forbidden`
    Forbidden,
    /// `Not found: BAD`
    NotFound(Value),
    /// `Too long: may not be more than N bytes`; the detail holds the rest.
    TooLong,
    /// `Too many: HAVE: must have at most MAX items`
    TooMany(i64, i64),
    /// `Internal error`
    Internal,
}

/// One problem at one path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldError {
    /// Such as `spec.template.spec.containers[0].name`.
    pub field: String,
    pub problem: Problem,
    pub detail: String,
}

/// Collects every problem of an object, in the order they are found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Errors {
    pub list: Vec<FieldError>,
}

impl Errors {
    pub fn new() -> Errors {
        Errors::default()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    #[cold]
    pub fn push(&mut self, field: impl Into<String>, problem: Problem, detail: impl Into<String>) {
        self.list.push(FieldError { field: field.into(), problem, detail: detail.into() });
    }

    #[cold]
    /// `FIELD: Required value: DETAIL`
    pub fn required(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        self.push(field, Problem::Required, detail);
    }

    #[cold]
    /// `FIELD: Invalid value: BAD: DETAIL`
    pub fn invalid(&mut self, field: impl Into<String>, bad: impl Into<Value>, detail: impl Into<String>) {
        self.push(field, Problem::Invalid(bad.into()), detail);
    }

    #[cold]
    /// `FIELD: Forbidden: DETAIL`
    pub fn forbidden(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        self.push(field, Problem::Forbidden, detail);
    }

    /// `supported` in the order in which it is to be shown (upstream sorts it).
    #[cold]
    pub fn not_supported(&mut self, field: impl Into<String>, bad: impl Into<Value>, supported: &[&str]) {
        let supported = supported.iter().map(|it| (*it).to_owned()).collect();
        self.push(field, Problem::NotSupported(bad.into(), supported), "");
    }

    #[cold]
    /// `FIELD: Too long: may not be more than MAX bytes`
    pub fn too_long(&mut self, field: impl Into<String>, max: usize) {
        self.push(field, Problem::TooLong, format!("may not be more than {max} bytes"));
    }

    #[cold]
    /// `FIELD: Too many: HAVE: must have at most MAX items`
    pub fn too_many(&mut self, field: impl Into<String>, have: usize, max: usize) {
        self.push(field, Problem::TooMany(have as i64, max as i64), "");
    }
}

impl FieldError {
    /// The `reason` of the cause in a Status.
    #[cold]
    pub fn reason(&self) -> &'static str {
        match self.problem {
            Problem::Required => "FieldValueRequired",
            Problem::Invalid(_) | Problem::Hidden => "FieldValueInvalid",
            Problem::Duplicate(_) => "FieldValueDuplicate",
            Problem::NotSupported(..) => "FieldValueNotSupported",
            Problem::Forbidden => "FieldValueForbidden",
            Problem::NotFound(_) => "FieldValueNotFound",
            Problem::TooLong => "FieldValueTooLong",
            Problem::TooMany(..) => "FieldValueTooMany",
            Problem::Internal => "InternalError",
        }
    }

    /// The message without the path, as a cause shows it.
    #[cold]
    pub fn body(&self) -> String {
        let mut text = match &self.problem {
            Problem::Required => "Required value".to_owned(),
            Problem::Invalid(bad) => format!("Invalid value: {}", shown(bad)),
            Problem::Hidden => "Invalid value".to_owned(),
            Problem::Duplicate(bad) => format!("Duplicate value: {}", shown(bad)),
            Problem::NotSupported(bad, supported) => {
                let list: Vec<String> = supported.iter().map(|it| quoted(it)).collect();
                let mut text = format!("Unsupported value: {}", shown(bad));
                if !list.is_empty() {
                    text.push_str(": supported values: ");
                    text.push_str(&list.join(", "));
                }
                text
            }
            Problem::Forbidden => "Forbidden".to_owned(),
            Problem::NotFound(bad) => format!("Not found: {}", shown(bad)),
            Problem::TooLong => "Too long".to_owned(),
            Problem::TooMany(have, max) => {
                let items = if *max == 1 { "item" } else { "items" };
                format!("Too many: {have}: must have at most {max} {items}")
            }
            Problem::Internal => "Internal error".to_owned(),
        };
        if !self.detail.is_empty() {
            text.push_str(": ");
            text.push_str(&self.detail);
        }
        text
    }
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

/// A bad value as upstream shows it: text quoted, null as `null`, trees as JSON.
fn shown(bad: &Value) -> String {
    match bad {
        Value::Str(text) => quoted(text),
        Value::Null => "null".to_owned(),
        _ => json::to_string(bad),
    }
}

/// Go's `%q`.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
