//! Runs a tree of commands in virtual time.

mod expand;

use std::collections::BTreeMap;

use sim::{Duration, Instant};
use value::Str;

use super::commands;
use super::live::{Live, Programs};
use super::parse::{Node, Part, Redirect, RedirectKind, Word};
use super::{LogLine, Program, Surroundings};

/// Commands that are run at most; a program that runs more is taken to run for ever.
const STEPS_MAX: u32 = 20_000;
/// Lines that are kept: what was printed before has been rotated away.
const LINES_MAX: usize = 5_000;
/// Rounds of a loop that does the same each time that are run one by one, at its beginning and at its end.
const ROUNDS_SHOWN: u32 = 1_000;
/// How deep commands may be in one another.
const DEPTH_MAX: u32 = 100;

/// How a program ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct End {
    pub at: Instant,
    pub code: i64,
}

/// What a program did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Output {
    pub lines: Vec<LogLine>,
    /// `None`: it has not ended.
    pub end: Option<End>,
    /// When it does something after the time until which it was run.
    pub next: Option<Instant>,
    /// Its files each time that they changed, at most [`CHANGES_MAX`] times.
    pub changes: Vec<(Instant, BTreeMap<String, String>)>,
    /// Whether the network was asked, so that it may come out otherwise another time.
    pub asked: bool,
}

/// Changes of files that are remembered.
const CHANGES_MAX: usize = 50;

/// Runs a program that began at `start` until `until`.
pub(crate) fn run(
    program: &Program,
    around: &Surroundings,
    start: Instant,
    until: Instant,
    programs: Option<Programs<'_>>,
) -> Output {
    let mut shell = Shell::new(around, start, until);
    shell.programs = programs;
    let flow = shell.node(&program.0, &mut Input::default(), true);
    shell.end_line();
    let (end, next) = match flow {
        Err(Stop::Exit(code)) => (Some(code), None),
        Err(Stop::Waits(at)) => (None, Some(at)),
        Err(Stop::ForEver) => (None, None),
        Ok(()) | Err(Stop::Break | Stop::Continue) => (Some(shell.status), None),
    };
    let end = end.map(|code| End { at: shell.now, code });
    Output { lines: shell.lines, end, next, changes: shell.changes, asked: shell.asked }
}

/// Why commands are left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    Exit(i64),
    Break,
    Continue,
    /// The time is up: it sleeps until then.
    Waits(Instant),
    /// It does nothing more and does not end.
    ForEver,
}

pub(super) type Flow = Result<(), Stop>;

/// What a command reads.
#[derive(Clone, Debug, Default)]
pub(super) struct Input {
    pub text: String,
}

pub(super) struct Shell<'a> {
    pub now: Instant,
    pub until: Instant,
    pub around: &'a Surroundings,
    pub variables: BTreeMap<String, String>,
    pub files: BTreeMap<String, String>,
    changes: Vec<(Instant, BTreeMap<String, String>)>,
    lines: Vec<LogLine>,
    /// A line that is not ended yet.
    partial: String,
    /// Output goes here instead, inside `$(…)`, pipes and redirections.
    pub captured: Option<String>,
    pub status: i64,
    n_steps: u32,
    depth: u32,
    /// `set -e`
    pub stops_on_error: bool,
    /// What only commands that somebody waits for have.
    pub live: Option<Live>,
    /// Programs that others know.
    pub programs: Option<Programs<'a>>,
    /// Whether one of them has run.
    pub asked: bool,
}

impl<'a> Shell<'a> {
    pub fn new(around: &'a Surroundings, now: Instant, until: Instant) -> Shell<'a> {
        Shell {
            now,
            until,
            around,
            variables: around.variables.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
            files: around.files.clone(),
            changes: Vec::new(),
            lines: Vec::new(),
            partial: String::new(),
            captured: None,
            status: 0,
            n_steps: 0,
            depth: 0,
            stops_on_error: false,
            live: None,
            programs: None,
            asked: false,
        }
    }
}

impl Shell<'_> {
    /// Prints a text, which may hold several lines.
    pub fn print(&mut self, text: &str) {
        if let Some(captured) = &mut self.captured {
            captured.push_str(text);
            return;
        }
        for piece in text.split_inclusive('\n') {
            self.partial.push_str(piece.strip_suffix('\n').unwrap_or(piece));
            if piece.ends_with('\n') {
                self.push_line();
            }
        }
    }

