//! The conditions of a pod that its kubelet reports.

use std::sync::LazyLock;

use meta::Object;
use value::{List, Str, Value, present};

use crate::life::{Container, Life};
use crate::resize::PENDING;

/// Types in the order in which a kubelet lists them.
static TYPES: LazyLock<[Str; 5]> = LazyLock::new(|| {
    ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"].map(Str::literal)
});
/// What is said of a type: that it is not so, and that it is.
static STATUSES: LazyLock<[Str; 2]> = LazyLock::new(|| ["False", "True"].map(Str::literal));

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

    /// `now` is shown as this.
    pub fn conditions(&self, now: &Value) -> List {
        let completed = (self.phase == "Succeeded").then(|| ("PodCompleted", Str::default()));
        let unready = !self.initialized || !self.all_ready;
        let not_ready = match self.phase {
            "Succeeded" => completed.clone(),
            "Failed" => Some(("PodFailed", Str::default())),
            _ => unready.then(|| ("ContainersNotReady", listed("containers with unready status", &self.unready))),
        };
        let not_initialized = (!self.initialized)
            .then(|| ("ContainersNotInitialized", listed("containers with incomplete status", &self.incomplete)));
        let not_ready_pod = not_ready.clone().or(self.gates.as_deref().map(|it| ("ReadinessGatesNotReady", it.into())));
        let said = [
            (self.ready_to_start, None),
            (self.initialized, not_initialized.or(completed)),
            (not_ready_pod.is_none(), not_ready_pod),
            (not_ready.is_none(), not_ready),
            (true, None),
        ];
        let is_of = |it: &Value, kind: &Str| it.str_at("type") == Some(kind);
        let find = |kind: &Str| self.before.iter().find(|it| is_of(it, kind));
        // As a rule they stand as they were written last.
        let in_order =
            self.before.len() >= TYPES.len() && TYPES.iter().zip(&*self.before).all(|(kind, it)| is_of(it, kind));
        let mut list = Vec::with_capacity(TYPES.len());
        let mut n_ours = 0;
        for (idx, (kind, (is_true, why))) in TYPES.iter().zip(said).enumerate() {
            let old = if in_order { self.before.get(idx) } else { find(kind) };
            n_ours += usize::from(old.is_some());
            list.push(self.condition(old, now, kind, is_true, why));
        }
        // What others put there (readiness gates, DisruptionTarget) stays.
        if n_ours < self.before.len() {
            let is_other =
                |it: &&Value| it.str_at("type").is_none_or(|it| TYPES.iter().all(|ours| ours != it) && it != PENDING);
            list.extend(self.before.iter().filter(is_other).cloned());
        }
        if let Some(message) = &self.deferred {
            let (kind, why) = (Str::literal(PENDING), Some(("Deferred", message.clone())));
            list.push(self.condition(find(&kind), now, &kind, true, why));
        }
        list.into()
    }

    /// The time of a condition that did not change stays.
    fn condition(
        &self,
        old: Option<&Value>,
        now: &Value,
        kind: &Str,
        is_true: bool,
        why: Option<(&'static str, Str)>,
    ) -> Value {
        let status = &STATUSES[usize::from(is_true)];
        let old = old.filter(|it| it.str_at("status") == Some(status));
        let (reason, message) = why.unwrap_or_default();
        if let Some(old) = old
            && old.str_at("reason").unwrap_or("") == reason
            && old.str_at("message").unwrap_or("") == &*message
            && old.i64_at("observedGeneration") == Some(self.generation)
            && old.at("lastProbeTime").is_some_and(Value::is_null)
        {
            return old.clone();
        }
        let since = old.and_then(|it| it.at("lastTransitionTime")).unwrap_or(now);
        Value::Map(present!({
            "lastProbeTime": Some(Value::Null),
            "lastTransitionTime": Some(since.clone()),
            "message": (!message.is_empty()).then(|| message.into()),
            "observedGeneration": Some(self.generation.into()),
            "reason": (!reason.is_empty()).then(|| Value::Str(Str::literal(reason))),
            "status": Some(status.into()),
            "type": Some(kind.into()),
        }))
    }
}

fn listed(what: &str, names: &[Str]) -> Str {
    let mut text = String::with_capacity(100);
    text.push_str(what);
    text.push_str(": [");
    for (idx, name) in names.iter().enumerate() {
        text.push_str(if idx == 0 { "" } else { " " });
        text.push_str(name);
    }
    text.push(']');
    text.into()
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
