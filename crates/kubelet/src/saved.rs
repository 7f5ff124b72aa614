//! What kubelets keep in mind of pods when they begin anew, as far as the pods' statuses do not tell it.

use runtime::saved;
use sim::{Duration, Instant};
use value::{Map, Value, map, value};

use crate::kubelets::Kubelets;
use crate::life::{Container, Life, Next, State};
use crate::mounts::Mounts;

/// Why containers wait: texts that are written in code.
const REASONS: [&str; 10] = [
    "ContainerCreating",
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "PodInitializing",
    "PostStartHookError",
    "RunContainerError",
];

const NEXTS: [(&str, Next); 6] = [
    ("again", Next::Again),
    ("nothing", Next::Nothing),
    ("pull", Next::Pull),
    ("pulled", Next::Pulled),
    ("retry", Next::Retry),
    ("start", Next::Start),
];

impl Kubelets {
    pub(crate) fn saved_state(&self) -> Value {
        let mut lives: Map =
            self.kept.sorted().into_iter().map(|(key, it)| (key.to_string().into(), it.clone())).collect();
        for (key, life) in self.lives.sorted() {
            lives.insert(key.to_string(), saved_life(life));
        }
        let mut machines = Map::new();
        for (name, it) in self.machines.sorted() {
            let mut one = Map::new();
            for (field, at) in [("evicts", it.evicts_at), ("ready", it.ready_at)] {
                if let Some(at) = at {
                    one.insert(field, saved::instant(at));
                }
            }
            if !it.images.is_empty() {
                one.insert("images", it.images.iter().map(Value::from).collect::<Vec<_>>());
            }
            if !one.is_empty() {
                machines.insert(name.clone(), one);
            }
        }
        value!({ "lives": lives, "machines": machines })
    }

    pub(crate) fn take_up_state(&mut self, saved: &Value) {
        for (key, life) in saved.map_at("lives").into_iter().flat_map(Map::iter) {
            if let Some(key) = saved::to_key(key) {
                self.kept.insert(key, life.clone());
            }
        }
        for (name, it) in saved.map_at("machines").into_iter().flat_map(Map::iter) {
            if let Some(machine) = self.machines.get_mut(name) {
                let at = |field: &str| it.get(field).and_then(saved::to_instant);
                (machine.evicts_at, machine.ready_at) = (at("evicts"), at("ready"));
                machine.images = it.list_at("images").iter().filter_map(Value::as_shared_str).cloned().collect();
            }
        }
    }
}

/// What its pod's status does not tell.
fn saved_life(life: &Life) -> Value {
    let containers: Map =
        life.containers.iter().filter_map(|it| Some((it.name.clone(), saved_container(it)?))).collect();
    let mut res = map!({ "containers": containers, "uid": &life.uid });
    if let Some(it) = &life.mounts {
        res.insert("mounts", value!({ "at": saved::instant(it.at), "backOffMs": millis(it.back_off) }));
    }
    if life.stopping {
        res.insert("stopping", true);
        res.insert("hard", life.killed_hard);
        if let Some(at) = life.stop_at {
            res.insert("stopAt", saved::instant(at));
        }
    }
    if let Some((reason, message)) = life.failed.as_deref().filter(|_| !life.rejected) {
        res.insert("failed", value!([reason, message.as_str()]));
    }
    res.into()
}

fn saved_container(it: &Container) -> Option<Value> {
    if let State::Running { since } = it.state {
        let mut res = map!({ "since": saved::instant(since) });
        if it.next == Next::Killed {
            res.insert("killed", saved::instant(it.at));
        }
        return Some(res.into());
    }
    let (next, _) = NEXTS.iter().find(|(_, next)| *next == it.next)?;
    let mut res = value!({
        "at": saved::instant(it.at), "backOffMs": millis(it.back_off), "next": *next,
        "pullBegan": saved::instant(it.pull_began),
    });
    if let State::Waiting { reason, message } = &it.state {
        res.set("reason", *reason);
        res.set("message", message.as_str());
    }
    Some(res)
}

fn millis(it: Duration) -> i64 {
    i64::try_from(it.as_millis()).unwrap_or(i64::MAX)
}

fn to_duration(millis: Option<i64>) -> Duration {
    millis.and_then(|it| u64::try_from(it).ok()).map_or(Duration::ZERO, Duration::from_millis)
}

/// When the present run of a container began.
pub(crate) fn since(saved: &Value, container: &str) -> Option<Instant> {
    saved.map_at("containers")?.get(container)?.get("since").and_then(saved::to_instant)
}

/// A life that was begun from its pod's status goes on as it was saved.
pub(crate) fn go_on(life: &mut Life, saved: &Value) {
    if let Some(it) = saved.get("mounts") {
        let at = it.get("at").and_then(saved::to_instant).unwrap_or_default();
        life.mounts = Some(Box::new(Mounts { at, back_off: to_duration(it.i64_at("backOffMs")) }));
    }
    life.stopping = saved.bool_at("stopping") == Some(true);
    life.killed_hard = saved.bool_at("hard") == Some(true);
    life.stop_at = saved.get("stopAt").and_then(saved::to_instant);
    if let [reason, message] = saved.list_at("failed")
        && let Some(reason) = reason.as_shared_str()
    {
        life.failed = Some(Box::new((reason.clone(), message.as_str().unwrap_or_default().to_owned())));
    }
    for (name, it) in saved.map_at("containers").into_iter().flat_map(Map::iter) {
        let Some(container) = life.containers.iter_mut().find(|it| it.name == *name) else { continue };
        if let Some(at) = it.get("killed").and_then(saved::to_instant) {
            container.prospects.failures = None;
            container.plan(Next::Killed, at);
        } else if it.get("since").is_none() {
            wait_on(container, it);
        }
    }
}

fn wait_on(container: &mut Container, saved: &Value) {
    let at = |field: &str| saved.get(field).and_then(saved::to_instant);
    let next = NEXTS.iter().find(|(name, _)| saved.str_at("next") == Some(name));
    if let Some(reason) = saved.get("reason").and_then(known) {
        let message = saved.str_at("message").unwrap_or_default().to_owned();
        container.state = State::Waiting { reason, message };
    }
    if let Some((_, next)) = next {
        container.plan(*next, at("at").unwrap_or(Instant::END));
    }
    container.back_off = to_duration(saved.i64_at("backOffMs"));
    container.pull_began = at("pullBegan").unwrap_or_default();
}

fn known(reason: &Value) -> Option<&'static str> {
    REASONS.into_iter().find(|it| reason.as_str() == Some(it))
}
