//! `drydock kubectl`: our own kubectl against a server.

use std::collections::BTreeMap;
use std::fs;
use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use kubectl::{Body, Client, Context, Input, Progress, Run};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use value::{json, time};

/// Where `drydock serve` listens unless told otherwise.
const SERVER: &str = "http://127.0.0.1:8001";
/// Between two looks at a cluster that a command waits for.
const PAUSE: Duration = Duration::from_millis(50);
const CLOCK: &str = "/apis/sim.drydock.dev/v1alpha1/clocks/cluster";

/// Runs a command line; answers its exit code.
///
/// # Errors
/// One line: an address that is none, a file that cannot be read.
pub(crate) fn run(words: &[String]) -> Result<u8, String> {
    let (server, words) = server(words)?;
    let address = server.strip_prefix("http://").ok_or_else(|| format!("{server} is no address such as {SERVER}"))?;
    let runtime = Runtime::new().map_err(|it| format!("cannot start: {it}"))?;
    let mut client = Http {
        runtime,
        address: address.trim_end_matches('/').to_owned(),
        streams: BTreeMap::new(),
        n_streams: 0,
        clock: (0, Instant::now()),
    };
    client.read_clock();
    let args: Vec<&str> = words.iter().map(String::as_str).collect();
    if words.iter().any(|it| it == "set-context") {
        return Err("drydock kubectl has no kubeconfig to set a context in; say -n NAMESPACE".to_owned());
    }
    let context = Context { server: server.clone(), namespace: String::new() };
    let mut run = Run::new(&args, Input { context, is_typed: std::io::stdin().is_terminal(), ..input(&words)? });
    loop {
        let progress = run.poll(&mut client);
        for chunk in run.take_output() {
            let bytes = chunk.text.as_bytes();
            // Whoever closes our output wants no more of it.
            let written =
                if chunk.is_error { std::io::stderr().write_all(bytes) } else { std::io::stdout().write_all(bytes) };
            if written.is_err() {
                return Ok(1);
            }
        }
        match progress {
            Progress::Done(code) => return Ok(u8::try_from(code).unwrap_or(1)),
            Progress::Waiting => thread::sleep(PAUSE),
            Progress::Edit(text) => run.edited(edited(&text)?),
            Progress::Input(prompt) => run.typed(typed(prompt)?.as_deref()),
        }
    }
}

/// Takes `--server URL` out of the words.
fn server(words: &[String]) -> Result<(String, Vec<String>), String> {
    let mut rest = Vec::new();
    let mut server = SERVER.to_owned();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix("--server") {
            Some("") => server = words.next().ok_or("--server needs an address")?.clone(),
            Some(it) if it.starts_with('=') => server = it[1..].to_owned(),
            _ => rest.push(word.clone()),
        }
    }
    Ok((server, rest))
}

/// Every file that a word names, with the files of folders; standard input where a word is `-`.
fn input(words: &[String]) -> Result<Input, String> {
    let mut input = Input::default();
    for word in words {
        for part in word.split([',', '=']) {
            let path = Path::new(part);
            if path.is_file() {
                input.files.insert(part.to_owned(), read(path)?);
            } else if path.is_dir() {
                add_folder(path, &mut input.files)?;
            }
        }
        if word == "-" || word.ends_with("=-") || word == "-f-" {
            std::io::stdin().read_to_end(&mut input.stdin).map_err(|it| format!("standard input: {it}"))?;
        }
    }
    if reads_commands(words) && !std::io::stdin().is_terminal() {
        std::io::stdin().read_to_end(&mut input.stdin).map_err(|it| format!("standard input: {it}"))?;
    }
    Ok(input)
}

/// Whether what is typed is for a command in a container.
fn reads_commands(words: &[String]) -> bool {
    let own: Vec<&String> = words.iter().take_while(|it| *it != "--").collect();
    let is_stdin = |it: &str| it == "--stdin" || (it.starts_with('-') && !it.starts_with("--") && it.contains('i'));
    own.iter().any(|it| matches!(it.as_str(), "exec" | "attach")) && own.iter().any(|it| is_stdin(it))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|it| format!("cannot read {}: {it}", path.display()))
}

fn add_folder(folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    let failed = |it: std::io::Error| format!("cannot read {}: {it}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|it| it == "yaml" || it == "yml" || it == "json") {
            files.insert(path.to_string_lossy().into_owned(), read(&path)?);
        }
    }
    Ok(())
}

/// The next line of the terminal; none at its end.
fn typed(prompt: &str) -> Result<Option<String>, String> {
    let failed = |it: std::io::Error| format!("standard input: {it}");
    std::io::stdout().write_all(prompt.as_bytes()).and_then(|()| std::io::stdout().flush()).map_err(failed)?;
    let mut line = String::new();
    let n = std::io::stdin().read_line(&mut line).map_err(failed)?;
    Ok((n > 0).then(|| line.trim_end_matches(['\n', '\r']).to_owned()))
}

