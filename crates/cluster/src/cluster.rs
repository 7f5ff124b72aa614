//! The turn: deliver what changed, let everybody work, and when nothing is left jump to the next wake-up.

use apiserver::{ApiServer, Body, Chunk, StreamId, Tunnel};
use kinds::COMPONENT;
use meta::{Key, Revision, Status};
use runtime::{Indexes, News, Recorder, View, Wanted};
use scheduler::Scheduler;
use sim::{Duration, Instant};
use store::{Change, Cursor};

use crate::actors::{self, Role, Slot};
use crate::logs::LogStreams;
use crate::requests::Target;
use crate::snapshot::Inputs;
use crate::virtuals::N_SHOWN;
use crate::{Config, bootstrap, clock, logs, metrics};

/// Changes of one kind that are delivered at once.
const BATCH_CHANGES_MAX: usize = 4096;

/// A simulated cluster.
pub struct Cluster {
    pub(crate) api: ApiServer,
    pub(crate) slots: Vec<Slot>,
    /// When each slot next has something to do, side by side: every turn looks at all.
    wakeups: Vec<Instant>,
    /// The first of these.
    next_wakeup: Instant,
    pub(crate) config: Config,
    pub(crate) indexes: Indexes,
    pub(crate) recorder: Recorder,
    /// How far each kind's log has been delivered, and to which slots it goes.
    deliveries: Vec<Delivery>,
    /// Changes that are being delivered.
    batch: Vec<Change>,
    /// Everything up to and with this revision has been delivered.
    delivered: Revision,
    pub(crate) now: Instant,
    pub(crate) n_turns: u64,
    pub(crate) inputs: Inputs,
    pub(crate) log_streams: LogStreams,
    /// Simulated requests so far: who chooses between equals takes turns.
    pub(crate) n_requests: u64,
    /// Of what each kind that is not stored was last made.
    pub(crate) shown_versions: [Option<u64>; N_SHOWN],
}

struct Delivery {
    cursor: Cursor,
    /// With what they want.
    slots: Vec<(usize, Wanted)>,
}

/// What an [`Cluster::advance`] came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    pub now: Instant,
    /// Turns that did something.
    pub n_turns: u32,
    /// Whether everything that is due until the end was done; otherwise the budget ran out.
    pub done: bool,
}

impl Cluster {
    /// A cluster with its system objects and nodes, which has been up for a moment.
    pub fn new(config: &Config) -> Cluster {
        let mut cluster = Cluster::empty(config);
        let actors: Vec<&'static str> = cluster.slots.iter().map(|it| it.actor.name()).collect();
        cluster.now = began(config);
        bootstrap::objects(&mut cluster.api, cluster.now, config, &actors);
        cluster.restart_all();
        while !cluster.advance(config.start, u32::MAX).done {}
        // What is there at the beginning has been there for long.
        cluster.api.compact();
        cluster.restart_all();
        cluster
    }

    /// Without any object.
    pub(crate) fn empty(config: &Config) -> Cluster {
        let api = ApiServer::new(apiserver::Config { seed: config.seed, log_changes_max: config.log_changes_max });
        let slots = actors::all(config, &api);
        let mut deliveries: Vec<Delivery> = api
            .registry()
            .ids()
            .map(|kind| Delivery { cursor: Cursor { kind, seen: Revision::default() }, slots: Vec::new() })
            .collect();
        for (idx, slot) in slots.iter().enumerate() {
            for wanted in slot.wants() {
                deliveries[usize::from(wanted.kind.0)].slots.push((idx, *wanted));
            }
        }
        Cluster {
            deliveries,
            batch: Vec::new(),
            delivered: Revision::default(),
            api,
            wakeups: vec![Instant::END; slots.len()],
            next_wakeup: Instant::END,
            slots,
            config: config.clone(),
            indexes: Indexes::default(),
            recorder: Recorder::default(),
            now: config.start,
            n_turns: 0,
            inputs: Inputs::default(),
            log_streams: LogStreams::default(),
            n_requests: 0,
            shown_versions: [None; N_SHOWN],
        }
    }

    /// Virtual time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The store's revision.
    pub fn revision(&self) -> Revision {
        self.api.store().revision()
    }

    /// The API server, for who shows what is in it.
    pub fn api(&self) -> &ApiServer {
        &self.api
    }

