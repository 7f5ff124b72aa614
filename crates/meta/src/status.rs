//! The `Status` object that every failure is (`k8s.io/apimachinery/pkg/api/errors`).

use value::{Str, Value, map};

use crate::errors::quoted;
use crate::{Errors, FieldError};

/// One entry of `details.causes`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cause {
    pub reason: Str,
    pub message: String,
    pub field: String,
}

/// A failed request: HTTP code, machine-readable reason and the message that users see.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Status {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
    pub details: Option<Box<Details>>,
    /// `metadata.continue`: where a list whose token is too old may go on.
    pub continue_token: String,
}

/// `details` of a [`Status`]; empty fields are left out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Details {
    pub group: Str,
    /// A resource such as `pods`; for `Invalid` a kind such as `Pod`.
    pub kind: Str,
    pub name: Str,
    pub uid: Str,
    pub causes: Vec<Cause>,
    pub retry_after_seconds: i64,
}

/// `daemonsets.apps`, or `pods` for the core group.
pub fn qualified(group: &str, resource: &str) -> String {
    if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") }
}

impl Status {
    /// A failure with a code of HTTP and a reason of `metav1.StatusReason`; its details are empty.
    #[cold]
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Status {
        Status { code, reason, message: message.into(), ..Status::default() }
    }

    fn about(mut self, group: &str, kind: &str, name: &str) -> Status {
        self.details =
            Some(Box::new(Details { group: group.into(), kind: kind.into(), name: name.into(), ..Details::default() }));
        self
    }

    fn retry_after(mut self, seconds: i64) -> Status {
        self.details.get_or_insert_default().retry_after_seconds = seconds;
        self
    }

    /// `pods "a" not found`; `resource` is plural, the group may be empty.
    #[cold]
    pub fn not_found(group: &str, resource: &str, name: &str) -> Status {
        let message = format!("{} {} not found", qualified(group, resource), quoted(name));
        Status::new(404, "NotFound", message).about(group, resource, name)
    }

    /// `pods "a" already exists`
    #[cold]
    pub fn already_exists(group: &str, resource: &str, name: &str) -> Status {
        let message = format!("{} {} already exists", qualified(group, resource), quoted(name));
        Status::new(409, "AlreadyExists", message).about(group, resource, name)
    }

    /// `Operation cannot be fulfilled on pods "a": WHY`
    #[cold]
    pub fn conflict(group: &str, resource: &str, name: &str, why: &str) -> Status {
        let message =
            format!("Operation cannot be fulfilled on {} {}: {why}", qualified(group, resource), quoted(name));
        Status::new(409, "Conflict", message).about(group, resource, name)
    }

    /// The conflict of server-side apply: a message and one cause per field.
    #[cold]
    pub fn apply_conflict(message: impl Into<String>, causes: Vec<Cause>) -> Status {
        let mut res = Status::new(409, "Conflict", message);
        res.details.get_or_insert_default().causes = causes;
        res
    }

    /// `pods "a" is forbidden: WHY`; without a name or a resource they are left out.
    #[cold]
    pub fn forbidden(group: &str, resource: &str, name: &str, why: &str) -> Status {
        let message = match (resource, name) {
            ("", _) => format!("forbidden: {why}"),
            (_, "") => format!("{} is forbidden: {why}", qualified(group, resource)),
            _ => format!("{} {} is forbidden: {why}", qualified(group, resource), quoted(name)),
        };
        Status::new(403, "Forbidden", message).about(group, resource, name)
    }

