//! What controllers ask of pods and do with them alike.

use std::cmp::Ordering;
use std::sync::Arc;

use kinds::POD;
use meta::{Key, Metadata, Object, OwnerRef, Status};
use runtime::{Cx, News, placement};
use sim::Duration;
use store::Change;
use value::{Map, Str, Value, map, time};

/// `status.phase`; empty before there is one.
pub(crate) fn phase(pod: &Object) -> &str {
    pod.str_at("status.phase").unwrap_or("")
}

/// Whether all containers have ended for good.
pub(crate) fn is_terminal(pod: &Object) -> bool {
    matches!(phase(pod), "Failed" | "Succeeded")
}

/// Whether the pod counts as a replica: it has not ended and is not being deleted (`IsPodActive`).
pub(crate) fn is_active(pod: &Object) -> bool {
    !is_terminal(pod) && !pod.meta.is_deleted()
}

/// Whether the pod is being deleted and has not ended (`IsPodTerminating`).
pub(crate) fn is_terminating(pod: &Object) -> bool {
    pod.meta.is_deleted() && !is_terminal(pod)
}

/// Whether the Ready condition is true.
pub(crate) fn is_ready(pod: &Object) -> bool {
    pod.condition_status("Ready") == Some("True")
}

/// Since when the pod has been ready, in seconds since the Unix epoch.
pub(crate) fn ready_since(pod: &Object) -> Option<i64> {
    pod.condition("Ready")?.str_at("lastTransitionTime").and_then(time::parse_secs)
}

/// Whether the pod has been ready for `min_ready_seconds` at `now`, seconds since the Unix epoch (`IsPodAvailable`).
pub(crate) fn is_available(pod: &Object, min_ready_seconds: i64, now: i64) -> bool {
    if !is_ready(pod) {
        return false;
    }
    if min_ready_seconds == 0 {
        return true;
    }
    ready_since(pod).is_some_and(|it| it + min_ready_seconds <= now)
}

/// How long until the next ready pod becomes available by time alone (`FindMinNextPodAvailabilityCheck`).
pub(crate) fn until_available(pods: &[Arc<Object>], min_ready_seconds: i64, now: i64) -> Option<Duration> {
    if min_ready_seconds == 0 {
        return None;
    }
    let left = pods.iter().filter(|it| is_ready(it)).filter_map(|pod| {
        let left = ready_since(pod)?.saturating_add(min_ready_seconds) - now;
        (left > 0).then_some(left)
    });
    left.min().map(|it| Duration::from_secs(it.unsigned_abs()))
}

/// The node that the pod runs on or, for a daemon pod that waits, the one its affinity names.
pub(crate) fn target_node(pod: &Object) -> Option<Str> {
    if let Some(node) = pod.at("spec.nodeName").and_then(Value::as_shared_str).filter(|it| !it.is_empty()) {
        return Some(node.clone());
    }
    placement::single_node(pod.at("spec")?).cloned()
}

/// The reference by which `owner` controls (`NewControllerRef`).
pub(crate) fn controller_ref(owner: &Object, api_version: &str, kind: &str) -> OwnerRef {
    OwnerRef {
        api_version: Str::literal(api_version),
        kind: Str::literal(kind),
        name: owner.meta.name.clone(),
        uid: owner.meta.uid.clone(),
        controller: Some(true),
        block_deletion: Some(true),
    }
}

/// The metadata of pods for `owner` with generated names.
pub(crate) fn meta_of(owner: &Object, api_version: &str, kind: &str, labels: Map, annotations: Map) -> Metadata {
    let finalizers = owner.list_at("spec.template.metadata.finalizers");
    Metadata {
        labels,
        annotations,
        finalizers: finalizers.iter().filter_map(Value::as_shared_str).cloned().collect(),
        ..Metadata::generated(&owner.meta.namespace, prefix(owner.name())).owned_by(controller_ref(
            owner,
            api_version,
            kind,
        ))
    }
}

/// What all pods of one `spec.template` share: each pod is made of the same allocations.
pub(crate) struct Template {
    meta: Metadata,
    body: Map,
}

impl Template {
    /// Of an owner with `spec.template` (`GetPodFromTemplate`).
    pub fn of(owner: &Object, api_version: &str, kind: &str) -> Template {
        let map = |path: &'static str| owner.map_at(path).cloned().unwrap_or_default();
        let (labels, annotations) = (map("spec.template.metadata.labels"), map("spec.template.metadata.annotations"));
        Template {
            meta: meta_of(owner, api_version, kind, labels, annotations),
            body: map!({ "spec": owner.at("spec.template.spec").cloned().unwrap_or_default() }),
        }
    }

    /// Gives every pod a finalizer, once.
    pub fn add_finalizer(&mut self, name: &str) {
        if !self.meta.has_finalizer(name) {
            self.meta.finalizers = self.meta.finalizers.iter().cloned().chain([name.into()]).collect();
        }
    }

    /// Changes the spec of every pod.
    pub fn edit_spec(&mut self, f: impl FnOnce(&mut Map)) {
        self.body.edit_map("spec", f);
    }

    /// One more pod of it.
    pub fn pod(&self) -> Object {
        Object { kind: POD, meta: self.meta.clone(), body: self.body.clone() }
    }
}

