//! Events: repeated ones are counted, floods are dropped (`client-go/tools/record`'s correlator).

use meta::{Identity, Key, KeyMap, Object, Revision};
use sim::{Duration, Instant, Throttle};
use value::{Str, Value, map, time};

use kinds::Kind;

/// Sources remembered at most; beyond it the oldest half is forgotten (`maxLruCacheEntries`).
const MEMORY_MAX: usize = 4096;
/// Events about one object from one source at once, and then one every five minutes.
const SPAM_BURST: u32 = 25;
const SPAM_EVERY: Duration = Duration::from_secs(300);
/// More different messages of one reason than this within the interval become one event.
const SIMILAR_MAX: usize = 10;
const SIMILAR_INTERVAL: Duration = Duration::from_secs(600);
/// A series of the newer API ends after this silence, and is told again this often while it goes on.
const SERIES_INTERVAL: Duration = Duration::from_secs(360);
const SERIES_REFRESH: Duration = Duration::from_secs(1800);
/// The machine on which the control plane runs, as events of the newer API name it.
const HOST: &str = "vm";

/// Who records: the component's name in events and, for kubelets, the node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventSource<'a> {
    pub component: &'a str,
    pub host: &'a str,
}

/// What to do about an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// A new Event object with this key and body.
    Create(Key, value::Map),
    /// The Event under this key happened again: its new count, and the message (aggregated ones change it).
    Repeat { key: Key, count: i64, message: Str },
    /// The Event of the newer API under this key happened again, so often.
    Series { key: Key, count: i64 },
    /// Too many of late.
    Drop,
}

/// Remembers what was recorded.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
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
    secs: i64,
    stamp: Value,
    /// The object that it was about, in this revision, and the part of it.
    revision: Revision,
    field_path: Str,
    involved: Value,
    /// Who recorded on which host, and the host. Events of many hosts take turns.
    sources: KeyMap<(Value, Str), Str>,
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

/// Messages of one reason.
#[derive(Clone, Debug)]
struct Similar {
    reason: u64,
    first: Str,
    more: Vec<Str>,
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

    /// Decides what becomes of an event at `now`.
    pub fn correlate(&mut self, now: Instant, fact: &Fact<'_>) -> Decision {
        self.forget();
        let about = &fact.about.meta;
        // Some name an object without its uid.
        let place = if about.uid.is_empty() { [&*about.namespace, &*about.name] } else { [""; 2] };
        let source = digest(0, &[fact.source.component, fact.source.host, &about.uid, fact.level, place[0], place[1]]);
        let reason = digest(source, &[fact.reason]);
        let told = self.told.or_insert_with(&source, Told::new);
        let single = told.single(now, reason, fact.message);
        let identity = digest(reason, &[fact.field_path, if single.is_some() { fact.message } else { "" }]);
        let passes = told.throttle.try_take(now);
        let message = || single.unwrap_or_else(|| format!("(combined from similar events): {}", fact.message).into());
        if let Some((_, key, count)) = told.known.iter_mut().rfind(|(it, ..)| *it == identity) {
            *count += 1;
            let repeat = |message| Decision::Repeat { key: key.clone(), count: *count, message };
            return if passes { repeat(message()) } else { Decision::Drop };
        }
        if !passes {
            return Decision::Drop;
        }
        let key = name(now, fact, &mut self.n_recorded);
        told.known.push((identity, key.clone(), 1));
        self.n_known += 1;
        Decision::Create(key, body(now, fact, message(), &mut self.last))
    }

    /// The same for the events.k8s.io API: what happens again to the same state of an object is one series, whatever the
    /// note says (`tools/events`).
    pub fn correlate_v1(&mut self, now: Instant, fact: &Fact<'_>, action: &str) -> Decision {
        self.forget();
        let revision = fact.about.meta.revision.0.to_string();
        let identity =
            digest(1, &[fact.source.component, &fact.about.meta.uid, &revision, fact.level, fact.reason, action]);
        let running = self.series.get_mut(&identity).filter(|it| now.since(it.last) <= SERIES_INTERVAL);
        let Some(series) = running else {
            let key = name(now, fact, &mut self.n_recorded);
            self.series.insert(identity, Series { key: key.clone(), count: 1, last: now, sent: now });
            return Decision::Create(key, body_v1(now, fact, action, &mut self.last));
        };
        series.count += 1;
        series.last = now;
        // The first repetition is told at once, later ones from time to time.
        if series.count > 2 && now.since(series.sent) < SERIES_REFRESH {
            return Decision::Drop;
        }
        series.sent = now;
        Decision::Series { key: series.key.clone(), count: series.count }
    }

