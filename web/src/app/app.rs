//! The whole state of what is seen, and what happens to it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use gloo::events::EventListener;
use gloo::timers::callback::{Interval, Timeout};
use js_sys::{Array, Function, Object, Reflect, Uint8Array};
use view::board::{Board, Cell, Rows};
use view::clock::grouped;
use view::model::{EventRow, Ref, RequestRow, Update, WatchRow, Why};
use view::service::Way;
use view::tree::Branch;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web::{Ask, Completion, ComponentRow, Details, Input, Outcome, Part, Problem, Session, Tell};
use web_sys::HtmlElement;
use yew::prelude::*;

use crate::act::{Act, Dialog, Pane, Size, Tab, View};
use crate::cluster::Cluster;
use crate::compare::Compared;
use crate::console::Log;
use crate::dialogs::DialogView;
use crate::drawer::Drawer;
use crate::engine::Engine;
use crate::icons::icon;
use crate::kept::{self, Base, Kept};
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
/// So long nobody types before the text is read.
const CHECK_MS: u32 = 500;
const KEEP_TIME_MS: u64 = 3_000;
const TOAST_MS: u32 = 8_000;
/// More changes at once than this are not animated.
const MOVES_MAX: usize = 50;
/// On more nodes than this nothing is animated: nobody could follow it.
const MOVES_NODES_MAX: usize = 40;
/// More new rows at once than this need not be seen at once, but within this time.
const ROWS_CALM_MAX: usize = 40;
const ROWS_MS: u64 = 250;
/// Above this speed, in quarters, nothing is animated.
const CALM_QUARTERS: u32 = 40;
const SEED: u64 = 1;
/// 1 January 2026, 09:00 UTC.
const START: u64 = 1_767_258_000_000_000_000;
/// A line for screen readers at most this often.
const SAY_MS: u64 = 1_000;

mod acts;
mod heard;
mod life;
mod outside;

pub enum Msg {
    Act(Act),
    Heard(Rc<Tell>),
    Snapshot(Uint8Array),
    EngineFailed(String),
    Watchdog,
    /// What this browser or the link has kept.
    Begin(Result<Option<Box<Kept>>, String>),
    /// Whether what was to be saved is.
    Saved(bool),
    Question(EditorQuestion, Function),
    Keep,
    Check,
    ToastOver(u32),
    Toast {
        is_bad: bool,
        text: String,
    },
    Imported(String),
    /// A state takes the place of the one that is shown.
    Replace(Box<Kept>),
    Remote {
        method: String,
        params: String,
        reply: Function,
        refuse: Function,
    },
}

struct Toast {
    id: u32,
    is_bad: bool,
    text: String,
}

struct OpenDrawer {
    target: Ref,
    part: Part,
    details: Option<Rc<Details>>,
    is_left: bool,
    /// What came of the last request that was sent from here.
    way: Option<Rc<Way>>,
    /// What had the focus before, to which it goes back.
    opener: Option<HtmlElement>,
}

/// Rows of the streams and since when they stand.
#[derive(Default)]
struct Drawn {
    watch: Rows<WatchRow>,
    events: Rows<EventRow>,
    requests: Rows<RequestRow>,
    at: u64,
}

/// Whether the state is being saved.
#[derive(Clone, Copy, PartialEq)]
enum Saving {
    No,
    Yes,
    /// And it has changed since.
    Again,
}

/// Where an answer goes.
enum Pending {
    Manifest,
    Machine,
    Editor(Function),
    Line,
    /// What to call with a result, and with what went wrong.
    Remote(Function, Function),
    /// The same for a request, whose answer is JSON: its content is the result, or all of the answer where it is asked for.
    Request {
        is_whole: bool,
        reply: Function,
        refuse: Function,
    },
}

