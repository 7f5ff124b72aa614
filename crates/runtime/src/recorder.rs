//! Events: repeated ones are counted, floods are dropped (`client-go/tools/record`'s correlator).

use apiserver::{Cause, Form, Recorded};
use kinds::{EVENT, Kind};
use meta::{Identity, Key, KeyMap, Object, Revision};
use sim::{Duration, Instant, Throttle};
use value::{Str, Value, map, present, time};

/// Sources remembered at most; beyond it the oldest half is forgotten (`maxLruCacheEntries`).
const MEMORY_MAX: usize = 4096;
/// Hosts whose names are kept at most: more than there are in a large cluster.
const HOSTS_MAX: usize = 16_384;
/// Events about one object from one source at once, and then one every five minutes.
const SPAM_BURST: u32 = 25;
const SPAM_EVERY: Duration = Duration::from_secs(300);
/// More different messages of one reason than this within the interval become one event.
const SIMILAR_MAX: usize = 10;
const SIMILAR_INTERVAL: Duration = Duration::from_secs(600);
/// A series of the newer API ends after this silence, and is told again this often while it goes on.
const SERIES_INTERVAL: Duration = Duration::from_secs(360);
const SERIES_REFRESH: Duration = Duration::from_secs(1800);
/// Messages that are longer may be refused (`noteLengthLimit`).
const MESSAGE_MAX: usize = 1024;
/// What events of the newer API append to the name of a component: the machine on which the control plane runs.
const HOST: &[u8] = b"-vm";

/// Who records: the component's name in events and, for kubelets, the node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventSource<'a> {
    pub component: &'a str,
    pub host: &'a str,
}

/// Remembers what was recorded.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    /// Events that are not stored yet.
    pub(crate) recorded: Vec<Recorded>,
    /// By component, host, object and level.
    told: KeyMap<Told, u64>,
    /// How many events are known in all of them.
    n_known: usize,
    /// Events of the newer API by all that identifies them.
    series: KeyMap<Series, u64>,
    n_recorded: u64,
    last: Last,
}

/// Parts of the last event, which the next one often has, too.
#[derive(Clone, Debug, Default)]
struct Last {
    /// The object that it was about, in this revision, and the part of it.
    revision: Revision,
    field_path: Str,
    involved: Value,
    /// Who recorded on which host, by the host: events of many hosts take turns.
    sources: KeyMap<Source, Str>,
}

/// Who recorded, as events say it.
#[derive(Clone, Debug)]
struct Source {
    component: Str,
    host: Str,
    source: Value,
}

/// An event of the newer API that may happen again.
#[derive(Clone, Debug)]
struct Series {
    key: Key,
    count: i64,
    last: Instant,
    /// When it was last sent.
    sent: Instant,
}

/// What one source has told of one object, on one level.
#[derive(Clone, Debug)]
struct Told {
    throttle: Throttle,
    similar: Vec<Similar>,
    /// Recorded events by all that identifies them, with their count.
    known: Vec<(u64, Key, i64)>,
}

/// Messages of one reason, as their digests.
#[derive(Clone, Debug)]
struct Similar {
    reason: u64,
    first: u64,
    more: Vec<u64>,
    last: Instant,
}

/// An event before it is correlated.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'a> {
    pub about: &'a Object,
    pub kind: &'a Kind,
    /// Of the kind.
    pub api_version: &'a Str,
    pub source: EventSource<'a>,
    /// `Normal` or `Warning`
    pub level: &'a str,
    pub reason: &'a str,
    /// What was being done, for events of the newer API; empty for the others.
    pub action: &'a str,
    pub message: &'a str,
    /// Such as `spec.containers{web}`; empty for the whole object.
    pub field_path: &'a str,
}

impl Recorder {
    /// One that knows no events, but does not give names again that have been given to so many.
    pub fn after(n_recorded: u64) -> Recorder {
        Recorder { n_recorded, ..Recorder::default() }
    }

    /// How many events have been given names.
    pub fn n_recorded(&self) -> u64 {
        self.n_recorded
    }

    /// Takes an event at `now` in: as a new one, or as a repetition. Of that it answers the key of the Event and the patch that tells
    /// it, unless there are too many.
    pub(crate) fn record(&mut self, now: Instant, fact: &Fact<'_>, cause: &Option<Cause>) -> Option<(Key, Value)> {
        if self.n_known.max(self.series.len()) > MEMORY_MAX {
            let (recorded, last) = (std::mem::take(&mut self.recorded), std::mem::take(&mut self.last));
            *self = Recorder { recorded, last, ..Recorder::after(self.n_recorded) };
        }
        if fact.action.is_empty() { self.correlate(now, fact, cause) } else { self.correlate_v1(now, fact, cause) }
    }

