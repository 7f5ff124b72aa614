//! The write path: one function each for creating and updating, which read top to bottom.

use std::sync::Arc;

use kinds::Kind;
use meta::{Errors, KindId, Object, Revision, Status};
use sim::Instant;
use value::Str;

use crate::admission;
use crate::server::ApiServer;

/// Tries of a generated name before the server gives up (`NamesGenerator`'s retries).
const NAME_TRIES_MAX: u32 = 8;
/// Characters that a generated name ends in, and how long the whole may be.
const SUFFIX: usize = 5;
const NAME_MAX: usize = 63;

/// What every write says about itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct WriteOptions {
    pub now: Instant,
    /// The field manager.
    pub manager: Str,
    pub dry_run: bool,
    /// From the engine's own actors: their requests were never text.
    pub from_actor: bool,
}

/// Which part of an object an update is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    Object,
    Status,
    /// Any other subresource that keeps fields of its own, such as `ephemeralcontainers`.
    Other(&'static str),
}

impl Target {
    /// The path segment.
    pub fn subresource(self) -> &'static str {
        match self {
            Target::Object => "",
            Target::Status => "status",
            Target::Other(it) => it,
        }
    }
}

/// Creates an object: system fields, defaults, admission, validation, managed fields, store.
///
/// # Errors
/// The API's answer.
pub(crate) fn create(api: &mut ApiServer, options: &WriteOptions, mut object: Object) -> Result<Arc<Object>, Status> {
    let kind = api.kind(object.kind)?;
    if object.meta.revision != Revision::default() {
        return Err(Status::bad_request("resourceVersion should not be set on objects to be created"));
    }
    admission::namespace(api, &kind, &object)?;
    system_fields(api, options, &kind, &mut object);
    (kind.strategy.default)(&mut object);
    (kind.strategy.prepare_create)(&mut object);
    if kind.strategy.generation {
        object.meta.generation = 1;
    }
    let is_generated = object.meta.name.is_empty() && !object.meta.generate_name.is_empty();
    if is_generated {
        object.meta.name = generated_name(api, &object.meta.generate_name);
    }
    admission::mutate(api, &kind, &mut object)?;
    let mut errors = Errors::new();
    kinds::validate_metadata(&kind, &object, &mut errors);
    (kind.strategy.validate)(&object, &mut errors);
    refuse(&kind, &object, &errors)?;
    admission::validate(api, &kind, &object, None)?;
    manage(api, options, &kind, Target::Object, None, &mut object);
    if options.dry_run {
        return if api.store.get(kind.id, &object.key()).is_some() { Err(exists(&kind, &object)) } else { Ok(Arc::new(object)) };
    }
    for _ in 0..NAME_TRIES_MAX {
        if !is_generated || api.store.get(kind.id, &object.key()).is_none() {
            break;
        }
        object.meta.name = generated_name(api, &object.meta.generate_name);
    }
    let refused = exists(&kind, &object);
    api.store.create(object).map_err(|_| refused)
}

fn exists(kind: &Kind, object: &Object) -> Status {
    Status::already_exists(&kind.group, &kind.plural, &object.meta.name)
}

/// What only the server sets (`BeforeCreate`, `FillObjectMetaSystemFields`).
fn system_fields(api: &mut ApiServer, options: &WriteOptions, kind: &Kind, object: &mut Object) {
    object.meta.uid = api.new_uid().into();
    object.meta.created = Some(options.now.secs());
    object.meta.deleted = None;
    object.meta.grace_seconds = None;
    object.meta.generation = 0;
    if !kind.is_namespaced() {
        object.meta.namespace = Str::default();
    }
}

/// A prefix, cut to make room, and random characters.
fn generated_name(api: &mut ApiServer, prefix: &str) -> Str {
    let mut end = prefix.len().min(NAME_MAX - SUFFIX);
    while !prefix.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{}", &prefix[..end], api.rng.suffix(SUFFIX)).into()
}

pub(crate) fn refuse(kind: &Kind, object: &Object, errors: &Errors) -> Result<(), Status> {
    if errors.is_empty() {
        return Ok(());
    }
    Err(Status::invalid(&kind.group, &kind.kind, &object.meta.name, errors))
}

