//! The manifest: editor, what is wrong with it, and the buttons that do something with it.

use std::cell::RefCell;
use std::rc::Rc;

use gloo::timers::callback::Timeout;
use js_sys::{Array, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web::Problem;
use web_sys::{Element, HtmlTextAreaElement, KeyboardEvent};
use yew::prelude::*;

use crate::act::Act;
use crate::compare::{Compare, Compared};
use crate::js::{self, Editor};

/// Asks the worker; answers come as a promise to the editor.
pub type AskEditor = Rc<dyn Fn(EditorQuestion, js_sys::Function)>;

/// What the editor wants to know at a place in its text; line from 1, column from 0.
pub enum EditorQuestion {
    Complete { text: String, line: u32, column: u32 },
    Hover { text: String, line: u32, column: u32 },
}

#[derive(Properties)]
pub struct ManifestProps {
    pub text: AttrValue,
    /// Grows when the text was replaced by something else than typing.
    pub version: u32,
    pub problems: Rc<Vec<Problem>>,
    pub marks: Rc<Vec<u32>>,
    /// Where to put the cursor; the number tells two requests for one place apart.
    pub go_to: Option<(u32, u32, u32)>,
    pub said: Option<Rc<(bool, String)>>,
    pub is_ready: bool,
    pub is_busy: bool,
    pub is_read_only: bool,
    /// What applying would change, while that is shown instead of the editor.
    pub compare: Option<Option<Rc<Compared>>>,
    pub ask: AskEditor,
    pub on: Callback<Act>,
}

impl PartialEq for ManifestProps {
    fn eq(&self, other: &Self) -> bool {
        // The text is the editor's own; only a new version is to be put into it.
        self.version == other.version
            && self.problems == other.problems
            && self.marks == other.marks
            && self.go_to == other.go_to
            && self.said == other.said
            && self.is_ready == other.is_ready
            && self.is_busy == other.is_busy
            && self.is_read_only == other.is_read_only
            && self.compare == other.compare
    }
}

#[component]
pub fn Manifest(props: &ManifestProps) -> Html {
    let ManifestProps { problems, said, is_ready, is_busy, compare, on, .. } = props;
    let act = |act: Act| {
        let on = on.clone();
        Callback::from(move |_: MouseEvent| on.emit(act.clone()))
    };
    let (said_class, said_text) = match said.as_deref() {
        Some((true, text)) => ("ok", text.clone()),
        Some((false, text)) => ("bad", text.clone()),
        None => ("", String::new()),
    };
    html! {
        <section class="manifest" aria-label="Manifest">
            <div class="pane-head"><h2>{ "manifest.yaml" }</h2></div>
            <div class={classes!("editing", compare.is_some().then_some("comparing"))}>
                <EditorHost ..props.clone_for_host() />
                if let Some(found) = compare { <Compare found={found.clone()} on={on.clone()} /> }
            </div>
            <div class="problems" data-testid="problems" hidden={problems.is_empty()} role="group" aria-label="Problems" aria-live="polite">
                { for problems.iter().map(|it| {
                    let (on, line, column) = (on.clone(), it.line, it.column);
                    let onclick = Callback::from(move |_: MouseEvent| on.emit(Act::GoTo { line, column }));
                    html! {
                        <button type="button" class={classes!("problem", it.is_warning.then_some("warning"))} data-testid="problem" data-line={line.to_string()} {onclick}>
                            <span class="at">{ format!("{} {line}:{column}", if it.is_warning { "⚠" } else { "✖" }) }</span><span>{ it.message.clone() }</span>
                        </button>
                    }
                }) }
            </div>
            <div class="actions">
                <button type="button" class="button primary" data-testid="apply" disabled={!is_ready || *is_busy} title="kubectl apply -f manifest.yaml (Ctrl+Enter, ⌘ Enter)"
                    onclick={act(Act::Apply)}>{ "Apply" }<kbd class="wide-only">{ "Ctrl ↵" }</kbd></button>
                <button type="button" class="button" data-testid="delete" disabled={!is_ready || *is_busy} title="kubectl delete -f manifest.yaml" onclick={act(Act::Delete)}>{ "Delete" }</button>
                <button type="button" class="button chrome" data-testid="compare-toggle" disabled={!is_ready} aria-pressed={compare.is_some().to_string()}
                    title="kubectl diff -f manifest.yaml: what Apply would change (d)" onclick={act(Act::Compare)}>{ "Diff" }</button>
                <span class={classes!("said", said_class)} role="status" title={said_text.clone()}>{ said_text }</span>
            </div>
        </section>
    }
}

impl ManifestProps {
    fn clone_for_host(&self) -> HostProps {
        HostProps {
            text: self.text.clone(),
            version: self.version,
            problems: self.problems.clone(),
            marks: self.marks.clone(),
            go_to: self.go_to,
            is_ready: self.is_ready,
            is_read_only: self.is_read_only,
            ask: self.ask.clone(),
            on: self.on.clone(),
        }
    }
}

#[derive(Properties)]
struct HostProps {
    text: AttrValue,
    version: u32,
    problems: Rc<Vec<Problem>>,
    marks: Rc<Vec<u32>>,
    go_to: Option<(u32, u32, u32)>,
    is_ready: bool,
    is_read_only: bool,
    ask: AskEditor,
    on: Callback<Act>,
}

impl PartialEq for HostProps {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version
            && self.problems == other.problems
            && self.marks == other.marks
            && self.go_to == other.go_to
            && self.is_ready == other.is_ready
            && self.is_read_only == other.is_read_only
    }
}

