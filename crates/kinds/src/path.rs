//! Paths of fields, made into text only when a problem is reported.

use std::fmt::{self, Write as _};

use meta::{Errors, Problem};
use value::Value;

/// A field's place: a link to its parent's place and one step. Lives on the stack; costs nothing until it is shown.
///
/// `Path::root("spec").child("containers").index(0).child("name")` shows as `spec.containers[0].name`.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    /// A name, or several with dots between: `template.spec`.
    Field(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> Path<'a> {
    /// The first field, such as `spec`.
    pub const fn root(name: &'a str) -> Path<'a> {
        Path { parent: None, step: Step::Field(name) }
    }

    /// A field below; `name` may be several joined by dots.
    pub const fn child(&'a self, name: &'a str) -> Path<'a> {
        Path { parent: Some(self), step: Step::Field(name) }
    }

    /// An item of this list: `[3]`.
    pub const fn index(&'a self, idx: usize) -> Path<'a> {
        Path { parent: Some(self), step: Step::Index(idx) }
    }

    /// An entry of this map: `[app]`.
    pub const fn key(&'a self, key: &'a str) -> Path<'a> {
        Path { parent: Some(self), step: Step::Key(key) }
    }

    /// `Required value: DETAIL`
    #[cold]
    pub fn required(&self, errors: &mut Errors, detail: &str) {
        self.push(errors, Problem::Required, detail);
    }

    /// `Invalid value: BAD: DETAIL`
    #[cold]
    pub fn invalid(&self, errors: &mut Errors, bad: impl Into<Value>, detail: &str) {
        self.push(errors, Problem::Invalid(bad.into()), detail);
    }

    /// `Invalid value: DETAIL`
    #[cold]
    pub fn hidden(&self, errors: &mut Errors, detail: &str) {
        self.push(errors, Problem::Hidden, detail);
    }

    /// One `Invalid value` for each message.
    pub fn invalid_each(&self, errors: &mut Errors, bad: &str, messages: &[String]) {
        for message in messages {
            self.push(errors, Problem::Invalid(bad.into()), message);
        }
    }

    /// `Duplicate value: BAD`
    #[cold]
    pub fn duplicate(&self, errors: &mut Errors, bad: impl Into<Value>) {
        self.push(errors, Problem::Duplicate(bad.into()), "");
    }

    /// `Forbidden: DETAIL`
    #[cold]
    pub fn forbidden(&self, errors: &mut Errors, detail: &str) {
        self.push(errors, Problem::Forbidden, detail);
    }

    /// `Not found: BAD`
    #[cold]
    pub fn not_found(&self, errors: &mut Errors, bad: impl Into<Value>) {
        self.push(errors, Problem::NotFound(bad.into()), "");
    }

    /// `Unsupported value: BAD: supported values: …`, in the order given.
    #[cold]
    pub fn not_supported(&self, errors: &mut Errors, bad: impl Into<Value>, supported: &[&str]) {
        let supported = supported.iter().map(|it| (*it).to_owned()).collect();
        self.push(errors, Problem::NotSupported(bad.into(), supported), "");
    }

    /// `Too long: may not be more than MAX bytes`
    #[cold]
    pub fn too_long(&self, errors: &mut Errors, max: usize) {
        errors.too_long(self.to_string(), max);
    }

    /// `Too many: HAVE: must have at most MAX items`
    #[cold]
    pub fn too_many(&self, errors: &mut Errors, have: usize, max: usize) {
        errors.too_many(self.to_string(), have, max);
    }

    fn push(&self, errors: &mut Errors, problem: Problem, detail: &str) {
        errors.push(self.to_string(), problem, detail);
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
            if matches!(self.step, Step::Field(_)) {
                f.write_char('.')?;
            }
        }
        match self.step {
            // Upstream's empty name is an empty index.
            Step::Field("") => f.write_str("[]"),
            Step::Field(name) => f.write_str(name),
            Step::Index(idx) => write!(f, "[{idx}]"),
            Step::Key(key) => write!(f, "[{key}]"),
        }
    }
}
