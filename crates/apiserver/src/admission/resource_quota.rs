//! Holds new objects against the quotas of their namespace and charges them (`plugin/resourcequota`).
//!
//! The last of all plugins: whatever else would refuse an object is heard before anything is charged.

use std::collections::BTreeSet;
use std::sync::Arc;

use kinds::quota::{self, Usage};
use kinds::{PERSISTENT_VOLUME_CLAIM, POD, RESOURCE_QUOTA, SERVICE};
use meta::{Object, Status};
use sim::Instant;
use value::quantity::Quantity;

use super::{Operation, shown};
use crate::server::ApiServer;
use crate::write::{self, Write};

/// A quota and what is used of it, should the write succeed.
pub(crate) struct Charge {
    quota: Arc<Object>,
    used: Usage,
}

/// What a write uses of which quotas.
///
/// # Errors
/// `Forbidden` where a quota does not suffice, or where nobody knows yet.
pub(crate) fn admit(
    api: &ApiServer,
    write: &Write,
    operation: Operation,
    object: &Object,
    live: Option<&Object>,
) -> Result<Vec<Charge>, Status> {
    if object.meta.namespace.is_empty() || !handles(write, operation, object, live) {
        return Ok(Vec::new());
    }
    let all: Vec<&Arc<Object>> = api.store.list(RESOURCE_QUOTA, Some(object.namespace())).collect();
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let (kind, now) = (&write.kind, write.now.secs());
    let forbidden = |why: String| write.forbidden(shown(object), &why);
    let concerns = |quota: &Object, object: &Object| {
        quota::amounts_of(quota, "hard").keys().any(|it| quota::measures(kind, it))
            && quota::in_scopes(quota, kind, object)
    };
    let concerned: Vec<_> = all.into_iter().filter(|it| concerns(it, object)).collect();
    for it in &concerned {
        check_known(write, it, object).map_err(forbidden)?;
    }
    let usage = quota::usage(kind, object, now);
    let negative: Vec<&str> = usage.iter().filter(|(_, it)| it.is_negative()).map(|(name, _)| name.as_str()).collect();
    if !negative.is_empty() {
        return Err(forbidden(format!("quota usage is negative for resource(s): {}", negative.join(","))));
    }
    let mut charges = Vec::new();
    for it in concerned {
        let before = live.filter(|live| concerns(it, live)).map(|live| quota::usage(kind, live, now));
        let added = difference(&usage, &before.unwrap_or_default());
        if added.is_empty() {
            continue;
        }
        let used = used_after(it, added, write.sub == "status").map_err(forbidden)?;
        charges.push(Charge { quota: it.clone(), used });
    }
    Ok(charges)
}

/// Whether such a write can use more than before (`Handles`).
fn handles(write: &Write, operation: Operation, object: &Object, live: Option<&Object>) -> bool {
    let (id, is_update) = (write.kind.id, operation == Operation::Update);
    match write.sub {
        "" if id == POD => {
            !is_update || live.is_some_and(|live| quota::is_terminating(live) != quota::is_terminating(object))
        }
        "" if id == SERVICE || id == PERSISTENT_VOLUME_CLAIM => operation != Operation::Delete,
        "" => operation == Operation::Create,
        "resize" => id == POD && is_update,
        "status" => id == PERSISTENT_VOLUME_CLAIM && is_update,
        _ => false,
    }
}

/// Every object that a quota limits has to say what it needs, and the quota how much is used.
fn check_known(write: &Write, quota: &Object, object: &Object) -> Result<(), String> {
    let hard = quota::amounts_of(quota, "hard");
    let names = || hard.keys().map(String::as_str).filter(|it| quota::measures(write.kind, it));
    if write.kind.id == POD
        && let Some(what) = quota::missing(object, names())
    {
        return Err(format!("failed quota: {}: {what}", quota.name()));
    }
    let used = quota::amounts_of(quota, "used");
    if names().all(|it| used.contains_key(it)) {
        return Ok(());
    }
    let names: Vec<&str> = names().collect();
    Err(format!("status unknown for quota: {}, resources: {}", quota.name(), names.join(",")))
}

/// What is more than before, and not nothing.
fn difference(usage: &Usage, before: &Usage) -> Usage {
    let zero = Quantity::from_int(0);
    let more = |(name, amount): (&String, &Quantity)| {
        let more = amount.saturating_sub(before.get(name).copied().unwrap_or(zero));
        (more > zero).then(|| (name.clone(), more))
    };
    usage.iter().filter_map(more).collect()
}

fn used_after(quota: &Object, mut added: Usage, unchecked: bool) -> Result<Usage, String> {
    let (hard, used) = (quota::amounts_of(quota, "hard"), quota::amounts_of(quota, "used"));
    added.retain(|name, _| hard.contains_key(name));
    let mut after = used.clone();
    quota::add(&mut after, &added);
    let exceeds = |name: &&String| hard.get(*name).zip(after.get(*name)).is_some_and(|(hard, after)| after > hard);
    let exceeded: BTreeSet<&String> = added.keys().filter(exceeds).collect();
    if unchecked || exceeded.is_empty() {
        return Ok(after);
    }
    let words = |all: &Usage| {
        let words = all.iter().filter(|(name, _)| exceeded.contains(name)).map(|(name, it)| format!("{name}={it}"));
        words.collect::<Vec<_>>().join(",")
    };
    let name = quota.name();
    Err(format!(
        "exceeded quota: {name}, requested: {}, used: {}, limited: {}",
        words(&added),
        words(&used),
        words(&hard)
    ))
}

/// Notes in the quotas what is used now.
///
/// # Errors
/// Whatever refuses a status.
pub(crate) fn charge(api: &mut ApiServer, now: Instant, charges: Vec<Charge>) -> Result<(), Status> {
    for Charge { quota, used } in charges {
        let Some(kind) = api.registry.get(RESOURCE_QUOTA) else { continue };
        let mut write = Write {
            api_version: api.api_version(RESOURCE_QUOTA),
            kind,
            served: None,
            now,
            manager: "kube-apiserver".into(),
            sub: "status",
            dry_run: false,
            from_actor: true,
            warnings: Vec::new(),
        };
        let mut object = Object::clone(&quota);
        object.set("status.used", quota::to_value(&used));
        write::change(api, &mut write, &quota, object)?;
    }
    Ok(())
}
