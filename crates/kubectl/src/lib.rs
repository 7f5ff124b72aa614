//! kubectl as a library: the same commands, the same text, over a [`Client`] that the host brings.
//!
//! A [`Run`] is one command line. It never waits: [`Run::poll`] goes as far as it can, and a command that waits for
//! the cluster (`get -w`, `rollout status`, `logs -f`) is polled again when time has passed.
//! Knows no kinds but where kubectl itself does (`describe`, `create`), no clock, no files and no network of its own.

mod age;
mod api;
mod args;
mod build;
mod columns;
mod commands;
mod complete;
mod describe;
mod failure;
mod go;
mod jsonpath;
mod manifest;
mod mapper;
mod openapi;
mod order;
mod print;
mod shell;
mod strategic;
mod table;
mod tabs;
mod template;
mod watch;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use self::commands::channels;
pub use self::complete::complete;
use self::shell::{Cx, Flow, Shell, Wait};

/// The API server as a command sees it.
pub trait Client {
    /// Sends a request and gives its answer.
    fn send(&mut self, request: http::Request<Vec<u8>>) -> http::Response<Body>;
    /// What came on a stream since the last call; `None` when it has ended.
    fn read(&mut self, stream: u64) -> Option<Vec<u8>>;
    /// Ends a stream.
    fn close(&mut self, stream: u64);
    /// Seconds since the Unix epoch.
    fn now_secs(&self) -> i64;
}

/// The body of an answer.
#[derive(Debug)]
pub enum Body {
    Whole(Vec<u8>),
    /// More will come: see [`Client::read`].
    Stream(u64),
}

/// What a command can read.
#[derive(Clone, Default, Debug)]
pub struct Input {
    pub stdin: Vec<u8>,
    /// Whether somebody types: what reads standard input for itself, as `exec -i` does, asks for lines.
    pub is_typed: bool,
    /// By the path that a command line names.
    pub files: BTreeMap<String, Vec<u8>>,
    pub context: Context,
}

/// What a kubeconfig would say: it has one context, one cluster and one user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context {
    /// The server's address, only to be shown.
    pub server: String,
    pub namespace: String,
}

impl Default for Context {
    fn default() -> Context {
        Context { server: "http://localhost".to_owned(), namespace: String::new() }
    }
}

/// What a command printed, and its exit code.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Output {
    pub stdout: String,
    pub stderr: String,
    pub code: i32,
}

/// A piece of output, in the order it was printed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    pub is_error: bool,
    pub text: String,
}

/// How far a command is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Progress {
    /// The command has ended with this exit code.
    Done(i32),
    /// It waits for the cluster.
    Waiting,
    /// The user shall edit this text; then comes [`Run::edited`].
    Edit(String),
    /// It reads what the user types, after this prompt; then comes [`Run::typed`].
    Input(&'static str),
}

/// One command line on its way.
pub struct Run {
    shell: Shell,
    state: State,
}

enum State {
    New,
    Waiting(Box<dyn Wait>),
    Done(i32),
}

impl Run {
    /// A command line without the word `kubectl`.
    pub fn new(args: &[&str], input: Input) -> Run {
        let args = args.iter().map(|it| (*it).to_owned()).collect();
        Run { shell: Shell::new(args, input), state: State::New }
    }

    /// Goes on as far as possible without waiting.
    pub fn poll(&mut self, client: &mut dyn Client) -> Progress {
        let shell = &mut self.shell;
        let step = match &mut self.state {
            State::Done(code) => return Progress::Done(*code),
            State::New => commands::start(&mut Cx { client, shell }),
            State::Waiting(it) => it.poll(&mut Cx { client, shell }),
        };
        match step {
            Ok(Flow::Waiting) => {}
            Ok(Flow::Wait(it)) => {
                self.state = State::Waiting(it);
                return self.poll(client);
            }
            Ok(Flow::Done) => self.finish(client, 0),
            Err(failure) => {
                let (text, code) = failure.report();
                self.shell.print_error(&text);
                self.finish(client, code);
            }
        }
        match (&self.state, self.shell.edit_request(), self.shell.prompt) {
            (State::Done(code), ..) => Progress::Done(*code),
            (_, Some(text), _) => Progress::Edit(text),
            (.., Some(prompt)) => Progress::Input(prompt),
            _ => Progress::Waiting,
        }
    }

    /// Hands over a line that was typed; none at the end of what is typed, as Ctrl+D makes it.
    pub fn typed(&mut self, line: Option<&str>) {
        self.shell.typed.push_back(line.map(str::to_owned));
    }

    /// Hands over the text that the user edited.
    pub fn edited(&mut self, text: String) {
        self.shell.edited(text);
    }

    /// Ends the command, as Ctrl+C does.
    pub fn interrupt(&mut self, client: &mut dyn Client) {
        if !matches!(self.state, State::Done(_)) {
            self.finish(client, 130);
        }
    }

    /// The context, as the command leaves it.
    pub fn context(&self) -> &Context {
        &self.shell.input.context
    }

    /// What was printed since the last call.
    pub fn take_output(&mut self) -> Vec<Chunk> {
        self.shell.take_output()
    }

    fn finish(&mut self, client: &mut dyn Client, code: i32) {
        self.shell.close_streams(client);
        self.state = State::Done(code);
    }
}

/// Runs a command to its end; one that waits is interrupted when `wait` answers false.
/// `wait` lets time pass.
pub fn run(
    args: &[&str],
    input: Input,
    client: &mut dyn Client,
    wait: &mut dyn FnMut(&mut dyn Client) -> bool,
) -> Output {
    let mut run = Run::new(args, input);
    let mut output = Output::default();
    loop {
        let progress = run.poll(client);
        let code = match progress {
            Progress::Done(code) => Some(code),
            Progress::Edit(text) => {
                run.edited(text);
                None
            }
            Progress::Waiting if wait(client) => None,
            Progress::Waiting | Progress::Input(_) => {
                run.interrupt(client);
                Some(130)
            }
        };
        for chunk in run.take_output() {
            match chunk.is_error {
                true => output.stderr.push_str(&chunk.text),
                false => output.stdout.push_str(&chunk.text),
            }
        }
        if let Some(code) = code {
            output.code = code;
            return output;
        }
    }
}
