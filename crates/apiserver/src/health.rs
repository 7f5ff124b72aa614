//! What is served beside the API: `/version`, health checks, metrics, the list of paths (`server/healthz`, `server/routes`).

use std::fmt::Write;

use kinds::api_version;
use meta::{Status, quoted};
use value::{Value, json, value};

use crate::query::Query;
use crate::{ApiServer, discovery, negotiate};

/// The version that is emulated.
const VERSION: [(&str, &str); 13] = [
    ("major", "1"),
    ("minor", "36"),
    ("emulationMajor", "1"),
    ("emulationMinor", "36"),
    ("minCompatibilityMajor", "1"),
    ("minCompatibilityMinor", "35"),
    ("gitVersion", "v1.36.2"),
    ("gitCommit", "$Format:%H$"),
    ("gitTreeState", ""),
    ("buildDate", "1970-01-01T00:00:00Z"),
    ("goVersion", "go1.26.6"),
    ("compiler", "gc"),
    ("platform", "linux/amd64"),
];

/// Endpoints of health and what they check. All is well as long as there is an answer.
const CHECKS: [(&str, &[&str]); 3] = [
    ("healthz", &["ping", "log", "etcd"]),
    ("livez", &["ping", "log", "etcd"]),
    ("readyz", &["ping", "log", "etcd", "etcd-readiness", "informer-sync", "shutdown"]),
];

/// The type of sets of keys.
pub(crate) const KEYS: &str = "application/jwk-set+json";

pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

/// An answer that is no API object.
pub(crate) struct Plain {
    pub code: u16,
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
    /// Browsers must not guess another type.
    pub nosniff: bool,
}

impl Plain {
    fn text(text: impl Into<String>) -> Plain {
        Plain { code: 200, content_type: TEXT, bytes: text.into().into_bytes(), nosniff: true }
    }

    fn json(bytes: Vec<u8>) -> Plain {
        Plain { code: 200, content_type: "application/json", bytes, nosniff: false }
    }

    /// What Go's mux answers.
    pub fn not_found() -> Plain {
        Plain { code: 404, ..Plain::text("404 page not found\n") }
    }
}

/// Answers a GET of a path that is not under `/api`, `/apis` or `/openapi`.
///
/// # Errors
/// 406 where a path has a fixed type that the client does not take.
pub(crate) fn answer(api: &ApiServer, path: &str, query: &Query, accept: &str) -> Result<Plain, Status> {
    match path {
        "/version" | "/version/" => {
            negotiate::check_route(accept, &["application/json"])?;
            return Ok(Plain::json(version()));
        }
        "/" | "" => return Ok(Plain::json(root(api))),
        "/.well-known/openid-configuration" => return Ok(Plain::json(issuer())),
        // Tokens are made up here and signed by nobody.
        "/openid/v1/jwks" => return Ok(Plain { content_type: KEYS, ..Plain::json(b"{\"keys\":[]}".to_vec()) }),
        "/metrics" => {
            let content_type = "text/plain; version=0.0.4; charset=utf-8";
            return Ok(Plain { content_type, nosniff: false, ..Plain::text(metrics(api)) });
        }
        _ => (),
    }
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    let (name, check) = (parts.next().unwrap_or_default(), parts.next());
    let Some((name, checks)) = CHECKS.into_iter().find(|(it, _)| *it == name) else { return Ok(Plain::not_found()) };
    Ok(match check {
        None => Plain::text(health(name, checks, query)),
        Some(check) if checks.contains(&check) => Plain::text("ok"),
        Some(_) => Plain::not_found(),
    })
}

fn health(name: &str, checks: &[&str], query: &Query) -> String {
    if query.get("verbose").is_none() {
        return "ok".to_owned();
    }
    let mut excluded: Vec<&str> = query.all("exclude").collect();
    let mut text = String::new();
    for check in checks {
        let how = if excluded.contains(check) { "excluded: ok" } else { "ok" };
        excluded.retain(|it| it != check);
        text.push_str(&format!("[+]{check} {how}\n"));
    }
    if !excluded.is_empty() {
        excluded.sort_unstable();
        let excluded: Vec<String> = excluded.into_iter().map(quoted).collect();
        text.push_str(&format!(
            "warn: some health checks cannot be excluded: no matches for {}\n",
            excluded.join(", ")
        ));
    }
    text.push_str(&format!("{name} check passed\n"));
    text
}

/// Indented, in the order of the fields of `version.Info`.
fn version() -> Vec<u8> {
    let lines: Vec<String> = VERSION.iter().map(|(key, text)| format!("  {}: {}", quoted(key), quoted(text))).collect();
    format!("{{\n{}\n}}", lines.join(",\n")).into_bytes()
}

/// Who says who service accounts are.
fn issuer() -> Vec<u8> {
    let issuer = "https://kubernetes.default.svc.cluster.local";
    let document = value!({
        "id_token_signing_alg_values_supported": ["RS256"], "issuer": issuer, "jwks_uri": format!("{issuer}/openid/v1/jwks"),
        "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
    });
    json::to_string(&document).into_bytes()
}

fn root(api: &ApiServer) -> Vec<u8> {
    let mut paths: Vec<String> = [
        "/.well-known/openid-configuration",
        "/api",
        "/api/v1",
        "/apis",
        "/metrics",
        "/openapi/v2",
        "/openapi/v3",
        "/openid/v1/jwks",
        "/version",
    ]
    .map(str::to_owned)
    .to_vec();
    for group in discovery::groups(&api.registry) {
        paths.push(format!("/apis/{}", group.name));
        paths.extend(group.versions.iter().map(|it| format!("/apis/{}", api_version(&group.name, it))));
    }
    for (name, checks) in CHECKS {
        paths.push(format!("/{name}"));
        paths.extend(checks.iter().map(|it| format!("/{name}/{it}")));
    }
    paths.sort_unstable();
    let paths: Vec<Value> = paths.into_iter().map(Value::from).collect();
    json::to_string_pretty(&value!({ "paths": paths }), "  ").into_bytes()
}

/// Counters in the text form of Prometheus.
fn metrics(api: &ApiServer) -> String {
    let mut text = String::new();
    let head = |text: &mut String, name: &str, kind: &str, help: &str| {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    };
    head(&mut text, "apiserver_request_total", "counter", "Requests so far, by verb and code of the answer.");
    for ((verb, code), n_requests) in api.requests.totals() {
        let verb = verb.to_ascii_uppercase();
        // Writing to a text does not fail.
        writeln!(text, "apiserver_request_total{{code=\"{code}\",verb=\"{verb}\"}} {n_requests}").ok();
    }
    head(&mut text, "apiserver_resource_objects", "gauge", "Stored objects, by resource.");
    for kind in api.registry.all() {
        let (group, resource): (&str, &str) = (kind.group, kind.plural);
        let n_objects = api.store_of(kind).len(kind.id);
        writeln!(text, "apiserver_resource_objects{{group=\"{group}\",resource=\"{resource}\"}} {n_objects}").ok();
    }
    text
}
