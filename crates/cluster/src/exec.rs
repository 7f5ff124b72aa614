//! Answers of `…/pods/NAME/exec` and `attach`: a command runs in a simulated container at once, and all that it says is one body.

use std::cell::Cell;
use std::collections::BTreeMap;

use apiserver::Body;
use http::{HeaderValue, Response, StatusCode, header};
use kinds::POD;
use kubelet::Refused;
use meta::Key;
use network::Origin;
use runtime::{Ran, View};
use value::{Value, json, value};

use crate::{Cluster, logs};

/// The type of a body that holds the channels of a command, as `v5.channel.k8s.io` numbers them: for each piece the
/// channel's byte, the length in four bytes (the largest first), and the bytes.
const CHANNELS: HeaderValue = HeaderValue::from_static("application/vnd.drydock.channels");
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
/// A `Status` that says how the command ended.
const ERROR: u8 = 3;

impl Cluster {
    /// Runs a command with the request's options as a tree; `stdin` is the request's body.
    ///
    /// To attach is to talk to the shell that a container runs, if it does.
    pub(crate) fn exec(&mut self, action: &str, pod: &Key, options: &Value, stdin: &[u8]) -> Response<Body> {
        let mut command: Vec<&str> = options.list_at("command").iter().filter_map(Value::as_str).collect();
        let container = options.str_at("container").unwrap_or("");
        let view = self.view();
        let Some(object) = view.get(POD, pod) else {
            return logs::failure(&meta::Status::not_found("", "pods", &pod.name));
        };
        let spec = object.list_at("spec.containers").iter().find(|it| it.str_at("name") == Some(container));
        if action == "attach" {
            if !spec.is_some_and(kubelet::runs_shell) {
                let why = "attach is simulated for containers that run a shell only: `kubectl logs -f` shows what others print";
                return logs::failure(&meta::Status::new(501, "NotImplemented", why));
            }
            command = vec!["sh"];
        }
        let image = spec.and_then(|it| it.str_at("image")).unwrap_or("");
        let (resolv, hosts) = network::files(object);
        let hostname = object.str_at("spec.hostname").unwrap_or(object.name());
        let files = BTreeMap::from([
            ("/etc/hostname".to_owned(), format!("{hostname}\n")),
            ("/etc/hosts".to_owned(), hosts),
            ("/etc/resolv.conf".to_owned(), resolv),
        ]);
        let turn = Cell::new(self.n_requests);
        let programs = |name: &str, arguments: &[&str]| client(&view, pod, image, &turn, name, arguments);
        let stdin = String::from_utf8_lossy(stdin);
        let result = kubelet::exec(&view, pod, container, &command, &stdin, files, &programs);
        self.n_requests = turn.get();
        match result {
            Ok(ran) => answer(&ran),
            Err(Refused::Status(status)) => logs::failure(&status),
            Err(Refused::Text(text)) => plain(StatusCode::INTERNAL_SERVER_ERROR, text),
        }
    }
}

/// Runs a program that asks the network in a pod.
pub(crate) fn client(
    view: &View<'_>,
    pod: &Key,
    image: &str,
    turn: &Cell<u64>,
    name: &str,
    arguments: &[&str],
) -> Option<Ran> {
    network::client(view, &Origin::Pod(pod.clone()), image, turn, name, arguments)
}

fn answer(ran: &Ran) -> Response<Body> {
    let mut bytes = Vec::new();
    let status = json::to_string(&ending(ran.code));
    for (channel, text) in [(STDOUT, &ran.stdout), (STDERR, &ran.stderr), (ERROR, &status)] {
        if !text.is_empty() {
            bytes.push(channel);
            bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
    }
    let mut response = Response::new(Body::Bytes(bytes));
    response.headers_mut().insert(header::CONTENT_TYPE, CHANNELS);
    response
}

/// The `Status` that kubelets send for an exit code.
fn ending(code: i64) -> Value {
    if code == 0 {
        return value!({ "metadata": {}, "status": "Success" });
    }
    let code = code.to_string();
    value!({
        "details": { "causes": [{ "message": code.as_str(), "reason": "ExitCode" }] }, "metadata": {}, "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: exit status {code}"), "status": "Failure",
    })
}

fn plain(code: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::Bytes(text.into_bytes()));
    *response.status_mut() = code;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
