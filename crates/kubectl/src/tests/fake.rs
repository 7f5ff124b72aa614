//! A server of a few canned answers that writes down what it was asked.

use std::collections::VecDeque;

use value::{Value, json};

use crate::{Body, Client, Input, Output};

const DISCOVERY: &str = r#"{"kind": "APIGroupDiscoveryList", "items": [
    {"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": [
        {"resource": "configmaps", "responseKind": {"kind": "ConfigMap"}, "scope": "Namespaced", "shortNames": ["cm"], "verbs": ["get", "list"]},
        {"resource": "nodes", "responseKind": {"kind": "Node"}, "scope": "Cluster", "shortNames": ["no"], "verbs": ["get", "list"]},
        {"resource": "pods", "responseKind": {"kind": "Pod"}, "scope": "Namespaced", "shortNames": ["po"], "categories": ["all"], "verbs": ["get", "list"]}
    ]}]},
    {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [
        {"resource": "daemonsets", "responseKind": {"kind": "DaemonSet"}, "scope": "Namespaced", "shortNames": ["ds"], "categories": ["all"], "verbs": ["get", "list"]}
    ]}]}
]}"#;

#[derive(Default)]
pub(super) struct Fake {
    /// `GET /api/v1/nodes/a`, the code and the body.
    answers: Vec<(&'static str, u16, Value)>,
    /// Lines of the watch at a path, each read on its own; `None` is nothing yet.
    watches: Vec<(&'static str, VecDeque<Option<String>>)>,
    streams: Vec<VecDeque<Option<String>>>,
    pub(super) requests: Vec<String>,
    pub(super) now: i64,
}

impl Fake {
    pub(super) fn answer(mut self, request: &'static str, code: u16, body: &str) -> Fake {
        let body = json::parse(body.as_bytes()).unwrap_or_else(|it| panic!("{it}: {body}"));
        self.answers.push((request, code, body));
        self
    }

    pub(super) fn watch(mut self, path: &'static str, lines: &[&str]) -> Fake {
        let line = |it: &&str| (!it.is_empty()).then(|| format!("{it}\n"));
        self.watches.push((path, lines.iter().map(line).collect()));
        self
    }

    /// What was printed, and what was asked for beside discovery.
    pub(super) fn play(mut self, line: &str, stdin: &str) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        let input = Input { stdin: stdin.into(), ..Input::default() };
        let mut n_waits = 0;
        let Output { stdout, stderr, code } = crate::run(&words, input, &mut self, &mut |_| {
            n_waits += 1;
            n_waits < 10
        });
        let mut out = String::new();
        self.requests.iter().for_each(|it| out.push_str(&format!("> {it}\n")));
        out.push_str(&stdout);
        out.push_str(&stderr);
        if code != 0 {
            out.push_str(&format!("[exit {code}]\n"));
        }
        out
    }
}

fn status(code: u16, reason: &str, message: &str) -> Value {
    value::value!({
        "kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": i64::from(code),
    })
}

impl Client for Fake {
    fn send(&mut self, request: http::Request<Vec<u8>>) -> http::Response<Body> {
        let (method, uri) = (request.method().as_str(), request.uri());
        let answer = |code: u16, body: &Value| {
            let body = Body::Whole(json::to_string(body).into_bytes());
            http::Response::builder().status(code).body(body).unwrap_or_default_response()
        };
        match uri.path() {
            "/api" => return answer(200, &json::parse(DISCOVERY.as_bytes()).unwrap_or_default()),
            "/apis" => return answer(200, &value::value!({"items": []})),
            _ => {}
        }
        let body = String::from_utf8_lossy(request.body());
        self.requests.push(format!("{method} {uri} {body}").trim_end().to_owned());
        if uri.query().is_some_and(|it| it.contains("watch=true"))
            && let Some((_, lines)) = self.watches.iter().find(|(path, _)| *path == uri.path())
        {
            self.streams.push(lines.clone());
            let stream = Body::Stream(self.streams.len() as u64 - 1);
            return http::Response::new(stream);
        }
        let wanted = format!("{method} {}", uri.path());
        match self.answers.iter().find(|(request, ..)| *request == wanted) {
            Some((_, code, body)) => answer(*code, body),
            None => {
                let name = uri.path().rsplit('/').next().unwrap_or_default();
                answer(404, &status(404, "NotFound", &format!("things \"{name}\" not found")))
            }
        }
    }

    fn read(&mut self, stream: u64) -> Option<Vec<u8>> {
        self.now += 1;
        let lines = self.streams.get_mut(usize::try_from(stream).ok()?)?;
        lines.pop_front().map(|it| it.unwrap_or_default().into_bytes())
    }

    fn close(&mut self, _: u64) {}

    fn now_secs(&self) -> i64 {
        self.now
    }
}

trait OrDefault {
    fn unwrap_or_default_response(self) -> http::Response<Body>;
}

impl OrDefault for http::Result<http::Response<Body>> {
    fn unwrap_or_default_response(self) -> http::Response<Body> {
        self.unwrap_or_else(|it| panic!("{it}"))
    }
}
