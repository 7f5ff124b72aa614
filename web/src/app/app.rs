//! The whole state of what is seen, and what happens to it.

use std::collections::BTreeMap;
use std::rc::Rc;

use gloo::events::EventListener;
use gloo::timers::callback::{Interval, Timeout};
use js_sys::{Array, Function, Object, Reflect, Uint8Array};
use view::board::{Board, Cell};
use view::clock::grouped;
use view::model::{Ref, Update, Why};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web::{Ask, Completion, Details, Input, Outcome, Problem, Session, Tell};
use yew::prelude::*;

use crate::act::{Act, Dialog, Pane, Size, Tab};
use crate::cluster::Cluster;
use crate::console::Log;
use crate::dialogs::DialogView;
use crate::drawer::Drawer;
use crate::engine::Engine;
use crate::icons::icon;
use crate::kept::{self, Kept};
use crate::manifest::{AskEditor, EditorQuestion, Manifest};
use crate::split::Splitter;
use crate::streams::Streams;
use crate::top::Top;
use crate::{examples, js, keys, page};

/// Without a word for so long, the engine counts as stopped. It says something every second.
const SILENCE_MS_MAX: u64 = 6_000;
const WATCHDOG_MS: u32 = 1_000;
/// How long changes gather before they are kept.
const KEEP_MS: u32 = 400;
const TOAST_MS: u32 = 8_000;
/// More changes at once than this are not animated.
const MOVES_MAX: usize = 50;
/// Above this speed, in quarters, nothing is animated.
const CALM_QUARTERS: u32 = 40;
const SEED: u64 = 1;
/// 1 January 2026, 09:00 UTC.
const START: u64 = 1_767_258_000_000_000_000;
/// A line for screen readers at most this often.
const SAY_MS: u64 = 1_000;

pub enum Msg {
    Act(Act),
    Heard(Rc<Tell>),
    EngineFailed(String),
    Watchdog,
    /// What this browser or the link has kept.
    Begin(Result<Option<Box<Kept>>, String>),
    Question(EditorQuestion, Function),
    Keep,
    ToastOver(u32),
    Toast { is_bad: bool, text: String },
    Imported(String),
    Remote { method: String, params: String, reply: Function, refuse: Function },
}

struct Toast {
    id: u32,
    is_bad: bool,
    text: String,
}

struct OpenDrawer {
    target: Ref,
    details: Option<Rc<Details>>,
    is_left: bool,
}

/// Where an answer goes.
enum Pending {
    Manifest,
    Machine,
    Editor(Function),
    Line,
    Remote(Function),
}

pub struct App {
    engine: Engine,
    board: Board,
    cells: Rc<Vec<Rc<Cell>>>,
    is_ready: bool,
    notice: String,
    /// Revision at which the engine was last heard, while it is being started again.
    restarting: Option<u64>,
    n_failures: u32,
    last_heard: u64,
    session: Session,
    text: AttrValue,
    text_version: u32,
    problems: Rc<Vec<Problem>>,
    said: Option<Rc<(bool, String)>>,
    is_busy: bool,
    go_to: Option<(u32, u32, u32)>,
    marks: Rc<Vec<u32>>,
    selection: Option<Ref>,
    why: Option<Rc<Why>>,
    focus: Option<Ref>,
    drawer: Option<OpenDrawer>,
    dialog: Option<Dialog>,
    tab: Tab,
    size: Size,
    pane: Pane,
    is_table: bool,
    diff: Option<Rc<(u64, String)>>,
    log: Rc<Log>,
    toasts: Vec<Toast>,
    n_ids: u32,
    pending: BTreeMap<u32, Pending>,
    /// The sentence for screen readers, and when it was last changed.
    spoken: (String, u64),
    moves: bool,
    embed: Option<&'static str>,
    is_read_only: bool,
    runs_at_start: bool,
    keeping: Option<Timeout>,
    _watchdog: Interval,
    _keys: Option<EventListener>,
}

