//! What the engine says.

use super::*;

impl App {
    pub(super) fn hear(&mut self, ctx: &Context<Self>, tell: Tell) {
        self.last_heard = page::wall_ms();
        match tell {
            Tell::Hello => (),
            Tell::Replaying { permille } => {
                self.notice = format!("The cluster is being brought back: {} %.", permille / 10)
            }
            Tell::Ready { revision } => self.on_ready(ctx, revision),
            Tell::Update { update, why } => {
                self.on_update(ctx, update);
                if let Some((why, lines)) = why {
                    self.on_why(Some(why), lines);
                }
            }
            Tell::Inputs { inputs } => self.on_inputs(ctx, inputs),
            Tell::Components { rows } => self.components = Rc::new(rows),
            Tell::Differences { found, problem } => {
                if let Some(shown) = &mut self.compare {
                    *shown = Some(Rc::new(Compared { found, problem }));
                }
            }
            Tell::Answer { id, code, body } => self.on_answer(ctx, id, code, body),
            Tell::Applied { id, outcomes, problems } => self.on_applied(ctx, id, &outcomes, problems),
            Tell::Why { why, lines } => self.on_why(why, lines),
            Tell::Details { details } => {
                if let Some(drawer) =
                    self.drawer.as_mut().filter(|it| it.target == details.target && it.part == details.part)
                {
                    drawer.details = Some(Rc::new(details));
                }
            }
            Tell::Way { way } => {
                if let Some(drawer) = &mut self.drawer {
                    drawer.way = Some(Rc::new(way));
                }
            }
            Tell::Said { text } => self.toast(ctx, false, text),
            Tell::Tree { rows } => self.tree = Rc::new(rows),
            Tell::Diff { revision, text } => self.diff = Some(Rc::new((revision, text))),
            Tell::Output { text, is_done, prompt } => Rc::make_mut(&mut self.log).add(&text, is_done, prompt),
            Tell::Completions { id, found } => self.on_completions(id, found),
            Tell::Problems { problems, .. } => merge_unreadable(Rc::make_mut(&mut self.problems), problems),
            Tell::Hover { id, text } => {
                if let Some(Pending::Editor(resolve)) = self.pending.remove(&id) {
                    let text = if text.is_empty() { JsValue::NULL } else { JsValue::from(text) };
                    resolve.call1(&JsValue::NULL, &text).ok();
                }
            }
        }
    }

    pub(super) fn on_ready(&mut self, ctx: &Context<Self>, revision: u64) {
        self.is_ready = true;
        if self.restarting.take().is_some() {
            let text = format!(
                "The engine stopped and was started again from revision {}. Nothing was lost.",
                grouped(revision)
            );
            self.toast(ctx, false, text);
        }
        page::mark_ready(true);
        js::load_rest(false);
        self.send_select();
        if matches!(self.shape, View::Tree | View::Components) {
            self.send_shape();
        }
        if self.compare.is_some() {
            self.send_compare();
        }
        if let Some(drawer) = &self.drawer {
            self.engine.ask(&Ask::Open { target: Some(drawer.target.clone()), part: drawer.part });
        }
        self.keep_soon(ctx);
        if std::mem::take(&mut self.runs_at_start) {
            self.act(ctx, Act::Apply);
        }
    }

    fn on_why(&mut self, why: Option<Why>, lines: Vec<u32>) {
        if why.as_ref().map(|it| &it.target) == self.selection.as_ref() {
            self.why = why.map(Rc::new);
            self.marks = Rc::new(lines);
        }
    }

    pub(super) fn on_update(&mut self, ctx: &Context<Self>, update: Update) {
        (self.session.at, self.session.turn) = (update.clock.now, update.clock.turn);
        let is_calm = update.is_whole || update.clock.quarters == 0 || update.clock.quarters > CALM_QUARTERS;
        let n_changes = update.pods.len();
        let has_news = !(update.pods.is_empty() && update.pods_gone.is_empty() && update.watch.is_empty());
        if (1..=MOVES_MAX).contains(&n_changes) && self.cells.len() <= MOVES_NODES_MAX && !is_calm {
            let uids: Array = update.pods.iter().map(|it| JsValue::from(it.uid.as_str())).collect();
            js::before_move(&uids);
            self.moves = true;
        }
        let (quarters, is_paused) = (self.board.clock.quarters, self.board.clock.is_paused);
        let is_whole = update.is_whole;
        let n_rows = update.watch.len() + update.events.len() + update.requests.len();
        self.board.apply(update);
        self.draw_rows(n_rows);
        if !self.is_ready {
            // The wish stands until the engine follows it.
            (self.board.clock.quarters, self.board.clock.is_paused) = (quarters, is_paused);
        }
        let same = !is_whole
            && self.cells.len() == self.board.cells.len()
            && self.cells.iter().zip(&self.board.cells).all(|(a, b)| Rc::ptr_eq(a, b));
        if !same {
            self.cells = Rc::new(self.board.cells.clone());
        }
        if has_news {
            self.n_failures = 0;
            self.keep_soon(ctx);
        }
        self.speak();
    }

