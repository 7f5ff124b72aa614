//! Deleting: with grace, with finalizers, or at once.
//!
//! Follows `Store.Delete`, `rest.BeforeDelete` and `deletionFinalizersForGarbageCollection` of k8s.io/apiserver.

use std::sync::Arc;

use meta::{Errors, FOREGROUND, Key, ORPHAN, Object, Status};
use value::{Str, Value, time, value};

use crate::admission::{self, Operation};
use crate::server::ApiServer;
use crate::write::Write;

/// What becomes of dependents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Propagation {
    Orphan,
    Background,
    Foreground,
}

/// How to delete.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeleteOptions {
    pub grace_seconds: Option<i64>,
    pub propagation: Option<Propagation>,
    /// The deprecated field; excludes `propagation`.
    pub orphan_dependents: Option<bool>,
    /// Precondition.
    pub uid: Option<Str>,
    /// Precondition, as the client wrote it.
    pub resource_version: Option<Str>,
    pub dry_run: bool,
}

/// What a deletion came to.
#[derive(Clone, Debug)]
pub(crate) struct Deleted {
    /// The last state, or the new one of an object that is being deleted.
    pub object: Arc<Object>,
    /// Whether it has gone.
    pub gone: bool,
    /// Whether the answer is the object and not a `Status`.
    pub shows_object: bool,
}

/// Deletes the object under `key`, or begins to.
pub(crate) fn delete(
    api: &mut ApiServer,
    write: &Write,
    key: &Key,
    options: &DeleteOptions,
) -> Result<Deleted, Status> {
    let Some(live) = api.store.get(write.kind.id, key).cloned() else { return Err(write.not_found(&key.name)) };
    if write.kind.id == kinds::NAMESPACE
        && let Some(res) = begin_namespace(api, write, &live, options)?
    {
        return Ok(res);
    }
    check_preconditions(write, &live, options)?;
    let shows_object = shows_deleted(write.kind.plural);
    let graceful = match grace(write, &live, options) {
        Grace::Pending => return Ok(Deleted { object: live, gone: false, shows_object }),
        Grace::None => None,
        Grace::Until { at, seconds } => Some((at, seconds)),
    };
    let finalizers = finalizers(write, &live, options);
    let pending = !finalizers.is_empty();
    if graceful.is_none() && !pending && finalizers.len() == live.meta.finalizers.len() {
        admission::validate(api, write, Operation::Delete, None, Some(&live))?;
        return take_out(api, write, options, live, shows_object);
    }
    admission::validate(api, write, Operation::Delete, None, Some(&live))?;
    let mut object = Object::clone(&live);
    if !live.meta.is_deleted() && live.meta.generation > 0 {
        object.meta.generation = live.meta.generation.wrapping_add(1);
    }
    object.meta.finalizers = finalizers.into();
    match graceful {
        Some((at, seconds)) => {
            object.meta.deleted = Some(at);
            object.meta.grace_seconds = Some(seconds);
        }
        None if pending => {
            let now = write.now.secs();
            object.meta.deleted = Some(live.meta.deleted.map_or(now, |it| it.min(now)));
            object.meta.grace_seconds = Some(0);
        }
        None => (),
    }
    let begun = graceful.is_some() || pending;
    let object = match options.dry_run {
        true => Arc::new(object),
        false if !begun || object == *live => live,
        false => api.store.update(object, None).map_err(|_| write.not_found(&key.name))?,
    };
    if pending || graceful.is_some_and(|(_, seconds)| seconds > 0) {
        return Ok(Deleted { object, gone: false, shows_object: true });
    }
    take_out(api, write, options, object, shows_object)
}

fn take_out(
    api: &mut ApiServer,
    write: &Write,
    options: &DeleteOptions,
    live: Arc<Object>,
    shows_object: bool,
) -> Result<Deleted, Status> {
    if options.dry_run {
        return Ok(Deleted { object: live, gone: true, shows_object });
    }
    if live.kind == kinds::SERVICE_ACCOUNT {
        api.templates.clear();
    }
    let object = api.store.delete(live.kind, &live.key(), None).map_err(|_| write.not_found(live.name()))?;
    crate::service_addresses::release_all(api, write, &object);
    Ok(Deleted { object, gone: true, shows_object })
}