    fn forget(&mut self) {
        if self.n_known.max(self.series.len()) > MEMORY_MAX {
            *self = Recorder::after(self.n_recorded);
        }
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

    /// The message, unless there were so many different ones of late that one event stands for all.
    fn single(&mut self, now: Instant, reason: u64, message: &str) -> Option<Str> {
        let Some(similar) = self.similar.iter_mut().find(|it| it.reason == reason) else {
            let first = Str::from(message);
            self.similar.push(Similar { reason, first: first.clone(), more: Vec::new(), last: now });
            return Some(first);
        };
        let was_long_ago = now.since(similar.last) > SIMILAR_INTERVAL;
        similar.last = now;
        if was_long_ago {
            similar.more.clear();
            similar.first = message.into();
            return Some(similar.first.clone());
        }
        let known = std::iter::once(&similar.first).chain(&similar.more).find(|it| **it == message).cloned();
        if known.is_none() && similar.more.len() < SIMILAR_MAX {
            similar.more.push(message.into());
        }
        if similar.more.len() + 1 >= SIMILAR_MAX {
            return None;
        }
        known.or_else(|| similar.more.last().cloned())
    }
}

/// `name.NANOSECONDS` in hexadecimal; events of one instant are told apart by their number.
fn name(now: Instant, fact: &Fact<'_>, n_recorded: &mut u64) -> Key {
    *n_recorded += 1;
    let Identity { name, namespace, .. } = &*fact.about.meta;
    let stamp = value::hex(now.nanos().saturating_add(*n_recorded % 1_000_000));
    let mut text = String::with_capacity(name.len() + 1 + stamp.len());
    text.push_str(name);
    text.push('.');
    text.push_str(str::from_utf8(&stamp).unwrap_or_default());
    let namespace = if namespace.is_empty() { Str::literal("default") } else { namespace.clone() };
    Key { namespace, name: text.into() }
}

/// A number that stands for several texts: events are told apart by it. FNV-1a of eight bytes at once.
fn digest(start: u64, texts: &[&str]) -> u64 {
    const FACTOR: u64 = 0x100_0000_01b3;
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ start;
    for text in texts {
        let (words, rest) = text.as_bytes().as_chunks::<8>();
        for word in words {
            hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
            hash ^= hash >> 32;
        }
        // The length of the rest stands where no byte of it does.
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        last[7] = 0xf0 | rest.len() as u8;
        hash = (hash ^ u64::from_le_bytes(last)).wrapping_mul(FACTOR);
        hash ^= hash >> 32;
    }
    hash
}

impl Last {
    /// The time of the event, in seconds.
    fn stamp(&mut self, now: Instant) -> Value {
        if self.secs != now.secs() || self.stamp.is_null() {
            (self.secs, self.stamp) = (now.secs(), time::format_secs(now.secs()).into());
        }
        self.stamp.clone()
    }

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
        let revision = about.revision.0.to_string();
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

    /// Who recorded, and the host.
    fn source(&mut self, source: EventSource<'_>) -> (Value, Str) {
        let known = self.sources.get(source.host);
        if let Some(known) = known.filter(|(it, _)| it.str_at("component") == Some(source.component)) {
            return known.clone();
        }
        let host = known.map_or_else(|| Str::from(source.host), |(_, host)| host.clone());
        let mut map = map!({ "component": Str::literal(source.component) });
        if !host.is_empty() {
            map.insert(Str::literal("host"), &host);
        }
        if self.sources.len() == MEMORY_MAX {
            self.sources.clear();
        }
        self.sources.insert(host.clone(), (Value::Map(map.clone()), host.clone()));
        (Value::Map(map), host)
    }
}

fn body(now: Instant, fact: &Fact<'_>, message: Str, last: &mut Last) -> value::Map {
    let stamp = last.stamp(now);
    let (source, host) = last.source(fact.source);
    map!({
        "count": 1, "eventTime": null, "firstTimestamp": &stamp, "involvedObject": last.involved(fact),
        "lastTimestamp": &stamp, "message": message, "reason": Str::literal(fact.reason),
        "reportingComponent": Str::literal(fact.source.component), "reportingInstance": host, "source": source,
        "type": Str::literal(fact.level),
    })
}

fn body_v1(now: Instant, fact: &Fact<'_>, action: &str, last: &mut Last) -> value::Map {
    let component = fact.source.component;
    map!({
        "action": Str::literal(action), "eventTime": time::format_micros(now.nanos()), "firstTimestamp": null,
        "involvedObject": last.involved(fact), "lastTimestamp": null, "message": fact.message,
        "reason": Str::literal(fact.reason), "reportingComponent": Str::literal(component),
        "reportingInstance": [component, "-", HOST].concat(), "source": {}, "type": Str::literal(fact.level),
    })
}

/// What a repetition changes in an Event.
pub(crate) fn repeat_patch(now: Instant, count: i64, message: &Str) -> Value {
    value::value!({ "count": count, "lastTimestamp": time::format_secs(now.secs()), "message": message })
}

/// The same for an Event of the newer API.
pub(crate) fn series_patch(now: Instant, count: i64) -> Value {
    value::value!({ "series": { "count": count, "lastObservedTime": time::format_micros(now.nanos()) } })
}
