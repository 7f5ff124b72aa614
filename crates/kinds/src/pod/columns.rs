//! What `kubectl get pods` shows (`printPod` in `pkg/printers/internalversion/printers.go`).

use std::collections::BTreeMap;

use meta::Object;
use value::{Map, Value, map, time};

use crate::pod_template::fields::{child, child_or_empty, flag, int, list, maps, opt_text, text};
use crate::pod_template::is_sidecar;
use crate::{Column, Context, columns};

pub(super) const COLUMNS: &[Column] = &[
    columns::name(),
    columns::text("Ready", "Containers that are ready, of all.", |it, cx| summary(it, cx).ready.into()),
    columns::text("Status", "What the containers do, in a word.", |it, cx| summary(it, cx).status.into()),
    columns::text("Restarts", "How often containers started again, and how long ago the last one did.", |it, cx| {
        summary(it, cx).restarts.into()
    }),
    columns::created(),
    columns::wide(columns::text("IP", "The address of the pod.", |it, _| {
        or_none(list(status(it), "podIPs").first().and_then(|it| it.str_at("ip")))
    })),
    columns::wide(columns::text("Node", "The node that runs the pod.", |it, _| {
        or_none(opt_text(spec(it), "nodeName"))
    })),
    columns::wide(columns::text("Nominated Node", "The node on which room is being made for the pod.", |it, _| {
        or_none(opt_text(status(it), "nominatedNodeName"))
    })),
    columns::wide(columns::text("Readiness Gates", "Gates that are passed, of all.", |it, _| readiness_gates(it))),
];

fn spec(pod: &Object) -> &Map {
    child_or_empty(&pod.body, "spec")
}

fn status(pod: &Object) -> &Map {
    child_or_empty(&pod.body, "status")
}

fn or_none(text: Option<&str>) -> Value {
    text.filter(|it| !it.is_empty()).unwrap_or("<none>").into()
}

/// The condition that a row of a finished pod carries, so that clients may grey it out.
pub fn row_condition(pod: &Object) -> Option<Value> {
    let phase = text(status(pod), "phase");
    let message = match phase {
        "Succeeded" => "The pod has completed successfully.",
        "Failed" => "The pod failed.",
        _ => return None,
    };
    Some(Value::Map(map!({ "message": message, "reason": phase, "status": "True", "type": "Completed" })))
}

/// Three cells that come of one walk over the containers.
pub struct Summary {
    /// `1/2`
    pub ready: String,
    /// Such as `Running`, `Init:0/1` or `CrashLoopBackOff`.
    pub status: String,
    /// `3`, or `3 (5s ago)`
    pub restarts: String,
}

/// Restarts and the end of the last life before one, in seconds since the Unix epoch.
#[derive(Clone, Copy, Default)]
struct Restarts {
    count: i64,
    last: Option<i64>,
}

impl Restarts {
    fn add(&mut self, container: &Map) {
        self.count += int(container, "restartCount");
        let ended = child(container, "lastState")
            .and_then(|it| child(it, "terminated"))
            .and_then(|it| opt_text(it, "finishedAt"))
            .and_then(time::parse_secs);
        self.last = self.last.max(ended);
    }
}

