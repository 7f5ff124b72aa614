//! A rollout as it goes: revisions side by side, what the strategy allows, and what the conditions say.

use std::collections::BTreeMap;

use kinds::{CONTROLLER_REVISION, DAEMON_SET, DEPLOYMENT, POD, REPLICA_SET};
use meta::Object;
use store::Store;
use value::Value;

use crate::model::Ref;
use crate::wire;
use crate::words::{self, REVISION, State, Words, desired, number};

wire! {
    /// The pods of one revision.
    pub struct Set {
        /// The ReplicaSet or ControllerRevision.
        pub target: Ref,
        pub revision: i64,
        /// What its containers run.
        pub images: String,
        /// As somebody annotated it.
        pub change_cause: String,
        pub n_desired: i64,
        pub n_pods: i64,
        pub n_ready: i64,
        /// The revision that the manifest asks for.
        pub is_new: bool,
    }

    pub struct Condition {
        pub kind: String,
        pub status: String,
        pub reason: String,
        pub message: String,
    }

    pub struct Rollout {
        pub state: State,
        /// One sentence for the whole.
        pub text: String,
        /// What the strategy allows, in numbers of pods.
        pub strategy: String,
        pub deadline: String,
        pub is_paused: bool,
        pub can_pause: bool,
        pub n_desired: i64,
        /// The most pods that there may be at once: the length of the bars.
        pub n_max: i64,
        /// Newest first; old ones without pods last.
        pub sets: Vec<Set>,
        pub conditions: Vec<Condition>,
    }
}

/// Whether there is something to watch of this kind.
pub fn has(kind: &str) -> bool {
    matches!(kind, "Deployment" | "StatefulSet" | "DaemonSet")
}

/// Of a Deployment, StatefulSet or DaemonSet.
pub fn of(store: &Store, object: &Object, now_secs: i64) -> Rollout {
    let Words { state, text, .. } = words::of_workload(object, "");
    let mut sets = if object.kind == DEPLOYMENT { replica_sets(store, object) } else { revisions(store, object) };
    sets.sort_by_key(|it| std::cmp::Reverse(it.revision));
    let n_desired = match object.kind {
        DAEMON_SET => number(object, "status.desiredNumberScheduled"),
        _ => desired(object),
    };
    let (strategy, surge) = strategy(object, n_desired);
    let n_pods: i64 = sets.iter().map(|it| it.n_pods).sum();
    Rollout {
        state,
        text,
        strategy,
        deadline: deadline(object, now_secs),
        is_paused: object.bool_at("spec.paused") == Some(true),
        can_pause: object.kind == DEPLOYMENT,
        n_desired,
        n_max: (n_desired + surge).max(n_pods).max(1),
        sets,
        conditions: object.list_at("status.conditions").iter().map(of_condition).collect(),
    }
}

fn of_condition(it: &Value) -> Condition {
    let text = |path: &'static str| it.str_at(path).unwrap_or_default().to_owned();
    Condition { kind: text("type"), status: text("status"), reason: text("reason"), message: text("message") }
}

fn is_owned(it: &Object, owner: &Object) -> bool {
    it.meta.controller().is_some_and(|it| it.uid == owner.meta.uid)
}

fn images(template: Option<&Value>) -> String {
    let containers = template.map(|it| it.list_at("spec.containers")).unwrap_or_default();
    containers.iter().filter_map(|it| it.str_at("image")).collect::<Vec<_>>().join(", ")
}

fn change_cause(object: &Object) -> String {
    object.meta.annotation("kubernetes.io/change-cause").unwrap_or_default().to_owned()
}

fn replica_sets(store: &Store, deployment: &Object) -> Vec<Set> {
    let revision = |it: &Object| it.meta.annotation(REVISION).and_then(|it| it.parse().ok()).unwrap_or(0);
    let newest = revision(deployment);
    let owned = store.list(REPLICA_SET, Some(deployment.namespace())).filter(|it| is_owned(it, deployment));
    owned
        .map(|it| Set {
            target: Ref::new("ReplicaSet", it.namespace(), it.name()),
            revision: revision(it),
            images: images(it.at("spec.template")),
            change_cause: change_cause(it),
            n_desired: desired(it),
            n_pods: number(it, "status.replicas"),
            n_ready: number(it, "status.readyReplicas"),
            is_new: revision(it) == newest,
        })
        .collect()
}

