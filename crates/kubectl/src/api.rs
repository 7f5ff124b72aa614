//! Requests to the server and what its answers mean.

use http::{Method, header};
use value::{Value, json, value};

use crate::failure::{Failure, Result};
use crate::mapper::Resource;
use crate::{Body, Cx};

pub(crate) const JSON: &str = "application/json";
pub(crate) const TABLE: &str =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
pub(crate) const MERGE_PATCH: &str = "application/merge-patch+json";
pub(crate) const STRATEGIC_PATCH: &str = "application/strategic-merge-patch+json";
pub(crate) const JSON_PATCH: &str = "application/json-patch+json";
pub(crate) const APPLY_PATCH: &str = "application/apply-patch+yaml";

/// How many objects a list asks for at once.
const CHUNK: &str = "500";

/// A path and its query.
#[derive(Clone, Debug)]
pub(crate) struct Url(String);

impl Url {
    pub(crate) fn new(path: &str) -> Url {
        Url(path.to_owned())
    }

    /// Of a resource's objects, or of one with a name, or of a part of it.
    pub(crate) fn of(resource: &Resource, namespace: &str, name: &str, subresource: &str) -> Url {
        let mut path = match &*resource.group {
            "" => format!("/api/{}", resource.version),
            group => format!("/apis/{group}/{}", resource.version),
        };
        let namespace = if resource.namespaced { namespace } else { "" };
        for (before, part) in [("/namespaces/", namespace), ("/", &*resource.plural), ("/", name), ("/", subresource)] {
            if !part.is_empty() {
                path.push_str(before);
                path.push_str(&escape(part));
            }
        }
        Url(path)
    }

