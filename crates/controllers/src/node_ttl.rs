//! Tells kubelets how long they may keep Secrets and ConfigMaps: longer in larger clusters (`pkg/controller/ttl`).

use kinds::NODE;
use meta::{Key, KindId, Object, Status};
use runtime::{Action, Cx, Reconciler, View, Watch};
use store::Change;
use value::value;

const ANNOTATION: &str = "node.alpha.kubernetes.io/ttl";

/// Sizes of clusters, which overlap, and the seconds that go with them (`ttlBoundaries`).
const STEPS: [(usize, usize, i64); 5] =
    [(0, 100, 0), (90, 500, 15), (450, 1_000, 30), (900, 2_000, 60), (1_800, usize::MAX, 300)];

#[derive(Default)]
pub(crate) struct NodeTtl {
    /// What all nodes have; `None` while they may differ.
    seconds: Option<i64>,
}

impl Reconciler for NodeTtl {
    fn name(&self) -> &'static str {
        "ttl"
    }

    fn kind(&self) -> KindId {
        NODE
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::map(NODE, on_node)]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        if *key != size() {
            if let (Some(node), Some(seconds)) = (cx.get(NODE, key), self.seconds) {
                annotate(cx, &node, seconds)?;
            }
            return Ok(Action::AwaitChange);
        }
        let before = self.seconds.or_else(|| cx.list(NODE, None).find_map(|it| ttl_of(it)));
        let seconds = seconds_for(cx.view().len(NODE), before.unwrap_or(0));
        if self.seconds == Some(seconds) {
            return Ok(Action::AwaitChange);
        }
        self.seconds = None;
        let others: Vec<_> = cx.list(NODE, None).filter(|it| ttl_of(it) != Some(seconds)).cloned().collect();
        for node in others {
            if !cx.may_write() {
                cx.requeue_soon();
                return Ok(Action::AwaitChange);
            }
            annotate(cx, &node, seconds)?;
        }
        self.seconds = Some(seconds);
        Ok(Action::AwaitChange)
    }
}

/// The key that stands for the size of the cluster.
fn size() -> Key {
    Key::cluster("")
}

/// Nodes that come or go change the size; others matter when somebody changed the annotation.
fn on_node(change: &Change, _: &View<'_>, keys: &mut Vec<Key>) {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if ttl_of(before) == ttl_of(after) => (),
        (Some(_), Some(after)) => keys.push(after.key()),
        (_, after) => {
            keys.push(size());
            keys.extend(after.as_ref().map(|it| it.key()));
        }
    }
}

fn ttl_of(node: &Object) -> Option<i64> {
    node.meta.annotation(ANNOTATION)?.parse().ok()
}

/// From the step at which the cluster is, up or down as far as its size asks for.
fn seconds_for(n_nodes: usize, before: i64) -> i64 {
    let mut idx = STEPS.iter().position(|(_, _, it)| *it == before).unwrap_or(0);
    while STEPS.get(idx).is_some_and(|(_, max, _)| n_nodes > *max) {
        idx += 1;
    }
    while STEPS.get(idx).is_some_and(|(min, _, _)| n_nodes < *min) {
        idx -= 1;
    }
    STEPS.get(idx).map_or(0, |(_, _, seconds)| *seconds)
}

fn annotate(cx: &mut Cx<'_>, node: &Object, seconds: i64) -> Result<(), Status> {
    if ttl_of(node) == Some(seconds) {
        return Ok(());
    }
    let patch = value!({ "metadata": { "annotations": { ANNOTATION: seconds.to_string() } } });
    match cx.patch(NODE, &node.key(), &patch) {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    #[track_caller]
    fn check(sizes: &[usize], expect: Expect) {
        let mut seconds = 0;
        let mut line = |size: &usize| {
            seconds = super::seconds_for(*size, seconds);
            format!("{size} nodes: {seconds} s\n")
        };
        expect.assert_eq(&sizes.iter().map(&mut line).collect::<String>());
    }

    #[test]
    fn sizes_overlap() {
        check(
            &[3, 100, 101, 90, 89, 5_000, 1_800, 1_799, 0],
            expect![[r#"
            3 nodes: 0 s
            100 nodes: 0 s
            101 nodes: 15 s
            90 nodes: 15 s
            89 nodes: 0 s
            5000 nodes: 300 s
            1800 nodes: 300 s
            1799 nodes: 60 s
            0 nodes: 0 s
        "#]],
        );
    }
}