pub struct App {
    /// One for all, so that what is drawn once need not be drawn again because of another.
    on: Callback<Act>,
    engine: Engine,
    board: Board,
    /// The streams as they are drawn: when very much happens, less often than it comes.
    rows: Drawn,
    cells: Rc<Vec<Rc<Cell>>>,
    is_ready: bool,
    notice: String,
    /// Revision at which the engine was last heard, while it is being started again.
    restarting: Option<u64>,
    n_failures: u32,
    last_heard: u64,
    session: Session,
    /// What the session goes on from.
    base: Base,
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
    shape: View,
    /// Rows of the tree, and the owners in it that are closed.
    tree: Rc<Vec<Rc<Branch>>>,
    closed: BTreeSet<String>,
    components: Rc<Vec<Rc<ComponentRow>>>,
    diff: Option<Rc<(u64, String)>>,
    /// What applying the manifest would change, while that is shown; without it until it is known.
    compare: Option<Option<Rc<Compared>>>,
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
    /// Whether it goes on from a state that was kept.
    is_restored: bool,
    /// Whether the manifest differs from what was applied last.
    is_edited: bool,
    keeping: Option<Timeout>,
    checking: Option<Timeout>,
    saving: Saving,
    /// Virtual time and wall time of what was saved last.
    kept_at: u64,
    kept_ms: u64,
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
        outside::listen(ctx);
        App {
            on: ctx.link().callback(Msg::Act),
            engine: start_engine(ctx),
            board: Board::default(),
            rows: Drawn::default(),
            cells: Rc::default(),
            is_ready: false,
            notice: "Four machines are starting.".to_owned(),
            restarting: None,
            n_failures: 0,
            last_heard: page::wall_ms(),
            session: fresh(),
            base: Base::default(),
            text: examples::find(examples::FIRST).map_or("", |it| (it.text)()).into(),
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
            tab: if embed_view() == Some("console") { Tab::Console } else { Tab::Watch },
            size: Size::Middle,
            pane: Pane::Cluster,
            shape: remembered_shape(),
            tree: Rc::default(),
            closed: BTreeSet::new(),
            components: Rc::default(),
            diff: None,
            compare: None,
            log: Rc::default(),
            toasts: Vec::new(),
            n_ids: 0,
            pending: BTreeMap::new(),
            spoken: (String::new(), 0),
            moves: false,
            embed: embed_view(),
            is_read_only: page::parameter("readonly").as_deref() == Some("1"),
            runs_at_start: false,
            is_restored: false,
            is_edited: true,
            keeping: None,
            checking: None,
            saving: Saving::No,
            kept_at: 0,
            kept_ms: 0,
            _watchdog: watchdog,
            _keys: listen_to_keys(ctx),
        }
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Act(act) => self.act(ctx, act),
            Msg::Heard(tell) => self.hear(ctx, Rc::unwrap_or_clone(tell)),
            Msg::Snapshot(base) => return self.on_snapshot(ctx, base),
            Msg::EngineFailed(message) => self.restart(ctx, &message),
            Msg::Watchdog => return self.watch(ctx),
            Msg::Begin(kept) => self.begin(ctx, kept),
            Msg::Question(question, resolve) => return self.question(question, resolve),
            Msg::Keep => return self.keep(ctx),
            Msg::Check => {
                let (id, text) = (self.new_id(), self.text.to_string());
                self.engine.ask(&Ask::Check { id, text });
                return false;
            }
            Msg::Saved(is) => self.on_saved(ctx, is),
            Msg::ToastOver(id) => self.toasts.retain(|it| it.id != id),
            Msg::Toast { is_bad, text } => self.toast(ctx, is_bad, text),
            Msg::Imported(text) => self.import(ctx, &text),
            Msg::Replace(kept) => self.replace(ctx, kept),
            Msg::Remote { method, params, reply, refuse } => self.remote(ctx, &method, &params, reply, refuse),
        }
        true
    }

    fn rendered(&mut self, _ctx: &Context<Self>, _first: bool) {
        if std::mem::take(&mut self.moves) {
            js::after_move();
        }
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let on = &self.on;
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
                <main class={classes!("app", view, self.drawer.is_some().then_some("with-drawer"))} data-pane={pane}>
                    <Top clock={self.board.clock.clone()} is_ready={self.is_ready}
                        has_cron={self.board.workloads.iter().any(|it| it.target.kind == "CronJob")} on={on.clone()} />
                    <div class="panes">
                        <Manifest text={self.text.clone()} version={self.text_version} problems={self.problems.clone()} marks={self.marks.clone()}
                            go_to={self.go_to} said={self.said.clone()} is_ready={self.is_ready} is_busy={self.is_busy}
                            is_read_only={self.is_read_only} compare={self.compare.clone()} {ask} on={on.clone()} />
                        <Splitter is_upright={true} />
                        <div class={classes!("side", size)}>
                            <Cluster cells={self.cells.clone()} lane={self.board.lane.clone()} workloads={self.board.workloads.clone()} why={self.why.clone()}
                                selection={self.selection.clone()} focus={self.focus.clone()} is_ready={self.is_ready} shape={self.shape} is_dark={page::is_dark()} tree={self.tree.clone()} components={self.components.clone()}
                                notice={self.notice.clone()} on={on.clone()} />
                            <Splitter is_upright={false} />
                            <Streams watch={self.rows.watch.clone()} events={self.rows.events.clone()} requests={self.rows.requests.clone()}
                                tab={self.tab} size={self.size} focus={self.focus.clone()} diff={self.diff.clone()} log={self.log.clone()}
                                is_ready={self.is_ready} is_restored={self.is_restored} on={on.clone()} />
                        </div>
                    </div>
                    { pane_bar(self.pane, on) }
                    if self.pane != Pane::Manifest && self.is_edited {
                        <button type="button" class="button primary float-apply" disabled={!self.is_ready || self.is_busy}
                            onclick={{ let on = on.clone(); Callback::from(move |_: MouseEvent| on.emit(Act::Apply)) }}>{ "Apply" }</button>
                    }
                </main>
                if let Some(drawer) = &self.drawer {
                    <Drawer target={drawer.target.clone()} part={drawer.part} details={drawer.details.clone()} way={drawer.way.clone()} is_left={drawer.is_left} on={on.clone()} />
                }
                if let Some(dialog) = &self.dialog { <DialogView dialog={dialog.clone()} on={on.clone()} /> }
                { self.view_toasts(on) }
                <p class="for-readers" role="status" aria-live="polite">{ self.spoken.0.clone() }</p>
            </>
        }
    }
}

fn fresh() -> Session {
    Session { seed: SEED, start: START, at: START, ..Session::default() }
}

fn start_engine(ctx: &Context<App>) -> Engine {
    let link = ctx.link();
    Engine::start(link.callback(Msg::Heard), link.callback(Msg::Snapshot), link.callback(Msg::EngineFailed))
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

/// How the cluster was shown the last time; frames begin with cards.
fn remembered_shape() -> View {
    match page::remembered(acts::SHAPE).filter(|_| embed_view().is_none()).as_deref() {
        Some("table") => View::Table,
        Some("tree") => View::Tree,
        Some("components") => View::Components,
        _ => View::Cards,
    }
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
            None if fragment.starts_with("example/") || fragment.starts_with("manifest/") || is_embedded => Ok(None),
            None => {
                let found = JsFuture::from(js::load()).await.ok().and_then(|it| kept::from_browser(&it));
                found.transpose().map(|it| it.map(Box::new)).map_err(|it| {
                    format!("The last state in this browser cannot be read. {it} A fresh cluster was started instead.")
                })
            }
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
}
