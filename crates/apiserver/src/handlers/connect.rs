//! Requests that end in a container: logs, commands, ports. The cluster answers them; here stands what the API itself
//! refuses (`registry/core/pod.LogLocation`, `streamLocation`).

use http::Response;
use meta::{Object, Status};
use value::{Map, Str, Value, map};

use super::Answer;
use super::create::live;
use crate::http_types::{Body, Tunnel};
use crate::scope::Call;
use crate::server::ApiServer;

impl ApiServer {
    pub(super) fn log(&mut self, call: &mut Call) -> Answer {
        let mut options = map!({});
        for name in ["follow", "previous", "timestamps", "insecureSkipTLSVerifyBackend"] {
            if let Some(flag) = call.query.flag(name) {
                options.insert(name, flag);
            }
        }
        for name in ["sinceSeconds", "tailLines", "limitBytes"] {
            if let Some(number) = call.query.int(name).map_err(Status::bad_request)? {
                options.insert(name, number);
            }
        }
        if let Some(time) = call.query.text("sinceTime") {
            let read = value::time::parse_nanos(time);
            read.ok_or_else(|| Status::bad_request(schema::time_error(time, false)))?;
            options.insert("sinceTime", time);
        }
        if let Some(stream) = call.query.text("stream") {
            options.insert("stream", stream);
        }
        check_log_options(&options, call.name.as_deref().unwrap_or(""))?;
        let pod = live(self, call, &call.key())?;
        options.insert("container", container(call, &pod)?);
        if node_of(&pod).is_empty() {
            // A pod without a node has said nothing.
            let mut response = crate::response::bytes(204, "", Vec::new());
            response.headers_mut().remove(http::header::CONTENT_TYPE);
            return Ok(response);
        }
        let (namespace, name) = (pod.namespace().to_owned(), pod.name().to_owned());
        Ok(Response::new(Body::Tunnel(Tunnel::Log { namespace, pod: name, options: options.into() })))
    }

    pub(super) fn connect(&mut self, call: &mut Call) -> Answer {
        if call.query.get("dryRun").is_some() {
            return Err(Status::bad_request("dryRun is not supported"));
        }
        if call.sub == "proxy" {
            return self.proxy(call);
        }
        let pod = live(self, call, &call.key())?;
        let mut options = map!({});
        for name in ["stdin", "stdout", "stderr", "tty"] {
            options.insert(name, call.query.flag(name).unwrap_or(false));
        }
        let command: Vec<Value> = call.query.all("command").map(Value::from).collect();
        options.insert("command", command);
        if call.sub != "portforward" {
            options.insert("container", container(call, &pod)?);
        }
        if node_of(&pod).is_empty() {
            return Err(Status::bad_request(format!("pod {} does not have a host assigned", pod.name())));
        }
        Ok(tunnel(call.sub, &pod, options))
    }

    /// To pods, services and nodes: `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`.
    fn proxy(&mut self, call: &mut Call) -> Answer {
        let id = call.name.clone().unwrap_or_default();
        let parts: Vec<&str> = id.split(':').collect();
        let (name, port) = match parts.as_slice() {
            [name] => (*name, ""),
            [name, port] | [_, name, port] if !name.is_empty() => (*name, *port),
            _ => {
                let what = call.kind.singular();
                return Err(Status::bad_request(format!("invalid {what} request {}", meta::quoted(&id))));
            }
        };
        let port = port.to_owned();
        call.name = Some(name.into());
        if call.kind.id == kinds::SERVICE {
            return self.proxy_service(call, &id, &port);
        }
        let object = live(self, call, &call.key())?;
        if call.kind.id == kinds::POD && object.str_at("status.podIP").unwrap_or("").is_empty() {
            return Err(Status::bad_request("address not allowed"));
        }
        Ok(tunnel(call.sub, &object, map!({ "port": port })))
    }

