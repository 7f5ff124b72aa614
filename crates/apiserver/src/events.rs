//! Events that actors record: those of one turn are stored together, in one commit.
//!
//! They are many and all alike. Which fields their manager owns is found out once for each form that they have.

use kinds::{EVENT, NAMESPACE, RESOURCE_QUOTA};
use meta::{Key, ManagedEntry, ManagedFields, Object, Status};
use sim::Instant;
use value::{Map, Str, Value};

use crate::{ApiServer, Caller, Cause, calls, write};

/// Forms remembered; beyond it all are forgotten.
const FORMS_MAX: usize = 64;
/// Longer messages may be refused (`noteLengthLimit`).
const MESSAGE_MAX: usize = 1024;

/// An event that is to be stored, and the change on which its component acted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    pub event: Object,
    pub cause: Option<Cause>,
}

/// All that decides which fields of an event are owned.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Form {
    manager: Str,
    is_v1: bool,
    /// Numbers of fields: of the body, of what it is about and of its source.
    n_fields: [usize; 3],
    has_field_path: bool,
    has_host: bool,
}

/// The managedFields of events by their form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forms(Vec<Known>);

#[derive(Clone, Debug)]
struct Known {
    form: Form,
    /// Of the last second in which there was one.
    managed: ManagedFields,
}

impl Form {
    /// `None` for an event that has not what all of them have.
    fn of(manager: &Str, event: &Object) -> Option<Form> {
        let body = &event.body;
        let (about, source) = (body.get("involvedObject")?.as_map()?, body.get("source")?.as_map()?);
        let filled = |key: &str| body.get(key).and_then(Value::as_str).is_some_and(|it| !it.is_empty());
        let is_usual = ["message", "reason", "reportingComponent", "type"].into_iter().all(filled)
            && !body.contains_key("series")
            && [body, about, source].into_iter().flat_map(Map::values).all(|it| !matches!(it, Value::List(_)));
        is_usual.then(|| Form {
            manager: manager.clone(),
            is_v1: is_v1(event),
            n_fields: [body.len(), about.len(), source.len()],
            has_field_path: about.contains_key("fieldPath"),
            has_host: filled("reportingInstance"),
        })
    }
}

/// Whether it is written through the events.k8s.io API.
fn is_v1(event: &Object) -> bool {
    event.body.get("firstTimestamp").is_some_and(Value::is_null)
}

/// Stores events that `caller` recorded: in one commit, but for those that the write path may refuse. What it refuses is lost,
/// as upstream.
pub(crate) fn create_all(api: &mut ApiServer, now: Instant, caller: &Caller, recorded: Vec<Recorded>) {
    let mut ready: Vec<Object> = Vec::with_capacity(recorded.len());
    let mut asked: Vec<(Key, Option<Cause>)> = Vec::with_capacity(recorded.len());
    let mut open_namespace: Option<Str> = None;
    let mut caller = caller.clone();
    for Recorded { event, cause } in recorded {
        let namespace = &event.meta.namespace;
        if open_namespace.as_ref() != Some(namespace) {
            open_namespace = is_open(api, namespace).then(|| namespace.clone());
        }
        let is_short = event.str_at("message").is_none_or(|it| it.len() <= MESSAGE_MAX);
        let form = Form::of(&caller.manager, &event).filter(|_| is_short && open_namespace.is_some());
        let Some(form) = form else {
            let create = if is_v1(&event) { calls::create_event } else { calls::create };
            caller.cause = cause;
            create(api, now, &caller, event).ok();
            continue;
        };
        asked.push((event.key(), cause));
        ready.push(complete(api, now, &caller, form, event));
    }
    let stored = api.store.create_all(ready);
    for ((key, cause), stored) in asked.into_iter().zip(stored) {
        caller.cause = cause;
        let res = stored.map_err(|_| Status::already_exists("", "events", &key.name));
        api.note(now, &caller, "create", EVENT, &key, "", &res);
    }
}

/// What the write path adds to an event.
fn complete(api: &mut ApiServer, now: Instant, caller: &Caller, form: Form, mut event: Object) -> Object {
    let secs = now.secs();
    let known = api.events.0.iter().position(|it| it.form == form);
    let managed = match known.map(|idx| (idx, &api.events.0[idx].managed)) {
        Some((_, it)) if it.iter().all(|it| it.time == Some(secs)) => it.clone(),
        Some((idx, it)) => {
            let managed: ManagedFields =
                it.iter().map(|it| ManagedEntry { time: Some(secs), ..it.clone() }).collect::<Vec<_>>().into();
            api.events.0[idx].managed = managed.clone();
            managed
        }
        None => {
            own(api, now, caller, &mut event);
            if api.events.0.len() == FORMS_MAX {
                api.events.0.clear();
            }
            api.events.0.push(Known { form, managed: event.meta.managed.clone() });
            event.meta.managed.clone()
        }
    };
    event.meta.managed = managed;
    event.meta.uid = api.new_uid();
    event.meta.created = Some(secs);
    event
}

/// Finds out which fields of a new event its manager owns.
fn own(api: &mut ApiServer, now: Instant, caller: &Caller, event: &mut Object) {
    let Ok(mut write) = calls::write(api, now, caller, EVENT, "") else { return };
    if is_v1(event) {
        calls::speak_events(&mut write);
    }
    write::track(api, &write, None, event);
}

/// Whether events can be created in a namespace and nobody counts them.
fn is_open(api: &ApiServer, namespace: &Str) -> bool {
    let live = api.store.get(NAMESPACE, &Key::cluster(namespace)).is_some_and(|it| !it.meta.is_deleted());
    live && api.store.list(RESOURCE_QUOTA, Some(namespace)).next().is_none()
}

/// Takes events out whose lease is over, in one commit, as etcd does: nobody asks for it.
pub(crate) fn expire(api: &mut ApiServer, keys: &[Key]) {
    api.store.delete_all(EVENT, keys);
}

#[cfg(test)]
mod tests;
