//! The cluster: workloads, pods that wait, nodes with the pods on them, and why.

use std::rc::Rc;

use view::board::Cell;
use view::model::{Pod, Ref, Why, Workload};
use view::short_reason;
use view::tree::Branch;
use web::ComponentRow;
use web_sys::KeyboardEvent;
use yew::prelude::*;

use crate::act::{Act, Dialog, View};
use crate::chip::Chip;
use crate::components::Components;
use crate::field::Field;
use crate::icons::{glyph, icon};
use crate::node::{NodeCard, is_focus};
use crate::roving;
use crate::tree::Tree;
use crate::twin::Twin;

/// More workloads have lines of their own.
const IN_LINE_MAX: usize = 4;
/// Up to so many nodes are cards with named pods; up to the second they are small cards; more are a field.
const CARDS_MAX: usize = 12;
const COMPACT_MAX: usize = 150;

#[derive(Properties, PartialEq)]
pub struct ClusterProps {
    /// Changes with the cells.
    pub cells: Rc<Vec<Rc<Cell>>>,
    pub lane: Rc<Vec<Rc<Pod>>>,
    pub workloads: Rc<Vec<Rc<Workload>>>,
    pub why: Option<Rc<Why>>,
    pub selection: Option<Ref>,
    pub focus: Option<Ref>,
    pub is_ready: bool,
    pub shape: View,
    pub is_dark: bool,
    pub tree: Rc<Vec<Rc<Branch>>>,
    pub components: Rc<Vec<Rc<ComponentRow>>>,
    /// What is happening while it is not ready.
    pub notice: AttrValue,
    pub on: Callback<Act>,
}

#[component]
pub fn Cluster(props: &ClusterProps) -> Html {
    let ClusterProps {
        cells,
        lane,
        workloads,
        why,
        selection,
        focus,
        is_ready,
        shape,
        is_dark,
        tree,
        components,
        notice,
        on,
    } = props;
    let n = cells.len();
    // Some run without a workload.
    let has_pods = !lane.is_empty() || cells.iter().any(|it| !it.pods.is_empty());
    let onkeydown = Callback::from(|event: KeyboardEvent| roving::on_key(&event));
    html! {
        <section class="cluster" aria-label="Cluster" data-testid="cluster-view">
            <Bar workloads={workloads.clone()} {has_pods} selection={selection.clone()} is_ready={*is_ready} shape={*shape} on={on.clone()} />
            if let Some(why) = why.as_ref().filter(|_| *shape != View::Components) { <WhyBar why={why.clone()} on={on.clone()} /> } else { <div hidden=true /> }
            <div class="scroll" {onkeydown}>
                if matches!(shape, View::Cards | View::Table) { <Lane lane={lane.clone()} focus={focus.clone()} on={on.clone()} /> }
                if !is_ready && cells.is_empty() {
                    <p class="empty" role="status">{ notice.clone() }</p>
                }
                if *shape == View::Tree {
                    <Tree rows={tree.clone()} focus={focus.clone()} on={on.clone()} />
                } else if *shape == View::Components {
                    <Components rows={components.clone()} on={on.clone()} />
                } else if *shape == View::Table {
                    <Twin cells={cells.clone()} why={why.clone()} on={on.clone()} />
                } else if n > COMPACT_MAX {
                    <Field cells={cells.clone()} is_dark={*is_dark} on={on.clone()} />
                } else {
                    <div class={classes!("nodes", size_class(n))}>
                        { for cells.iter().enumerate().map(|(idx, cell)| html! {
                            <NodeCard key={cell.node.name.clone()} cell={cell.clone()} verdict={verdict_of(why, &cell.node.name)}
                                focus={focus_on(focus, cell)} is_first={idx == 0} is_small={n > CARDS_MAX} on={on.clone()} />
                        }) }
                    </div>
                }
                <Caption on={on.clone()} />
            </div>
        </section>
    }
}

fn size_class(n: usize) -> &'static str {
    match n {
        0..=1 => "one",
        2..=4 => "few",
        5..=CARDS_MAX => "",
        _ => "compact",
    }
}

fn verdict_of(why: &Option<Rc<Why>>, node: &str) -> Option<view::model::Verdict> {
    why.as_ref()?.verdicts.iter().find(|it| it.node == node).cloned()
}

/// The focus where it concerns this node, so that the others need not be drawn anew.
fn focus_on(focus: &Option<Ref>, cell: &Cell) -> Option<Ref> {
    let here = is_focus(focus, "Node", "", &cell.node.name)
        || cell.pods.iter().any(|it| is_focus(focus, "Pod", &it.namespace, &it.name));
    focus.clone().filter(|_| here)
}

#[derive(Properties, PartialEq)]
struct BarProps {
    workloads: Rc<Vec<Rc<Workload>>>,
    has_pods: bool,
    selection: Option<Ref>,
    is_ready: bool,
    shape: View,
    on: Callback<Act>,
}

