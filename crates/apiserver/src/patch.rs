//! Patches: the live object, the patch on it, and then the write path (`handlers/patch.go`).

use std::sync::Arc;

use meta::{Errors, Key, Object, Problem, Revision, Status};
use value::{Str, Value};

use crate::codec;
use crate::handlers::same_name;
use crate::layout;
use crate::negotiate::{self, Input};
use crate::options::{FieldValidation, WriteOptions};
use crate::server::ApiServer;
use crate::subresources::scale;
use crate::write::{self, Write};

const JSON: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";
const CONVERTING: &str = "error converting YAML to JSON";

/// The ways to say what changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Json,
    Merge,
    Strategic,
    Apply,
}

/// Whether patches of this media type can be read at all.
pub(crate) fn is_patch_type(mime: &str) -> bool {
    [JSON, MERGE, STRATEGIC, APPLY].contains(&mime)
}

impl Kind {
    /// By the header `Content-Type`.
    ///
    /// # Errors
    /// 415; kinds without a schema take no strategic merge patches.
    pub fn of(content_type: &str, kind: &kinds::Kind) -> Result<Kind, Status> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            JSON => Ok(Kind::Json),
            MERGE => Ok(Kind::Merge),
            STRATEGIC if kind.definition.is_empty() => Err(negotiate::unsupported(&[JSON, MERGE, APPLY])),
            STRATEGIC => Ok(Kind::Strategic),
            APPLY => Ok(Kind::Apply),
            _ => Err(negotiate::unsupported_route()),
        }
    }
}

/// Applies the body of a request. The flag: the object was created.
pub(crate) fn body(
    api: &mut ApiServer,
    write: &mut Write,
    key: &Key,
    how: Kind,
    body: &[u8],
    options: &WriteOptions,
) -> Result<(Arc<Object>, bool), Status> {
    if how == Kind::Apply {
        return apply(api, write, key, body, options);
    }
    let live = api.store.get(write.kind.id, key).cloned().ok_or_else(|| write.not_found(&key.name))?;
    let kind = write.kind;
    let served = kinds::ServedKind { kind, served: write.served.as_ref() };
    let seen = write.served.map_or_else(|| Object::clone(&live), |it| (it.to)(&live));
    let whole = seen.to_value(&served.api_version(), kind.kind);
    let mut warnings = Vec::new();
    let patched = patched(api, how, served.definition(), &whole, body, options, &mut warnings)?;
    write.warnings.append(&mut warnings);
    let mut object = codec::object_of(&served, &patched);
    same_name(object.name(), &key.name)?;
    if object.meta.namespace.is_empty() {
        object.meta.namespace = key.namespace.clone();
    }
    if object.meta.namespace != key.namespace {
        return Err(Status::bad_request(format!(
            "the namespace of the object ({}) does not match the namespace on the request ({})",
            object.meta.namespace, key.namespace
        )));
    }
    codec::check_revision(&patched)?;
    settle(write, &live, &mut object);
    write::change(api, write, &live, object).map(|it| (it, false))
}

/// Defaults, and the live revision where the patch names none.
fn settle(write: &Write, live: &Object, object: &mut Object) {
    (write.kind.strategy.default)(object);
    if object.meta.revision == Revision::default() {
        object.meta.revision = live.meta.revision;
    }
}

