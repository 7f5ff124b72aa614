//! What a running command has at hand: its flags, its input, its output.

use std::collections::VecDeque;
use std::mem;
use std::rc::Rc;

use crate::args::Flags;
use crate::failure::Result;
use crate::mapper::Mapper;
use crate::{Chunk, Client, Input};

/// What a step of a command leads to.
pub(crate) enum Flow {
    Done,
    /// Ask again when something may have come.
    Waiting,
    /// From now on this is asked.
    Wait(Box<dyn Wait>),
}

/// A command that waits.
pub(crate) trait Wait {
    /// Goes on as far as possible.
    fn poll(&mut self, cx: &mut Cx<'_>) -> Result<Flow>;
}

/// One command line and what belongs to it.
pub(crate) struct Shell {
    pub(crate) line: Vec<String>,
    pub(crate) flags: Flags,
    pub(crate) input: Input,
    pub(crate) mapper: Option<Rc<Mapper>>,
    /// Open streams, which end with the command.
    pub(crate) streams: Vec<u64>,
    /// Warnings that were printed; each is printed once.
    pub(crate) warnings: Vec<String>,
    /// Lines that were typed and not read yet; none is the end.
    pub(crate) typed: VecDeque<Option<String>>,
    /// What asks for the next line, while one is waited for.
    pub(crate) prompt: Option<&'static str>,
    chunks: Vec<Chunk>,
    edit: Edit,
}

enum Edit {
    None,
    Asked(String),
    Done(String),
}

impl Shell {
    pub(crate) fn new(line: Vec<String>, input: Input) -> Shell {
        Shell {
            line,
            flags: Flags::default(),
            input,
            mapper: None,
            streams: Vec::new(),
            warnings: Vec::new(),
            typed: VecDeque::new(),
            prompt: None,
            chunks: Vec::new(),
            edit: Edit::None,
        }
    }

    pub(crate) fn print_error(&mut self, text: &str) {
        self.print(true, text);
    }

    fn print(&mut self, is_error: bool, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.chunks.last_mut() {
            Some(last) if last.is_error == is_error => last.text.push_str(text),
            _ => self.chunks.push(Chunk { is_error, text: text.to_owned() }),
        }
    }

    /// Whether something was printed that nobody has taken yet.
    pub(crate) fn has_output(&self) -> bool {
        !self.chunks.is_empty()
    }

    pub(crate) fn take_output(&mut self) -> Vec<Chunk> {
        mem::take(&mut self.chunks)
    }

    pub(crate) fn edit_request(&mut self) -> Option<String> {
        match &self.edit {
            Edit::Asked(text) => Some(text.clone()),
            _ => None,
        }
    }

    pub(crate) fn edited(&mut self, text: String) {
        self.edit = Edit::Done(text);
    }

    pub(crate) fn close_streams(&mut self, client: &mut dyn Client) {
        for stream in mem::take(&mut self.streams) {
            client.close(stream);
        }
    }
}

/// A command's view of itself and of the server.
pub(crate) struct Cx<'a> {
    pub(crate) client: &'a mut dyn Client,
    pub(crate) shell: &'a mut Shell,
}

impl Cx<'_> {
    /// Prints to standard output.
    pub(crate) fn out(&mut self, text: &str) {
        self.shell.print(false, text);
    }

    /// Prints a line to standard output.
    pub(crate) fn line(&mut self, text: &str) {
        self.shell.print(false, text);
        self.shell.print(false, "\n");
    }

    /// Prints a line to standard error.
    pub(crate) fn note(&mut self, text: &str) {
        self.shell.print(true, text);
        self.shell.print(true, "\n");
    }

    pub(crate) fn flags(&self) -> &Flags {
        &self.shell.flags
    }

    pub(crate) fn text(&self, flag: &str) -> String {
        self.shell.flags.text(flag).to_owned()
    }

    pub(crate) fn is(&self, flag: &str) -> bool {
        self.shell.flags.is(flag)
    }

    /// The namespace that the command line or the context names.
    pub(crate) fn namespace(&self) -> String {
        let context = self.shell.input.context.namespace.as_str();
        let found = [self.shell.flags.text("namespace"), context].into_iter().find(|it| !it.is_empty());
        found.unwrap_or("default").to_owned()
    }

    pub(crate) fn ask_to_edit(&mut self, text: String) {
        self.shell.edit = Edit::Asked(text);
    }

    /// The edited text, once there is one.
    pub(crate) fn take_edited(&mut self) -> Option<String> {
        match mem::replace(&mut self.shell.edit, Edit::None) {
            Edit::Done(text) => Some(text),
            other => {
                self.shell.edit = other;
                None
            }
        }
    }

    pub(crate) fn now(&self) -> i64 {
        self.client.now_secs()
    }
}
