//! Events that actors record: those of one turn are stored together, in one commit.
//!
//! They are many and all alike. Which fields their manager owns is found out once for each form that they have.

use std::sync::Arc;

use kinds::{EVENT, NAMESPACE, RESOURCE_QUOTA};
use meta::{Key, ManagedEntry, ManagedFields, Object, Revision, Status};
use sim::Instant;
use value::{Str, Value};

use crate::{ApiServer, Caller, Cause, calls, write};

/// Forms remembered; beyond it all are forgotten.
const FORMS_MAX: usize = 64;

/// An event that is to be stored, and the change on which its component acted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    pub event: Object,
    /// `None` where the write path may refuse it.
    pub form: Option<Form>,
    pub cause: Option<Cause>,
}

/// All that decides, with who writes, which fields of a valid event are owned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Form {
    /// Whether it is written through the events.k8s.io API.
    pub is_v1: bool,
    pub has_host: bool,
    /// Of what it is about.
    pub has_namespace: bool,
    pub has_revision: bool,
    pub has_field_path: bool,
}

/// What is known of events that are stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    forms: Vec<KnownForm>,
    /// A namespace in which they can be created, and the last changes of all that may end this.
    open: (Str, [Revision; 2]),
}

#[derive(Clone, Debug)]
struct KnownForm {
    form: Form,
    manager: Str,
    /// The managedFields, as they were in a second.
    managed: ManagedFields,
    secs: i64,
}

/// Whether it is written through the events.k8s.io API.
fn is_v1(event: &Object) -> bool {
    event.body.get("firstTimestamp").is_some_and(Value::is_null)
}

/// Stores events that `caller` recorded: in one commit, but for those that the write path may refuse. What it refuses is lost,
/// as upstream.
pub(crate) fn create_all(api: &mut ApiServer, now: Instant, caller: &mut Caller, recorded: &mut Vec<Recorded>) {
    let cause = caller.cause.take();
    for it in &mut *recorded {
        it.form = it.form.filter(|_| is_open(api, &it.event.meta.namespace));
        if let Some(form) = it.form {
            complete(api, now, caller, form, &mut it.event);
            continue;
        }
        let create = if is_v1(&it.event) { calls::create_event } else { calls::create };
        caller.cause = it.cause.take();
        create(api, now, caller, it.event.clone()).ok();
    }
    let commit = api.store.next_revision();
    for it in recorded.drain(..).filter(|it| it.form.is_some()) {
        let key = it.event.key();
        let res = api.store.create_at(it.event, commit).map_err(|_| Status::already_exists("", "events", &key.name));
        caller.cause = it.cause;
        api.note(now, caller, "create", EVENT, &key, "", &res);
    }
    caller.cause = cause;
}

/// What the write path adds to an event.
fn complete(api: &mut ApiServer, now: Instant, caller: &Caller, form: Form, event: &mut Object) {
    event.meta.managed = managed(api, now, caller, form, event);
    let (uid, identity) = (api.new_uid(), &mut *event.meta);
    identity.uid = uid;
    identity.created = Some(now.secs());
}

/// Which fields of a new event its manager owns.
fn managed(api: &mut ApiServer, now: Instant, caller: &Caller, form: Form, event: &Object) -> ManagedFields {
    let secs = now.secs();
    let is_it = |it: &&mut KnownForm| it.form == form && it.manager == caller.manager;
    let managed = match api.events.forms.iter_mut().find(is_it) {
        Some(it) if it.secs == secs => it.managed.clone(),
        Some(it) => {
            let stamped = it.managed.iter().map(|it| ManagedEntry { time: Some(secs), ..it.clone() });
            (it.secs, it.managed) = (secs, stamped.collect::<Arc<[_]>>().into());
            it.managed.clone()
        }
        None => {
            let managed = owned(api, now, caller, form, event);
            if api.events.forms.len() == FORMS_MAX {
                api.events.forms.clear();
            }
            api.events.forms.push(KnownForm { form, manager: caller.manager.clone(), managed: managed.clone(), secs });
            managed
        }
    };
    debug_assert_eq!(managed, owned(api, now, caller, form, event), "events of one form are owned alike");
    managed
}

/// The same, found out by the write path.
fn owned(api: &ApiServer, now: Instant, caller: &Caller, form: Form, event: &Object) -> ManagedFields {
    let mut event = event.clone();
    if let Ok(mut write) = calls::write(api, now, caller, EVENT, "") {
        if form.is_v1 {
            calls::speak_events(&mut write);
        }
        write::track(api, &write, None, &mut event);
        debug_assert_eq!(write::check_new(api, &write, &event, false), Ok(()), "events that have a form are valid");
    }
    event.meta.managed
}

/// Whether events can be created in a namespace and nobody counts them.
fn is_open(api: &mut ApiServer, namespace: &Str) -> bool {
    let (store, open) = (&api.store, &mut api.events.open);
    let newest = [store.newest(NAMESPACE), store.newest(RESOURCE_QUOTA)];
    if open.1 == newest && open.0 == *namespace {
        return true;
    }
    let is_open = store.get(NAMESPACE, &Key::cluster(namespace)).is_some_and(|it| !it.meta.is_deleted())
        && store.list(RESOURCE_QUOTA, Some(namespace)).next().is_none();
    if is_open {
        *open = (namespace.clone(), newest);
    }
    is_open
}

#[cfg(test)]
mod tests;
