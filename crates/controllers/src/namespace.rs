//! Empties a namespace that is being deleted and then lets it go (`pkg/controller/namespace`).

use std::collections::BTreeMap;
use std::sync::Arc;

use kinds::{NAMESPACE, POD};
use meta::{FOREGROUND, Key, KindId, ORPHAN, Object, Status};
use runtime::{Action, Cx, Propagation, Reconciler, View, Watch};
use sim::Duration;
use store::Change;
use value::{Str, Value, value};

use crate::{conditions, pods};

/// The finalizer in `spec.finalizers` that stands for this controller.
const FINALIZER: &str = "kubernetes";
/// How long finalizers are expected to take (`finalizerEstimateSeconds`).
const FINALIZERS_SECS: i64 = 15;
/// A namespace is looked at so long after each of its changes (`namespaceDeletionGracePeriod`).
const PAUSE: Duration = Duration::from_secs(5);
/// The longest pause after a failure (`nsControllerRateLimiter`).
const PAUSE_MAX: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(crate) struct Namespaces;

/// What is left in a namespace.
#[derive(Default)]
struct Remaining {
    /// `RESOURCE.GROUP` to the number of objects.
    by_resource: BTreeMap<String, usize>,
    by_finalizer: BTreeMap<Str, usize>,
    /// Seconds until it may be gone.
    estimate: i64,
    /// Why deleting failed, kind by kind.
    failures: Vec<String>,
}

impl Reconciler for Namespaces {
    fn name(&self) -> &'static str {
        "namespace"
    }

    fn kind(&self) -> KindId {
        NAMESPACE
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::map(NAMESPACE, on_namespace)]
    }

    fn batches(&self, _: KindId) -> Duration {
        PAUSE
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(namespace) = cx.get(NAMESPACE, key) else { return Ok(Action::AwaitChange) };
        if !namespace.meta.is_deleted() || !has_finalizer(&namespace) {
            return Ok(Action::AwaitChange);
        }
        let remaining = empty(cx, &namespace);
        let namespace = set_conditions(cx, &namespace, &remaining)?;
        if !remaining.failures.is_empty() {
            return Ok(Action::RequeueAfter(PAUSE_MAX));
        }
        if remaining.estimate == 0 {
            cx.finalize(&namespace, FINALIZER)?;
            return Ok(Action::AwaitChange);
        }
        // Upstream comes back after half the estimate and a second.
        let seconds = u64::try_from(remaining.estimate / 2 + 1).unwrap_or(1);
        Ok(Action::RequeueAfter(Duration::from_secs(seconds)))
    }
}

/// Only those that are being deleted.
fn on_namespace(change: &Change, _: &View<'_>, keys: &mut Vec<Key>) {
    keys.extend(change.after.as_ref().filter(|it| it.meta.is_deleted()).map(|it| it.key()));
}

fn has_finalizer(namespace: &Object) -> bool {
    namespace.list_at("spec.finalizers").iter().any(|it| it.as_str() == Some(FINALIZER))
}

/// Deletes everything in a namespace; pods first, others when no pod is left.
///
/// While pods are left the totals stay empty: upstream's conditions are made of them only at the end (`deleteAllContent`).
fn empty(cx: &mut Cx<'_>, namespace: &Object) -> Remaining {
    let mut remaining = Remaining::default();
    let kinds = cx.view().namespaced_kinds();
    let (pods, others): (Vec<_>, Vec<_>) = kinds.into_iter().partition(|(kind, _)| *kind == POD);
    for (kind, resource) in pods {
        remaining.empty_kind(cx, namespace, kind, resource);
    }
    if !remaining.by_resource.is_empty() {
        return Remaining { by_resource: BTreeMap::new(), by_finalizer: BTreeMap::new(), ..remaining };
    }
    for (kind, resource) in others {
        remaining.empty_kind(cx, namespace, kind, resource);
    }
    remaining
}

/// How many seconds the slowest pod may take, or nothing once that much has passed (`estimateGracefulTermination`).
fn estimate(cx: &Cx<'_>, namespace: &Object) -> i64 {
    let unfinished = cx.list(POD, Some(namespace.name())).filter(|it| !pods::is_terminal(it));
    let grace = unfinished.filter_map(|it| it.i64_at("spec.terminationGracePeriodSeconds")).max().unwrap_or(0);
    let passed = cx.now_secs() - namespace.meta.deleted.unwrap_or_default();
    if passed >= grace { 0 } else { grace }
}

