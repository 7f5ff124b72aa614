//! Why a command fails, and the words in which kubectl says so.

use meta::quoted;
use value::Value;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Why a command fails.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Failure {
    /// Printed after `error: `.
    Text(String),
    /// Printed as it is.
    Exact(String),
    /// What the server answered.
    Status(Value),
    /// Several, each on a line of its own.
    Many(Vec<Failure>),
    /// Nothing more to say.
    Exit(i32),
    /// With an exit code other than 1.
    Coded(Box<Failure>, i32),
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Failure::Text(text)
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        Failure::Text(text.to_owned())
    }
}

/// An error from a text.
pub(crate) fn fail<T>(text: impl Into<Failure>) -> Result<T> {
    Err(text.into())
}

/// A mistake in the command line.
pub(crate) fn usage<T>(command: &str, text: &str) -> Result<T> {
    fail(format!("{text}\nSee 'kubectl {command} -h' for help and examples"))
}

impl Failure {
    /// One failure from many; `Ok` from none.
    pub(crate) fn all(mut failures: Vec<Failure>) -> Result<()> {
        match failures.len() {
            0 => Ok(()),
            1 => Err(failures.remove(0)),
            _ => Err(Failure::Many(failures)),
        }
    }

    fn status(&self, field: &'static str) -> Option<&str> {
        match self {
            Failure::Status(it) => it.str_at(field),
            _ => None,
        }
    }

    pub(crate) fn reason(&self) -> &str {
        self.status("reason").unwrap_or_default()
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.reason() == "NotFound"
    }

    pub(crate) fn is_conflict(&self) -> bool {
        self.reason() == "Conflict"
    }

    /// The text without the words in front.
    pub(crate) fn message(&self) -> String {
        match self {
            Failure::Text(it) | Failure::Exact(it) => it.clone(),
            Failure::Status(it) => it.str_at("message").unwrap_or_default().to_owned(),
            Failure::Many(all) => match all.as_slice() {
                [one] => one.message(),
                all => format!("[{}]", all.iter().map(Failure::message).collect::<Vec<_>>().join(", ")),
            },
            Failure::Exit(code) => format!("exit {code}"),
            Failure::Coded(inner, _) => inner.message(),
        }
    }

    /// With `error when creating "file": ` in front of the message.
    pub(crate) fn while_doing(self, verb: &str, source: &str) -> Failure {
        if source.is_empty() {
            return self;
        }
        self.prefixed(&format!("error when {verb} {}: ", quoted(source)))
    }

    pub(crate) fn prefixed(self, prefix: &str) -> Failure {
        let message = format!("{prefix}{}", self.message());
        match self {
            Failure::Status(it) => Failure::Status(it.with("message", message)),
            _ => Failure::Text(message),
        }
    }

    /// As one of several, or for a line of its own: without `error: `.
    pub(crate) fn line(&self) -> String {
        let message = self.message();
        match (self, self.reason()) {
            (Failure::Status(_), "") => format!("Error from server: {message}"),
            (Failure::Status(_), "Unauthorized") => format!("error: You must be logged in to the server ({message})"),
            (Failure::Status(_), reason) => format!("Error from server ({reason}): {message}"),
            _ => message,
        }
    }

    /// What is printed at the end of the command, and the exit code.
    pub(crate) fn report(&self) -> (String, i32) {
        let text = match self {
            Failure::Exit(code) => return (String::new(), *code),
            Failure::Coded(inner, code) => return (inner.report().0, *code),
            Failure::Exact(text) => text.clone(),
            Failure::Text(text) if text.starts_with("error: ") => text.clone(),
            Failure::Text(text) => format!("error: {text}"),
            Failure::Status(status) if self.reason() == "Invalid" => invalid(status),
            Failure::Status(_) => self.line(),
            Failure::Many(all) => {
                let mut flat = Vec::new();
                flatten(all, &mut flat);
                flat.iter().map(|it| it.line()).collect::<Vec<_>>().join("\n")
            }
        };
        (if text.ends_with('\n') { text } else { format!("{text}\n") }, 1)
    }
}

fn flatten<'a>(all: &'a [Failure], flat: &mut Vec<&'a Failure>) {
    for it in all {
        match it {
            Failure::Many(inner) => flatten(inner, flat),
            it => flat.push(it),
        }
    }
}

fn invalid(status: &Value) -> String {
    let message = status.str_at("message").unwrap_or_default();
    let mut text = String::from("The request is invalid");
    let Some(details) = status.get("details") else {
        return if message.is_empty() { text } else { format!("{text}: {message}") };
    };
    let (kind, name) = (details.str_at("kind").unwrap_or_default(), details.str_at("name").unwrap_or_default());
    let mut causes: Vec<String> = Vec::new();
    for cause in details.list_at("causes") {
        let field = cause.str_at("field").unwrap_or_default();
        let line = format!("{field}: {}", cause.str_at("message").unwrap_or_default());
        if !causes.contains(&line) {
            causes.push(line);
        }
    }
    if !kind.is_empty() || !name.is_empty() {
        text = format!("The {kind} {} is invalid", quoted(name));
    } else if !message.is_empty() && causes.is_empty() {
        text.push_str(&format!(": {message}"));
    }
    match causes.as_slice() {
        [] => text,
        [one] => format!("{text}: {one}\n"),
        many => {
            text.push_str(": \n");
            many.iter().for_each(|it| text.push_str(&format!("* {it}\n")));
            text
        }
    }
}