/// What [`new_orphan`] is about.
pub(crate) const NEW_ORPHAN: News = News::CREATED.or(News::LABELS).or(News::OWNERS).of_orphans();

/// The pod of a change that made it an orphan in somebody's eyes: it appeared, lost its controller or changed labels.
pub(crate) fn new_orphan(change: &Change) -> Option<&Arc<Object>> {
    let pod = change.after.as_ref().filter(|it| it.meta.controller().is_none() && !it.meta.is_deleted())?;
    let was_known = |it: &Arc<Object>| it.meta.controller().is_none() && it.meta.labels == pod.meta.labels;
    (!change.before.as_ref().is_some_and(was_known)).then_some(pod)
}

/// The order in which pods are given up: those that have done least go first (`ActivePods`).
pub(crate) fn by_worth(a: &Object, b: &Object) -> Ordering {
    let is_bound = |it: &Object| it.str_at("spec.nodeName").is_some_and(|it| !it.is_empty());
    let restarts = |it: &Object| {
        it.list_at("status.containerStatuses").iter().filter_map(|it| it.i64_at("restartCount")).max().unwrap_or(0)
    };
    let stage = |it: &Object| match phase(it) {
        "Pending" | "" => 0,
        "Unknown" => 1,
        _ => 2,
    };
    (is_bound(a).cmp(&is_bound(b)))
        .then(stage(a).cmp(&stage(b)))
        .then(is_ready(a).cmp(&is_ready(b)))
        .then(ready_since(b).cmp(&ready_since(a)))
        .then(restarts(b).cmp(&restarts(a)))
        .then(b.meta.created.cmp(&a.meta.created))
}

/// Whether a creation failed only because the namespace is going away.
pub(crate) fn is_namespace_terminating(status: &Status) -> bool {
    status.has_cause("NamespaceTerminating")
}

/// Does `n` things in batches, each twice as large as the one before: a batch in which something fails is finished, and is
/// the last (`slowStartBatch`).
///
/// # Errors
/// The first failure.
pub(crate) fn slow_start(n: usize, one: &mut dyn FnMut(usize) -> Result<(), Status>) -> Result<(), Status> {
    let (mut from, mut size) = (0, 1);
    while from < n {
        let until = n.min(from + size);
        let failures: Vec<Status> = (from..until).filter_map(|idx| one(idx).err()).collect();
        if let Some(first) = failures.into_iter().next() {
            return Err(first);
        }
        (from, size) = (until, size * 2);
    }
    Ok(())
}

/// The owner's name and a dash, unless that is no valid prefix of a pod's name.
pub(crate) fn prefix(name: &str) -> String {
    let prefix = [name, "-"].concat();
    if kinds::subdomain_name(&prefix, true).is_empty() { prefix } else { name.to_owned() }
}

/// Creates a pod and records that (`RealPodControl.CreatePods`).
///
/// # Errors
/// A failed request, recorded as `FailedCreate` unless the namespace is going away.
pub(crate) fn create(cx: &mut Cx<'_>, owner: &Arc<Object>, pod: Object) -> Result<Arc<Object>, Status> {
    match cx.create(pod) {
        Ok(pod) => {
            cx.event(owner, "Normal", "SuccessfulCreate", &["Created pod: ", pod.name()].concat());
            Ok(pod)
        }
        Err(status) => {
            if !is_namespace_terminating(&status) {
                cx.event(owner, "Warning", "FailedCreate", &format!("Error creating: {}", status.message));
            }
            Err(status)
        }
    }
}

/// Deletes a pod and records that (`RealPodControl.DeletePod`); one that is gone is no failure.
///
/// # Errors
/// A failed request, recorded as `FailedDelete`.
pub(crate) fn delete(cx: &mut Cx<'_>, owner: &Arc<Object>, key: &Key) -> Result<(), Status> {
    match cx.delete(POD, key) {
        Ok(()) => {
            cx.event(owner, "Normal", "SuccessfulDelete", &["Deleted pod: ", &key.name].concat());
            Ok(())
        }
        Err(status) if status.is_not_found() => Ok(()),
        Err(status) => {
            cx.event(owner, "Warning", "FailedDelete", &format!("Error deleting: {}", status.message));
            Err(status)
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use meta::Status;

    /// Which of `n` things are tried if one of them fails.
    #[track_caller]
    fn check(n: usize, fails: usize, expect: Expect) {
        let mut tried = Vec::new();
        let res = super::slow_start(n, &mut |idx| {
            tried.push(idx);
            if idx == fails { Err(Status::internal("no")) } else { Ok(()) }
        });
        expect.assert_eq(&format!("{tried:?} {}", if res.is_ok() { "ok" } else { "failed" }));
    }

    #[test]
    fn the_batch_of_a_failure_is_finished_and_is_the_last() {
        check(9, 0, expect!["[0] failed"]);
        check(9, 1, expect!["[0, 1, 2] failed"]);
        check(9, 4, expect!["[0, 1, 2, 3, 4, 5, 6] failed"]);
        check(9, 9, expect!["[0, 1, 2, 3, 4, 5, 6, 7, 8] ok"]);
    }
}
