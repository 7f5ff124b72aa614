//! The API server as a value.

use std::collections::BTreeMap;
use std::sync::Arc;

use kinds::Registry;
use meta::{Key, KindId, Object, Revision};
use schema::{Schema, TypeId};
use sim::{Duration, Instant, Rng};
use store::Store;
use value::{Map, Str};

use crate::discovery::Cache;
use crate::requests::Requests;
use crate::templates::Templates;
use crate::watch::Watches;

/// What an API server starts from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// For uids and generated names.
    pub seed: u64,
    /// Changes of each kind that watches can go back to.
    pub log_changes_max: usize,
}

/// Store, kinds, schema and open watches.
pub struct ApiServer {
    pub(crate) store: Store,
    compaction: Compaction,
    /// Objects of read-only kinds, which others make anew before they are read; no part of the cluster's state.
    pub(crate) shown: Store,
    pub(crate) registry: Registry,
    /// `group/version` of each kind, by id.
    api_versions: Vec<Str>,
    /// The type of each kind as it is stored, by id.
    types: Vec<Option<TypeId>>,
    pub(crate) schema: Arc<Schema>,
    pub(crate) rng: Rng,
    pub(crate) watches: Watches,
    pub(crate) requests: Requests,
    /// What readers see of stored objects instead of what is stored: see [`ApiServer::overlay`].
    pub(crate) overlays: BTreeMap<KindId, BTreeMap<Key, Map>>,
    pub(crate) memo: merge::Memo,
    pub(crate) templates: Templates,
    pub(crate) events: crate::events::Known,
    pub(crate) cache: Cache,
}

impl ApiServer {
    /// An empty one: no namespaces yet.
    pub fn new(config: Config) -> ApiServer {
        let (registry, schema) = (Registry::builtin(), Schema::shared());
        let n_kinds = registry.ids().count();
        ApiServer {
            store: Store::new(n_kinds, config.log_changes_max),
            compaction: Compaction::default(),
            shown: Store::new(n_kinds, config.log_changes_max.min(SHOWN_CHANGES_MAX)),
            overlays: BTreeMap::new(),
            types: registry.all().map(|it| schema.definition(it.definition)).collect(),
            api_versions: registry.all().map(|it| it.api_version().into()).collect(),
            registry,
            schema: schema.clone(),
            rng: Rng::stream(config.seed, "apiserver"),
            watches: Watches::default(),
            requests: Requests::default(),
            memo: merge::Memo::default(),
            templates: Templates::default(),
            events: Default::default(),
            cache: Cache::default(),
        }
    }

    /// The live objects and their recent history.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Starts from saved objects instead: no history, no open watches. `rng` is what [`ApiServer::rng_state`] answered.
    pub fn restore(&mut self, store: Store, rng: u64) {
        self.store = store;
        self.compaction = Compaction::default();
        self.rng = Rng::new(rng);
        self.watches = Watches::default();
        self.events = Default::default();
    }

    /// Forgets what it has seen and would not know after a restart, where that decides what is stored or can be read.
    pub fn forget(&mut self) {
        self.compaction = Compaction::default();
        self.templates.clear();
    }

    /// Forgets the history so far: what is there at the beginning has been there for long.
    pub fn compact(&mut self) {
        self.store.compact();
    }

    /// Forgets history of before the last time, if that was long enough ago; whoever reads changes has read those.
    pub fn let_pass(&mut self, now: Instant) {
        if self.compaction.due <= now {
            self.store.compact_to(self.compaction.until);
            self.compaction = Compaction { due: now + COMPACTION_INTERVAL, until: self.store.revision() };
        }
    }

    /// The state of the stream of chance, for saving.
    pub fn rng_state(&self) -> u64 {
        self.rng.state()
    }

    /// Goes back to an earlier state of chance, so that nothing tells that it was drawn from.
    pub fn set_rng_state(&mut self, state: u64) {
        self.rng = Rng::new(state);
    }

    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// What is said of a field of a definition, for people.
    pub fn description(&self, definition: &str, field: &str) -> Option<&'static str> {
        crate::openapi::description(definition, field)
    }

    /// The store in which a kind's objects are.
    pub(crate) fn store_of(&self, kind: &kinds::Kind) -> &Store {
        if kind.verbs == kinds::Verbs::ReadOnly { &self.shown } else { &self.store }
    }

    /// `group/version` under which objects of a kind are stored.
    pub fn api_version(&self, kind: KindId) -> Str {
        self.api_versions.get(usize::from(kind.0)).cloned().unwrap_or_default()
    }

    /// The type of the objects of a kind as they are stored.
    pub(crate) fn type_of(&self, kind: KindId) -> Option<TypeId> {
        self.types.get(usize::from(kind.0)).copied().flatten()
    }

    /// The whole tree of an object, as stored.
    pub fn to_value(&self, object: &Object) -> value::Value {
        let kind = self.registry.get(object.kind).map_or("", |it| it.kind);
        object.to_value(&self.api_version(object.kind), kind)
    }

    /// A version 4 uid of RFC 4122, determined by the seed.
    pub(crate) fn new_uid(&mut self) -> Str {
        let (a, b) = (self.rng.next_u64(), self.rng.next_u64());
        uuid(a, b)
    }
}

/// `--etcd-compaction-interval`
const COMPACTION_INTERVAL: Duration = Duration::from_secs(300);

/// When history is forgotten next, and which: what was there the last time (`storage/etcd3/compact.go`).
#[derive(Clone, Copy, Default, Debug)]
struct Compaction {
    due: Instant,
    until: Revision,
}

/// Changes of shown objects that watches can go back to.
const SHOWN_CHANGES_MAX: usize = 4_096;

/// 122 bits in the form of RFC 4122, version 4.
pub(crate) fn uuid(a: u64, b: u64) -> Str {
    let (a, b) = ((a & !0xf000) | 0x4000, (b & (u64::MAX >> 2)) | (0x2 << 62));
    let (a, b) = (value::hex(a), value::hex(b));
    let mut text = [b'-'; 36];
    text[..8].copy_from_slice(&a[..8]);
    text[9..13].copy_from_slice(&a[8..12]);
    text[14..18].copy_from_slice(&a[12..]);
    text[19..23].copy_from_slice(&b[..4]);
    text[24..].copy_from_slice(&b[4..]);
    std::str::from_utf8(&text).unwrap_or_default().into()
}
