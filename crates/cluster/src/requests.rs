//! Simulated requests over the network: NetworkRequest objects, which are answered with the path that the request took.

use apiserver::Body;
use http::{HeaderValue, Response, StatusCode, header};
use meta::Key;
use network::{Origin, Request};
use value::{Value, json};

use crate::Cluster;

impl Cluster {
    /// Answers a NetworkRequest with its status.
    pub(crate) fn network_request(&mut self, review: &Value) -> Response<Body> {
        let text = |path: &str| review.str_at(path).unwrap_or("");
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
}

#[cfg(test)]
mod tests;