/// Replaces an object or a part of it: system fields stay, then as for a creation. Equal content is not written.
///
/// The revision that `object` carries must be the live one, unless it carries none and the kind allows that.
///
/// # Errors
/// The API's answer.
pub(crate) fn update(api: &mut ApiServer, options: &WriteOptions, target: Target, mut object: Object) -> Result<Arc<Object>, Status> {
    let kind = api.kind(object.kind)?;
    let key = object.key();
    let live = api.store.get(kind.id, &key).cloned().ok_or_else(|| Status::not_found(&kind.group, &kind.plural, &key.name))?;
    check_revision(&kind, &live, &object)?;
    keep_system_fields(&live, &mut object);
    match target {
        Target::Object => {
            (kind.strategy.default)(&mut object);
            (kind.strategy.prepare_update)(&mut object, &live);
        }
        Target::Status => {
            let status = object.body.get("status").cloned();
            let (finalizers, owners, managed) = (object.meta.finalizers.clone(), object.meta.owners.clone(), object.meta.managed.clone());
            let (labels, annotations) = (object.meta.labels.clone(), object.meta.annotations.clone());
            object = Object::clone(&live);
            object.meta.managed = managed;
            // Metadata may travel with a status, but what decides about deletion may not.
            object.meta.labels = labels;
            object.meta.annotations = annotations;
            let _ = (finalizers, owners);
            match status {
                Some(status) => object.body.insert("status", status),
                None => {
                    object.body.remove("status");
                }
            }
        }
        Target::Other(_) => (),
    }
    if kind.strategy.generation && target != Target::Status && spec_changed(&live, &object) {
        object.meta.generation = live.meta.generation + 1;
    }
    if target == Target::Object {
        admission::mutate_update(api, &kind, &mut object, &live)?;
    }
    let mut errors = Errors::new();
    kinds::validate_metadata_update(&kind, &object, &live, &mut errors);
    match target {
        Target::Status => (kind.strategy.validate_status)(&object, &live, &mut errors),
        _ => (kind.strategy.validate_update)(&object, &live, &mut errors),
    }
    refuse(&kind, &object, &errors)?;
    admission::validate(api, &kind, &object, Some(&live))?;
    let managed_by_client = object.meta.managed != live.meta.managed;
    manage(api, options, &kind, target, Some(&live), &mut object);
    if object.same_content(&live) && !(managed_by_client && object.meta.managed != live.meta.managed) {
        return Ok(live);
    }
    if options.dry_run {
        return Ok(Arc::new(object));
    }
    let is_last = object.meta.is_deleted() && object.meta.finalizers.is_empty() && object.meta.grace_seconds.unwrap_or(0) == 0;
    let stored = api.store.update(object, None).map_err(|_| Status::not_found(&kind.group, &kind.plural, &key.name))?;
    if is_last {
        // The last finalizer has gone: so does the object.
        return api.store.delete(kind.id, &key, None).map_err(|_| Status::not_found(&kind.group, &kind.plural, &key.name));
    }
    Ok(stored)
}

/// Optimistic concurrency: a stale revision, another uid, or no revision where one is needed.
fn check_revision(kind: &Kind, live: &Object, object: &Object) -> Result<(), Status> {
    let name = &live.meta.name;
    if !object.meta.uid.is_empty() && object.meta.uid != live.meta.uid {
        let why = format!("Precondition failed: UID in precondition: {}, UID in object meta: {}", object.meta.uid, live.meta.uid);
        return Err(Status::conflict(&kind.group, &kind.plural, name, &why));
    }
    if object.meta.revision == Revision::default() {
        if kind.strategy.unconditional_update {
            return Ok(());
        }
        let mut errors = Errors::new();
        errors.invalid("metadata.resourceVersion", 0, "must be specified for an update");
        return refuse(kind, live, &errors);
    }
    if object.meta.revision != live.meta.revision {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        return Err(Status::conflict(&kind.group, &kind.plural, name, why));
    }
    Ok(())
}

/// What an update may not change without saying so (`BeforeUpdate`).
fn keep_system_fields(live: &Object, object: &mut Object) {
    object.meta.uid = live.meta.uid.clone();
    object.meta.created = live.meta.created;
    object.meta.deleted = live.meta.deleted;
    object.meta.grace_seconds = live.meta.grace_seconds;
    object.meta.generation = live.meta.generation;
    object.meta.revision = live.meta.revision;
    if object.meta.generate_name.is_empty() {
        object.meta.generate_name = live.meta.generate_name.clone();
    }
}

fn spec_changed(live: &Object, object: &Object) -> bool {
    let without_status = |it: &Object| it.body.filtered(|key, _| key != "status");
    !meta::maps_equal(&without_status(live), &without_status(object))
}

fn manage(api: &mut ApiServer, options: &WriteOptions, kind: &Kind, target: Target, live: Option<&Object>, object: &mut Object) {
    let how = merge::managed::Update {
        definition: &kind.definition,
        api_version: &kind.api_version(),
        manager: &options.manager,
        subresource: target.subresource(),
        now: options.now.secs(),
    };
    let schema = api.schema.clone();
    merge::managed::update(&schema, &mut api.memo, &how, live, object);
}

impl ApiServer {
    /// A kind by its id.
    ///
    /// # Errors
    /// 404 for a kind that is not served any more.
    pub(crate) fn kind(&self, id: KindId) -> Result<Arc<Kind>, Status> {
        self.registry.shared(id).ok_or_else(|| Status::new(404, "NotFound", "the server could not find the requested resource"))
    }
}