/// A plain field at once, the editor when the engine runs: nothing waits for it.
struct EditorHost {
    host: NodeRef,
    plain: NodeRef,
    editor: Option<Editor>,
    is_loading: bool,
    /// Kept as long as the editor calls them.
    callbacks: Vec<JsValue>,
    start: Option<Timeout>,
}

enum HostMsg {
    Load,
    Loaded(Editor),
    Typed(String),
}

impl Component for EditorHost {
    type Message = HostMsg;
    type Properties = HostProps;

    fn create(_ctx: &Context<Self>) -> Self {
        EditorHost {
            host: NodeRef::default(),
            plain: NodeRef::default(),
            editor: None,
            is_loading: false,
            callbacks: Vec::new(),
            start: None,
        }
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let oninput = ctx.link().batch_callback(|event: InputEvent| {
            let field = event.target().and_then(|it| it.dyn_into::<HtmlTextAreaElement>().ok())?;
            Some(HostMsg::Typed(field.value()))
        });
        let onkeydown = {
            let on = ctx.props().on.clone();
            Callback::from(move |event: KeyboardEvent| {
                if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
                    event.prevent_default();
                    on.emit(Act::Apply);
                }
            })
        };
        html! {
            <div class="editor" data-testid="editor">
                <div class="host" ref={self.host.clone()} />
                if self.editor.is_none() {
                    <textarea ref={self.plain.clone()} aria-label="Manifest" spellcheck="false" autocapitalize="off"
                        readonly={ctx.props().is_read_only} value={ctx.props().text.clone()} {oninput} {onkeydown} />
                }
            </div>
        }
    }

    fn rendered(&mut self, ctx: &Context<Self>, first: bool) {
        if first || ctx.props().is_ready {
            self.load_soon(ctx);
        }
    }

    fn changed(&mut self, ctx: &Context<Self>, old: &Self::Properties) -> bool {
        let props = ctx.props();
        let Some(editor) = &self.editor else { return true };
        if props.version != old.version {
            editor.set_text(&props.text);
        }
        self.show(props, Some(old));
        false
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Self::Message) -> bool {
        match msg {
            HostMsg::Load => {
                self.load(ctx);
                false
            }
            HostMsg::Typed(text) => {
                ctx.props().on.emit(Act::Text(text));
                false
            }
            HostMsg::Loaded(editor) => {
                // What was typed meanwhile in the plain field.
                if let Some(plain) = self.plain.cast::<HtmlTextAreaElement>() {
                    editor.set_text(&plain.value());
                    let has_focus = web_sys::window()
                        .and_then(|it| it.document())
                        .and_then(|it| it.active_element())
                        .is_some_and(|it| it.is_same_node(Some(&plain)));
                    if has_focus {
                        editor.focus();
                    }
                }
                self.editor = Some(editor);
                self.show(ctx.props(), None);
                true
            }
        }
    }
}

