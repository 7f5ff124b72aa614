//! The write path: every new or changed object passes here, from top to bottom.
//!
//! Follows `registry/generic/registry/store.go` and `registry/rest/{create,update}.go` of k8s.io/apiserver.

use std::sync::Arc;

use kinds::{Kind, Served};
use merge::managed::Update;
use meta::{Errors, Key, Metadata, Object, OwnerRef, Revision, Status};
use schema::TypeId;
use sim::Instant;
use value::{Str, Value};

use crate::admission::resource_quota::{self, Charge};
use crate::admission::{self, Operation};
use crate::rules::Rules;
use crate::server::ApiServer;
use crate::service_addresses;
use crate::templates::Seen;

/// Names that are tried for a `generateName`.
const GENERATED_NAME_ATTEMPTS_MAX: u32 = 8;
/// Random letters after a `generateName`.
const GENERATED_SUFFIX_LEN: usize = 5;
/// A generated name is cut to this before its suffix (`names.MaxGeneratedNameLength`).
const GENERATED_PREFIX_MAX: usize = 63 - GENERATED_SUFFIX_LEN;

/// One write: who, when, of what, and what it has to say besides its result.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub kind: &'static Kind,
    /// The version that the client speaks; `None`: the stored one.
    pub served: Option<Served>,
    /// The same as `group/version`, for managedFields.
    pub api_version: Str,
    pub now: Instant,
    pub manager: Str,
    /// The subresource; empty for the object itself.
    pub sub: &'static str,
    pub dry_run: bool,
    /// Trees that an actor made of parts that were checked before need not be checked again.
    pub from_actor: bool,
    /// For `Warning` headers.
    pub warnings: Vec<String>,
}

impl Write {
    pub fn not_found(&self, name: &str) -> Status {
        Status::not_found(self.kind.group, self.kind.plural, name)
    }

    pub fn conflict(&self, name: &str, why: &str) -> Status {
        Status::conflict(self.kind.group, self.kind.plural, name, why)
    }

    pub fn forbidden(&self, name: &str, why: &str) -> Status {
        Status::forbidden(self.kind.group, self.kind.plural, name, why)
    }

    fn invalid(&self, name: &str, errors: &Errors) -> Status {
        Status::invalid(self.kind.group, self.kind.kind, name, errors)
    }
}

/// Who owns what after a write (`UpdateNoErrors`), in the fields of the version that the client speaks.
pub(crate) fn track(api: &ApiServer, write: &Write, live: Option<&Arc<Object>>, object: &mut Object) {
    let update = |ty: Option<TypeId>| Update {
        ty,
        manager: write.manager.clone(),
        api_version: write.api_version.clone(),
        sub: write.sub,
        now_secs: write.now.secs(),
    };
    let Some(served) = write.served else {
        return merge::managed::update(&api.schema, update(api.type_of(write.kind.id)), live, object, &api.memo);
    };
    let (before, after) = (live.map(|it| (served.to)(it)), (served.to)(object));
    let ty = api.schema.definition(served.definition);
    object.meta.managed = update(ty).now(&api.schema, before.as_ref(), &after, &api.memo);
}

/// Stores a new object.
pub(crate) fn create(api: &mut ApiServer, write: &mut Write, mut object: Object) -> Result<Arc<Object>, Status> {
    drop_repeated_owners(write, &mut object.meta, "");
    wipe_system_fields(&mut object.meta);
    if write.from_actor {
        api.templates.complete(&write.kind.strategy, &mut object);
    } else {
        (write.kind.strategy.default)(&mut object);
    }
    track(api, write, None, &mut object);
    insert(api, write, object)
}

/// Stores a new object that server-side apply made.
pub(crate) fn create_applied(
    api: &mut ApiServer,
    write: &mut Write,
    mut object: Object,
) -> Result<Arc<Object>, Status> {
    wipe_system_fields(&mut object.meta);
    object.meta.revision = Revision::default();
    (write.kind.strategy.default)(&mut object);
    insert(api, write, object)
}

