//! HTTP/1.1 on loopback: each request becomes a job for the engine.

use std::convert::Infallible;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};

use cluster::Duration;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc as stream, oneshot};

use crate::engine::{self, Answer, Job};
use crate::options::Serve;
use crate::upgrade::{self, Wanted};
use crate::{apply, files};

/// Bodies larger than this are refused, as the real server's default does.
const BODY_MAX: usize = 3 * 1024 * 1024;

/// A body that is sent as the engine makes it.
struct Chunks(stream::UnboundedReceiver<Vec<u8>>);

impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|it| it.map(|bytes| Ok(Frame::data(Bytes::from(bytes)))))
    }
}

/// Larger bodies are sent in chunks, as Go's server does with what it has not buffered whole.
const WHOLE_MAX: usize = 2048;
/// Larger bodies are packed for who takes that (`defaultGzipThresholdBytes`).
const GZIP_MIN: usize = 128 * 1024;

type Response = http::Response<Either<Full<Bytes>, Chunks>>;

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// One line: a taken port, a file that cannot be read or written, a manifest that is refused.
pub(crate) fn serve(options: &Serve) -> Result<(), String> {
    let manifests = files::read(&options.apply)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|it| format!("cannot start: {it}"))?;
    runtime.block_on(async {
        let address = (Ipv4Addr::LOCALHOST, options.port);
        let listener = TcpListener::bind(address)
            .await
            .map_err(|it| format!("cannot listen on 127.0.0.1:{}: {it}", options.port))?;
        let port = listener.local_addr().map_err(|it| format!("cannot tell the port: {it}"))?.port();
        let jobs = engine::start(&options.config, options.speed);
        // The engine needs no IO, so waiting for it here holds up nobody.
        let mut ask = |request| wait_for(&jobs, request);
        for manifest in &manifests {
            apply::apply(&mut ask, manifest)?;
        }
        files::write_kubeconfig(&options.kubeconfig, port)?;
        println!("listening on http://127.0.0.1:{port}");
        let page = options.page.clone().map(Arc::from);
        accept(listener, &jobs, page).await?;
        match &options.record {
            Some(file) => record(&jobs, file),
            None => Ok(()),
        }
    })
}

/// Asks the engine and waits for the whole answer.
fn wait_for(jobs: &mpsc::Sender<Job>, request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
    let (reply, receiver) = oneshot::channel();
    if jobs.send(Job::Request { request: Box::new(request), timeout: None, reply }).is_err() {
        return http::Response::default();
    }
    let answer = std::thread::spawn(move || receiver.blocking_recv().ok()).join().ok().flatten();
    answer.unwrap_or_else(|| http::Response::new(Answer::Bytes(Vec::new()))).map(|it| match it {
        Answer::Bytes(bytes) => bytes,
        Answer::Stream(_) => Vec::new(),
    })
}

/// Writes the inputs of the run.
fn record(jobs: &mpsc::Sender<Job>, file: &Path) -> Result<(), String> {
    let (reply, receiver) = oneshot::channel();
    jobs.send(Job::Recording(reply)).ok();
    let bytes = std::thread::spawn(move || receiver.blocking_recv().ok()).join().ok().flatten().unwrap_or_default();
    std::fs::write(file, bytes).map_err(|it| format!("cannot write {}: {it}", file.display()))
}

async fn accept(listener: TcpListener, jobs: &mpsc::Sender<Job>, page: Option<Arc<Path>>) -> Result<(), String> {
    let cannot = |it| format!("cannot wait for signals: {it}");
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    loop {
        tokio::select! {
            connection = listener.accept() => {
                if let Ok((connection, _)) = connection {
                    tokio::spawn(talk(connection, jobs.clone(), page.clone()));
                }
            }
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        }
    }
}

async fn talk(connection: TcpStream, jobs: mpsc::Sender<Job>, page: Option<Arc<Path>>) {
    connection.set_nodelay(true).ok();
    let service = service_fn(move |request| {
        let (jobs, page) = (jobs.clone(), page.clone());
        async move {
            let file = page
                .as_ref()
                .filter(|_| request.method() == http::Method::GET)
                .and_then(|it| file(it, request.uri().path()));
            if let Some(file) = file {
                return Ok::<_, Infallible>(file);
            }
            match upgrade::wanted(&request) {
                Some(wanted) => Ok(connect(wanted, request, jobs).await),
                None => Ok(answer(request, &jobs).await),
            }
        }
    });
    // A client that breaks off in the middle is no failure of ours.
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service);
    connection.with_upgrades().await.ok();
}

