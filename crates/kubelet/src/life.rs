//! The life of one pod on its node: containers, their states and when they change.

use std::sync::Arc;

use meta::{Key, Object};
use sim::{Duration, Instant};
use value::{Str, Value};

use crate::behavior::Behavior;
use crate::foresight::Facts;
use crate::mounts::Mounts;
use crate::probes::Prospects;
use crate::resize::Deferred;

/// First and longest delay before a container that ended is started again, and how long it must run to be forgiven.
pub(crate) const CRASH_BACK_OFF: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(300));
pub(crate) const CRASH_FORGIVEN: Duration = Duration::from_secs(600);
/// The same for image pulls.
pub(crate) const PULL_BACK_OFF: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(300));

/// Where a container stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Waiting { reason: &'static str, message: String },
    Running { since: Instant },
    Terminated(Ended),
}

/// How a container ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ended {
    pub code: i64,
    pub reason: Str,
    pub since: Instant,
    pub at: Instant,
    /// Its last word, or why it could not begin.
    pub message: Str,
}

/// What a container will do next, when its time comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// Its turn has not come, or it ended for good, or it runs until it is stopped.
    Nothing,
    Pull,
    Pulled,
    Start,
    /// Ends by itself.
    Exit,
    /// Is to be killed.
    Kill,
    /// Has been told to end, and does.
    Killed,
    /// Is told to end because the others have: sidecars.
    Stop,
    Retry,
    /// It had ended when the kubelet was away: is it to be started again?
    Again,
}

/// One container's life.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub name: Str,
    /// Which of the pod's containers of its sort it is: they are never moved.
    pub place: usize,
    /// What the runtime calls its present run, once there was one.
    pub id: Str,
    /// Where it stands in the pod: `spec.containers{NAME}` or `spec.initContainers{NAME}`.
    pub field_path: Str,
    pub image: Str,
    pub is_init: bool,
    /// An init container that stays: `restartPolicy: Always`.
    pub is_sidecar: bool,
    pub pull_policy: Str,
    pub behavior: Arc<Behavior>,
    pub state: State,
    pub last: Option<Box<Ended>>,
    pub restarts: i64,
    pub ready: bool,
    pub started: bool,
    pub next: Next,
    /// When `next` happens.
    pub at: Instant,
    /// What happens to the present run by itself.
    pub prospects: Prospects,
    /// The present delay of restarts or pulls.
    pub back_off: Duration,
    pub pull_began: Instant,
}

/// One pod's life.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub key: Key,
    pub uid: Str,
    pub pod: Arc<Object>,
    /// `spec.activeDeadlineSeconds`
    pub deadline_seconds: Option<i64>,
    pub node: Str,
    pub ip: Str,
    pub host_ip: Str,
    pub host_ips: Value,
    pub began: Instant,
    pub containers: Vec<Container>,
    pub restart_policy: Str,
    /// Set while it is being stopped: when its containers end.
    pub stop_at: Option<Instant>,
    /// Containers were told to stop.
    pub stopping: bool,
    /// It ended by this and will not be restarted (`Evicted`, `DeadlineExceeded`).
    pub failed: Option<Box<(Str, String)>>,
    /// Its containers did not listen and are killed when the grace is over.
    pub killed_hard: bool,
    /// It was refused before anything began.
    pub rejected: bool,
    /// The network has changed since programs in it asked.
    pub hears_news: bool,
    /// Its volumes are not all there.
    pub mounts: Option<Box<Mounts>>,
    /// What its spec says of images and resources has been taken in up to this generation.
    pub taken_in: i64,
    /// It waits for room for a change of its resources.
    pub deferred: Option<Box<Deferred>>,
}

impl Container {
    /// `waits`: why it has not begun.
    pub fn of(facts: &Facts, place: usize, is_init: bool, waits: &'static str, behavior: Arc<Behavior>) -> Container {
        Container {
            field_path: facts.field_paths[usize::from(is_init)].clone(),
            name: facts.name.clone(),
            place,
            id: Str::default(),
            image: facts.image.clone(),
            is_init,
            is_sidecar: is_init && facts.restarts,
            pull_policy: facts.pull_policy.clone(),
            behavior,
            state: State::Waiting { reason: waits, message: String::new() },
            last: None,
            restarts: 0,
            ready: false,
            started: false,
            next: Next::Nothing,
            at: Instant::END,
            prospects: Prospects::default(),
            back_off: Duration::ZERO,
            pull_began: Instant::default(),
        }
    }

    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    /// Whether it runs or has ever run.
    pub fn was_started(&self) -> bool {
        !matches!(self.state, State::Waiting { .. }) || self.last.is_some()
    }

    /// Whether its image has been pulled for it before.
    pub fn had_image(&self) -> bool {
        self.was_started() || matches!(self.state, State::Waiting { reason: "CreateContainerConfigError", .. })
    }

    /// Lets it wait; how it ended is remembered.
    pub fn wait(&mut self, reason: &'static str, message: String) {
        if let State::Terminated(ended) = &self.state {
            self.last = Some(Box::new(ended.clone()));
        }
        self.state = State::Waiting { reason, message };
    }