/// Stores a new object whose managedFields are settled: admission, name, checks.
pub(crate) fn insert(api: &mut ApiServer, write: &mut Write, mut object: Object) -> Result<Arc<Object>, Status> {
    let seen = api.templates.enter(&api.store, &object, write.from_actor);
    let checked = !matches!(seen, Seen::New);
    if let Seen::Admitted(spec) = seen {
        admission::readmit(api, write, &mut object, spec)?;
    } else {
        api.templates.share(&mut object);
        admission::mutate(api, write, Operation::Create, &mut object, None)?;
        api.templates.admitted(&api.store, &object);
    }
    drop_repeated_owners(write, &mut object.meta, AFTER_ADMISSION);
    service_addresses::give(api, write, &mut object, None)?;
    object.meta.uid = api.new_uid();
    object.meta.created = Some(write.now.secs());
    let generates = object.meta.name.is_empty() && !object.meta.generate_name.is_empty();
    for _ in 0..if generates { GENERATED_NAME_ATTEMPTS_MAX } else { 0 } {
        object.meta.name = generated_name(api, &object.meta.generate_name);
        if api.store.get(object.kind, &object.key()).is_none() {
            break;
        }
    }
    (write.kind.strategy.prepare_create)(&mut object);
    if write.kind.strategy.generation {
        object.meta.generation = 1;
    }
    let exists = api.store.get(object.kind, &object.key()).cloned();
    // Nobody shows warnings to an actor.
    if !write.from_actor {
        write.warnings.extend((write.kind.strategy.prepare_warnings)(&object));
    }
    check_new(api, write, &object, checked)?;
    if !write.from_actor {
        write.warnings.extend((write.kind.strategy.warnings)(&object, None));
    }
    let mut warnings = admission::validate(api, write, Operation::Create, Some(&object), None)?;
    write.warnings.append(&mut warnings);
    let charges = resource_quota::admit(api, write, Operation::Create, &object, None)?;
    if object.meta.revision != Revision::default() && !write.dry_run {
        return Err(Status::new(500, "", "resourceVersion should not be set on objects to be created"));
    }
    match exists {
        Some(live) => Err(already_exists(write, &live, !object.meta.generate_name.is_empty())),
        None => put_new(api, write, object, charges),
    }
}

fn put_new(
    api: &mut ApiServer,
    write: &mut Write,
    mut object: Object,
    charges: Vec<Charge>,
) -> Result<Arc<Object>, Status> {
    (write.kind.strategy.finish)(&mut object);
    // What is only tried keeps even the revision that it came with.
    if write.dry_run {
        return Ok(Arc::new(object));
    }
    resource_quota::charge(api, write.now, charges)?;
    service_addresses::note(api, write, &object, None)?;
    api.templates.leave(&object);
    let name = object.meta.name.clone();
    pass_storage(api, write, &mut object);
    api.store.create(object).map_err(|_| Status::already_exists(write.kind.group, write.kind.plural, &name))
}

/// What a client wrote as the real storage gives it back; actors write no empty lists.
fn pass_storage(api: &ApiServer, write: &Write, object: &mut Object) {
    let ty = api.type_of(write.kind.id).filter(|_| !write.from_actor);
    if let Some(Value::Map(body)) = ty.map(|ty| api.schema.stored(ty, &Value::Map(object.body.clone()))) {
        object.body = body;
    }
}

fn already_exists(write: &Write, live: &Object, generated: bool) -> Status {
    let name = live.name();
    let mut status = Status::already_exists(write.kind.group, write.kind.plural, name);
    if generated {
        let resource = meta::qualified(write.kind.group, write.kind.plural);
        status.message = format!(
            "{resource} {} already exists, the server was not able to generate a unique name for the object",
            meta::quoted(name)
        );
        status.details.get_or_insert_default().retry_after_seconds = 1;
    }
    if live.meta.is_deleted() {
        status.message = format!("object is being deleted: {}", status.message);
    }
    status
}

fn generated_name(api: &mut ApiServer, prefix: &str) -> Str {
    let end = prefix.char_indices().map(|(at, _)| at).find(|at| *at >= GENERATED_PREFIX_MAX).unwrap_or(prefix.len());
    let mut name = prefix[..end].to_owned();
    name.push_str(&api.rng.suffix(GENERATED_SUFFIX_LEN));
    name.into()
}

/// What validation says of a new object.
pub(crate) fn check_new(api: &ApiServer, write: &Write, object: &Object, checked: bool) -> Result<(), Status> {
    let mut errors = Errors::new();
    kinds::object_meta::validate(&object.meta, None, write.kind, &mut errors);
    if !(checked && api.templates.knows(object)) {
        (write.kind.strategy.validate)(object, &mut errors);
    }
    if let Some(served) = write.served {
        (served.validate)(object, None, &mut errors);
    }
    if errors.is_empty() { Ok(()) } else { Err(write.invalid(object.name(), &errors)) }
}

