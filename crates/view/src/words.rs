//! The state of what runs pods: how many of how many, and one sentence that says what it waits for.

use kinds::{CRON_JOB, DAEMON_SET, DEPLOYMENT, JOB, REPLICA_SET, REPLICATION_CONTROLLER, STATEFUL_SET};
use meta::Object;

use crate::model::{Look, Pod};
use crate::wire;

/// The annotation in which a Deployment numbers its ReplicaSets.
pub(crate) const REVISION: &str = "deployment.kubernetes.io/revision";

wire! {
    /// How much it asks for attention.
    #[derive(Copy, Default)]
    pub enum State {
        0 => Good,
        1 => Going,
        2 => Bad,
        #[default]
        3 => Idle,
    }
}

impl State {
    /// The class of what shows it.
    pub fn class(&self) -> &'static str {
        match self {
            State::Good => "good",
            State::Going => "going",
            State::Bad => "bad",
            State::Idle => "idle",
        }
    }
}

/// A count such as `2/3`, a state and words for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    pub count: String,
    pub state: State,
    pub text: String,
}

/// Of a workload; `next` is when a CronJob runs next.
pub fn of_workload(object: &Object, next: &str) -> Words {
    match object.kind {
        DEPLOYMENT => deployment(object),
        REPLICA_SET | REPLICATION_CONTROLLER => replica_set(object),
        STATEFUL_SET => stateful_set(object),
        DAEMON_SET => daemon_set(object),
        JOB => job(object),
        CRON_JOB => cron_job(object, next),
        _ => words("", State::Idle, String::new()),
    }
}

/// Of a pod: kubectl's word and where it is.
pub fn of_pod(pod: &Pod) -> Words {
    let state = match pod.look {
        Look::Ready | Look::Succeeded => State::Good,
        Look::Failed | Look::Looping | Look::Lost => State::Bad,
        Look::Pending | Look::Creating | Look::Unready => State::Going,
        Look::Terminating => State::Idle,
    };
    let place = match (pod.node.as_str(), pod.wants.as_str()) {
        ("", "") => ", waits for a node".to_owned(),
        ("", wants) => format!(", waits for {wants}"),
        (node, _) => format!(" on {node}"),
    };
    words(format!("{}/{}", pod.n_ready, pod.n_containers), state, format!("{}{place}", pod.word))
}

fn words(count: impl Into<String>, state: State, text: impl Into<String>) -> Words {
    Words { count: count.into(), state, text: text.into() }
}

pub(crate) fn number(object: &Object, path: &'static str) -> i64 {
    object.i64_at(path).unwrap_or(0)
}

pub(crate) fn desired(object: &Object) -> i64 {
    object.i64_at("spec.replicas").unwrap_or(1)
}

fn has_condition(object: &Object, kind: &str) -> bool {
    object.condition_status(kind) == Some("True")
}