impl Component for App {
    type Message = Msg;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> Self {
        let watchdog = {
            let link = ctx.link().clone();
            Interval::new(WATCHDOG_MS, move || link.send_message(Msg::Watchdog))
        };
        begin(ctx);
        App {
            engine: start_engine(ctx),
            board: Board::default(),
            cells: Rc::default(),
            is_ready: false,
            notice: "Four machines are starting.".to_owned(),
            restarting: None,
            n_failures: 0,
            last_heard: page::wall_ms(),
            session: fresh(),
            text: examples::find(examples::FIRST).map_or("", |it| it.text).into(),
            text_version: 0,
            problems: Rc::default(),
            said: None,
            is_busy: false,
            go_to: None,
            marks: Rc::default(),
            selection: None,
            why: None,
            focus: None,
            drawer: None,
            dialog: None,
            tab: Tab::Watch,
            size: Size::Middle,
            pane: Pane::Cluster,
            is_table: false,
            diff: None,
            log: Rc::default(),
            toasts: Vec::new(),
            n_ids: 0,
            pending: BTreeMap::new(),
            spoken: (String::new(), 0),
            moves: false,
            embed: embed_view(),
            is_read_only: page::parameter("readonly").as_deref() == Some("1"),
            runs_at_start: false,
            keeping: None,
            _watchdog: watchdog,
            _keys: listen_to_keys(ctx),
        }
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Act(act) => self.act(ctx, act),
            Msg::Heard(tell) => self.hear(ctx, Rc::unwrap_or_clone(tell)),
            Msg::EngineFailed(message) => self.restart(ctx, &message),
            Msg::Watchdog => return self.watch(ctx),
            Msg::Begin(kept) => self.begin(ctx, kept),
            Msg::Question(question, resolve) => return self.question(question, resolve),
            Msg::Keep => return self.keep(ctx),
            Msg::ToastOver(id) => self.toasts.retain(|it| it.id != id),
            Msg::Toast { is_bad, text } => self.toast(ctx, is_bad, text),
            Msg::Imported(text) => self.import(ctx, &text),
            Msg::Remote { method, params, reply, refuse } => self.remote(ctx, &method, &params, reply, &refuse),
        }
        true
    }

    fn rendered(&mut self, _ctx: &Context<Self>, _first: bool) {
        if std::mem::take(&mut self.moves) {
            js::after_move();
        }
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let on = ctx.link().callback(Msg::Act);
        let ask: AskEditor = {
            let link = ctx.link().clone();
            Rc::new(move |question, resolve| link.send_message(Msg::Question(question, resolve)))
        };
        let pane = match self.pane {
            Pane::Manifest => "manifest",
            Pane::Cluster => "cluster",
            Pane::Streams => "streams",
            Pane::Console => "console",
        };
        let size = match self.size {
            Size::Low => "low",
            Size::Middle => "",
            Size::Tall => "tall",
        };
        let view = self.embed.map(|it| classes!("embed", format!("view-{it}")));
        html! {
            <>
                <main class={classes!("app", view)} data-pane={pane}>
                    <Top clock={self.board.clock.clone()} is_ready={self.is_ready} on={on.clone()} />
                    <div class="panes">
                        <Manifest text={self.text.clone()} version={self.text_version} problems={self.problems.clone()} marks={self.marks.clone()}
                            go_to={self.go_to} said={self.said.clone()} is_ready={self.is_ready} is_busy={self.is_busy}
                            is_read_only={self.is_read_only} {ask} on={on.clone()} />
                        <Splitter is_upright={true} />
                        <div class={classes!("side", size)}>
                            <Cluster cells={self.cells.clone()} lane={self.board.lane.clone()} workloads={self.board.workloads.clone()} why={self.why.clone()}
                                selection={self.selection.clone()} focus={self.focus.clone()} is_ready={self.is_ready} is_table={self.is_table}
                                notice={self.notice.clone()} on={on.clone()} />
                            <Splitter is_upright={false} />
                            <Streams watch={self.board.watch.clone()} events={self.board.events.clone()} requests={self.board.requests.clone()}
                                tab={self.tab} size={self.size} focus={self.focus.clone()} diff={self.diff.clone()} log={self.log.clone()}
                                is_ready={self.is_ready} on={on.clone()} />
                        </div>
                    </div>
                    { pane_bar(self.pane, &on) }
                    if self.pane != Pane::Manifest {
                        <button type="button" class="button primary float-apply" disabled={!self.is_ready || self.is_busy}
                            onclick={{ let on = on.clone(); Callback::from(move |_: MouseEvent| on.emit(Act::Apply)) }}>{ "Apply" }</button>
                    }
                </main>
                if let Some(drawer) = &self.drawer {
                    <Drawer target={drawer.target.clone()} details={drawer.details.clone()} is_left={drawer.is_left} on={on.clone()} />
                }
                if let Some(dialog) = &self.dialog { <DialogView dialog={dialog.clone()} on={on.clone()} /> }
                { self.view_toasts(&on) }
                <p class="for-readers" role="status" aria-live="polite">{ self.spoken.0.clone() }</p>
            </>
        }
    }
}

fn fresh() -> Session {
    Session { seed: SEED, start: START, at: START, ..Session::default() }
}

fn start_engine(ctx: &Context<App>) -> Engine {
    Engine::start(ctx.link().callback(Msg::Heard), ctx.link().callback(Msg::EngineFailed))
}

fn listen_to_keys(ctx: &Context<App>) -> Option<EventListener> {
    let window = web_sys::window()?;
    let link = ctx.link().clone();
    let options = gloo::events::EventListenerOptions::enable_prevent_default();
    Some(EventListener::new_with_options(&window, "keydown", options, move |event| {
        let Some(key) = event.dyn_ref::<web_sys::KeyboardEvent>() else { return };
        if let Some(act) = keys::meaning(key) {
            key.prevent_default();
            link.send_message(Msg::Act(act));
        }
    }))
}