/// Puts `object` in the place of what is stored under `key`. The flag: it was created.
pub(crate) fn replace(
    api: &mut ApiServer,
    write: &mut Write,
    key: &Key,
    mut object: Object,
) -> Result<(Arc<Object>, bool), Status> {
    drop_repeated_owners(write, &mut object.meta, "");
    let Some(live) = api.store.get(write.kind.id, key).cloned() else {
        if !write.kind.strategy.create_on_update || !write.sub.is_empty() {
            return Err(write.not_found(&key.name));
        }
        if !object.meta.uid.is_empty() {
            return Err(uid_precondition(write, key, &object.meta.uid, ""));
        }
        // What is made by an update may name a revision; nobody looks at it.
        object.meta.revision = Revision::default();
        return create(api, write, object).map(|it| (it, true));
    };
    if !object.meta.uid.is_empty() && object.meta.uid != live.meta.uid {
        return Err(uid_precondition(write, key, &object.meta.uid, &live.meta.uid));
    }
    (Rules::of(write.kind, write.sub).default)(&mut object);
    if object.meta.revision == Revision::default() && write.kind.strategy.unconditional_update {
        object.meta.revision = live.meta.revision;
    }
    track(api, write, Some(&live), &mut object);
    update(api, write, &live, object).map(|it| (it, false))
}

/// Stores a changed object whose managedFields are not settled yet.
pub(crate) fn change(
    api: &mut ApiServer,
    write: &mut Write,
    live: &Arc<Object>,
    mut object: Object,
) -> Result<Arc<Object>, Status> {
    track(api, write, Some(live), &mut object);
    update(api, write, live, object)
}

/// The conflict of a PUT that names a uid (`storage.Preconditions.Check`).
fn uid_precondition(write: &Write, key: &Key, wanted: &str, have: &str) -> Status {
    let Kind { group, plural, .. } = write.kind;
    let mut path = String::from("/registry/");
    if !group.is_empty() && group.contains('.') {
        path.push_str(group);
        path.push('/');
    }
    path.push_str(&format!("{plural}/{key}"));
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: {path}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {wanted}, UID in object meta: {have}"
    );
    write.conflict(&key.name, &why)
}

/// Stores a changed object whose managedFields are settled: admission, what must not change, checks.
pub(crate) fn update(
    api: &mut ApiServer,
    write: &mut Write,
    live: &Arc<Object>,
    mut object: Object,
) -> Result<Arc<Object>, Status> {
    admission::mutate(api, write, Operation::Update, &mut object, Some(live))?;
    drop_repeated_owners(write, &mut object.meta, AFTER_ADMISSION);
    check_revision(write, live, &object)?;
    service_addresses::give(api, write, &mut object, Some(live))?;
    let rules = Rules::of(write.kind, write.sub);
    object.meta.generation = live.meta.generation;
    (rules.prepare)(&mut object, live);
    (rules.stamp)(&mut object, live, write.now.secs());
    if rules.counts_generation && write.kind.strategy.generation && (write.kind.strategy.counts)(&object, live) {
        object.meta.generation = live.meta.generation.wrapping_add(1);
    }
    keep_system_fields(&mut object.meta, &live.meta);
    let mut errors = Errors::new();
    let same_meta = object.meta.same_but_managed(&live.meta);
    if !same_meta {
        kinds::object_meta::validate(&object.meta, Some(&live.meta), write.kind, &mut errors);
        kinds::object_meta::validate_update(&object.meta, &live.meta, write.kind, &mut errors);
    }
    if !(write.from_actor && is_bookkeeping(&object, live)) {
        (rules.validate)(&object, live, &mut errors);
    }
    if let Some(served) = write.served.filter(|_| write.sub.is_empty()) {
        (served.validate)(&object, Some(live), &mut errors);
    }
    if !errors.is_empty() {
        return Err(write.invalid(object.name(), &errors));
    }
    if rules.warns && !write.from_actor {
        write.warnings.extend((write.kind.strategy.warnings)(&object, Some(live)));
    }
    let mut warnings = admission::validate(api, write, Operation::Update, Some(&object), Some(live))?;
    write.warnings.append(&mut warnings);
    let charges = resource_quota::admit(api, write, Operation::Update, &object, Some(live))?;
    if finishes_deletion(&object, live) {
        return finish_deletion(api, write, object);
    }
    if !write.dry_run {
        pass_storage(api, write, &mut object);
    }
    if same_meta && is_same(&object, live) {
        return Ok(live.clone());
    }
    if write.dry_run {
        object.meta.revision = live.meta.revision;
        return Ok(Arc::new(object));
    }
    resource_quota::charge(api, write.now, charges)?;
    service_addresses::note(api, write, &object, Some(live))?;
    let name = object.meta.name.clone();
    api.store.update(object, Some(live.meta.revision)).map_err(|_| write.conflict(&name, MODIFIED))
}

