//! What happens, as rows: watch events, Event objects, requests; and the console beside them.

use std::collections::BTreeSet;
use std::rc::Rc;

use view::board::Rows;
use view::clock::{grouped, time_with_millis};
use view::filter::Filter;
use view::model::{EventRow, Ref, RequestRow, WatchRow};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement, HtmlSelectElement, KeyboardEvent};
use yew::prelude::*;

use crate::act::{Act, Size, Tab};
use crate::console::{Console, Log};
use crate::icons::icon;
use crate::roving;

/// Rows drawn at once; earlier ones on request.
const PAGE_ROWS: usize = 80;
/// How far from the end still counts as following it, in pixels.
const FOLLOW_PX: i32 = 24;

#[derive(Properties, PartialEq)]
pub struct StreamsProps {
    pub watch: Rows<WatchRow>,
    pub events: Rows<EventRow>,
    pub requests: Rows<RequestRow>,
    pub tab: Tab,
    pub size: Size,
    pub focus: Option<Ref>,
    /// The whole difference of the row that is open: its revision and text.
    pub diff: Option<Rc<(u64, String)>>,
    pub log: Rc<Log>,
    pub is_ready: bool,
    /// The cluster was brought back, without the changes before.
    pub is_restored: bool,
    pub on: Callback<Act>,
}

#[component]
pub fn Streams(props: &StreamsProps) -> Html {
    let StreamsProps { watch, events, requests, tab, size, focus, diff, log, is_ready, is_restored, on } = props;
    let kind = use_state(String::new);
    let words = use_state(String::new);
    // A paused stream shows what it had then.
    let held = use_state(|| None::<Held>);
    let is_held = held.is_some();
    let filter = Filter { kind: (*kind).clone(), words: (*words).clone(), only: focus.clone() };
    let shown = (*held).clone().unwrap_or_else(|| Held {
        watch: watch.clone(),
        events: events.clone(),
        requests: requests.clone(),
    });
    let act = |act: Act| {
        let on = on.clone();
        Callback::from(move |_: MouseEvent| on.emit(act.clone()))
    };
    let toggle_held = {
        let (held, now) =
            (held.clone(), Held { watch: watch.clone(), events: events.clone(), requests: requests.clone() });
        Callback::from(move |_: MouseEvent| held.set(if held.is_some() { None } else { Some(now.clone()) }))
    };
    let copy = {
        let (on, shown, filter, tab) = (on.clone(), shown.clone(), filter.clone(), *tab);
        Callback::from(move |_: MouseEvent| on.emit(Act::Copy(as_text(&shown, &filter, tab))))
    };
    let is_console = *tab == Tab::Console;
    let body = match tab {
        Tab::Watch => {
            html! { <Watch rows={shown.watch} {filter} diff={diff.clone()} is_restored={*is_restored} on={on.clone()} /> }
        }
        Tab::Events => html! { <Events rows={shown.events} {filter} on={on.clone()} /> },
        Tab::Requests => html! { <Requests rows={shown.requests} {filter} /> },
        Tab::Console => html! { <Console log={log.clone()} is_ready={*is_ready} on={on.clone()} /> },
    };
    html! {
        <section class="streams" aria-label="What happens">
            <div class="tabs">
                { tablist(*tab, watch.n_seen, events.n_seen, requests.n_seen, on) }
                if !is_console {
                    <span class="filters">
                        if *tab == Tab::Watch { { kinds(watch, &kind) } }
                        { words_field(&words) }
                        if let Some(only) = focus {
                            <span class="only"><span>{ only.name.clone() }</span>
                                <button type="button" aria-label={format!("Show more than {only}")} title="Show everything" onclick={act(Act::Focus(None))}>{ icon("close") }</button>
                            </span>
                        }
                    </span>
                }
                <span class="grow" />
                if is_console {
                    <button type="button" class="button plain icon small" aria-label="Clear the console" title="Clear" onclick={act(Act::ClearConsole)}>{ icon("eraser") }</button>
                } else {
                    <button type="button" class="button plain icon small phone-hide" aria-label="Hold the stream" title="Hold still; nothing is lost" aria-pressed={is_held.to_string()}
                        onclick={toggle_held}>{ icon(if is_held { "play" } else { "pause" }) }</button>
                    <button type="button" class="button plain icon small phone-hide" aria-label="Copy the rows" title="Copy the rows" onclick={copy}>{ icon("copy") }</button>
                }
                { resize(*size, &act) }
            </div>
            <div class="stream-body" role="tabpanel" aria-label={tab_name(*tab)}>{ body }</div>
        </section>
    }
}

