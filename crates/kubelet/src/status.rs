//! A pod's status as its kubelet reports it.

mod conditions;

use meta::Object;
use sim::Instant;
use value::{List, Map, Str, Value, map, present, time, value};

use self::conditions::Standing;
pub(crate) use self::conditions::gates;
use crate::life::{Container, Ended, Life, State};
use crate::outside::spec_of;
use crate::recent::Recent;
use crate::{image, resize};

fn stamp(at: Instant) -> Value {
    time::format_secs(at.secs()).into()
}

/// Parts of statuses of late, by what decides them.
#[derive(Default)]
pub(crate) struct Shared {
    /// By seconds since the Unix epoch.
    stamps: Recent<i64, Value>,
    image_ids: Recent<Str, Value>,
    /// Of containers that wait or run.
    states: Recent<State, Value>,
    conditions: Recent<Standing, List>,
}

impl Shared {
    fn stamp(&mut self, at: Instant) -> Value {
        self.stamps.answer(at.secs(), |it| time::format_secs(*it).into())
    }
}

/// The status of a pod in the real mode.
pub(crate) fn of(life: &Life, now: Instant, shared: &mut Shared) -> Value {
    let empty = Map::new();
    let before = life.pod.map_at("status").unwrap_or(&empty);
    if life.rejected {
        return Value::Map(before.merged(&rejected(life, shared)));
    }
    let phase = life.phase();
    let mut statuses = |is_init: bool| -> Option<Value> {
        let list: Vec<Value> = life
            .containers
            .iter()
            .filter(|it| it.is_init == is_init)
            .map(|it| container_status(life, it, shared))
            .collect();
        (!is_init || !list.is_empty()).then(|| list.into())
    };
    let (init, main) = (statuses(true), statuses(false));
    let conditions = shared.conditions.answer(Standing::of(life, phase, now.secs()), Standing::conditions);
    let has_addresses = before.get("podIP").is_some();
    let [host_ip, host_ips, pod_ip, pod_ips] =
        if has_addresses { Default::default() } else { addresses(&life.host_ip, &life.ip).map(|(_, it)| it) };
    let (reason, message) =
        life.failed.as_deref().map(|(reason, message)| (reason.into(), message.as_str().into())).unzip();
    let status = present!({
        "conditions": Some(conditions.into()),
        "containerStatuses": main,
        "hostIP": host_ip,
        "hostIPs": host_ips,
        "initContainerStatuses": init,
        "message": message,
        "observedGeneration": Some(life.pod.meta.generation.into()),
        "phase": Some(Value::Str(Str::literal(phase))),
        "podIP": pod_ip,
        "podIPs": pod_ips,
        "reason": reason,
        "startTime": Some(shared.stamp(life.began)),
    });
    Value::Map(before.merged(&status))
}

/// What is said of a pod that never began (`rejectPod`).
fn rejected(life: &Life, shared: &mut Shared) -> Map {
    let (reason, message) = life.failed.as_deref().cloned().unwrap_or_default();
    map!({
        "message": format!("Pod was rejected: {message}"), "observedGeneration": life.pod.meta.generation,
        "phase": "Failed", "reason": reason, "startTime": shared.stamp(life.began),
    })
}

