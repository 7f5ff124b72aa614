//! From a request to its answer: which resource, which verb, and the words for what is not allowed.

mod change;
mod connect;
mod create;
mod read;
mod remove;

use http::{Method, Request, Response};
use meta::Status;
use sim::Instant;
use value::{Str, json};

use crate::http_types::Body;
use crate::negotiate::{self, Format};
use crate::query::Query;
use crate::requests::RequestTarget;
use crate::route::{self, Route, Target};
use crate::scope::{self, Call, Client};
use crate::server::ApiServer;
use crate::user::User;
use crate::{documents, protobuf, response};

pub(crate) use self::change::same_name;

/// What every handler answers.
type Answer = Result<Response<Body>, Status>;

/// Bodies larger than this are refused (`MaxRequestBodyBytes`).
const BODY_MAX: usize = 3 * 1024 * 1024;

impl ApiServer {
    /// Answers a request. A failure is an answer, too: its body is a `Status`.
    pub fn handle(&mut self, now: Instant, request: Request<Vec<u8>>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let header =
            |name: &str| parts.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
        let client = Client {
            accept: header("accept"),
            content_type: header("content-type"),
            user_agent: header("user-agent"),
            user: User::of(&parts.headers),
        };
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let path = parts.uri.path();
        let format = negotiate::for_status(&client.accept, negotiate::pretty(&query, &client.user_agent));
        let caller = client.caller();
        let (verb, answer) = match route::parse(path) {
            None => ("get", Err(Status::bad_request(format!("invalid URL escape in {}", meta::quoted(path))))),
            Some(Route::Resource(target)) => self.resource(now, &parts.method, target, query, client, body),
            Some(_) if !matches!(parts.method, Method::GET | Method::HEAD) => ("get", Err(route::method_not_allowed())),
            Some(route) => ("get", Ok(documents::answer(self, &route, path, &query, &parts.headers))),
        };
        let mut response = answer.unwrap_or_else(|status| response::status(format, &status));
        response::sign(&mut response, self.requests.count());
        let target = RequestTarget::Path(match parts.uri.query() {
            Some(query) => format!("{path}?{query}").into(),
            None => path.into(),
        });
        let revision = self.store.revision();
        self.requests.push(now, &caller, verb, target, response.status().as_u16(), revision);
        response
    }

    fn resource(
        &mut self,
        now: Instant,
        method: &Method,
        target: Target,
        query: Query,
        client: Client,
        body: Vec<u8>,
    ) -> (&'static str, Answer) {
        // Everything under a known group is answered by its routes.
        if !self.registry.has_group(&target.group) {
            return ("get", Ok(response::not_found()));
        }
        let (served, sub) = match scope::resolve(&self.registry, &target) {
            Ok(it) => it,
            Err(status) => return ("get", Err(status)),
        };
        let shared = |it: Option<String>| it.map(Str::from);
        let mut call = Call {
            now,
            served: served.served.copied(),
            kind: served.kind,
            namespace: shared(target.namespace),
            name: shared(target.name),
            sub,
            query,
            client,
            body,
            is_watch: target.is_watch,
            warnings: Vec::new(),
        };
        let verb = match verb(&call, method) {
            Ok(verb) => verb,
            Err(status) => return ("get", Err(status)),
        };
        call.warnings.extend(deprecation(call.kind, call.served.is_none()).map(str::to_owned));
        let mut answer = self.call(&mut call, verb);
        if let Ok(response) = &mut answer {
            response::warn(response, &call.warnings);
        }
        let warned = answer.unwrap_or_else(|status| {
            let mut response = response::status(call.status_format(), &status);
            response::warn(&mut response, &call.warnings);
            response
        });
        let shown =
            if verb == "list" && (call.is_watch || call.query.flag("watch") == Some(true)) { "watch" } else { verb };
        (shown, Ok(warned))
    }

