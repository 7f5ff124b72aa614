//! Server-side apply: what an applier wants, merged into what is there, and who owns what afterwards.
//!
//! Follows `merge/update.go` of sigs.k8s.io/structured-merge-diff and `managedfields/internal` of k8s.io/apimachinery.

mod check;
mod conflicts;
mod last_applied;
mod prune;
mod remove;
mod set;
mod tree;

use std::borrow::Cow;

use meta::{KindId, ManagedEntry, Object, Operation, Status};
use schema::{Schema, TypeId};
use value::{Map, Str, Value, value};

use self::conflicts::Conflict;
use crate::compare::equal;
use crate::fields::{difference, intersection, union};
use crate::managed::{Writer, forget_unknown_versions, sort};
use crate::memo::{Memo, Memory};
use crate::objects;
use crate::resets::Resets;
use crate::steps::{Changes, changed, removed};

/// Who gets what existed before the first apply where nothing was tracked.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// Who applies, through what, and when.
#[derive(Clone, Copy, Debug)]
pub struct Applier<'a> {
    pub manager: &'a Str,
    /// `group/version` of the request.
    pub api_version: &'a Str,
    pub kind: &'a str,
    /// The subresource; empty for the object itself.
    pub sub: &'a str,
    pub now_secs: i64,
    /// Whether to take over fields that others own.
    pub force: bool,
}

/// What an apply comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// The whole tree, not yet decoded; `None` where nothing but managed fields may have changed.
    pub whole: Option<Value>,
    pub managed: Vec<ManagedEntry>,
}

/// Merges `config` into `live`; where there is no such object, into an empty one.
///
/// # Errors
/// The API's answer: a wrong type, a configuration that does not fit its type, conflicts with other managers.
pub fn apply(
    schema: &Schema,
    ty: Option<TypeId>,
    live: Option<&Object>,
    config: &Value,
    applier: &Applier<'_>,
    memo: &Memo,
) -> Result<Applied, Status> {
    check_kind(config, applier)?;
    let entries = live.map_or(Cow::default(), |it| Cow::Borrowed(&*it.meta.managed));
    memo.with(|memo| apply_to(schema, ty, live, entries, config, applier, memo))
}

fn apply_to(
    schema: &Schema,
    ty: Option<TypeId>,
    live: Option<&Object>,
    mut entries: Cow<'_, [ManagedEntry]>,
    config: &Value,
    applier: &Applier<'_>,
    memo: &mut Memory,
) -> Result<Applied, Status> {
    let resets = Resets::of(objects::kind_of(schema, ty), applier.sub);
    let empty = Object { kind: KindId(0), meta: Default::default(), body: memo.empty_body(schema, ty) };
    if let Some(live) = live.filter(|_| entries.is_empty()) {
        let mut walked = memo.walked(schema, ty, None, live, resets);
        let manager = BEFORE_FIRST_APPLY.into();
        entries = writer(applier, &manager).updated(ty, &entries, &mut walked, memo).into();
        memo.keep(ty, walked);
    }
    forget_unknown_versions(schema, ty, applier.api_version, &mut entries);
    let mut run = Run { schema, ty, live: live.unwrap_or(&empty), config, applier, resets, memo };
    let mut applied = match run.run(&entries, applier.force)? {
        Ok(applied) => applied,
        Err(conflicts) => {
            let allowed = run.last_applied_owns();
            let conflicts: Vec<Conflict> = conflicts.into_iter().filter_map(|it| it.without(&allowed)).collect();
            if !conflicts.is_empty() {
                return Err(conflicts::status(&conflicts));
            }
            match run.run(&entries, true)? {
                Ok(applied) => applied,
                Err(conflicts) => return Err(conflicts::status(&conflicts)),
            }
        }
    };
    if applier.manager == "kubectl" {
        last_applied::follow(&mut applied.whole, || run.live_tree(), config);
    }
    Ok(applied)
}

fn writer<'a>(applier: &Applier<'a>, manager: &'a Str) -> Writer<'a> {
    Writer { manager, api_version: applier.api_version, sub: applier.sub, now_secs: applier.now_secs }
}

/// The body must be of the request's very version and kind.
fn check_kind(config: &Value, applier: &Applier<'_>) -> Result<(), Status> {
    let text = |key: &str| config.get(key).and_then(Value::as_str).unwrap_or("");
    if text("apiVersion") == applier.api_version.as_str() && text("kind") == applier.kind {
        return Ok(());
    }
    Err(Status::bad_request(format!("invalid object type: {}", kind_text(config))))
}

/// `apps/v1, Kind=Deployment`
fn kind_text(config: &Value) -> String {
    let text = |key: &str| config.get(key).and_then(Value::as_str).unwrap_or("");
    match text("apiVersion").split('/').collect::<Vec<_>>().as_slice() {
        [version] => format!("/{version}, Kind={}", text("kind")),
        [group, version] => format!("{group}/{version}, Kind={}", text("kind")),
        _ => "/, Kind=".to_owned(),
    }
}