    fn draw_rows(&mut self, n_new: usize) {
        let (now, board) = (page::wall_ms(), &self.board);
        if n_new > ROWS_CALM_MAX && now.saturating_sub(self.rows.at) < ROWS_MS {
            return;
        }
        let (watch, events, requests) = (board.watch.clone(), board.events.clone(), board.requests.clone());
        self.rows = Drawn { watch, events, requests, at: now };
    }

    /// One polite sentence a second at most.
    pub(super) fn speak(&mut self) {
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

    pub(super) fn on_inputs(&mut self, ctx: &Context<Self>, inputs: Vec<Rc<Input>>) {
        self.session.inputs.extend(inputs);
        // What is acknowledged is saved at once.
        self.keep(ctx);
    }

    /// The snapshot takes the place of the inputs that led to it; both are saved in one transaction.
    pub(super) fn on_snapshot(&mut self, ctx: &Context<Self>, base: Uint8Array) -> bool {
        self.last_heard = page::wall_ms();
        self.base = Base::new(base);
        self.session.inputs.clear();
        self.keep(ctx)
    }

    pub(super) fn on_answer(&mut self, ctx: &Context<Self>, id: u32, code: u16, body: String) {
        match self.pending.remove(&id) {
            Some(Pending::Remote(reply, refuse)) => {
                let tell = if code < 400 { reply } else { refuse };
                tell.call1(&JsValue::NULL, &JsValue::from(body)).ok();
            }
            Some(Pending::Request { is_whole, reply, refuse }) => {
                outside::pass_on(code, &body, is_whole, &reply, &refuse)
            }
            _ if code >= 400 => self.toast(ctx, true, body),
            _ => (),
        }
    }

    pub(super) fn on_applied(&mut self, ctx: &Context<Self>, id: u32, outcomes: &[Outcome], problems: Vec<Problem>) {
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
            Some(Pending::Remote(reply, refuse)) => {
                let lines: Vec<String> = outcomes
                    .iter()
                    .map(|it| it.line.clone())
                    .chain(problems.iter().map(|it| it.message.clone()))
                    .collect();
                let tell = if errors == 0 { reply } else { refuse };
                tell.call1(&JsValue::NULL, &JsValue::from(lines.join("\n"))).ok();
            }
            _ => (),
        }
        self.problems = Rc::new(problems);
        let words = if let [one] = outcomes { one.line.clone() } else { counts(outcomes) };
        self.said = Some(Rc::new(match errors {
            0 => (true, words),
            1 => (false, "1 problem".to_owned()),
            n => (false, format!("{n} problems")),
        }));
        self.is_edited = errors > 0 || outcomes.iter().any(|it| it.word == "deleted");
        // What was applied is what one wants explained.
        const EXPLAINED: [&str; 8] =
            ["DaemonSet", "Deployment", "StatefulSet", "ReplicaSet", "Job", "ReplicationController", "Pod", "CronJob"];
        let applied = outcomes
            .iter()
            .filter(|it| it.word != "deleted")
            .rev()
            .find(|it| EXPLAINED.contains(&it.target.kind.as_str()));
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

    pub(super) fn on_completions(&mut self, id: u32, found: Vec<Completion>) {
        match self.pending.remove(&id) {
            Some(Pending::Editor(resolve)) => {
                resolve.call1(&JsValue::NULL, &completions_for_js(&found)).ok();
            }
            Some(Pending::Line) => {
                let log = Rc::make_mut(&mut self.log);
                (log.offers, log.is_offered) = (Rc::new(found), true);
            }
            _ => (),
        }
    }

    pub(super) fn question(&mut self, question: EditorQuestion, resolve: Function) -> bool {
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
}

/// How what keeps a text from being read begins, in the words of go-yaml.
const UNREADABLE: &str = "yaml: ";

/// What cannot be read is said anew by each look at the text.
#[cold]
fn merge_unreadable(problems: &mut Vec<Problem>, found: Vec<Problem>) {
    problems.retain(|it| !it.message.starts_with(UNREADABLE));
    problems.extend(found);
}

/// `2 created, 1 unchanged`
#[cold]
fn counts(outcomes: &[Outcome]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for it in outcomes {
        match counts.iter_mut().find(|(word, _)| *word == it.word) {
            Some((_, n)) => *n += 1,
            None => counts.push((&it.word, 1)),
        }
    }
    counts.iter().map(|(word, n)| format!("{n} {word}")).collect::<Vec<_>>().join(", ")
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
