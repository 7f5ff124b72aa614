//! kubectl in the page: a line in, its output, history and completion.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web::Completion;
use web_sys::{Element, HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

use crate::act::Act;
use crate::page;

/// Characters of output that the page keeps.
const OUTPUT_MAX: usize = 200_000;
const HISTORY_MAX: usize = 200;

/// Everything that was typed and answered.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Log {
    pub blocks: Vec<Rc<Block>>,
    /// Lines that were run, oldest first.
    pub history: Vec<String>,
    pub is_running: bool,
    /// What the running command asks with, while it waits for a line.
    pub prompt: Option<String>,
    /// What could stand at the end of the line that was last asked about.
    pub offers: Rc<Vec<Completion>>,
    pub offers_for: String,
    /// Whether the offers for that line have come.
    pub is_offered: bool,
}

#[derive(Clone, PartialEq, Default, Debug)]
pub struct Block {
    pub asked: String,
    pub output: String,
}

impl Log {
    pub fn begin(&mut self, line: &str) {
        self.blocks.push(Rc::new(Block { asked: line.to_owned(), output: String::new() }));
        if !line.is_empty() && self.history.last().map(String::as_str) != Some(line) {
            self.history.push(line.to_owned());
            let excess = self.history.len().saturating_sub(HISTORY_MAX);
            self.history.drain(..excess);
        }
        self.is_running = true;
        self.prompt = None;
        self.offers = Rc::default();
    }

    /// What was typed for the running command, as a terminal shows it.
    pub fn hear(&mut self, line: Option<&str>) {
        let prompt = self.prompt.clone();
        let text = format!("{}{}\n", prompt.as_deref().unwrap_or_default(), line.unwrap_or("^D"));
        // Until the command says otherwise, the next line is for it, too.
        self.add(&text, false, prompt);
    }

    pub fn add(&mut self, text: &str, is_done: bool, prompt: Option<String>) {
        if self.blocks.is_empty() {
            self.blocks.push(Rc::default());
        }
        if let Some(last) = self.blocks.last_mut() {
            Rc::make_mut(last).output.push_str(text);
        }
        let mut n_chars: usize = self.blocks.iter().map(|it| it.output.len()).sum();
        while n_chars > OUTPUT_MAX && self.blocks.len() > 1 {
            n_chars -= self.blocks.remove(0).output.len();
        }
        self.is_running = !is_done;
        self.prompt = prompt;
    }
}

#[derive(Properties, PartialEq)]
pub struct ConsoleProps {
    pub log: Rc<Log>,
    pub is_ready: bool,
    pub on: Callback<Act>,
}

