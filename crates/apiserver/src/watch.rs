//! Watches: positions in the log of a kind, and what their clients have still to hear (`storage/cacher`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use kinds::{Kind, Served, ServedKind};
use meta::{KindId, Object, Revision, Status};
use sim::{Duration, Instant};
use store::{Change, Cursor};
use value::{Str, Value, json, map};

use crate::http_types::{Chunk, StreamId};
use crate::list::check_not_older;
use crate::negotiate::Shape;
use crate::options::{ListOptions, resource_version};
use crate::selectors::Selection;
use crate::shapes::Shaper;
use crate::table::Include;
use crate::{ApiServer, layout, protobuf};

/// Events in one chunk.
const EVENTS_MAX: usize = 512;
/// How often a client that asked for bookmarks gets one, if there is something to tell.
const BOOKMARK_PERIOD: Duration = Duration::from_secs(60);
/// Tells that all objects that were there have been sent.
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// The open watches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watches {
    open: BTreeMap<StreamId, Watch>,
    n_opened: u64,
}

/// What a watch is about.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub kind: KindId,
    pub served: Option<Served>,
    /// `None`: all.
    pub namespace: Option<Str>,
    pub selection: Selection,
    pub shape: Shape,
    pub include: Include,
    /// Whether events are written as protobuf and not as lines of JSON.
    pub binary: bool,
}

#[derive(Clone, Debug)]
struct Watch {
    subject: Subject,
    cursor: Cursor,
    /// What was there at the beginning and has not been sent.
    initial: VecDeque<Arc<Object>>,
    /// The bookmark after `initial`.
    initial_end: Option<Revision>,
    /// What is sent instead of everything else, and is the end.
    failure: Option<Box<Status>>,
    /// Whether the client wants bookmarks from time to time.
    bookmarks: bool,
    next_bookmark: Instant,
    /// The newest revision that the client has heard of.
    told: Revision,
    /// Whether a table's columns have been sent.
    headed: bool,
    until: Option<Instant>,
}

impl Watches {
    /// Whether a watch of `kind` is open.
    pub fn any_of(&self, kind: KindId) -> bool {
        self.open.values().any(|it| it.subject.kind == kind)
    }

    fn is_shared(&self, kind: KindId) -> bool {
        self.open.values().filter(|it| it.subject.kind == kind).nth(1).is_some()
    }
}

/// What an event is about and in which words it is told: equal for watches that can share its bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Form {
    kind: KindId,
    version: &'static str,
    shape: Shape,
    include: Include,
    headers: bool,
    binary: bool,
    word: &'static str,
    revision: Revision,
    /// One commit may have changed several objects, and initial events have no revision of their own.
    key: meta::Key,
}

/// Events already written in this round.
type Written = BTreeMap<Form, Arc<[u8]>>;

impl ApiServer {
    /// Opens a watch; its first chunk comes with the next [`ApiServer::pump`].
    ///
    /// # Errors
    /// The API's answer to a revision that is none.
    pub(crate) fn open_watch(
        &mut self,
        now: Instant,
        subject: Subject,
        options: &ListOptions,
    ) -> Result<StreamId, Status> {
        let Some(kind) = self.registry.get(subject.kind) else { return Err(Status::internal("no such kind")) };
        // Upstream hands this error on without making a proper one of it.
        let asked = resource_version(&options.resource_version).map_err(|status| {
            let why = status.message.strip_prefix("invalid resource version: ").unwrap_or_default().to_owned();
            Status::new(500, "", why)
        })?;
        let store = self.store_of(kind);
        let revision = store.revision();
        let mut watch = Watch {
            cursor: store.watch(subject.kind, Revision(asked)),
            subject,
            initial: VecDeque::new(),
            initial_end: None,
            failure: None,
            bookmarks: options.bookmarks,
            next_bookmark: now + BOOKMARK_PERIOD,
            told: Revision(asked),
            headed: false,
            until: options
                .timeout_seconds
                .and_then(|it| u64::try_from(it).ok())
                .filter(|it| *it > 0)
                .map(|it| now + Duration::from_secs(it)),
        };
        if options.send_initial_events {
            match check_not_older(&options.resource_version, store) {
                Ok(()) => watch.start_with_all(kind, store, revision),
                Err(status) => watch.failure = Some(Box::new(status)),
            }
        } else if asked == 0 {
            watch.cursor.seen = revision;
            watch.told = revision;
        } else if Revision(asked) < store.compacted(kind.id) {
            watch.failure = Some(Box::new(too_old(asked, store.compacted(kind.id))));
        }
        self.watches.n_opened += 1;
        let id = StreamId(self.watches.n_opened);
        self.watches.open.insert(id, watch);
        Ok(id)
    }

