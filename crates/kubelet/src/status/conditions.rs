//! The conditions of a pod that its kubelet reports.

use meta::Object;
use value::{List, Str, Value, present, time};

use crate::life::{Container, Life};
use crate::resize::PENDING;

/// Types in the order in which a kubelet lists them.
const TYPES: [&str; 5] = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

/// All that decides them.
#[derive(PartialEq)]
pub(super) struct Standing {
    /// Seconds since the Unix epoch.
    now: i64,
    generation: i64,
    phase: &'static str,
    ready_to_start: bool,
    initialized: bool,
    /// Containers and sidecars.
    all_ready: bool,
    /// Names of containers that are not ready, and of init containers that are not done.
    unready: Vec<Str>,
    incomplete: Vec<Str>,
    /// What is missing for the pod's readiness gates.
    gates: Option<String>,
    before: List,
    /// Why its resources cannot change now.
    deferred: Option<Str>,
}

impl Standing {
    pub fn of(life: &Life, phase: &'static str, now: i64) -> Standing {
        let is_over = matches!(phase, "Succeeded" | "Failed");
        let names = |of: &dyn Fn(&Container) -> bool| -> Vec<Str> {
            life.containers.iter().filter(|it| of(it)).map(|it| it.name.clone()).collect()
        };
        Standing {
            now,
            generation: life.pod.meta.generation,
            phase,
            ready_to_start: !is_over && life.containers.iter().any(Container::was_started),
            initialized: phase == "Succeeded" || life.initialized(),
            all_ready: life.containers.iter().all(|it| it.ready || (it.is_init && !it.is_sidecar)),
            unready: names(&|it| !it.is_init && !it.ready),
            incomplete: names(&|it| it.is_init && !it.lets_next_begin()),
            gates: gates(&life.pod),
            deferred: life.deferred.as_ref().map(|it| it.message.clone()),
            before: life.pod.at("status.conditions").and_then(Value::as_list).cloned().unwrap_or_default(),
        }
    }

    pub fn conditions(&self) -> List {
        let completed = (self.phase == "Succeeded").then_some(("PodCompleted", String::new()));
        let unready = !self.initialized || !self.all_ready;
        let not_ready = match self.phase {
            "Succeeded" => completed.clone(),
            "Failed" => Some(("PodFailed", String::new())),
            _ => unready.then(|| ("ContainersNotReady", listed("containers with unready status", &self.unready))),
        };
        let not_initialized = (!self.initialized)
            .then(|| ("ContainersNotInitialized", listed("containers with incomplete status", &self.incomplete)));
        let not_ready_pod = not_ready.clone().or(self.gates.clone().map(|it| ("ReadinessGatesNotReady", it)));
        let before: Vec<Old<'_>> = self.before.iter().map(Old::of).collect();
        let now = Value::from(time::format_secs(self.now));
        let said = [
            (self.ready_to_start, None),
            (self.initialized, not_initialized.or(completed)),
            (not_ready_pod.is_none(), not_ready_pod),
            (not_ready.is_none(), not_ready),
            (true, None),
        ];
        let ours =
            TYPES.into_iter().zip(said).map(|(kind, (is_true, why))| self.condition(&before, &now, kind, is_true, why));
        // What others put there (readiness gates, DisruptionTarget) stays.
        let is_other = |it: &&Old<'_>| !TYPES.contains(&it.kind) && it.kind != PENDING;
        let others = before.iter().filter(is_other).map(|it| it.whole.clone());
        let deferred = self.deferred.as_ref().map(|it| Some(("Deferred", it.to_string())));
        let pending = deferred.map(|it| self.condition(&before, &now, PENDING, true, it));
        ours.chain(others).chain(pending).collect()
    }

    /// The time of a condition that did not change stays.
    fn condition(
        &self,
        before: &[Old<'_>],
        now: &Value,
        kind: &'static str,
        is_true: bool,
        why: Option<(&'static str, String)>,
    ) -> Value {
        let status = if is_true { "True" } else { "False" };
        let old = before.iter().find(|it| it.kind == kind).filter(|it| it.status == status);
        let (reason, message) = why.unwrap_or_default();
        if let Some(old) = old
            && (old.reason, old.message) == (reason, &*message)
            && old.generation == Some(self.generation)
            && old.was_never_probed
        {
            return old.whole.clone();
        }
        let since = old.and_then(|it| it.since.cloned()).unwrap_or_else(|| now.clone());
        let text = |it: &str| (!it.is_empty()).then(|| Value::Str(Str::literal(it)));
        Value::Map(present!({
            "lastProbeTime": Some(Value::Null),
            "lastTransitionTime": Some(since),
            "message": (!message.is_empty()).then(|| message.into()),
            "observedGeneration": Some(self.generation.into()),
            "reason": text(reason),
            "status": text(status),
            "type": text(kind),
        }))
    }
}

fn listed(what: &str, names: &[Str]) -> String {
    [what, ": [", &names.join(" "), "]"].concat()
}

/// A condition as it was.
struct Old<'a> {
    whole: &'a Value,
    kind: &'a str,
    status: &'a str,
    reason: &'a str,
    message: &'a str,
    generation: Option<i64>,
    was_never_probed: bool,
    since: Option<&'a Value>,
}

impl Old<'_> {
    fn of(whole: &Value) -> Old<'_> {
        let mut old = Old {
            whole,
            kind: "",
            status: "",
            reason: "",
            message: "",
            generation: None,
            was_never_probed: false,
            since: None,
        };
        for (key, value) in whole.as_map().into_iter().flat_map(|it| it.iter()) {
            let text = || value.as_str().unwrap_or("");
            match key.as_str() {
                "type" => old.kind = text(),
                "status" => old.status = text(),
                "reason" => old.reason = text(),
                "message" => old.message = text(),
                "observedGeneration" => old.generation = value.as_i64(),
                "lastProbeTime" => old.was_never_probed = value.is_null(),
                "lastTransitionTime" => old.since = Some(value),
                _ => (),
            }
        }
        old
    }
}

/// What is missing for the pod's readiness gates, if anything.
pub(crate) fn gates(pod: &Object) -> Option<String> {
    let gates = pod.list_at("spec.readinessGates");
    if gates.is_empty() {
        return None;
    }
    let mut missing = Vec::new();
    for gate in gates.iter().filter_map(|it| it.str_at("conditionType")) {
        match pod.condition_status(gate) {
            None => missing.push(format!("corresponding condition of pod readiness gate \"{gate}\" does not exist.")),
            Some("True") => (),
            Some(other) => {
                missing.push(format!("the status of pod readiness gate \"{gate}\" is not \"True\", but {other}"))
            }
        }
    }
    (!missing.is_empty()).then(|| missing.join(", "))
}
