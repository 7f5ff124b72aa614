//! A shell at a terminal: what is typed is shown, and each line runs as a command of its own.

use futures_util::StreamExt;
use tokio_tungstenite::tungstenite::Message;

use super::{Ask, ERROR, STDERR, STDIN, STDOUT, Socket, Wanted, send, with_returns};

const PROMPT: &str = "/ # ";
/// Lines that the arrows bring back.
const HISTORY_MAX: usize = 100;

pub(super) struct Terminal<'a> {
    wanted: &'a Wanted,
    ask: &'a Ask,
    /// What is typed and not run yet.
    line: String,
    /// Keys of a sequence that begins with Escape, while it is not over.
    escape: String,
    history: Vec<String>,
    /// Which line of the history is shown; its length for none.
    place: usize,
    /// Lines that later ones depend on: variables and the folder.
    kept: String,
    /// Of the last command.
    code: i64,
}

/// What a key leads to.
enum Done {
    GoOn,
    Run,
    End,
}

impl<'a> Terminal<'a> {
    pub fn new(wanted: &'a Wanted, ask: &'a Ask) -> Terminal<'a> {
        Terminal {
            wanted,
            ask,
            line: String::new(),
            escape: String::new(),
            history: Vec::new(),
            place: 0,
            kept: String::new(),
            code: 0,
        }
    }

    /// Until the shell ends or the client goes away.
    pub async fn run(mut self, socket: &mut Socket) -> Option<()> {
        send(socket, STDOUT, PROMPT.as_bytes()).await?;
        while let Some(Ok(message)) = socket.next().await {
            let bytes = match message {
                Message::Binary(bytes) => bytes,
                Message::Close(_) => return None,
                _ => continue,
            };
            let [STDIN, typed @ ..] = &*bytes else { continue };
            for key in String::from_utf8_lossy(typed).chars() {
                let mut shown = String::new();
                let done = self.key(key, &mut shown);
                send(socket, STDOUT, shown.as_bytes()).await?;
                let ends = match done {
                    Done::GoOn => false,
                    Done::Run => self.run_line(socket).await?,
                    Done::End => true,
                };
                if ends {
                    return self.end(socket).await;
                }
            }
        }
        None
    }

    async fn end(&self, socket: &mut Socket) -> Option<()> {
        let status = match self.code {
            0 => value::value!({ "metadata": {}, "status": "Success" }),
            code => value::value!({
                "details": { "causes": [{ "message": code.to_string(), "reason": "ExitCode" }] }, "metadata": {},
                "message": format!("command terminated with non-zero exit code: exit status {code}"),
                "reason": "NonZeroExitCode", "status": "Failure",
            }),
        };
        send(socket, ERROR, value::json::to_string(&status).as_bytes()).await
    }

    /// Takes one key in; `shown` is what the terminal is told.
    fn key(&mut self, key: char, shown: &mut String) -> Done {
        if !self.escape.is_empty() {
            self.escape.push(key);
            if self.escape.len() > 2 && (key.is_ascii_alphabetic() || key == '~') {
                self.arrow(key, shown);
                self.escape.clear();
            }
            return Done::GoOn;
        }
        match key {
            '\r' | '\n' => {
                shown.push_str("\r\n");
                return Done::Run;
            }
            '\u{1b}' => self.escape.push(key),
            '\u{7f}' | '\u{8}' if self.line.pop().is_some() => shown.push_str("\u{8} \u{8}"),
            '\u{3}' => {
                self.line.clear();
                shown.push_str(&format!("^C\r\n{PROMPT}"));
            }
            '\u{4}' if self.line.is_empty() => return Done::End,
            key if !key.is_control() => {
                self.line.push(key);
                shown.push(key);
            }
            _ => {}
        }
        Done::GoOn
    }

    /// Up and down go through the history.
    fn arrow(&mut self, key: char, shown: &mut String) {
        let place = match key {
            'A' => self.place.saturating_sub(1),
            'B' => (self.place + 1).min(self.history.len()),
            _ => return,
        };
        self.place = place;
        self.line = self.history.get(place).cloned().unwrap_or_default();
        shown.push_str(&format!("\r\u{1b}[K{PROMPT}{}", self.line));
    }

    /// Runs what was typed; answers whether the shell ends.
    async fn run_line(&mut self, socket: &mut Socket) -> Option<bool> {
        let line = std::mem::take(&mut self.line);
        let line = line.trim();
        if !line.is_empty() {
            self.history.push(line.to_owned());
            if self.history.len() > HISTORY_MAX {
                self.history.remove(0);
            }
            self.place = self.history.len();
            let mut words = line.split_whitespace();
            if words.next() == Some("exit") {
                self.code = words.next().and_then(|it| it.parse().ok()).unwrap_or(self.code);
                return Some(true);
            }
            self.ask(socket, line).await?;
        }
        send(socket, STDOUT, PROMPT.as_bytes()).await?;
        Some(false)
    }

    async fn ask(&mut self, socket: &mut Socket, line: &str) -> Option<()> {
        let answer = (self.ask)(self.wanted.of_line(&format!("{}{line}", self.kept))).await;
        if answer.status() != http::StatusCode::OK {
            // The container has ended, and with it the shell.
            send(socket, STDOUT, &with_returns(answer.body())).await?;
            return None;
        }
        for (channel, bytes) in kubectl::channels(answer.body()) {
            match channel {
                STDOUT | STDERR => send(socket, STDOUT, &with_returns(bytes)).await?,
                _ => self.code = code_of(bytes),
            }
        }
        if changes_the_shell(line) {
            self.kept.push_str(line);
            self.kept.push('\n');
        }
        Some(())
    }
}

/// The exit code in a `Status`.
fn code_of(bytes: &[u8]) -> i64 {
    let status = value::json::parse(bytes).unwrap_or_default();
    let cause = status.list_at("details.causes").first().and_then(|it| it.str_at("message"));
    cause.and_then(|it| it.parse().ok()).unwrap_or(0)
}

/// Whether a line only sets variables or the folder, so that later lines need it.
fn changes_the_shell(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    let is_name = |it: &str| !it.is_empty() && it.chars().all(|it| it == '_' || it.is_ascii_alphanumeric());
    let is_assignment = first.split_once('=').is_some_and(|(name, _)| is_name(name)) && !line.contains(' ');
    matches!(first, "cd" | "export" | "unset" | "alias") || is_assignment
}
