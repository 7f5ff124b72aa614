//! Simulated requests over the network: NetworkRequest objects, which are answered with the path that the request took,
//! and what the API server passes on to pods (`proxy`).

use std::net::SocketAddr;

use apiserver::Body;
use http::{HeaderValue, Method, Response, StatusCode, header};
use kinds::{ENDPOINTS, POD, SERVICE};
use meta::{Key, Status};
use network::{Origin, Outcome, Request};
use value::{Value, json};

use crate::{Cluster, logs};

impl Cluster {
    /// Answers a NetworkRequest with its status.
    pub(crate) fn network_request(&mut self, review: &Value) -> Response<Body> {
        let text = |path: &'static str| review.str_at(path).unwrap_or("");
        let from = match (text("spec.from.pod"), text("spec.from.node")) {
            ("", "") => Origin::Outside,
            ("", node) => Origin::Node(node.into()),
            (pod, _) => {
                let namespace = text("spec.from.namespace");
                Origin::Pod(Key::new(if namespace.is_empty() { "default" } else { namespace }, pod))
            }
        };
        let request = Request {
            from,
            url: text("spec.url").into(),
            method: text("spec.method").into(),
            host: text("spec.host").into(),
            is_running: false,
        };
        let trace = network::send(&self.view(), &request, self.n_requests);
        self.n_requests += 1;
        let answer = review.with("status", trace.to_value());
        let mut response = Response::new(Body::Bytes(json::to_string(&answer).into_bytes()));
        *response.status_mut() = StatusCode::CREATED;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    /// Passes a request on to a pod or to an endpoint of a Service.
    pub(crate) fn proxy(&mut self, key: &Key, options: &Value, target: &Target) -> Response<Body> {
        let port = options.str_at("port").unwrap_or("");
        let place = match target.resource.as_str() {
            "pods" => self.place_of_pod(key, port),
            "services" => self.place_of_service(key, port),
            _ => {
                let why = "the proxy of nodes is not simulated: kubelets serve nothing here";
                return logs::failure(&Status::new(501, "NotImplemented", why));
            }
        };
        let unavailable = |why: String| logs::failure(&Status::new(503, "ServiceUnavailable", why));
        let Some(place) = place else {
            let name = meta::quoted(&key.name);
            return unavailable(format!("no endpoints available for service {name}"));
        };
        let url = format!("http://{place}{}", target.path);
        let request = Request {
            from: Origin::Server,
            url: url.into(),
            method: target.method.as_str().into(),
            host: "".into(),
            is_running: true,
        };
        let trace = network::send(&self.view(), &request, self.n_requests);
        self.n_requests += 1;
        let why = match trace.outcome {
            Outcome::Answered => {
                let mut response = Response::new(Body::Bytes(trace.body.into_bytes()));
                *response.status_mut() = StatusCode::from_u16(trace.code).unwrap_or_default();
                let plain = HeaderValue::from_static("text/plain; charset=utf-8");
                response.headers_mut().insert(header::CONTENT_TYPE, plain);
                return response;
            }
            Outcome::Refused => "connect: connection refused",
            _ => "i/o timeout",
        };
        unavailable(format!("error trying to reach service: dial tcp {place}: {why}"))
    }

    /// The address of a pod's port; its first one without a name or a number.
    fn place_of_pod(&self, key: &Key, port: &str) -> Option<SocketAddr> {
        let pod = self.api.store().get(POD, key)?;
        let ports = pod.list_at("spec.containers").iter().flat_map(|it| it.list_at("ports"));
        let number = |it: &Value| it.i64_at("containerPort").and_then(|it| u16::try_from(it).ok());
        let port = match port {
            "" => ports.filter_map(number).next().unwrap_or(80),
            port => port
                .parse()
                .ok()
                .or_else(|| ports.filter(|it| it.str_at("name") == Some(port)).filter_map(number).next())?,
        };
        Some(SocketAddr::new(pod.str_at("status.podIP")?.parse().ok()?, port))
    }

    /// One of a Service's ready endpoints.
    fn place_of_service(&self, key: &Key, port: &str) -> Option<SocketAddr> {
        let service = self.api.store().get(SERVICE, key)?;
        let by_number = |it: &&Value| it.i64_at("port").is_some_and(|it| it.to_string() == port);
        let named = service.list_at("spec.ports").iter().find(by_number);
        let name = named.map_or(port, |it| it.str_at("name").unwrap_or(""));
        let endpoints = self.api.store().get(ENDPOINTS, key)?;
        let mut places = Vec::new();
        for subset in endpoints.list_at("subsets") {
            let found = subset.list_at("ports").iter().find(|it| it.str_at("name").unwrap_or("") == name);
            let Some(port) = found.and_then(|it| u16::try_from(it.i64_at("port")?).ok()) else { continue };
            let ips = subset.list_at("addresses").iter().filter_map(|it| it.str_at("ip")?.parse().ok());
            places.extend(ips.map(|ip| SocketAddr::new(ip, port)));
        }
        let turn = self.n_requests.checked_rem(places.len() as u64)?;
        places.get(usize::try_from(turn).ok()?).copied()
    }
}

/// What of a request is left to pass on.
#[derive(Default)]
pub(crate) struct Target {
    method: Method,
    /// `pods`, `services` or `nodes`.
    resource: String,
    /// What follows `proxy`, with the query.
    path: String,
}

impl Target {
    pub fn of(request: &http::Request<Vec<u8>>) -> Target {
        let uri = request.uri();
        let Some((before, after)) = uri.path().split_once("/proxy") else { return Target::default() };
        let resource = before.rsplit('/').nth(1).unwrap_or("").to_owned();
        let query = uri.query().map_or(String::new(), |it| format!("?{it}"));
        let path = if after.is_empty() { "/" } else { after };
        Target { method: request.method().clone(), resource, path: format!("{path}{query}") }
    }
}

#[cfg(test)]
mod tests;
