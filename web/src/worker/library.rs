//! A cluster for a script: no pictures, only calls and what comes of them.

use std::collections::BTreeMap;

use cluster::{Body, Cluster, Config, Duration, Instant};
use http::Request;
use kubectl::{Client, Input};
use value::{json, time, value};
use view::changes::Changes;
use view::wire::{Bytes, Wire};
use web::calls::{Call, Creation, Failure, Return};

use crate::client::Engine;
use crate::commands::{Commands, Ended};
use crate::pace::{Pace, TURNS_AT_ONCE};
use crate::{host, manifest, post, wall_ms};

/// Between two looks at a clock that nothing waits for.
const IDLE_MS: u64 = 60_000;
const CLOCK: &str = "/apis/sim.drydock.dev/v1alpha1/clocks/cluster";
const AGENT: &str = "drydock.js";
/// Virtual time that a command lets pass, at most and at once, where nobody else does.
const COMMAND_SPAN_MAX: Duration = Duration::from_secs(3_600);
const COMMAND_STEP: Duration = Duration::from_secs(1);

pub struct Library {
    engine: Engine,
    pace: Pace,
    /// What the Clock object said last.
    clock_speed: String,
    /// Streams, by the call that opened them.
    streams: BTreeMap<u32, u64>,
    commands: Commands,
    /// While somebody listens.
    changes: Option<Changes>,
}

/// Answers a call. The first makes the cluster.
pub fn hear(library: &mut Option<Library>, call: Call) {
    match (library.as_mut(), call) {
        (None, Call::Create { id, creation }) => match Library::create(&creation) {
            Ok(made) => {
                *library = Some(made);
                answer(id, Ok(String::new()));
            }
            Err(failure) => answer(id, Err(failure)),
        },
        (Some(library), call) => library.hear(call),
        // Nothing else comes first.
        (None, _) => (),
    }
}

fn tell(it: &Return) {
    post(&it.to_bytes());
}

fn answer(id: u32, result: Result<String, Failure>) {
    tell(&match result {
        Ok(text) => Return::Done { id, text },
        Err(failure) => Return::Failed { id, failure },
    });
}

/// What a command came to.
fn ended(Ended { id, code, output, errors }: Ended) {
    answer(
        id,
        match code {
            // Warnings are told, too.
            0 => Ok(errors + &output),
            _ if errors.is_empty() => Err(Failure { output: output.clone(), ..failure(code, &output) }),
            _ => Err(Failure { output, ..failure(code, &errors) }),
        },
    );
}

/// A refusal in these words.
fn failure(code: u32, message: &str) -> Failure {
    Failure { code, message: message.trim_end().to_owned(), ..Failure::default() }
}

impl Library {
    fn create(creation: &Creation) -> Result<Library, Failure> {
        let Creation { machines, seed, manifests, speed, snapshot: Bytes(snapshot) } = creation;
        let config = || Config { seed: *seed, n_nodes: *machines, speed: "0".to_owned(), ..Config::default() };
        let mut engine = Engine::new(match snapshot.is_empty() {
            true => Cluster::new(&config()),
            false => Cluster::restore(snapshot).map_err(|it| failure(1, &it))?,
        });
        if snapshot.is_empty() {
            host::until_nodes_ready(&mut engine);
        }
        let mut library = Library {
            pace: Pace::new(wall_ms(), engine.cluster.now().nanos()),
            engine,
            // The clock is followed as soon as it says something.
            clock_speed: String::new(),
            streams: BTreeMap::new(),
            commands: Commands::default(),
            changes: None,
        };
        if !manifests.is_empty() {
            library.apply(manifests)?;
        }
        if !speed.is_empty() {
            library.send("PATCH", CLOCK, &json::to_string(&value!({ "spec": { "speed": speed.as_str() } })))?;
        }
        library.settle();
        Ok(library)
    }

