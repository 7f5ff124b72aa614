//! A rollout that one can watch, and what can be done with it.

use view::model::Ref;
use view::rollout::{Condition, Rollout, Set};
use yew::prelude::*;

use super::link_to;
use crate::act::Act;

pub fn view(rollout: &Rollout, target: &Ref, on: &Callback<Act>) -> Html {
    let run = |verb: &str, flags: &str| {
        let line = format!(
            "kubectl rollout {verb} {}/{} -n {}{flags}",
            target.kind.to_lowercase(),
            target.name,
            target.namespace
        );
        let on = on.clone();
        Callback::from(move |_: MouseEvent| on.emit(Act::Run(line.clone())))
    };
    // The newest revision below the one that is wanted.
    let before = rollout.sets.iter().filter(|it| !it.is_new).map(|it| it.revision).max();
    html! {
        <div class="overview" data-testid="rollout" data-state={rollout.state.class()}>
            <p class={classes!("say", "tree-state", rollout.state.class())}><span class="dot" /><b>{ rollout.text.clone() }</b></p>
            <p class="say note">{ rollout.strategy.clone() }{ if rollout.deadline.is_empty() { ".".to_owned() } else { format!(". {}.", rollout.deadline) } }</p>
            <div class="acts">
                if rollout.can_pause {
                    <button type="button" class="button small" data-testid="rollout-pause" onclick={run(if rollout.is_paused { "resume" } else { "pause" }, "")}>
                        { if rollout.is_paused { "Resume" } else { "Pause" } }</button>
                }
                <button type="button" class="button small" data-testid="rollout-restart" disabled={rollout.is_paused} onclick={run("restart", "")}>{ "Restart" }</button>
                <button type="button" class="button small" data-testid="rollout-undo" disabled={before.is_none() || rollout.is_paused} onclick={run("undo", "")}>{ "Undo" }</button>
            </div>
            <ul class="sets">
                { for rollout.sets.iter().map(|it| set(it, rollout, on, run("undo", &format!(" --to-revision={}", it.revision)))) }
            </ul>
            { conditions(&rollout.conditions) }
        </div>
    }
}

fn set(it: &Set, rollout: &Rollout, on: &Callback<Act>, undo: Callback<MouseEvent>) -> Html {
    let Set { target, revision, images, change_cause, n_desired, n_pods, n_ready, is_new } = it;
    let x = |n: i64| n * 1000 / rollout.n_max;
    let words = match (n_pods, n_desired) {
        (0, 0) => "no pods".to_owned(),
        (pods, desired) if pods == desired => format!("{n_ready} of {pods} ready"),
        (pods, desired) => format!("{n_ready} of {pods} ready, {desired} wanted"),
    };
    html! {
        <li class={classes!("set", is_new.then_some("new"))} data-testid="revision" data-revision={revision.to_string()} data-new={is_new.to_string()}
            data-pods={n_pods.to_string()} data-ready={n_ready.to_string()}>
            <div class="set-head">
                <b>{ format!("Revision {revision}") }</b>
                if *is_new { <span class="label">{ "wanted" }</span> }
                <span class="set-words">{ words }</span>
                if !is_new { <button type="button" class="button small" title={format!("kubectl rollout undo --to-revision={revision}")} disabled={rollout.is_paused} onclick={undo}>{ "Back to this" }</button> }
            </div>
            <svg class="set-bar" viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true">
                <rect class="track" x="0" y="0" width="1000" height="14" />
                <rect class="asked" x="0" y="0" width={x(*n_pods).to_string()} height="14" />
                <rect class="ready" x="0" y="0" width={x(*n_ready).to_string()} height="14" />
                if rollout.n_desired < rollout.n_max { <path class="want" d={format!("M{} 0V14", x(rollout.n_desired))} /> }
            </svg>
            <div class="note">{ link_to(target.clone(), target.name.clone(), on) }{ " " }<span class="mono">{ images.clone() }</span>
                if !change_cause.is_empty() { <span>{ format!(" {change_cause}") }</span> }</div>
        </li>
    }
}

fn conditions(conditions: &[Condition]) -> Html {
    if conditions.is_empty() {
        return html! {};
    }
    html! {
        <table class="decisions words">
            <thead><tr><th scope="col">{ "Condition" }</th><th scope="col">{ "Status" }</th><th scope="col">{ "Message" }</th></tr></thead>
            <tbody>
                { for conditions.iter().map(|it| html! {
                    <tr><td>{ it.kind.clone() }</td><td>{ it.status.clone() }</td><td><span class="mono">{ it.reason.clone() }</span>{ ": " }{ it.message.clone() }</td></tr>
                }) }
            </tbody>
        </table>
    }
}
