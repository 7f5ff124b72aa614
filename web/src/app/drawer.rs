//! All of one object: YAML, description, events, and why it is where it is.

use std::rc::Rc;

use view::clock::time_of_day;
use view::model::{EventRow, Ref};
use web::{DecisionRow, Details};
use web_sys::HtmlElement;
use yew::prelude::*;

use crate::act::Act;
use crate::icons::icon;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Part {
    Yaml,
    Describe,
    Events,
    Decision,
}

const PARTS: [(Part, &str, &str); 4] = [
    (Part::Yaml, "YAML", "details-yaml"),
    (Part::Describe, "Describe", "details-describe"),
    (Part::Events, "Events", "details-events"),
    (Part::Decision, "Decision", "details-decision"),
];

#[derive(Properties, PartialEq)]
pub struct DrawerProps {
    pub target: Ref,
    pub details: Option<Rc<Details>>,
    pub is_left: bool,
    pub on: Callback<Act>,
}

#[component]
pub fn Drawer(props: &DrawerProps) -> Html {
    let DrawerProps { target, details, is_left, on } = props;
    let part =
        use_state(|| if matches!(target.kind.as_str(), "Pod" | "DaemonSet") { Part::Decision } else { Part::Describe });
    let close_button = use_node_ref();
    {
        let close_button = close_button.clone();
        use_effect_with(target.clone(), move |_| {
            if let Some(it) = close_button.cast::<HtmlElement>() {
                it.focus().ok();
            }
        });
    }
    let close = {
        let on = on.clone();
        Callback::from(move |_: MouseEvent| on.emit(Act::Close))
    };
    let copy = {
        let (on, text) = (on.clone(), details.as_ref().map(|it| it.yaml.clone()).unwrap_or_default());
        Callback::from(move |_: MouseEvent| on.emit(Act::Copy(text.clone())))
    };
    let explain = {
        let (on, target) = (on.clone(), target.clone());
        Callback::from(move |_: MouseEvent| on.emit(Act::Select(Some(target.clone()))))
    };
    let only = {
        let (on, target) = (on.clone(), target.clone());
        Callback::from(move |_: MouseEvent| on.emit(Act::Focus(Some(target.clone()))))
    };
    let is_workload = target.kind != "Node" && target.kind != "Namespace" && target.kind != "Machine";
    html! {
        <aside class={classes!("drawer", is_left.then_some("left"))} data-testid="details" aria-label={format!("Details of {target}")}>
            <header>
                <h2><small>{ target.kind.clone() }{ if target.namespace.is_empty() { String::new() } else { format!(" in {}", target.namespace) } }</small>{ target.name.clone() }</h2>
                if is_workload { <button type="button" class="button small" title="Lay its verdicts over the nodes" onclick={explain}>{ "Why" }</button> }
                <button type="button" class="button small medium-hide" title="Show only its rows in the streams" onclick={only}>{ "Filter" }</button>
                <button type="button" class="button plain icon small" aria-label="Copy the YAML" title="Copy the YAML" onclick={copy}>{ icon("copy") }</button>
                <button type="button" class="button plain icon small" ref={close_button} aria-label="Close" title="Close (Esc)" onclick={close}>{ icon("close") }</button>
            </header>
            <div class="tabs"><div role="tablist" aria-label="Details">
                { for PARTS.iter().map(|(it, name, testid)| {
                    let (part, it) = (part.clone(), *it);
                    let selected = *part == it;
                    let onclick = Callback::from(move |_: MouseEvent| part.set(it));
                    html! { <button type="button" class="tab" role="tab" aria-selected={selected.to_string()} data-testid={*testid} {onclick}>{ *name }</button> }
                }) }
            </div></div>
            <div class="body" role="tabpanel" tabindex="0" aria-label="Details">
                { match details {
                    None => html! { <p class="empty">{ "Reading…" }</p> },
                    Some(it) if it.yaml.is_empty() => html! { <p class="empty">{ format!("{target} is no longer there.") }</p> },
                    Some(it) => match *part {
                        Part::Yaml => html! { <pre>{ it.yaml.clone() }</pre> },
                        Part::Describe => html! { <pre>{ it.describe.clone() }</pre> },
                        Part::Events => events(&it.events),
                        Part::Decision => decision(it),
                    },
                } }
            </div>
        </aside>
    }
}

fn events(events: &[Rc<EventRow>]) -> Html {
    if events.is_empty() {
        return html! { <p class="empty">{ "No Event object is about it." }</p> };
    }
    html! {
        <table class="decisions">
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
                    if has_scores { <th scope="col">{ "Scores (× weight)" }</th><th scope="col" class="num">{ "Sum" }</th> }
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
        <tr data-testid="decision-row" data-node={row.node.clone()} data-verdict={row.verdict.clone()}>
            <th scope="row" class="mono node-name">{ row.node.clone() }</th>
            <td><span class={class}>{ row.verdict.clone() }</span>{ if row.text.is_empty() { String::new() } else { format!(": {}", row.text) } }</td>
            if has_scores {
                <td><div class="scores">{ for row.scores.iter().map(|it| html! { <><span>{ it.plugin.clone() }</span><span>{ format!("{} × {}", it.score, it.weight) }</span></> }) }</div></td>
                <td class="num">{ if row.scores.is_empty() { String::new() } else { row.total.to_string() } }</td>
            }
        </tr>
    }
}