fn embed_view() -> Option<&'static str> {
    page::parameter("embed").filter(|it| it == "1")?;
    Some(match page::parameter("view").as_deref() {
        Some("editor") => "editor",
        Some("cluster") => "cluster",
        Some("console") => "console",
        _ => "split",
    })
}

/// Finds what to begin with: the link's state, an example that it names, or what this browser has kept.
fn begin(ctx: &Context<App>) {
    let link = ctx.link().clone();
    let fragment = page::fragment();
    let is_embedded = embed_view().is_some();
    spawn_local(async move {
        let found = match fragment.strip_prefix(kept::LINK_PREFIX) {
            Some(payload) => match JsFuture::from(js::unpack(payload)).await {
                Ok(bytes) => Kept::open(&Uint8Array::new(&bytes).to_vec()).map(|it| Some(Box::new(it))),
                Err(_) => Err("It is damaged."),
            }
            .map_err(|it| format!("This link cannot be opened. {it} A fresh cluster was started instead.")),
            None if fragment.starts_with('d') && fragment.contains(':') => {
                Err("This link was made by a newer version. A fresh cluster was started instead.".to_owned())
            }
            None if fragment.starts_with("example/") || is_embedded => Ok(None),
            None => match JsFuture::from(js::load(kept::KEY)).await {
                Ok(bytes) if bytes.is_instance_of::<Uint8Array>() => {
                    let kept = Kept::open(&Uint8Array::new(&bytes).to_vec()).map(|it| Some(Box::new(it)));
                    kept.map_err(|it| format!("The last state in this browser cannot be read. {it} A fresh cluster was started instead."))
                }
                _ => Ok(None),
            },
        };
        link.send_message(Msg::Begin(found));
    });
}

fn pane_bar(pane: Pane, on: &Callback<Act>) -> Html {
    let panes = [
        (Pane::Manifest, "Manifest", "file"),
        (Pane::Cluster, "Cluster", "cluster"),
        (Pane::Streams, "Stream", "list"),
        (Pane::Console, "Console", "console"),
    ];
    html! {
        <nav class="pane-bar" aria-label="Panes">
            { for panes.into_iter().map(|(it, name, picture)| {
                let on = on.clone();
                let onclick = Callback::from(move |_: MouseEvent| on.emit(Act::Pane(it)));
                html! { <button type="button" aria-current={(it == pane).then_some("true")} {onclick}>{ icon(picture) }{ name }</button> }
            }) }
        </nav>
    }
}

impl App {
    fn view_toasts(&self, on: &Callback<Act>) -> Html {
        html! {
            <div class="toasts" aria-live="polite">
                { for self.toasts.iter().map(|it| {
                    let (on, id) = (on.clone(), it.id);
                    html! {
                        <div key={id.to_string()} class={classes!("toast", it.is_bad.then_some("bad"))} data-testid="toast">
                            <span class="text">{ it.text.clone() }</span>
                            <button type="button" class="button plain icon small" aria-label="Close" onclick={Callback::from(move |_: MouseEvent| on.emit(Act::CloseToast(id)))}>{ icon("close") }</button>
                        </div>
                    }
                }) }
            </div>
        }
    }

    fn toast(&mut self, ctx: &Context<Self>, is_bad: bool, text: String) {
        let id = self.new_id();
        self.toasts.retain(|it| it.text != text);
        self.toasts.push(Toast { id, is_bad, text });
        let link = ctx.link().clone();
        if !is_bad {
            Timeout::new(TOAST_MS, move || link.send_message(Msg::ToastOver(id))).forget();
        }
    }

    fn new_id(&mut self) -> u32 {
        self.n_ids += 1;
        self.n_ids
    }

    fn ask_for(&mut self, pending: Pending, make: impl FnOnce(u32) -> Ask) {
        let id = self.new_id();
        self.pending.insert(id, pending);
        self.engine.ask(&make(id));
    }

    // ── The beginning, the end, and the beginning again ──

    fn begin(&mut self, ctx: &Context<Self>, kept: Result<Option<Box<Kept>>, String>) {
        let fragment = page::fragment();
        match kept {
            Ok(Some(kept)) => {
                let Kept { session, text, selection, quarters, is_paused } = *kept;
                self.session = session;
                self.set_text(&text);
                self.selection = selection;
                self.board.clock.quarters = quarters;
                self.board.clock.is_paused = is_paused;
                self.notice = "The cluster is being brought back to where it was.".to_owned();
            }
            Ok(None) => {
                self.board.clock.quarters = 4;
                if let Some(name) = fragment.strip_prefix("example/") {
                    match examples::find(name) {
                        Some(example) => {
                            self.set_text(example.text);
                            self.runs_at_start = page::parameter("autorun").as_deref() == Some("1");
                        }
                        None => self.toast(ctx, true, format!("There is no example named {name}.")),
                    }
                }
            }
            Err(message) => {
                self.board.clock.quarters = 4;
                self.toast(ctx, true, message);
            }
        }
        if fragment.starts_with('d') && fragment.contains(':') {
            page::drop_fragment();
        }
        self.boot();
        self.listen_to_frame(ctx);
    }

