//! What containers print: declared lines, or the output of the few shell commands that are simulated.

use sim::{Duration, Instant};
use value::{Str, time};

/// Lines that a loop may print at most before it is cut off.
const LINES_MAX: usize = 10_000;

/// One line of a container's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine {
    pub at: Instant,
    pub text: Str,
}

/// Which lines are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogOptions {
    /// Empty: the only container.
    pub container: Str,
    pub previous: bool,
    pub tail: Option<usize>,
    pub since: Option<Instant>,
}

/// A simulated shell script: simple commands in order, perhaps in an endless loop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Script {
    commands: Vec<Command>,
    is_loop: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Command {
    Echo(String),
    Date,
    Sleep(Duration),
    Exit(i64),
    Seq(i64, i64),
}

/// The script in a container's command line, if every command of it is known.
pub(crate) fn script(words: &[&str]) -> Option<Script> {
    let text = match words {
        [] => return None,
        [shell, "-c", script, ..] if is_shell(shell) => (*script).to_owned(),
        [shell, "-ec" | "-euc" | "-xc", script, ..] if is_shell(shell) => (*script).to_owned(),
        words => words.join(" "),
    };
    let text = text.trim();
    let body = text
        .strip_prefix("while true; do")
        .or_else(|| text.strip_prefix("while true;do"))
        .or_else(|| text.strip_prefix("while :; do"));
    let (body, is_loop) = match body {
        Some(body) => (body.trim().strip_suffix("done")?.trim_end().trim_end_matches(';'), true),
        None => (text, false),
    };
    let commands = body
        .split(['\n', ';'])
        .flat_map(|it| it.split("&&"))
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .map(command)
        .collect::<Option<Vec<_>>>()?;
    (!commands.is_empty()).then_some(Script { commands, is_loop })
}

fn is_shell(word: &str) -> bool {
    matches!(word.rsplit('/').next(), Some("sh" | "bash" | "ash" | "dash"))
}

fn command(text: &str) -> Option<Command> {
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    match name.rsplit('/').next()? {
        "echo" => Some(Command::Echo(unquoted(rest)?)),
        "date" => Some(Command::Date),
        "sleep" => sleep(rest),
        "exit" => Some(Command::Exit(if rest.is_empty() { 0 } else { rest.parse().ok()? })),
        "true" | ":" => Some(Command::Sleep(Duration::ZERO)),
        "false" => Some(Command::Exit(1)),
        "seq" => {
            let numbers: Vec<i64> = rest.split_whitespace().map(|it| it.parse().ok()).collect::<Option<_>>()?;
            match numbers.as_slice() {
                [last] => Some(Command::Seq(1, *last)),
                [first, last] => Some(Command::Seq(*first, *last)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn sleep(text: &str) -> Option<Command> {
    if text == "infinity" || text == "inf" {
        return Some(Command::Sleep(Duration::MAX));
    }
    let unit = text.trim_start_matches(|it: char| it.is_ascii_digit());
    let number: u64 = text[..text.len() - unit.len()].parse().ok()?;
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    Some(Command::Sleep(Duration::from_secs(number.checked_mul(factor)?)))
}

/// Text without its quotes; `None` where the shell would have to expand or redirect something.
fn unquoted(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(it), c) if it == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None | Some('"'), '$' | '`') | (None, '>' | '<' | '|' | '&' | '*') => return None,
            (_, c) => out.push(c),
        }
    }
    quote.is_none().then_some(out)
}

/// How long a script runs (`None`: for ever) and its exit code.
pub(crate) fn outcome(script: &Script) -> (Option<Duration>, i64) {
    let mut spent = Duration::ZERO;
    for command in &script.commands {
        match command {
            Command::Sleep(Duration::MAX) => return (None, 0),
            Command::Sleep(it) => spent = spent.saturating_add(*it),
            Command::Exit(code) => return (Some(spent), *code),
            Command::Echo(_) | Command::Date | Command::Seq(..) => (),
        }
    }
    if script.is_loop { (None, 0) } else { (Some(spent), 0) }
}

/// What a script that began at `start` has printed until `until`.
pub(crate) fn printed(script: &Script, start: Instant, until: Instant) -> Vec<LogLine> {
    let mut lines = Vec::new();
    let mut at = start;
    loop {
        let round = at;
        for command in &script.commands {
            if at > until || lines.len() >= LINES_MAX {
                return lines;
            }
            match command {
                Command::Echo(text) => lines.push(LogLine { at, text: text.as_str().into() }),
                Command::Date => lines.push(LogLine { at, text: time::format_unix_date(at.secs()).into() }),
                Command::Seq(first, last) => {
                    lines.extend((*first..=*last).take(LINES_MAX).map(|it| LogLine { at, text: it.to_string().into() }))
                }
                Command::Sleep(it) => at = at + *it,
                Command::Exit(_) => return lines,
            }
        }
        // A loop that never sleeps prints for ever at one instant: once is enough.
        if !script.is_loop || at == round {
            return lines;
        }
    }
}