/// The cells READY, STATUS and RESTARTS.
pub fn summary(pod: &Object, cx: &Context) -> Summary {
    let (spec, status) = (spec(pod), status(pod));
    let phase = text(status, "phase");
    let mut reason = match text(status, "reason") {
        "" => phase.to_owned(),
        reason => reason.to_owned(),
    };
    if maps(status, "conditions")
        .any(|(_, it)| text(it, "type") == "PodScheduled" && text(it, "reason") == "SchedulingGated")
    {
        reason = "SchedulingGated".to_owned();
    }
    let inits: BTreeMap<&str, bool> =
        maps(spec, "initContainers").map(|(_, it)| (text(it, "name"), is_sidecar(it))).collect();
    let n_containers = list(spec, "containers").len() + inits.values().filter(|it| **it).count();
    let (mut all, mut of_sidecars, mut n_ready) = (Restarts::default(), Restarts::default(), 0);
    let mut initializing = false;
    for (idx, container) in maps(status, "initContainerStatuses") {
        let sidecar = inits.get(text(container, "name")) == Some(&true);
        all.add(container);
        if sidecar {
            of_sidecars.add(container);
        }
        if sidecar && flag(container, "started") && exit_code(container) != Some(0) {
            n_ready += usize::from(flag(container, "ready"));
        } else if let Some(waits) = init_reason(container, idx, inits.len()) {
            reason = waits;
            initializing = true;
            break;
        }
    }
    let initialized = condition(status, "Initialized") == Some("True");
    if !initializing || initialized {
        all = of_sidecars;
        n_ready += running_reason(status, &mut reason, &mut all);
    }
    if pod.meta.is_deleted() {
        if text(status, "reason") == "NodeLost" {
            reason = "Unknown".to_owned();
        } else if !matches!(phase, "Succeeded" | "Failed") {
            reason = "Terminating".to_owned();
        }
    }
    let restarts = match all.last {
        Some(last) if all.count != 0 => format!("{} ({} ago)", all.count, time::human_duration(cx.now - last)),
        _ => all.count.to_string(),
    };
    Summary { ready: format!("{n_ready}/{n_containers}"), status: reason, restarts }
}

fn condition<'a>(status: &'a Map, kind: &str) -> Option<&'a str> {
    maps(status, "conditions").find(|(_, it)| text(it, "type") == kind).map(|(_, it)| text(it, "status"))
}

fn state<'a>(container: &'a Map, key: &str) -> Option<&'a Map> {
    child(container, "state").and_then(|it| child(it, key))
}

fn exit_code(container: &Map) -> Option<i64> {
    state(container, "terminated").map(|it| int(it, "exitCode"))
}

/// What an init container that is not done makes of the status; nothing where it is done.
fn init_reason(container: &Map, idx: usize, n_inits: usize) -> Option<String> {
    if let Some(ended) = state(container, "terminated") {
        return (int(ended, "exitCode") != 0).then(|| format!("Init:{}", end_reason(ended)));
    }
    match state(container, "waiting").map_or("", |it| text(it, "reason")) {
        "" | "PodInitializing" => Some(format!("Init:{idx}/{n_inits}")),
        reason => Some(format!("Init:{reason}")),
    }
}

fn end_reason(ended: &Map) -> String {
    match (text(ended, "reason"), int(ended, "signal")) {
        ("", 0) => format!("ExitCode:{}", int(ended, "exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

/// What the containers make of the status; answers how many are ready.
fn running_reason(status: &Map, reason: &mut String, restarts: &mut Restarts) -> usize {
    let (mut running, mut n_ready, mut failure) = (false, 0, None);
    for container in list(status, "containerStatuses").iter().rev().filter_map(Value::as_map) {
        restarts.add(container);
        let waits = state(container, "waiting").map_or("", |it| text(it, "reason"));
        if !waits.is_empty() {
            waits.clone_into(reason);
        } else if let Some(ended) = state(container, "terminated") {
            *reason = end_reason(ended);
            if int(ended, "exitCode") != 0 {
                failure = Some(reason.clone());
            }
        } else if flag(container, "ready") && state(container, "running").is_some() {
            running = true;
            n_ready += 1;
        }
    }
    if reason == "Completed" {
        if running
            && maps(status, "conditions").any(|(_, it)| text(it, "type") == "Ready" && text(it, "status") == "True")
        {
            "Running".clone_into(reason);
        } else if let Some(failure) = failure {
            *reason = failure;
        } else if running {
            "NotReady".clone_into(reason);
        }
    }
    n_ready
}

fn readiness_gates(pod: &Object) -> Value {
    let n_gates = list(spec(pod), "readinessGates").len();
    if n_gates == 0 {
        return "<none>".into();
    }
    let passed = maps(spec(pod), "readinessGates")
        .filter(|(_, it)| condition(status(pod), text(it, "conditionType")) == Some("True"));
    format!("{}/{n_gates}", passed.count()).into()
}