    fn push_line(&mut self) {
        let text = Str::from(std::mem::take(&mut self.partial));
        if self.lines.len() >= 2 * LINES_MAX {
            self.lines.drain(..LINES_MAX);
        }
        self.lines.push(LogLine { at: self.now, text });
    }

    fn end_line(&mut self) {
        if !self.partial.is_empty() {
            self.push_line();
        }
    }

    /// Says what is wrong, to whoever waits for the command; a log without it is still one.
    pub fn complain(&mut self, text: &str) {
        if let Some(live) = &mut self.live {
            live.errors.push_str(text);
            live.errors.push('\n');
        }
    }

    /// Lets time pass.
    pub fn sleep(&mut self, time: Duration) -> Flow {
        let at = self.now + time;
        if at > self.until || at == Instant::END {
            return Err(if at == Instant::END { Stop::ForEver } else { Stop::Waits(at) });
        }
        self.now = at;
        Ok(())
    }

    fn step(&mut self) -> Flow {
        self.n_steps += 1;
        if self.n_steps > STEPS_MAX { Err(Stop::ForEver) } else { Ok(()) }
    }

    /// Runs one command. `last`: nothing comes after it.
    pub fn node(&mut self, node: &Node, input: &mut Input, last: bool) -> Flow {
        self.step()?;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Stop::ForEver);
        }
        let flow = self.node_inside(node, input, last);
        self.depth -= 1;
        flow
    }

    fn node_inside(&mut self, node: &Node, input: &mut Input, last: bool) -> Flow {
        match node {
            Node::Simple { assigned, words, redirects } => self.simple(assigned, words, redirects, input, last),
            Node::Pipe(list) => self.pipe(list, input, last),
            Node::And(a, b) | Node::Or(a, b) => {
                self.condition(a, input)?;
                if (self.status == 0) == matches!(node, Node::And(..)) { self.node(b, input, last) } else { Ok(()) }
            }
            Node::Not(it) => {
                self.condition(it, input)?;
                self.status = i64::from(self.status == 0);
                Ok(())
            }
            Node::Sequence(list) => {
                for (idx, it) in list.iter().enumerate() {
                    self.node(it, input, last && idx + 1 == list.len())?;
                }
                Ok(())
            }
            Node::If(branches, otherwise) => {
                for (condition, body) in branches {
                    self.condition(condition, input)?;
                    if self.status == 0 {
                        return self.node(body, input, last);
                    }
                }
                self.status = 0;
                otherwise.as_ref().map_or(Ok(()), |it| self.node(it, input, last))
            }
            Node::While { condition, body, until } => self.repeat(condition, body, *until, input),
            Node::For { name, words, body } => self.for_each(name, words, body, input),
            Node::Case { word, arms } => {
                let word = self.text(word)?;
                for (patterns, body) in arms {
                    for pattern in patterns {
                        let pattern = self.text(pattern)?;
                        if commands::matches(&pattern, &word) {
                            return self.node(body, input, last);
                        }
                    }
                }
                Ok(())
            }
            Node::Background(it) => {
                let now = self.now;
                let flow = self.node(it, input, false);
                self.now = now;
                self.status = 0;
                match flow {
                    Err(Stop::ForEver) if self.n_steps > STEPS_MAX => flow,
                    _ => Ok(()),
                }
            }
        }
    }

    /// A command whose failure is an answer and ends nothing.
    fn condition(&mut self, node: &Node, input: &mut Input) -> Flow {
        let stops = std::mem::take(&mut self.stops_on_error);
        let flow = self.node(node, input, false);
        self.stops_on_error = stops;
        flow
    }

    fn repeat(&mut self, condition: &Node, body: &Node, until: bool, input: &mut Input) -> Flow {
        let mut n_rounds = 0;
        loop {
            let before = (self.now, self.variables.clone(), self.files.clone());
            self.condition(condition, input)?;
            if (self.status == 0) == until {
                self.status = 0;
                return Ok(());
            }
            match self.node(body, input, false) {
                Err(Stop::Break) => return Ok(()),
                Ok(()) | Err(Stop::Continue) => (),
                flow => return flow,
            }
            n_rounds += 1;
            let took = self.now.since(before.0);
            let same = self.variables == before.1 && self.files == before.2;
            if same && took.is_zero() {
                // Nothing changes and no time passes: it spins for ever.
                return Err(Stop::ForEver);
            }
            if n_rounds >= ROUNDS_SHOWN && self.files == before.2 {
                let counters = if same { Some(Vec::new()) } else { self.counters(&before.1, condition, body) };
                if let Some(counters) = counters {
                    self.skip_rounds(took, &counters);
                    n_rounds = 0;
                    self.n_steps = 0;
                }
            }
        }
    }

    /// A loop that does the same each time goes to its last rounds before the time is up.
    fn skip_rounds(&mut self, round: Duration, counters: &[(String, i64)]) {
        let left = self.until.since(self.now).as_nanos();
        let n_rounds = (left / round.as_nanos().max(1)).saturating_sub(u128::from(ROUNDS_SHOWN));
        let nanos = u64::try_from(n_rounds * round.as_nanos()).unwrap_or(u64::MAX);
        if nanos > 0 {
            self.lines.clear();
            self.now = self.now + Duration::from_nanos(nanos);
            for (name, step) in counters {
                let value = self.variables.get(name).and_then(|it| it.parse::<i64>().ok()).unwrap_or(0);
                let n_rounds = i64::try_from(n_rounds).unwrap_or(i64::MAX);
                self.variables.insert(name.clone(), value.wrapping_add(step.wrapping_mul(n_rounds)).to_string());
            }
        }
    }

    /// What a round adds to each variable, if all that changes are counters and nothing depends on them.
    fn counters(&self, before: &BTreeMap<String, String>, condition: &Node, body: &Node) -> Option<Vec<(String, i64)>> {
        if !is_straight(condition) || !is_straight(body) {
            return None;
        }
        let changed = self.variables.iter().filter(|(name, value)| before.get(*name) != Some(value));
        changed
            .map(|(name, value)| {
                let (new, old) = (value.parse::<i64>().ok()?, before.get(name)?.parse::<i64>().ok()?);
                Some((name.clone(), new.wrapping_sub(old)))
            })
            .collect()
    }

    /// Runs a program inside this one.
    pub fn inner(&mut self, program: &Program, input: &mut Input, last: bool) -> Flow {
        match self.node(&program.0, input, last) {
            Err(Stop::Exit(code)) => {
                self.status = code;
                Ok(())
            }
            flow => flow,
        }
    }

    fn for_each(&mut self, name: &str, words: &[Word], body: &Node, input: &mut Input) -> Flow {
        let words = self.expand(words)?;
        for word in words {
            self.variables.insert(name.to_owned(), word);
            match self.node(body, input, false) {
                Err(Stop::Break) => return Ok(()),
                Ok(()) | Err(Stop::Continue) => (),
                flow => return flow,
            }
        }
        Ok(())
    }

    fn pipe(&mut self, list: &[Node], input: &mut Input, last: bool) -> Flow {
        let mut text = std::mem::take(&mut input.text);
        for (idx, node) in list.iter().enumerate() {
            let mut input = Input { text };
            if idx + 1 == list.len() {
                return self.node(node, &mut input, last);
            }
            text = self.capture(|shell| shell.node(node, &mut input, false))?;
        }
        Ok(())
    }

    /// Runs with the output kept instead of printed.
    fn capture(&mut self, run: impl FnOnce(&mut Self) -> Flow) -> Result<String, Stop> {
        let outer = self.captured.replace(String::new());
        let flow = run(self);
        let text = std::mem::replace(&mut self.captured, outer).unwrap_or_default();
        match flow {
            // An exit inside ends only what is inside.
            Ok(()) | Err(Stop::Break | Stop::Continue) => Ok(text),
            Err(Stop::Exit(code)) => {
                self.status = code;
                Ok(text)
            }
            Err(stop) => {
                self.print(&text);
                Err(stop)
            }
        }
    }

    fn simple(
        &mut self,
        assigned: &[(String, Word)],
        words: &[Word],
        redirects: &[Redirect],
        input: &mut Input,
        last: bool,
    ) -> Flow {
        for (name, word) in assigned {
            let value = self.text(word)?;
            self.variables.insert(name.clone(), value);
        }
        let words = self.expand(words)?;
        let Some((name, arguments)) = words.split_first() else {
            self.status = 0;
            return Ok(());
        };
        let output = self.redirect(redirects, input)?;
        let said = self.live.as_ref().map_or(0, |it| it.errors.len());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match output {
            None => commands::run(self, name, &arguments, input, last)?,
            Some((file, append)) => {
                let text = self.capture(|shell| commands::run(shell, name, &arguments, input, last))?;
                self.write(&file, &text, append);
            }
        }
        self.redirect_errors(redirects, said);
        if self.changes.len() < CHANGES_MAX
            && self.changes.last().map_or(&self.around.files, |(_, it)| it) != &self.files
        {
            self.changes.push((self.now, self.files.clone()));
        }
        if self.stops_on_error && self.status != 0 { Err(Stop::Exit(self.status)) } else { Ok(()) }
    }

    /// Where the output goes, if it is not printed; sets the input.
    fn redirect(&mut self, redirects: &[Redirect], input: &mut Input) -> Result<Option<(String, bool)>, Stop> {
        let mut output = None;
        for it in redirects {
            let target = self.text(&it.target)?;
            match it.kind {
                RedirectKind::Read => match self.files.get(&target) {
                    Some(text) => input.text.clone_from(text),
                    None => {
                        input.text.clear();
                        self.misses();
                        self.complain(&format!("sh: can't open {target}: no such file"));
                    }
                },
                RedirectKind::Duplicate => (),
                RedirectKind::Write | RedirectKind::Append if it.descriptor == 1 => {
                    output = Some((target, it.kind == RedirectKind::Append));
                }
                RedirectKind::Write | RedirectKind::Append => (),
            }
        }
        Ok(output)
    }

    /// `2>/dev/null`, `2>&1`: what was said since goes elsewhere.
    fn redirect_errors(&mut self, redirects: &[Redirect], since: usize) {
        let Some(live) = &mut self.live else { return };
        let Some(it) = redirects.iter().rfind(|it| it.descriptor == 2) else { return };
        let said = live.errors.split_off(since.min(live.errors.len()));
        if it.kind == RedirectKind::Duplicate {
            self.print(&said);
        }
    }

    fn write(&mut self, file: &str, text: &str, append: bool) {
        match file {
            "/dev/null" => (),
            "/dev/stdout" | "/dev/stderr" | "/proc/1/fd/1" | "/proc/1/fd/2" => self.print(text),
            _ => {
                let content = self.files.entry(file.to_owned()).or_default();
                if !append {
                    content.clear();
                }
                // A file that only grows is of no use to anybody here.
                if content.len() < 1 << 20 {
                    content.push_str(text);
                }
            }
        }
    }
}

/// Whether a command always does the same, whatever the variables are.
fn is_straight(node: &Node) -> bool {
    match node {
        Node::Simple { words, .. } => {
            let name = words.first().and_then(|it| it.0.first());
            !matches!(name, Some(Part::Text { text, .. }) if matches!(text.as_str(), "exit" | "break" | "[" | "[[" | "test" | "sh"))
        }
        Node::Sequence(list) => list.iter().all(is_straight),
        _ => false,
    }
}