#[component]
pub fn Console(props: &ConsoleProps) -> Html {
    let ConsoleProps { log, is_ready, on } = props;
    let input = use_node_ref();
    let output = use_node_ref();
    // Which line of the history is shown, counted from the end; 0 is what is being typed.
    let back = use_mut_ref(|| 0_usize);
    {
        let output = output.clone();
        use_effect_with(log.clone(), move |_| {
            if let Some(output) = output.cast::<Element>() {
                output.set_scroll_top(output.scroll_height());
            }
        });
    }
    {
        let input = input.clone();
        use_effect_with(log.offers.clone(), {
            let asked = log.offers_for.clone();
            move |offers: &Rc<Vec<Completion>>| complete(&input, &asked, offers)
        });
    }
    let onsubmit = {
        let (on, input, back, asks) = (on.clone(), input.clone(), back.clone(), log.prompt.is_some());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let Some(input) = input.cast::<HtmlInputElement>() else { return };
            let line = input.value();
            input.set_value("");
            *back.borrow_mut() = 0;
            if asks {
                on.emit(Act::Typed(Some(line)));
            } else if !line.trim().is_empty() {
                on.emit(Act::Line(line.trim().to_owned()));
            }
        })
    };
    let onkeydown = {
        let (on, input, back, log) = (on.clone(), input.clone(), back.clone(), log.clone());
        Callback::from(move |event: KeyboardEvent| {
            let Some(input) = input.cast::<HtmlInputElement>() else { return };
            match event.key().as_str() {
                "ArrowUp" | "ArrowDown" if log.prompt.is_some() => (),
                "ArrowUp" => recall(&input, &log.history, &mut back.borrow_mut(), 1),
                "ArrowDown" => recall(&input, &log.history, &mut back.borrow_mut(), -1),
                // An empty line lets Tab leave, so that the keyboard is never caught here.
                "Tab" if !event.shift_key() && offers_something(&input, &log) => {
                    on.emit(Act::CompleteLine(input.value()));
                }
                "Escape" => {
                    event.stop_propagation();
                    page::focus("[role='tab'][aria-selected='true']");
                }
                "d" if event.ctrl_key() && log.prompt.is_some() && input.value().is_empty() => {
                    on.emit(Act::Typed(None))
                }
                "c" if event.ctrl_key() && log.is_running => on.emit(Act::Interrupt),
                _ => return,
            }
            event.prevent_default();
        })
    };
    let prompt = match log.prompt.as_deref() {
        None => "$ kubectl",
        Some("") => "input",
        Some(it) => it.trim_end(),
    }
    .to_owned();
    let offers = if log.offers.len() > 1 { log.offers.clone() } else { Rc::default() };
    html! {
        <div class="console">
            <div class="output" ref={output} data-testid="console-output" role="log" aria-label="Output of kubectl" tabindex="0">
                if log.blocks.is_empty() {
                    <span class="what">{ "kubectl of this cluster, for example: get pods -A -o wide\n" }</span>
                }
                { for log.blocks.iter().map(|it| html! { <Shown block={it.clone()} /> }) }
            </div>
            <form {onsubmit}>
                <label class="prompt" for="console-line">{ prompt }</label>
                <input id="console-line" ref={input} data-testid="console-input" autocomplete="off" autocapitalize="off" spellcheck="false"
                    disabled={!is_ready} enterkeyhint="go" {onkeydown} />
                if log.prompt.is_some() {
                    <button type="button" class="button small" title="No more is typed (Ctrl+D)" onclick={{ let on = on.clone(); Callback::from(move |_: MouseEvent| on.emit(Act::Typed(None))) }}>{ "End input" }</button>
                } else if log.is_running {
                    <button type="button" class="button small" onclick={{ let on = on.clone(); Callback::from(move |_: MouseEvent| on.emit(Act::Interrupt)) }}>{ "Stop" }</button>
                }
                if !offers.is_empty() {
                    <div class="offers" role="status">{ for offers.iter().take(100).map(|it| html! { <span title={it.detail.clone()}>{ it.label.clone() }</span> }) }</div>
                }
            </form>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct ShownProps {
    block: Rc<Block>,
}

#[component]
fn Shown(props: &ShownProps) -> Html {
    let Block { asked, output } = &*props.block;
    html! {
        <>
            if !asked.is_empty() { <span class="asked">{ format!("$ kubectl {}\n", asked.strip_prefix("kubectl ").unwrap_or(asked)) }</span> }
            { output.clone() }
        </>
    }
}

fn recall(input: &HtmlInputElement, history: &[String], back: &mut usize, by: isize) {
    *back = back.saturating_add_signed(by).min(history.len());
    let line = history.len().checked_sub(*back).and_then(|it| history.get(it));
    input.set_value(line.map_or("", String::as_str));
}

/// Whether Tab may find something: not on an empty line, in input for a command, nor once all there is was offered.
fn offers_something(input: &HtmlInputElement, log: &Log) -> bool {
    let line = input.value();
    let is_told = log.offers_for == line && log.is_offered;
    log.prompt.is_none() && !line.is_empty() && !is_told
}

/// Puts the only offer, or what all offers begin with, in place of the last word.
fn complete(input: &NodeRef, asked: &str, offers: &[Completion]) {
    let Some(input) = input.cast::<HtmlInputElement>() else { return };
    let Some(first) = offers.first() else { return };
    if input.value() != asked {
        return;
    }
    let common = offers.iter().fold(first.label.as_str(), |common, it| {
        let same = common.char_indices().zip(it.label.chars()).find(|((_, a), b)| a != b).map(|((at, _), _)| at);
        &common[..same.unwrap_or(common.len().min(it.label.len()))]
    });
    let start = asked.rfind(' ').map_or(0, |it| it + 1);
    let end = if offers.len() == 1 { " " } else { "" };
    if common.len() >= asked.len() - start {
        input.set_value(&format!("{}{common}{end}", &asked[..start]));
        input.unchecked_ref::<web_sys::HtmlElement>().focus().ok();
    }
}