/// ControllerRevisions, with the pods that carry their hash.
fn revisions(store: &Store, owner: &Object) -> Vec<Set> {
    const HASH: &str = "controller-revision-hash";
    let mut counts: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for pod in store.list(POD, Some(owner.namespace())).filter(|it| is_owned(it, owner)) {
        let is_ready = pod.condition_status("Ready") == Some("True");
        let (n, n_ready) = counts.entry(pod.meta.label(HASH).unwrap_or_default()).or_default();
        *n += 1;
        *n_ready += i64::from(is_ready);
    }
    let owned: Vec<_> =
        store.list(CONTROLLER_REVISION, Some(owner.namespace())).filter(|it| is_owned(it, owner)).collect();
    let newest = owned.iter().map(|it| number(it, "revision")).max().unwrap_or(0);
    let set = |it: &&std::sync::Arc<Object>| {
        // A StatefulSet's pods carry the whole name, a DaemonSet's its end.
        let is_its = |hash: &str| !hash.is_empty() && (it.name() == hash || it.name().ends_with(&format!("-{hash}")));
        let (n_pods, n_ready) =
            counts.iter().filter(|(hash, _)| is_its(hash)).fold((0, 0), |sum, (_, it)| (sum.0 + it.0, sum.1 + it.1));
        let is_new = number(it, "revision") == newest;
        Set {
            target: Ref::new("ControllerRevision", it.namespace(), it.name()),
            revision: number(it, "revision"),
            images: images(it.at("data.spec.template")),
            change_cause: change_cause(it),
            n_desired: if is_new { n_pods } else { 0 },
            n_pods,
            n_ready,
            is_new,
        }
    };
    owned.iter().map(set).collect()
}

/// A number, or a share of `whole` that is rounded up or down.
fn amount(value: Option<&Value>, default: &str, whole: i64, up: bool) -> i64 {
    let text = match value {
        Some(it) if it.as_i64().is_some() => return it.as_i64().unwrap_or(0),
        Some(it) => it.as_str().unwrap_or(default),
        None => default,
    };
    match text.strip_suffix('%').and_then(|it| it.parse::<i64>().ok()) {
        Some(percent) if up => percent.saturating_mul(whole).saturating_add(99).div_euclid(100),
        Some(percent) => percent.saturating_mul(whole).div_euclid(100),
        None => text.parse().unwrap_or(0),
    }
}

/// The strategy in words and how many pods more than wanted it allows.
fn strategy(object: &Object, want: i64) -> (String, i64) {
    let field = if object.kind == DEPLOYMENT { "spec.strategy" } else { "spec.updateStrategy" };
    let strategy = object.at(field);
    let kind = strategy.and_then(|it| it.str_at("type")).unwrap_or("RollingUpdate");
    let at = |name: &str| strategy?.at("rollingUpdate")?.get(name);
    if kind != "RollingUpdate" {
        return (kind.to_owned(), 0);
    }
    if object.kind == DEPLOYMENT || object.kind == DAEMON_SET {
        let (surge_default, unavailable_default) = if object.kind == DEPLOYMENT { ("25%", "25%") } else { ("0", "1") };
        let surge = amount(at("maxSurge"), surge_default, want, true);
        // Both rounded to nothing would be a standstill.
        let unavailable = amount(at("maxUnavailable"), unavailable_default, want, object.kind == DAEMON_SET);
        let unavailable = if surge == 0 { unavailable.max(1) } else { unavailable };
        return (
            format!(
                "RollingUpdate: at most {} and at least {} available",
                words::counted(want + surge, "pod"),
                (want - unavailable).max(0)
            ),
            surge,
        );
    }
    let partition = at("partition").and_then(Value::as_i64).unwrap_or(0);
    let from = if partition > 0 { format!(", from ordinal {partition} up") } else { String::new() };
    (format!("RollingUpdate: from the highest ordinal down{from}"), 0)
}

