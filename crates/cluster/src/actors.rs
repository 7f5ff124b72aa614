//! Everybody who acts, in the order in which a turn lets them.

use apiserver::{ApiServer, Caller};
use kinds::COMPONENT;
use kubelet::Kubelets;
use meta::{Key, KindId};
use runtime::{Actor, Cx, Indexes, News, Recorder, View, Wanted};
use scheduler::Scheduler;
use sim::{Duration, Instant, Rng};
use store::Change;
use value::Value;

use crate::{Config, KubeletMode};

/// An actor with what belongs to it.
pub(crate) struct Slot {
    pub actor: Role,
    pub rng: Rng,
    pub caller: Caller,
    wants: Vec<Wanted>,
    /// As its Component object says.
    running: bool,
    /// How long after a change it acts, unless its Component object says otherwise.
    reaction: Duration,
    delay: Duration,
    /// With a delay: when the work that came meanwhile may be done.
    not_before: Instant,
    /// When it next has something to do. Only what this slot hands on to the actor changes that.
    wakeup: Option<Instant>,
}

/// Actors that answer questions are known by their type.
pub(crate) enum Role {
    Controller(Box<dyn Actor>),
    Scheduler(Box<Scheduler>),
    Kubelets(Box<Kubelets>),
}

impl std::ops::Deref for Role {
    type Target = dyn Actor;
    fn deref(&self) -> &(dyn Actor + 'static) {
        match self {
            Role::Controller(it) => it.as_ref(),
            Role::Scheduler(it) => it.as_ref(),
            Role::Kubelets(it) => it.as_ref(),
        }
    }
}

impl std::ops::DerefMut for Role {
    fn deref_mut(&mut self) -> &mut (dyn Actor + 'static) {
        match self {
            Role::Controller(it) => it.as_mut(),
            Role::Scheduler(it) => it.as_mut(),
            Role::Kubelets(it) => it.as_mut(),
        }
    }
}

/// All of them.
pub(crate) fn all(config: &Config, api: &ApiServer) -> Vec<Slot> {
    let kubelet_manager = if config.kubelet == KubeletMode::Fast { "fakekubelet" } else { "kubelet" };
    let mut roles: Vec<(Role, Caller)> =
        controllers::all(api.registry().ids().collect(), config.kubelet == KubeletMode::Real)
            .into_iter()
            .map(|(actor, event_source)| {
                (Role::Controller(actor), Caller::component("kube-controller-manager", event_source))
            })
            .collect();
    roles.push((Role::Scheduler(Box::new(Scheduler::new())), Caller::component("kube-scheduler", "default-scheduler")));
    roles.push((
        Role::Kubelets(Box::new(Kubelets::new(config.kubelet, crate::cluster::began(config), crate::exec::client))),
        Caller::component(kubelet_manager, "kubelet"),
    ));
    roles
        .into_iter()
        .map(|(actor, caller)| Slot {
            rng: Rng::stream(config.seed, actor.name()),
            wants: actor.wants(),
            reaction: config.reaction * reaction(actor.name()),
            actor,
            caller,
            running: true,
            delay: Duration::ZERO,
            not_before: Instant::default(),
            wakeup: None,
        })
        .collect()
}

/// In units of the configured reaction time, how long an actor takes to act on a change. Most are quicker than anybody can look.
fn reaction(actor: &str) -> u32 {
    match actor {
        "scheduler" => 1,
        // It lets the scheduler see new nodes before it trusts them.
        "node-lifecycle-controller" => 5,
        _ => 0,
    }
}

impl Slot {
    /// The changes that it is told of.
    pub fn wants(&self) -> &[Wanted] {
        &self.wants
    }

    /// Whether it works, as its Component object says.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// Takes changes of a kind in, which are about `news`. Answers whether its next wake-up may be another one.
    pub fn deliver(&mut self, kind: KindId, changes: &[Change], news: News, view: &View<'_>) -> bool {
        let is_news = self.running && self.actor.deliver(kind, changes, news, view);
        if is_news {
            self.note_wakeup();
        }
        is_news
    }

    /// Begins its delay, if it has one, because something happened to a kind that it wants. Answers whether its next wake-up may be
    /// another one.
    #[inline]
    pub fn begin_delay(&mut self, now: Instant) -> bool {
        let begins = !self.delay.is_zero() && self.running && self.not_before <= now;
        if begins {
            self.not_before = now + self.delay;
            self.note_wakeup();
        }
        begins
    }

    /// Starts from the present state.
    pub fn list(&mut self, view: &View<'_>) {
        self.actor.list(view);
        self.note_wakeup();
    }

    /// Goes on with what it knew.
    pub fn take_up(&mut self, saved: &Value) {
        self.actor.take_up(saved);
        self.note_wakeup();
    }

    pub fn work(&mut self, api: &mut ApiServer, indexes: &Indexes, recorder: &mut Recorder, now: Instant) {
        let mut cx = Cx::new(api, indexes, recorder, &mut self.rng, now, &mut self.caller);
        self.actor.work(&mut cx);
        cx.store_events();
        cx.end();
        self.note_wakeup();
    }

    /// When it next has something to do; the end of time where it waits for a change.
    pub fn next_wakeup(&self) -> Instant {
        self.wakeup.unwrap_or(Instant::END)
    }

    fn note_wakeup(&mut self) {
        self.wakeup = self.actor.next_wakeup().filter(|_| self.running).map(|it| it.max(self.not_before));
    }

    /// Takes the state and delay of its Component object over; one that starts again looks at everything anew.
    pub fn read_component(&mut self, view: &View<'_>) {
        let component = view.get(COMPONENT, &Key::cluster(self.actor.name()));
        let running = component.is_none_or(|it| it.str_at("spec.state") != Some("Stopped"));
        let delay = component.and_then(|it| it.i64_at("spec.delay")).and_then(|it| u64::try_from(it).ok());
        self.delay = delay.map_or(self.reaction, Duration::from_secs);
        if running && !self.running {
            self.running = true;
            self.actor.list(view);
        }
        self.running = running;
        self.note_wakeup();
    }
}

/// Reads every Component, after a restart.
pub(crate) fn read_components(slots: &mut [Slot], view: &View<'_>) {
    for slot in slots {
        slot.read_component(view);
    }
}