struct Run<'a> {
    schema: &'a Schema,
    ty: Option<TypeId>,
    live: &'a Object,
    config: &'a Value,
    applier: &'a Applier<'a>,
    resets: Resets,
    memo: &'a mut Memory,
}

impl Run<'_> {
    fn live_tree(&self) -> Value {
        self.live.to_value(self.applier.api_version, self.applier.kind)
    }

    /// Applies; the inner error is what others own.
    fn run(&mut self, entries: &[ManagedEntry], force: bool) -> Result<Result<Applied, Vec<Conflict>>, Status> {
        let (schema, ty) = (self.schema, self.ty);
        if self.config.at("metadata.managedFields").is_some_and(|it| it.as_list().is_some()) {
            return Err(Status::bad_request("metadata.managedFields must be nil"));
        }
        check::check(schema, ty, self.config).map_err(|why| {
            let name = self.config.str_at("metadata.name").unwrap_or("");
            let namespace = self.config.str_at("metadata.namespace").unwrap_or("");
            let kind = kind_text(self.config);
            Status::new(500, "", format!("failed to create typed patch object ({namespace}/{name}; {kind}): {why}"))
        })?;
        let live = self.live_tree();
        let merged = tree::merge(schema, ty, &live, self.config);
        let wanted = self.owned(set::set_of(schema, ty, self.config));
        let mut others: Vec<ManagedEntry> = Vec::with_capacity(entries.len());
        let mut own: Option<ManagedEntry> = None;
        for entry in entries {
            if self.is_own(entry) { own = Some(entry.clone()) } else { others.push(entry.clone()) }
        }
        let last = own.as_ref().map(|it| it.fields.clone()).unwrap_or_default();
        let managed = others.iter().fold(wanted.clone(), |all, it| union(&all, &it.fields));
        let new = prune::prune(schema, ty, merged, &last, &managed);
        let changes = self.changes(&new);
        let (changed, removed) = (changed(&changes), removed(&changes));
        let mut taken = Vec::new();
        for entry in &mut others {
            let conflict = intersection(&entry.fields, &changed);
            if !conflict.is_empty() {
                taken.push(Conflict { entry: entry.clone(), fields: conflict.clone() });
                entry.fields = difference(&entry.fields, &conflict);
            }
            entry.fields = difference(&entry.fields, &removed);
        }
        if !force && !taken.is_empty() {
            return Ok(Err(taken));
        }
        others.retain(|it| !it.fields.is_empty());
        let same = equal(&live, &new);
        let fields = difference(&wanted, &unowned());
        if !fields.is_empty() {
            let time = if same { own.and_then(|it| it.time) } else { Some(self.applier.now_secs) };
            others.push(ManagedEntry {
                manager: writer(self.applier, self.applier.manager).name(),
                operation: Operation::Apply,
                api_version: self.applier.api_version.clone(),
                time,
                subresource: self.applier.sub.into(),
                fields: self.memo.shared(self.ty, fields),
            });
        }
        sort(&mut others);
        Ok(Ok(Applied { whole: (!same).then_some(new), managed: others }))
    }

    fn is_own(&self, entry: &ManagedEntry) -> bool {
        entry.operation == Operation::Apply
            && entry.manager == writer(self.applier, self.applier.manager).name()
            && entry.subresource == self.applier.sub
    }

    fn changes(&mut self, new: &Value) -> Changes {
        let empty = Map::new();
        let new = Object::from_map(self.live.kind, new.as_map().unwrap_or(&empty));
        self.memo.changes(self.schema, self.ty, Some(self.live), &new, self.resets)
    }

    /// The set without what the write sets back.
    fn owned(&self, set: Map) -> Map {
        self.resets.0.iter().fold(set, |set, path| without(&set, path))
    }

    /// What the annotation of client-side apply says kubectl owns.
    fn last_applied_owns(&mut self) -> Map {
        if self.applier.manager != "kubectl" {
            return Map::new();
        }
        let live = self.live_tree();
        last_applied::owned(self.schema, self.ty, self.applier.api_version, &live, self.live, self.memo)
            .unwrap_or_default()
    }
}

/// A set without a field and what is below it.
fn without(set: &Map, path: &str) -> Map {
    let mut res = set.clone();
    match path.split_once('.') {
        None => {
            res.remove(&format!("f:{path}"));
        }
        Some((first, rest)) => {
            let key = format!("f:{first}");
            let Some(child) = crate::fields::child(set, &key) else { return res };
            let left = without(child, rest);
            if left.is_empty() {
                res.remove(&key);
            } else if !left.same(child) {
                res.insert(key, left);
            }
        }
    }
    res
}

/// Fields that nobody owns (`stripMeta`).
fn unowned() -> Map {
    let leaf = Map::new;
    let metadata: Map = objects::UNOWNED.iter().map(|it| (Str::from(format!("f:{it}")), Value::Map(leaf()))).collect();
    let metadata = metadata.with(".", leaf());
    match value!({ "f:apiVersion": {}, "f:kind": {}, "f:metadata": metadata }) {
        Value::Map(it) => it,
        _ => leaf(),
    }
}

#[cfg(test)]
mod tests;