/// The tree `whole` after a patch, as the API would write it.
pub(crate) fn patched(
    api: &ApiServer,
    how: Kind,
    definition: &str,
    whole: &Value,
    body: &[u8],
    options: &WriteOptions,
    warnings: &mut Vec<String>,
) -> Result<Value, Status> {
    // Merges and JSON patches are read twice: strictly, and by the library that applies them.
    let decoding = |why: String| match how {
        Kind::Json | Kind::Merge if options.validation != FieldValidation::Ignore => {
            Status::bad_request(format!("error decoding patch: {why}"))
        }
        Kind::Merge => Status::bad_request("Invalid JSON Patch"),
        _ => Status::bad_request(why),
    };
    let parsed = codec::parse(body, Input::Json).map_err(decoding)?;
    let mut problems = parsed.problems(&[]);
    let patch = parsed.value;
    let res = match how {
        Kind::Json => {
            if options.validation != FieldValidation::Ignore {
                problems = merge::json_patch_problems(&patch)?;
            }
            merge::json_patch(whole, &patch)?
        }
        Kind::Merge | Kind::Strategic if !matches!(patch, Value::Map(_) | Value::Null) => {
            let what = patch.json_type();
            return Err(decoding(format!(
                "json: cannot unmarshal {what} into Go value of type map[string]interface {{}}"
            )));
        }
        Kind::Merge if patch.is_null() => return Err(Status::bad_request("Invalid JSON Patch")),
        Kind::Merge => merge::merge_patch(whole, &patch),
        Kind::Strategic | Kind::Apply => {
            let patch = if patch.is_null() { Value::map() } else { patch.clone() };
            merge::strategic(&api.schema, api.schema.definition(definition), whole, &patch)?
        }
    };
    let refused = |why: String| {
        let mut errors = Errors::new();
        let shown = match how {
            Kind::Strategic => merge::go_text(&without_directives(&patch)),
            _ => layout::patched(&res, whole),
        };
        errors.push("patch", Problem::Invalid(shown.into()), why);
        Status::invalid("", "", "", &errors)
    };
    if how == Kind::Strategic
        && let Some(why) = api.schema.definition(definition).and_then(|ty| api.schema.conversion_problem(ty, &res))
    {
        return Err(refused(why));
    }
    if matches!(how, Kind::Json | Kind::Merge)
        && !definition.is_empty()
        && let Some(why) = api.retyped(&res, whole)
    {
        return Err(refused(why));
    }
    if matches!(how, Kind::Json | Kind::Merge) && !definition.is_empty() && !codec::names_version(&res) {
        // Upstream reads it as its internal type then, which has none of these fields.
        let unknown = res.as_map().into_iter().flat_map(|it| it.keys()).filter(|it| *it != "kind");
        problems.extend(unknown.map(|it| codec::unknown_field(it)));
        codec::judge(&problems, options.validation, warnings).map_err(refused)?;
        same_name("", whole.str_at("metadata.name").unwrap_or_default())?;
    }
    let problems = |unknown: &[String]| {
        // The converter of strategic merges sorts what it does not know.
        let mut unknown = unknown.to_vec();
        if how == Kind::Strategic {
            unknown.sort_unstable();
        }
        problems.iter().cloned().chain(unknown.iter().map(|it| codec::unknown_field(it))).collect()
    };
    api.decode_tree(&res, definition, &problems, options.validation, warnings).map_err(refused)
}

/// A strategic merge patch as it is left when it has been applied: upstream takes directives out while it
/// follows them, and lists that have an order with their directive.
fn without_directives(patch: &Value) -> Value {
    let is_directive = |key: &str| matches!(key, "$patch" | "$retainKeys") || key.starts_with("$setElementOrder/");
    match patch {
        Value::Map(map) => map
            .iter()
            .filter(|(key, _)| !is_directive(key) && !map.contains_key(&format!("$setElementOrder/{key}")))
            .map(|(key, value)| (key.clone(), without_directives(value)))
            .collect::<value::Map>()
            .into(),
        Value::List(list) => list.iter().map(without_directives).collect::<value::List>().into(),
        _ => patch.clone(),
    }
}

/// A patch from an actor: a tree that fits its kind.
pub(crate) fn tree(
    api: &mut ApiServer,
    write: &mut Write,
    key: &Key,
    how: Kind,
    patch: &Value,
) -> Result<Arc<Object>, Status> {
    let live = api.store.get(write.kind.id, key).cloned().ok_or_else(|| write.not_found(&key.name))?;
    let merged = |api: &ApiServer, whole: &Value| match how {
        Kind::Strategic => merge::strategic(&api.schema, api.schema.definition(write.kind.definition), whole, patch),
        _ => Ok(merge::merge_patch(whole, patch)),
    };
    // What leaves metadata alone needs none in the tree.
    if ["apiVersion", "kind", "metadata"].iter().all(|key| patch.get(key).is_none()) {
        let Value::Map(body) = merged(api, &Value::Map(live.body.clone()))? else {
            return Err(Status::internal("a patch made no object"));
        };
        let object = Object { body, ..Object::clone(&live) };
        return write::change(api, write, &live, object);
    }
    let patched = merged(api, &live.to_value(&write.api_version, write.kind.kind))?;
    if let Some(uid) = patched.str_at("metadata.uid").filter(|it| live.meta.uid != *it) {
        return Err(write.conflict(
            &key.name,
            &format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", live.meta.uid),
        ));
    }
    let empty = value::Map::new();
    let mut object = Object::from_map(write.kind.id, patched.as_map().unwrap_or(&empty));
    object.meta.revision = live.meta.revision;
    write::change(api, write, &live, object)
}