/// The fields of a pod's addresses.
fn addresses(host_ip: &Str, ip: &Str) -> [(&'static str, Option<Value>); 4] {
    let list = |it: &Str| value!([{ "ip": it }]);
    let pod_ip = Some(ip).filter(|it| !it.is_empty());
    [
        ("hostIP", Some(host_ip.into())),
        ("hostIPs", Some(list(host_ip))),
        ("podIP", pod_ip.map(Value::from)),
        ("podIPs", pod_ip.map(list)),
    ]
}

/// One entry of `containerStatuses`.
fn container_status(life: &Life, it: &Container, shared: &mut Shared) -> Value {
    let [given, asked] = resize::given(life, it);
    let image_id = match it.was_started() {
        true => shared.image_ids.answer(it.image.clone(), |it| image::id(it).into()),
        false => Str::default().into(),
    };
    // What waits has not begun another run yet.
    let waits = matches!(it.state, State::Waiting { .. });
    let id_before = || if waits { it.id.clone() } else { container_id(&life.uid, &it.name, it.restarts - 1) };
    let last =
        it.last.as_ref().map_or_else(Value::map, |end| value!({ "terminated": ended(&id_before(), end, shared) }));
    let state = match &it.state {
        State::Terminated(end) => value!({ "terminated": ended(&it.id, end, shared) }),
        // Times are shown in seconds.
        State::Running { since } => {
            shared.states.answer(State::Running { since: Instant::from_secs(since.secs().unsigned_abs()) }, state)
        }
        waiting => shared.states.answer(waiting.clone(), state),
    };
    Value::Map(present!({
        "allocatedResources": asked,
        "containerID": it.was_started().then(|| (&it.id).into()),
        "image": Some((&it.image).into()),
        "imageID": Some(image_id),
        "lastState": Some(last),
        "name": Some((&it.name).into()),
        "ready": Some(it.ready.into()),
        "resources": given,
        "restartCount": Some(it.restarts.into()),
        "started": Some(it.started.into()),
        "state": Some(state),
        "volumeMounts": mounts(life, it),
    }))
}

/// Where a container has its volumes: that never changes.
fn mounts(life: &Life, container: &Container) -> Option<Value> {
    if let Some(before) = resize::status_of(&life.pod, &container.name) {
        return before.get("volumeMounts").cloned();
    }
    let one = |mount: &Value| -> Value {
        let read_only = mount.bool_at("readOnly") == Some(true);
        let recursive = matches!(mount.str_at("recursiveReadOnly"), Some("Enabled" | "IfPossible"));
        let is_recursive = if recursive { "Enabled" } else { "Disabled" };
        Value::Map(present!({
            "mountPath": mount.get("mountPath").cloned(),
            "name": mount.get("name").cloned(),
            "readOnly": read_only.then(|| true.into()),
            "recursiveReadOnly": read_only.then(|| is_recursive.into()),
        }))
    };
    let list: Vec<Value> = spec_of(&life.pod, container)?.list_at("volumeMounts").iter().map(one).collect();
    (!list.is_empty()).then(|| list.into())
}

/// The state of a container that has not ended.
fn state(it: &State) -> Value {
    match it {
        State::Waiting { reason, message } if message.is_empty() => value!({ "waiting": { "reason": *reason } }),
        State::Waiting { reason, message } => value!({ "waiting": { "message": message.as_str(), "reason": *reason } }),
        State::Running { since } => value!({ "running": { "startedAt": stamp(*since) } }),
        State::Terminated(_) => Value::map(),
    }
}

fn ended(id: &Str, it: &Ended, shared: &mut Shared) -> Value {
    Value::Map(present!({
        "containerID": Some(id.into()),
        "exitCode": Some(it.code.into()),
        "finishedAt": Some(shared.stamp(it.at)),
        "message": Some(&it.message).filter(|it| !it.is_empty()).map(Value::from),
        "reason": Some((&it.reason).into()),
        "startedAt": Some(shared.stamp(it.since)),
    }))
}

/// What the runtime calls the present run of a container.
pub(crate) fn container_id(pod_uid: &str, name: &str, restarts: i64) -> Str {
    let run = [pod_uid, "/", name, "/", &restarts.to_string()].concat();
    ["drydock://", &digest(&run)].concat().into()
}

/// 64 hexadecimal digits that a text determines.
pub(crate) fn digest(text: &str) -> String {
    let mixed = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, mixed);
    let mut out = String::with_capacity(64);
    for round in 0..4 {
        out.push_str(str::from_utf8(&value::hex(mixed(hash, round))).unwrap_or_default());
    }
    out
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
    let statuses = |list: &'static str, is_init: bool| -> Vec<Value> {
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
    for (key, address) in addresses(host_ip, ip) {
        if let Some(address) = address {
            status.insert(key, address);
        }
    }
    Value::Map(status)
}