    fn proxy_service(&mut self, call: &Call, id: &str, port: &str) -> Answer {
        let unavailable = |why: String| Err(Status::new(503, "ServiceUnavailable", why));
        let key = call.key();
        let mut port_name = port.to_owned();
        if let Ok(number) = port.parse::<i64>() {
            let service = live(self, call, &key)?;
            let found = service.list_at("spec.ports").iter().find(|it| it.i64_at("port") == Some(number));
            let Some(found) = found else {
                let name = meta::quoted(&key.name);
                return unavailable(format!("no service port {number} found for service {name}"));
            };
            port_name = found.str_at("name").unwrap_or_default().to_owned();
        }
        let endpoints = self.store.get(kinds::ENDPOINTS, &key).cloned().ok_or_else(|| call.not_found())?;
        let subsets = endpoints.list_at("subsets");
        if subsets.is_empty() {
            return unavailable(format!("no endpoints available for service {}", meta::quoted(&key.name)));
        }
        let has_port = |it: &Value| {
            it.list_at("ports").iter().any(|it| it.str_at("name").unwrap_or_default() == port_name)
                && !it.list_at("addresses").is_empty()
        };
        if !subsets.iter().any(has_port) {
            return unavailable(format!("no endpoints available for service {}", meta::quoted(id)));
        }
        Ok(tunnel(call.sub, &endpoints, map!({ "port": port })))
    }
}

fn tunnel(action: &'static str, object: &Object, options: Map) -> Response<Body> {
    let (namespace, pod) = (object.namespace().to_owned(), object.name().to_owned());
    Response::new(Body::Tunnel(Tunnel::Connect { namespace, pod, action, options: options.into() }))
}

fn node_of(pod: &Object) -> &str {
    pod.str_at("spec.nodeName").unwrap_or("")
}

/// The container that is asked for, or the only one (`validateContainer`).
fn container(call: &Call, pod: &Object) -> Result<Str, Status> {
    let names: Vec<&Str> = ["spec.initContainers", "spec.containers", "spec.ephemeralContainers"]
        .iter()
        .flat_map(|list| pod.list_at(list))
        .filter_map(|it| it.get("name")?.as_shared_str())
        .collect();
    if let Some(asked) = call.query.text("container") {
        return match names.iter().find(|it| ***it == asked) {
            Some(name) => Ok((*name).clone()),
            None => Err(Status::bad_request(format!("container {asked} is not valid for pod {}", pod.name()))),
        };
    }
    if let [one] = pod.list_at("spec.containers") {
        return Ok(one.get("name").and_then(Value::as_shared_str).cloned().unwrap_or_default());
    }
    let names: Vec<&str> = names.iter().map(|it| it.as_str()).collect();
    Err(Status::bad_request(format!(
        "a container name must be specified for pod {}, choose one of: [{}]",
        pod.name(),
        names.join(" ")
    )))
}

/// `ValidatePodLogOptions`
fn check_log_options(options: &Map, name: &str) -> Result<(), Status> {
    let mut errors = meta::Errors::new();
    let number = |key: &str| options.get(key).and_then(Value::as_i64);
    if let Some(it) = number("tailLines").filter(|it| *it < 0) {
        errors.invalid("tailLines", it, "must be greater than or equal to 0");
    }
    if let Some(it) = number("limitBytes").filter(|it| *it < 1) {
        errors.invalid("limitBytes", it, "must be greater than 0");
    }
    match (number("sinceSeconds"), options.get("sinceTime")) {
        (Some(_), Some(_)) => errors.forbidden("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified"),
        (Some(it), None) if it < 1 => errors.invalid("sinceSeconds", it, "must be greater than 0"),
        _ => (),
    }
    if options.contains_key("stream") {
        errors.forbidden("stream", "may not be specified");
    }
    if errors.is_empty() { Ok(()) } else { Err(Status::invalid("", "PodLogOptions", name, &errors)) }
}