    fn boot(&mut self) {
        let scenario = if self.session.inputs.is_empty() { examples::SCENARIO.to_owned() } else { String::new() };
        self.engine.ask(&Ask::Boot { session: self.session.clone(), scenario });
        self.send_pace();
    }

    fn send_pace(&self) {
        let clock = &self.board.clock;
        self.engine.ask(&Ask::Pace { quarters: clock.quarters, is_paused: clock.is_paused });
    }

    fn watch(&mut self, ctx: &Context<Self>) -> bool {
        let silent = page::wall_ms().saturating_sub(self.last_heard);
        if !self.is_ready || silent < SILENCE_MS_MAX || page::is_hidden() {
            if page::is_hidden() {
                self.last_heard = page::wall_ms();
            }
            return false;
        }
        self.restart(ctx, "it did not answer");
        true
    }

    /// A new worker takes over from what was acknowledged.
    fn restart(&mut self, ctx: &Context<Self>, why: &str) {
        self.n_failures += 1;
        self.last_heard = page::wall_ms();
        self.is_ready = false;
        page::mark_ready(false);
        if self.n_failures > 5 {
            self.toast(ctx, true, format!("The engine stopped and does not start again: {why}. The manifest is kept; start over or open this page again."));
            return;
        }
        if self.n_failures > 2 && !self.session.inputs.is_empty() {
            // It stops at the same place again and again: the last change goes.
            self.session.inputs.pop();
            if let Some(last) = self.session.inputs.last() {
                (self.session.at, self.session.turn) = (last.at, last.turn);
            }
            self.toast(ctx, true, "The last change makes the engine stop, so it was taken back.".to_owned());
        }
        self.restarting = Some(self.board.clock.revision);
        self.is_busy = false;
        if self.log.is_running {
            Rc::make_mut(&mut self.log).add("\nThe engine stopped before this was done.\n", true);
        }
        self.pending.clear();
        self.engine = start_engine(ctx);
        self.boot();
    }

    /// Keeps the state in the browser, soon.
    fn keep_soon(&mut self, ctx: &Context<Self>) {
        if self.keeping.is_none() && self.embed.is_none() {
            let link = ctx.link().clone();
            self.keeping = Some(Timeout::new(KEEP_MS, move || link.send_message(Msg::Keep)));
        }
    }

    fn kept(&self) -> Kept {
        Kept {
            session: self.session.clone(),
            text: self.text.to_string(),
            selection: self.selection.clone(),
            quarters: self.board.clock.quarters,
            is_paused: self.board.clock.is_paused,
        }
    }

    fn keep(&mut self, ctx: &Context<Self>) -> bool {
        self.keeping = None;
        if !self.is_ready {
            return false;
        }
        let promise = js::save(kept::KEY, &Uint8Array::from(self.kept().seal().as_slice()));
        let link = ctx.link().clone();
        spawn_local(async move {
            if JsFuture::from(promise).await.is_err() {
                let text = "This browser keeps nothing for this page, so a reload begins anew. Export or share what you want to keep.";
                link.send_message(Msg::Toast { is_bad: false, text: text.to_owned() });
            }
        });
        false
    }

    // ── What the engine says ──

    fn hear(&mut self, ctx: &Context<Self>, tell: Tell) {
        self.last_heard = page::wall_ms();
        match tell {
            Tell::Hello => (),
            Tell::Replaying { permille } => self.notice = format!("The cluster is being brought back: {} %.", permille / 10),
            Tell::Ready { revision } => self.on_ready(ctx, revision),
            Tell::Update { update } => self.on_update(ctx, update),
            Tell::Inputs { inputs } => self.on_inputs(ctx, inputs),
            Tell::Answer { id, code, body } => self.on_answer(ctx, id, code, body),
            Tell::Applied { id, outcomes, problems } => self.on_applied(ctx, id, &outcomes, problems),
            Tell::Why { why, lines } => {
                let is_wanted = why.as_ref().map(|it| &it.target) == self.selection.as_ref();
                if is_wanted {
                    self.why = why.map(Rc::new);
                    self.marks = Rc::new(lines);
                }
            }
            Tell::Details { details } => {
                if let Some(drawer) = self.drawer.as_mut().filter(|it| it.target == details.target) {
                    drawer.details = Some(Rc::new(details));
                }
            }
            Tell::Diff { revision, text } => self.diff = Some(Rc::new((revision, text))),
            Tell::Output { text, is_done } => Rc::make_mut(&mut self.log).add(&text, is_done),
            Tell::Completions { id, found } => self.on_completions(id, found),
            Tell::Problems { problems, .. } => self.problems = Rc::new(problems),
            Tell::Hover { id, text } => {
                if let Some(Pending::Editor(resolve)) = self.pending.remove(&id) {
                    let text = if text.is_empty() { JsValue::NULL } else { JsValue::from(text) };
                    resolve.call1(&JsValue::NULL, &text).ok();
                }
            }
        }
    }