/// Whether nothing changed of what validation looks at: finalizers and owners are checked with all metadata.
fn is_bookkeeping(object: &Object, live: &Object) -> bool {
    object.body.len() == live.body.len()
        && object.body.iter().zip(live.body.iter()).all(|(new, old)| new.0 == old.0 && new.1.same(old.1))
        && object.meta.annotations.same(&live.meta.annotations)
        && object.meta.labels.same(&live.meta.labels)
}

/// `OptimisticLockErrorMsg`
pub(crate) const MODIFIED: &str =
    "the object has been modified; please apply your changes to the latest version and try again";

fn check_revision(write: &Write, live: &Object, object: &Object) -> Result<(), Status> {
    if object.meta.revision == live.meta.revision {
        return Ok(());
    }
    if object.meta.revision != Revision::default() {
        return Err(write.conflict(live.name(), MODIFIED));
    }
    if write.kind.strategy.unconditional_update {
        return Ok(());
    }
    let mut errors = Errors::new();
    errors.invalid("metadata.resourceVersion", 0, "must be specified for an update");
    // Upstream names the resource here and not the kind.
    Err(Status::invalid(write.kind.group, write.kind.plural, live.name(), &errors))
}

/// The last finalizer of an object that is being deleted is gone.
fn finishes_deletion(object: &Object, live: &Object) -> bool {
    object.meta.finalizers.is_empty()
        && live.meta.is_deleted()
        && live.meta.grace_seconds.unwrap_or(0) == 0
        && !Rules::waits_for_spec(object)
}

fn finish_deletion(api: &mut ApiServer, write: &Write, object: Object) -> Result<Arc<Object>, Status> {
    if !write.dry_run {
        api.store.delete(object.kind, &object.key(), None).map_err(|_| write.not_found(object.name()))?;
        service_addresses::release_all(api, write, &object);
    }
    Ok(Arc::new(object))
}

/// Whether a write that leaves the metadata would change nothing; times of managedFields alone are no change.
fn is_same(object: &Object, live: &Object) -> bool {
    let same_managed = || {
        object.meta.managed.same(&live.meta.managed)
            || (object.meta.managed.len() == live.meta.managed.len()
                && object.meta.managed.iter().zip(live.meta.managed.iter()).all(|(a, b)| {
                    (&a.manager, a.operation, &a.api_version, &a.subresource)
                        == (&b.manager, b.operation, &b.api_version, &b.subresource)
                        && a.fields == b.fields
                }))
    };
    object.body == live.body && same_managed()
}

/// What a creator may not choose (`WipeObjectMetaSystemFields`).
fn wipe_system_fields(meta: &mut Metadata) {
    meta.created = None;
    meta.uid = Str::default();
    meta.deleted = None;
    meta.grace_seconds = None;
}

/// What an update may not change, silently.
fn keep_system_fields(meta: &mut Metadata, live: &Metadata) {
    if meta.uid.is_empty() {
        meta.uid = live.uid.clone();
    }
    if live.created.is_some() && meta.created != live.created {
        meta.created = live.created;
    }
    if live.deleted.is_some() {
        meta.deleted = live.deleted;
    }
    if meta.grace_seconds.is_none() {
        meta.grace_seconds = live.grace_seconds;
    }
}

/// Where owners are looked at a second time, and patches for the first.
const AFTER_ADMISSION: &str = " after mutating admission happens";

/// Owner references that repeat another are dropped with a warning (`dedupOwnerReferencesAndAddWarning`).
fn drop_repeated_owners(write: &mut Write, meta: &mut Metadata, when: &str) {
    if meta.owners.len() < 2 {
        return;
    }
    let mut owners: Vec<OwnerRef> = Vec::with_capacity(meta.owners.len());
    let mut repeated: Vec<Str> = Vec::new();
    for owner in meta.owners.iter() {
        if owners.contains(owner) {
            repeated.push(owner.uid.clone());
        } else {
            owners.push(owner.clone());
        }
    }
    if !repeated.is_empty() {
        meta.owners = owners.into();
        let uids: Vec<&str> = repeated.iter().map(Str::as_str).collect();
        write.warnings.push(format!(
            ".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
            uids.join(", ")
        ));
    }
}