    fn correlate(&mut self, now: Instant, fact: &Fact<'_>, cause: &Option<Cause>) -> Option<(Key, Value)> {
        let about = &fact.about.meta;
        // Some name an object without its uid.
        let place = if about.uid.is_empty() { [&*about.namespace, &*about.name] } else { [&*about.uid, ""] };
        let source = digest(0, &[fact.source.component, fact.source.host, fact.level, place[0], place[1]]);
        let reason = digest(source, &[fact.reason]);
        let message = digest(reason, &[fact.message]);
        let told = self.told.or_insert_with(&source, Told::new);
        let is_single = told.is_single(now, reason, message);
        let identity = digest(if is_single { message } else { reason }, &[fact.field_path]);
        let passes = told.throttle.try_take(now);
        let text = || -> Str {
            if is_single {
                fact.message.into()
            } else {
                ["(combined from similar events): ", fact.message].concat().into()
            }
        };
        if let Some((_, key, count)) = told.known.iter_mut().rfind(|(it, ..)| *it == identity) {
            *count += 1;
            let patch = || map!({ "count": *count, "lastTimestamp": time::format_secs(now.secs()), "message": text() });
            return passes.then(|| (key.clone(), patch().into()));
        }
        if !passes {
            return None;
        }
        let key = name(now, fact, &mut self.n_recorded);
        told.known.push((identity, key.clone(), 1));
        self.n_known += 1;
        let message = text();
        let form = form(fact, &message);
        let body = self.last.body(now, fact, message);
        self.recorded.push(recorded(key, body, form, cause));
        None
    }

    /// The same for the events.k8s.io API: what happens again to the same state of an object is one series, whatever the
    /// note says (`tools/events`).
    fn correlate_v1(&mut self, now: Instant, fact: &Fact<'_>, cause: &Option<Cause>) -> Option<(Key, Value)> {
        let about = &fact.about.meta;
        let identity =
            digest(about.revision.0, &[fact.source.component, &about.uid, fact.level, fact.reason, fact.action]);
        let running = self.series.get_mut(&identity).filter(|it| now.since(it.last) <= SERIES_INTERVAL);
        let Some(series) = running else {
            let key = name(now, fact, &mut self.n_recorded);
            self.series.insert(identity, Series { key: key.clone(), count: 1, last: now, sent: now });
            let body = self.last.body_v1(now, fact);
            self.recorded.push(recorded(key, body, form(fact, fact.message), cause));
            return None;
        };
        series.count += 1;
        series.last = now;
        // The first repetition is told at once, later ones from time to time.
        if series.count > 2 && now.since(series.sent) < SERIES_REFRESH {
            return None;
        }
        series.sent = now;
        let observed = time::format_micros(now.nanos());
        let patch = value::value!({ "series": { "count": series.count, "lastObservedTime": observed } });
        Some((series.key.clone(), patch))
    }

    /// The Event under `key` is gone: the next one like it is new.
    pub fn forget_event(&mut self, key: &Key) {
        let mut n_known = 0;
        self.told.change_all(|told| {
            told.known.retain(|(_, it, _)| it != key);
            n_known += told.known.len();
        });
        self.n_known = n_known;
        self.series.retain(|_, it| it.key != *key);
    }
}

impl Told {
    fn new() -> Told {
        Told { throttle: Throttle::new(SPAM_EVERY, SPAM_BURST), similar: Vec::new(), known: Vec::new() }
    }

    /// Whether it is an event of its own: unless there were so many different messages of late that one event stands for all.
    fn is_single(&mut self, now: Instant, reason: u64, message: u64) -> bool {
        let Some(similar) = self.similar.iter_mut().find(|it| it.reason == reason) else {
            self.similar.push(Similar { reason, first: message, more: Vec::new(), last: now });
            return true;
        };
        let was_long_ago = now.since(similar.last) > SIMILAR_INTERVAL;
        similar.last = now;
        if was_long_ago {
            similar.more.clear();
            similar.first = message;
            return true;
        }
        let is_known = similar.first == message || similar.more.contains(&message);
        if !is_known && similar.more.len() < SIMILAR_MAX {
            similar.more.push(message);
        }
        similar.more.len() + 1 < SIMILAR_MAX
    }
}

