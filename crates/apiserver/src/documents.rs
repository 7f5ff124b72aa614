//! Answers that are about the API and not about objects: discovery, OpenAPI, health, metrics.

use http::header::{ACCEPT, IF_NONE_MATCH, USER_AGENT};
use http::{HeaderMap, HeaderName, Response};
use meta::Status;
use value::Value;

use crate::discovery::Document;
use crate::health;
use crate::http_types::Body;
use crate::negotiate::{self, JSON};
use crate::query::Query;
use crate::response::{self, set};
use crate::route::{self, Route};
use crate::{ApiServer, discovery, openapi};

/// The other form of OpenAPI version 2, by its new and its old name.
const PROTOBUF: [&str; 2] =
    ["com.github.proto-openapi.spec.v2.v1.0+protobuf", "com.github.proto-openapi.spec.v2@v1.0+protobuf"];
/// Until when a document may be kept whose address names its content. Virtual time may be behind the client's.
const FAR_OFF: &str = "Thu, 31 Dec 2099 23:59:59 UTC";

/// Who asks, as far as the form of an answer is concerned.
struct Client<'a> {
    accept: &'a str,
    if_none_match: &'a str,
    pretty: bool,
}

/// Answers a GET of anything but resources. `path` is as it was in the request.
pub(crate) fn answer(
    api: &mut ApiServer,
    route: &Route,
    path: &str,
    query: &Query,
    headers: &HeaderMap,
) -> Response<Body> {
    let text = |name: HeaderName| headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let client = Client {
        accept: text(ACCEPT),
        if_none_match: text(IF_NONE_MATCH),
        pretty: negotiate::pretty(query, text(USER_AGENT)),
    };
    let res = match route {
        Route::CoreVersions => all(api, true, &client),
        Route::Groups => all(api, false, &client),
        Route::Group(name) => object(discovery::one_group(&api.registry, name), &client),
        Route::Version { group, version } => match discovery::resource_list(&api.registry, group, version) {
            None if api.registry.has_group(group) => Err(route::unknown()),
            list => object(list, &client),
        },
        _ => match path.strip_prefix("/openapi") {
            Some(rest) => Ok(open_api(api, rest.trim_end_matches('/'), query, &client)),
            None => health::answer(api, path, query, client.accept).map(response::plain),
        },
    };
    res.unwrap_or_else(|status| failure(&status, &client))
}

fn failure(status: &Status, client: &Client<'_>) -> Response<Body> {
    let format = negotiate::for_status(client.accept, client.pretty);
    response::status(format, status)
}

/// A document of discovery; where there is none, what Go's mux says.
fn object(value: Option<Value>, client: &Client<'_>) -> Result<Response<Body>, Status> {
    let Some(value) = value else { return Ok(response::not_found()) };
    let format = negotiate::resource(client.accept, false, client.pretty)?.format;
    Ok(response::value(200, format, &value))
}

/// `/api` or `/apis`, for new clients with everything below.
fn all(api: &mut ApiServer, core: bool, client: &Client<'_>) -> Result<Response<Body>, Status> {
    let Some(version) = negotiate::aggregated(client.accept) else {
        let value = if core { discovery::core_versions() } else { discovery::group_list(&api.registry) };
        return object(Some(value), client);
    };
    let name = format!("{}/{version}", if core { "api" } else { "apis" });
    let registry = &api.registry;
    let document = api.cache.get(&name, &mut || discovery::aggregated(registry, core, version));
    let content_type = format!("{JSON};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
    let mut res = cached(&document, &content_type, client);
    set(&mut res, "vary", "Accept");
    set(&mut res, "cache-control", "public");
    Ok(res)
}

/// A document, or 304 where the client has it already.
fn cached(document: &Document, content_type: &str, client: &Client<'_>) -> Response<Body> {
    let tag = format!("\"{}\"", document.hash);
    let known = client.if_none_match.split(',').any(|it| it.trim() == tag);
    let mut res = match known {
        true => response::bytes(304, "", Vec::new()),
        false => response::bytes(200, content_type, document.bytes.to_vec()),
    };
    set(&mut res, "etag", &tag);
    res
}

/// Marks an answer whose form depends on what the client takes.
fn varying(mut res: Response<Body>) -> Response<Body> {
    set(&mut res, "vary", "Accept");
    res
}

/// What follows `/openapi`.
fn open_api(api: &mut ApiServer, path: &str, query: &Query, client: &Client<'_>) -> Response<Body> {
    let (registry, schema) = (&api.registry, &api.schema);
    if path == "/v3" {
        return cached(&openapi::index(&mut api.cache, registry, schema), JSON, client);
    }
    let name = path.strip_prefix("/v3/");
    if path != "/v2" && name.is_none() {
        return response::not_found();
    }
    if !negotiate::accepts(client.accept, "json") {
        if name.is_none() && PROTOBUF.iter().any(|it| negotiate::accepts(client.accept, it)) {
            let document = openapi::whole_binary(&mut api.cache, registry, schema);
            return varying(cached(&document, &format!("application/{}", PROTOBUF[0]), client));
        }
        // Version 3 is served as JSON only.
        return response::bytes(406, "", Vec::new());
    }
    let Some(name) = name else {
        let document = openapi::whole(&mut api.cache, registry, schema);
        return varying(cached(&document, JSON, client));
    };
    let Some(document) = openapi::document(&mut api.cache, registry, schema, name) else {
        return response::bytes(404, "", Vec::new());
    };
    let hash = query.text("hash");
    let mut res = match hash {
        Some(hash) if hash != document.hash.as_str() => {
            let mut res = response::bytes(301, JSON, Vec::new());
            set(&mut res, "location", &openapi::address(name, &document.hash));
            res
        }
        _ => cached(&document, JSON, client),
    };
    set(&mut res, "vary", "Accept");
    if hash == Some(document.hash.as_str()) {
        set(&mut res, "cache-control", "public, immutable");
        set(&mut res, "expires", FAR_OFF);
    }
    res
}
