//! Drives the engine: time by the wall clock, requests as they come, and at most twenty pictures a second.

use std::collections::BTreeSet;
use std::rc::Rc;

use cluster::{Cluster, Config, Instant, KubeletMode};
use view::model::{Clock, NodeState, Ref, RequestRow, Why};
use view::tree::{self, Branch};
use view::{Screen, clock, diff};
use web::{Ask, ComponentRow, Part, Session, Tell};

use crate::client::{self, Engine};
use crate::commands::{Commands, Ended};
use crate::console::{self, Console};
use crate::pace::{Pace, TURNS_AT_ONCE};
use crate::{compare, complete, components, details, manifest, tell, tell_snapshot, verdicts, wall_ms};

/// Between two pictures.
const PICTURE_MS: u64 = 50;
/// The clock is shown at least so often, which also says that the worker lives.
const CLOCK_MS: u64 = 250;
const HEARTBEAT_MS: u64 = 1_000;
/// Verdicts and details cost more and are read slowly.
const SLOW_MS: u64 = 300;
/// The tree is small, and read while it changes.
const TREE_MS: u64 = 100;
const NANOS_A_SECOND: u64 = 1_000_000_000;
/// One part of the time, at most, goes into them.
const SLOW_SHARE: u64 = 8;
/// Pairs of a node and a pod up to which verdicts come with each picture.
const QUICK_PAIRS_MAX: usize = 1_000;
/// Virtual time that first nodes may take to be Ready.
const BOOT_NANOS_MAX: u64 = 120_000_000_000;
/// Changes of each kind that watches and differences can go back to.
const LOG_CHANGES_MAX: usize = 4_096;
/// Requests that one picture carries.
const REQUESTS_MAX: usize = 500;
/// A reload takes about as long at most, beside what it takes to read a snapshot.
const CHECKPOINT_MS: u64 = 1_500;
/// With more objects it would take so long that the app thinks the engine has stopped.
const CHECKPOINT_OBJECTS_MAX: usize = 20_000;
/// Who only looks around needs none.
const UNTIL_CHECKPOINT_NANOS: u64 = 60 * NANOS_A_SECOND;
/// Checkpoints take at most one part of the time.
const CHECKPOINT_SHARE: u64 = 16;
/// Virtual time after which a jump to the next event gives up.
const JUMP_NANOS_MAX: u64 = 7 * 24 * 3_600_000_000_000;
const JUMP_TURNS_MAX: u32 = 100_000;
/// A step over more virtual time than this is explained.
const FAR_NANOS: u64 = 20 * NANOS_A_SECOND;

pub struct Host {
    engine: Engine,
    screen: Screen,
    console: Console,
    /// What the page around a frame runs.
    commands: Commands,
    pace: Pace,
    start: u64,
    /// Wall time of the last picture and of the last slow one.
    shown_at: u64,
    slow_at: u64,
    /// How long the last slow one took; the next waits a multiple of that.
    slow_ms: u64,
    /// The revision of the last slow picture, and of the last one.
    slow_revision: u64,
    shown_revision: u64,
    requests_seen: u64,
    is_behind: bool,
    /// What the Clock object said last.
    clock_speed: String,
    /// How long it took to come here from the last checkpoint, and what that took.
    spent_ms: u64,
    checkpoint_ms: u64,
    selected: Option<(Ref, String)>,
    opened: Option<(Ref, Part)>,
    /// The components as the app has them, while they are shown.
    components: Option<Vec<Rc<ComponentRow>>>,
    /// The manifest that is compared with what is there, and what the app knows of that.
    compared: Option<(String, Option<Tell>)>,
    /// The virtual second of what the drawer shows.
    opened_secs: u64,
    /// Owners whose rows are closed, while the tree is shown; and the rows as the app has them.
    tree: Option<BTreeSet<String>>,
    tree_rows: Vec<Rc<Branch>>,
    tree_revision: u64,
    tree_at: u64,
}