    /// Answers a request at the present instant. A failure is an answer too.
    pub fn handle(&mut self, request: http::Request<Vec<u8>>) -> http::Response<Body> {
        self.record(&request);
        self.answer(request)
    }

    /// Answers a request that stores nothing, a dry run for one, so that the run goes on as if it had not been asked.
    pub fn look(&mut self, request: http::Request<Vec<u8>>) -> http::Response<Body> {
        let (chance, n_requests) = (self.api.rng_state(), self.n_requests);
        let response = self.answer(request);
        self.api.set_rng_state(chance);
        self.n_requests = n_requests;
        response
    }

    fn answer(&mut self, request: http::Request<Vec<u8>>) -> http::Response<Body> {
        if let Some(answer) = clock::handle(self, &request) {
            return answer;
        }
        if let Some(answer) = metrics::handle(self, &request) {
            return answer;
        }
        if metrics::lists_groups(self, &request) {
            let mut request = request;
            request.headers_mut().remove(http::header::ACCEPT_ENCODING);
            return metrics::add_group(self.api.handle(self.now, request));
        }
        self.refresh_for(request.uri().path());
        let stdin = if is_exec(request.uri().path()) { request.body().clone() } else { Vec::new() };
        let target = Target::of(&request);
        let (parts, body) = self.api.handle(self.now, request).into_parts();
        match body {
            Body::Tunnel(Tunnel::Log { namespace, pod, options }) => self.log(Key::new(namespace, pod), &options),
            Body::Tunnel(Tunnel::Request { review }) => self.network_request(&review),
            Body::Tunnel(Tunnel::Connect { namespace, pod, action: action @ ("exec" | "attach"), options }) => {
                self.exec(action, &Key::new(namespace, pod), &options, &stdin)
            }
            Body::Tunnel(Tunnel::Connect { namespace, pod, action: "proxy", options }) => {
                self.proxy(&Key::new(namespace, pod), &options, &target)
            }
            Body::Tunnel(Tunnel::Connect { action, .. }) => logs::failure(&no_connection(action)),
            body => http::Response::from_parts(parts, body),
        }
    }