/// How long a rollout may still stand still.
fn deadline(object: &Object, now_secs: i64) -> String {
    if object.kind != DEPLOYMENT {
        return String::new();
    }
    let secs = object.i64_at("spec.progressDeadlineSeconds").unwrap_or(600);
    let Some(progress) = object.condition("Progressing") else { return String::new() };
    let since = progress.str_at("lastUpdateTime").and_then(value::time::parse_secs);
    match (progress.str_at("reason"), since) {
        (Some("NewReplicaSetAvailable" | "ProgressDeadlineExceeded" | "DeploymentPaused"), _) | (_, None) => {
            String::new()
        }
        (_, Some(since)) => {
            let left = u64::try_from(since + secs - now_secs).unwrap_or(0);
            format!("{} left to make progress", crate::clock::span(left.saturating_mul(1_000_000_000)))
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use kinds::{CONTROLLER_REVISION, DAEMON_SET, DEPLOYMENT, POD, REPLICA_SET, Registry};
    use meta::{KindId, Object};
    use store::Store;
    use value::{Value, value};

    fn object(kind: KindId, tree: &Value) -> Object {
        Object::from_map(kind, tree.as_map().expect("the tests give maps"))
    }

    #[track_caller]
    fn check(kind: KindId, tree: Value, others: &[(KindId, Value)], expect: Expect) {
        let mut store = Store::new(Registry::builtin().ids().count(), 64);
        for (kind, tree) in others {
            store.create(object(*kind, tree)).expect("it is new");
        }
        let it = super::of(&store, &object(kind, &tree), 1_767_258_100);
        let mut lines = vec![it.text, it.strategy, format!("{} of {} {}", it.n_desired, it.n_max, it.deadline)];
        for set in it.sets {
            let sign = if set.is_new { "new" } else { "old" };
            lines.push(format!(
                "{sign} #{} {} {}/{}/{} {}",
                set.revision, set.target, set.n_ready, set.n_pods, set.n_desired, set.images
            ));
        }
        lines.extend(it.conditions.iter().map(|it| format!("{}={} {}", it.kind, it.status, it.reason)));
        expect.assert_eq(&lines.iter().map(|it| it.trim_end()).collect::<Vec<_>>().join("\n"));
    }

    fn owned(kind: &str, name: &str, revision: &str, rest: Value) -> Value {
        let mut tree = value!({
            "metadata": { "name": name, "namespace": "n", "uid": name, "annotations": { "deployment.kubernetes.io/revision": revision },
                "ownerReferences": [{ "apiVersion": "apps/v1", "controller": true, "kind": kind, "name": "d", "uid": "u" }] },
        });
        for (key, value) in rest.as_map().into_iter().flat_map(|it| it.iter()) {
            tree.set(key, value.clone());
        }
        tree
    }

    #[test]
    fn old_and_new_replica_sets_stand_side_by_side() {
        let set = |n: i64, ready: i64, image: &str| value!({ "spec": { "replicas": n, "template": { "spec": { "containers": [{ "image": image }] } } }, "status": { "replicas": n, "readyReplicas": ready } });
        check(
            DEPLOYMENT,
            value!({
                "metadata": { "name": "d", "namespace": "n", "uid": "u", "annotations": { "deployment.kubernetes.io/revision": "2" } },
                "spec": { "replicas": 4 },
                "status": { "replicas": 5, "updatedReplicas": 2, "conditions": [
                    { "type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated", "lastUpdateTime": "2026-01-01T09:01:00Z" }] },
            }),
            &[
                (REPLICA_SET, owned("Deployment", "old", "1", set(3, 3, "web:1"))),
                (REPLICA_SET, owned("Deployment", "new", "2", set(2, 1, "web:2"))),
            ],
            expect![[r#"
                rolling out, 2 of 4 updated
                RollingUpdate: at most 5 pods and at least 3 available
                4 of 5 9m20s left to make progress
                new #2 ReplicaSet n/new 1/2/2 web:2
                old #1 ReplicaSet n/old 3/3/3 web:1
                Progressing=True ReplicaSetUpdated"#]],
        );
    }

    #[test]
    fn daemon_pods_are_counted_by_their_revision() {
        let pod = |name: &str, hash: &str| {
            let mut tree = owned(
                "DaemonSet",
                name,
                "",
                value!({ "status": { "conditions": [{ "type": "Ready", "status": "True" }] } }),
            );
            tree.set("metadata.labels", value!({ "controller-revision-hash": hash }));
            (POD, tree)
        };
        check(
            DAEMON_SET,
            value!({
                "metadata": { "name": "d", "namespace": "n", "uid": "u" },
                "status": { "desiredNumberScheduled": 3, "numberReady": 3, "updatedNumberScheduled": 1 },
            }),
            &[
                (CONTROLLER_REVISION, owned("DaemonSet", "d-aaa", "", value!({ "revision": 1 }))),
                (CONTROLLER_REVISION, owned("DaemonSet", "d-bbb", "", value!({ "revision": 2 }))),
                pod("p1", "aaa"),
                pod("p2", "aaa"),
                pod("p3", "bbb"),
            ],
            expect![[r#"
                rolling out, 1 of 3 updated
                RollingUpdate: at most 3 pods and at least 2 available
                3 of 3
                new #2 ControllerRevision n/d-bbb 1/1/1
                old #1 ControllerRevision n/d-aaa 2/2/0"#]],
        );
    }
}
