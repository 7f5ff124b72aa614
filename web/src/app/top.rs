//! The bar at the top: what this is, the clock, what to do with the whole.

use view::clock::{self, SPEEDS};
use view::model::Clock;
use wasm_bindgen::JsCast;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::act::{Act, Dialog};
use crate::examples;
use crate::icons::{icon, logo};
use crate::menu::{Menu, item};

#[derive(Properties, PartialEq)]
pub struct TopProps {
    pub clock: Clock,
    pub is_ready: bool,
    /// Whether there are runs to wait for.
    pub has_cron: bool,
    pub on: Callback<Act>,
}

#[component]
pub fn Top(props: &TopProps) -> Html {
    let TopProps { clock, is_ready, has_cron, on } = props;
    let act = |act: Act| {
        let on = on.clone();
        Callback::from(move |_: MouseEvent| on.emit(act.clone()))
    };
    let examples_items = {
        let on = on.clone();
        Callback::from(move |()| examples_items(&on))
    };
    let more_items = {
        let on = on.clone();
        Callback::from(move |()| more_items(&on))
    };
    html! {
        <header class="top">
            <h1 class="brand">{ logo() }<span>{ "Drydock" }</span></h1>
            <span class="chrome">
                <Menu label="Examples" testid="examples" class="button plain examples" menu_class="examples-menu" items={examples_items}
                    face={html! { <><span class="phone-hide">{ "Examples" }</span><span class="phone-only">{ icon("file") }</span>{ icon("down") }</> }} />
            </span>
            <span class="grow" />
            <ClockView clock={clock.clone()} is_ready={*is_ready} has_cron={*has_cron} on={on.clone()} />
            <span class="grow phone-hide" />
            <button type="button" class="button plain chrome phone-hide" data-testid="share" disabled={!is_ready} onclick={act(Act::Share)}>
                { icon("share") }{ "Share" }
            </button>
            <button type="button" class="button plain icon chrome phone-hide" data-testid="theme" aria-label="Light or dark"
                title="Light or dark" onclick={act(Act::Theme)}>
                { icon("theme") }
            </button>
            <span class="chrome">
                <Menu label="More" class="button plain icon" menu_class="right" items={more_items} face={icon("more")} />
            </span>
        </header>
    }
}

fn examples_items(on: &Callback<Act>) -> Html {
    examples::GROUPS
        .iter()
        .map(|group| {
            html! {
                <>
                    <h3>{ group.title }</h3>
                    { for group.examples.iter().map(|it| {
                        let (on, name) = (on.clone(), it.name);
                        let onclick = Callback::from(move |_: MouseEvent| on.emit(Act::Example(name)));
                        html! {
                            <button type="button" class="item" role="menuitem" tabindex="-1" data-testid="example" data-name={it.name} {onclick}>
                                <span class="grow">{ it.title }<small>{ it.shows }</small></span>
                            </button>
                        }
                    }) }
                </>
            }
        })
        .collect()
}

fn more_items(on: &Callback<Act>) -> Html {
    let act = |act: Act| {
        let on = on.clone();
        Callback::from(move |_: MouseEvent| on.emit(act.clone()))
    };
    html! {
        <>
            { item("Share link…", act(Act::Share)) }
            <button type="button" class="item" role="menuitem" tabindex="-1" data-testid="export" onclick={act(Act::Export)}>
                { "Export to a file" }
            </button>
            <button type="button" class="item" role="menuitem" tabindex="-1" data-testid="import" onclick={act(Act::Import)}>
                { "Import a file…" }
            </button>
            <div class="rule" role="separator" />
            { item("Light or dark", act(Act::Theme)) }
            { item("Keys and legend", act(Act::Dialog(Dialog::Keys))) }
            { item("What is simulated", act(Act::Dialog(Dialog::Limits))) }
            <div class="rule" role="separator" />
            <button type="button" class="item danger" role="menuitem" tabindex="-1" data-testid="reset" onclick={act(Act::Dialog(Dialog::Reset))}>
                { "Start over…" }
            </button>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct ClockProps {
    clock: Clock,
    is_ready: bool,
    has_cron: bool,
    on: Callback<Act>,
}

#[component]
fn ClockView(props: &ClockProps) -> Html {
    let ClockProps { clock, is_ready, has_cron, on } = props;
    let act = |act: Act| {
        let on = on.clone();
        Callback::from(move |_: MouseEvent| on.emit(act.clone()))
    };
    let onchange = {
        let on = on.clone();
        Callback::from(move |event: Event| {
            let select = event.target().and_then(|it| it.dyn_into::<HtmlSelectElement>().ok());
            if let Some(quarters) = select.and_then(|it| it.value().parse().ok()) {
                on.emit(Act::Speed(quarters));
            }
        })
    };
    // A browser falls back to the first option while the chosen one changes.
    let select = use_node_ref();
    {
        let select = select.clone();
        use_effect_with(clock.quarters, move |quarters| {
            if let Some(select) = select.cast::<HtmlSelectElement>() {
                select.set_value(&quarters.to_string());
            }
        });
    }
    let elapsed = clock.now.saturating_sub(clock.start);
    let title = format!(
        "{} {} UTC, {} after the start",
        clock::date(clock.now),
        clock::time_of_day(clock.now),
        clock::span(elapsed)
    );
    let (name, face) = if clock.is_paused { ("Go on", icon("play")) } else { ("Pause", icon("pause")) };
    let data_speed = if clock.is_paused { "0".to_owned() } else { clock::speed_name(clock.quarters) };
    html! {
        <div class="clock" data-testid="clock" data-time={clock::rfc3339(clock.now)} data-speed={data_speed} role="group"
            aria-label="Simulated time">
            <span class="time" title={title}>
                <small class="phone-hide">{ clock::date(clock.now) }</small>
                <b>{ if *is_ready { clock::time_of_day(clock.now) } else { "--:--:--".to_owned() } }</b>
            </span>
            <button type="button" class="button plain icon" data-testid="clock-pause" disabled={!is_ready} aria-label={name}
                title={format!("{name} (Space)")} onclick={act(Act::TogglePause)}>{ face }</button>
            <button type="button" class="button plain icon" data-testid="clock-step" disabled={!is_ready} aria-label="Step"
                title="Step: pause and do the next thing that is due (.)" onclick={act(Act::Step)}>{ icon("step") }</button>
            <button type="button" class="button plain icon phone-hide" data-testid="clock-next" disabled={!is_ready} aria-label="To the next event"
                title="Jump to when something happens next" onclick={act(Act::NextEvent)}>{ icon("next") }</button>
            if *has_cron {
                <button type="button" class="button small phone-hide" data-testid="clock-next-run" disabled={!is_ready}
                    title="Jump to the next Job that a CronJob makes" onclick={act(Act::NextRun)}>{ "Next run" }</button>
            }
            <select class="field speed" ref={select} data-testid="clock-speed" disabled={!is_ready} aria-label="Speed" title="Speed of simulated time"
                {onchange}>
                { for SPEEDS.iter().map(|(quarters, name)| html! {
                    <option value={quarters.to_string()} selected={*quarters == clock.quarters}>{ *name }</option>
                }) }
            </select>
        </div>
    }
}
