//! All of one object: what its kind has of its own, YAML, description, events, why it is where it is, who did what to it.

use std::rc::Rc;

use view::clock::time_of_day;
use view::model::{EventRow, Ref};
use view::service::Way;
use web::{DecisionRow, Details, Part, has_overview};
use web_sys::{HtmlElement, KeyboardEvent};
use yew::prelude::*;

use crate::act::Act;
use crate::icons::icon;
use crate::roving;

mod causes;
mod rollout;
mod runs;
mod service;

/// The parts of every object; the overview, which not every kind has, comes before them.
const PARTS: [(Part, &str, &str); 5] = [
    (Part::Yaml, "YAML", "details-yaml"),
    (Part::Describe, "Describe", "details-describe"),
    (Part::Events, "Events", "details-events"),
    (Part::Decision, "Decision", "details-decision"),
    (Part::Causes, "Causes", "details-causes"),
];

#[derive(Properties, PartialEq)]
pub struct DrawerProps {
    pub target: Ref,
    pub part: Part,
    pub details: Option<Rc<Details>>,
    pub way: Option<Rc<Way>>,
    pub is_left: bool,
    pub on: Callback<Act>,
}

#[component]
pub fn Drawer(props: &DrawerProps) -> Html {
    let DrawerProps { target, part, details, way, is_left, on } = props;
    let close_button = use_node_ref();
    {
        let close_button = close_button.clone();
        use_effect_with(target.clone(), move |_| {
            if let Some(it) = close_button.cast::<HtmlElement>() {
                it.focus().ok();
            }
        });
    }
    let act = |act: Act| {
        let on = on.clone();
        Callback::from(move |_: MouseEvent| on.emit(act.clone()))
    };
    let yaml = details.as_ref().map(|it| it.yaml.clone()).filter(|it| !it.is_empty());
    let is_workload = !matches!(target.kind.as_str(), "Node" | "Namespace" | "Machine" | "Service");
    html! {
        <aside class={classes!("drawer", is_left.then_some("left"))} data-testid="details" aria-label={format!("Details of {target}")}>
            <header>
                <h2><small>{ target.kind.clone() }{ if target.namespace.is_empty() { String::new() } else { format!(" in {}", target.namespace) } }</small>{ target.name.clone() }</h2>
                if is_workload { <button type="button" class="button small" title="Lay its verdicts over the nodes" onclick={act(Act::Select(Some(target.clone())))}>{ "Why" }</button> }
                <button type="button" class="button small medium-hide" title="Show only its rows in the streams" onclick={act(Act::Focus(Some(target.clone())))}>{ "Filter" }</button>
                if let Some(yaml) = yaml { <button type="button" class="button plain icon small" aria-label="Copy the YAML" title="Copy the YAML" onclick={act(Act::Copy(yaml))}>{ icon("copy") }</button> }
                <button type="button" class="button plain icon small" ref={close_button} aria-label="Close" title="Close (Esc)" onclick={act(Act::Close)}>{ icon("close") }</button>
            </header>
            { tabs(target, *part, on) }
            <div class="body" role="tabpanel" tabindex="0" aria-label="Details">
                { match details {
                    None => html! { <p class="empty">{ "Reading…" }</p> },
                    Some(it) if !it.is_there && it.part != Part::Causes => html! { <p class="empty">{ format!("{target} is no longer there.") }</p> },
                    Some(it) => body(it, way, on),
                } }
            </div>
        </aside>
    }
}

fn tabs(target: &Ref, part: Part, on: &Callback<Act>) -> Html {
    let overview = has_overview(&target.kind).then(|| {
        let name = match target.kind.as_str() {
            "CronJob" => "Runs",
            "Service" => "Endpoints",
            _ => "Rollout",
        };
        (Part::Overview, name, "details-overview")
    });
    let is_decided = matches!(target.kind.as_str(), "Pod" | "DaemonSet");
    let onkeydown = Callback::from(|event: KeyboardEvent| roving::on_tab_key(&event));
    html! {
        <div class="tabs"><div role="tablist" aria-label="Details" {onkeydown}>
            { for overview.into_iter().chain(PARTS).filter(|it| it.0 != Part::Decision || is_decided).map(|(it, name, testid)| {
                let on = on.clone();
                let onclick = Callback::from(move |_: MouseEvent| on.emit(Act::Part(it)));
                html! { <button type="button" class="tab" role="tab" aria-selected={(part == it).to_string()} tabindex={if part == it { "0" } else { "-1" }} data-testid={testid} {onclick}>{ name }</button> }
            }) }
        </div></div>
    }
}

