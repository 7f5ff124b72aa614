//! What the user does.

use super::*;

impl App {
    pub(super) fn act(&mut self, ctx: &Context<Self>, act: Act) {
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
            Act::Typed(line) => {
                Rc::make_mut(&mut self.log).hear(line.as_deref());
                self.engine.ask(&Ask::Typed { line });
            }
            Act::Interrupt => self.engine.ask(&Ask::Interrupt),
            Act::ClearConsole => Rc::make_mut(&mut self.log).blocks.clear(),
            Act::CompleteLine(text) => {
                let log = Rc::make_mut(&mut self.log);
                (log.offers_for, log.is_offered) = (text.clone(), false);
                self.ask_for(Pending::Line, |id| Ask::CompleteLine { id, text });
            }
            Act::TogglePause => {
                self.board.clock.is_paused = !self.board.clock.is_paused;
                self.send_pace();
                self.keep_soon(ctx);
            }
            Act::Speed(quarters) => {
                self.board.clock.quarters = quarters;
                self.board.clock.is_paused = false;
                self.send_pace();
                self.keep_soon(ctx);
            }
            Act::Step => {
                self.board.clock.is_paused = true;
                self.engine.ask(&Ask::Step);
            }
            Act::NextEvent => self.engine.ask(&Ask::NextEvent),
            Act::NextRun => self.engine.ask(&Ask::NextRun),
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
            Act::View(shape) => self.show_shape(shape),
            Act::ToggleTree => self.show_shape(if self.shape == View::Tree { View::Cards } else { View::Tree }),
            Act::Fold { uid, is_open } => {
                let is_news = if is_open { self.closed.remove(&uid) } else { self.closed.insert(uid) };
                if is_news {
                    self.send_tree();
                }
            }
            Act::Request { from, url } => self.engine.ask(&Ask::Request { from, url }),
            Act::Part(part) => self.show_part(part),
            Act::Diff(revision) => match &self.diff {
                Some(open) if open.0 == revision => self.diff = None,
                _ => self.engine.ask(&Ask::Diff { revision }),
            },
            Act::Compare => self.toggle_compare(),
            Act::CloseToast(id) => self.toasts.retain(|it| it.id != id),
            Act::Copy(text) => copy(ctx, &text),
            Act::GoConsole => {
                self.show_tab(Tab::Console);
                Timeout::new(30, || page::focus("#console-line")).forget();
            }
            Act::GoEditor => {
                self.pane = Pane::Manifest;
                if self.compare.is_some() {
                    self.toggle_compare();
                }
                Timeout::new(30, || page::focus("[data-testid='editor'] .cm-content, [data-testid='editor'] textarea"))
                    .forget();
            }
        }
    }

    pub(super) fn on_text(&mut self, ctx: &Context<Self>, text: String) {
        if *self.text == *text {
            return;
        }
        let before = std::mem::replace(&mut self.text, text.into());
        if !self.problems.is_empty() {
            forget_changed(Rc::make_mut(&mut self.problems), &before, &self.text);
        }
        self.said = None;
        self.is_edited = true;
        self.keep_soon(ctx);
        let link = ctx.link().clone();
        self.checking = Some(Timeout::new(CHECK_MS, move || link.send_message(Msg::Check)));
    }

    pub(super) fn set_text(&mut self, text: &str) {
        self.text = text.to_owned().into();
        self.text_version += 1;
        self.problems = Rc::default();
        self.marks = Rc::default();
        self.said = None;
        self.is_edited = true;
        self.send_compare();
    }

    fn toggle_compare(&mut self) {
        self.compare = if self.compare.is_none() { Some(None) } else { None };
        self.send_compare();
        if self.compare.is_some() {
            self.pane = Pane::Manifest;
            Timeout::new(30, || page::focus("[data-testid='compare']")).forget();
        }
    }

    /// Tells the engine whether and with what the cluster is to be compared.
    pub(super) fn send_compare(&self) {
        if self.compare.is_some() || self.is_ready {
            self.engine.ask(&Ask::Compare { text: self.compare.is_some().then(|| self.text.to_string()) });
        }
    }

    pub(super) fn apply(&mut self) {
        if !self.is_ready || self.is_busy || self.is_read_only && self.embed.is_none() {
            return;
        }
        self.is_busy = true;
        let text = self.text.to_string();
        self.ask_for(Pending::Manifest, |id| Ask::Apply { id, text });
    }

    pub(super) fn select(&mut self, target: Option<Ref>) {
        self.why = None;
        self.marks = Rc::default();
        self.selection = target;
        self.send_select();
        Timeout::new(30, || page::show(".workload[aria-pressed='true']")).forget();
    }

    pub(super) fn send_select(&self) {
        self.engine.ask(&Ask::Select { target: self.selection.clone(), text: self.text.to_string() });
    }

    pub(super) fn open(&mut self, target: Ref, x: i32) {
        // It never covers what was clicked: it stands over the manifest, unless that is where the click was.
        let is_left = x > DRAWER_PX;
        self.focus = Some(target.clone());
        if matches!(target.kind.as_str(), "Pod") {
            self.select_for_pod(&target);
        }
        let part = match self.drawer.take() {
            // From one object to another of its kind, the reader goes on reading the same.
            Some(open) if open.target.kind == target.kind => open.part,
            _ => Part::first_of(&target.kind),
        };
        self.engine.ask(&Ask::Open { target: Some(target.clone()), part });
        self.drawer = Some(OpenDrawer { target, part, details: None, is_left, way: None, opener: page::focused() });
        if page::is_narrow() {
            // The sheet comes from below: what was touched moves above it.
            Timeout::new(30, || page::show(".chip.marked, .node.selected, .tree-row.marked")).forget();
        }
    }

    pub(super) fn show_part(&mut self, part: Part) {
        if let Some(drawer) = &mut self.drawer {
            drawer.part = part;
            self.engine.ask(&Ask::Open { target: Some(drawer.target.clone()), part });
        }
    }

    pub(super) fn show_shape(&mut self, shape: View) {
        self.shape = shape;
        page::remember(
            SHAPE,
            match shape {
                View::Cards => "cards",
                View::Table => "table",
                View::Tree => "tree",
                View::Components => "components",
            },
        );
        self.send_shape();
    }

    /// Tells the engine what is shown that costs it something.
    pub(super) fn send_shape(&self) {
        self.send_tree();
        self.engine.ask(&Ask::Components { is_shown: self.shape == View::Components });
    }

    /// Tells the engine whether the tree is shown and what of it is closed.
    pub(super) fn send_tree(&self) {
        let is_shown = self.shape == View::Tree;
        self.engine.ask(&Ask::Tree { is_shown, closed: self.closed.iter().cloned().collect() });
    }

    /// A pod that waits is explained at once.
    pub(super) fn select_for_pod(&mut self, target: &Ref) {
        let waits = self.board.pod(&target.namespace, &target.name).is_some_and(|it| it.node.is_empty());
        if waits {
            self.select(Some(target.clone()));
        }
    }

    /// Closes what is uppermost.
    pub(super) fn close(&mut self) {
        if self.dialog.take().is_some() {
            return;
        }
        if let Some(drawer) = self.drawer.take() {
            self.focus = None;
            self.engine.ask(&Ask::Open { target: None, part: Part::default() });
            if let Some(opener) = drawer.opener {
                opener.focus().ok();
            }
            return;
        }
        if self.compare.is_some() {
            return self.toggle_compare();
        }
        if self.focus.take().is_none() && self.selection.is_some() {
            self.select(None);
        }
    }

    /// Runs a kubectl line; one that a button made is shown, too, but does not take the reader away.
    pub(super) fn run(&mut self, line: &str, is_typed: bool) {
        if is_typed {
            self.tab = Tab::Console;
        }
        Rc::make_mut(&mut self.log).begin(line);
        self.engine.ask(&Ask::Line { text: line.to_owned(), manifest: self.text.to_string() });
    }

    pub(super) fn add_node(&mut self) {
        let taken = |n: u32| self.cells.iter().any(|it| it.node.name == format!("node-{n}"));
        let n = (1..).find(|n| !taken(*n)).unwrap_or(1);
        let text = format!("apiVersion: sim.drydock.dev/v1alpha1\nkind: Machine\nmetadata:\n  name: node-{n}\n");
        self.ask_for(Pending::Machine, |id| Ask::Apply { id, text });
    }

    pub(super) fn example(&mut self, name: &str) {
        if let Some(example) = examples::find(name) {
            self.set_text((example.text)());
            self.select(None);
            self.pane = Pane::Manifest;
        }
    }

    pub(super) fn share(&mut self, ctx: &Context<Self>) {
        let promise = js::pack(&Uint8Array::from(self.kept().seal().as_slice()));
        let link = ctx.link().clone();
        spawn_local(async move {
            link.send_message(match JsFuture::from(promise).await.ok().and_then(|it| it.as_string()) {
                Some(packed) => {
                    Msg::Act(Act::Dialog(Dialog::Share(page::link_to(&format!("{}{packed}", kept::LINK_PREFIX)))))
                }
                None => Msg::Toast {
                    is_bad: true,
                    text: "This browser cannot make links. Export to a file instead.".to_owned(),
                },
            });
        });
    }

    /// A file that is a manifest for everyone else: the state stands in a comment at its end.
    pub(super) fn export(&mut self, ctx: &Context<Self>) {
        let promise = js::pack(&Uint8Array::from(self.kept().seal().as_slice()));
        let text = self.text.to_string();
        let link = ctx.link().clone();
        spawn_local(async move {
            match JsFuture::from(promise).await.ok().and_then(|it| it.as_string()) {
                Some(packed) => js::download("drydock.yaml", &format!("{}\n{EXPORT_MARK}{packed}\n", text.trim_end())),
                None => link
                    .send_message(Msg::Toast { is_bad: true, text: "This browser cannot pack the state.".to_owned() }),
            }
        });
    }

    pub(super) fn import(&mut self, ctx: &Context<Self>, text: &str) {
        let (manifest, packed) = text.rsplit_once(EXPORT_MARK).unwrap_or((text, ""));
        self.set_text(manifest);
        self.pane = Pane::Manifest;
        if packed.is_empty() {
            return;
        }
        let (link, promise) = (ctx.link().clone(), js::unpack(packed.trim()));
        spawn_local(async move {
            let kept = match JsFuture::from(promise).await {
                Ok(bytes) => Kept::open(&Uint8Array::new(&bytes).to_vec()),
                Err(_) => Err("It is damaged."),
            };
            link.send_message(match kept {
                Ok(kept) => Msg::Replace(Box::new(kept)),
                Err(why) => Msg::Toast {
                    is_bad: true,
                    text: format!("The cluster in this file cannot be opened. {why} Its manifest is in the editor."),
                },
            });
        });
    }

    pub(super) fn replace(&mut self, ctx: &Context<Self>, kept: Box<Kept>) {
        self.forget_cluster(ctx);
        self.begin(ctx, Ok(Some(kept)));
    }

    /// Nothing of the cluster that was shown remains; a fresh engine waits to be booted.
    fn forget_cluster(&mut self, ctx: &Context<Self>) {
        self.dialog = None;
        self.drawer = None;
        self.select_nothing();
        let quarters = self.board.clock.quarters;
        self.board = Board::default();
        self.rows = Drawn::default();
        self.board.clock.quarters = quarters;
        self.cells = Rc::default();
        self.tree = Rc::default();
        self.is_ready = false;
        self.n_failures = 0;
        page::mark_ready(false);
        self.engine = start_engine(ctx);
    }

    pub(super) fn reset(&mut self, ctx: &Context<Self>) {
        self.forget_cluster(ctx);
        self.session = fresh();
        (self.is_restored, self.is_edited) = (false, true);
        self.base = Base::default();
        self.boot();
    }

    pub(super) fn select_nothing(&mut self) {
        self.selection = None;
        self.why = None;
        self.focus = None;
        self.marks = Rc::default();
        self.diff = None;
        self.said = None;
        self.problems = Rc::default();
    }

    pub(super) fn show_pane(&mut self, pane: Pane) {
        self.pane = pane;
        match pane {
            Pane::Console => self.tab = Tab::Console,
            Pane::Streams if self.tab == Tab::Console => self.tab = Tab::Watch,
            _ => (),
        }
    }

    pub(super) fn show_tab(&mut self, tab: Tab) {
        self.tab = tab;
        if matches!(self.pane, Pane::Streams | Pane::Console) || tab == Tab::Console {
            self.pane = if tab == Tab::Console { Pane::Console } else { Pane::Streams };
        }
        if self.size == Size::Low {
            self.size = Size::Middle;
        }
    }
}

/// Under which name the browser remembers how the cluster is shown.
pub(super) const SHAPE: &str = "shape";

/// About the width of the drawer when it stands at the left.
const DRAWER_PX: i32 = 440;

/// What stands before the packed state in an exported file.
const EXPORT_MARK: &str = "# drydock: d1:";

fn copy(ctx: &Context<App>, text: &str) {
    let promise = js::copy(text);
    let link = ctx.link().clone();
    spawn_local(async move {
        let is_bad = JsFuture::from(promise).await.is_err();
        let text = if is_bad {
            "The browser does not let this page copy. Select the text and copy it yourself."
        } else {
            "Copied."
        };
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

/// What was said of a line is over when the line is another one.
#[cold]
fn forget_changed(problems: &mut Vec<Problem>, before: &str, after: &str) {
    problems.retain(|it| {
        let n = it.line.saturating_sub(1) as usize;
        before.lines().nth(n) == after.lines().nth(n)
    });
}
