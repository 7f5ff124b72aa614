//! Events of a watch.

use std::collections::VecDeque;

use value::{Value, json};

use crate::Cx;
use crate::api::Url;
use crate::failure::{Failure, Result};
use crate::manifest::Info;

/// One change.
pub(crate) struct Event {
    /// `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.
    pub(crate) kind: String,
    pub(crate) object: Value,
}

/// An open watch.
pub(crate) struct Watch {
    stream: Option<u64>,
    buffer: Vec<u8>,
    events: VecDeque<Event>,
}

/// What a watch has to give.
pub(crate) enum Next {
    Event(Event),
    /// Nothing yet.
    Nothing,
    /// The server has ended it.
    End,
}

impl Watch {
    /// Watches what is at `url`, which has no `watch` parameter yet.
    pub(crate) fn open(cx: &mut Cx<'_>, url: &Url, accept: &str, since: &str) -> Result<Watch> {
        let url = url.clone().with("resourceVersion", since).with("watch", "true");
        let mut watch = Watch { stream: None, buffer: Vec::new(), events: VecDeque::new() };
        match cx.open(&url, accept)? {
            Ok(stream) => watch.stream = Some(stream),
            Err(bytes) => watch.take(&bytes),
        }
        Ok(watch)
    }

    /// The next event.
    ///
    /// # Errors
    /// The server ends the watch with one.
    pub(crate) fn next(&mut self, cx: &mut Cx<'_>) -> Result<Next> {
        if self.events.is_empty()
            && let Some(stream) = self.stream
        {
            match cx.client.read(stream) {
                Some(bytes) => self.take(&bytes),
                None => self.stream = None,
            }
        }
        match self.events.pop_front() {
            Some(event) if event.kind == "ERROR" => Err(Failure::Status(event.object)),
            Some(event) => Ok(Next::Event(event)),
            None if self.stream.is_some() => Ok(Next::Nothing),
            None => Ok(Next::End),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        while let Some(end) = self.buffer.iter().position(|&it| it == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            if let Ok(event) = json::parse(&line) {
                let kind = event.str_at("type").unwrap_or_default().to_owned();
                self.events.push_back(Event { kind, object: event.get("object").cloned().unwrap_or_default() });
            }
        }
    }
}

/// One object as it changes: first as it is, then each change.
pub(crate) struct Single {
    first: Option<Event>,
    watch: Watch,
    /// Whether it was there when the watch began.
    pub(crate) exists: bool,
    deadline: Option<i64>,
}

impl Single {
    /// Begins to watch the object; `deadline` is in seconds since the epoch.
    pub(crate) fn open(cx: &mut Cx<'_>, info: &Info, deadline: Option<i64>) -> Result<Single> {
        let url = info.collection().with("fieldSelector", &format!("metadata.name={}", info.name));
        let list = cx.get(&url)?;
        let version = list.str_at("metadata.resourceVersion").unwrap_or_default().to_owned();
        let object = crate::build::items(&list, &info.resource).into_iter().next().map(|it| it.object);
        let watch = Watch::open(cx, &url, crate::api::JSON, &version)?;
        let exists = object.is_some();
        let first = object.map(|object| Event { kind: "ADDED".into(), object });
        Ok(Single { first, watch, exists, deadline })
    }

    /// The next change; `End` when the time is over or the server ends the watch.
    pub(crate) fn next(&mut self, cx: &mut Cx<'_>) -> Result<Next> {
        if let Some(event) = self.first.take() {
            return Ok(Next::Event(event));
        }
        loop {
            return match self.watch.next(cx)? {
                Next::Event(event) if event.kind == "BOOKMARK" => continue,
                Next::Nothing if self.deadline.is_some_and(|it| cx.now() >= it) => Ok(Next::End),
                next => Ok(next),
            };
        }
    }
}
