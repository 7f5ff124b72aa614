//! Our own kubectl on a cluster in memory: a command that waits lets virtual time pass.

use std::collections::BTreeMap;

use cluster::{Body, Config, Duration, StreamId};
use http::{HeaderValue, Request, Response};
use kubectl::{Context, Input};
use tests::session::Session;

use crate::transcript::{Player, Transcript};

/// The name that the real program has for servers.
const AGENT: HeaderValue = HeaderValue::from_static("kubectl/v1.36.4 (linux/amd64) kubernetes/0000000");
/// Chunks of streams that are taken over at once.
const CHUNKS_MAX: usize = 4_096;
/// Seconds that a command may wait.
const WAIT_SECS_MAX: u32 = 7_200;

struct Ours {
    client: Client,
    /// What stands beside the session, by name.
    files: BTreeMap<String, Vec<u8>>,
    context: Context,
}

struct Client {
    session: Session,
    /// What open streams have to say that nobody has read, and whether they are over.
    streams: BTreeMap<u64, (Vec<u8>, bool)>,
}

pub fn start(transcript: &Transcript) -> Result<Box<dyn Player>, String> {
    let session = Session::new(&Config { n_nodes: transcript.n_nodes, ..Config::default() });
    let mut ours = Ours {
        client: Client { session, streams: BTreeMap::new() },
        files: files(transcript)?,
        context: Context::default(),
    };
    ours.wait(Duration::from_secs(30))?;
    Ok(Box::new(ours))
}

fn files(transcript: &Transcript) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let failed = |it: std::io::Error| format!("{}: {it}", transcript.folder.display());
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&transcript.folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|it| it == "yaml") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.insert(name, std::fs::read(&path).map_err(failed)?);
        }
    }
    Ok(files)
}

impl Player for Ours {
    fn kubectl(&mut self, words: &[String]) -> Result<String, String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let input = Input { files: self.files.clone(), context: self.context.clone(), ..Input::default() };
        let mut run = kubectl::Run::new(&words, input);
        let (mut out, mut err) = (String::new(), String::new());
        let mut waited = 0;
        let code = loop {
            let progress = run.poll(&mut self.client);
            for chunk in run.take_output() {
                if chunk.is_error { &mut err } else { &mut out }.push_str(&chunk.text);
            }
            match progress {
                kubectl::Progress::Done(code) => break code,
                kubectl::Progress::Edit(_) => return Err(format!("an editor is asked for: {words:?}")),
                kubectl::Progress::Input(_) => return Err(format!("somebody is asked to type: {words:?}")),
                kubectl::Progress::Waiting if waited == WAIT_SECS_MAX => {
                    return Err(format!("the command does not end: {words:?}\n{out}{err}"));
                }
                kubectl::Progress::Waiting => self.client.session.wait(Duration::from_secs(1)),
            }
            waited += 1;
        };
        self.context = run.context().clone();
        let exit = if code == 0 { String::new() } else { format!("[exit {code}]\n") };
        Ok(out + &err + &exit)
    }

    fn wait(&mut self, time: Duration) -> Result<(), String> {
        self.client.session.wait(time);
        Ok(())
    }

    fn masked(&self, text: &str) -> String {
        text.to_owned()
    }

    fn writes(&self) -> bool {
        true
    }
}

impl Client {
    fn pump(&mut self) {
        for (StreamId(id), chunk) in self.session.cluster.pump(CHUNKS_MAX) {
            if let Some((bytes, is_over)) = self.streams.get_mut(&id) {
                bytes.extend_from_slice(&chunk.bytes);
                *is_over |= chunk.last;
            }
        }
    }
}

impl kubectl::Client for Client {
    fn send(&mut self, mut request: Request<Vec<u8>>) -> Response<kubectl::Body> {
        request.headers_mut().insert("user-agent", AGENT);
        let (parts, body) = self.session.cluster.handle(request).into_parts();
        // As the server does: what is due at this instant is done before the next request.
        self.session.wait(Duration::ZERO);
        let body = match body {
            Body::Bytes(bytes) => kubectl::Body::Whole(bytes),
            Body::Watch(StreamId(id)) => {
                self.streams.insert(id, (Vec::new(), false));
                kubectl::Body::Stream(id)
            }
            Body::Tunnel(_) => kubectl::Body::Whole(Vec::new()),
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
        self.session.cluster.close(StreamId(stream));
    }

    fn now_secs(&self) -> i64 {
        self.session.cluster.now().secs()
    }
}