#[derive(Clone, PartialEq)]
struct Held {
    watch: Rows<WatchRow>,
    events: Rows<EventRow>,
    requests: Rows<RequestRow>,
}

fn tab_name(tab: Tab) -> &'static str {
    match tab {
        Tab::Watch => "Watch",
        Tab::Events => "Events",
        Tab::Requests => "Requests",
        Tab::Console => "Console",
    }
}

fn tablist(tab: Tab, n_watch: u64, n_events: u64, n_requests: u64, on: &Callback<Act>) -> Html {
    let one = |it: Tab, n: u64, title: &'static str, testid: &'static str| {
        let on = on.clone();
        let onclick = Callback::from(move |_: MouseEvent| on.emit(Act::Tab(it)));
        html! {
            <button type="button" class="tab" role="tab" aria-selected={(it == tab).to_string()} tabindex={if it == tab { "0" } else { "-1" }} {title} data-testid={testid} {onclick}>
                { tab_name(it) }
                if n > 0 { <span class="n phone-hide">{ grouped(n) }</span> }
            </button>
        }
    };
    let onkeydown = Callback::from(|event: KeyboardEvent| roving::on_tab_key(&event));
    html! {
        <div role="tablist" aria-label="Streams" {onkeydown}>
            { one(Tab::Watch, n_watch, "Every change of every object", "tab-watch") }
            { one(Tab::Events, n_events, "Event objects", "tab-events") }
            { one(Tab::Requests, n_requests, "Requests to the API server", "tab-requests") }
            { one(Tab::Console, 0, "kubectl", "tab-console") }
        </div>
    }
}

fn resize(size: Size, act: &dyn Fn(Act) -> Callback<MouseEvent>) -> Html {
    html! {
        <>
            if size != Size::Tall {
                <button type="button" class="button plain icon small phone-hide" aria-label="More room for the streams" title="More room"
                    onclick={act(Act::Size(if size == Size::Low { Size::Middle } else { Size::Tall }))}>{ icon("tall") }</button>
            }
            if size != Size::Low {
                <button type="button" class="button plain icon small phone-hide" aria-label="Less room for the streams" title="Less room"
                    onclick={act(Act::Size(if size == Size::Tall { Size::Middle } else { Size::Low }))}>{ icon("low") }</button>
            }
        </>
    }
}

fn kinds(rows: &Rows<WatchRow>, kind: &UseStateHandle<String>) -> Html {
    let mut kinds = rows.iter().map(|it| it.object.kind.as_str()).collect::<BTreeSet<_>>();
    kinds.insert(kind.as_str());
    kinds.remove("");
    let chosen = (**kind).clone();
    let set = kind.setter();
    let onchange = Callback::from(move |event: Event| {
        if let Some(select) = event.target().and_then(|it| it.dyn_into::<HtmlSelectElement>().ok()) {
            set.set(select.value());
        }
    });
    html! {
        <select class="field" aria-label="Kind" {onchange}>
            <option value="" selected={chosen.is_empty()}>{ "All kinds" }</option>
            { for kinds.into_iter().map(|it| html! { <option value={it.to_owned()} selected={it == chosen}>{ it.to_owned() }</option> }) }
        </select>
    }
}

fn words_field(words: &UseStateHandle<String>) -> Html {
    let set = words.setter();
    let oninput = Callback::from(move |event: InputEvent| {
        if let Some(input) = event.target().and_then(|it| it.dyn_into::<HtmlInputElement>().ok()) {
            set.set(input.value());
        }
    });
    html! { <input class="field" type="search" placeholder="Filter" aria-label="Filter rows by words" value={(**words).clone()} {oninput} /> }
}