/// `1 pod`, `2 pods`
pub fn counted(n: i64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

fn is_unseen(object: &Object) -> bool {
    let generation = object.meta.generation;
    generation > 0 && number(object, "status.observedGeneration") < generation
}

fn deployment(object: &Object) -> Words {
    let want = desired(object);
    let [all, updated, ready, available] =
        ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"].map(|it| status(object, it));
    let count = format!("{ready}/{want}");
    let progress = object.condition("Progressing");
    if object.bool_at("spec.paused") == Some(true) {
        let rest = if updated < want { format!(", {updated} of {want} updated") } else { String::new() };
        return words(count, State::Idle, format!("paused{rest}"));
    }
    if progress.and_then(|it| it.str_at("reason")) == Some("ProgressDeadlineExceeded") {
        return words(count, State::Bad, "stuck: the progress deadline has passed");
    }
    if let Some(failure) = object.condition("ReplicaFailure").filter(|it| it.str_at("status") == Some("True")) {
        return words(count, State::Bad, failure.str_at("message").unwrap_or("pods cannot be made"));
    }
    let going = |text: String| words(count.clone(), State::Going, text);
    match () {
        () if is_unseen(object) => going("waits for its controller".to_owned()),
        () if updated < want => going(format!("rolling out, {updated} of {want} updated")),
        () if all > updated => going(format!("rolling out, {} still to go", counted(all - updated, "old pod"))),
        () if available < want => going(format!("rolling out, {available} of {want} available")),
        () if want == 0 => words(count, State::Idle, "scaled to zero"),
        () => words(count, State::Good, "available"),
    }
}

fn status(object: &Object, field: &str) -> i64 {
    object.map_at("status").and_then(|it| it.get(field)?.as_i64()).unwrap_or(0)
}

fn replica_set(object: &Object) -> Words {
    let (want, all, ready) = (desired(object), status(object, "replicas"), status(object, "readyReplicas"));
    let revision = object.meta.annotation(REVISION).map(|it| format!("revision {it}: ")).unwrap_or_default();
    let (state, text) = match () {
        () if want == 0 && all == 0 => (State::Idle, "no pods".to_owned()),
        () if all > want => (State::Going, format!("{} too many", counted(all - want, "pod"))),
        () if ready < want => (State::Going, format!("waits for {}", counted(want - ready, "pod"))),
        () => (State::Good, "ready".to_owned()),
    };
    words(format!("{ready}/{want}"), state, format!("{revision}{text}"))
}

fn stateful_set(object: &Object) -> Words {
    let (want, ready, updated) = (desired(object), status(object, "readyReplicas"), status(object, "updatedReplicas"));
    let is_rolling = object.str_at("status.updateRevision") != object.str_at("status.currentRevision");
    let (state, text) = match () {
        () if is_unseen(object) => (State::Going, "waits for its controller".to_owned()),
        () if is_rolling && updated < want => (State::Going, format!("rolling out, {updated} of {want} updated")),
        () if ready < want => (State::Going, format!("waits for {}", counted(want - ready, "pod"))),
        () if want == 0 => (State::Idle, "scaled to zero".to_owned()),
        () => (State::Good, "ready".to_owned()),
    };
    words(format!("{ready}/{want}"), state, text)
}

fn daemon_set(object: &Object) -> Words {
    let [want, ready, updated, wrong] =
        ["desiredNumberScheduled", "numberReady", "updatedNumberScheduled", "numberMisscheduled"]
            .map(|it| status(object, it));
    let (state, text) = match () {
        () if is_unseen(object) => (State::Going, "waits for its controller".to_owned()),
        () if updated < want => (State::Going, format!("rolling out, {updated} of {want} updated")),
        () if ready < want => (State::Going, format!("waits for {}", counted(want - ready, "pod"))),
        () if wrong > 0 => (State::Going, format!("{} where no new one would come", counted(wrong, "pod"))),
        () if want == 0 => (State::Idle, "no node is for it".to_owned()),
        () => (State::Good, "ready".to_owned()),
    };
    words(format!("{ready}/{want}"), state, text)
}

fn job(object: &Object) -> Words {
    let [active, succeeded, failed] = ["active", "succeeded", "failed"].map(|it| status(object, it));
    let count = match object.i64_at("spec.completions") {
        Some(want) => format!("{succeeded}/{want}"),
        None => succeeded.to_string(),
    };
    if let Some(end) = object.condition("Failed").filter(|it| it.str_at("status") == Some("True")) {
        return words(count, State::Bad, format!("failed: {}", end.str_at("reason").unwrap_or_default()));
    }
    if has_condition(object, "Complete") {
        return words(count, State::Good, "complete");
    }
    if has_condition(object, "Suspended") || object.bool_at("spec.suspend") == Some(true) {
        return words(count, State::Idle, "suspended");
    }
    let failures = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    words(count, State::Going, format!("{active} running{failures}"))
}

fn cron_job(object: &Object, next: &str) -> Words {
    let active = object.list_at("status.active").len();
    if object.bool_at("spec.suspend") == Some(true) {
        return words("", State::Idle, "suspended");
    }
    let running = if active > 0 { format!("{} running, ", counted(active as i64, "job")) } else { String::new() };
    let state = if active > 0 { State::Going } else { State::Good };
    words("", state, if next.is_empty() { format!("{running}never again") } else { format!("{running}next {next}") })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use kinds::{CRON_JOB, DAEMON_SET, DEPLOYMENT, JOB, REPLICA_SET, STATEFUL_SET};
    use meta::{KindId, Object};
    use value::{Value, value};

    #[track_caller]
    fn check(kind: KindId, tree: Value, expect: Expect) {
        let object = Object::from_map(kind, tree.as_map().expect("the tests give maps"));
        let it = super::of_workload(&object, "09:05:00");
        expect.assert_eq(format!("{} {} {}", it.count, it.state.class(), it.text).trim_start());
    }

    #[test]
    fn a_deployment_says_how_far_its_rollout_is() {
        let of = |status: Value| value!({ "spec": { "replicas": 3 }, "status": status });
        let rolling = value!({ "replicas": 4, "updatedReplicas": 2, "readyReplicas": 3, "availableReplicas": 3 });
        check(DEPLOYMENT, of(rolling), expect!["3/3 going rolling out, 2 of 3 updated"]);
        let old = value!({ "replicas": 4, "updatedReplicas": 3, "readyReplicas": 4, "availableReplicas": 4 });
        check(DEPLOYMENT, of(old), expect!["4/3 going rolling out, 1 old pod still to go"]);
        let done = value!({ "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3 });
        check(DEPLOYMENT, of(done), expect!["3/3 good available"]);
        let stuck = value!({ "conditions": [{ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded" }] });
        check(DEPLOYMENT, of(stuck), expect!["0/3 bad stuck: the progress deadline has passed"]);
        let unseen = value!({ "metadata": { "generation": 2 }, "spec": {}, "status": { "observedGeneration": 1 } });
        check(DEPLOYMENT, unseen, expect!["0/1 going waits for its controller"]);
        check(DEPLOYMENT, value!({ "spec": { "paused": true } }), expect!["0/1 idle paused, 0 of 1 updated"]);
    }

    #[test]
    fn others_say_what_they_wait_for() {
        let old = value!({ "metadata": { "annotations": { "deployment.kubernetes.io/revision": "1" } }, "spec": { "replicas": 0 } });
        check(REPLICA_SET, old, expect!["0/0 idle revision 1: no pods"]);
        check(REPLICA_SET, value!({ "spec": { "replicas": 2 } }), expect!["0/2 going waits for 2 pods"]);
        let rolling = value!({ "spec": { "replicas": 3 }, "status": { "readyReplicas": 3, "updatedReplicas": 1, "updateRevision": "b", "currentRevision": "a" } });
        check(STATEFUL_SET, rolling, expect!["3/3 going rolling out, 1 of 3 updated"]);
        let daemons =
            value!({ "status": { "desiredNumberScheduled": 3, "numberReady": 2, "updatedNumberScheduled": 3 } });
        check(DAEMON_SET, daemons, expect!["2/3 going waits for 1 pod"]);
        let failed = value!({ "spec": { "completions": 2 }, "status": { "succeeded": 1, "failed": 3, "conditions": [{ "type": "Failed", "status": "True", "reason": "BackoffLimitExceeded" }] } });
        check(JOB, failed, expect!["1/2 bad failed: BackoffLimitExceeded"]);
        check(JOB, value!({ "spec": { "completions": 2 }, "status": { "active": 1 } }), expect!["0/2 going 1 running"]);
        check(CRON_JOB, value!({ "status": { "active": [{}] } }), expect!["going 1 job running, next 09:05:00"]);
        check(CRON_JOB, value!({ "spec": { "suspend": true } }), expect!["idle suspended"]);
    }
}