/// The text as the user's editor leaves it.
fn edited(text: &str) -> Result<String, String> {
    let path = std::env::temp_dir().join(format!("drydock-edit-{}.yaml", std::process::id()));
    let failed = |it: std::io::Error| format!("{}: {it}", path.display());
    fs::write(&path, text).map_err(failed)?;
    let editor = std::env::var("KUBE_EDITOR").or_else(|_| std::env::var("EDITOR")).unwrap_or_else(|_| "vi".to_owned());
    let status = std::process::Command::new(&editor).arg(&path).status().map_err(|it| format!("{editor}: {it}"))?;
    if !status.success() {
        return Err(format!("{editor} ended with {status}"));
    }
    let text = fs::read_to_string(&path).map_err(failed)?;
    // What is left in the folder for temporary files harms nobody.
    fs::remove_file(&path).ok();
    Ok(text)
}

/// A client over HTTP; each request has a connection of its own.
struct Http {
    runtime: Runtime,
    address: String,
    streams: BTreeMap<u64, Receiver<Vec<u8>>>,
    n_streams: u64,
    /// The server's virtual time in seconds, and when it was read.
    clock: (i64, Instant),
}

impl Http {
    fn read_clock(&mut self) {
        let Ok(request) = Request::get(CLOCK).body(Vec::new()) else { return };
        if let Body::Whole(bytes) = self.send(request).into_body()
            && let Some(now) = json::parse(&bytes).ok().as_ref().and_then(|it| it.str_at("status.time"))
        {
            self.clock = (time::parse_secs(now).unwrap_or(0), Instant::now());
        }
    }

    fn exchange(&self, request: Request<Vec<u8>>) -> Result<Response<Incoming>, String> {
        let (mut parts, body) = request.into_parts();
        for (name, text) in [(header::HOST, self.address.as_str()), (header::USER_AGENT, "kubectl/v1.36.4 (drydock)")] {
            let text = text.parse().map_err(|_| format!("{text} is no address"))?;
            parts.headers.insert(name, text);
        }
        self.runtime.block_on(async {
            let stream = TcpStream::connect(&self.address).await.map_err(|it| it.to_string())?;
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|it| it.to_string())?;
            tokio::spawn(connection);
            let request = Request::from_parts(parts, Full::new(Bytes::from(body)));
            sender.send_request(request).await.map_err(|it| it.to_string())
        })
    }

    /// Reads a body in the background.
    fn follow(&mut self, mut body: Incoming) -> u64 {
        let (sender, receiver) = mpsc::channel();
        self.runtime.spawn(async move {
            while let Some(Ok(frame)) = body.frame().await {
                if frame.into_data().is_ok_and(|it| sender.send(it.to_vec()).is_err()) {
                    break;
                }
            }
        });
        self.n_streams += 1;
        self.streams.insert(self.n_streams, receiver);
        self.n_streams
    }
}

/// Whether the answer to a request goes on and on.
fn is_endless(query: &str) -> bool {
    query.split('&').any(|it| matches!(it, "watch=1" | "watch=true" | "follow=true" | "follow=1"))
}

impl Client for Http {
    fn send(&mut self, request: Request<Vec<u8>>) -> Response<Body> {
        let endless = is_endless(request.uri().query().unwrap_or_default());
        let answer = self.exchange(request).and_then(|answer| {
            let (parts, body) = answer.into_parts();
            if endless && parts.status == StatusCode::OK {
                return Ok(Response::from_parts(parts, Body::Stream(self.follow(body))));
            }
            let bytes = self.runtime.block_on(body.collect()).map_err(|it| it.to_string())?.to_bytes();
            Ok(Response::from_parts(parts, Body::Whole(bytes.to_vec())))
        });
        answer.unwrap_or_else(|why| {
            let status = value::value!({
                "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": 503, "reason": "ServiceUnavailable",
                "message": format!("the server {} cannot be reached: {why}", self.address), "metadata": {},
            });
            let mut response = Response::new(Body::Whole(json::to_string(&status).into_bytes()));
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response
        })
    }

    fn read(&mut self, stream: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        loop {
            match self.streams.get(&stream)?.try_recv() {
                Ok(more) => bytes.extend(more),
                Err(TryRecvError::Disconnected) if bytes.is_empty() => {
                    self.streams.remove(&stream);
                    return None;
                }
                Err(_) => return Some(bytes),
            }
        }
    }

    fn close(&mut self, stream: u64) {
        self.streams.remove(&stream);
    }

    /// Timeouts are of the user's own time, however fast or slow the server's clock runs.
    fn now_secs(&self) -> i64 {
        let (then, read) = self.clock;
        then.saturating_add_unsigned(read.elapsed().as_secs())
    }
}
