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
            options.insert("sinceTime", time);
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
        let pod = live(self, call, &call.key())?;
        if call.sub == "proxy" {
            return Err(Status::bad_request("address not allowed"));
        }
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
        let (namespace, name) = (pod.namespace().to_owned(), pod.name().to_owned());
        Ok(Response::new(Body::Tunnel(Tunnel::Connect {
            namespace,
            pod: name,
            action: call.sub,
            options: options.into(),
        })))
    }
}

fn node_of(pod: &Object) -> &str {
    pod.str_at("spec.nodeName").unwrap_or("")
}

/// The container that is asked for, or the only one.
fn container(call: &Call, pod: &Object) -> Result<Str, Status> {
    let names = |list: &str| -> Vec<Str> {
        pod.list_at(list).iter().filter_map(|it| it.get("name")?.as_shared_str().cloned()).collect()
    };
    let (inits, mains, ephemeral) =
        (names("spec.initContainers"), names("spec.containers"), names("spec.ephemeralContainers"));
    if let Some(asked) = call.query.text("container") {
        let known = inits.iter().chain(&mains).chain(&ephemeral).any(|it| *it == asked);
        return if known {
            Ok(asked.into())
        } else {
            Err(Status::bad_request(format!("container {asked} is not valid for pod {}", pod.name())))
        };
    }
    if let [one] = mains.as_slice() {
        return Ok(one.clone());
    }
    if let Some(default) =
        pod.meta.annotation("kubectl.kubernetes.io/default-container").filter(|it| mains.iter().any(|name| name == it))
    {
        return Ok(default.into());
    }
    let shown = |list: &[Str]| list.iter().map(Str::as_str).collect::<Vec<_>>().join(" ");
    let mut all = inits;
    all.extend(mains);
    let mut message =
        format!("a container name must be specified for pod {}, choose one of: [{}]", pod.name(), shown(&all));
    if !ephemeral.is_empty() {
        message.push_str(&format!(" or one of the ephemeral containers: [{}]", shown(&ephemeral)));
    }
    Err(Status::bad_request(message))
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
    if errors.is_empty() { Ok(()) } else { Err(Status::invalid("", "PodLogOptions", name, &errors)) }
}
