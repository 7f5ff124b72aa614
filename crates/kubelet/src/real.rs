//! The real mode: a pod's life from its binding to its end.

use std::sync::Arc;

use kinds::POD;
use meta::{Key, Object, Status};
use runtime::{Cx, EventSource, View};
use sim::Instant;
use value::{Str, Value, time};

use crate::events::Events;
use crate::kubelets::{Kubelets, NAME, is_live, is_on, node_of};
use crate::life::{CRASH_BACK_OFF, Container, Ended, Life, Next, State};
use crate::machine::Network;
use crate::outside::Outside;
use crate::probes::Why;
use crate::{admission, behavior, changes, mounts, nodes, preemption, references, resize, saved, status, steps};

impl Kubelets {
    /// Takes a new state of a pod in; answers whether it is to be looked at.
    pub(crate) fn pod_of_life(&mut self, pod: &Arc<Object>, before: Option<&Object>) -> bool {
        if let Some(life) = self.lives.get_mut(&pod.key()).filter(|it| it.uid == pod.meta.uid) {
            // What it wrote itself tells it nothing.
            let is_own = Arc::ptr_eq(&life.pod, pod);
            life.follow(pod);
            return !is_own;
        }
        if !pod.meta.is_deleted() && matches!(pod.str_at("status.phase"), Some("Succeeded" | "Failed")) {
            return false;
        }
        // A pod at rest is woken by what may change its life: not by its own status, but by others' conditions in it.
        !before.is_some_and(|it| {
            it.meta.deleted == pod.meta.deleted
                && it.at("spec") == pod.at("spec")
                && status::gates(it) == status::gates(pod)
        })
    }

    /// A new life, or the one that the pod's status tells of; none on a machine without power, where nobody hears of pods.
    /// `has_room`: others make room for it.
    pub(crate) fn begin(
        &self,
        view: &View<'_>,
        pod: &Arc<Object>,
        rebooted: bool,
        has_room: bool,
    ) -> Option<Box<Life>> {
        let node = pod.at("spec.nodeName").and_then(Value::as_shared_str).cloned().unwrap_or_default();
        let machine = self.machines.get(&node).filter(|it| is_on(&it.object))?;
        let Network { host_ip, host_ips, .. } = machine.network.clone();
        let init = pod.list_at("spec.initContainers");
        let waits = if init.is_empty() { "ContainerCreating" } else { "PodInitializing" };
        let container = |(place, it): (usize, &Value), is_init| {
            let facts = self.foresight.facts(it);
            Container::of(&facts, place, is_init, waits, behavior::of(view, pod, it, is_init))
        };
        let init = init.iter().enumerate().map(|it| container(it, true));
        let main = pod.list_at("spec.containers").iter().enumerate().map(|it| container(it, false));
        let mut life = Life {
            key: pod.key(),
            uid: pod.meta.uid.clone(),
            pod: pod.clone(),
            deadline_seconds: pod.i64_at("spec.activeDeadlineSeconds"),
            node,
            ip: Str::default(),
            host_ip,
            host_ips,
            began: pod.str_at("status.startTime").and_then(time::parse_nanos).map_or(view.now, Instant::from_nanos),
            containers: init.chain(main).collect(),
            restart_policy: pod.at("spec.restartPolicy").and_then(Value::as_shared_str).cloned().unwrap_or_default(),
            stop_at: None,
            stopping: false,
            failed: None,
            killed_hard: false,
            rejected: false,
            hears_news: false,
            mounts: None,
            // Where nothing has begun there is nothing to change.
            taken_in: if has_ip(pod) { -1 } else { pod.meta.generation },
            deferred: resize::deferred(pod, view.now),
        };
        if is_new(pod) {
            life.failed = admission::refusal(view, &machine.object, pod, has_room).map(Box::new);
            life.rejected = life.failed.is_some();
        }
        let outside = Outside { view: *view, pod, foresight: &self.foresight, images: &machine.images };
        let kept = self.kept.get(&life.key).filter(|it| !rebooted && it.str_at("uid") == Some(&life.uid));
        for container in &mut life.containers {
            let since = kept.and_then(|it| saved::since(it, &container.name));
            resume(container, &outside, rebooted, since);
        }
        if let Some(kept) = kept {
            saved::go_on(&mut life, kept);
        }
        Some(Box::new(life))
    }