#[component]
fn Bar(props: &BarProps) -> Html {
    let BarProps { workloads, has_pods, selection, is_ready, shape, on } = props;
    let act = |act: Act| {
        let on = on.clone();
        Callback::from(move |_: MouseEvent| on.emit(act.clone()))
    };
    // Others than nodes: what is about nodes has no place there.
    let is_other = matches!(shape, View::Tree | View::Components);
    let side = |is_this: bool, to: View, testid: &'static str, name: &'static str, picture: &'static str| {
        html! {
            <button type="button" class="side-button" data-testid={testid} aria-label={name} title={name} aria-pressed={is_this.to_string()} onclick={act(Act::View(to))}>
                { icon(picture) }<span class="medium-hide">{ name }</span>
            </button>
        }
    };
    let (other, table) = if *shape == View::Table { (View::Cards, "cards") } else { (View::Table, "table") };
    html! {
        <div class={classes!("bar", (workloads.len() > IN_LINE_MAX && !is_other).then_some("many"))}>
            <div class="sides chrome" role="group" aria-label="Show">
                { side(!is_other, View::Cards, "view-nodes", "Nodes", "cluster") }
                { side(*shape == View::Tree, View::Tree, "view-workloads", "Workloads", "tree") }
                { side(*shape == View::Components, View::Components, "view-components", "Components", "gear") }
            </div>
            <div class="workloads" role="group" aria-label="Why">
                if workloads.is_empty() && !is_other && !has_pods {
                    <span class="hint">{ "Nothing runs yet: apply the manifest." }</span>
                }
                { for workloads.iter().filter(|_| !is_other).map(|it| workload_button(it, selection, on)) }
            </div>
            if !is_other {
                <button type="button" class="button plain icon chrome" aria-label="Show as a table" title="Show as a table" aria-pressed={(*shape == View::Table).to_string()}
                    onclick={act(Act::View(other))}>{ icon(table) }</button>
            }
            <button type="button" class="button chrome" data-testid="add-node" disabled={!is_ready} onclick={act(Act::AddNode)}>{ icon("plus") }{ "Node" }</button>
        </div>
    }
}

fn workload_button(workload: &Rc<Workload>, selection: &Option<Ref>, on: &Callback<Act>) -> Html {
    let Workload { target, hue, n_ready, n_desired, is_counted, note, .. } = &**workload;
    let is_selected = selection.as_ref() == Some(target);
    let onclick = {
        let (on, target) = (on.clone(), target.clone());
        Callback::from(move |_: MouseEvent| on.emit(Act::Select((!is_selected).then(|| target.clone()))))
    };
    let count = if *is_counted { format!("{n_ready}/{n_desired}") } else { note.clone() };
    html! {
        <button type="button" class={classes!("workload", format!("hue-{hue}"))} aria-pressed={is_selected.to_string()}
            title={format!("{target}: {count}. Show why its pods are where they are")} {onclick}>
            <span class="blob">{ glyph(&target.kind) }</span>
            <b>{ target.name.clone() }</b>
            <span class={classes!("count", (*is_counted && n_ready == n_desired).then_some("full"))}>{ count }</span>
        </button>
    }
}

#[derive(Properties, PartialEq)]
struct WhyProps {
    why: Rc<Why>,
    on: Callback<Act>,
}

#[component]
fn WhyBar(props: &WhyProps) -> Html {
    let WhyProps { why, on } = props;
    let close = {
        let on = on.clone();
        Callback::from(move |_: MouseEvent| on.emit(Act::Select(None)))
    };
    let open = {
        let (on, target) = (on.clone(), why.target.clone());
        Callback::from(move |event: MouseEvent| on.emit(Act::Open { target: target.clone(), x: event.client_x() }))
    };
    html! {
        <div class="why">
            <span class="text"><b>{ why.target.kind.clone() }{ " " }<span class="mono">{ why.target.name.clone() }</span>{ ": " }</b>{ why.summary.clone() }</span>
            <button type="button" class="button small" onclick={open}>{ "Details" }</button>
            <button type="button" class="button plain icon small" aria-label="Stop explaining" title="Stop explaining (Esc)" onclick={close}>{ icon("close") }</button>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct LaneProps {
    lane: Rc<Vec<Rc<Pod>>>,
    focus: Option<Ref>,
    on: Callback<Act>,
}

/// Pods that are shown waiting; the rest is counted.
const LANE_MAX: usize = 20;

#[component]
fn Lane(props: &LaneProps) -> Html {
    let LaneProps { lane, focus, on } = props;
    let n = lane.len();
    html! {
        <div class={classes!("lane", (n > 0).then_some("filled"))} data-testid="pending" data-count={n.to_string()}>
            <h2>{ if n == 0 { "Pending".to_owned() } else { format!("Pending {n}") } }</h2>
            if n == 0 {
                <span>{ "No pod waits for a node." }</span>
            } else {
                <ul>
                    { for lane.iter().take(LANE_MAX).map(|pod| html! {
                        <li key={pod.uid.clone()}>
                            <Chip pod={pod.clone()} is_marked={is_focus(focus, "Pod", &pod.namespace, &pod.name)} on={on.clone()} />
                            if !pod.wants.is_empty() { <span class="target">{ format!("→ {}", pod.wants) }</span> }
                            <span class="reason" tabindex={(!pod.reason.is_empty()).then_some("0")} title={pod.reason.clone()}>{ waits_for(pod) }</span>
                        </li>
                    }) }
                    if n > LANE_MAX { <li>{ format!("and {} more", n - LANE_MAX) }</li> }
                </ul>
            }
        </div>
    }
}

fn waits_for(pod: &Pod) -> String {
    if pod.reason.is_empty() {
        "waits for a scheduler".to_owned()
    } else {
        short_reason(&pod.reason, !pod.wants.is_empty())
    }
}

#[derive(Properties, PartialEq)]
struct CaptionProps {
    on: Callback<Act>,
}

#[component]
fn Caption(props: &CaptionProps) -> Html {
    let on = props.on.clone();
    let onclick = Callback::from(move |_: MouseEvent| on.emit(Act::Dialog(Dialog::Limits)));
    html! {
        <p class="caption">
            { "A Kubernetes 1.36 control plane, simulated in this tab. No container runs. " }
            <button type="button" class="link" data-testid="limits" {onclick}>{ "What is and isn’t simulated" }</button>
        </p>
    }
}