impl EditorHost {
    fn load_soon(&mut self, ctx: &Context<Self>) {
        if !ctx.props().is_ready || self.is_loading {
            return;
        }
        self.is_loading = true;
        let link = ctx.link().clone();
        self.start = Some(Timeout::new(30, move || link.send_message(HostMsg::Load)));
    }

    fn load(&mut self, ctx: &Context<Self>) {
        let Some(host) = self.host.cast::<Element>() else { return };
        let options = self.options(ctx);
        let promise = js::make_editor(&host, &options);
        let link = ctx.link().clone();
        spawn_local(async move {
            // Without it the plain field stays, which can do all that matters.
            if let Ok(editor) = JsFuture::from(promise).await {
                link.send_message(HostMsg::Loaded(editor.unchecked_into()));
            }
        });
    }

    fn options(&mut self, ctx: &Context<Self>) -> Object {
        let options = Object::new();
        let set = |name: &str, value: JsValue| {
            // A plain object takes every property.
            Reflect::set(&options, &name.into(), &value).ok();
        };
        let props = ctx.props();
        set("text", props.text.as_str().into());
        set("label", "Manifest".into());
        let on = props.on.clone();
        let on_change = Closure::<dyn Fn(String)>::new(move |text| on.emit(Act::Text(text))).into_js_value();
        let on = props.on.clone();
        let on_apply = Closure::<dyn Fn()>::new(move || on.emit(Act::Apply)).into_js_value();
        set("onChange", on_change.clone());
        set("onApply", on_apply.clone());
        let question = |make: fn(String, u32, u32) -> EditorQuestion| {
            let ask = props.ask.clone();
            Closure::<dyn Fn(String, u32, u32) -> Promise>::new(move |text: String, line: u32, column: u32| {
                let question = RefCell::new(Some(make(text, line, column)));
                let ask = ask.clone();
                Promise::new(&mut |resolve, _| {
                    if let Some(question) = question.take() {
                        ask(question, resolve);
                    }
                })
            })
            .into_js_value()
        };
        let complete = question(|text, line, column| EditorQuestion::Complete { text, line, column });
        let hover = question(|text, line, column| EditorQuestion::Hover { text, line, column });
        set("complete", complete.clone());
        set("hover", hover.clone());
        self.callbacks = vec![on_change, on_apply, complete, hover];
        options
    }

    /// Takes over what differs from before; everything without a before.
    fn show(&self, props: &HostProps, old: Option<&HostProps>) {
        let Some(editor) = &self.editor else { return };
        if old.is_none_or(|it| it.problems != props.problems) {
            editor.set_problems(&problems_for_js(&props.problems));
        }
        if old.is_none_or(|it| it.marks != props.marks) {
            editor.set_marks(&props.marks.iter().map(|it| JsValue::from(*it)).collect::<Array>());
        }
        if old.is_none_or(|it| it.is_read_only != props.is_read_only) {
            editor.set_read_only(props.is_read_only);
        }
        if let Some((line, column, _)) = props.go_to
            && old.is_none_or(|it| it.go_to != props.go_to)
        {
            editor.go_to(line, column);
        }
    }
}

fn problems_for_js(problems: &[Problem]) -> JsValue {
    let list: Array = problems
        .iter()
        .map(|it| {
            let problem = Object::new();
            let severity = if it.is_warning { "warning" } else { "error" };
            let fields: [(&str, JsValue); 4] = [
                ("line", it.line.into()),
                ("column", it.column.into()),
                ("severity", severity.into()),
                ("message", it.message.as_str().into()),
            ];
            for (name, value) in fields {
                Reflect::set(&problem, &name.into(), &value).ok();
            }
            problem
        })
        .collect();
    list.into()
}