    fn hear(&mut self, call: Call) {
        self.pace.pass(&mut self.engine.cluster, &mut |_| ());
        match call {
            // There is one.
            Call::Create { .. } => (),
            Call::Fetch { id, method, path, headers, body } => self.fetch(id, &method, &path, &headers, body),
            Call::Close { id } => self.close(id),
            Call::Apply { id, text } => answer(id, self.apply(&text)),
            Call::Kubectl { id, line, words, stdin: Bytes(stdin), files } => {
                let files = files.into_iter().map(|(name, Bytes(content))| (name, content)).collect();
                let input = Input { stdin, files, ..Input::default() };
                self.commands.start(&mut self.engine, id, &line, &words, input).into_iter().for_each(ended);
                if self.pace.is_paused {
                    self.hurry(id);
                }
            }
            Call::Advance { id, body } => answer(id, self.advance(&body)),
            Call::Snapshot { id } => {
                // Nothing must be under way.
                while !self.engine.cluster.settle(TURNS_AT_ONCE).done {}
                let bytes = Bytes(self.engine.cluster.checkpoint());
                tell(&Return::Saved { id, bytes });
            }
            Call::Fingerprint { id } => answer(id, Ok(format!("{:016x}", self.engine.cluster.fingerprint()))),
            Call::Listen { is } => {
                let api = self.engine.cluster.api();
                self.changes = is.then(|| Changes::new(api.store(), api.registry()));
            }
        }
        self.settle();
    }

    // ── Calls ──