    /// `kind` is the kind, such as `DaemonSet`, not the resource.
    #[cold]
    pub fn invalid(group: &str, kind: &str, name: &str, errors: &Errors) -> Status {
        let mut texts: Vec<String> = Vec::new();
        for text in errors.list.iter().map(FieldError::to_string) {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let what = format!("{} {} is invalid", qualified(group, kind), quoted(name));
        let message = match texts.as_slice() {
            [] => what,
            [one] => format!("{what}: {one}"),
            many => format!("{what}: [{}]", many.join(", ")),
        };
        let mut res = Status::new(422, "Invalid", message).about(group, kind, name);
        res.details.get_or_insert_default().causes = errors
            .list
            .iter()
            .map(|it| Cause { reason: it.reason().into(), message: it.body(), field: it.field.clone() })
            .collect();
        res
    }

    /// 400 with the message as it is.
    #[cold]
    pub fn bad_request(message: impl Into<String>) -> Status {
        Status::new(400, "BadRequest", message)
    }

    /// 410: the revision asked for is no longer in the log.
    #[cold]
    pub fn expired(message: impl Into<String>) -> Status {
        Status::new(410, "Expired", message)
    }

    /// `ACTION is not supported on resources of kind "pods"`
    #[cold]
    pub fn method_not_supported(group: &str, resource: &str, action: &str) -> Status {
        let message = format!("{action} is not supported on resources of kind {}", quoted(&qualified(group, resource)));
        Status::new(405, "MethodNotAllowed", message).about(group, resource, "")
    }

    /// 429 with the message as it is, and when the client may try again.
    #[cold]
    pub fn too_many_requests(message: impl Into<String>, retry_after_seconds: i64) -> Status {
        Status::new(429, "TooManyRequests", message).retry_after(retry_after_seconds)
    }

    /// `Timeout: MESSAGE`, and when the client may try again.
    #[cold]
    pub fn timeout(message: &str, retry_after_seconds: i64) -> Status {
        Status::new(504, "Timeout", format!("Timeout: {message}")).retry_after(retry_after_seconds)
    }

    /// `Internal error occurred: WHY`
    #[cold]
    pub fn internal(why: &str) -> Status {
        let mut res = Status::new(500, "InternalError", format!("Internal error occurred: {why}"));
        res.details.get_or_insert_default().causes = vec![Cause { message: why.to_owned(), ..Cause::default() }];
        res
    }

    pub fn is_not_found(&self) -> bool {
        self.reason == "NotFound"
    }

    pub fn is_conflict(&self) -> bool {
        self.reason == "Conflict"
    }

    /// Whether one of its causes is of this reason.
    pub fn has_cause(&self, reason: &str) -> bool {
        self.details.as_ref().is_some_and(|it| it.causes.iter().any(|it| &*it.reason == reason))
    }

    pub fn is_already_exists(&self) -> bool {
        self.reason == "AlreadyExists"
    }

    /// The object as it goes over the wire.
    pub fn to_value(&self) -> Value {
        let mut map = map!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message.as_str(),
            "reason": self.reason, "code": i64::from(self.code),
        });
        if self.reason.is_empty() {
            map.remove("reason");
        }
        if !self.continue_token.is_empty() {
            map.insert("metadata", map!({ "continue": self.continue_token.as_str() }));
        }
        if let Some(details) = &self.details {
            map.insert("details", details.to_value());
        }
        Value::Map(map)
    }
}

impl Details {
    fn to_value(&self) -> Value {
        let mut map = map!({});
        for (key, text) in [("name", &self.name), ("group", &self.group), ("kind", &self.kind), ("uid", &self.uid)] {
            if !text.is_empty() {
                map.insert(key, text);
            }
        }
        if !self.causes.is_empty() {
            map.insert("causes", self.causes.iter().map(Cause::to_value).collect::<Vec<_>>());
        }
        if self.retry_after_seconds != 0 {
            map.insert("retryAfterSeconds", self.retry_after_seconds);
        }
        Value::Map(map)
    }
}

impl Cause {
    fn to_value(&self) -> Value {
        let mut map = map!({});
        for (key, text) in [("reason", &*self.reason), ("message", &self.message), ("field", &self.field)] {
            if !text.is_empty() {
                map.insert(key, text);
            }
        }
        Value::Map(map)
    }
}
