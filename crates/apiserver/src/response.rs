//! Answers as HTTP.

use http::header::{HeaderName, HeaderValue};
use http::{Response, StatusCode};
use meta::Status;
use value::Value;

use crate::health::Plain;
use crate::http_types::Body;
use crate::negotiate::Format;
use crate::server::uuid;
use crate::{layout, protobuf};

/// An answer of bytes.
pub(crate) fn bytes(code: u16, content_type: &str, bytes: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::Bytes(bytes));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !content_type.is_empty() {
        set(&mut response, "content-type", content_type);
    }
    set(&mut response, "cache-control", "no-cache, private");
    response
}

/// Sets a header; text that no header can hold is left out.
pub(crate) fn set(response: &mut Response<Body>, name: &'static str, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

/// An object in the client's format.
pub(crate) fn value(code: u16, format: Format, value: &Value) -> Response<Body> {
    let binary = (format == Format::Protobuf).then(|| protobuf::write(value)).flatten();
    match (binary, format) {
        (Some(binary), _) => bytes(code, format.content_type(), binary),
        // What has no messages is told in JSON.
        (None, Format::Protobuf) => bytes(code, Format::Json.content_type(), layout::render(value, Format::Json)),
        (None, _) => bytes(code, format.content_type(), layout::render(value, format)),
    }
}

/// A failure.
pub(crate) fn status(format: Format, status: &Status) -> Response<Body> {
    let mut response = value(status.code, format, &status.to_value());
    let seconds = status.details.as_ref().map_or(0, |it| it.retry_after_seconds);
    if seconds > 0 {
        set(&mut response, "retry-after", &seconds.to_string());
    }
    response
}

/// An answer that is no object.
pub(crate) fn plain(it: Plain) -> Response<Body> {
    let mut response = bytes(it.code, it.content_type, it.bytes);
    if it.nosniff {
        set(&mut response, "x-content-type-options", "nosniff");
    }
    response
}

/// What Go's mux answers where nothing is.
pub(crate) fn not_found() -> Response<Body> {
    plain(Plain::not_found())
}

/// Adds what every answer carries: names of the request and of those who let it pass. `number` counts requests.
pub(crate) fn sign(response: &mut Response<Body>, number: u64) {
    let named = |seed: u64, what: &str| {
        let mut rng = sim::Rng::stream(seed, what);
        uuid(rng.next_u64(), rng.next_u64())
    };
    set(response, "audit-id", &named(number, "audit"));
    set(response, "x-kubernetes-pf-flowschema-uid", &named(0, "flowschema"));
    set(response, "x-kubernetes-pf-prioritylevel-uid", &named(0, "prioritylevel"));
}

/// Adds `Warning` headers, each text once (`warning.AddWarning`).
pub(crate) fn warn(response: &mut Response<Body>, warnings: &[String]) {
    let mut seen: Vec<&str> = Vec::new();
    for text in warnings {
        if seen.contains(&text.as_str()) {
            continue;
        }
        seen.push(text);
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            response.headers_mut().append(http::header::WARNING, value);
        }
    }
}

/// `Success` without anything else to say.
pub(crate) fn success(code: u16) -> Value {
    value::value!({ "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Success", "code": i64::from(code) })
}
