//! Who looks ahead for containers that start: what programs that are alike come to is found out once.

use std::cell::RefCell;
use std::sync::Arc;

use meta::Object;
use runtime::View;
use sim::Instant;
use value::{List, Value};

use crate::client::Client;
use crate::logs;
use crate::recent::Recent;
use crate::shell::{self, End, Output, Program, Surroundings};

/// What is needed to look ahead.
pub(crate) struct Foresight {
    /// Who answers programs that ask the network.
    pub client: Client,
    /// By `command` and `args`; `None` where variables stand in them.
    known: RefCell<Recent<[List; 2], Option<Arc<Known>>>>,
}

/// What a container runs.
pub(crate) struct Known {
    /// `None`: it is not understood.
    pub program: Option<Program>,
    pub plain: Option<Plain>,
}

/// What a program did that does the same wherever and whenever it runs, when it ran at the beginning of time.
pub(crate) struct Plain(Output);

impl Plain {
    /// What it does if it begins at `start`, but for what it prints.
    pub fn output(&self, start: Instant) -> Output {
        let later = |end: End| End { at: start + end.at.since(Instant::default()), ..end };
        Output { end: self.0.end.map(later).filter(|it| it.at < Instant::END), ..self.0.clone() }
    }
}

impl Foresight {
    pub fn new(client: Client) -> Foresight {
        Foresight { client, known: RefCell::default() }
    }

    pub fn program(&self, view: &View<'_>, pod: &Object, container: &Value) -> Arc<Known> {
        let list = |key: &str| container.get(key).and_then(Value::as_list).cloned().unwrap_or_default();
        let known = self.known.borrow_mut().answer([list("command"), list("args")], |it| {
            let words: Vec<&str> = it.iter().flatten().filter_map(Value::as_str).collect();
            let is_fixed = !words.iter().any(|it| logs::has_variables(it));
            is_fixed.then(|| Arc::new(Known::of(shell::program(&words))))
        });
        known.unwrap_or_else(|| Arc::new(Known::of(logs::program(view, pod, container))))
    }
}

impl Known {
    fn of(program: Option<Program>) -> Known {
        let plain = program.as_ref().filter(|it| it.is_plain()).map(|it| {
            let output = shell::run(it, &Surroundings::default(), Instant::default(), Instant::END, None);
            Plain(Output { lines: Vec::new(), ..output })
        });
        Known { program, plain }
    }
}