impl Host {
    /// A cluster after a session, which may go on from a snapshot, or a fresh one with the machines of a scenario, all Ready.
    pub fn boot(session: &Session, base: &str, scenario: &str) -> Host {
        let begin = wall_ms();
        let config = Config {
            seed: session.seed,
            start: Instant::from_nanos(session.start),
            n_nodes: 0,
            kubelet: KubeletMode::Real,
            log_changes_max: LOG_CHANGES_MAX,
            ..Config::default()
        };
        let cluster = match base {
            "" => Cluster::new(&config),
            // The app says that the engine stopped, and why.
            base => Cluster::restore(base.as_bytes()).unwrap_or_else(|it| wasm_bindgen::throw_str(&it)),
        };
        let mut engine = Engine::new(cluster);
        replay(&mut engine, session);
        if !scenario.is_empty() {
            manifest::apply(&mut engine, scenario);
            until_nodes_ready(&mut engine);
        }
        let (now, wall) = (engine.cluster.now().nanos(), wall_ms());
        let screen = Screen::new(engine.cluster.api().store(), engine.cluster.api().registry());
        let clock_speed = engine.cluster.clock_speed().unwrap_or_default();
        let requests_seen = engine.cluster.api().requests().count();
        let mut host = Host {
            engine,
            screen,
            console: Console::default(),
            commands: Commands::default(),
            pace: Pace::new(wall, now),
            start: session.start,
            shown_at: 0,
            slow_at: 0,
            slow_ms: 0,
            slow_revision: 0,
            shown_revision: 0,
            requests_seen,
            is_behind: false,
            clock_speed,
            spent_ms: wall_ms().saturating_sub(begin),
            checkpoint_ms: 0,
            selected: None,
            opened: None,
            components: None,
            compared: None,
            opened_secs: 0,
            tree: None,
            tree_rows: Vec::new(),
            tree_revision: 0,
            tree_at: 0,
        };
        host.show();
        tell(&Tell::Ready { revision: host.engine.cluster.revision().0 });
        host
    }

    pub fn hear(&mut self, ask: Ask) {
        let begin = wall_ms();
        self.answer(ask);
        self.spent_ms += wall_ms().saturating_sub(begin);
    }

    fn answer(&mut self, ask: Ask) {
        match ask {
            // These are not for a host that stands.
            Ask::Boot { .. } | Ask::Call { .. } => (),
            Ask::Apply { id, text } => {
                let manifest::Result { outcomes, problems, .. } = manifest::apply(&mut self.engine, &text);
                self.acknowledge();
                tell(&Tell::Applied { id, outcomes, problems });
            }
            Ask::Delete { id, text } => {
                let manifest::Result { outcomes, problems, .. } = manifest::delete(&mut self.engine, &text);
                self.acknowledge();
                tell(&Tell::Applied { id, outcomes, problems });
            }
            Ask::Send { id, request } => self.send(id, &request),
            Ask::Select { target, text } => {
                self.selected = target.map(|it| (it, text));
                if self.selected.is_none() {
                    tell(&Tell::Why { why: None, lines: Vec::new() });
                }
                self.show_slow();
            }
            Ask::Pace { quarters, is_paused } => {
                self.pace.set(quarters, is_paused, wall_ms(), self.now());
                self.show();
            }
            Ask::Step => self.step(),
            Ask::NextEvent => self.jump(false),
            Ask::NextRun => self.jump(true),
            Ask::Open { target, part } => {
                self.opened = target.map(|it| (it, part));
                self.show_slow();
            }
            Ask::Request { from, url } => {
                let way = details::send(&mut self.engine, &from, &url);
                self.acknowledge();
                tell(&Tell::Way { way });
            }
            Ask::Kubectl { id, line } => {
                let ended = self.commands.start(&mut self.engine, id, &line, &[], kubectl::Input::default());
                self.acknowledge();
                ended.into_iter().for_each(answer);
            }
            Ask::Tree { is_shown, closed } => {
                self.tree = is_shown.then(|| closed.into_iter().collect());
                self.show_tree(true);
            }
            Ask::Components { is_shown } => {
                self.components = is_shown.then(Vec::new);
                self.show_slow();
            }
            Ask::Compare { text } => {
                self.compared = text.map(|it| (it, None));
                self.show_slow();
            }
            Ask::Diff { revision } => self.diff(revision),
            Ask::Line { text, manifest } => {
                self.console.start(&mut self.engine, &text, &manifest);
                self.acknowledge();
            }
            Ask::Typed { line } => {
                self.console.typed(&mut self.engine, line.as_deref());
                self.acknowledge();
            }
            Ask::Interrupt => {
                self.console.interrupt(&mut self.engine);
                self.acknowledge();
            }
            Ask::CompleteLine { id, text } => {
                let found = console::completions(&mut self.engine, &text);
                tell(&Tell::Completions { id, found });
            }
            Ask::Check { id, text } => {
                let problems = manifest::read(&text).err().into_iter().collect();
                tell(&Tell::Problems { id, problems });
            }
            Ask::CompleteYaml { id, text, line, column } => {
                let found = complete::completions(&self.engine, &text, line, column);
                tell(&Tell::Completions { id, found });
            }
            Ask::Hover { id, text, line, column } => {
                let text = complete::hover(&self.engine, &text, line, column).unwrap_or_default();
                tell(&Tell::Hover { id, text });
            }
        }
    }

