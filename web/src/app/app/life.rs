//! The beginning, the end, and the beginning again.

use super::*;

impl App {
    pub(super) fn begin(&mut self, ctx: &Context<Self>, kept: Result<Option<Box<Kept>>, String>) {
        let fragment = page::fragment();
        match kept {
            Ok(Some(kept)) => {
                let Kept { session, text, selection, quarters, is_paused, base, .. } = *kept;
                self.is_restored = true;
                self.session = session;
                self.base = Base::new(Uint8Array::from(base.as_bytes()));
                self.set_text(&text);
                self.selection = selection;
                self.is_edited = self.session.inputs.is_empty() && self.base.id == 0;
                self.board.clock.quarters = quarters;
                self.board.clock.is_paused = is_paused;
                self.notice = "The cluster is being brought back to where it was.".to_owned();
            }
            Ok(None) => {
                self.board.clock.quarters = 4;
                if let Some(text) = fragment.strip_prefix("manifest/") {
                    match js_sys::decode_uri_component(text) {
                        Ok(text) => self.set_text(&String::from(text)),
                        Err(_) => self.toast(ctx, true, "The manifest in this link is damaged.".to_owned()),
                    }
                    self.runs_at_start = page::parameter("autorun").as_deref() == Some("1");
                } else if let Some(name) = fragment.strip_prefix("example/") {
                    match examples::find(name) {
                        Some(example) => {
                            self.set_text((example.text)());
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
        self.check_address(ctx);
        self.boot();
    }

    /// Says of parameters in the address what is wrong with them.
    fn check_address(&mut self, ctx: &Context<Self>) {
        let view =
            page::parameter("view").filter(|it| !matches!(it.as_str(), "split" | "editor" | "cluster" | "console"));
        if let Some(it) = view.filter(|_| self.embed.is_some()) {
            self.toast(
                ctx,
                true,
                format!("There is no view named {it}; there are split, editor, cluster and console."),
            );
        }
        if let Some(it) = page::parameter("lang").filter(|it| it != "en" && !it.starts_with("en-")) {
            self.toast(ctx, true, format!("This page does not speak {it}, but English."));
        }
        let nodes = page::parameter("nodes").filter(|it| !it.parse().is_ok_and(|n: u32| (1..=NODES_MAX).contains(&n)));
        if let Some(it) = nodes {
            self.toast(ctx, true, format!("nodes={it} is not a number from 1 to {NODES_MAX}."));
        }
    }

    pub(super) fn boot(&mut self) {
        let is_fresh = self.session.inputs.is_empty() && self.base.id == 0;
        let scenario = if is_fresh { scenario() } else { String::new() };
        self.engine.ask(&Ask::Boot { session: self.session.clone(), base: self.base.text(), scenario });
        self.send_pace();
    }

    pub(super) fn send_pace(&self) {
        let clock = &self.board.clock;
        self.engine.ask(&Ask::Pace { quarters: clock.quarters, is_paused: clock.is_paused });
    }

    pub(super) fn watch(&mut self, ctx: &Context<Self>) -> bool {
        // Time that passes without any news is kept, too, but not so soon.
        if self.session.at != self.kept_at && page::wall_ms().saturating_sub(self.kept_ms) > KEEP_TIME_MS {
            self.keep_soon(ctx);
        }
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
    pub(super) fn restart(&mut self, ctx: &Context<Self>, why: &str) {
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
            Rc::make_mut(&mut self.log).add("\nThe engine stopped before this was done.\n", true, None);
        }
        for pending in std::mem::take(&mut self.pending).into_values() {
            if let Pending::Remote(_, refuse) | Pending::Request { refuse, .. } = pending {
                refuse.call1(&JsValue::NULL, &format!("the engine stopped: {why}").into()).ok();
            }
        }
        self.engine = start_engine(ctx);
        self.boot();
    }

    /// Keeps the state in the browser, soon.
    pub(super) fn keep_soon(&mut self, ctx: &Context<Self>) {
        if self.keeping.is_none() && self.embed.is_none() {
            let link = ctx.link().clone();
            self.keeping = Some(Timeout::new(KEEP_MS, move || link.send_message(Msg::Keep)));
        }
    }

    /// What the browser keeps beside the snapshot.
    fn kept_beside(&self) -> Kept {
        Kept {
            session: self.session.clone(),
            text: self.text.to_string(),
            selection: self.selection.clone(),
            quarters: self.board.clock.quarters,
            is_paused: self.board.clock.is_paused,
            base_id: self.base.id,
            base: String::new(),
        }
    }

    /// Everything, for links and files.
    pub(super) fn kept(&self) -> Kept {
        Kept { base: self.base.text(), ..self.kept_beside() }
    }

    /// Begins to save the state, unless that is being done: then once more afterwards.
    pub(super) fn keep(&mut self, ctx: &Context<Self>) -> bool {
        self.keeping = None;
        if !self.is_ready || self.embed.is_some() {
            return false;
        }
        if self.saving != Saving::No {
            self.saving = Saving::Again;
            return false;
        }
        self.saving = Saving::Yes;
        (self.kept_at, self.kept_ms) = (self.session.at, page::wall_ms());
        let promise = self.base.save(&self.kept_beside());
        let link = ctx.link().clone();
        spawn_local(async move {
            link.send_message(Msg::Saved(JsFuture::from(promise).await.is_ok()));
        });
        false
    }

    pub(super) fn on_saved(&mut self, ctx: &Context<Self>, is: bool) {
        if !is {
            let text = "This browser keeps nothing for this page, so a reload begins anew. Export or share what you want to keep.";
            self.toast(ctx, false, text.to_owned());
        }
        if std::mem::replace(&mut self.saving, Saving::No) == Saving::Again {
            self.keep(ctx);
        }
    }
}

/// The machines of a fresh cluster: as many as the address asks for, or four of different kinds.
fn scenario() -> String {
    let n = page::parameter("nodes").and_then(|it| it.parse::<u32>().ok());
    let machine =
        |n: u32| format!("---\napiVersion: sim.drydock.dev/v1alpha1\nkind: Machine\nmetadata: {{name: node-{n}}}\n");
    n.map_or_else(|| examples::SCENARIO.to_owned(), |n| (1..=n.clamp(1, NODES_MAX)).map(machine).collect())
}

/// Machines that an address may ask for.
const NODES_MAX: u32 = 100;
