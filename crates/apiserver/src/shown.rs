//! Objects that are not stored: read-only kinds whose objects others make when somebody looks.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use meta::{Key, KindId, Object};
use value::Map;

use crate::ApiServer;

impl ApiServer {
    /// Whether the kind's objects come from [`ApiServer::show`].
    pub fn is_shown(&self, kind: KindId) -> bool {
        self.registry.get(kind).is_some_and(|it| it.verbs == kinds::Verbs::ReadOnly)
    }

    /// Whether a watch of the kind is open, so that it is worth showing what changed before [`ApiServer::pump`].
    pub fn has_watch(&self, kind: KindId) -> bool {
        self.watches.any_of(kind)
    }

    /// Makes `objects` all there are of a read-only kind. Watches see what differs; the store and its revision do not change.
    pub fn show(&mut self, kind: KindId, objects: Vec<Object>) {
        let mut before: BTreeMap<Key, Arc<Object>> =
            self.shown.list(kind, None).map(|it| (it.key(), it.clone())).collect();
        for mut object in objects {
            match before.remove(&object.key()) {
                Some(old) if old.body == object.body && old.meta.labels == object.meta.labels => (),
                Some(old) => {
                    object.meta.uid = old.meta.uid.clone();
                    object.meta.created = old.meta.created;
                    // It was listed above, so it is there.
                    self.shown.update(object, None).ok();
                }
                None => {
                    object.meta.uid = shown_uid(&object);
                    // It was not listed above, so its key is free, unless the caller gave it twice; then the first stays.
                    self.shown.create(object).ok();
                }
            }
        }
        for key in before.into_keys() {
            self.shown.delete(kind, &key, None).ok();
        }
    }
}

impl ApiServer {
    /// Makes `object` what a read-only kind has under `key`, or nothing; other objects of the kind stay.
    pub fn show_one(&mut self, kind: KindId, key: &Key, object: Option<Object>) {
        let Some(mut object) = object else {
            self.shown.delete(kind, key, None).ok();
            return;
        };
        match self.shown.get(kind, key).cloned() {
            Some(old) if old.body == object.body => (),
            Some(old) => {
                object.meta.uid = old.meta.uid.clone();
                object.meta.created = old.meta.created;
                self.shown.update(object, None).ok();
            }
            None => {
                object.meta.uid = shown_uid(&object);
                self.shown.create(object).ok();
            }
        }
    }

    /// From now on readers see these parts of a stored object's body instead of its own: what is computed and not stored.
    pub fn overlay(&mut self, kind: KindId, key: Key, parts: Map) {
        self.overlays.entry(kind).or_default().insert(key, parts);
    }

    /// An object as readers see it.
    pub(crate) fn seen<'a>(&self, object: &'a Object) -> Cow<'a, Object> {
        let parts = self.overlays.get(&object.kind).and_then(|it| it.get(&object.key()));
        let Some(parts) = parts else { return Cow::Borrowed(object) };
        let mut seen = object.clone();
        for (key, part) in parts.iter() {
            seen.body.insert(key, part);
        }
        Cow::Owned(seen)
    }
}

/// A uid from the object's place and not from chance: looking must not change the run.
fn shown_uid(object: &Object) -> value::Str {
    let mut rng = sim::Rng::stream(u64::from(object.kind.0), &object.key().to_string());
    crate::server::uuid(rng.next_u64(), rng.next_u64())
}
