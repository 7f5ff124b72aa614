//! Command lines of kubectl that a script gives: what they print is the answer. One that waits is polled while time passes.

use std::collections::BTreeMap;

use kubectl::{Context, Input, Progress, Run};

use crate::client::Engine;
use crate::console;

/// What runs, by the ids under which it was asked for.
#[derive(Default)]
pub struct Commands {
    running: BTreeMap<u32, Command>,
    /// What `kubectl config` has made of it.
    context: Context,
}

struct Command {
    run: Run,
    output: String,
    errors: String,
}

/// A command that has ended.
pub struct Ended {
    pub id: u32,
    /// What a shell would be told.
    pub code: u32,
    pub output: String,
    pub errors: String,
}

impl Commands {
    /// Begins with a line, which nobody but kubectl reads, and words beyond it.
    pub fn start(&mut self, engine: &mut Engine, id: u32, line: &str, words: &[String], input: Input) -> Option<Ended> {
        let refused = |errors: String| Some(Ended { id, code: 1, output: String::new(), errors });
        let of_line = match console::words(line) {
            Ok(it) => it,
            Err(message) => return refused(message.to_owned()),
        };
        let args: Vec<&str> = of_line.iter().map(String::as_str).collect();
        if let Some(message) = console::wants_shell(&args) {
            return refused(message);
        }
        let args: Vec<&str> = args.into_iter().chain(words.iter().map(String::as_str)).collect();
        let args = args.strip_prefix(&["kubectl"]).unwrap_or(&args);
        let run = Run::new(args, Input { context: self.context.clone(), ..input });
        self.running.insert(id, Command { run, output: String::new(), errors: String::new() });
        self.poll(engine, id)
    }

    pub fn runs(&self, id: u32) -> bool {
        self.running.contains_key(&id)
    }

    /// Ends a command, which then has this to say.
    pub fn interrupt(&mut self, engine: &mut Engine, id: u32, why: &str) -> Option<Ended> {
        let Command { mut run, output, errors } = self.running.remove(&id)?;
        run.interrupt(engine);
        Some(Ended { id, code: 130, output, errors: errors + why })
    }

    /// Lets all go on; answers those that have ended.
    pub fn poll_all(&mut self, engine: &mut Engine) -> Vec<Ended> {
        let ids: Vec<u32> = self.running.keys().copied().collect();
        ids.into_iter().filter_map(|it| self.poll(engine, it)).collect()
    }

    pub fn poll(&mut self, engine: &mut Engine, id: u32) -> Option<Ended> {
        let Command { run, output, errors } = self.running.get_mut(&id)?;
        let progress = run.poll(engine);
        for chunk in run.take_output() {
            let printed = if chunk.is_error { &mut *errors } else { &mut *output };
            printed.push_str(&chunk.text);
        }
        let code = match progress {
            Progress::Waiting => return None,
            Progress::Done(code) => u32::try_from(code).unwrap_or(1),
            Progress::Edit(_) | Progress::Input(_) => {
                run.interrupt(engine);
                errors.push_str("error: nobody is there to edit or to type; use patch, or stdin\n");
                1
            }
        };
        self.context = run.context().clone();
        let Command { output, errors, .. } = self.running.remove(&id)?;
        Some(Ended { id, code, output, errors })
    }
}