    pub fn ended(&self) -> Option<&Ended> {
        match &self.state {
            State::Terminated(it) => Some(it),
            _ => None,
        }
    }

    /// Plans `next` for `at`.
    pub fn plan(&mut self, next: Next, at: Instant) {
        self.next = next;
        self.at = at;
    }

    /// Whether an init container lets the next one begin.
    pub fn lets_next_begin(&self) -> bool {
        if self.is_sidecar { self.started } else { self.ended().is_some_and(|it| it.code == 0) }
    }

    /// When probes next change something.
    pub fn probed_at(&self) -> Option<Instant> {
        if !self.is_running() {
            return None;
        }
        let Prospects { started, ready, failures, .. } = &self.prospects;
        let started = started.filter(|_| !self.started);
        let ready = ready.first().map(|(at, _)| *at);
        let failed = failures.as_ref().and_then(|it| it.next_at());
        [started, ready, failed].into_iter().flatten().min()
    }
}

impl Life {
    /// Takes a new state of the pod in.
    pub fn follow(&mut self, pod: &Arc<Object>) {
        self.deadline_seconds = pod.i64_at("spec.activeDeadlineSeconds");
        self.pod = pod.clone();
    }

    /// When anything happens next.
    pub fn next_at(&self) -> Option<Instant> {
        if self.stopping {
            return self.stop_at;
        }
        if let Some(mounts) = &self.mounts {
            return self.deadline().into_iter().chain([mounts.at]).min();
        }
        let next = self.containers.iter().filter(|it| it.next != Next::Nothing).map(|it| it.at);
        let probed = self.containers.iter().filter_map(Container::probed_at);
        let room = self.deferred.as_ref().map(|it| it.at);
        next.chain(probed).chain(self.deadline()).chain(room).min()
    }

    /// `activeDeadlineSeconds` from the start, while it runs.
    pub fn deadline(&self) -> Option<Instant> {
        let seconds = self.deadline_seconds?;
        let running = self.failed.is_none() && !self.is_over();
        running.then(|| self.began + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    }

    fn restarts_after(&self, container: &Container, code: i64) -> bool {
        if self.stopping || self.failed.is_some() {
            return false;
        }
        if container.is_sidecar {
            return !self.main_is_over();
        }
        match &*self.restart_policy {
            "Always" => !container.is_init || code != 0,
            "OnFailure" => code != 0,
            _ => false,
        }
    }

    /// Whether a container that ended with `code` is started again.
    pub fn restarts(&self, idx: usize, code: i64) -> bool {
        self.containers.get(idx).is_some_and(|it| self.restarts_after(it, code))
    }

    /// Whether a container has ended and stays so.
    fn is_done(&self, container: &Container) -> bool {
        let stays = matches!(container.next, Next::Nothing | Next::Again);
        stays && container.ended().is_some_and(|end| !self.restarts_after(container, end.code))
    }

    /// Whether all main containers have ended for good: then sidecars end too.
    pub fn main_is_over(&self) -> bool {
        self.containers.iter().filter(|it| !it.is_init).all(|it| self.is_done(it))
    }

    /// `Pending`, `Running`, `Succeeded` or `Failed` (`getPhase`).
    pub fn phase(&self) -> &'static str {
        if self.failed.is_some() {
            return "Failed";
        }
        let init_failed = self
            .containers
            .iter()
            .any(|it| it.is_init && !it.is_sidecar && it.ended().is_some_and(|end| end.code != 0) && self.is_done(it));
        if init_failed {
            return "Failed";
        }
        let main = self.containers.iter().filter(|it| !it.is_init);
        let waits = |it: &Container| matches!(it.state, State::Waiting { .. }) && it.last.is_none();
        if main.clone().any(waits) {
            return "Pending";
        }
        let sidecar_runs = self.containers.iter().any(|it| it.is_sidecar && it.is_running());
        if !self.main_is_over() || (sidecar_runs && self.restart_policy != "Always") {
            return "Running";
        }
        let succeeded = main.clone().all(|it| it.ended().is_some_and(|end| end.code == 0));
        if succeeded { "Succeeded" } else { "Failed" }
    }

    pub fn is_over(&self) -> bool {
        matches!(self.phase(), "Succeeded" | "Failed")
    }

    /// Whether the init containers have done their part.
    pub fn initialized(&self) -> bool {
        let main_ran = self.containers.iter().any(|it| !it.is_init && (it.is_running() || it.ended().is_some()));
        main_ran || self.containers.iter().filter(|it| it.is_init).all(Container::lets_next_begin)
    }

    /// Whether a program in it asks the network, and goes on by what it hears.
    pub fn asks(&self) -> bool {
        self.containers.iter().any(|it| it.is_running() && it.prospects.asks)
    }

    /// Whether nothing will happen to it by time alone, so that it need not be remembered.
    pub fn rests(&self) -> bool {
        !self.stopping && self.next_at().is_none()
    }
}
