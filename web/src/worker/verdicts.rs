//! The verdicts on the selected object, made anew when something changed.

use std::collections::BTreeMap;

use value::Value;
use view::Screen;
use view::model::{Ref, Why};
use view::why::{Facts, why};

use crate::client::Engine;
use crate::manifest;

/// Decisions about waiting pods read for a DaemonSet at most: each is about a node of its own.
const DAEMONS_MAX: usize = 32;

/// The verdicts on an object, and the lines of the manifest that decide.
pub fn of(engine: &mut Engine, screen: &Screen, target: &Ref, text: &str) -> (Why, Vec<u32>) {
    let nodes = screen.nodes();
    let pods = screen.pods_of(target);
    let placement = (target.kind == "DaemonSet")
        .then(|| status(engine, "placementdecisions", &target.namespace, &target.name))
        .flatten();
    let mut decisions = BTreeMap::new();
    // What waits first: it is what one wants explained.
    let (waiting, placed): (Vec<_>, Vec<_>) = pods.iter().map(|(pod, _)| pod).partition(|it| it.node.is_empty());
    // Pods of other workloads are alike, so one of them speaks for all; a daemon pod that has landed needs no words.
    let is_daemon = placement.is_some();
    let max = if is_daemon { DAEMONS_MAX } else { 1 };
    for pod in waiting.into_iter().chain(placed.into_iter().filter(|_| !is_daemon)).take(max) {
        if let Some(it) = status(engine, "schedulingdecisions", &pod.namespace, &pod.name) {
            decisions.insert(pod.name.clone(), it);
        }
    }
    let nodes: Vec<_> = nodes.iter().collect();
    let explained = pods.iter().map(|(pod, _)| pod).max_by_key(|it| it.node.is_empty());
    let taints = explained.map(|it| screen.untolerated(it)).unwrap_or_default();
    let words = screen.words_of(target, engine.cluster.now().secs());
    let why = why(&Facts {
        target,
        nodes: &nodes,
        pods: &pods,
        placement: placement.as_ref(),
        decisions: &decisions,
        taints: &taints,
        words: words.as_ref(),
    });
    let fields: Vec<&str> = why.verdicts.iter().map(|it| it.field.as_str()).collect();
    let lines = manifest::lines_of(engine, text, target, &fields);
    (why, lines)
}

/// The status of a decision.
pub fn status(engine: &mut Engine, plural: &str, namespace: &str, name: &str) -> Option<Value> {
    let path = format!("/apis/sim.drydock.dev/v1alpha1/namespaces/{namespace}/{plural}/{name}");
    engine.get(&path)?.get("status").cloned()
}
