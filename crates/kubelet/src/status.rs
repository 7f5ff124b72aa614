//! A pod's status as its kubelet reports it.

mod conditions;

use meta::Object;
use sim::Instant;
use value::{List, Map, Str, Value, map, present, time, value};

use self::conditions::Standing;
pub(crate) use self::conditions::gates;
use crate::life::{Container, Ended, Life, State};
use crate::machine::Network;
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
    /// Where containers have volumes, by `volumeMounts` of their specs.
    mounts: Recent<List, List>,
}

impl Shared {
    fn stamp(&mut self, at: Instant) -> Value {
        self.stamps.answer(at.secs(), |it| time::format_secs(*it).into())
    }

    fn conditions(&mut self, life: &Life, phase: &'static str, now: Instant) -> List {
        let Shared { stamps, conditions, .. } = self;
        let stamp = |it: &i64| time::format_secs(*it).into();
        conditions.answer(Standing::of(life, phase, now.secs()), |it| it.conditions(&stamps.answer(now.secs(), stamp)))
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
    let conditions = shared.conditions(life, phase, now);
    let changed = |key: &'static str, now: Value| before.at(key).is_none_or(|it| *it != now).then_some(now);
    let [host_ip, host_ips, pod_ip, pod_ips] = match before.at("podIP") {
        Some(_) => Default::default(),
        None => addresses(&life.host_ip, &life.host_ips, &life.ip).map(|(_, it)| it),
    };
    let (reason, message) =
        life.failed.as_deref().map(|(reason, message)| (reason.into(), message.as_str().into())).unzip();
    Value::Map(before.merged(&present!({
        "conditions": changed("conditions", conditions.into()),
        "containerStatuses": main.and_then(|it| changed("containerStatuses", it)),
        "hostIP": host_ip,
        "hostIPs": host_ips,
        "initContainerStatuses": init.and_then(|it| changed("initContainerStatuses", it)),
        "message": message,
        "observedGeneration": changed("observedGeneration", life.pod.meta.generation.into()),
        "phase": changed("phase", Value::Str(Str::literal(phase))),
        "podIP": pod_ip,
        "podIPs": pod_ips,
        "reason": reason,
        "startTime": changed("startTime", shared.stamp(life.began)),
    })))
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
fn addresses(host_ip: &Str, host_ips: &Value, ip: &Str) -> [(&'static str, Option<Value>); 4] {
    let pod_ip = Some(ip).filter(|it| !it.is_empty());
    [
        ("hostIP", Some(host_ip.into())),
        ("hostIPs", Some(host_ips.clone())),
        ("podIP", pod_ip.map(Value::from)),
        ("podIPs", pod_ip.map(|it| value!([{ "ip": it }]))),
    ]
}

/// One entry of `containerStatuses`.
fn container_status(life: &Life, it: &Container, shared: &mut Shared) -> Value {
    let before = before(&life.pod, it);
    let [given, asked] = resize::given(life, it, before);
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
        "volumeMounts": match before {
            Some(before) => before.at("volumeMounts").cloned(),
            None => mounts(life, it, shared).map(Value::from),
        },
    }))
}

/// What the pod's status says of a container: as a rule in its place.
fn before<'a>(pod: &'a Object, container: &Container) -> Option<&'a Value> {
    let list = pod.list_at(if container.is_init { "status.initContainerStatuses" } else { "status.containerStatuses" });
    let is_it = |it: &&Value| it.str_at("name") == Some(&container.name);
    list.get(container.place).filter(is_it).or_else(|| list.iter().find(is_it))
}

/// Where a container has its volumes: that never changes.
fn mounts(life: &Life, container: &Container, shared: &mut Shared) -> Option<List> {
    let mounts = spec_of(&life.pod, container)?.at("volumeMounts")?.as_list().filter(|it| !it.is_empty())?;
    Some(shared.mounts.answer(mounts.clone(), |it| it.iter().map(mount).collect()))
}

fn mount(mount: &Value) -> Value {
    let read_only = mount.bool_at("readOnly") == Some(true);
    let recursive = matches!(mount.str_at("recursiveReadOnly"), Some("Enabled" | "IfPossible"));
    let is_recursive = if recursive { "Enabled" } else { "Disabled" };
    Value::Map(present!({
        "mountPath": mount.get("mountPath").cloned(),
        "name": mount.get("name").cloned(),
        "readOnly": read_only.then(|| true.into()),
        "recursiveReadOnly": read_only.then(|| is_recursive.into()),
    }))
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
    let mut id = *b"drydock://----------------------------------------------------------------";
    if let Some(place) = id.last_chunk_mut() {
        *place = digits(&[pod_uid, "/", name, "/", &restarts.to_string()]);
    }
    str::from_utf8(&id).unwrap_or_default().into()
}

/// 64 hexadecimal digits that a text determines.
pub(crate) fn digest(text: &str) -> String {
    str::from_utf8(&digits(&[text])).unwrap_or_default().to_owned()
}

/// The same of a text in parts.
fn digits(text: &[&str]) -> [u8; 64] {
    let mixed = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in text {
        hash = part.bytes().fold(hash, mixed);
    }
    let mut digits = [0; 64];
    for (round, place) in (0..).zip(digits.as_chunks_mut().0) {
        *place = value::hex(mixed(hash, round));
    }
    digits
}

/// The status that the fast mode gives a pod at once: running and ready, or succeeded.
pub(crate) fn fast(pod: &Object, network: &Network, ip: &Str, now: Instant, succeeded: bool) -> Value {
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
    for (key, address) in addresses(&network.host_ip, &network.host_ips, ip) {
        if let Some(address) = address {
            status.insert(key, address);
        }
    }
    Value::Map(status)
}
