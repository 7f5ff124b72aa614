//! The path of a request through the cluster: names, Services, endpoints, policies, nodes, in words.
//!
//! A function of the objects and of a number that chooses between equals. Changes nothing, and knows no packets:
//! a request is asked for, and each step says what a real cluster would do with it and because of which object.

mod address;
mod clients;
mod dns;
mod endpoints;
mod ingress;
mod nodes;
mod pods;
mod policy;
mod services;
mod url;
mod walk;

use std::net::IpAddr;

use meta::{Key, Object};
use runtime::View;
use value::{Str, Value, value};

pub use self::clients::client;
pub use self::dns::Answer;
pub use self::url::Url;

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Origin {
    Pod(Key),
    Node(Str),
    /// The API server, on behalf of a client.
    Server,
    /// Somebody who is in no network of the cluster.
    #[default]
    Outside,
}

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    pub from: Origin,
    pub url: Str,
    /// Empty: `GET`.
    pub method: Str,
    /// The `Host` header; empty: the URL's host.
    pub host: Str,
    /// Whether the sender runs for sure, though its pod may not say so yet.
    pub is_running: bool,
}

/// How a request ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// There was an answer over HTTP.
    Answered,
    /// The name resolves to nothing.
    NameNotFound,
    /// The name could not be asked for.
    NameTimedOut,
    Refused,
    TimedOut,
    /// Nothing was sent: the request makes no sense, or there is nobody to send it.
    NotSent,
}

impl Outcome {
    /// A word for machines.
    pub fn reason(self) -> &'static str {
        match self {
            Outcome::Answered => "Answered",
            Outcome::NameNotFound => "NameNotFound",
            Outcome::NameTimedOut => "NameTimedOut",
            Outcome::Refused => "ConnectionRefused",
            Outcome::TimedOut => "ConnectionTimedOut",
            Outcome::NotSent => "NotSent",
        }
    }
}

/// One thing that happened on the way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// `DNS`, `Address`, `Ingress`, `Service`, `Endpoint`, `Policy`, `Node`, `Container` or `Answer`.
    pub stage: &'static str,
    /// A sentence.
    pub message: String,
    /// The object that decided it: its kind, namespace and name.
    pub object: Option<(&'static str, Key)>,
    /// Whether the request ended here without an answer.
    pub failed: bool,
}

/// The whole path, and what came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trace {
    pub outcome: Outcome,
    /// The code of the answer; 0 without one.
    pub code: u16,
    pub body: String,
    /// Where a redirection points to; empty without one.
    pub location: String,
    /// The address and port to which the client connected.
    pub address: Option<(IpAddr, u16)>,
    /// The pod that answered or refused.
    pub pod: Option<Key>,
    /// The node of that pod.
    pub node: Str,
    pub steps: Vec<Step>,
}

/// Sends a request. `turn` counts requests: who chooses between equals takes the next one each time.
pub fn send(view: &View<'_>, request: &Request, turn: u64) -> Trace {
    walk::walk(view, request, turn)
}

/// Asks for the addresses of a name as `from` does.
pub fn resolve(view: &View<'_>, from: &Origin, name: &str) -> Answer {
    walk::resolve(view, from, name)
}

/// `/etc/resolv.conf` and `/etc/hosts` of a pod's containers.
pub fn files(pod: &Object) -> (String, String) {
    let resolver = dns::Resolver::of(pod);
    (resolver.file(), resolver.hosts_file())
}

impl Trace {
    /// As the status of a NetworkRequest.
    pub fn to_value(&self) -> Value {
        let steps: Vec<Value> = self.steps.iter().map(Step::to_value).collect();
        let mut res = value!({ "outcome": self.outcome.reason(), "steps": steps });
        if self.outcome == Outcome::Answered {
            res.set("code", i64::from(self.code));
            res.set("body", self.body.as_str());
        }
        if !self.location.is_empty() {
            res.set("location", self.location.as_str());
        }
        if let Some((ip, port)) = self.address {
            res.set("address", std::net::SocketAddr::new(ip, port).to_string());
        }
        if let Some(pod) = &self.pod {
            res.set("pod", value!({ "name": &pod.name, "namespace": &pod.namespace }));
        }
        if !self.node.is_empty() {
            res.set("node", &self.node);
        }
        res
    }
}

impl Step {
    fn to_value(&self) -> Value {
        let mut res = value!({ "message": self.message.as_str(), "stage": self.stage });
        if let Some((kind, key)) = &self.object {
            let mut object = value!({ "kind": *kind, "name": &key.name });
            if !key.namespace.is_empty() {
                object.set("namespace", &key.namespace);
            }
            res.set("object", object);
        }
        if self.failed {
            res.set("failed", true);
        }
        res
    }
}

#[cfg(test)]
mod tests;