/// Runs a command once, which tells whether it can be; then goes on over the connection itself.
async fn connect(wanted: Wanted, request: hyper::Request<Incoming>, jobs: mpsc::Sender<Job>) -> Response {
    let ask: upgrade::Ask = Box::new(move |request| {
        let (reply, receiver) = oneshot::channel();
        // An engine that has stopped drops the channel, which is an answer too.
        jobs.send(Job::Request { request: Box::new(request), timeout: None, reply }).ok();
        Box::pin(async move {
            let answer = receiver.await.unwrap_or_else(|_| http::Response::new(Answer::Bytes(Vec::new())));
            answer.map(|it| match it {
                Answer::Bytes(bytes) => bytes,
                Answer::Stream(_) => Vec::new(),
            })
        })
    });
    let first = ask(wanted.request(Vec::new())).await;
    if first.status() != http::StatusCode::OK {
        return first.map(|it| Either::Left(Full::new(Bytes::from(it))));
    }
    let mut response = http::Response::new(Either::Left(Full::new(Bytes::new())));
    *response.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = wanted.headers();
    tokio::spawn(async move {
        if let Ok(upgraded) = hyper::upgrade::on(request).await {
            upgrade::talk(wanted, upgraded, first.into_body(), ask).await;
        }
    });
    response
}

async fn answer(request: hyper::Request<Incoming>, jobs: &mpsc::Sender<Job>) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = http_body_util::Limited::new(body, BODY_MAX).collect().await else {
        return plain(413, &format!("Request entity too large: limit is {BODY_MAX}"));
    };
    let timeout = timeout(parts.uri.query().unwrap_or(""));
    let gzip = parts.headers.get(http::header::ACCEPT_ENCODING).is_some_and(takes_gzip);
    let (reply, receiver) = oneshot::channel();
    let request = http::Request::from_parts(parts, body.to_bytes().to_vec());
    let job = Job::Request { request: Box::new(request), timeout, reply };
    if jobs.send(job).is_err() {
        return plain(503, "the engine has stopped");
    }
    match receiver.await {
        Ok(response) => {
            let (mut parts, answer) = response.into_parts();
            let body = match answer {
                Answer::Bytes(bytes) if bytes.len() > WHOLE_MAX => {
                    let packed = gzip && bytes.len() > GZIP_MIN && parts.status == http::StatusCode::OK;
                    if packed {
                        let headers = &mut parts.headers;
                        headers.insert(http::header::CONTENT_ENCODING, http::HeaderValue::from_static("gzip"));
                        headers.insert(http::header::VARY, http::HeaderValue::from_static("Accept-Encoding"));
                    }
                    chunked(if packed { self::gzip(&bytes) } else { bytes })
                }
                Answer::Bytes(bytes) => Either::Left(Full::new(Bytes::from(bytes))),
                Answer::Stream(chunks) => Either::Right(Chunks(chunks)),
            };
            Response::from_parts(parts, body)
        }
        Err(_) => plain(503, "the engine has stopped"),
    }
}

/// A body whose length is not told before.
fn chunked(bytes: Vec<u8>) -> Either<Full<Bytes>, Chunks> {
    let (sender, receiver) = stream::unbounded_channel();
    // The receiver is right here.
    sender.send(bytes).ok();
    Either::Right(Chunks(receiver))
}

fn takes_gzip(header: &http::HeaderValue) -> bool {
    let encodings = header.to_str().unwrap_or_default();
    encodings.split(',').any(|it| it.split(';').next().unwrap_or_default().trim() == "gzip")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    // Writing to memory does not fail.
    packer.write_all(bytes).ok();
    packer.finish().unwrap_or_default()
}

/// A file of the page, if the path names one.
fn file(page: &Path, path: &str) -> Option<Response> {
    let path = path.trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    if path.split('/').any(|it| it.is_empty() || it.starts_with('.')) {
        return None;
    }
    let bytes = std::fs::read(page.join(path)).ok()?;
    let content_type = match path.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        _ => "application/octet-stream",
    };
    let mut response = http::Response::new(Either::Left(Full::new(Bytes::from(bytes))));
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    Some(response)
}

/// `timeoutSeconds` of a watch.
fn timeout(query: &str) -> Option<Duration> {
    let value = query.split('&').find_map(|it| it.strip_prefix("timeoutSeconds="))?;
    value.parse().ok().map(Duration::from_secs)
}

/// An answer that the engine could not give.
fn plain(code: u16, message: &str) -> Response {
    let reason = if code == 413 { "RequestEntityTooLarge" } else { "ServiceUnavailable" };
    let status = value::value!({
        "apiVersion": "v1", "code": i64::from(code), "kind": "Status", "message": message, "metadata": {}, "reason": reason, "status": "Failure",
    });
    let mut response = http::Response::new(Either::Left(Full::new(Bytes::from(value::json::to_string(&status)))));
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::SERVICE_UNAVAILABLE);
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