    fn on_ready(&mut self, ctx: &Context<Self>, revision: u64) {
        self.is_ready = true;
        if self.restarting.take().is_some() {
            let text = format!("The engine stopped and was started again from revision {}. Nothing was lost.", grouped(revision));
            self.toast(ctx, false, text);
        }
        page::mark_ready(true);
        self.send_select();
        if let Some(drawer) = &self.drawer {
            self.engine.ask(&Ask::Open { target: Some(drawer.target.clone()) });
        }
        self.keep_soon(ctx);
        if std::mem::take(&mut self.runs_at_start) {
            self.act(ctx, Act::Apply);
        }
    }

    fn on_update(&mut self, ctx: &Context<Self>, update: Update) {
        (self.session.at, self.session.turn) = (update.clock.now, update.clock.turn);
        let is_calm = update.is_whole || update.clock.quarters == 0 || update.clock.quarters > CALM_QUARTERS;
        let n_changes = update.pods.len();
        let has_news = !(update.pods.is_empty() && update.pods_gone.is_empty() && update.watch.is_empty());
        if n_changes > 0 && n_changes <= MOVES_MAX && !is_calm {
            let uids: Array = update.pods.iter().map(|it| JsValue::from(it.uid.as_str())).collect();
            js::before_move(&uids);
            self.moves = true;
        }
        let (quarters, is_paused) = (self.board.clock.quarters, self.board.clock.is_paused);
        let is_whole = update.is_whole;
        self.board.apply(update);
        if !self.is_ready {
            // The wish stands until the engine follows it.
            (self.board.clock.quarters, self.board.clock.is_paused) = (quarters, is_paused);
        }
        let same = !is_whole && self.cells.len() == self.board.cells.len() && self.cells.iter().zip(&self.board.cells).all(|(a, b)| Rc::ptr_eq(a, b));
        if !same {
            self.cells = Rc::new(self.board.cells.clone());
        }
        if has_news {
            self.n_failures = 0;
            self.keep_soon(ctx);
        }
        self.speak();
    }

    /// One polite sentence a second at most.
    fn speak(&mut self) {
        let now = page::wall_ms();
        let target = self.selection.as_ref().and_then(|it| self.board.workload(it));
        let text = match target {
            Some(it) if it.is_counted => format!("{} of {} pods of {} ready", it.n_ready, it.n_desired, it.target.name),
            _ => {
                let counts = self.board.counts();
                format!("{} nodes, {} of {} pods ready", counts.n_nodes, counts.n_ready, counts.n_pods)
            }
        };
        if text != self.spoken.0 && now.saturating_sub(self.spoken.1) >= SAY_MS {
            self.spoken = (text, now);
        }
    }

    fn on_inputs(&mut self, ctx: &Context<Self>, inputs: Vec<Rc<Input>>) {
        self.session.inputs.extend(inputs);
        self.keep_soon(ctx);
    }

    fn on_answer(&mut self, ctx: &Context<Self>, id: u32, code: u16, body: String) {
        match self.pending.remove(&id) {
            Some(Pending::Remote(reply)) => {
                reply.call1(&JsValue::NULL, &JsValue::from(body)).ok();
            }
            _ if code >= 400 => self.toast(ctx, true, body),
            _ => (),
        }
    }

    fn on_applied(&mut self, ctx: &Context<Self>, id: u32, outcomes: &[Outcome], problems: Vec<Problem>) {
        let pending = self.pending.remove(&id);
        self.is_busy = false;
        let errors = problems.iter().filter(|it| !it.is_warning).count();
        match pending {
            Some(Pending::Machine) => {
                if let Some(problem) = problems.first() {
                    self.toast(ctx, true, problem.message.clone());
                }
                return;
            }
            Some(Pending::Remote(reply)) => {
                let lines: Vec<String> = outcomes.iter().map(outcome_line).chain(problems.iter().map(|it| it.message.clone())).collect();
                reply.call1(&JsValue::NULL, &JsValue::from(lines.join("\n"))).ok();
            }
            _ => (),
        }
        self.problems = Rc::new(problems);
        let words = match outcomes {
            [] => String::new(),
            [one] => outcome_line(one),
            [first, .., last] => format!("{}, … {} ({} in all)", outcome_line(first), outcome_line(last), outcomes.len()),
        };
        self.said = Some(Rc::new(match errors {
            0 => (true, words),
            1 => (false, "1 problem".to_owned()),
            n => (false, format!("{n} problems")),
        }));
        // What was applied is what one wants explained.
        const EXPLAINED: [&str; 8] =
            ["DaemonSet", "Deployment", "StatefulSet", "ReplicaSet", "Job", "ReplicationController", "Pod", "CronJob"];
        let applied = outcomes.iter().filter(|it| it.word != "deleted").rev().find(|it| EXPLAINED.contains(&it.target.kind.as_str()));
        if let Some(outcome) = applied.filter(|_| errors == 0) {
            self.selection = Some(outcome.target.clone());
            self.send_select();
        }
        if errors == 0 && self.pane == Pane::Manifest {
            self.pane = Pane::Cluster;
        }
        if outcomes.iter().any(|it| it.word == "deleted" && Some(&it.target) == self.selection.as_ref()) {
            self.select(None);
        }
    }

