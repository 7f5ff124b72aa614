//! The last requests, for whoever wants to see who asked for what: not stored, no revisions.

use std::collections::VecDeque;

use meta::{Key, KindId, Revision, Status};
use sim::Instant;
use value::{Str, Value, time, value};

use crate::{ApiServer, Caller, Cause};

/// Requests remembered.
const REQUESTS_MAX: usize = 2_000;

/// One request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiRequest {
    /// Counts from 1.
    pub number: u64,
    pub at: Instant,
    pub component: Str,
    pub user: Str,
    pub verb: &'static str,
    pub target: RequestTarget,
    pub code: u16,
    pub cause: Option<Cause>,
    /// The store's revision afterwards: what is newer than after the request before was written by this one.
    pub revision: Revision,
}

/// What was asked for: actors name objects, HTTP names paths.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RequestTarget {
    Object { kind: KindId, key: Key, sub: &'static str },
    Path(Str),
}

/// The ring of them.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    ring: VecDeque<ApiRequest>,
    n_requests: u64,
    /// In no order: there are few.
    totals: Vec<((&'static str, u16), u64)>,
}

impl Requests {
    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &ApiRequest> {
        self.ring.iter()
    }

    /// How many requests there have been since the beginning.
    pub fn count(&self) -> u64 {
        self.n_requests
    }

    /// How many requests each verb and code have had.
    pub(crate) fn totals(&self) -> Vec<((&'static str, u16), u64)> {
        let mut totals = self.totals.clone();
        totals.sort();
        totals
    }

    /// Remembers a request.
    pub(crate) fn push(
        &mut self,
        now: Instant,
        caller: &Caller,
        verb: &'static str,
        target: RequestTarget,
        code: u16,
        revision: Revision,
    ) {
        self.n_requests += 1;
        match self.totals.iter_mut().find(|((its_verb, its_code), _)| *its_code == code && *its_verb == verb) {
            Some((_, n_requests)) => *n_requests += 1,
            None => self.totals.push(((verb, code), 1)),
        }
        if self.ring.len() == REQUESTS_MAX {
            self.ring.pop_front();
        }
        let Caller { component, user, cause, .. } = caller;
        self.ring.push_back(ApiRequest {
            number: self.n_requests,
            at: now,
            component: component.clone(),
            user: user.clone(),
            verb,
            target,
            code,
            cause: cause.clone(),
            revision,
        });
    }
}

impl ApiServer {
    /// Remembers a call of an actor.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn note<T>(
        &mut self,
        now: Instant,
        caller: &Caller,
        verb: &'static str,
        kind: KindId,
        key: &Key,
        sub: &'static str,
        res: &Result<T, Status>,
    ) {
        let code = match res {
            Ok(_) if verb == "create" => 201,
            Ok(_) => 200,
            Err(status) => status.code,
        };
        let target = RequestTarget::Object { kind, key: key.clone(), sub };
        self.requests.push(now, caller, verb, target, code, self.store.revision());
    }

    /// The last requests.
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// The path of a request. What is created is sent to where its kind lives.
    pub fn request_path(&self, request: &ApiRequest) -> Str {
        match &request.target {
            RequestTarget::Path(path) => path.clone(),
            RequestTarget::Object { kind, key, sub: "" } if request.verb == "create" => {
                self.path_of(*kind, &Key::new(&key.namespace, ""), "").into()
            }
            RequestTarget::Object { kind, key, sub } => self.path_of(*kind, key, sub).into(),
        }
    }

    /// The path of an object.
    pub fn path_of(&self, kind: KindId, key: &Key, sub: &str) -> String {
        let Some(kind) = self.registry.get(kind) else { return String::new() };
        let mut path = if kind.group.is_empty() { "/api/".to_owned() } else { format!("/apis/{}/", kind.group) };
        path.push_str(kind.version);
        if kind.is_namespaced() && !key.namespace.is_empty() {
            path.push_str("/namespaces/");
            path.push_str(&key.namespace);
        }
        for part in [kind.plural, &*key.name, sub] {
            if !part.is_empty() {
                path.push('/');
                path.push_str(part);
            }
        }
        path
    }

    /// The `status` of an APIRequest object.
    pub fn request_status(&self, request: &ApiRequest) -> Value {
        let mut status = value!({
            "code": i64::from(request.code), "component": &request.component, "path": self.request_path(request),
            "time": time::format_micros(request.at.nanos()), "user": &request.user, "verb": request.verb,
        });
        if let Some(cause) = &request.cause {
            let kind = self.registry.get(cause.kind).map_or("", |it| it.kind);
            let cause = value!({
                "kind": Str::literal(kind), "name": &cause.key.name, "namespace": &cause.key.namespace, "resourceVersion": cause.revision.text(),
            });
            status.set("cause", cause);
        }
        status
    }
}