/// The last rows that a filter shows, oldest first, and how many there are before them.
fn page<T>(rows: &Rows<T>, shows: impl Fn(&T) -> bool, n_pages: usize) -> (Vec<Rc<T>>, usize) {
    let mut res: Vec<Rc<T>> = rows.iter().filter(|it| shows(it)).cloned().collect();
    let n_before = res.len().saturating_sub(n_pages * PAGE_ROWS);
    res.drain(..n_before);
    (res, n_before)
}

/// What all three share: a list that follows its end unless the reader has scrolled up.
#[derive(Properties, PartialEq)]
struct TailProps {
    testid: &'static str,
    empty: &'static str,
    n_before: usize,
    /// Grows with every row.
    n_seen: u64,
    n_rows: usize,
    on_earlier: Callback<()>,
    children: Html,
}

#[component]
fn Tail(props: &TailProps) -> Html {
    let TailProps { testid, empty, n_before, n_seen, n_rows, on_earlier, children } = props;
    let list = use_node_ref();
    let follows = use_mut_ref(|| true);
    // Rows that came while the reader was elsewhere, counted from here.
    let left_at = use_state(|| None::<u64>);
    {
        let (list, follows) = (list.clone(), follows.clone());
        use_effect_with((*n_seen, *n_rows), move |_| {
            if *follows.borrow()
                && let Some(list) = list.cast::<Element>()
            {
                list.set_scroll_top(list.scroll_height());
            }
        });
    }
    let onscroll = {
        let (list, follows, left_at, n_seen) = (list.clone(), follows.clone(), left_at.clone(), *n_seen);
        Callback::from(move |_: Event| {
            let Some(list) = list.cast::<Element>() else { return };
            let at_end = list.scroll_height() - list.scroll_top() - list.client_height() < FOLLOW_PX;
            *follows.borrow_mut() = at_end;
            match (at_end, *left_at) {
                (true, Some(_)) => left_at.set(None),
                (false, None) => left_at.set(Some(n_seen)),
                _ => (),
            }
        })
    };
    let to_end = {
        let list = list.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(list) = list.cast::<Element>() {
                list.set_scroll_top(list.scroll_height());
            }
        })
    };
    let earlier = {
        let on_earlier = on_earlier.clone();
        Callback::from(move |_: MouseEvent| on_earlier.emit(()))
    };
    let n_since = left_at.map_or(0, |it| n_seen.saturating_sub(it));
    html! {
        <>
            <div class="rows" ref={list} data-testid={*testid} tabindex="0" role="group" aria-label="Rows" {onscroll}>
                if *n_before > 0 { <button type="button" class="earlier" onclick={earlier}>{ format!("{n_before} earlier rows") }</button> }
                if *n_rows == 0 { <p class="empty">{ *empty }</p> }
                { children.clone() }
            </div>
            if n_since > 0 { <button type="button" class="button small since" onclick={to_end}>{ format!("{} new, to the end", grouped(n_since)) }</button> }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct WatchProps {
    rows: Rows<WatchRow>,
    filter: Filter,
    diff: Option<Rc<(u64, String)>>,
    is_restored: bool,
    on: Callback<Act>,
}

#[component]
fn Watch(props: &WatchProps) -> Html {
    let WatchProps { rows, filter, diff, is_restored, on } = props;
    let n_pages = use_state(|| 1_usize);
    let (shown, n_before) = page(rows, |it| filter.shows_watch(it), *n_pages);
    let on_earlier = {
        let n_pages = n_pages.clone();
        Callback::from(move |()| n_pages.set(*n_pages + 1))
    };
    const RESTORED: &str =
        "The cluster was brought back. Its changes before that are not kept; its Event objects are, under Events.";
    let empty = if *is_restored {
        RESTORED
    } else {
        "No change yet. Every ADDED, MODIFIED and DELETED that a watch would send stands here."
    };
    html! {
        <Tail testid="stream-watch" {empty}
            {n_before} n_seen={rows.n_seen} n_rows={shown.len()} {on_earlier}>
            if *is_restored && n_before == 0 && !shown.is_empty() {
                <p class="note">{ RESTORED }</p>
            }
            { for shown.iter().map(|row| {
                let open = diff.as_ref().filter(|it| it.0 == row.revision).cloned();
                html! { <WatchLine key={row.revision.to_string()} row={row.clone()} {open} is_marked={filter.only.as_ref() == Some(&row.object)} on={on.clone()} /> }
            }) }
        </Tail>
    }
}

#[derive(Properties, PartialEq)]
struct WatchLineProps {
    row: Rc<WatchRow>,
    open: Option<Rc<(u64, String)>>,
    is_marked: bool,
    on: Callback<Act>,
}

#[component]
fn WatchLine(props: &WatchLineProps) -> Html {
    let WatchLineProps { row, open, is_marked, on } = props;
    let (class, name) = match row.letter {
        b'A' => ("a", "ADDED"),
        b'D' => ("d", "DELETED"),
        _ => ("m", "MODIFIED"),
    };
    let onclick = {
        let (on, revision, target, is_change) = (on.clone(), row.revision, row.object.clone(), row.letter == b'M');
        Callback::from(move |_: MouseEvent| {
            if is_change {
                on.emit(Act::Diff(revision));
            } else {
                on.emit(Act::Focus(Some(target.clone())));
            }
        })
    };
    let line = use_node_ref();
    {
        let line = line.clone();
        use_effect_with(open.is_some(), move |is_open| {
            if let Some(line) = line.cast::<Element>().filter(|_| *is_open) {
                uncover(&line);
            }
        });
    }
    html! {
        <>
            <button type="button" ref={line} class={classes!("row", is_marked.then_some("marked"))} data-testid="watch-row" data-type={name} data-kind={row.object.kind.clone()}
                data-name={row.object.name.clone()} data-revision={row.revision.to_string()} aria-expanded={(row.letter == b'M').then(|| open.is_some().to_string())}
                title={format!("{name} {} at revision {}", row.object, row.revision)} {onclick}>
                <span class="time">{ time_with_millis(row.at) }</span>
                <span class={classes!("badge", class)} aria-label={name}>{ char::from(row.letter).to_string() }</span>
                { object(&row.object) }
                <span class="what">{ row.what.clone() }</span>
            </button>
            if let Some(open) = open { { diff_text(&open.1) } }
        </>
    }
}

fn object(it: &Ref) -> Html {
    html! { <span class="object"><i>{ format!("{} ", it.kind) }</i>{ it.name.clone() }</span> }
}

/// Scrolls until what opened below a line is seen, as far as the line itself stays.
#[cold]
fn uncover(line: &Element) -> Option<()> {
    let (opened, rows) = (line.next_element_sibling()?, line.closest(".rows").ok()??);
    // Whole pixels will do.
    let [opened, line, edge] = [&opened, line, &rows].map(|it| it.get_bounding_client_rect());
    let hidden = opened.bottom() as i32 - edge.bottom() as i32;
    let room = line.top() as i32 - edge.top() as i32;
    rows.set_scroll_top(rows.scroll_top() + hidden.min(room).max(0));
    Some(())
}

fn diff_text(text: &str) -> Html {
    let lines = text.lines().map(|line| {
        let class = match line.as_bytes() {
            [b'-', b' ', ..] => "gone",
            [b'+', b' ', ..] => "come",
            _ => "path",
        };
        html! { <span class={class}>{ format!("{line}\n") }</span> }
    });
    html! { <div class="diff">{ for lines }</div> }
}

#[derive(Properties, PartialEq)]
struct EventsProps {
    rows: Rows<EventRow>,
    filter: Filter,
    on: Callback<Act>,
}

#[component]
fn Events(props: &EventsProps) -> Html {
    let EventsProps { rows, filter, on } = props;
    let n_pages = use_state(|| 1_usize);
    let (shown, n_before) = page(rows, |it| filter.shows_event(it), *n_pages);
    let on_earlier = {
        let n_pages = n_pages.clone();
        Callback::from(move |()| n_pages.set(*n_pages + 1))
    };
    html! {
        <Tail testid="stream-events" empty="No Event object yet. Controllers, scheduler and kubelets write them to say what they did."
            {n_before} n_seen={rows.n_seen} n_rows={shown.len()} {on_earlier}>
            { for shown.iter().map(|row| html! { <EventLine key={row.revision.to_string()} row={row.clone()} on={on.clone()} /> }) }
        </Tail>
    }
}

#[derive(Properties, PartialEq)]
struct EventLineProps {
    row: Rc<EventRow>,
    on: Callback<Act>,
}

#[component]
fn EventLine(props: &EventLineProps) -> Html {
    let EventLineProps { row, on } = props;
    let (class, letter, name) = if row.is_warning { ("warning", "W", "Warning") } else { ("normal", "N", "Normal") };
    let onclick = {
        let (on, target) = (on.clone(), row.object.clone());
        Callback::from(move |event: MouseEvent| on.emit(Act::Open { target: target.clone(), x: event.client_x() }))
    };
    let times = if row.count > 1 { format!(" (×{})", row.count) } else { String::new() };
    html! {
        <button type="button" class="row event" data-testid="event-row" data-reason={row.reason.clone()} title={format!("{} from {}", row.message, row.source)} {onclick}>
            <span class="time">{ time_with_millis(row.at) }</span>
            <span class={classes!("badge", class)} aria-label={name}>{ letter }</span>
            <span>{ row.reason.clone() }</span>
            { object(&row.object) }
            <span class="what message">{ format!("{}{times}", row.message) }</span>
        </button>
    }
}

#[derive(Properties, PartialEq)]
struct RequestsProps {
    rows: Rows<RequestRow>,
    filter: Filter,
}

#[component]
fn Requests(props: &RequestsProps) -> Html {
    let RequestsProps { rows, filter } = props;
    let n_pages = use_state(|| 1_usize);
    let (shown, n_before) = page(rows, |it| filter.shows_request(it), *n_pages);
    let on_earlier = {
        let n_pages = n_pages.clone();
        Callback::from(move |()| n_pages.set(*n_pages + 1))
    };
    html! {
        <Tail testid="stream-requests" empty="No request yet. Everyone, controllers too, talks to the API server alone."
            {n_before} n_seen={rows.n_seen} n_rows={shown.len()} {on_earlier}>
            { for shown.iter().map(|row| html! { <RequestLine key={row.number.to_string()} row={row.clone()} /> }) }
        </Tail>
    }
}

#[derive(Properties, PartialEq)]
struct RequestLineProps {
    row: Rc<RequestRow>,
}

#[component]
fn RequestLine(props: &RequestLineProps) -> Html {
    let row = &props.row;
    let class = if row.code >= 400 { "code-bad" } else { "code-ok" };
    let by = if row.cause.is_empty() { row.component.clone() } else { format!("{} ← {}", row.component, row.cause) };
    html! {
        <div class="row request" data-testid="request-row" data-verb={row.verb.clone()} data-code={row.code.to_string()} title={format!("{} {} by {by}", row.verb, row.path)}>
            <span class="time">{ time_with_millis(row.at) }</span>
            <span class={class}>{ row.code.to_string() }</span>
            <span>{ row.verb.clone() }</span>
            <span class="path">{ row.path.clone() }</span>
            <span class="what by">{ by }</span>
        </div>
    }
}

/// The rows that are shown, as lines of text.
fn as_text(shown: &Held, filter: &Filter, tab: Tab) -> String {
    let lines: Vec<String> = match tab {
        Tab::Watch => {
            let line = |it: &Rc<WatchRow>| {
                format!("{}\t{}\t{}\t{}", time_with_millis(it.at), char::from(it.letter), it.object, it.what)
            };
            shown.watch.iter().filter(|it| filter.shows_watch(it)).map(line).collect()
        }
        Tab::Events => {
            let line = |it: &Rc<EventRow>| {
                format!("{}\t{}\t{}\t{}", time_with_millis(it.at), it.reason, it.object, it.message)
            };
            shown.events.iter().filter(|it| filter.shows_event(it)).map(line).collect()
        }
        Tab::Requests => {
            let line = |it: &Rc<RequestRow>| {
                format!("{}\t{}\t{}\t{}\t{}", time_with_millis(it.at), it.code, it.verb, it.path, it.component)
            };
            shown.requests.iter().filter(|it| filter.shows_request(it)).map(line).collect()
        }
        Tab::Console => Vec::new(),
    };
    lines.join("\n")
}