/// Kinds whose storage answers with the deleted object (`ReturnDeletedObject`).
fn shows_deleted(plural: &str) -> bool {
    const KINDS: [&str; 18] = [
        "csidrivers",
        "csinodes",
        "deviceclasses",
        "devicetaintrules",
        "namespaces",
        "persistentvolumeclaims",
        "persistentvolumes",
        "pods",
        "podtemplates",
        "resourceclaims",
        "resourceclaimtemplates",
        "resourcequotas",
        "resourceslices",
        "serviceaccounts",
        "services",
        "storageclasses",
        "volumeattachments",
        "volumeattributesclasses",
    ];
    KINDS.contains(&plural)
}

pub(crate) fn check_preconditions(write: &Write, live: &Object, options: &DeleteOptions) -> Result<(), Status> {
    let conflict = |why: String| Err(Status::conflict(write.kind.group, write.kind.kind, live.name(), &why));
    if let Some(uid) = &options.uid
        && *uid != live.meta.uid
    {
        return conflict(format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            live.meta.uid
        ));
    }
    let have = live.meta.revision.0;
    match &options.resource_version {
        Some(wanted) if *wanted != have.to_string().as_str() => conflict(format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({have}). The object might have been modified"
        )),
        _ => Ok(()),
    }
}

enum Grace {
    /// It goes at once, but for finalizers.
    None,
    /// It is going already, no later than asked for.
    Pending,
    Until {
        at: i64,
        seconds: i64,
    },
}

/// How long a pod may take; other kinds have no grace.
fn grace(write: &Write, live: &Object, options: &DeleteOptions) -> Grace {
    if live.kind != kinds::POD {
        return Grace::None;
    }
    let asked = options.grace_seconds.map(|it| if it < 0 { 1 } else { it });
    let now = write.now.secs();
    if let Some(deleted) = live.meta.deleted {
        let have = live.meta.grace_seconds.map_or(0, |it| if it < 0 { 1 } else { it });
        return match asked {
            _ if have == 0 => Grace::None,
            Some(asked) if asked < have => {
                let at = deleted - time::go_seconds(have) + time::go_seconds(asked);
                let seconds = if at < now && asked != 0 { 1 } else { asked };
                Grace::Until { at: at.max(now), seconds }
            }
            _ => Grace::Pending,
        };
    }
    let seconds = kinds::pod::deletion_grace(live, asked);
    Grace::Until { at: now + time::go_seconds(seconds), seconds }
}

/// The finalizers that the object will have: those of garbage collection follow from the options.
fn finalizers(write: &Write, live: &Object, options: &DeleteOptions) -> Vec<Str> {
    if live.kind == kinds::EVENT {
        return live.meta.finalizers.to_vec();
    }
    // What was there before garbage collection orphans unless told otherwise (`DefaultGarbageCollectionPolicy`).
    let orphans_by_default = [kinds::JOB, kinds::REPLICATION_CONTROLLER].contains(&write.kind.id) && !write.from_actor;
    let present = live.meta.finalizers.iter().find(|it| **it == ORPHAN || **it == FOREGROUND);
    let (orphan, foreground) = match (options.orphan_dependents, options.propagation) {
        (Some(orphan), _) => (orphan, false),
        (None, Some(it)) => (it == Propagation::Orphan, it == Propagation::Foreground),
        (None, None) => match present {
            Some(it) => (*it == ORPHAN, *it == FOREGROUND),
            None => (orphans_by_default, false),
        },
    };
    let mut res: Vec<Str> =
        live.meta.finalizers.iter().filter(|it| **it != ORPHAN && **it != FOREGROUND).cloned().collect();
    if orphan {
        res.push(ORPHAN.into());
    }
    if foreground {
        res.push(FOREGROUND.into());
    }
    let unchanged = res.len() == live.meta.finalizers.len() && res.iter().all(|it| live.meta.has_finalizer(it));
    if unchanged { live.meta.finalizers.to_vec() } else { res }
}