    /// Follows the Clock object when somebody gives it another speed.
    fn follow_clock(&mut self) {
        let speed = self.engine.cluster.clock_speed().unwrap_or_default();
        if speed == self.clock_speed {
            return;
        }
        self.pace.follow(&speed, wall_ms(), self.now());
        self.clock_speed = speed;
    }

    fn now(&self) -> u64 {
        self.engine.cluster.now().nanos()
    }

    fn send(&mut self, id: u32, request: &web::Request) {
        let Some(request) = client::request(request) else {
            return tell(&Tell::Answer { id, code: 400, body: "not a request".to_owned() });
        };
        let response = self.engine.handle(request);
        self.acknowledge();
        let code = response.status().as_u16();
        let body = match response.into_body() {
            cluster::Body::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            // Answers are whole.
            cluster::Body::Watch(stream) => {
                self.engine.cluster.close(stream);
                return tell(&Tell::Answer { id, code: 400, body: "a watch has no end to answer with".to_owned() });
            }
            cluster::Body::Tunnel(_) => String::new(),
        };
        tell(&Tell::Answer { id, code, body });
    }

    /// Tells the app what was handled, so that it is kept.
    fn acknowledge(&mut self) {
        if !self.engine.inputs.is_empty() {
            tell(&Tell::Inputs { inputs: std::mem::take(&mut self.engine.inputs) });
        }
    }

    fn diff(&mut self, revision: u64) {
        let api = self.engine.cluster.api();
        let text = match Screen::change(api.store(), api.registry(), revision) {
            Some(change) => diff::whole(change.before.as_deref(), change.after.as_deref()),
            None => "The log of changes no longer reaches back to this one.".to_owned(),
        };
        tell(&Tell::Diff { revision, text });
    }

    // ── Time ──

