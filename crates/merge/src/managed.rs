//! Managed fields: who owns which field of an object.
//!
//! Follows `managedfields/internal` of k8s.io/apimachinery, the writes that are no server-side apply.

use std::borrow::Cow;
use std::sync::Arc;

use meta::{ManagedEntry, ManagedFields, Object, Operation};
use schema::{Schema, Type, TypeId};
use value::{Map, Str};

use crate::fields::{canonical, union};
use crate::memo::{Memo, Memory, Walked};
use crate::objects;
use crate::resets::Resets;
use crate::steps::Change;

/// Entries of updates kept apart (`DefaultMaxUpdateManagers`).
const UPDATES_MAX: usize = 10;
/// Who owns what the oldest updates beyond the limit owned.
const ANCIENT: &str = "ancient-changes";
const UNKNOWN: &str = "unknown";

/// One write that is no server-side apply: who made what of what, when and through what.
pub struct Update {
    pub ty: Option<TypeId>,
    pub manager: Str,
    pub api_version: Str,
    pub sub: &'static str,
    pub now_secs: i64,
}

/// Sets the managed fields of an object that was created or changed otherwise than by applying. Unless its client sent some,
/// they are worked out when somebody asks for them.
pub fn update(schema: &Arc<Schema>, update: Update, live: Option<&Arc<Object>>, object: &mut Object, memo: &Memo) {
    let before = live.map(|it| &it.meta.managed);
    if !follows(before, &object.meta.managed, update.sub) {
        object.meta.managed = update.now(schema, live.map(|it| &**it), object, memo);
        return;
    }
    object.meta.managed = Default::default();
    let (schema, live, after, memo) = (schema.clone(), live.cloned(), object.clone(), memo.clone());
    let work = move || update.entries(&schema, live.as_deref(), &after, &memo);
    object.meta.managed = ManagedFields::deferred(before, Box::new(work));
}

/// Whether the entries surely follow from those that are there: the client sent none of its own.
fn follows(before: Option<&ManagedFields>, sent: &ManagedFields, sub: &str) -> bool {
    !sub.is_empty() || before.is_some_and(|it| it.same(sent)) || (sent.is_settled() && sent.is_empty())
}

impl Update {
    /// The managed fields after the write, worked out at once.
    pub fn now(&self, schema: &Schema, live: Option<&Object>, object: &Object, memo: &Memo) -> ManagedFields {
        let entries = self.entries(schema, live, object, memo);
        match live.map(|it| &it.meta.managed) {
            Some(before) if *entries == **before => before.clone(),
            _ => entries.into(),
        }
    }

    fn entries(&self, schema: &Schema, live: Option<&Object>, object: &Object, memo: &Memo) -> Arc<[ManagedEntry]> {
        let mut entries = settled(live, object, self.sub);
        // What was not tracked from its creation is not tracked later either.
        if entries.is_empty() && live.is_some_and(|it| !it.meta.uid.is_empty()) {
            return Arc::default();
        }
        let Update { ty, manager, api_version, sub, now_secs } = self;
        forget_unknown_versions(schema, *ty, api_version, &mut entries);
        let resets = Resets::of(objects::kind_of(schema, *ty), sub);
        let writer = Writer { manager, api_version, sub, now_secs: *now_secs };
        memo.with(|memo| {
            let mut walked = memo.walked(schema, *ty, live, object, resets);
            let updated = writer.updated(*ty, &entries, &mut walked, memo);
            memo.keep(*ty, walked);
            memo.shared_list(*ty, updated)
        })
    }
}

/// The entries that the write starts from (`decodeLiveOrNew`): those that the client sent, unless it sent none.
fn settled<'a>(live: Option<&'a Object>, object: &Object, sub: &str) -> Cow<'a, [ManagedEntry]> {
    let of_live = || live.map_or(Cow::default(), |it| Cow::Borrowed(&*it.meta.managed));
    let sent = &object.meta.managed;
    if follows(live.map(|it| &it.meta.managed), sent, sub) || sent.is_empty() {
        return of_live();
    }
    if sent.iter().any(ManagedEntry::is_reset) {
        return Cow::default();
    }
    let known = |entry: &ManagedEntry| {
        live?.meta.managed.iter().find(|it| it.fields == entry.fields).map(|it| it.fields.clone())
    };
    let mut entries = Vec::with_capacity(sent.len());
    for entry in sent.iter() {
        let Some(fields) = known(entry).or_else(|| canonical(&entry.fields)) else { return of_live() };
        entries.push(ManagedEntry { fields, ..entry.clone() });
    }
    Cow::Owned(entries)
}

/// Entries of versions in which the object cannot be shown are dropped, as upstream drops what it cannot convert.
pub(crate) fn forget_unknown_versions(
    schema: &Schema,
    ty: Option<TypeId>,
    api_version: &str,
    entries: &mut Cow<'_, [ManagedEntry]>,
) {
    let Some(Type::Struct(it)) = ty.map(|it| schema.ty(it)) else { return };
    if !it.name.starts_with(DEFINITIONS) {
        return;
    }
    let is_known = |entry: &ManagedEntry| {
        entry.api_version == *api_version || {
            let (group, version) = entry.api_version.split_once('/').unwrap_or(("core", &entry.api_version));
            let group = group.split('.').next().unwrap_or("");
            schema.definition(&format!("{DEFINITIONS}{group}.{version}.{}", it.go_name())).is_some()
        }
    };
    if !entries.iter().all(is_known) {
        entries.to_mut().retain(is_known);
    }
}

