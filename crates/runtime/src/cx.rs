//! The whole world of an actor: what it may read, and the only way to change anything.

use std::sync::Arc;

use apiserver::{ApiServer, Caller, DeleteOptions, calls};
use kinds::{EVENT, Kind, POD, Verbs};
use meta::{Key, KindId, Object, Revision, Status};
use sim::{Instant, Rng};
use value::{Str, Value};

use crate::index::Item;
use crate::recorder::Fact;
use crate::{Cause, EventSource, Indexes, Recorder};

pub use apiserver::Propagation;

/// Writes of one turn at most: no cache ever reads more than this behind.
pub const TURN_WRITES_MAX: u32 = 512;

/// What can be read: live objects and the indexes over them.
#[derive(Clone, Copy)]
pub struct View<'a> {
    api: &'a ApiServer,
    indexes: &'a Indexes,
    pub now: Instant,
}

impl<'a> View<'a> {
    pub fn new(api: &'a ApiServer, indexes: &'a Indexes, now: Instant) -> View<'a> {
        View { api, indexes, now }
    }

    pub fn get(&self, kind: KindId, key: &Key) -> Option<&'a Arc<Object>> {
        self.api.store().get(kind, key)
    }

    /// Objects in the order of namespace and name; all namespaces for `None`.
    pub fn list(&self, kind: KindId, namespace: Option<&'a str>) -> impl Iterator<Item = &'a Arc<Object>> + use<'a> {
        self.api.store().list(kind, namespace)
    }

    /// The newest change of a kind.
    pub fn newest(&self, kind: KindId) -> Revision {
        self.api.store().newest(kind)
    }

    pub fn len(&self, kind: KindId) -> usize {
        self.api.store().len(kind)
    }

    pub fn is_empty(&self, kind: KindId) -> bool {
        self.len(kind) == 0
    }

    /// Everything that names `uid` as an owner.
    pub fn dependents(&self, uid: &str) -> Vec<Item> {
        self.indexes.owned_by(uid).cloned().collect()
    }

    /// Live pods bound to `node`.
    pub fn pods_on(&self, node: &str) -> impl Iterator<Item = &'a Arc<Object>> + use<'a> {
        let api = self.api;
        self.indexes.on_node(node).filter_map(move |it| api.store().get(POD, it))
    }

    /// The same as a list.
    pub fn on_node(&self, node: &str) -> Vec<Arc<Object>> {
        self.pods_on(node).cloned().collect()
    }

    /// Kinds whose objects live in namespaces and are stored, with their names as `RESOURCE.GROUP`.
    pub fn namespaced_kinds(&self) -> Vec<(KindId, String)> {
        let stored = self.api.registry().all().filter(|it| it.is_namespaced() && it.verbs == Verbs::All);
        stored.map(|it| (it.id, meta::qualified(it.group, it.plural))).collect()
    }

    /// The served kind that an owner reference names.
    pub fn kind_of(&self, api_version: &str, kind: &str) -> Option<&'a Kind> {
        self.api.registry().by_kind(api_version, kind)
    }

    pub fn kind(&self, id: KindId) -> Option<&'a Kind> {
        self.api.registry().get(id)
    }
}

/// What an actor works with during one turn.
pub struct Cx<'a> {
    api: &'a mut ApiServer,
    indexes: &'a Indexes,
    recorder: &'a mut Recorder,
    rng: &'a mut Rng,
    now: Instant,
    caller: &'a mut Caller,
    n_writes: u32,
    wants_again: bool,
    /// Revisions of the statuses that were written since the last [`Cx::take_own`].
    own: Vec<Revision>,
}