    fn call(&mut self, call: &mut Call, verb: &'static str) -> Answer {
        check_timeout(&call.query)?;
        if call.name.is_some() && matches!(call.sub, "" | "status") && verb != "update" {
            check_name(call.name.as_deref().unwrap_or(""))?;
        }
        if verb != "patch" && negotiate::is_protobuf(&call.client.content_type) && !call.body.is_empty() {
            let tree = protobuf::read(&call.body).map_err(Status::bad_request)?;
            call.body = json::to_string(&tree).into_bytes();
            call.client.content_type = "application/json".to_owned();
        }
        match (call.sub, verb) {
            ("" | "status" | "approval" | "ephemeralcontainers" | "resize", "get") => self.get(call),
            ("", "list") => self.list_or_watch(call),
            ("", "create") => self.create(call),
            ("" | "status" | "approval" | "ephemeralcontainers" | "resize" | "finalize", "update") => self.update(call),
            ("" | "status" | "approval" | "ephemeralcontainers" | "resize", "patch") => self.patch(call),
            ("", "delete") => self.delete(call),
            ("", "deletecollection") => self.delete_collection(call),
            ("scale", "get") => self.get_scale(call),
            ("scale", "update") => self.update_scale(call),
            ("scale", "patch") => self.patch_scale(call),
            ("binding", "create") => self.create_binding(call),
            ("eviction", "create") => self.create_eviction(call),
            ("log", "get") => self.log(call),
            ("exec" | "attach" | "portforward" | "proxy", _) => self.connect(call),
            ("token", "create") => self.create_token(call),
            _ => Err(route::method_not_allowed()),
        }
    }
}

/// What every request for a deprecated kind is told (`deprecation.WarningMessage`).
fn deprecation(kind: &kinds::Kind, is_stored_version: bool) -> Option<&'static str> {
    match kind.id {
        kinds::COMPONENT_STATUS => Some("v1 ComponentStatus is deprecated in v1.19+"),
        kinds::ENDPOINTS if is_stored_version => {
            Some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice")
        }
        _ => None,
    }
}

/// What a method means here (`RequestInfo` and the routes of the installer).
fn verb(call: &Call, method: &Method) -> Result<&'static str, Status> {
    let names = call.kind.verbs.names();
    let all_namespaces = call.kind.is_namespaced() && call.namespace.is_none();
    if call.is_watch {
        let may = *method == Method::GET && names.contains(&"watch") && call.sub.is_empty();
        return if may { Ok("list") } else { Err(route::method_not_allowed()) };
    }
    let verb = match (method.as_str(), &call.name, call.sub) {
        ("GET", None, _) => "list",
        // The old paths watch single objects, too.
        ("GET" | "HEAD", Some(_), "") if call.is_watch => "list",
        ("POST", None, _) if !all_namespaces => "create",
        ("DELETE", None, _) if !all_namespaces => "deletecollection",
        ("GET", Some(_), _) => "get",
        ("PUT", Some(_), _) => "update",
        ("PATCH", Some(_), _) => "patch",
        ("DELETE", Some(_), _) => "delete",
        ("POST", Some(_), sub) if !sub.is_empty() => "create",
        _ => return Err(route::method_not_allowed()),
    };
    let allowed = match call.sub {
        "" => names.contains(&verb),
        sub => call.kind.subresources.iter().any(|it| it.name == sub && it.verbs.contains(&verb)),
    };
    if !allowed {
        return Err(route::method_not_allowed());
    }
    if verb == "patch" {
        let mime = call.client.content_type.split(';').next().unwrap_or_default().trim();
        if !crate::patch::is_patch_type(mime) {
            return Err(negotiate::unsupported_route());
        }
    }
    Ok(verb)
}

/// A duration that the server cannot read is refused; how long an answer takes is not simulated.
fn check_timeout(query: &Query) -> Result<(), Status> {
    let Some(text) = query.text("timeout") else { return Ok(()) };
    let bad = |why: String| Status::bad_request(format!("invalid timeout specified in the request URL - {why}"));
    kinds::parse_duration(text).map(|_| ()).map_err(bad)
}

/// Names are parts of the paths of the real storage.
fn check_name(name: &str) -> Result<(), Status> {
    let problems = meta::names::path_segment_name(name);
    if problems.is_empty() {
        return Ok(());
    }
    Err(Status::bad_request(format!("Name parameter invalid: {}: {}", meta::quoted(name), problems.join(";"))))
}

/// The body must not be larger than the server reads.
fn check_size(call: &Call) -> Result<(), Status> {
    if call.body.len() <= BODY_MAX {
        return Ok(());
    }
    let why = format!("Request entity too large: limit is {BODY_MAX}");
    Err(Status::new(413, "RequestEntityTooLarge", why))
}

/// The client's format for one object, and how it is shaped.
fn media(call: &Call) -> Result<negotiate::Media, Status> {
    negotiate::resource(&call.client.accept, false, call.pretty())
}

/// The format of an answer that is no object of the kind, such as a `Status`.
fn format(call: &Call) -> Format {
    call.status_format()
}