/// `name.NANOSECONDS` in hexadecimal; events of one instant are told apart by their number.
fn name(now: Instant, fact: &Fact<'_>, n_recorded: &mut u64) -> Key {
    *n_recorded += 1;
    let Identity { name, namespace, .. } = &*fact.about.meta;
    let stamp = value::hex(now.nanos().saturating_add(*n_recorded % 1_000_000));
    let namespace = if namespace.is_empty() { Str::literal("default") } else { namespace.clone() };
    Key { namespace, name: Str::joined(&[name.as_bytes(), b".", &stamp]) }
}

/// A number that stands for several texts: events are told apart by it.
#[inline(never)]
fn digest(start: u64, texts: &[&str]) -> u64 {
    texts.iter().fold(start, |all, text| value::digest(all, text))
}

impl Last {
    /// The object that an event is about.
    fn involved(&mut self, fact: &Fact<'_>) -> Value {
        let about = &fact.about.meta;
        // Without a revision the object is only named.
        let is_named = about.revision == Revision::default();
        if !is_named
            && self.revision == about.revision
            && self.field_path == fact.field_path
            && !self.involved.is_null()
        {
            return self.involved.clone();
        }
        if self.field_path != fact.field_path {
            self.field_path = fact.field_path.into();
        }
        let revision = about.revision.text();
        let (kind, path) = (Str::literal(fact.kind.kind), &self.field_path);
        let mut involved = if path.is_empty() {
            map!({
                "apiVersion": fact.api_version, "kind": kind, "name": &about.name, "namespace": &about.namespace,
                "resourceVersion": revision, "uid": &about.uid,
            })
        } else {
            map!({
                "apiVersion": fact.api_version, "fieldPath": path, "kind": kind, "name": &about.name,
                "namespace": &about.namespace, "resourceVersion": revision, "uid": &about.uid,
            })
        };
        if about.namespace.is_empty() {
            involved.remove("namespace");
        }
        if is_named {
            involved.remove("resourceVersion");
        }
        self.revision = about.revision;
        self.involved = Value::Map(involved);
        self.involved.clone()
    }

    /// Who recorded.
    fn source(&mut self, EventSource { component, host }: EventSource<'_>) -> Source {
        let known = self.sources.get(host);
        if let Some(known) = known.filter(|it| it.component == component) {
            return known.clone();
        }
        let (component, host) = (Str::literal(component), known.map_or_else(|| host.into(), |it| it.host.clone()));
        let map =
            present!({ "component": Some((&component).into()), "host": (!host.is_empty()).then(|| (&host).into()) });
        if self.sources.len() == HOSTS_MAX {
            self.sources.clear();
        }
        let source = Source { component, host, source: Value::Map(map) };
        self.sources.insert(source.host.clone(), source.clone());
        source
    }

    fn body(&mut self, now: Instant, fact: &Fact<'_>, message: Str) -> value::Map {
        let involved = self.involved(fact);
        let stamp = time::format_secs(now.secs());
        let Source { component, host, source } = self.source(fact.source);
        map!({
            "count": 1, "eventTime": null, "firstTimestamp": &stamp, "involvedObject": involved, "lastTimestamp": stamp,
            "message": message, "reason": Str::literal(fact.reason), "reportingComponent": component,
            "reportingInstance": host, "source": source, "type": Str::literal(fact.level),
        })
    }

    fn body_v1(&mut self, now: Instant, fact: &Fact<'_>) -> value::Map {
        let component = fact.source.component;
        map!({
            "action": Str::literal(fact.action), "eventTime": time::format_micros(now.nanos()), "firstTimestamp": null,
            "involvedObject": self.involved(fact), "lastTimestamp": null, "message": fact.message,
            "reason": Str::literal(fact.reason), "reportingComponent": Str::literal(component),
            "reportingInstance": Str::joined(&[component.as_bytes(), HOST]), "source": {}, "type": Str::literal(fact.level),
        })
    }
}

/// The form of an event with this message. The write path need not look at what is always valid.
fn form(fact: &Fact<'_>, message: &str) -> Option<Form> {
    let (meta, source) = (&fact.about.meta, fact.source);
    let is_whole = [source.component, fact.level, fact.reason, message].iter().all(|it| !it.is_empty());
    (is_whole && message.len() <= MESSAGE_MAX).then(|| Form {
        is_v1: !fact.action.is_empty(),
        has_host: !source.host.is_empty(),
        has_namespace: !meta.namespace.is_empty(),
        has_revision: meta.revision != Revision::default(),
        has_field_path: !fact.field_path.is_empty(),
    })
}

fn recorded(key: Key, body: value::Map, form: Option<Form>, cause: &Option<Cause>) -> Recorded {
    let event = Object { kind: EVENT, meta: meta::Metadata::new(key.namespace, key.name), body };
    Recorded { event, form, cause: cause.clone() }
}