    fn on_completions(&mut self, id: u32, found: Vec<Completion>) {
        match self.pending.remove(&id) {
            Some(Pending::Editor(resolve)) => {
                resolve.call1(&JsValue::NULL, &completions_for_js(&found)).ok();
            }
            Some(Pending::Line) => Rc::make_mut(&mut self.log).offers = Rc::new(found),
            _ => (),
        }
    }

    fn question(&mut self, question: EditorQuestion, resolve: Function) -> bool {
        if !self.is_ready {
            resolve.call1(&JsValue::NULL, &JsValue::NULL).ok();
            return false;
        }
        match question {
            EditorQuestion::Complete { text, line, column } => {
                self.ask_for(Pending::Editor(resolve), |id| Ask::CompleteYaml { id, text, line, column });
            }
            EditorQuestion::Hover { text, line, column } => {
                self.ask_for(Pending::Editor(resolve), |id| Ask::Hover { id, text, line, column });
            }
        }
        false
    }

    // ── What the user does ──

    fn act(&mut self, ctx: &Context<Self>, act: Act) {
        match act {
            Act::Text(text) => self.on_text(ctx, text),
            Act::Apply => self.apply(),
            Act::Delete => {
                self.is_busy = true;
                let text = self.text.to_string();
                self.ask_for(Pending::Manifest, |id| Ask::Delete { id, text });
            }
            Act::GoTo { line, column } => {
                self.pane = Pane::Manifest;
                let id = self.new_id();
                self.go_to = Some((line, column, id));
            }
            Act::Select(target) => self.select(target),
            Act::Focus(target) => self.focus = target,
            Act::Open { target, x } => self.open(target, x),
            Act::Close => self.close(),
            Act::Run(line) => self.run(&line, false),
            Act::Line(line) => self.run(&line, true),
            Act::Interrupt => self.engine.ask(&Ask::Interrupt),
            Act::ClearConsole => Rc::make_mut(&mut self.log).blocks.clear(),
            Act::CompleteLine(text) => {
                Rc::make_mut(&mut self.log).offers_for = text.clone();
                self.ask_for(Pending::Line, |id| Ask::CompleteLine { id, text });
            }
            Act::TogglePause => {
                self.board.clock.is_paused = !self.board.clock.is_paused;
                self.send_pace();
            }
            Act::Speed(quarters) => {
                self.board.clock.quarters = quarters;
                self.board.clock.is_paused = false;
                self.send_pace();
            }
            Act::Step => {
                self.board.clock.is_paused = true;
                self.engine.ask(&Ask::Step);
            }
            Act::NextEvent => self.engine.ask(&Ask::NextEvent),
            Act::AddNode => self.add_node(),
            Act::Example(name) => self.example(name),
            Act::Share => self.share(ctx),
            Act::Export => self.export(ctx),
            Act::Import => import_file(ctx),
            Act::Reset => self.reset(ctx),
            Act::Theme => page::toggle_theme(),
            Act::Dialog(dialog) => self.dialog = Some(dialog),
            Act::CloseDialog => self.dialog = None,
            Act::Pane(pane) => self.show_pane(pane),
            Act::Tab(tab) => self.show_tab(tab),
            Act::Size(size) => self.size = size,
            Act::ToggleTable => self.is_table = !self.is_table,
            Act::Diff(revision) => match &self.diff {
                Some(open) if open.0 == revision => self.diff = None,
                _ => self.engine.ask(&Ask::Diff { revision }),
            },
            Act::CloseToast(id) => self.toasts.retain(|it| it.id != id),
            Act::Copy(text) => copy(ctx, &text),
            Act::GoConsole => {
                self.show_tab(Tab::Console);
                Timeout::new(30, || page::focus("#console-line")).forget();
            }
            Act::GoEditor => {
                self.pane = Pane::Manifest;
                Timeout::new(30, || page::focus("[data-testid='editor'] .cm-content, [data-testid='editor'] textarea")).forget();
            }
        }
    }

    fn on_text(&mut self, ctx: &Context<Self>, text: String) {
        if *self.text == *text {
            return;
        }
        self.text = text.into();
        self.said = None;
        self.keep_soon(ctx);
    }

    fn set_text(&mut self, text: &str) {
        self.text = text.to_owned().into();
        self.text_version += 1;
        self.problems = Rc::default();
        self.marks = Rc::default();
        self.said = None;
    }

