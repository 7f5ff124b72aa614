//! RollingUpdate: which old pods go and where new ones surge, within the limits (`pkg/controller/daemon/update.go`).

use meta::Object;
use runtime::int_or_percent;

use super::manage::Plan;
use super::{Place, Sync};
use crate::pods;

/// The limits for the number of nodes that should run a pod.
struct Limits {
    surge: i64,
    unavailable: i64,
    desired: i64,
}

/// Whether more than one pod may be on a node (`AllowsSurge`).
pub(super) fn allows_surge(set: &Object) -> bool {
    surge_count(set, 1) > 0
}

fn surge_count(set: &Object, desired: i64) -> i64 {
    if set.str_at("spec.updateStrategy.type") != Some("RollingUpdate") {
        return 0;
    }
    set.at("spec.updateStrategy.rollingUpdate.maxSurge")
        .and_then(|it| int_or_percent::scaled(it, desired, true))
        .unwrap_or(0)
}

/// Whether a pod is of the current template: by hash, or by the old generation label.
pub(super) fn is_updated(sync: &Sync<'_>, pod: &Object) -> bool {
    let has_generation = || {
        let generation = sync.set.meta.annotation("deprecated.daemonset.template.generation");
        generation.is_some() && pod.meta.label("pod-template-generation") == generation
    };
    (!sync.hash.is_empty() && pod.meta.label("controller-revision-hash") == Some(&sync.hash)) || has_generation()
}

/// What a rolling update does next.
pub(super) fn plan(sync: &Sync<'_>) -> Plan {
    let limits = limits(sync);
    if limits.surge == 0 { replace(sync, limits.unavailable) } else { surge(sync, &limits) }
}

fn limits(sync: &Sync<'_>) -> Limits {
    let desired = sync.places.iter().filter(|it| it.should_run).count() as i64;
    let surge = surge_count(sync.set, desired);
    let max = sync.set.at("spec.updateStrategy.rollingUpdate.maxUnavailable");
    let mut unavailable = max.and_then(|it| int_or_percent::scaled(it, desired, true)).unwrap_or(0);
    if desired > 0 && unavailable == 0 && surge == 0 {
        unavailable = 1;
    }
    Limits { surge, unavailable, desired }
}

/// The pods of a node as an update sees them.
enum OnNode<'a> {
    /// More than one of a kind: `manage` is to clean up first.
    Crowded,
    Pods {
        new: Option<&'a Object>,
        old: Option<&'a Object>,
    },
}

/// `findUpdatedPodsOnNode`
fn on_node<'a>(sync: &Sync<'_>, place: &'a Place) -> OnNode<'a> {
    let (mut new, mut old): (Option<&Object>, Option<&Object>) = (None, None);
    for pod in place.pods.iter().filter(|it| !it.meta.is_deleted()) {
        let slot = if is_updated(sync, pod) { &mut new } else { &mut old };
        if slot.replace(pod).is_some() {
            return OnNode::Crowded;
        }
    }
    OnNode::Pods { new, old }
}

/// Nodes that have pods or should have one, by name.
fn places<'a>(sync: &'a Sync<'_>) -> impl Iterator<Item = &'a Place> + use<'a> {
    sync.places.iter().filter(|it| it.should_run || !it.pods.is_empty())
}

fn is_available(sync: &Sync<'_>, pod: &Object) -> bool {
    pods::is_available(pod, sync.min_ready_seconds, sync.now)
}

/// Without surge: old pods that are not available go at once, others as far as `max_unavailable` allows.
fn replace(sync: &Sync<'_>, max_unavailable: i64) -> Plan {
    let nodes: Vec<OnNode<'_>> = places(sync).map(|it| on_node(sync, it)).collect();
    // As a rule nothing is old.
    if !nodes.iter().any(|it| matches!(it, OnNode::Pods { old: Some(_), .. })) {
        return Plan::default();
    }
    let mut n_unavailable = 0;
    let (mut allowed, mut candidates) = (Vec::new(), Vec::new());
    for node in nodes {
        match node {
            OnNode::Crowded | OnNode::Pods { new: None, old: None } | OnNode::Pods { new: Some(_), old: Some(_) } => {
                n_unavailable += 1
            }
            OnNode::Pods { new: Some(new), old: None } => n_unavailable += i64::from(!is_available(sync, new)),
            OnNode::Pods { new: None, old: Some(old) } if !is_available(sync, old) => {
                allowed.push(old.meta.name.clone());
                n_unavailable += 1;
            }
            OnNode::Pods { new: None, old: Some(_) } if n_unavailable >= max_unavailable => (),
            OnNode::Pods { new: None, old: Some(old) } => candidates.push(old.meta.name.clone()),
        }
    }
    candidates.truncate(usize::try_from(max_unavailable - n_unavailable).unwrap_or(0));
    allowed.append(&mut candidates);
    Plan { delete: allowed, ..Plan::default() }
}

/// With surge: new pods come beside old ones, which go once the new ones are available.
fn surge(sync: &Sync<'_>, limits: &Limits) -> Plan {
    let mut plan = Plan::default();
    let (mut candidates, mut misplaced) = (Vec::new(), Vec::new());
    let (mut n_surge, mut n_available) = (0, 0);
    for place in places(sync) {
        let OnNode::Pods { new, old } = on_node(sync, place) else {
            n_surge += 1;
            continue;
        };
        n_available += i64::from(old.or(new).is_some_and(|it| is_available(sync, it)));
        let Some(old) = old else { continue };
        if let Some(new) = new {
            match is_available(sync, new) {
                true => plan.delete.push(old.meta.name.clone()),
                false => n_surge += 1,
            }
            continue;
        }
        match (is_available(sync, old), place.should_run) {
            (false, false) => plan.delete.push(old.meta.name.clone()),
            (false, true) => plan.create.push(place.name.clone()),
            (true, false) => misplaced.push(old.meta.name.clone()),
            (true, true) if n_surge < limits.surge => candidates.push(place.name.clone()),
            (true, true) => (),
        }
    }
    misplaced.truncate(usize::try_from(n_available - limits.desired).unwrap_or(0));
    plan.delete.append(&mut misplaced);
    candidates.truncate(usize::try_from(limits.surge - n_surge).unwrap_or(0));
    plan.create.append(&mut candidates);
    plan
}