    fn fetch(&mut self, id: u32, method: &str, path: &str, headers: &[(String, String)], Bytes(body): Bytes) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = match request.body(body) {
            Ok(it) => it,
            Err(error) => return answer(id, Err(failure(400, &error.to_string()))),
        };
        let (parts, body) = self.engine.handle(request).into_parts();
        let (body, stream) = match body {
            Body::Bytes(bytes) => (bytes, None),
            Body::Watch(stream) => (Vec::new(), Some(self.engine.follow(stream))),
            // The cluster answers these itself.
            Body::Tunnel(_) => (Vec::new(), None),
        };
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some((name.to_string(), value.to_str().ok()?.to_owned()))
        };
        let headers = parts.headers.iter().filter_map(header).collect();
        let (code, is_stream) = (parts.status.as_u16(), stream.is_some());
        tell(&Return::Head { id, code, headers, body: Bytes(body), is_stream });
        self.streams.extend(stream.map(|it| (id, it)));
    }

    /// A request with a JSON body whose answer is a text.
    fn send(&mut self, method: &str, path: &str, body: &str) -> Result<String, Failure> {
        let content_type = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", content_type).header("user-agent", AGENT);
        let request = request.body(body.as_bytes().to_vec()).map_err(|it| failure(400, &it.to_string()))?;
        let response = self.engine.handle(request);
        let code = response.status();
        let Body::Bytes(bytes) = response.into_body() else { return Ok(String::new()) };
        if code.is_success() {
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
        let status = json::parse(&bytes).unwrap_or_default();
        Err(failure(code.as_u16().into(), status.str_at("message").unwrap_or_default()))
    }

    fn close(&mut self, id: u32) {
        if let Some(stream) = self.streams.remove(&id) {
            self.engine.close(stream);
        }
        self.commands.interrupt(&mut self.engine, id, "");
    }

    fn apply(&mut self, text: &str) -> Result<String, Failure> {
        let manifest::Result { problems, printed, refused, .. } = manifest::apply(&mut self.engine, text);
        let errors: Vec<&str> = problems.iter().filter(|it| !it.is_warning).map(|it| it.message.as_str()).collect();
        if errors.is_empty() {
            // Warnings are told, too.
            return Ok(refused + &printed);
        }
        let message = if refused.is_empty() { errors.join("\n") } else { refused };
        Err(Failure { output: printed, problems, ..failure(1, &message) })
    }

    /// Lets time pass for a command that waits, since nobody else does.
    fn hurry(&mut self, id: u32) {
        let end = self.engine.cluster.now() + COMMAND_SPAN_MAX;
        while self.commands.runs(id) && self.engine.cluster.now() < end {
            let next = self.engine.cluster.now() + COMMAND_STEP;
            let due = self.engine.cluster.next_wakeup().map_or(next, |it| it.min(next));
            self.engine.cluster.advance(due, TURNS_AT_ONCE);
            self.commands.poll(&mut self.engine, id).into_iter().for_each(ended);
            self.say();
        }
        let why = "the command still waits after an hour of virtual time";
        self.commands.interrupt(&mut self.engine, id, why).into_iter().for_each(ended);
    }

    /// Lets time pass; the answer is the Clock.
    fn advance(&mut self, body: &str) -> Result<String, Failure> {
        let asked = json::parse(body.as_bytes()).unwrap_or_default();
        let seconds = asked.i64_at("seconds").and_then(|it| u64::try_from(it).ok());
        let until = asked.str_at("until").and_then(time::parse_nanos);
        // It passes in pieces, so that who watches can read before the log forgets. The server says the rest.
        let rest = match (seconds, until, asked.get("to")) {
            (Some(it), None, None) => {
                self.pass_until(self.engine.cluster.now() + Duration::from_secs(it));
                r#"{"seconds":0}"#
            }
            (None, Some(it), None) => {
                self.pass_until(Instant::from_nanos(it));
                body
            }
            _ => body,
        };
        self.send("POST", &format!("{CLOCK}/advance"), rest)
    }

    fn pass_until(&mut self, end: Instant) {
        while !self.engine.cluster.advance(end, TURNS_AT_ONCE).done {
            self.commands.poll_all(&mut self.engine).into_iter().for_each(ended);
            self.say();
        }
    }

    // ── Time ──

    /// Works for a while; answers the milliseconds until there is something to do again.
    pub fn work(&mut self) -> u32 {
        let has_more = self.pace.pass(&mut self.engine.cluster, &mut |_| ());
        self.settle();
        if has_more {
            return 0;
        }
        let next = [self.engine.cluster.next_wakeup(), self.engine.cluster.next_output()].into_iter().flatten().min();
        let wait = next.and_then(|it| self.pace.wait_ms(wall_ms(), it.nanos()));
        let wait = wait.map_or(IDLE_MS, |it| it.clamp(1, IDLE_MS));
        u32::try_from(wait).unwrap_or(u32::MAX)
    }

    /// Where time stands, what is due is done between two calls; what there is to say is said.
    fn settle(&mut self) {
        self.follow_clock();
        while self.pace.is_paused && !self.engine.cluster.settle(TURNS_AT_ONCE).done {
            self.say();
        }
        self.commands.poll_all(&mut self.engine).into_iter().for_each(ended);
        self.say();
        // The page keeps these; a script keeps snapshots.
        self.engine.inputs.clear();
        self.engine.failures.clear();
    }

    /// Follows the Clock object when somebody gives it another speed.
    fn follow_clock(&mut self) {
        let speed = self.engine.cluster.clock_speed().unwrap_or_default();
        if speed != self.clock_speed {
            self.pace.follow(&speed, wall_ms(), self.engine.cluster.now().nanos());
            self.clock_speed = speed;
        }
    }

    /// Says what has come on streams, and what changed.
    fn say(&mut self) {
        while self.engine.pump() {}
        let engine = &mut self.engine;
        self.streams.retain(|id, stream| {
            let (bytes, is_last) = engine.take(*stream);
            if is_last || !bytes.is_empty() {
                tell(&Return::Chunk { id: *id, bytes: Bytes(bytes), is_last });
            }
            !is_last
        });
        let Some(changes) = &mut self.changes else { return };
        let found = changes.take(engine.cluster.api().store());
        if found.as_ref().is_none_or(|it| !it.is_empty()) {
            tell(&Return::Changed {
                revision: engine.cluster.revision().0,
                time: time::format_micros(engine.cluster.now().nanos()).to_string(),
                is_whole: found.is_some(),
                changes: found.unwrap_or_default(),
            });
        }
    }
}
