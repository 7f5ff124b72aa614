//! A pod's status as its kubelet reports it.

use std::collections::VecDeque;

use meta::Object;
use sim::Instant;
use value::{Map, Str, Value, map, time, value};

use crate::life::{Container, Ended, Life, State};

fn stamp(at: Instant) -> Value {
    time::format_secs(at.secs()).into()
}

/// Values of late, so that pods that are alike share what is equal.
#[derive(Default)]
pub(crate) struct Shared {
    recent: VecDeque<Value>,
}

/// Values that are remembered.
const SHARED_MAX: usize = 12;

impl Shared {
    fn share(&mut self, value: Value) -> Value {
        if let Some(it) = self.recent.iter().find(|it| **it == value) {
            return it.clone();
        }
        if self.recent.len() == SHARED_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(value.clone());
        value
    }
}

/// The status of a pod in the real mode; times of conditions that did not change stay.
pub(crate) fn of(life: &Life, now: Instant, shared: &mut Shared) -> Value {
    let empty = Map::new();
    let before = life.pod.map_at("status").unwrap_or(&empty);
    let phase = life.phase();
    let (init, main): (Vec<&Container>, Vec<&Container>) = life.containers.iter().partition(|it| it.is_init);
    let mut statuses =
        |list: Vec<&Container>| list.into_iter().map(|it| container_status(life, it, shared)).collect::<Vec<_>>();
    let (init, main) = (statuses(init), statuses(main));
    let mut status = map!({
        "conditions": shared.share(conditions(life, phase, now).into()), "containerStatuses": main,
        "observedGeneration": life.pod.meta.generation, "phase": Str::literal(phase), "startTime": shared.share(stamp(life.began)),
    });
    if before.get("podIP").is_none() {
        put_addresses(&mut status, &life.host_ip, &life.ip);
    }
    if !init.is_empty() {
        status.insert("initContainerStatuses", init);
    }
    if let Some((reason, message)) = &life.failed {
        status.insert("reason", *reason);
        status.insert("message", message.as_str());
    }
    Value::Map(before.merged(&status))
}

fn put_addresses(status: &mut Map, host_ip: &Str, ip: &Str) {
    status.insert("hostIP", host_ip);
    status.insert("hostIPs", value!([{ "ip": host_ip }]));
    if !ip.is_empty() {
        status.insert("podIP", ip);
        status.insert("podIPs", value!([{ "ip": ip }]));
    }
}

/// One entry of `containerStatuses`.
fn container_status(life: &Life, it: &Container, shared: &mut Shared) -> Value {
    let was_pulled = it.is_running() || it.ended().is_some() || it.last.is_some();
    let mut status = map!({
        "image": &it.image, "imageID": shared.share(if was_pulled { image_id(&it.image) } else { String::new() }.into()),
        "lastState": it.last.as_ref().map_or_else(Value::map, |end| value!({ "terminated": ended(life, it, end) })),
        "name": &it.name, "ready": it.ready, "restartCount": it.restarts, "started": it.started,
        "state": shared.share(state(life, it)),
    });
    if was_pulled {
        status.insert("containerID", container_id(life, it));
    }
    Value::Map(status)
}

fn state(life: &Life, it: &Container) -> Value {
    match &it.state {
        State::Waiting { reason, message } if message.is_empty() => value!({ "waiting": { "reason": *reason } }),
        State::Waiting { reason, message } => value!({ "waiting": { "message": message.as_str(), "reason": *reason } }),
        State::Running { since } => value!({ "running": { "startedAt": stamp(*since) } }),
        State::Terminated(end) => value!({ "terminated": ended(life, it, end) }),
    }
}

fn ended(life: &Life, container: &Container, it: &Ended) -> Value {
    value!({
        "containerID": container_id(life, container), "exitCode": it.code, "finishedAt": stamp(it.at),
        "reason": &it.reason, "startedAt": stamp(it.since),
    })
}

