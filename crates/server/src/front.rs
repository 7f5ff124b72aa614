//! HTTP/1.1 on loopback: each request becomes a job for the engine.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::mpsc;
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
        for manifest in manifests {
            apply::create_over(&jobs, manifest).await?;
        }
        files::write_kubeconfig(&options.kubeconfig, port)?;
        println!("listening on http://127.0.0.1:{port}");
        accept(listener, jobs).await
    })
}

async fn accept(listener: TcpListener, jobs: mpsc::Sender<Job>) -> Result<(), String> {
    let cannot = |it| format!("cannot wait for signals: {it}");
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    loop {
        tokio::select! {
            connection = listener.accept() => {
                if let Ok((connection, _)) = connection {
                    tokio::spawn(talk(connection, jobs.clone()));
                }
            }
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        }
    }
}

async fn talk(connection: TcpStream, jobs: mpsc::Sender<Job>) {
    connection.set_nodelay(true).ok();
    let service = service_fn(move |request| {
        let jobs = jobs.clone();
        async move { Ok::<_, Infallible>(answer(request, &jobs).await) }
    });
    // A client that breaks off in the middle is no failure of ours.
    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service).await.ok();
}

async fn answer(request: hyper::Request<Incoming>, jobs: &mpsc::Sender<Job>) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = http_body_util::Limited::new(body, BODY_MAX).collect().await else {
        return plain(413, &format!("Request entity too large: limit is {BODY_MAX}"));
    };
    let timeout = timeout(parts.uri.query().unwrap_or(""));
    let (reply, receiver) = oneshot::channel();
    let job = Job { request: http::Request::from_parts(parts, body.to_bytes().to_vec()), timeout, reply };
    if jobs.send(job).is_err() {
        return plain(503, "the engine has stopped");
    }
    match receiver.await {
        Ok(response) => response.map(|answer| match answer {
            Answer::Bytes(bytes) => Either::Left(Full::new(Bytes::from(bytes))),
            Answer::Stream(chunks) => Either::Right(Chunks(chunks)),
        }),
        Err(_) => plain(503, "the engine has stopped"),
    }
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