/// What the names of built-in definitions begin with.
const DEFINITIONS: &str = "io.k8s.api.";

/// Who writes, through what, and when.
pub(crate) struct Writer<'a> {
    pub manager: &'a Str,
    pub api_version: &'a Str,
    pub sub: &'a str,
    pub now_secs: i64,
}

impl Writer<'_> {
    pub fn name(&self) -> Str {
        if self.manager.is_empty() { Str::literal(UNKNOWN) } else { self.manager.clone() }
    }

    /// The writer's entry over `fields`, as of now.
    fn entry(&self, fields: Map) -> ManagedEntry {
        ManagedEntry {
            manager: self.name(),
            operation: Operation::Update,
            api_version: self.api_version.clone(),
            time: Some(self.now_secs),
            subresource: Str::literal(self.sub),
            fields,
        }
    }

    /// Takes what changed from everybody and gives it to the writer.
    pub fn updated(
        &self,
        ty: Option<TypeId>,
        entries: &[ManagedEntry],
        walked: &mut Walked,
        memo: &mut Memory,
    ) -> Vec<ManagedEntry> {
        let mut res = Vec::with_capacity(entries.len() + 1);
        let name = self.name();
        let mut own: Option<ManagedEntry> = None;
        for entry in entries {
            let is_own = entry.operation == Operation::Update
                && entry.manager == name
                && entry.api_version == *self.api_version
                && entry.subresource == self.sub;
            let fields = memo.after(ty, &entry.fields, walked, is_own);
            if fields.is_empty() {
                continue;
            }
            let entry = ManagedEntry { fields, ..entry.clone() };
            if is_own { own = Some(entry) } else { res.push(entry) }
        }
        if !walked.changes.iter().any(Change::changes) {
            res.extend(own);
        } else {
            let fields = own.map(|it| it.fields).unwrap_or_else(|| memo.after(ty, &Map::new(), walked, true));
            res.push(self.entry(fields));
        }
        cap(&mut res);
        sort(&mut res);
        res
    }
}

/// The order in which the API shows entries (`sortEncodedManagedFields`).
pub(crate) fn sort(entries: &mut [ManagedEntry]) {
    fn key(it: &ManagedEntry) -> (Operation, i64, &Str, &Str, &Str) {
        (it.operation, it.time.unwrap_or(0), &it.manager, &it.api_version, &it.subresource)
    }
    entries.sort_by(|a, b| key(a).cmp(&key(b)));
}

/// Puts the oldest updates of each version together until few enough are left (`capUpdateManagers`).
fn cap(entries: &mut Vec<ManagedEntry>) {
    let mut n_updates = entries.iter().filter(|it| it.operation == Operation::Update).count();
    if n_updates <= UPDATES_MAX {
        return;
    }
    let mut oldest: Vec<ManagedEntry> =
        entries.iter().filter(|it| it.operation == Operation::Update).cloned().collect();
    oldest.sort_by_key(|it| (it.time.unwrap_or(0), identifier(it)));
    let mut firsts: Vec<ManagedEntry> = Vec::new();
    for entry in oldest {
        if n_updates <= UPDATES_MAX {
            return;
        }
        let Some(first) = firsts.iter().find(|it| it.api_version == entry.api_version) else {
            firsts.push(entry);
            continue;
        };
        let bucket = entries.iter().position(|it| is_bucket(it, &entry.api_version));
        let base: Map = match bucket {
            Some(idx) => entries.remove(idx).fields,
            None => {
                entries.retain(|it| it != first);
                first.fields.clone()
            }
        };
        entries.retain(|it| *it != entry);
        entries.push(ManagedEntry {
            manager: ANCIENT.into(),
            subresource: Str::default(),
            fields: union(&entry.fields, &base),
            ..entry
        });
        n_updates -= 1;
    }
}

fn is_bucket(entry: &ManagedEntry, api_version: &str) -> bool {
    entry.operation == Operation::Update
        && entry.manager == ANCIENT
        && entry.api_version == *api_version
        && entry.subresource.is_empty()
}

/// What upstream tells entries apart by, as JSON: only its order matters.
pub(crate) fn identifier(entry: &ManagedEntry) -> String {
    let mut parts: Vec<String> = Vec::new();
    let (operation, api_version) = match entry.operation {
        Operation::Apply => ("Apply", ""),
        Operation::Update => ("Update", entry.api_version.as_str()),
    };
    for (key, text) in [
        ("manager", entry.manager.as_str()),
        ("operation", operation),
        ("apiVersion", api_version),
        ("subresource", &entry.subresource),
    ] {
        if !text.is_empty() {
            parts.push(format!("\"{key}\":{}", value::json::to_string(&text.into())));
        }
    }
    format!("{{{}}}", parts.join(","))
}

#[cfg(test)]
mod tests;