/// The five conditions that tell how far it is (`status_condition_utils.go`).
fn set_conditions(cx: &mut Cx<'_>, namespace: &Object, remaining: &Remaining) -> Result<Arc<Object>, Status> {
    let fine = [
        ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
        ("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
    ];
    let mut list: Vec<Value> = namespace.list_at("status.conditions").to_vec();
    for (kind, reason, message) in fine {
        let left = match kind {
            "NamespaceDeletionContentFailure" => remaining.failure().map(|it| ("ContentDeletionFailed", it)),
            "NamespaceContentRemaining" => remaining.content().map(|it| ("SomeResourcesRemain", it)),
            "NamespaceFinalizersRemaining" => remaining.finalizers().map(|it| ("SomeFinalizersRemain", it)),
            _ => None,
        };
        let (status, reason, message) = match left {
            Some((reason, message)) => ("True", reason, message),
            None => ("False", reason, message.to_owned()),
        };
        let condition = value!({ "message": message, "reason": reason, "status": status, "type": kind });
        list = conditions::set(&list, condition, cx.now_secs());
    }
    let mut status = namespace.at("status").cloned().unwrap_or_default();
    status.set("conditions", list);
    status.set("phase", "Terminating");
    cx.update_status(namespace, status)
}

impl Remaining {
    /// Deletes all objects of a kind and counts those that stay (`deleteAllContentForGroupVersionResource`).
    fn empty_kind(&mut self, cx: &mut Cx<'_>, namespace: &Object, kind: KindId, resource: String) {
        let objects: Vec<Arc<Object>> = cx.list(kind, Some(namespace.name())).cloned().collect();
        if objects.is_empty() {
            return;
        }
        let mut estimate = if kind == POD { estimate(cx, namespace) } else { 0 };
        for object in &objects {
            // Deleting again what is being deleted only takes off what makes it wait for dependents.
            let waits = |it: &Object| [FOREGROUND, ORPHAN].iter().any(|name| it.meta.has_finalizer(name));
            if object.meta.is_deleted() && !waits(object) {
                continue;
            }
            match cx.delete_with(kind, &object.key(), &object.meta.uid, Propagation::Background) {
                Err(status) if !status.is_not_found() => return self.failures.push(status.message),
                _ => (),
            }
        }
        let left: Vec<Arc<Object>> = objects.iter().filter_map(|it| cx.get(kind, &it.key())).collect();
        if left.is_empty() {
            return;
        }
        let finalizers: Vec<&Str> = left.iter().flat_map(|it| it.meta.finalizers.iter()).collect();
        if estimate == 0 && !finalizers.is_empty() {
            estimate = FINALIZERS_SECS;
        }
        if estimate == 0
            && let Some(kind) = cx.view().kind(kind)
        {
            self.failures.push(format!(
                "unexpected items still remain in namespace: {} for gvr: {}/{}, Resource={}",
                namespace.name(),
                kind.group,
                kind.version,
                kind.plural
            ));
        }
        self.estimate = self.estimate.max(estimate);
        self.by_resource.insert(resource, left.len());
        finalizers.into_iter().for_each(|it| *self.by_finalizer.entry(it.clone()).or_default() += 1);
    }

    fn failure(&self) -> Option<String> {
        let mut list = self.failures.clone();
        list.sort();
        (!list.is_empty())
            .then(|| format!("Failed to delete all resource types, {} remaining: {}", list.len(), list.join(", ")))
    }

    fn content(&self) -> Option<String> {
        let list: Vec<String> = self
            .by_resource
            .iter()
            .map(|(resource, count)| format!("{resource} has {count} resource instances"))
            .collect();
        (!list.is_empty()).then(|| format!("Some resources are remaining: {}", list.join(", ")))
    }

    fn finalizers(&self) -> Option<String> {
        let list: Vec<String> = self
            .by_finalizer
            .iter()
            .map(|(finalizer, count)| format!("{finalizer} in {count} resource instances"))
            .collect();
        (!list.is_empty())
            .then(|| format!("Some content in the namespace has finalizers remaining: {}", list.join(", ")))
    }
}
