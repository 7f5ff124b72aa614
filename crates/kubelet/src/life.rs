//! The life of one pod on its node: containers, their states and when they change.

use std::sync::Arc;

use meta::{Key, Object};
use sim::{Duration, Instant};
use value::{Str, Value};

use crate::behavior::Behavior;

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
}

/// What a container will do next, when its time comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// Its turn has not come, or it ended for good.
    Nothing,
    Pull,
    Pulled,
    Start,
    Exit,
    Retry,
}

/// One container's life.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub name: Str,
    pub image: Str,
    pub is_init: bool,
    /// An init container that stays: `restartPolicy: Always`.
    pub is_sidecar: bool,
    pub pull_policy: Str,
    pub behavior: Behavior,
    /// From the start to readiness when it has a readiness probe.
    pub probe_delay: Duration,
    pub state: State,
    pub last: Option<Ended>,
    pub restarts: i64,
    pub ready: bool,
    pub started: bool,
    pub next: Next,
    /// When `next` happens.
    pub at: Instant,
    /// When it becomes ready; `None` when it is or never will be.
    pub ready_at: Option<Instant>,
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
    pub node: Str,
    pub ip: Str,
    pub host_ip: Str,
    pub began: Instant,
    pub containers: Vec<Container>,
    pub restart_policy: Str,
    /// Set while it is being stopped: when its containers end.
    pub stop_at: Option<Instant>,
    /// Containers were told to stop.
    pub stopping: bool,
    /// It ended by this and will not be restarted (`Evicted`, `DeadlineExceeded`).
    pub failed: Option<(&'static str, String)>,
}

impl Container {
    pub fn of(spec: &Value, is_init: bool, behavior: Behavior) -> Container {
        let text = |key: &str| spec.get(key).and_then(Value::as_shared_str).cloned().unwrap_or_default();
        let probe = spec.get("readinessProbe");
        let seconds = |it: &Value, key: &str| u64::try_from(it.i64_at(key).unwrap_or(0)).unwrap_or(0);
        let startup = spec.get("startupProbe").map_or(0, |it| seconds(it, "initialDelaySeconds") + 1);
        let probe_delay = probe.map_or(0, |it| seconds(it, "initialDelaySeconds") + 1) + startup;
        Container {
            name: text("name"),
            image: text("image"),
            is_init,
            is_sidecar: is_init && spec.str_at("restartPolicy") == Some("Always"),
            pull_policy: text("imagePullPolicy"),
            behavior,
            probe_delay: Duration::from_secs(probe_delay),
            state: State::Waiting {
                reason: if is_init { "PodInitializing" } else { "ContainerCreating" },
                message: String::new(),
            },
            last: None,
            restarts: 0,
            ready: false,
            started: false,
            next: Next::Nothing,
            at: Instant::END,
            ready_at: None,
            back_off: Duration::ZERO,
            pull_began: Instant::default(),
        }
    }

    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
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
}

impl Life {
    /// When anything happens next.
    pub fn next_at(&self) -> Option<Instant> {
        if self.stopping {
            return self.stop_at;
        }
        let next = self.containers.iter().filter(|it| it.next != Next::Nothing).map(|it| it.at);
        let ready = self.containers.iter().filter_map(|it| it.ready_at);
        next.chain(ready).chain(self.deadline()).min()
    }

    /// `activeDeadlineSeconds` from the start, while it runs.
    pub fn deadline(&self) -> Option<Instant> {
        let seconds = self.pod.i64_at("spec.activeDeadlineSeconds")?;
        let running = self.failed.is_none() && !self.is_over();
        running.then(|| self.began + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    }

    fn restarts_after(&self, container: &Container, code: i64) -> bool {
        if self.stopping || self.failed.is_some() {
            return false;
        }
        if container.is_sidecar {
            return true;
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

    /// `Pending`, `Running`, `Succeeded` or `Failed` (`getPhase`).
    pub fn phase(&self) -> &'static str {
        if self.failed.is_some() {
            return "Failed";
        }
        let init_failed = self.containers.iter().any(|it| {
            it.is_init
                && !it.is_sidecar
                && it.ended().is_some_and(|end| end.code != 0 && !self.restarts_after(it, end.code))
        });
        if init_failed {
            return "Failed";
        }
        let mut main = self.containers.iter().filter(|it| !it.is_init);
        if !self.initialized() || main.clone().any(|it| matches!(it.state, State::Waiting { .. }) && it.last.is_none())
        {
            return "Pending";
        }
        let over = |it: &Container| it.ended().is_some_and(|end| !self.restarts_after(it, end.code));
        if !main.clone().all(over) {
            return "Running";
        }
        if main.all(|it| it.ended().is_some_and(|end| end.code == 0)) { "Succeeded" } else { "Failed" }
    }

    pub fn is_over(&self) -> bool {
        matches!(self.phase(), "Succeeded" | "Failed")
    }

    /// Whether the init containers have done their part.
    pub fn initialized(&self) -> bool {
        self.containers.iter().filter(|it| it.is_init).all(Container::lets_next_begin)
    }
}