fn body(details: &Details, way: &Option<Rc<Way>>, on: &Callback<Act>) -> Html {
    let Details { target, .. } = details;
    match details.part {
        Part::Yaml => html! { <pre>{ details.yaml.clone() }</pre> },
        Part::Describe => html! { <pre>{ details.describe.clone() }</pre> },
        Part::Events => events(&details.events),
        Part::Decision => decision(details),
        Part::Causes => causes::view(&details.chain, target, on),
        Part::Overview => {
            let runs = details.runs.as_ref().map(|it| runs::view(it, target, on));
            let rollout = details.rollout.as_ref().map(|it| rollout::view(it, target, on));
            let service = details.service.as_ref().map(|it| service::view(it, target, way, on));
            runs.or(rollout).or(service).unwrap_or_default()
        }
    }
}

/// Something that opens another object.
fn link_to(target: Ref, text: String, on: &Callback<Act>) -> Html {
    let on = on.clone();
    let onclick = Callback::from(move |event: MouseEvent| {
        on.emit(Act::Open { target: target.clone(), x: event.client_x() });
    });
    html! { <button type="button" class="link mono" {onclick}>{ text }</button> }
}

fn events(events: &[Rc<EventRow>]) -> Html {
    if events.is_empty() {
        return html! { <p class="empty">{ "No Event object is about it." }</p> };
    }
    html! {
        <table class="decisions words">
            <thead><tr><th scope="col">{ "Time" }</th><th scope="col">{ "Reason" }</th><th scope="col">{ "Message" }</th></tr></thead>
            <tbody>
                { for events.iter().map(|it| html! {
                    <tr>
                        <td class="mono">{ time_of_day(it.at) }</td>
                        <td class={it.is_warning.then_some("code-bad")}>{ it.reason.clone() }{ if it.count > 1 { format!(" ×{}", it.count) } else { String::new() } }</td>
                        <td>{ it.message.clone() }</td>
                    </tr>
                }) }
            </tbody>
        </table>
    }
}

fn decision(details: &Details) -> Html {
    if details.decision.is_empty() && details.decision_text.is_empty() {
        return html! { <p class="empty">{ "Nothing was decided about this object: the scheduler decides about pods, the DaemonSet controller about nodes." }</p> };
    }
    let has_scores = details.decision.iter().any(|it| !it.scores.is_empty());
    html! {
        <>
            <p class="say">{ details.decision_text.clone() }</p>
            <table class="decisions">
                <thead><tr>
                    <th scope="col">{ "Node" }</th><th scope="col">{ "Verdict" }</th>
                    if has_scores { <th scope="col" class="num">{ "Score" }</th> }
                </tr></thead>
                <tbody>{ for details.decision.iter().map(|it| decision_row(it, has_scores)) }</tbody>
            </table>
        </>
    }
}

fn decision_row(row: &DecisionRow, has_scores: bool) -> Html {
    let class = match row.verdict.as_str() {
        "refused" | "may not run" => "code-bad",
        "chosen" | "runs" => "code-ok",
        _ => "",
    };
    html! {
        <>
        <tr class={(!row.scores.is_empty()).then_some("scored")} data-testid="decision-row" data-node={row.node.clone()} data-verdict={row.verdict.clone()}>
            <th scope="row" class="mono node-name">{ row.node.clone() }</th>
            <td><span class={class}>{ row.verdict.clone() }</span>{ if row.text.is_empty() { String::new() } else { format!(": {}", row.text) } }</td>
            if has_scores { <td class="num">{ if row.scores.is_empty() { String::new() } else { row.total.to_string() } }</td> }
        </tr>
        if !row.scores.is_empty() {
            // What the score is the sum of: the plugin, its score and the weight of it.
            <tr><td class="scores" colspan="3"><dl>
                { for row.scores.iter().map(|it| html! { <div><dt>{ it.plugin.clone() }</dt><dd>{ format!("{} × {}", it.score, it.weight) }</dd></div> }) }
            </dl></td></tr>
        }
        </>
    }
}
