//! The cluster as kubectl and the app's requests see it: every request that may change something is kept as an input.

use std::collections::BTreeMap;
use std::rc::Rc;

use cluster::{Body, Cluster, StreamId};
use http::{Method, Request, Response};
use value::{Value, json};
use web::Input;

/// Chunks taken from streams at once.
const CHUNKS_MAX: usize = 4096;
const AGENT: &str = "kubectl/v1.36.2 (drydock)";
/// The name under which the page itself looks at things; its requests are not shown.
pub const LOOKING: &str = "page";

/// The engine, what was asked of it, and what its streams have said.
pub struct Engine {
    pub cluster: Cluster,
    /// Handled and not yet acknowledged to the app.
    pub inputs: Vec<Rc<Input>>,
    /// What came on open streams and whether that was all.
    streams: BTreeMap<u64, (Vec<u8>, bool)>,
    /// Failures of requests that should have changed something, since they were last taken.
    pub failures: Vec<Value>,
    /// Whether kubectl runs for the page and not for the user.
    pub is_looking: bool,
}

impl Engine {
    pub fn new(cluster: Cluster) -> Engine {
        Engine { cluster, inputs: Vec::new(), streams: BTreeMap::new(), failures: Vec::new(), is_looking: false }
    }

    /// Handles a request; one that may change something is kept.
    pub fn handle(&mut self, request: Request<Vec<u8>>) -> Response<Body> {
        if self.is_looking && request.uri().query().is_some_and(|it| it.contains("dryRun=All")) {
            return self.cluster.look(request);
        }
        let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
        if changes {
            self.inputs.push(Rc::new(Input {
                at: self.cluster.now().nanos(),
                turn: self.cluster.n_turns(),
                request: kept(&request),
            }));
        }
        let response = self.cluster.handle(request);
        if let Body::Bytes(bytes) = response.body()
            && changes
            && response.status().is_client_error()
        {
            self.failures.extend(json::parse(bytes).ok());
        }
        response
    }

    /// What is at a path, as a tree; none where there is nothing.
    pub fn get(&mut self, path: &str) -> Option<Value> {
        let request = Request::builder().uri(path).header("user-agent", LOOKING).body(Vec::new()).ok()?;
        let response = self.cluster.handle(request);
        match response.body() {
            Body::Bytes(bytes) if response.status().is_success() => json::parse(bytes).ok(),
            _ => None,
        }
    }

    /// Keeps what will come on a stream; answers its name.
    pub fn follow(&mut self, StreamId(id): StreamId) -> u64 {
        self.streams.insert(id, (Vec::new(), false));
        id
    }

    /// What has come on a stream, and whether that was all.
    pub fn take(&mut self, stream: u64) -> (Vec<u8>, bool) {
        let Some((bytes, is_over)) = self.streams.get_mut(&stream) else { return (Vec::new(), true) };
        let (bytes, is_over) = (std::mem::take(bytes), *is_over);
        if is_over {
            self.streams.remove(&stream);
        }
        (bytes, is_over)
    }

    /// Takes over what streams have to say; answers whether there was anything.
    pub fn pump(&mut self) -> bool {
        if self.streams.is_empty() {
            return false;
        }
        let chunks = self.cluster.pump(CHUNKS_MAX);
        let any = !chunks.is_empty();
        for (StreamId(id), chunk) in chunks {
            if let Some((bytes, is_over)) = self.streams.get_mut(&id) {
                bytes.extend_from_slice(&chunk.bytes);
                *is_over |= chunk.last;
            }
        }
        any
    }
}

/// A request as it is kept.
fn kept(request: &Request<Vec<u8>>) -> web::Request {
    let header =
        |name: &str| request.headers().get(name).and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
    web::Request {
        method: request.method().to_string(),
        path: request.uri().path_and_query().map_or("/", |it| it.as_str()).to_owned(),
        content_type: header("content-type"),
        body: String::from_utf8_lossy(request.body()).into_owned(),
        user_agent: header("user-agent"),
    }
}

/// The request of a kept one; none if it never was one.
pub fn request(kept: &web::Request) -> Option<Request<Vec<u8>>> {
    let mut builder = Request::builder().method(kept.method.as_str()).uri(kept.path.as_str());
    for (name, value) in [("content-type", &kept.content_type), ("user-agent", &kept.user_agent)] {
        if !value.is_empty() {
            builder = builder.header(name, value.as_str());
        }
    }
    builder.body(kept.body.clone().into_bytes()).ok()
}

impl kubectl::Client for Engine {
    fn send(&mut self, mut request: Request<Vec<u8>>) -> Response<kubectl::Body> {
        let agent = if self.is_looking { LOOKING } else { AGENT };
        request.headers_mut().insert("user-agent", http::HeaderValue::from_static(agent));
        let (parts, body) = self.handle(request).into_parts();
        let body = match body {
            Body::Bytes(bytes) => kubectl::Body::Whole(bytes),
            Body::Watch(stream) => {
                let id = self.follow(stream);
                self.pump();
                kubectl::Body::Stream(id)
            }
            // The cluster answers these itself.
            _ => kubectl::Body::Whole(Vec::new()),
        };
        Response::from_parts(parts, body)
    }

    fn read(&mut self, stream: u64) -> Option<Vec<u8>> {
        self.pump();
        let (bytes, is_over) = self.streams.get_mut(&stream)?;
        let bytes = std::mem::take(bytes);
        if bytes.is_empty() && *is_over {
            self.streams.remove(&stream);
            return None;
        }
        Some(bytes)
    }

    fn close(&mut self, stream: u64) {
        self.streams.remove(&stream);
        self.cluster.close(StreamId(stream));
    }

    fn now_secs(&self) -> i64 {
        self.cluster.now().secs()
    }
}