    /// With one more parameter, unless its value is empty.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Url {
        if !value.is_empty() {
            self.0.push(if self.0.contains('?') { '&' } else { '?' });
            self.0.push_str(key);
            self.0.push('=');
            self.0.push_str(&escape(value));
        }
        self
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b':' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

impl Cx<'_> {
    fn request(
        &mut self,
        method: Method,
        url: &Url,
        accept: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<(u16, Body)> {
        let mut request = http::Request::builder()
            .method(method)
            .uri(&url.0)
            .header(header::ACCEPT, accept)
            .header(header::USER_AGENT, "kubectl/v1.36.4 (linux/amd64) kubernetes/drydock");
        if !content_type.is_empty() {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        let request = request.body(body).map_err(|it| Failure::Text(it.to_string()))?;
        let (parts, body) = self.client.send(request).into_parts();
        for warning in parts.headers.get_all(header::WARNING) {
            if let Some(text) = warning.to_str().ok().and_then(warning_text)
                && !self.shell.warnings.contains(&text)
            {
                self.note(&format!("Warning: {text}"));
                self.shell.warnings.push(text);
            }
        }
        Ok((parts.status.as_u16(), body))
    }

    /// The text that a request gives.
    pub(crate) fn raw(
        &mut self,
        method: Method,
        url: &Url,
        accept: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Vec<u8>> {
        let is_write = method != Method::GET;
        let (code, body) = self.request(method, url, accept, content_type, body)?;
        let bytes = match body {
            Body::Whole(bytes) => bytes,
            Body::Stream(id) => {
                self.client.close(id);
                Vec::new()
            }
        };
        if (200..300).contains(&code) { Ok(bytes) } else { Err(refusal(code, &bytes, is_write)) }
    }

    /// The answer to a request for a connection, whatever its code is.
    pub(crate) fn connect(&mut self, url: &Url, input: Vec<u8>) -> Result<(u16, Vec<u8>)> {
        let (code, body) = self.request(Method::POST, url, "*/*", "", input)?;
        let Body::Whole(bytes) = body else { return Ok((code, Vec::new())) };
        Ok((code, bytes))
    }

    pub(crate) fn fetch(&mut self, url: &Url, accept: &str) -> Result<Value> {
        let bytes = self.raw(Method::GET, url, accept, "", Vec::new())?;
        parse(&bytes)
    }

    pub(crate) fn get(&mut self, url: &Url) -> Result<Value> {
        self.fetch(url, JSON)
    }

    /// A whole list, in as many requests as it takes.
    pub(crate) fn list(&mut self, url: &Url, accept: &str) -> Result<Value> {
        let mut list = self.fetch(&url.clone().with("limit", CHUNK), accept)?;
        let field = if list.str_at("kind") == Some("Table") { "rows" } else { "items" };
        while let Some(next) = list.str_at("metadata.continue").filter(|it| !it.is_empty()) {
            let page = self.fetch(&url.clone().with("limit", CHUNK).with("continue", next), accept)?;
            let items: Vec<Value> = list.list_at(field).iter().chain(page.list_at(field)).cloned().collect();
            list.set(field, items);
            list.set("metadata", page.get("metadata").cloned().unwrap_or_default());
        }
        Ok(list)
    }

    pub(crate) fn post(&mut self, url: &Url, object: &Value) -> Result<Value> {
        let bytes = self.raw(Method::POST, url, JSON, JSON, json::to_string(object).into_bytes())?;
        parse(&bytes)
    }

    pub(crate) fn put(&mut self, url: &Url, object: &Value) -> Result<Value> {
        let bytes = self.raw(Method::PUT, url, JSON, JSON, json::to_string(object).into_bytes())?;
        parse(&bytes)
    }

    pub(crate) fn patch(&mut self, url: &Url, content_type: &str, patch: &Value) -> Result<Value> {
        let bytes = self.raw(Method::PATCH, url, JSON, content_type, json::to_string(patch).into_bytes())?;
        parse(&bytes)
    }

    pub(crate) fn delete(&mut self, url: &Url, options: &Value) -> Result<Value> {
        let bytes = self.raw(Method::DELETE, url, JSON, JSON, json::to_string(options).into_bytes())?;
        parse(&bytes)
    }

    /// Opens a stream; what came at once when the answer was whole.
    pub(crate) fn open(&mut self, url: &Url, accept: &str) -> Result<std::result::Result<u64, Vec<u8>>> {
        match self.request(Method::GET, url, accept, "", Vec::new())? {
            (200..300, Body::Stream(id)) => {
                self.shell.streams.push(id);
                Ok(Ok(id))
            }
            (200..300, Body::Whole(bytes)) => Ok(Err(bytes)),
            (code, Body::Whole(bytes)) => Err(refusal(code, &bytes, false)),
            (code, Body::Stream(id)) => {
                self.client.close(id);
                Err(refusal(code, b"", false))
            }
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Value> {
    json::parse(bytes).map_err(|it| Failure::Text(it.to_string()))
}

/// The text in `299 - "text"`.
fn warning_text(header: &str) -> Option<String> {
    let quoted = header.split_once('"')?.1;
    let mut text = String::new();
    let mut chars = quoted.chars();
    while let Some(ch) = chars.next() {
        match ch {
            '"' => return Some(text),
            '\\' => text.extend(chars.next()),
            _ => text.push(ch),
        }
    }
    None
}

/// The `Status` of an answer; one of the client's own where the server sent none.
fn refusal(code: u16, bytes: &[u8], is_write: bool) -> Failure {
    if let Ok(status) = json::parse(bytes)
        && status.str_at("kind") == Some("Status")
    {
        return Failure::Status(status);
    }
    let (reason, message) = match code {
        404 => ("NotFound", "the server could not find the requested resource".to_owned()),
        405 => ("MethodNotAllowed", "the server does not allow this method on the requested resource".to_owned()),
        403 => ("Forbidden", String::from_utf8_lossy(bytes).trim().to_owned()),
        409 if is_write => ("Conflict", "the server reported a conflict".to_owned()),
        415 => (
            "UnsupportedMediaType",
            "the server was unable to respond with a content type that the client supports".into(),
        ),
        _ => ("", format!("the server responded with the status code {code} but did not return more information")),
    };
    Failure::Status(value!({"kind": "Status", "reason": reason, "message": message, "code": i64::from(code)}))
}