fn image_id(image: &str) -> String {
    let name = image.rsplit_once('@').map_or(image, |(name, _)| name);
    format!("{name}@sha256:{}", digest(image))
}

fn container_id(life: &Life, it: &Container) -> String {
    format!("drydock://{}", digest(&format!("{}/{}/{}", life.uid, it.name, it.restarts)))
}

/// 64 hexadecimal digits that a text determines.
pub(crate) fn digest(text: &str) -> String {
    let mut out = String::with_capacity(64);
    for round in 0..4_u8 {
        let hash = text
            .bytes()
            .chain([round])
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        push_hex(hash, &mut out);
    }
    out
}

fn push_hex(number: u64, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend((0..16).rev().map(|place| char::from(DIGITS[(number >> (4 * place)) as usize & 0xf])));
}

/// Types in the order in which a kubelet lists them.
fn conditions(life: &Life, phase: &str, now: Instant) -> Vec<Value> {
    let before = life.pod.list_at("status.conditions");
    let succeeded = phase == "Succeeded";
    let failed = phase == "Failed";
    let names = |of: &dyn Fn(&&Container) -> bool| {
        let list: Vec<&str> = life.containers.iter().filter(of).map(|it| &*it.name).collect();
        format!("[{}]", list.join(" "))
    };
    let any_started = life.containers.iter().any(|it| it.is_running() || it.ended().is_some() || it.last.is_some());
    let ready_to_start = any_started && !succeeded && !failed;
    let initialized = life.initialized() || succeeded;
    let unready = |it: &&Container| (!it.is_init || it.is_sidecar) && !it.ready;
    let is_ready = !succeeded && !failed && initialized && !life.containers.iter().any(|it| unready(&it));
    let unready_text = || format!("containers with unready status: {}", names(&|it| !it.is_init && !it.ready));
    let not_ready = match phase {
        "Succeeded" => Some(("PodCompleted", String::new())),
        "Failed" => Some(("PodFailed", String::new())),
        _ => (!is_ready).then(|| ("ContainersNotReady", unready_text())),
    };
    let gates = gates(&life.pod);
    let not_ready_pod = not_ready.clone().or(gates.map(|it| ("ReadinessGatesNotReady", it)));
    let not_initialized = (!initialized).then(|| {
        (
            "ContainersNotInitialized",
            format!("containers with incomplete status: {}", names(&|it| it.is_init && !it.lets_next_begin())),
        )
    });
    let completed = succeeded.then_some(("PodCompleted", String::new()));
    let mut list = vec![
        condition(before, "PodReadyToStartContainers", ready_to_start, None, life, now),
        condition(before, "Initialized", initialized, not_initialized.or(completed), life, now),
        condition(before, "Ready", not_ready_pod.is_none(), not_ready_pod, life, now),
        condition(before, "ContainersReady", not_ready.is_none(), not_ready, life, now),
    ];
    list.push(condition(before, "PodScheduled", true, None, life, now));
    // What others put there (readiness gates, DisruptionTarget) stays.
    let ours = |it: &&Value| !list.iter().any(|own| own.get("type") == it.get("type"));
    let others: Vec<Value> = before.iter().filter(ours).cloned().collect();
    list.extend(others);
    list
}

/// What is missing for the pod's readiness gates, if anything.
pub(crate) fn gates(pod: &Object) -> Option<String> {
    let status_of = |kind: &str| {
        pod.list_at("status.conditions")
            .iter()
            .find(|it| it.str_at("type") == Some(kind))
            .and_then(|it| it.str_at("status"))
    };
    let mut missing = Vec::new();
    for gate in pod.list_at("spec.readinessGates").iter().filter_map(|it| it.str_at("conditionType")) {
        match status_of(gate) {
            None => missing.push(format!("corresponding condition of pod readiness gate \"{gate}\" does not exist.")),
            Some("True") => (),
            Some(other) => {
                missing.push(format!("the status of pod readiness gate \"{gate}\" is not \"True\", but {other}"))
            }
        }
    }
    (!missing.is_empty()).then(|| missing.join(", "))
}

