//! A CronJob's runs on a time line, and the same as a table.

use view::clock::span;
use view::model::Ref;
use view::runs::{End, Run, Runs, job_of};
use yew::prelude::*;

use super::link_to;
use crate::act::Act;

pub fn view(runs: &Runs, target: &Ref, on: &Callback<Act>) -> Html {
    let next_run = {
        let on = on.clone();
        Callback::from(move |_: MouseEvent| on.emit(Act::NextRun))
    };
    let suspend = {
        let on = on.clone();
        let line = format!(
            "kubectl patch cronjob {} -n {} -p '{{\"spec\":{{\"suspend\":{}}}}}'",
            target.name, target.namespace, !runs.is_suspended
        );
        Callback::from(move |_: MouseEvent| on.emit(Act::Run(line.clone())))
    };
    html! {
        <div class="overview" data-testid="runs">
            <p class="say"><b class="mono">{ runs.schedule.clone() }</b>{ format!(" in {}, concurrency {}. ", runs.zone, runs.policy) }
                if runs.is_suspended { <b>{ "Suspended." }</b> }
                { soonest(runs) }</p>
            if !runs.trouble.is_empty() { <p class="say code-bad">{ runs.trouble.clone() }</p> }
            { line(runs) }
            <div class="acts">
                if !runs.next.is_empty() { <button type="button" class="button small" data-testid="runs-next" onclick={next_run}>{ "To the next run" }</button> }
                <button type="button" class="button small" data-testid="runs-suspend" onclick={suspend}>{ if runs.is_suspended { "Resume" } else { "Suspend" } }</button>
            </div>
            { table(runs, target, on) }
        </div>
    }
}

fn soonest(runs: &Runs) -> String {
    match runs.next.first() {
        Some(next) => {
            let left = u64::try_from(next.at - runs.now).unwrap_or(0);
            format!("Next run in {}, at {}.", span(left.saturating_mul(1_000_000_000)), next.label)
        }
        None if runs.is_suspended || !runs.trouble.is_empty() => String::new(),
        None => "It never runs again.".to_owned(),
    }
}

/// A drawing for the eyes alone; the table below it says the same.
fn line(runs: &Runs) -> Html {
    let x = |at: i64| runs.permille(at);
    let bar = |run: &Run| {
        let (from, until) = (run.begin, if run.end > 0 { run.end } else { runs.now });
        let width = if run.begin > 0 { (x(until) - x(from)).max(6) } else { 0 };
        (x(from.max(1)), width)
    };
    html! {
        <svg class="time-line" viewBox="0 0 1000 56" preserveAspectRatio="none" aria-hidden="true">
            <path class="axis" d="M0 40H1000" />
            { for runs.past.iter().map(|run| {
                let (at, width) = bar(run);
                html! {
                    <g class={run.how.class()}>
                        <path class="tick" d={format!("M{} 34V46", x(run.due))} />
                        if width > 0 { <rect x={at.to_string()} y="12" width={width.to_string()} height="18" rx="2" /> }
                    </g>
                }
            }) }
            { for runs.next.iter().map(|it| html! { <path class="tick next" d={format!("M{} 30V50", x(it.at))} /> }) }
            <path class="now" d={format!("M{} 2V54", x(runs.now))} />
        </svg>
    }
}

fn table(runs: &Runs, target: &Ref, on: &Callback<Act>) -> Html {
    let past = runs.past.iter().rev().map(|run| {
        let job = match (run.job.is_empty(), run.is_there) {
            (true, _) => html! {},
            (false, true) => link_to(job_of(target, run), run.job.clone(), on),
            (false, false) => html! { <span class="mono">{ run.job.clone() }</span> },
        };
        html! {
            <tr data-testid="run" data-state={run.how.class()} data-job={run.job.clone()}>
                <td class="mono">{ run.label.clone() }</td>
                <td>{ job }</td>
                <td class={(run.how == End::Failed).then_some("code-bad")}>{ run.how.word() }{ took(run, runs.now) }
                    if !run.text.is_empty() { <small>{ run.text.clone() }</small> }</td>
            </tr>
        }
    });
    let next = runs.next.iter().rev().map(|it| {
        html! {
            <tr class="to-come" data-testid="run" data-state="next"><td class="mono">{ it.label.clone() }</td><td /><td>{ "to come" }</td></tr>
        }
    });
    html! {
        <table class="decisions">
            <caption class="for-readers">{ format!("Runs of {}, the latest first", target.name) }</caption>
            <thead><tr><th scope="col">{ "Due" }</th><th scope="col">{ "Job" }</th><th scope="col">{ "State" }</th></tr></thead>
            <tbody>
                { for next }
                <tr class="now-row"><td class="mono">{ runs.now_label.clone() }</td><td /><td>{ "now" }</td></tr>
                { for past }
            </tbody>
        </table>
    }
}

fn took(run: &Run, now: i64) -> String {
    let until = match run.how {
        End::Active => now,
        _ => run.end,
    };
    match u64::try_from(until - run.begin) {
        Ok(secs) if run.begin > 0 && until > 0 => {
            let word = if run.how == End::Active { "for" } else { "after" };
            format!(" {word} {}", span(secs.saturating_mul(1_000_000_000)))
        }
        _ => String::new(),
    }
}
