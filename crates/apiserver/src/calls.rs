//! What actors call: the same write path as HTTP, without text.

use std::sync::Arc;

use meta::{Key, KindId, Object, Revision, Status};
use sim::Instant;
use value::{Str, Value, value};

use crate::delete::{self, DeleteOptions};
use crate::events::{self, Recorded};
use crate::server::ApiServer;
use crate::subresources::binding::Binding;
use crate::write::{self, Write};
use crate::{Caller, patch, subresources};

pub(crate) fn write(
    api: &ApiServer,
    now: Instant,
    caller: &Caller,
    kind: KindId,
    sub: &'static str,
) -> Result<Write, Status> {
    let Some(kind) = api.registry.get(kind) else { return Err(Status::internal("no such kind")) };
    Ok(Write {
        api_version: api.api_version(kind.id),
        kind,
        served: None,
        now,
        manager: caller.manager.clone(),
        sub,
        dry_run: false,
        from_actor: true,
        warnings: Vec::new(),
    })
}

/// Speaks events.k8s.io, in whose fields the managed ones are named then.
pub(crate) fn speak_events(write: &mut Write) {
    if let Some(served) = write.kind.also_served.first().copied() {
        write.api_version = kinds::api_version(served.group, served.version).into();
        write.served = Some(served);
    }
}

/// Events with a series are written through the API of their own, and so are its fields owned.
fn speak_newest(write: &mut Write, is_new_event: bool) {
    if let Some(served) = write.kind.also_served.first().filter(|_| is_new_event) {
        write.served = Some(*served);
        write.api_version = format!("{}/{}", served.group, served.version).into();
    }
}

/// Creates an object; an empty name and a `generateName` make a name.
///
/// # Errors
/// The API's answer.
pub fn create(api: &mut ApiServer, now: Instant, caller: &Caller, object: Object) -> Result<Arc<Object>, Status> {
    let (kind, key) = (object.kind, object.key());
    let is_new_event = kind == kinds::EVENT && object.at("eventTime").is_some_and(|it| !it.is_null());
    let res = write(api, now, caller, kind, "").and_then(|mut it| {
        speak_newest(&mut it, is_new_event);
        write::create(api, &mut it, object)
    });
    api.note(now, caller, "create", kind, &key, "", &res);
    res
}

/// Creates an Event through the events.k8s.io API.
///
/// # Errors
/// The API's answer.
pub fn create_event(api: &mut ApiServer, now: Instant, caller: &Caller, event: Object) -> Result<Arc<Object>, Status> {
    let (kind, key) = (event.kind, event.key());
    let res = write(api, now, caller, kind, "").and_then(|mut it| {
        speak_events(&mut it);
        write::create(api, &mut it, event)
    });
    api.note(now, caller, "create", kind, &key, "", &res);
    res
}

/// Creates the Events that an actor recorded, in one commit; those that are refused are lost.
pub fn create_events(api: &mut ApiServer, now: Instant, caller: &mut Caller, events: &mut Vec<Recorded>) {
    events::create_all(api, now, caller, events);
}

/// Takes an Event out whose lease is over, as etcd does: nobody asks for it. Not when it was written since `revision`. All
/// that go at once are one `commit`, the next revision when it began.
pub fn expire_event(api: &mut ApiServer, key: &Key, revision: Revision, commit: Revision) -> bool {
    api.store.delete_at(kinds::EVENT, key, Some(revision), commit).is_ok()
}

/// Replaces an object at the revision that it carries.
///
/// # Errors
/// The API's answer; `Conflict` when somebody else wrote it meanwhile.
pub fn update(api: &mut ApiServer, now: Instant, caller: &Caller, object: Object) -> Result<Arc<Object>, Status> {
    replace(api, now, caller, "", "update", object)
}

/// Replaces the status of an object at the revision that it carries. Equal content is not even a request.
///
/// # Errors
/// The API's answer; `Conflict` when somebody else wrote it meanwhile.
pub fn update_status(
    api: &mut ApiServer,
    now: Instant,
    caller: &Caller,
    object: Object,
) -> Result<Arc<Object>, Status> {
    if let Some(live) = api.store.get(object.kind, &object.key())
        && live.meta.uid == object.meta.uid
        && live.meta.annotations == object.meta.annotations
        && live.body.get("status") == object.body.get("status")
    {
        return Ok(live.clone());
    }
    let verb = status_verb(caller, object.kind);
    replace(api, now, caller, "status", verb, object)
}

/// How upstream sends a status, which is what the stream of requests shows: kubelets patch, and so does whoever finds
/// something out about a pod, but for the node controller; all else is updated.
fn status_verb(caller: &Caller, kind: KindId) -> &'static str {
    let is_patch = match caller.event_source {
        "kubelet" => true,
        "node-controller" => false,
        _ => kind == kinds::POD,
    };
    if is_patch { "patch" } else { "update" }
}

/// Replaces what in `spec.finalizers` keeps a namespace.
///
/// # Errors
/// The API's answer; `Conflict` when somebody else wrote it meanwhile.
pub fn finalize(api: &mut ApiServer, now: Instant, caller: &Caller, object: Object) -> Result<Arc<Object>, Status> {
    replace(api, now, caller, "finalize", "update", object)
}