/// The first request to delete a namespace turns it to `Terminating`; it goes when its content has gone.
fn begin_namespace(
    api: &mut ApiServer,
    write: &Write,
    live: &Arc<Object>,
    options: &DeleteOptions,
) -> Result<Option<Deleted>, Status> {
    let conflict = |what: &str, wanted: &str, have: &str| {
        write.conflict(
            live.name(),
            &format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {have}"),
        )
    };
    if let Some(uid) = options.uid.as_ref().filter(|it| **it != live.meta.uid) {
        return Err(conflict("UID", uid, &live.meta.uid));
    }
    let have = live.meta.revision.text();
    if let Some(wanted) = options.resource_version.as_ref().filter(|it| **it != have) {
        return Err(conflict("ResourceVersion", wanted, &have));
    }
    // Admission refuses the namespaces that must stay, whatever their state.
    admission::validate(api, write, Operation::Delete, None, Some(live))?;
    let answer = |object| Ok(Some(Deleted { object, gone: false, shows_object: true }));
    if live.meta.is_deleted() {
        return if live.list_at("spec.finalizers").is_empty() { Ok(None) } else { answer(live.clone()) };
    }
    let mut object = Object::clone(live);
    object.meta.deleted = Some(write.now.secs());
    object.set("status.phase", "Terminating");
    let foreground = match (options.orphan_dependents, options.propagation) {
        (Some(orphan), _) => Some((orphan, !orphan)),
        (None, Some(it)) => Some((it == Propagation::Orphan, it == Propagation::Foreground)),
        (None, None) => None,
    };
    if let Some((orphan, foreground)) = foreground {
        let mut finalizers: Vec<Str> =
            live.meta.finalizers.iter().filter(|it| **it != ORPHAN && **it != FOREGROUND).cloned().collect();
        finalizers.extend(orphan.then(|| Str::from(ORPHAN)));
        finalizers.extend(foreground.then(|| Str::from(FOREGROUND)));
        object.meta.finalizers = finalizers.into();
    }
    if options.dry_run {
        return answer(Arc::new(object));
    }
    answer(api.store.update(object, None).map_err(|_| write.not_found(live.name()))?)
}

/// The answer to a deletion: a `Status` with what went, or the object.
pub(crate) fn status_of(write: &Write, object: &Object) -> Value {
    let mut details =
        value!({ "kind": Str::literal(write.kind.plural), "name": &object.meta.name, "uid": &object.meta.uid });
    if !write.kind.group.is_empty() {
        details.set("group", write.kind.group);
    }
    value!({ "apiVersion": "v1", "details": details, "kind": "Status", "metadata": {}, "status": "Success" })
}

impl DeleteOptions {
    /// Of a decoded `DeleteOptions` object or of a query made into one.
    ///
    /// # Errors
    /// `Invalid`, as `ValidateDeleteOptions` says it.
    pub(crate) fn from_value(value: &Value) -> Result<DeleteOptions, Status> {
        let mut errors = Errors::new();
        let orphan_dependents = value.bool_at("orphanDependents");
        let policy = value.str_at("propagationPolicy");
        if orphan_dependents.is_some() && policy.is_some() {
            let bad = policy.unwrap_or_default();
            errors.invalid("propagationPolicy", bad, "orphanDependents and deletionPropagation cannot be both set");
        }
        let propagation = match policy {
            None => None,
            Some("Orphan") => Some(Propagation::Orphan),
            Some("Background") => Some(Propagation::Background),
            Some("Foreground") => Some(Propagation::Foreground),
            Some(other) => {
                errors.push(
                    "propagationPolicy",
                    meta::Problem::NotSupported(
                        other.into(),
                        vec!["Foreground".into(), "Background".into(), "Orphan".into(), "nil".into()],
                    ),
                    "",
                );
                None
            }
        };
        let dry_run = crate::options::dry_run(value.list_at("dryRun"), &mut errors);
        if !errors.is_empty() {
            return Err(Status::invalid("meta.k8s.io", "DeleteOptions", "", &errors));
        }
        let shared = |path: &'static str| value.at(path).and_then(Value::as_shared_str).cloned();
        Ok(DeleteOptions {
            grace_seconds: value.i64_at("gracePeriodSeconds"),
            propagation,
            orphan_dependents,
            uid: shared("preconditions.uid"),
            resource_version: shared("preconditions.resourceVersion"),
            dry_run,
        })
    }
}