    fn apply(&mut self) {
        if !self.is_ready || self.is_busy || self.is_read_only && self.embed.is_none() {
            return;
        }
        self.is_busy = true;
        let text = self.text.to_string();
        self.ask_for(Pending::Manifest, |id| Ask::Apply { id, text });
    }

    fn select(&mut self, target: Option<Ref>) {
        self.why = None;
        self.marks = Rc::default();
        self.selection = target;
        self.send_select();
    }

    fn send_select(&self) {
        self.engine.ask(&Ask::Select { target: self.selection.clone(), text: self.text.to_string() });
    }

    fn open(&mut self, target: Ref, x: i32) {
        let width = web_sys::window().and_then(|it| it.inner_width().ok()).and_then(|it| it.as_f64()).unwrap_or(0.0) as i32;
        // It never covers what was clicked.
        let is_left = x > width / 2;
        self.focus = Some(target.clone());
        if matches!(target.kind.as_str(), "Pod") {
            self.select_for_pod(&target);
        }
        self.engine.ask(&Ask::Open { target: Some(target.clone()) });
        self.drawer = Some(OpenDrawer { target, details: None, is_left });
    }

    /// A pod that waits is explained at once.
    fn select_for_pod(&mut self, target: &Ref) {
        let waits = self.board.pod(&target.namespace, &target.name).is_some_and(|it| it.node.is_empty());
        if waits {
            self.select(Some(target.clone()));
        }
    }

    /// Closes what is uppermost.
    fn close(&mut self) {
        if self.dialog.take().is_some() {
            return;
        }
        if self.drawer.take().is_some() {
            self.focus = None;
            self.engine.ask(&Ask::Open { target: None });
            return;
        }
        if self.focus.take().is_none() && self.selection.is_some() {
            self.select(None);
        }
    }

    /// Runs a kubectl line; one that a button made is shown, too, but does not take the reader away.
    fn run(&mut self, line: &str, is_typed: bool) {
        if is_typed {
            self.tab = Tab::Console;
        }
        Rc::make_mut(&mut self.log).begin(line);
        self.engine.ask(&Ask::Line { text: line.to_owned(), manifest: self.text.to_string() });
    }

    fn add_node(&mut self) {
        let taken = |n: u32| self.cells.iter().any(|it| it.node.name == format!("node-{n}"));
        let n = (1..).find(|n| !taken(*n)).unwrap_or(1);
        let text = format!("apiVersion: sim.drydock.dev/v1alpha1\nkind: Machine\nmetadata:\n  name: node-{n}\n");
        self.ask_for(Pending::Machine, |id| Ask::Apply { id, text });
    }

    fn example(&mut self, name: &str) {
        if let Some(example) = examples::find(name) {
            self.set_text(example.text);
            self.select(None);
            self.pane = Pane::Manifest;
        }
    }

    fn share(&mut self, ctx: &Context<Self>) {
        let promise = js::pack(&Uint8Array::from(self.kept().seal().as_slice()));
        let link = ctx.link().clone();
        spawn_local(async move {
            link.send_message(match JsFuture::from(promise).await.ok().and_then(|it| it.as_string()) {
                Some(packed) => Msg::Act(Act::Dialog(Dialog::Share(page::link_to(&format!("{}{packed}", kept::LINK_PREFIX))))),
                None => Msg::Toast { is_bad: true, text: "This browser cannot make links. Export to a file instead.".to_owned() },
            });
        });
    }

    /// A file that is a manifest for everyone else: the state stands in a comment at its end.
    fn export(&mut self, ctx: &Context<Self>) {
        let promise = js::pack(&Uint8Array::from(self.kept().seal().as_slice()));
        let text = self.text.to_string();
        let link = ctx.link().clone();
        spawn_local(async move {
            match JsFuture::from(promise).await.ok().and_then(|it| it.as_string()) {
                Some(packed) => js::download("drydock.yaml", &format!("{}\n{EXPORT_MARK}{packed}\n", text.trim_end())),
                None => link.send_message(Msg::Toast { is_bad: true, text: "This browser cannot pack the state.".to_owned() }),
            }
        });
    }

    fn import(&mut self, ctx: &Context<Self>, text: &str) {
        let Some((manifest, packed)) = text.rsplit_once(EXPORT_MARK) else {
            self.set_text(text);
            self.pane = Pane::Manifest;
            return;
        };
        let (manifest, link) = (manifest.to_owned(), ctx.link().clone());
        let promise = js::unpack(packed.trim());
        spawn_local(async move {
            let kept = match JsFuture::from(promise).await {
                Ok(bytes) => Kept::open(&Uint8Array::new(&bytes).to_vec()),
                Err(_) => Err("It is damaged."),
            };
            link.send_message(match kept {
                Ok(kept) => Msg::Begin(Ok(Some(Box::new(kept)))),
                Err(why) => Msg::Toast { is_bad: true, text: format!("The cluster in this file cannot be opened. {why} Its manifest is in the editor.") },
            });
            drop(manifest);
        });
        self.is_ready = false;
        page::mark_ready(false);
        self.engine = start_engine(ctx);
    }