    /// What open watches have to send, at most `limit` chunks. Nothing: all is said that there is to say now.
    pub fn pump(&mut self, now: Instant, limit: usize) -> Vec<(StreamId, Chunk)> {
        let mut chunks = Vec::new();
        if self.watches.open.is_empty() {
            return chunks;
        }
        let mut watches = std::mem::take(&mut self.watches);
        let mut written = Written::new();
        let shared: BTreeMap<KindId, bool> =
            watches.open.values().map(|it| it.subject.kind).map(|kind| (kind, watches.is_shared(kind))).collect();
        for (id, watch) in &mut watches.open {
            if chunks.len() == limit {
                break;
            }
            let written = shared.get(&watch.subject.kind).copied().unwrap_or(false).then_some(&mut written);
            if let Some(chunk) = watch.next_chunk(self, now, written) {
                chunks.push((*id, chunk));
            }
        }
        for (id, _) in chunks.iter().filter(|(_, chunk)| chunk.last) {
            watches.open.remove(id);
        }
        self.watches = watches;
        chunks
    }

    /// The client of a watch has gone.
    pub fn close(&mut self, id: StreamId) {
        self.watches.open.remove(&id);
    }
}

/// 410 for a revision that the log no longer reaches.
fn too_old(asked: u64, oldest: Revision) -> Status {
    Status::expired(format!("too old resource version: {asked} ({})", oldest.0))
}

impl Watch {
    fn start_with_all(&mut self, kind: &Kind, store: &store::Store, revision: Revision) {
        let subject = &self.subject;
        self.initial = store
            .list(kind.id, subject.namespace.as_deref())
            .filter(|it| subject.selection.matches(kind, it))
            .cloned()
            .collect();
        self.initial_end = self.bookmarks.then_some(revision);
        self.cursor.seen = revision;
        self.told = revision;
    }

    /// The next bytes, if there are any.
    fn next_chunk(&mut self, api: &ApiServer, now: Instant, mut written: Option<&mut Written>) -> Option<Chunk> {
        let kind = api.registry.get(self.subject.kind)?;
        let served = self.subject.served;
        let served = ServedKind { kind, served: served.as_ref() };
        let shaper = Shaper::new(api, served, (self.subject.shape, self.subject.include), now.secs());
        let mut bytes = Vec::new();
        let mut n_events = 0;
        if self.failure.is_none() {
            while n_events < EVENTS_MAX
                && let Some(object) = self.initial.pop_front()
            {
                self.event(&shaper, "ADDED", &object, written.as_deref_mut(), &mut bytes);
                n_events += 1;
            }
            if self.initial.is_empty() {
                if let Some(revision) = self.initial_end.take() {
                    self.bookmark(&shaper, revision, true, &mut bytes);
                }
                self.changes(api, &shaper, EVENTS_MAX - n_events, written, &mut bytes);
            }
        }
        let mut last = false;
        if let Some(status) = self.failure.take() {
            event("ERROR", &status.to_value(), self.subject.binary, &mut bytes);
            last = true;
        }
        let revision = api.store_of(kind).revision();
        if !last && self.bookmarks && now >= self.next_bookmark {
            self.next_bookmark = now + BOOKMARK_PERIOD;
            // Only where it is news, and all before it has been sent.
            let up_to_date = self.cursor.seen >= api.store_of(kind).newest(kind.id);
            if bytes.is_empty() && up_to_date && self.told < revision {
                self.bookmark(&shaper, revision, false, &mut bytes);
            }
        }
        last |= self.until.is_some_and(|it| it <= now);
        (last || !bytes.is_empty()).then_some(Chunk { bytes, last })
    }

