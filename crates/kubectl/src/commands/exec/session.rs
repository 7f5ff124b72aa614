//! A command in a container that reads what is typed.
//!
//! Each request runs a command from its beginning to its end, so a shell's line comes after those before it that said
//! nothing: they may have changed what the next one sees, such as a variable or the folder.

use value::Value;

use super::{ended, run_once};
use crate::api::Url;
use crate::failure::Result;
use crate::shell::{Cx, Flow, Wait};

/// How a command reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reads {
    /// A shell: line by line.
    Lines,
    /// Everything, before it says anything.
    All,
}

/// Whether and how a command reads its standard input; an attached one is a shell.
pub(super) fn reads(command: &[&str]) -> Option<Reads> {
    let [first, rest @ ..] = command else { return Some(Reads::Lines) };
    let n_plain = rest.iter().filter(|it| !it.starts_with('-') || **it == "-").count();
    match first.rsplit('/').next().unwrap_or(first) {
        "sh" | "bash" | "ash" | "dash" => {
            rest.iter().all(|it| matches!(*it, "-i" | "-l" | "-")).then_some(Reads::Lines)
        }
        "tee" => Some(Reads::All),
        "cat" | "head" | "rev" | "sort" | "tail" | "uniq" | "wc" => {
            (n_plain == 0 || rest.last() == Some(&"-")).then_some(Reads::All)
        }
        "awk" | "cut" | "grep" | "sed" | "tr" => (n_plain < 2).then_some(Reads::All),
        _ => None,
    }
}

pub(super) struct Session {
    url: Url,
    reads: Reads,
    prompt: &'static str,
    /// Lines that every request begins with.
    kept: String,
    /// How the last line ended, if it failed.
    ending: Option<Value>,
}

impl Session {
    pub(super) fn new(cx: &Cx<'_>, url: Url, reads: Reads) -> Session {
        let prompt = if cx.is("tty") && reads == Reads::Lines { "# " } else { "" };
        Session { url, reads, prompt, kept: String::new(), ending: None }
    }

    /// Runs what was typed; answers whether that was all.
    fn hear(&mut self, cx: &mut Cx<'_>, line: Option<&str>) -> Result<bool> {
        let is_all = self.reads == Reads::All;
        let ends = match line {
            None => true,
            Some(line) => !is_all && line.split_whitespace().next() == Some("exit"),
        };
        let line = line.unwrap_or_default();
        let text = format!("{}{line}{}", self.kept, if line.is_empty() && ends { "" } else { "\n" });
        // A bare `exit` ends as the line before it did.
        let says_nothing = if is_all { !ends } else { matches!(line.trim(), "" | "exit") };
        if says_nothing {
            if is_all {
                self.kept = text;
            }
            return Ok(ends);
        }
        self.ending = run_once(cx, &self.url, text.clone().into_bytes())?;
        if !cx.shell.has_output() && self.ending.is_none() {
            self.kept = text;
        }
        Ok(ends)
    }
}

impl Wait for Session {
    fn poll(&mut self, cx: &mut Cx<'_>) -> Result<Flow> {
        cx.shell.prompt = None;
        if cx.shell.has_output() && !cx.shell.typed.is_empty() {
            // What a line says is told apart from what was said before it.
            return Ok(Flow::Waiting);
        }
        if let Some(line) = cx.shell.typed.pop_front()
            && self.hear(cx, line.as_deref())?
        {
            return self.ending.as_ref().map_or(Ok(Flow::Done), ended);
        }
        if cx.shell.typed.is_empty() {
            cx.shell.prompt = Some(self.prompt);
        }
        Ok(Flow::Waiting)
    }
}
