//! A small POSIX shell in virtual time, so that what containers print and how they end means something.
//!
//! Knows the language and the common commands. Any other program says nothing: as the last command it serves for ever.

mod arith;
mod commands;
mod live;
mod parse;
mod pi;
mod run;

use std::collections::BTreeMap;

use sim::Instant;
use value::Str;

pub(crate) use self::commands::matches;
pub use self::live::Programs;
pub(crate) use self::live::{ask, exec};
pub(crate) use self::run::{End, Output, run};

use self::parse::Node;

/// What a container runs, as far as it is understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Program(Node);

impl Program {
    /// Whether it does the same wherever and whenever it runs, but for the times that it prints.
    pub(crate) fn is_plain(&self) -> bool {
        self.0.is_plain()
    }

    /// Whether it is made of commands that the shell knows: then nothing in it takes connections.
    pub(crate) fn is_understood(&self) -> bool {
        self.0.is_understood()
    }
}

/// What surrounds a program.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Surroundings {
    pub variables: Vec<(Str, Str)>,
    /// Files that are there at the beginning, by path.
    pub files: BTreeMap<String, String>,
    pub hostname: Str,
    /// What its programs are from.
    pub image: Str,
    /// Whether a program that is not known ends by itself, as those of Jobs do.
    pub unknown_ends: bool,
}

/// One line that was printed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine {
    pub at: Instant,
    pub text: Str,
}

/// The program in a container's command line; `None` for one that is not known.
pub(crate) fn program(words: &[&str]) -> Option<Program> {
    let (first, rest) = words.split_first()?;
    if !is_shell(first) {
        let is_known = commands::is_known(base(first)) || commands::digits_of_pi(base(first), rest).is_some();
        return is_known.then(|| Program(Node::of_words(words)));
    }
    // Options of the shell, such as `-e` or `-ec`; the script follows the one that ends in `c`.
    let idx = rest.iter().position(|it| !it.starts_with('-') || it.ends_with('c'))?;
    let script = match rest.get(idx)? {
        option if option.starts_with('-') => rest.get(idx + 1)?,
        _ => return None,
    };
    parse::parse(script).map(Program)
}

pub(crate) fn is_shell(word: &str) -> bool {
    matches!(base(word), "sh" | "bash" | "ash" | "dash" | "busybox")
}

/// The last part of a path.
fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

#[cfg(test)]
mod tests;