    /// Works for a while; answers the milliseconds until there is something to do again.
    pub fn work(&mut self) -> u32 {
        let begin = wall_ms();
        let has_more = self.pass_time();
        self.spent_ms += wall_ms().saturating_sub(begin);
        self.checkpoint();
        self.console.poll(&mut self.engine);
        self.commands.poll_all(&mut self.engine).into_iter().for_each(answer);
        self.acknowledge();
        self.follow_clock();
        let wall = wall_ms();
        let since = wall.saturating_sub(self.shown_at);
        let has_news = self.screen.has_news() || self.requests_seen != self.engine.cluster.api().requests().count();
        let clock_moves = !self.pace.is_paused;
        if (has_news && since >= PICTURE_MS) || (clock_moves && since >= CLOCK_MS) || since >= HEARTBEAT_MS {
            self.show();
        }
        let is_stale = self.engine.cluster.revision().0 != self.slow_revision || self.opened_is_late();
        if wall.saturating_sub(self.slow_at) >= SLOW_MS.max(self.slow_ms * SLOW_SHARE) && is_stale {
            self.show_slow();
        }
        if wall.saturating_sub(self.tree_at) >= TREE_MS && self.engine.cluster.revision().0 != self.tree_revision {
            self.show_tree(false);
        }
        if has_more {
            return 0;
        }
        let wall = wall_ms();
        let due = self.engine.cluster.next_wakeup().and_then(|it| self.pace.wait_ms(wall, it.nanos()));
        let picture = if clock_moves { CLOCK_MS } else { HEARTBEAT_MS };
        let picture = if has_news { PICTURE_MS } else { picture }.saturating_sub(wall.saturating_sub(self.shown_at));
        let res = due.map_or(picture, |it| it.min(picture)).max(1);
        u32::try_from(res).unwrap_or(1)
    }

    /// Brings virtual time towards where it should be; answers whether there is more to do at once.
    fn pass_time(&mut self) -> bool {
        let Host { engine, screen, pace, .. } = self;
        let mut observe = |cluster: &Cluster| screen.observe(cluster.api().store(), cluster.now().nanos());
        let has_more = pace.pass(&mut engine.cluster, &mut observe);
        self.is_behind = has_more && self.pace.quarters != 0;
        has_more
    }

    /// Once it would take long to do everything again, a snapshot takes the place of what led here.
    ///
    /// Everybody who acts begins anew at it, so that this cluster and one that is brought back go on alike.
    fn checkpoint(&mut self) {
        let is_long = self.spent_ms >= CHECKPOINT_MS.max(self.checkpoint_ms * CHECKPOINT_SHARE);
        let rests = self.engine.cluster.next_wakeup().is_none_or(|it| it > self.engine.cluster.now());
        let is_early = self.now().saturating_sub(self.start) < UNTIL_CHECKPOINT_NANOS;
        if !is_long || !rests || is_early || self.n_objects() > CHECKPOINT_OBJECTS_MAX {
            return;
        }
        self.acknowledge();
        let begin = wall_ms();
        tell_snapshot(&self.engine.cluster.checkpoint());
        self.checkpoint_ms = wall_ms().saturating_sub(begin);
        self.spent_ms = 0;
    }

    fn n_objects(&self) -> usize {
        let api = self.engine.cluster.api();
        api.registry().ids().map(|it| api.store().len(it)).sum()
    }

    fn observe(&mut self) {
        let now = self.now();
        self.screen.observe(self.engine.cluster.api().store(), now);
    }

    /// Time stands, and one turn is done: everybody who has something to do does it once.
    fn step(&mut self) {
        let quarters = self.pace.quarters;
        let (revision, before) = (self.engine.cluster.revision(), self.now());
        for _ in 0..JUMP_TURNS_MAX {
            let n_turns = self.engine.cluster.step(1).n_turns;
            self.observe();
            if n_turns == 0 || self.engine.cluster.revision() != revision {
                break;
            }
        }
        self.pace.set(quarters, true, wall_ms(), self.now());
        self.show();
        self.say_step(revision.0, before);
    }

    /// Says what a step has done that went far, or nowhere.
    fn say_step(&self, revision: u64, before: u64) {
        let span = self.now().saturating_sub(before);
        let api = self.engine.cluster.api();
        let text = match Screen::change(api.store(), api.registry(), revision + 1) {
            None if span == 0 => "Nothing is due: everything rests until something is changed.".to_owned(),
            None => format!("{} went by, and nothing changed.", clock::span(span)),
            Some(_) if span < FAR_NANOS => return,
            Some(change) => {
                format!("{} went by until the next thing: {}.", clock::span(span), self.screen.deed(&change))
            }
        };
        tell(&Tell::Said { text });
    }