    pub(crate) fn view(&self) -> View<'_> {
        View::new(&self.api, &self.indexes, self.now)
    }

    pub(crate) fn scheduler(&self) -> &Scheduler {
        let find = |it: &Slot| matches!(it.actor, Role::Scheduler(_));
        match self.slots.iter().find(|it| find(it)).map(|it| &it.actor) {
            Some(Role::Scheduler(it)) => it,
            _ => unreachable!("every cluster has a scheduler"),
        }
    }

    /// Lets everything happen that is due until `until`, in at most `budget` turns. Many small advances equal one large one.
    pub fn advance(&mut self, until: Instant, budget: u32) -> Progress {
        let mut n_turns = 0;
        loop {
            let due = self.next_wakeup().unwrap_or(Instant::END);
            if due > until {
                self.now = self.now.max(until);
                return Progress { now: self.now, n_turns, done: true };
            }
            if n_turns == budget {
                return Progress { now: self.now, n_turns, done: false };
            }
            self.now = self.now.max(due);
            self.turn();
            n_turns += 1;
        }
    }

    /// Lets everything happen that is due at the present instant.
    pub fn settle(&mut self, budget: u32) -> Progress {
        self.advance(self.now, budget)
    }

    /// When something happens next; the present or the past when there is work now. `None`: never, without a request.
    pub fn next_wakeup(&self) -> Option<Instant> {
        if self.has_undelivered() {
            return Some(self.now);
        }
        (self.next_wakeup < Instant::END).then(|| self.now.max(self.next_wakeup))
    }

    /// How many turns there have been.
    pub fn n_turns(&self) -> u64 {
        self.n_turns
    }

    /// What open streams have to send, at most `limit` chunks.
    pub fn pump(&mut self, limit: usize) -> Vec<(StreamId, Chunk)> {
        self.refresh_watched();
        let mut chunks = self.api.pump(self.now, limit);
        self.pump_logs(&mut chunks);
        chunks
    }

    /// The client of a stream has gone.
    pub fn close(&mut self, stream: StreamId) {
        if !self.close_log(stream) {
            self.api.close(stream);
        }
    }

    fn has_undelivered(&self) -> bool {
        self.delivered < self.api.store().revision()
    }

    fn turn(&mut self) {
        self.n_turns += 1;
        self.deliver();
        self.api.let_pass(self.now);
        let (now, mut next) = (self.now, Instant::END);
        for (idx, wakeup) in self.wakeups.iter_mut().enumerate() {
            if *wakeup <= now {
                let slot = &mut self.slots[idx];
                slot.work(&mut self.api, &self.indexes, &mut self.recorder, now);
                *wakeup = slot.next_wakeup();
            }
            next = next.min(*wakeup);
        }
        self.next_wakeup = next;
    }

    /// Reads from all slots when they have something to do.
    pub(crate) fn read_wakeups(&mut self) {
        self.wakeups = self.slots.iter().map(Slot::next_wakeup).collect();
        self.next_wakeup = self.wakeups.iter().min().copied().unwrap_or(Instant::END);
    }

    /// Brings indexes and queues up to date with the log.
    fn deliver(&mut self) {
        if !self.has_undelivered() {
            return;
        }
        let mut expired = false;
        let (store, batch) = (self.api.store(), &mut self.batch);
        let before = std::mem::replace(&mut self.delivered, store.revision());
        let mut last = None;
        while let Some(kind) = store.next_changed(before, last) {
            last = Some(kind);
            let Some(Delivery { cursor, slots }) = self.deliveries.get_mut(usize::from(kind.0)) else { continue };
            while cursor.seen < store.newest(kind) {
                if store.read(cursor, BATCH_CHANGES_MAX, batch).is_err() {
                    expired = true;
                    break;
                }
                if batch.is_empty() {
                    break;
                }
                let news = batch.iter().fold(News::default(), |all, it| all.or(News::of(it)));
                self.indexes.apply(kind, batch, news);
                let view = View::new(&self.api, &self.indexes, self.now);
                if kind == COMPONENT {
                    actors::read_components(&mut self.slots, &view);
                    self.wakeups = self.slots.iter().map(Slot::next_wakeup).collect();
                }
                for (idx, wanted) in slots.iter() {
                    let slot = &mut self.slots[*idx];
                    let is_wanted = wanted.meets(news, &view);
                    let is_news = (is_wanted || cfg!(debug_assertions)) && slot.deliver(kind, batch, news, &view);
                    debug_assert!(is_wanted || !is_news, "{} does not want all that concerns it", slot.actor.name());
                    if slot.begin_delay(self.now) || is_news {
                        self.wakeups[*idx] = slot.next_wakeup();
                    }
                }
                batch.clear();
            }
        }
        if expired {
            self.restart_all();
        }
    }

    /// Everybody lists again: at the beginning, and when the log was too short.
    pub(crate) fn restart_all(&mut self) {
        self.indexes = Indexes::default();
        self.delivered = self.api.store().revision();
        for Delivery { cursor, .. } in &mut self.deliveries {
            let all: Vec<Change> = self
                .api
                .store()
                .list(cursor.kind, None)
                .map(|it| Change { revision: it.meta.revision, before: None, after: Some(it.clone()) })
                .collect();
            self.indexes.apply(cursor.kind, &all, News::ANY);
            cursor.seen = self.delivered;
        }
        let view = View::new(&self.api, &self.indexes, self.now);
        for slot in &mut self.slots {
            slot.list(&view);
        }
        actors::read_components(&mut self.slots, &view);
        self.read_wakeups();
    }

    /// Advances to the next thing that happens, as a step of a debugger.
    pub fn step(&mut self, budget: u32) -> Progress {
        let next = self.next_wakeup().unwrap_or(self.now);
        self.advance(next, budget)
    }
}

/// When the machines of the beginning were switched on.
pub(crate) fn began(config: &Config) -> Instant {
    config.start - UP_BEFORE
}

/// How long before the beginning that users see.
const UP_BEFORE: Duration = Duration::from_secs(1);

/// Whether a request's body is what a command reads.
fn is_exec(path: &str) -> bool {
    path.ends_with("/exec") || path.ends_with("/attach")
}

/// What cannot be had here, and what can instead.
fn no_connection(action: &str) -> Status {
    let instead = "ask with `kubectl exec POD -- wget -qO- URL` or a NetworkRequest";
    Status::new(501, "NotImplemented", format!("{action} is not simulated: no bytes flow here; {instead}"))
}
