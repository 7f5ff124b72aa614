//! Manifests at the start: each is applied through the API, as `kubectl apply --server-side` does.

use cluster::Body;
use http::{Method, Request, Response};
use value::{Value, json};

/// Answers requests one after the other.
pub(crate) type Ask<'a> = &'a mut dyn FnMut(Request<Vec<u8>>) -> Response<Vec<u8>>;

/// Applies one manifest, or each item of a list.
///
/// # Errors
/// One line in the server's words.
pub(crate) fn apply(ask: Ask<'_>, manifest: &Value) -> Result<(), String> {
    if manifest.str_at("kind") == Some("List") {
        return manifest.list_at("items").iter().try_for_each(|it| apply(ask, it));
    }
    let name = manifest.str_at("metadata.name").unwrap_or("");
    let path = path(ask, manifest)?;
    let uri = format!("{path}/{name}?fieldManager=drydock&force=true");
    let request = request(Method::PATCH, &uri, "application/apply-patch+yaml", json::to_string(manifest).into_bytes());
    let (parts, body) = ask(request).into_parts();
    if parts.status.is_success() {
        return Ok(());
    }
    let message = json::parse(&body).ok().and_then(|it| it.str_at("message").map(str::to_owned));
    Err(message.unwrap_or_else(|| format!("{} {name}: {}", manifest.str_at("kind").unwrap_or(""), parts.status)))
}

/// Where the manifest's kind is served, in its namespace.
fn path(ask: Ask<'_>, manifest: &Value) -> Result<String, String> {
    let version = manifest.str_at("apiVersion").unwrap_or("");
    let kind = manifest.str_at("kind").unwrap_or("");
    let root = if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
    let answer = ask(request(Method::GET, &root, "", Vec::new()));
    let list = json::parse(answer.body()).unwrap_or_default();
    let is_it = |it: &&Value| it.str_at("kind") == Some(kind) && it.str_at("name").is_some_and(|it| !it.contains('/'));
    let resource = list.list_at("resources").iter().find(is_it);
    let resource = resource
        .ok_or_else(|| format!("no matches for kind \"{kind}\" in version \"{version}\"; is the kind right?"))?;
    let plural = resource.str_at("name").unwrap_or("");
    Ok(match resource.bool_at("namespaced") {
        Some(true) => {
            let namespace = manifest.str_at("metadata.namespace").unwrap_or("default");
            format!("{root}/namespaces/{namespace}/{plural}")
        }
        _ => format!("{root}/{plural}"),
    })
}

/// A request with a body of this type.
fn request(method: Method, uri: &str, content_type: &str, body: Vec<u8>) -> Request<Vec<u8>> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri.parse().unwrap_or_default();
    let headers = request.headers_mut();
    headers.insert(http::header::ACCEPT, http::HeaderValue::from_static("application/json"));
    headers.insert(http::header::USER_AGENT, http::HeaderValue::from_static("drydock"));
    if let Ok(it) = http::HeaderValue::from_str(content_type)
        && !content_type.is_empty()
    {
        headers.insert(http::header::CONTENT_TYPE, it);
    }
    request
}

/// An answer as bytes: streams are of no use here.
pub(crate) fn bytes(response: Response<Body>) -> Response<Vec<u8>> {
    response.map(|it| match it {
        Body::Bytes(bytes) => bytes,
        _ => Vec::new(),
    })
}