fn condition(
    before: &[Value],
    kind: &str,
    is_true: bool,
    why: Option<(&str, String)>,
    life: &Life,
    now: Instant,
) -> Value {
    let status = if is_true { "True" } else { "False" };
    let old = before.iter().find(|it| text(it, "type") == kind).filter(|it| text(it, "status") == status);
    let (reason, message) = why.unwrap_or_default();
    let generation = life.pod.meta.generation;
    if let Some(old) = old
        && (text(old, "reason"), text(old, "message")) == (reason, &*message)
        && old.get("observedGeneration").and_then(Value::as_i64) == Some(generation)
        && old.get("lastProbeTime").is_some_and(Value::is_null)
    {
        return old.clone();
    }
    let since = old.and_then(|it| it.get("lastTransitionTime").cloned()).unwrap_or_else(|| stamp(now));
    let mut condition = map!({
        "lastProbeTime": null, "lastTransitionTime": since, "observedGeneration": generation, "status": Str::literal(status),
        "type": Str::literal(kind),
    });
    if !reason.is_empty() {
        condition.insert(Str::literal("reason"), Str::literal(reason));
    }
    if !message.is_empty() {
        condition.insert(Str::literal("message"), message);
    }
    Value::Map(condition)
}

fn text<'a>(it: &'a Value, key: &str) -> &'a str {
    it.get(key).and_then(Value::as_str).unwrap_or("")
}

/// The status that the fast mode gives a pod at once: running and ready, or succeeded.
pub(crate) fn fast(pod: &Object, host_ip: &Str, ip: &Str, now: Instant, succeeded: bool) -> Value {
    let before = pod.map_at("status").cloned().unwrap_or_default();
    let mut status = before.clone();
    let ready = if succeeded { "False" } else { "True" };
    let since = |kind: &str, status: &str| {
        let old = pod
            .list_at("status.conditions")
            .iter()
            .find(|it| it.str_at("type") == Some(kind) && it.str_at("status") == Some(status));
        old.and_then(|it| it.get("lastTransitionTime").cloned()).unwrap_or_else(|| stamp(now))
    };
    let kinds =
        [("PodReadyToStartContainers", "True"), ("Initialized", "True"), ("Ready", ready), ("ContainersReady", ready)];
    let mut conditions: Vec<Value> = kinds
        .iter()
        .map(|(kind, status)| value!({ "lastProbeTime": null, "lastTransitionTime": since(kind, status), "status": *status, "type": *kind }))
        .collect();
    let others = pod
        .list_at("status.conditions")
        .iter()
        .filter(|it| !kinds.iter().any(|(kind, _)| it.str_at("type") == Some(kind)));
    conditions.extend(others.cloned());
    let started = before.get("startTime").cloned().unwrap_or_else(|| stamp(now));
    let statuses = |list: &str, is_init: bool| -> Vec<Value> {
        let done = succeeded || is_init;
        pod.list_at(list)
            .iter()
            .map(|it| {
                let state = if done {
                    value!({ "terminated": { "exitCode": 0, "finishedAt": stamp(now), "reason": "Completed", "startedAt": &started } })
                } else {
                    value!({ "running": { "startedAt": stamp(now) } })
                };
                value!({
                    "image": it.get("image").cloned().unwrap_or_default(), "imageID": "", "lastState": {}, "name": it.get("name").cloned().unwrap_or_default(),
                    "ready": is_init || !succeeded, "restartCount": 0, "started": !done, "state": state,
                })
            })
            .collect()
    };
    let init = statuses("spec.initContainers", true);
    if !init.is_empty() {
        status.insert("initContainerStatuses", init);
    }
    status.insert("containerStatuses", statuses("spec.containers", false));
    status.insert("conditions", conditions);
    status.insert("phase", if succeeded { "Succeeded" } else { "Running" });
    status.insert("startTime", started);
    put_addresses(&mut status, host_ip, ip);
    Value::Map(status)
}