    /// On to the next instant at which something changes, or at which a Job is made.
    fn jump(&mut self, to_job: bool) {
        let kind = kinds::JOB;
        let state = |cluster: &Cluster| match to_job {
            true => {
                cluster.api().store().list(kind, None).filter_map(|it| it.meta.created).max().map_or(0, |it| it as u64)
            }
            false => cluster.revision().0,
        };
        let before = state(&self.engine.cluster);
        let end = self.now().saturating_add(JUMP_NANOS_MAX);
        for _ in 0..JUMP_TURNS_MAX {
            let Some(due) = self.engine.cluster.next_wakeup().filter(|it| it.nanos() <= end) else { break };
            self.engine.cluster.advance(due, TURNS_AT_ONCE);
            self.observe();
            if state(&self.engine.cluster) != before {
                break;
            }
        }
        self.pace.rebase(wall_ms(), self.now());
        self.show();
    }

    // ── Pictures ──

    fn clock(&self) -> Clock {
        Clock {
            now: self.now(),
            turn: self.engine.cluster.n_turns(),
            start: self.start,
            revision: self.engine.cluster.revision().0,
            quarters: self.pace.quarters,
            is_paused: self.pace.is_paused,
            next: self.engine.cluster.next_wakeup().map_or(0, Instant::nanos),
            is_behind: self.is_behind,
        }
    }

    fn show(&mut self) {
        self.observe();
        let mut update = self.screen.take_update();
        update.clock = self.clock();
        let (requests, n_skipped) = self.new_requests();
        update.requests = requests;
        update.n_skipped = update.n_skipped.saturating_add(n_skipped);
        let why = self.quick_verdicts();
        tell(&Tell::Update { update, why });
        self.shown_at = wall_ms();
    }

    /// Verdicts on the selected object as of this picture, where they are soon found.
    fn quick_verdicts(&mut self) -> Option<(Why, Vec<u32>)> {
        let (target, text) = self.selected.as_ref()?;
        let revision = self.engine.cluster.revision().0;
        let is_news = std::mem::replace(&mut self.shown_revision, revision) != revision;
        let store = self.engine.cluster.api().store();
        let is_quick = store.len(kinds::NODE) * store.len(kinds::POD) <= QUICK_PAIRS_MAX;
        (is_news && is_quick).then(|| verdicts::of(&mut self.engine, &self.screen, target, text))
    }

    fn new_requests(&mut self) -> (Vec<Rc<RequestRow>>, u32) {
        let api = self.engine.cluster.api();
        let seen = std::mem::replace(&mut self.requests_seen, api.requests().count());
        let new = api.requests().iter().rev().take_while(|it| it.number > seen).take(REQUESTS_MAX);
        let mut rows: Vec<Rc<RequestRow>> = new
            .filter(|it| &*it.component != client::LOOKING)
            .map(|it| {
                let cause = it.cause.as_ref().map(|cause| {
                    let kind = api.registry().get(cause.kind).map(|it| it.kind.to_string()).unwrap_or_default();
                    Ref::new(&kind, &cause.key.namespace, &cause.key.name).to_string()
                });
                Rc::new(RequestRow {
                    number: it.number,
                    at: it.at.nanos(),
                    component: it.component.to_string(),
                    verb: it.verb.to_owned(),
                    path: api.request_path(it).to_string(),
                    code: it.code,
                    cause: cause.unwrap_or_default(),
                })
            })
            .collect();
        rows.reverse();
        let n_skipped = (self.requests_seen - seen).saturating_sub(REQUESTS_MAX as u64);
        (rows, u32::try_from(n_skipped).unwrap_or(u32::MAX))
    }

    /// Whether something is shown that says how far it is, and time has gone on.
    fn opened_is_late(&self) -> bool {
        let moves = self.opened.as_ref().is_some_and(|(_, part)| *part == Part::Overview);
        (moves || self.components.is_some()) && self.now() / NANOS_A_SECOND != self.opened_secs
    }

