//! A cluster and requests to it, in few words.

use cluster::{Body, Cluster, Config, Duration};

/// Turns in one call to the engine: a run must not depend on it.
const BUDGET_TURNS: u32 = 1_000;
/// Calls for one wait; more means that the engine never comes to rest.
const ADVANCES_MAX: u32 = 1_000_000;

/// A cluster that somebody works with.
pub struct Session {
    pub cluster: Cluster,
}

impl Session {
    pub fn new(config: &Config) -> Session {
        Session { cluster: Cluster::new(config) }
    }

    /// Sends a JSON body, or none if it is empty; gives status code and body of the answer.
    pub fn send(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let request = http::Request::builder().method(method).uri(path).header("content-type", kind);
        let Ok(request) = request.body(body.as_bytes().to_vec()) else {
            return (0, format!("{method} {path} is no request"));
        };
        let answer = self.cluster.handle(request);
        let code = answer.status().as_u16();
        match answer.into_body() {
            Body::Bytes(bytes) => (code, String::from_utf8_lossy(&bytes).into_owned()),
            _ => (code, String::new()),
        }
    }

    /// Lets virtual time pass.
    pub fn wait(&mut self, duration: Duration) {
        let until = self.cluster.now() + duration;
        let rested = (0..ADVANCES_MAX).any(|_| self.cluster.advance(until, BUDGET_TURNS).done);
        assert!(rested, "the engine never came to rest");
    }
}