    fn reset(&mut self, ctx: &Context<Self>) {
        self.dialog = None;
        self.drawer = None;
        self.select_nothing();
        self.session = fresh();
        let (quarters, text) = (self.board.clock.quarters, self.text.clone());
        self.board = Board::default();
        self.cells = Rc::default();
        self.board.clock.quarters = quarters;
        self.text = text;
        self.is_ready = false;
        self.n_failures = 0;
        page::mark_ready(false);
        self.engine = start_engine(ctx);
        self.boot();
    }

    fn select_nothing(&mut self) {
        self.selection = None;
        self.why = None;
        self.focus = None;
        self.marks = Rc::default();
        self.diff = None;
        self.said = None;
        self.problems = Rc::default();
    }

    fn show_pane(&mut self, pane: Pane) {
        self.pane = pane;
        match pane {
            Pane::Console => self.tab = Tab::Console,
            Pane::Streams if self.tab == Tab::Console => self.tab = Tab::Watch,
            _ => (),
        }
    }

    fn show_tab(&mut self, tab: Tab) {
        self.tab = tab;
        if matches!(self.pane, Pane::Streams | Pane::Console) || tab == Tab::Console {
            self.pane = if tab == Tab::Console { Pane::Console } else { Pane::Streams };
        }
        if self.size == Size::Low {
            self.size = Size::Middle;
        }
    }

    // ── The page around a frame ──

    fn listen_to_frame(&self, ctx: &Context<Self>) {
        if self.embed.is_none() {
            return;
        }
        let link = ctx.link().clone();
        let callback = wasm_bindgen::closure::Closure::<dyn Fn(String, String, Function, Function)>::new(
            move |method, params, reply, refuse| link.send_message(Msg::Remote { method, params, reply, refuse }),
        );
        js::on_request(&callback.into_js_value());
    }

    fn remote(&mut self, ctx: &Context<Self>, method: &str, params: &str, reply: Function, refuse: &Function) {
        let params = js_sys::JSON::parse(params).unwrap_or(JsValue::NULL);
        let param = |name: &str| Reflect::get(&params, &name.into()).ok().and_then(|it| it.as_string());
        match method {
            "apply" => {
                if let Some(text) = param("text") {
                    self.set_text(&text);
                }
                let text = self.text.to_string();
                self.is_busy = true;
                self.ask_for(Pending::Remote(reply), |id| Ask::Apply { id, text });
            }
            "setText" => {
                self.set_text(&param("text").unwrap_or_default());
                reply.call1(&JsValue::NULL, &JsValue::TRUE).ok();
            }
            "text" => {
                reply.call1(&JsValue::NULL, &JsValue::from(self.text.as_str())).ok();
            }
            "pause" | "play" => {
                self.board.clock.is_paused = method == "pause";
                self.send_pace();
                reply.call1(&JsValue::NULL, &JsValue::TRUE).ok();
            }
            "reset" => {
                self.reset(ctx);
                reply.call1(&JsValue::NULL, &JsValue::TRUE).ok();
            }
            _ => {
                refuse.call1(&JsValue::NULL, &JsValue::from(format!("there is no method {method}"))).ok();
            }
        }
    }
}

/// What stands before the packed state in an exported file.
const EXPORT_MARK: &str = "# drydock: d1:";

fn outcome_line(it: &Outcome) -> String {
    format!("{}/{} {}", it.target.kind.to_lowercase(), it.target.name, it.word)
}

fn copy(ctx: &Context<App>, text: &str) {
    let promise = js::copy(text);
    let link = ctx.link().clone();
    spawn_local(async move {
        let is_bad = JsFuture::from(promise).await.is_err();
        let text = if is_bad { "The browser does not let this page copy. Select the text and copy it yourself." } else { "Copied." };
        link.send_message(Msg::Toast { is_bad, text: text.to_owned() });
    });
}

fn import_file(ctx: &Context<App>) {
    let promise = js::pick_file();
    let link = ctx.link().clone();
    spawn_local(async move {
        if let Some(text) = JsFuture::from(promise).await.ok().and_then(|it| it.as_string()) {
            link.send_message(Msg::Imported(text));
        }
    });
}

fn completions_for_js(found: &[Completion]) -> JsValue {
    let list: Array = found
        .iter()
        .map(|it| {
            let option = Object::new();
            let apply = if it.apply.is_empty() { &it.label } else { &it.apply };
            for (name, value) in [("label", &it.label), ("detail", &it.detail), ("info", &it.info), ("apply", apply)] {
                if !value.is_empty() {
                    Reflect::set(&option, &name.into(), &value.as_str().into()).ok();
                }
            }
            option
        })
        .collect();
    list.into()
}
