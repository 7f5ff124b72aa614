//! Empties a namespace that is being deleted and then lets it go (`pkg/controller/namespace`).

use std::collections::BTreeMap;
use std::sync::Arc;

use kinds::{NAMESPACE, POD};
use meta::{Key, KindId, Object, Status};
use runtime::{Action, Cx, Reconciler, View, Watch};
use sim::Duration;
use store::Change;
use value::{Str, Value, value};

use crate::{conditions, pods};

/// The finalizer in `spec.finalizers` that stands for this controller.
const FINALIZER: &str = "kubernetes";
/// How long a kind is given where objects remain for no known reason (`estimate` of upstream's deleter).
const ESTIMATE: i64 = 15;

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
}

impl Reconciler for Namespaces {
    fn name(&self) -> &'static str {
        "namespace"
    }

    fn kind(&self) -> KindId {
        NAMESPACE
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::Itself(NAMESPACE), Watch::Map { kind: POD, keys: on_last_pod }]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(namespace) = cx.get(NAMESPACE, key) else { return Ok(Action::AwaitChange) };
        if !namespace.meta.is_deleted() || !has_finalizer(&namespace) {
            return Ok(Action::AwaitChange);
        }
        let remaining = empty(cx, &namespace)?;
        let namespace = set_conditions(cx, &namespace, &remaining)?;
        if remaining.by_resource.is_empty() {
            cx.finalize(&namespace, FINALIZER)?;
            return Ok(Action::AwaitChange);
        }
        // Upstream comes back after half the estimate and a second.
        let seconds = u64::try_from(remaining.estimate / 2 + 1).unwrap_or(1);
        Ok(Action::RequeueAfter(Duration::from_secs(seconds)))
    }
}

/// A pod that goes may be the last thing that a namespace waits for.
fn on_last_pod(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    if change.after.is_none() {
        let key = Key::cluster(&change.object().meta.namespace);
        if view.get(NAMESPACE, &key).is_some_and(|it| it.meta.is_deleted()) {
            keys.push(key);
        }
    }
}

fn has_finalizer(namespace: &Object) -> bool {
    namespace.list_at("spec.finalizers").iter().any(|it| it.as_str() == Some(FINALIZER))
}

/// Deletes everything in a namespace; pods first, others when their time comes.
fn empty(cx: &mut Cx<'_>, namespace: &Object) -> Result<Remaining, Status> {
    let mut remaining = Remaining::default();
    for (kind, resource) in cx.view().namespaced_kinds() {
        let objects: Vec<Arc<Object>> = cx.list(kind, Some(namespace.name())).cloned().collect();
        for object in &objects {
            if !object.meta.is_deleted() {
                match cx.delete(kind, &object.key()) {
                    Err(status) if !status.is_not_found() => return Err(status),
                    _ => (),
                }
            }
        }
        let left: Vec<Arc<Object>> = objects.iter().filter_map(|it| cx.get(kind, &it.key())).collect();
        if left.is_empty() {
            continue;
        }
        remaining.by_resource.insert(resource, left.len());
        for object in &left {
            object.meta.finalizers.iter().for_each(|it| *remaining.by_finalizer.entry(it.clone()).or_default() += 1);
            remaining.estimate = remaining.estimate.max(estimate(kind, object));
        }
    }
    Ok(remaining)
}

fn estimate(kind: KindId, object: &Object) -> i64 {
    match kind {
        POD if pods::is_terminal(object) => 0,
        POD => object.i64_at("spec.terminationGracePeriodSeconds").unwrap_or(ESTIMATE),
        _ => ESTIMATE,
    }
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