    /// Tells the rows of the tree if they are others than before, or if that was asked for.
    fn show_tree(&mut self, must: bool) {
        self.tree_at = wall_ms();
        self.tree_revision = self.engine.cluster.revision().0;
        self.observe();
        let Some(closed) = &self.tree else {
            self.tree_rows.clear();
            return;
        };
        let store = self.engine.cluster.api().store();
        let rows = tree::rows(&self.screen, store, closed, self.engine.cluster.now().secs());
        let is_same = rows.len() == self.tree_rows.len() && rows.iter().zip(&self.tree_rows).all(|(a, b)| *a == **b);
        if must || !is_same {
            self.tree_rows = rows.into_iter().map(Rc::new).collect();
            tell(&Tell::Tree { rows: self.tree_rows.clone() });
        }
    }

    fn show_slow(&mut self) {
        let begin = wall_ms();
        self.observe();
        if let Some((target, text)) = &self.selected {
            let (why, lines) = verdicts::of(&mut self.engine, &self.screen, target, text);
            tell(&Tell::Why { why: Some(why), lines });
        }
        if let Some((target, part)) = &self.opened {
            tell(&Tell::Details { details: details::of(&mut self.engine, target, *part) });
        }
        if let Some(known) = &mut self.components {
            let rows = components::of(&mut self.engine);
            if *known != rows {
                tell(&Tell::Components { rows: rows.clone() });
                *known = rows;
            }
        }
        if let Some((text, told)) = &mut self.compared {
            let found = compare::of(&mut self.engine, text);
            if told.as_ref() != Some(&found) {
                tell(&found);
                *told = Some(found);
            }
        }
        self.opened_secs = self.now() / NANOS_A_SECOND;
        // Looking is no input, and its requests are not shown.
        self.slow_revision = self.engine.cluster.revision().0;
        self.slow_at = wall_ms();
        self.slow_ms = self.slow_at.saturating_sub(begin);
    }
}

/// Says what a command printed, with a code as of HTTP.
fn answer(Ended { id, code, output, errors }: Ended) {
    let code = if code == 0 { 200 } else { 400 };
    tell(&Tell::Answer { id, code, body: output + &errors });
}

/// Does everything again that a session holds.
fn replay(engine: &mut Engine, session: &Session) {
    let n = session.inputs.len();
    for (idx, input) in session.inputs.iter().enumerate() {
        if idx % 16 == 15 {
            tell(&Tell::Replaying { permille: u32::try_from(idx * 1000 / n).unwrap_or(0) });
        }
        go_to(&mut engine.cluster, input.at, input.turn);
        if let Some(request) = client::request(&input.request) {
            engine.cluster.handle(request);
        }
    }
    go_to(&mut engine.cluster, session.at, session.turn);
}

/// Lets as many turns pass as had passed at a moment that was kept.
fn go_to(cluster: &mut Cluster, at: u64, turn: u64) {
    let at = Instant::from_nanos(at);
    while cluster.n_turns() < turn {
        let left = u32::try_from(turn - cluster.n_turns()).unwrap_or(u32::MAX);
        if cluster.advance(at, left).n_turns == 0 {
            break;
        }
    }
    cluster.advance(at, 0);
}

/// Lets time pass until every machine's node is Ready.
pub fn until_nodes_ready(engine: &mut Engine) {
    let end = engine.cluster.now().nanos() + BOOT_NANOS_MAX;
    let n_machines = Screen::new(engine.cluster.api().store(), engine.cluster.api().registry()).n_machines();
    loop {
        let nodes = Screen::new(engine.cluster.api().store(), engine.cluster.api().registry()).nodes();
        // The taint of a node that is new goes a moment after it is Ready.
        let is_settled = |it: &&view::model::Node| {
            it.state == NodeState::Ready && !it.taints.iter().any(|it| it.starts_with("node.kubernetes.io/"))
        };
        let n_ready = nodes.iter().filter(is_settled).count();
        let due = engine.cluster.next_wakeup().filter(|it| it.nanos() <= end);
        let Some(due) = due.filter(|_| n_ready < n_machines) else { return };
        engine.cluster.advance(due, TURNS_AT_ONCE);
    }
}
