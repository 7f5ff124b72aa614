//! Who did what to an object because of which watch event.

use view::chain::{Cause, Chain, Step};
use view::clock::time_with_millis;
use view::model::Ref;
use yew::prelude::*;

use super::link_to;
use crate::act::Act;

pub fn view(chain: &Chain, target: &Ref, on: &Callback<Act>) -> Html {
    if chain.steps.is_empty() {
        return html! { <p class="empty">{ "The log of changes no longer holds anything of it." }</p> };
    }
    let first_own = chain.steps.iter().position(|it| it.is_own).unwrap_or(0);
    html! {
        <>
            <p class="say">{ "Each change, who made it, and the watch event that made them act." }
                if chain.is_cut { { " What came before is no longer in the log." } }</p>
            <ol class="steps" data-testid="chain">
                { for chain.steps.iter().enumerate().map(|(idx, step)| html! {
                    <>
                        { one(step, target, on) }
                        if idx == first_own && chain.n_skipped > 0 { <li class="note">{ format!("{} changes are left out here.", chain.n_skipped) }</li> }
                    </>
                }) }
            </ol>
        </>
    }
}

fn one(step: &Step, target: &Ref, on: &Callback<Act>) -> Html {
    let who = if step.component.is_empty() { "somebody" } else { &step.component };
    let time = if step.at == 0 { "earlier".to_owned() } else { time_with_millis(step.at) };
    html! {
        <li class={classes!("step", (!step.is_own).then_some("above"))} data-testid="chain-step" data-component={step.component.clone()}
            data-kind={step.object.kind.clone()} data-name={step.object.name.clone()} data-revision={step.revision.to_string()}>
            <span class="time mono">{ time }</span>
            <span class={classes!("badge", letter_class(step.letter))} title={letter_word(step.letter)}>{ char::from(step.letter).to_string() }</span>
            <span class="deed"><b class="mono">{ who }</b>{ format!(" {} ", step.deed) }{ object(&step.object, target, on) }</span>
            if !step.what.is_empty() { <span class="what mono">{ step.what.clone() }</span> }
            if !step.request.is_empty() { <span class="what mono">{ step.request.clone() }</span> }
            <span class="because">{ match &step.cause {
                Some(cause) => because(cause, target, on),
                None if step.component.is_empty() => html! { "Nobody remembers who that was." },
                None => html! { { reason_of(&step.component) } },
            } }</span>
        </li>
    }
}

/// What makes those act who follow no watch event.
fn reason_of(component: &str) -> &'static str {
    match component {
        "kubectl" | "curl" | "drydock" => "because somebody asked for it",
        _ => "because it was time",
    }
}

fn because(cause: &Cause, target: &Ref, on: &Callback<Act>) -> Html {
    html! {
        <>{ "because " }{ object(&cause.object, target, on) }{ " was " }<b>{ letter_word(cause.letter) }</b>{ format!(" at revision {}", cause.revision) }</>
    }
}

/// The object of the drawer is called `it`.
fn object(it: &Ref, target: &Ref, on: &Callback<Act>) -> Html {
    if it == target {
        return html! { { "it" } };
    }
    html! { <>{ format!("{} ", it.kind) }{ link_to(it.clone(), it.name.clone(), on) }</> }
}

fn letter_word(letter: u8) -> &'static str {
    match letter {
        b'A' => "ADDED",
        b'D' => "DELETED",
        b'M' => "MODIFIED",
        _ => "changed",
    }
}

fn letter_class(letter: u8) -> &'static str {
    match letter {
        b'A' => "a",
        b'D' => "d",
        _ => "m",
    }
}