    /// Events of what has changed since.
    fn changes(
        &mut self,
        api: &ApiServer,
        shaper: &Shaper<'_>,
        limit: usize,
        mut written: Option<&mut Written>,
        bytes: &mut Vec<u8>,
    ) {
        let kind = shaper.kind();
        let store = api.store_of(kind);
        let mut changes: Vec<Change> = Vec::new();
        let asked = self.cursor.seen;
        loop {
            changes.clear();
            if store.read(&mut self.cursor, limit.max(1), &mut changes).is_err() {
                self.failure = Some(Box::new(too_old(asked.0, store.compacted(kind.id))));
                return;
            }
            for change in &changes {
                if let Some((word, object)) = self.subject.event(kind, change) {
                    self.event(shaper, word, &object, written.as_deref_mut(), bytes);
                }
            }
            // What concerned others is passed over at once.
            if changes.is_empty() || !bytes.is_empty() {
                return;
            }
        }
    }

    fn event(
        &mut self,
        shaper: &Shaper<'_>,
        word: &'static str,
        object: &Object,
        written: Option<&mut Written>,
        bytes: &mut Vec<u8>,
    ) {
        let headers = !std::mem::replace(&mut self.headed, true);
        let revision = object.meta.revision;
        self.told = self.told.max(revision);
        let binary = self.subject.binary;
        let write = |out: &mut Vec<u8>| event(word, &shaper.event(object, headers), binary, out);
        let Some(written) = written else { return write(bytes) };
        let version = self.subject.served.as_ref().map_or("", |it| it.version);
        let Subject { kind, shape, include, .. } = self.subject;
        let headers = headers && matches!(shape, Shape::Table(_));
        let form = Form { kind, version, shape, include, headers, binary, word, revision, key: object.key() };
        let event = written.entry(form).or_insert_with(|| {
            let mut out = Vec::new();
            write(&mut out);
            out.into()
        });
        bytes.extend_from_slice(event);
    }

    /// An object of the kind that has nothing but a revision.
    fn bookmark(&mut self, shaper: &Shaper<'_>, revision: Revision, initial_end: bool, bytes: &mut Vec<u8>) {
        self.told = revision;
        let mut object = Object { kind: self.subject.kind, meta: meta::Metadata::default(), body: map!({}) };
        object.meta.revision = revision;
        if initial_end {
            object.meta.annotations = map!({ INITIAL_EVENTS_END: "true" });
        }
        let headers = !std::mem::replace(&mut self.headed, true);
        event("BOOKMARK", &shaper.bookmark(&object, headers), self.subject.binary, bytes);
    }
}

impl Subject {
    /// What a change is to somebody who watches a part of the objects.
    fn event(&self, kind: &Kind, change: &Change) -> Option<(&'static str, Arc<Object>)> {
        let seen = |it: &&Arc<Object>| {
            self.namespace.as_ref().is_none_or(|namespace| it.meta.namespace == *namespace)
                && self.selection.matches(kind, it)
        };
        let after = change.after.as_ref().filter(seen);
        let before = change.before.as_ref().filter(seen);
        match (before, after) {
            (None, Some(after)) => Some(("ADDED", after.clone())),
            (Some(_), Some(after)) => Some(("MODIFIED", after.clone())),
            (Some(before), None) => {
                let mut last = Object::clone(before);
                last.meta.revision = change.revision;
                Some(("DELETED", Arc::new(last)))
            }
            (None, None) => None,
        }
    }
}

/// One event of a stream: a line, or a message with its length.
fn event(word: &str, object: &Value, binary: bool, out: &mut Vec<u8>) {
    if binary {
        // Only kinds that have messages are watched in them.
        out.extend(protobuf::write_event(word, object).unwrap_or_default());
        return;
    }
    out.extend_from_slice(b"{\"type\":");
    json::write_str(word, out);
    out.extend_from_slice(b",\"object\":");
    layout::write(object, out);
    out.extend_from_slice(b"}\n");
}

#[cfg(test)]
mod tests;
