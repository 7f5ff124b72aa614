//! Counts what namespaces use of their quotas (`pkg/controller/resourcequota`).
//!
//! New objects are charged by admission; this counts from scratch when a quota is new or other, or something has gone.

use std::collections::BTreeSet;

use kinds::quota::{self, Usage};
use kinds::{Kind, PERSISTENT_VOLUME_CLAIM, POD, RESOURCE_QUOTA, SERVICE};
use meta::{Key, KindId, Object, Status};
use runtime::{Action, Cx, News, Reconciler, View, Watch};
use store::Change;
use value::quantity::Quantity;
use value::{Value, value};

use crate::pods;

/// Of objects of all kinds.
pub(crate) struct ResourceQuotas(pub Vec<KindId>);

impl Reconciler for ResourceQuotas {
    fn name(&self) -> &'static str {
        "resourcequota"
    }

    fn kind(&self) -> KindId {
        RESOURCE_QUOTA
    }

    fn watches(&self) -> Vec<Watch> {
        let freed = self.0.iter().map(|kind| Watch::map(*kind, on_freed).on(freeing(*kind)).while_any(RESOURCE_QUOTA));
        freed.chain([Watch::map(RESOURCE_QUOTA, on_limits)]).collect()
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(quota) = cx.get(RESOURCE_QUOTA, key) else { return Ok(Action::AwaitChange) };
        let hard = quota.map_at("spec.hard").cloned().unwrap_or_default();
        let mut used = quota::amounts_of(&quota, "used");
        used.retain(|name, _| hard.contains_key(name));
        used.extend(count(cx.view(), &quota, cx.now_secs()));
        let same_hard = quota.at("status.hard").and_then(Value::as_map) == Some(&hard);
        if same_hard && quota.at("status.used").is_some() && used == quota::amounts_of(&quota, "used") {
            return Ok(Action::AwaitChange);
        }
        cx.update_status(&quota, value!({ "hard": hard, "used": quota::to_value(&used) }))?;
        Ok(Action::AwaitChange)
    }
}

/// What the namespace of a quota uses of all that the quota limits (`CalculateUsage`).
fn count(view: View<'_>, quota: &Object, now: i64) -> Usage {
    let names: BTreeSet<&str> =
        quota.map_at("spec.hard").into_iter().flat_map(|it| it.keys()).map(|it| it.as_str()).collect();
    let mut total = Usage::new();
    for (id, _) in view.namespaced_kinds() {
        let Some(kind) = view.kind(id) else { continue };
        let mut used: Usage = names
            .iter()
            .filter(|it| quota::measures(kind, it))
            .map(|it| ((*it).to_owned(), Quantity::from_int(0)))
            .collect();
        if used.is_empty() {
            continue;
        }
        for object in view.list(id, Some(quota.namespace())).filter(|it| quota::in_scopes(quota, kind, it)) {
            quota::add(&mut used, &quota::usage(kind, object, now));
        }
        quota::add(&mut total, &used);
    }
    total.retain(|name, _| names.contains(name.as_str()));
    total
}

fn on_limits(change: &Change, _: &View<'_>, keys: &mut Vec<Key>) {
    let limits = |it: &Object| it.at("spec.hard").cloned();
    if let Some(after) = &change.after
        && change.before.as_ref().is_none_or(|before| limits(before) != limits(after))
    {
        keys.push(after.key());
    }
}

/// What [`on_freed`] is about.
fn freeing(kind: KindId) -> News {
    match kind {
        POD | SERVICE | PERSISTENT_VOLUME_CLAIM => News::GONE.or(News::SPEC).or(News::STATUS).or(News::DELETING),
        _ => News::GONE,
    }
}

/// Something has gone, or uses less: every quota of its namespace that limits its kind is counted again.
fn on_freed(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let object = change.object();
    let namespace = object.namespace();
    if namespace.is_empty() || !frees(change) {
        return;
    }
    let Some(kind) = view.kind(object.kind) else { return };
    let limits = |quota: &Object, kind: &Kind| {
        quota.map_at("spec.hard").is_some_and(|it| it.keys().any(|name| quota::measures(kind, name)))
    };
    keys.extend(view.list(RESOURCE_QUOTA, Some(namespace)).filter(|it| limits(it, kind)).map(|it| it.key()));
}

fn frees(change: &Change) -> bool {
    let Some(after) = &change.after else { return true };
    let Some(before) = &change.before else { return false };
    if after.kind == POD {
        return (pods::is_terminal(after) && !pods::is_terminal(before))
            || before.meta.generation != after.meta.generation
            || resized(before, after);
    }
    let spec = |it: &Object| it.at("spec").cloned();
    let of_status = |it: &Object| it.at("status.allocatedResources").cloned();
    (after.kind == SERVICE || after.kind == PERSISTENT_VOLUME_CLAIM)
        && (spec(before) != spec(after) || of_status(before) != of_status(after))
}

/// Whether containers were given other resources than before.
fn resized(before: &Object, after: &Object) -> bool {
    let given = |pod: &Object| -> Vec<Value> {
        let all = pod.list_at("status.containerStatuses").iter();
        all.filter_map(|it| it.get("resources").cloned()).collect()
    };
    given(before) != given(after)
}
