//! Workloads as a tree: who owns whom. The keys are those of a tree grid.

use std::rc::Rc;

use view::model::Ref;
use view::tree::Branch;
use wasm_bindgen::JsCast;
use web_sys::{Element, FocusEvent, HtmlElement, KeyboardEvent};
use yew::prelude::*;

use crate::act::Act;
use crate::chip::split_name;
use crate::icons::{glyph, icon};
use crate::node::is_focus;
use crate::page;

#[derive(Properties, PartialEq)]
pub struct TreeProps {
    pub rows: Rc<Vec<Rc<Branch>>>,
    pub focus: Option<Ref>,
    pub on: Callback<Act>,
}

#[component]
pub fn Tree(props: &TreeProps) -> Html {
    let TreeProps { rows, focus, on } = props;
    // The row that Tab reaches, by uid: the one that had the focus last, if it is still there.
    let current = use_state(String::new);
    let onfocusin = {
        let current = current.clone();
        Callback::from(move |event: FocusEvent| {
            if let Some(uid) = event.target().and_then(|it| row_of(&it)).and_then(|it| it.get_attribute("data-uid")) {
                current.set(uid);
            }
        })
    };
    // Whether the reader is in it by keyboard: rows that are drawn anew, or gone, must not take the focus away.
    let is_inside = use_mut_ref(|| false);
    let onkeydown = {
        let (on, rows, is_inside) = (on.clone(), rows.clone(), is_inside.clone());
        Callback::from(move |event: KeyboardEvent| {
            *is_inside.borrow_mut() = event.key() != "Tab";
            on_key(&event, &rows, &on);
        })
    };
    let onclick = {
        let is_inside = is_inside.clone();
        Callback::from(move |_: MouseEvent| *is_inside.borrow_mut() = false)
    };
    use_effect_with(rows.clone(), move |_| {
        if *is_inside.borrow() && page::focused().is_none() {
            page::focus("[data-testid='tree-row'][tabindex='0']");
        }
    });
    if rows.is_empty() {
        return html! { <p class="hint">{ "Nothing runs yet. Apply the manifest and see here who makes what." }</p> };
    }
    let stop = rows.iter().position(|it| it.uid == *current).unwrap_or(0);
    html! {
        <div class="tree" role="treegrid" aria-label="Workloads and what they own" data-testid="tree" {onkeydown} {onfocusin} {onclick}>
            <div class="tree-head" role="row">
                <span role="columnheader">{ "Name" }</span>
                <span role="columnheader">{ "Ready" }</span>
                <span role="columnheader">{ "State" }</span>
            </div>
            { for rows.iter().enumerate().map(|(idx, row)| {
                let key = if row.uid.is_empty() { format!("rest-{idx}") } else { row.uid.clone() };
                let is_marked = is_focus(focus, &row.target.kind, &row.target.namespace, &row.target.name);
                html! { <Row {key} row={row.clone()} is_stop={idx == stop} {is_marked} on={on.clone()} /> }
            }) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct RowProps {
    row: Rc<Branch>,
    is_stop: bool,
    is_marked: bool,
    on: Callback<Act>,
}

#[component]
fn Row(props: &RowProps) -> Html {
    let RowProps { row, is_stop, is_marked, on } = props;
    let Branch { uid, level, target, n_children, is_open, count, state, text, .. } = &**row;
    let fold = {
        let (on, uid, is_open) = (on.clone(), uid.clone(), !is_open);
        Callback::from(move |event: MouseEvent| {
            event.stop_propagation();
            on.emit(Act::Fold { uid: uid.clone(), is_open });
        })
    };
    let open = {
        let (on, target) = (on.clone(), target.clone());
        Callback::from(move |event: MouseEvent| {
            if !target.kind.is_empty() {
                on.emit(Act::Open { target: target.clone(), x: event.client_x() });
            }
        })
    };
    let (stem, tail) = split_name(&target.name);
    let expanded = (*n_children > 0).then(|| is_open.to_string());
    let place = if target.namespace.is_empty() || target.namespace == "default" {
        String::new()
    } else {
        format!("{}/", target.namespace)
    };
    html! {
        <div class={classes!("tree-row", format!("level-{}", level.min(&6)), is_marked.then_some("marked"))} role="row" tabindex={if *is_stop { "0" } else { "-1" }}
            data-testid="tree-row" data-uid={uid.clone()} data-kind={target.kind.clone()} data-namespace={target.namespace.clone()} data-name={target.name.clone()}
            data-state={state.class()} data-level={level.to_string()} aria-level={level.to_string()} aria-posinset={row.position.to_string()}
            aria-setsize={row.n_siblings.to_string()} aria-expanded={expanded} onclick={open}>
            <span class="tree-name" role="gridcell">
                if *n_children > 0 {
                    <span class={classes!("twist", is_open.then_some("open"))} onclick={fold}>{ icon("right") }</span>
                } else {
                    <span class="twist" />
                }
                if !target.kind.is_empty() {
                    <span class={classes!("blob", format!("hue-{}", row.hue))}>{ glyph(&target.kind) }</span>
                    <span class="kind">{ target.kind.clone() }</span>
                    <span class="mono cut" title={target.name.clone()}><span class="stem">{ place }{ stem.to_owned() }</span><span>{ tail.to_owned() }</span></span>
                }
            </span>
            <span class="tree-count mono" role="gridcell">{ count.clone() }</span>
            <span class={classes!("tree-state", state.class())} role="gridcell"><span class="dot" />{ text.clone() }</span>
        </div>
    }
}

/// The row that an element is or is in.
fn row_of(target: &web_sys::EventTarget) -> Option<HtmlElement> {
    let element = target.dyn_ref::<Element>()?.closest("[data-uid][role='row']").ok().flatten()?;
    element.dyn_into().ok()
}

fn on_key(event: &KeyboardEvent, rows: &[Rc<Branch>], on: &Callback<Act>) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    let Some(element) = event.target().and_then(|it| row_of(&it)) else { return };
    let uid = element.get_attribute("data-uid").unwrap_or_default();
    let Some(at) = rows.iter().position(|it| it.uid == uid) else { return };
    let row = &rows[at];
    let parent = || rows[..at].iter().rposition(|it| it.level < row.level);
    let to = match event.key().as_str() {
        "ArrowDown" => Some(at + 1),
        "ArrowUp" => at.checked_sub(1),
        "Home" => Some(0),
        "End" => rows.len().checked_sub(1),
        "ArrowRight" if row.is_open => Some(at + 1),
        "ArrowRight" | "ArrowLeft" if row.n_children > 0 && row.is_open == (event.key() == "ArrowLeft") => {
            on.emit(Act::Fold { uid, is_open: !row.is_open });
            None
        }
        "ArrowLeft" => parent(),
        "Enter" => {
            // Somewhere in the middle of it: the drawer goes to the other side.
            let x = element.get_bounding_client_rect().left() as i32 + 8;
            on.emit(Act::Open { target: row.target.clone(), x });
            None
        }
        _ => return,
    };
    event.prevent_default();
    event.stop_propagation();
    let row_at = |idx: usize| {
        let all = element.parent_element()?.query_selector_all("[data-testid='tree-row']").ok()?;
        all.item(u32::try_from(idx).ok()?)?.dyn_into::<HtmlElement>().ok()
    };
    if let Some(row) = to.and_then(row_at) {
        row.focus().ok();
    }
}
