//! The console's lines: one at a time, polled while time passes.

use std::collections::BTreeMap;

use kubectl::{Context, Input, Progress, Run, complete};
use web::{Completion, Tell};

use crate::client::Engine;
use crate::tell;

/// What is running, if anything.
#[derive(Default)]
pub struct Console {
    run: Option<Run>,
    /// What the running command asks with for the next line, as the app was told.
    prompt: Option<&'static str>,
    /// What `kubectl config` has made of it.
    context: Context,
}

impl Console {
    pub fn start(&mut self, engine: &mut Engine, line: &str, manifest: &str) {
        self.interrupt(engine);
        let words = match words(line) {
            Ok(words) => words,
            Err(message) => return done(message),
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let args = match words.split_first() {
            Some((&("kubectl" | "k"), rest)) => rest,
            _ => &words,
        };
        if let Some(message) = wants_shell(args) {
            return done(&message);
        }
        // The manifest in the editor, under the names that one tries first.
        let file = manifest.as_bytes().to_vec();
        let files = ["manifest.yaml", "./manifest.yaml"].map(|it| (it.to_owned(), file.clone()));
        let input = Input { stdin: file, is_typed: true, files: BTreeMap::from(files), context: self.context.clone() };
        self.run = Some(Run::new(args, input));
        self.poll(engine);
    }

    /// Lets the running command go on.
    pub fn poll(&mut self, engine: &mut Engine) {
        let Some(run) = &mut self.run else { return };
        let progress = run.poll(engine);
        let mut text: String = run.take_output().into_iter().map(|it| it.text).collect();
        let mut prompt = None;
        let is_done = match progress {
            Progress::Done(_) => true,
            Progress::Waiting => false,
            Progress::Input(it) => {
                prompt = Some(it);
                false
            }
            Progress::Edit(_) => {
                run.interrupt(engine);
                text.push_str("error: edit needs an editor of its own; change the manifest at the left and apply it, or use patch\n");
                true
            }
        };
        if is_done {
            self.context = run.context().clone();
            self.run = None;
        }
        let asks = std::mem::replace(&mut self.prompt, prompt) != prompt;
        if is_done || asks || !text.is_empty() {
            tell(&Tell::Output { text, is_done, prompt: prompt.map(str::to_owned) });
        }
    }

    /// A line for the running command; none ends what is typed.
    pub fn typed(&mut self, engine: &mut Engine, line: Option<&str>) {
        if let Some(run) = &mut self.run {
            self.prompt = None;
            run.typed(line);
            self.poll(engine);
        }
    }

    /// Ends what runs; what reads lines hears that there are no more.
    pub fn interrupt(&mut self, engine: &mut Engine) {
        if self.prompt.is_some() {
            self.typed(engine, None);
        }
        if let Some(mut run) = self.run.take() {
            run.interrupt(engine);
            self.prompt = None;
            done("^C\n");
        }
    }
}

fn done(text: &str) {
    tell(&Tell::Output { text: text.to_owned(), is_done: true, prompt: None });
}

/// What the last word of a line may become.
pub fn completions(engine: &mut Engine, line: &str) -> Vec<Completion> {
    let mut words: Vec<&str> = line.split(' ').filter(|it| !it.is_empty()).collect();
    if line.is_empty() || line.ends_with(' ') {
        words.push("");
    }
    if words.first() == Some(&"kubectl") {
        words.remove(0);
    }
    let found = complete(&words, engine);
    found.into_iter().map(|label| Completion { label, ..Completion::default() }).collect()
}

/// What to say of a line that more than kubectl is to read.
pub fn wants_shell(words: &[&str]) -> Option<String> {
    let sign = words.iter().find(|it| matches!(**it, "|" | ">" | ">>" | "<" | "&&" | "||" | ";" | "&"))?;
    Some(format!("there is no shell here, so {sign} has no meaning; this line is for kubectl alone\n"))
}

/// The words of a line, as a shell splits it: quotes keep spaces, a backslash keeps the next character.
pub fn words(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(it) = chars.next() {
        match it {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        None => return Err("a quote is not closed\n"),
                        Some(end) if end == it => break,
                        Some('\\') if it == '"' => word.extend(chars.next()),
                        Some(other) => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            it if it.is_whitespace() => words.extend(word.take()),
            it => word.get_or_insert_default().push(it),
        }
    }
    words.extend(word);
    Ok(words)
}