/// Reads the body of a server-side apply. Answers also what strict reading minds.
fn applied_tree(body: &[u8]) -> Result<(Value, Vec<String>), Status> {
    let decoding = |why: String| Status::bad_request(format!("error decoding YAML: {why}"));
    let parsed = codec::parse(body, Input::Yaml).map_err(|why| decoding(format!("{CONVERTING}: {why}")))?;
    let problems = parsed.problems(&[]);
    match parsed.value {
        it @ (Value::Map(_) | Value::Null) => Ok((it, problems)),
        other => Err(decoding(format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            other.json_type()
        ))),
    }
}

/// What is done of what strict reading minds, once an apply has succeeded.
fn report(problems: &[String], validation: FieldValidation, warnings: &mut Vec<String>) -> Result<(), Status> {
    match (validation, problems.first()) {
        (FieldValidation::Strict, Some(problem)) => {
            Err(Status::bad_request(format!("error strict decoding YAML: {CONVERTING}: {problem}")))
        }
        (FieldValidation::Warn, _) => {
            codec::warn(warnings, problems);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Server-side apply (`applyPatcher`). The flag: the object was created.
fn apply(
    api: &mut ApiServer,
    write: &mut Write,
    key: &Key,
    body: &[u8],
    options: &WriteOptions,
) -> Result<(Arc<Object>, bool), Status> {
    let (config, problems) = applied_tree(body)?;
    let live = api.store.get(write.kind.id, key).cloned();
    if live.is_none() && !write.sub.is_empty() {
        return Err(write.not_found(&key.name));
    }
    let kind = write.kind;
    let served = kinds::ServedKind { kind, served: write.served.as_ref() };
    let seen = live.as_deref().map(|it| write.served.map_or_else(|| it.clone(), |served| (served.to)(it)));
    let schema = api.schema.clone();
    let ty = schema.definition(served.definition());
    let applier = merge::Applier {
        manager: &write.manager,
        api_version: &write.api_version,
        kind: kind.kind,
        sub: write.sub,
        now_secs: write.now.secs(),
        force: options.force.unwrap_or(false),
    };
    let applied = merge::apply(&schema, ty, seen.as_ref(), &config, &applier, &api.memo)?;
    report(&problems, options.validation, &mut write.warnings)?;
    let whole = applied.whole.as_ref();
    let mut object = match whole {
        Some(whole) => {
            // Fields that the type does not have were refused before.
            let none = |_: &[String]| Vec::new();
            let decoded = api.decode_tree(whole, served.definition(), &none, FieldValidation::Ignore, &mut Vec::new());
            codec::object_of(&served, &decoded.map_err(Status::bad_request)?)
        }
        None => live.as_deref().cloned().ok_or_else(|| write.not_found(&key.name))?,
    };
    object.meta.managed = applied.managed.into();
    if live.is_none() && !object.meta.uid.is_empty() {
        let uid = &object.meta.uid;
        let why = format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
        return Err(write.conflict(&key.name, &why));
    }
    same_name(object.name(), &key.name)?;
    if object.meta.namespace.is_empty() || key.namespace.is_empty() {
        object.meta.namespace = key.namespace.clone();
    }
    if object.meta.namespace != key.namespace {
        let why = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Status::bad_request(why));
    }
    whole.map_or(Ok(()), codec::check_revision)?;
    match live {
        Some(live) => {
            settle(write, &live, &mut object);
            write::update(api, write, &live, object).map(|it| (it, false))
        }
        None => write::create_applied(api, write, object).map(|it| (it, true)),
    }
}

/// Server-side apply of a scale.
pub(crate) fn apply_scale(
    api: &mut ApiServer,
    write: &mut Write,
    live: &Arc<Object>,
    body: &[u8],
    options: &WriteOptions,
) -> Result<Arc<Object>, Status> {
    let (config, problems) = applied_tree(body)?;
    let schema = api.schema.clone();
    let ty = schema.definition(kinds::scale::DEFINITION);
    let before = scale::object(live, &write.api_version);
    let applier = merge::Applier {
        manager: &write.manager,
        api_version: &Str::from(scale::VERSION),
        kind: "Scale",
        sub: "scale",
        now_secs: write.now.secs(),
        force: options.force.unwrap_or(false),
    };
    let applied = merge::apply(&schema, ty, Some(&before), &config, &applier, &api.memo)?;
    report(&problems, options.validation, &mut write.warnings)?;
    let whole = applied.whole.unwrap_or_else(|| kinds::scale::of(live));
    scale::store(api, write, live, &whole, &applied.managed)
}