impl<'a> Cx<'a> {
    /// For the actor `caller` at `now`.
    pub fn new(
        api: &'a mut ApiServer,
        indexes: &'a Indexes,
        recorder: &'a mut Recorder,
        rng: &'a mut Rng,
        now: Instant,
        caller: &'a mut Caller,
    ) -> Cx<'a> {
        Cx { api, indexes, recorder, rng, now, caller, n_writes: 0, wants_again: false, own: Vec::new() }
    }

    /// Begins a piece of work because of `cause`.
    pub fn begin(&mut self, _component: &'static str, cause: Option<Cause>) {
        self.caller.cause = cause.map(|it| apiserver::Cause { kind: it.kind, key: it.key, revision: it.revision });
    }

    /// Ends it.
    pub fn end(&mut self) {
        self.caller.cause = None;
    }

    /// Whether the turn's writes are not used up.
    pub fn may_write(&self) -> bool {
        self.n_writes < TURN_WRITES_MAX
    }

    pub fn n_writes(&self) -> u32 {
        self.n_writes
    }

    pub fn now(&self) -> Instant {
        self.now
    }

    /// Seconds since the Unix epoch.
    pub fn now_secs(&self) -> i64 {
        self.now.secs()
    }

    pub fn rng(&mut self) -> &mut Rng {
        self.rng
    }

    pub fn view(&self) -> View<'_> {
        View { api: self.api, indexes: self.indexes, now: self.now }
    }

    pub fn get(&self, kind: KindId, key: &Key) -> Option<Arc<Object>> {
        self.api.store().get(kind, key).cloned()
    }

    pub fn list<'b>(&'b self, kind: KindId, namespace: Option<&'b str>) -> impl Iterator<Item = &'b Arc<Object>> {
        self.api.store().list(kind, namespace)
    }

    /// The objects of a kind that `owner` controls.
    pub fn controlled(&self, kind: KindId, owner: &Object) -> Vec<Arc<Object>> {
        let uid = &owner.meta.uid;
        let mut controlled = Vec::new();
        self.indexes.owned_by(uid).filter(|(it, _)| *it == kind).for_each(|(_, key)| {
            let object = self.api.store().get(kind, key);
            controlled.extend(object.filter(|it| it.meta.controller().is_some_and(|it| it.uid == *uid)).cloned());
        });
        controlled
    }

    /// Keys of the objects of a kind in a namespace that have no controller.
    pub fn orphans(&self, kind: KindId, namespace: &Str) -> Vec<Key> {
        self.indexes.orphans(kind, namespace).map(|it| Key::new(namespace, it)).collect()
    }

    pub fn on_node(&self, node: &str) -> Vec<Arc<Object>> {
        self.view().on_node(node)
    }

    /// Names of nodes that pods are bound to.
    pub fn nodes_with_pods(&self) -> Vec<Str> {
        self.indexes.nodes_with_pods().cloned().collect()
    }

    /// # Errors
    /// Whatever the API server answers.
    pub fn create(&mut self, object: Object) -> Result<Arc<Object>, Status> {
        self.n_writes += 1;
        calls::create(self.api, self.now, self.caller, object)
    }

    /// Replaces an object at the revision that it carries.
    ///
    /// # Errors
    /// Whatever the API server answers; `Conflict` when somebody else wrote it meanwhile.
    pub fn update(&mut self, object: Object) -> Result<Arc<Object>, Status> {
        self.n_writes += 1;
        calls::update(self.api, self.now, self.caller, object)
    }

    /// Replaces `status` of the object as it was read; nothing is written when it is equal.
    ///
    /// # Errors
    /// Whatever the API server answers; `Conflict` when somebody else wrote it meanwhile.
    pub fn update_status(&mut self, object: &Object, status: Value) -> Result<Arc<Object>, Status> {
        let mut update = object.clone();
        update.body.insert("status", status);
        self.n_writes += 1;
        let written = calls::update_status(self.api, self.now, self.caller, update)?;
        if written.meta.revision != object.meta.revision {
            self.own.push(written.meta.revision);
        }
        Ok(written)
    }

    /// Takes a finalizer out of a namespace's `spec.finalizers`; the last one lets it go.
    ///
    /// # Errors
    /// Whatever the API server answers; `Conflict` when somebody else wrote it meanwhile.
    pub fn finalize(&mut self, namespace: &Object, finalizer: &str) -> Result<Arc<Object>, Status> {
        let mut update = namespace.clone();
        let left = namespace.list_at("spec.finalizers").iter().filter(|it| it.as_str() != Some(finalizer));
        update.set("spec.finalizers", left.cloned().collect::<Vec<_>>());
        self.n_writes += 1;
        calls::finalize(self.api, self.now, self.caller, update)
    }

    /// A strategic merge patch.
    ///
    /// # Errors
    /// Whatever the API server answers.
    pub fn patch(&mut self, kind: KindId, key: &Key, patch: &Value) -> Result<Arc<Object>, Status> {
        self.n_writes += 1;
        calls::patch_strategic(self.api, self.now, self.caller, kind, key, patch)
    }

    /// Patches a finalizer away.
    ///
    /// # Errors
    /// Whatever the API server answers.
    pub fn remove_finalizer(&mut self, kind: KindId, key: &Key, finalizer: &str) -> Result<Arc<Object>, Status> {
        self.n_writes += 1;
        calls::remove_finalizer(self.api, self.now, self.caller, kind, key, finalizer)
    }

    /// A strategic merge patch of the status.
    ///
    /// # Errors
    /// Whatever the API server answers.
    pub fn patch_status(&mut self, kind: KindId, key: &Key, patch: &Value) -> Result<Arc<Object>, Status> {
        self.n_writes += 1;
        calls::patch_status(self.api, self.now, self.caller, kind, key, patch)
    }

    /// A JSON merge patch.
    ///
    /// # Errors
    /// Whatever the API server answers.
    pub fn patch_merge(&mut self, kind: KindId, key: &Key, patch: &Value) -> Result<Arc<Object>, Status> {
        self.n_writes += 1;
        calls::patch_merge(self.api, self.now, self.caller, kind, key, patch)
    }

    /// Changes the replicas of an object through its scale.
    ///
    /// # Errors
    /// Whatever the API server answers.
    pub fn scale(&mut self, kind: KindId, key: &Key, replicas: i64) -> Result<Arc<Object>, Status> {
        self.n_writes += 1;
        calls::scale(self.api, self.now, self.caller, kind, key, replicas)
    }

    /// Deletes with the kind's default propagation and grace.
    ///
    /// # Errors
    /// Whatever the API server answers.
    pub fn delete(&mut self, kind: KindId, key: &Key) -> Result<(), Status> {
        self.delete_options(kind, key, &DeleteOptions::default())
    }

    /// Deletes without grace.
    ///
    /// # Errors
    /// Whatever the API server answers.
    pub fn delete_now(&mut self, kind: KindId, key: &Key) -> Result<(), Status> {
        self.delete_options(kind, key, &DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() })
    }

    /// Deletes the object of this uid.
    ///
    /// # Errors
    /// Whatever the API server answers; `Conflict` for another uid.
    pub fn delete_with(&mut self, kind: KindId, key: &Key, uid: &Str, propagation: Propagation) -> Result<(), Status> {
        let options =
            DeleteOptions { uid: Some(uid.clone()), propagation: Some(propagation), ..DeleteOptions::default() };
        self.delete_options(kind, key, &options)
    }

    /// Deletes as `options` say.
    ///
    /// # Errors
    /// Whatever the API server answers.
    pub fn delete_options(&mut self, kind: KindId, key: &Key, options: &DeleteOptions) -> Result<(), Status> {
        self.n_writes += 1;
        calls::delete(self.api, self.now, self.caller, kind, key, options).map(|_| ())
    }

    /// Binds a pod to a node.
    ///
    /// # Errors
    /// Whatever the API server answers.
    pub fn bind(&mut self, pod: &Object, node: &Str) -> Result<(), Status> {
        self.n_writes += 1;
        calls::bind(self.api, self.now, self.caller, &pod.key(), &pod.meta.uid, node).map(|_| ())
    }

    /// Records an event about `object` from this component.
    pub fn event(&mut self, object: &Object, level: &str, reason: &str, message: &str) {
        let component = self.caller.event_source;
        self.event_from(EventSource { component, host: "" }, object, level, reason, message, "");
    }

    /// Records an event about an object that is only named, not one of its revisions. It may be gone.
    pub fn event_by_name(&mut self, (kind, key): (KindId, &Key), uid: &Str, level: &str, reason: &str, message: &str) {
        let Key { namespace, name } = key.clone();
        let meta = meta::Identity { name, namespace, uid: uid.clone(), ..Default::default() }.into();
        self.event(&Object { kind, meta, body: value::Map::default() }, level, reason, message);
    }

    /// Records an event from another source, or about a part of the object.
    pub fn event_from(
        &mut self,
        source: EventSource<'_>,
        about: &Object,
        level: &str,
        reason: &str,
        message: &str,
        field_path: &str,
    ) {
        self.record(source, about, level, reason, "", message, field_path);
    }

    /// Records an event through the events.k8s.io API, which says also what was being done.
    pub fn event_v1(
        &mut self,
        source: EventSource<'_>,
        about: &Object,
        level: &str,
        reason: &str,
        action: &str,
        message: &str,
    ) {
        self.record(source, about, level, reason, action, message, "");
    }

    #[allow(clippy::too_many_arguments)]
    fn record(
        &mut self,
        source: EventSource<'_>,
        about: &Object,
        level: &str,
        reason: &str,
        action: &str,
        message: &str,
        field_path: &str,
    ) {
        let Some(kind) = self.api.registry().get(about.kind) else { return };
        let api_version = &self.api.api_version(about.kind);
        let fact = Fact { about, kind, api_version, source, level, reason, action, message, field_path };
        let Some((key, patch)) = self.recorder.record(self.now, &fact, &self.caller.cause) else { return };
        // It may be one of this turn.
        self.store_events();
        if calls::patch_merge(self.api, self.now, self.caller, EVENT, &key, &patch).is_err() {
            self.recorder.forget_event(&key);
        }
    }

    /// Stores the events that were recorded in this turn: in one commit, unless the API server has to look at one more closely.
    pub fn store_events(&mut self) {
        if !self.recorder.recorded.is_empty() {
            calls::create_events(self.api, self.now, self.caller, &mut self.recorder.recorded);
        }
    }

    /// The revision of the next commit.
    pub fn next_revision(&self) -> Revision {
        self.api.store().next_revision()
    }

    /// Takes an Event out whose time is over, unless it was written since `revision`: whether it did. A part of `commit`, which
    /// was [`Cx::next_revision`] when it began.
    pub fn expire_event(&mut self, key: &Key, revision: Revision, commit: Revision) -> bool {
        let is_gone = calls::expire_event(self.api, key, revision, commit);
        self.n_writes += u32::from(is_gone);
        is_gone
    }

    /// Asks for another run of the present key in the next turn.
    pub fn requeue_soon(&mut self) {
        self.wants_again = true;
    }

    /// Whether [`Cx::requeue_soon`] was called since the last time this was asked.
    pub fn take_wants_again(&mut self) -> bool {
        std::mem::take(&mut self.wants_again)
    }

    /// Revisions of the statuses that were written since this was last asked.
    pub(crate) fn take_own(&mut self) -> Vec<Revision> {
        std::mem::take(&mut self.own)
    }
}
