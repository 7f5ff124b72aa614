//! The parts of the control plane: what waits for each, what it does, and a button that stops it.

use std::rc::Rc;

use view::clock::grouped;
use view::model::Ref;
use web::ComponentRow;
use yew::prelude::*;

use crate::act::Act;

#[derive(Properties, PartialEq)]
pub struct ComponentsProps {
    pub rows: Rc<Vec<Rc<ComponentRow>>>,
    pub on: Callback<Act>,
}

#[component]
pub fn Components(props: &ComponentsProps) -> Html {
    let ComponentsProps { rows, on } = props;
    html! {
        <div class="components" role="table" aria-label="Components and their queues" data-testid="components">
            <div class="component head" role="row">
                <span role="columnheader">{ "Component" }</span>
                <span role="columnheader" class="number">{ "Queue" }</span>
                <span role="columnheader" class="number">{ "Retries" }</span>
                <span role="columnheader" class="number" title="Objects that its informers hold">{ "Cache" }</span>
                <span role="columnheader">{ "What it does" }</span>
                <span role="columnheader"><span class="for-readers">{ "Stop or start" }</span></span>
            </div>
            { for rows.iter().map(|row| html! { <Row key={row.name.clone()} row={row.clone()} on={on.clone()} /> }) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct RowProps {
    row: Rc<ComponentRow>,
    on: Callback<Act>,
}

#[component]
fn Row(props: &RowProps) -> Html {
    let RowProps { row, on } = props;
    let ComponentRow { name, is_stopped, n_queued, next, n_retries, n_cached, doing, back_offs, last, last_at } =
        &**row;
    let open = {
        let (on, target) = (on.clone(), Ref::new("Component", "", name));
        Callback::from(move |event: MouseEvent| on.emit(Act::Open { target: target.clone(), x: event.client_x() }))
    };
    let (to, word) = if *is_stopped { ("Running", "Start") } else { ("Stopped", "Stop") };
    let switch = {
        let (on, line) = (
            on.clone(),
            format!("kubectl patch component {name} --type merge -p '{{\"spec\":{{\"state\":\"{to}\"}}}}'"),
        );
        Callback::from(move |_: MouseEvent| on.emit(Act::Run(line.clone())))
    };
    let is_busy = *n_queued > 0 || !back_offs.is_empty();
    let state = match (is_stopped, back_offs.is_empty(), is_busy) {
        (true, ..) => "stopped",
        (_, false, _) => "failing",
        (.., true) => "busy",
        _ => "calm",
    };
    // Its sentence names one failure; where there are more, or names that wait, they follow.
    let more = if back_offs.len() > 1 { back_offs.as_slice() } else { &[] };
    html! {
        <div class={classes!("component", state)} role="row" data-testid="component" data-name={name.clone()} data-state={state} data-queue={n_queued.to_string()}>
            <span role="cell"><button type="button" class="link mono" onclick={open}>{ name.clone() }</button></span>
            <span role="cell" class="number mono"><span class="caption-of">{ "queue " }</span>{ grouped(*n_queued) }</span>
            <span role="cell" class="number mono"><span class="caption-of">{ "retries " }</span>{ grouped(*n_retries) }</span>
            <span role="cell" class="number mono cache"><span class="caption-of">{ "cache " }</span>{ grouped(*n_cached) }</span>
            <span role="cell" class="doing">
                { doing.clone() }
                if next.len() > 1 { <small class="mono">{ next.join("  ") }</small> }
                { for more.iter().map(|it| html! { <small>{ it.clone() }</small> }) }
                if !last.is_empty() { <small class="last">{ "last: " }<span class="mono">{ last.clone() }</span>{ " at " }{ last_at.clone() }</small> }
            </span>
            <span role="cell"><button type="button" class="button small" aria-label={format!("{word} {name}")} onclick={switch}>{ word }</button></span>
        </div>
    }
}