    pub(crate) fn live(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<(), Status> {
        let mut life = match self.lives.remove(key) {
            Some(it) => it,
            None => {
                let Some(pod) = cx.get(POD, key) else { return Ok(()) };
                let rebooted = self.rebooting.contains(node_of(&pod));
                let room = is_new(&pod).then(|| preemption::room(&cx.view(), &pod)).flatten();
                let life = self.begin(&cx.view(), &pod, rebooted, room.is_some());
                self.kept.remove(key);
                let Some(mut life) = life else { return Ok(()) };
                match room.filter(|_| !life.rejected) {
                    Some(Ok(victims)) => self.preempt(cx, victims)?,
                    Some(Err(why)) => {
                        life.failed = Some(Box::new(("UnexpectedAdmissionError".into(), why)));
                        life.rejected = true;
                    }
                    None => (),
                }
                life
            }
        };
        let res = self.live_on(cx, &mut life);
        let gone = matches!(res, Ok(true));
        if let Some(at) = life.next_at() {
            self.timers.set(at, key.clone());
        }
        match life.asks() {
            true => self.asking.insert(key.clone()),
            false => self.asking.remove(key),
        };
        match life.deferred.is_some() && !gone {
            true => self.waiting.insert(key.clone()),
            false => self.waiting.remove(key),
        };
        // What was not written must be remembered.
        if !gone && (!life.rests() || res.is_err()) {
            self.lives.insert(key.clone(), life);
        }
        res.map(|_| ())
    }

    /// Lets happen what is due, and reports it. Answers whether the pod is gone.
    fn live_on(&mut self, cx: &mut Cx<'_>, life: &mut Life) -> Result<bool, Status> {
        let now = cx.now();
        let Some(machine) = self.machines.get_mut(&life.node) else { return Ok(true) };
        let reachable = is_live(&machine.object);
        let mut events = Events::default();
        let pod = life.pod.clone();
        let outside = Outside { view: cx.view(), pod: &pod, foresight: &self.foresight, images: &machine.images };
        if pod.meta.is_deleted() || life.failed.as_deref().is_some_and(|it| it.0 == preemption::REASON) {
            steps::begin_stop(life, now, &mut events, &outside);
        }
        if life.ip.is_empty()
            && !life.rejected
            && (life.stopping || has_ip(&pod) || mounts::mount(life, now, &outside, &mut events))
        {
            life.ip = nodes::pod_ip(cx, &machine.network, &pod);
            if !life.stopping
                && !has_ip(&pod)
                && let Some(message) = references::missing_pull_secrets(&outside.view, &pod)
            {
                events.pod("Warning", "FailedToRetrieveImagePullSecret", message);
            }
        }
        if std::mem::take(&mut life.hears_news) {
            ask_again(life, &outside);
        }
        if life.taken_in != pod.meta.generation || life.deferred.is_some() {
            life.taken_in = pod.meta.generation;
            changes::take_in(life, now, &outside);
            resize::take_in(life, now, &outside, &mut events);
        }
        steps::advance(life, now, &mut events, &outside);
        machine.images.extend(events.pulled);
        if !reachable {
            return Ok(false);
        }
        let source = EventSource { component: NAME, host: &life.node };
        if let Some((reason, message)) = life.failed.as_deref().filter(|_| life.rejected) {
            cx.event_from(source, &life.pod, "Warning", reason, message, "");
        }
        for event in events.list {
            cx.event_from(source, &life.pod, event.level, event.reason, &event.message, &event.field_path);
        }
        life.pod = cx.update_status(&life.pod, status::of(life, now, &mut self.shared))?;
        if life.stopping && life.stop_at.is_none() && life.pod.meta.is_deleted() {
            cx.delete_now(POD, &life.key)?;
            return Ok(true);
        }
        Ok(false)
    }
}

/// Whether no kubelet has begun a pod.
fn is_new(pod: &Object) -> bool {
    pod.str_at("status.startTime").is_none() && !pod.meta.is_deleted()
}

/// Whether a pod has had its address, and so its volumes.
fn has_ip(pod: &Object) -> bool {
    pod.at("status.podIP").is_some()
}

/// Programs that ask the network hear what it says now: they may end otherwise.
fn ask_again(life: &mut Life, outside: &Outside<'_>) {
    for container in &mut life.containers {
        let State::Running { since } = container.state else { continue };
        if container.prospects.asks && matches!(container.next, Next::Nothing | Next::Exit) {
            container.prospects.exit = outside.prospects(container, since).exit;
            steps::plan_end(container);
        }
    }
}

/// Takes up a container where the pod's status left it, as after a restart of the kubelet or of the whole machine.
/// `exact`: when the present run began, which the status says in seconds only.
fn resume(container: &mut Container, outside: &Outside<'_>, rebooted: bool, exact: Option<Instant>) {
    let (now, pod) = (outside.view.now, outside.pod);
    let list = if container.is_init { "status.initContainerStatuses" } else { "status.containerStatuses" };
    let Some(status) = pod.list_at(list).iter().find(|it| it.str_at("name") == Some(&container.name)) else { return };
    container.restarts = status.i64_at("restartCount").unwrap_or(0);
    container.id = status::container_id(&pod.meta.uid, &container.name, container.restarts);
    let (first, max) = CRASH_BACK_OFF;
    if let Ok(shift) = u32::try_from(container.restarts - 1) {
        container.back_off = first.saturating_mul(1_u32.checked_shl(shift).unwrap_or(u32::MAX)).min(max);
    }
    container.last = status.at("lastState.terminated").map(|it| Box::new(ended(it, now)));
    if let Some(since) = status.str_at("state.running.startedAt").and_then(time::parse_nanos) {
        let shown = Instant::from_nanos(since);
        let since = exact.filter(|it| it.secs() == shown.secs()).unwrap_or(shown);
        container.state = State::Running { since };
        if rebooted {
            let ended = Ended { code: 255, reason: "Unknown".into(), since, at: now, message: Str::default() };
            container.state = State::Terminated(ended);
            container.plan(Next::Retry, now);
            return;
        }
        container.ready = status.bool_at("ready") == Some(true);
        container.started = status.bool_at("started") == Some(true);
        container.prospects = outside.prospects(container, since);
        // What should have happened meanwhile happens now; what did happen is in the status.
        let (ready, started) = (container.ready, container.started);
        container.prospects.ready.retain(|(at, it)| *at > now || *it != ready);
        container.prospects.started.take_if(|_| started);
        if let Some(failures) = &mut container.prospects.failures {
            failures.skip(now);
        }
        container.prospects.killed.take_if(|it| matches!(it.1, Why::Hook(_)) && it.0 < now);
        if let Some(image) = status.get("image").and_then(Value::as_shared_str) {
            container.image = image.clone();
        }
        steps::plan_end(container);
        return;
    }
    if let Some(end) = status.at("state.terminated") {
        container.ready = status.bool_at("ready") == Some(true);
        container.state = State::Terminated(ended(end, now));
        // Whether it is to be started again is found out by its pod.
        container.plan(Next::Again, now);
    } else if let Some(end) =
        container.last.as_ref().filter(|_| status.str_at("state.waiting.reason") == Some("CrashLoopBackOff"))
    {
        let message = status.str_at("state.waiting.message").unwrap_or("").to_owned();
        let at = (end.at + container.back_off).max(now);
        container.state = State::Waiting { reason: "CrashLoopBackOff", message };
        container.back_off = (container.back_off * 2).min(max);
        container.plan(Next::Retry, at);
    }
}

fn ended(end: &Value, now: Instant) -> Ended {
    let at = |field: &'static str| end.str_at(field).and_then(time::parse_nanos).map_or(now, Instant::from_nanos);
    Ended {
        code: end.i64_at("exitCode").unwrap_or(0),
        reason: end.str_at("reason").unwrap_or("").into(),
        since: at("startedAt"),
        at: at("finishedAt"),
        message: end.get("message").and_then(Value::as_shared_str).cloned().unwrap_or_default(),
    }
}