fn replace(
    api: &mut ApiServer,
    now: Instant,
    caller: &Caller,
    sub: &'static str,
    verb: &'static str,
    object: Object,
) -> Result<Arc<Object>, Status> {
    let (kind, key) = (object.kind, object.key());
    let res = write(api, now, caller, kind, sub)
        .and_then(|mut it| write::replace(api, &mut it, &key, object).map(|(it, _)| it));
    api.note(now, caller, verb, kind, &key, sub, &res);
    res
}

/// A strategic merge patch of the object.
///
/// # Errors
/// The API's answer.
pub fn patch_strategic(
    api: &mut ApiServer,
    now: Instant,
    caller: &Caller,
    kind: KindId,
    key: &Key,
    body: &Value,
) -> Result<Arc<Object>, Status> {
    patched(api, now, caller, kind, key, "", patch::Kind::Strategic, body)
}

/// A patch that takes a finalizer out.
///
/// # Errors
/// The API's answer.
pub fn remove_finalizer(
    api: &mut ApiServer,
    now: Instant,
    caller: &Caller,
    kind: KindId,
    key: &Key,
    finalizer: &str,
) -> Result<Arc<Object>, Status> {
    let res = write(api, now, caller, kind, "").and_then(|mut it| {
        let live = api.store.get(kind, key).cloned().ok_or_else(|| it.not_found(&key.name))?;
        let mut object = Object::clone(&live);
        object.meta.finalizers = live.meta.finalizers.iter().filter(|it| **it != finalizer).cloned().collect();
        write::change(api, &mut it, &live, object)
    });
    api.note(now, caller, "patch", kind, key, "", &res);
    res
}

/// A strategic merge patch of the status, as kubelets send it.
///
/// # Errors
/// The API's answer.
pub fn patch_status(
    api: &mut ApiServer,
    now: Instant,
    caller: &Caller,
    kind: KindId,
    key: &Key,
    body: &Value,
) -> Result<Arc<Object>, Status> {
    patched(api, now, caller, kind, key, "status", patch::Kind::Strategic, body)
}

/// A JSON merge patch of the object.
///
/// # Errors
/// The API's answer.
pub fn patch_merge(
    api: &mut ApiServer,
    now: Instant,
    caller: &Caller,
    kind: KindId,
    key: &Key,
    body: &Value,
) -> Result<Arc<Object>, Status> {
    patched(api, now, caller, kind, key, "", patch::Kind::Merge, body)
}

#[allow(clippy::too_many_arguments)]
fn patched(
    api: &mut ApiServer,
    now: Instant,
    caller: &Caller,
    kind: KindId,
    key: &Key,
    sub: &'static str,
    how: patch::Kind,
    body: &Value,
) -> Result<Arc<Object>, Status> {
    let is_new_event = kind == kinds::EVENT && body.get("series").is_some();
    let res = write(api, now, caller, kind, sub).and_then(|mut it| {
        speak_newest(&mut it, is_new_event);
        patch::tree(api, &mut it, key, how, body)
    });
    api.note(now, caller, "patch", kind, key, sub, &res);
    res
}

/// Changes the replicas of an object through its scale.
///
/// # Errors
/// The API's answer.
pub fn scale(
    api: &mut ApiServer,
    now: Instant,
    caller: &Caller,
    kind: KindId,
    key: &Key,
    replicas: i64,
) -> Result<Arc<Object>, Status> {
    let res = write(api, now, caller, kind, "scale").and_then(|mut it| {
        let live = api.store.get(kind, key).cloned().ok_or_else(|| it.not_found(&key.name))?;
        let mut scale = kinds::scale::of(&live);
        scale.set("spec", value!({ "replicas": replicas }));
        subresources::scale::change(api, &mut it, &live, &scale)
    });
    api.note(now, caller, "update", kind, key, "scale", &res);
    res
}

/// Deletes an object, or begins to. Answers its last or new state.
///
/// # Errors
/// The API's answer.
pub fn delete(
    api: &mut ApiServer,
    now: Instant,
    caller: &Caller,
    kind: KindId,
    key: &Key,
    options: &DeleteOptions,
) -> Result<Arc<Object>, Status> {
    let res =
        write(api, now, caller, kind, "").and_then(|it| delete::delete(api, &it, key, options)).map(|it| it.object);
    api.note(now, caller, "delete", kind, key, "", &res);
    res
}

/// Binds a pod to a node.
///
/// # Errors
/// The API's answer; `Conflict` for a pod that has a node, another uid, or is going.
pub fn bind(
    api: &mut ApiServer,
    now: Instant,
    caller: &Caller,
    pod: &Key,
    uid: &Str,
    node: &Str,
) -> Result<Arc<Object>, Status> {
    let kind = kinds::POD;
    let binding = Binding { uid: uid.clone(), node: node.clone(), ..Binding::default() };
    let res = write(api, now, caller, kind, "binding")
        .and_then(|mut it| subresources::binding::bind(api, &mut it, pod, &binding));
    api.note(now, caller, "create", kind, pod, "binding", &res);
    res
}
