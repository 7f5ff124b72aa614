//! A node as a card.

use std::rc::Rc;

use view::board::Cell;
use view::clock;
use view::model::{Machine, Mark, Meter, Node, NodeState, Ref, Verdict};
use yew::prelude::*;

use crate::act::{Act, Dialog};
use crate::chip::Chip;
use crate::icons::icon;
use crate::menu::{Menu, item};

/// More than this share the width of a card.
const MANY_PODS: usize = 4;

#[derive(Properties, PartialEq)]
pub struct NodeCardProps {
    pub cell: Rc<Cell>,
    pub verdict: Option<Verdict>,
    pub focus: Option<Ref>,
    pub is_first: bool,
    /// Without what a small card has no room for.
    pub is_small: bool,
    pub on: Callback<Act>,
}

#[component]
pub fn NodeCard(props: &NodeCardProps) -> Html {
    let NodeCardProps { cell, verdict, focus, is_first, is_small, on } = props;
    let node = &cell.node;
    let target = Ref::new("Node", "", &node.name);
    let is_selected = focus.as_ref() == Some(&target);
    let open = {
        let (on, target) = (on.clone(), target.clone());
        Callback::from(move |event: MouseEvent| on.emit(Act::Open { target: target.clone(), x: event.client_x() }))
    };
    let items = {
        let (on, node) = (on.clone(), node.clone());
        Callback::from(move |()| menu_items(&node, &on))
    };
    let (state_class, card_class) = match node.state {
        NodeState::Ready => ("ready", ""),
        NodeState::Off => ("off", "off"),
        NodeState::NotReady | NodeState::Unknown => ("bad", "notready"),
    };
    html! {
        <section class={classes!("node", card_class, node.is_cordoned.then_some("cordoned"), is_selected.then_some("selected"))}
            data-testid="node" data-name={node.name.clone()} data-ready={(node.state == NodeState::Ready).to_string()}
            data-schedulable={(!node.is_cordoned).to_string()} aria-label={format!("Node {}", node.name)}>
            <header>
                <div class="facts">
                <button type="button" class="name" data-roving="node" tabindex={if *is_first { "0" } else { "-1" }} title={node.name.clone()} onclick={open}>
                    { node.name.clone() }
                </button>
                <span class={classes!("state", state_class)}><span class="dot" /><span class="word">{ node.word.clone() }</span></span>
                { labels(node) }
                </div>
                <Menu label={format!("Actions on {}", node.name)} testid="node-menu" class="button plain icon small" menu_class="right" {items} face={icon("more")} />
            </header>
            if let Some(verdict) = verdict { { verdict_line(verdict) } }
            <div class={classes!("pods", (cell.pods.len() > MANY_PODS).then_some("many"))}>
                if cell.pods.is_empty() && verdict.is_none() { <span class="none">{ "no pods" }</span> }
                { for cell.pods.iter().map(|pod| html! {
                    <Chip key={pod.uid.clone()} pod={pod.clone()} is_marked={is_focus(focus, "Pod", &pod.namespace, &pod.name)}
                        is_small={*is_small} on={on.clone()} />
                }) }
            </div>
            if !is_small {
                <div class="meters">
                    { meter("cpu", &node.cpu, clock::cpu) }
                    { meter("mem", &node.memory, clock::bytes) }
                    { meter("pods", &node.pods, |it| it.to_string()) }
                </div>
            }
        </section>
    }
}

pub fn is_focus(focus: &Option<Ref>, kind: &str, namespace: &str, name: &str) -> bool {
    focus.as_ref().is_some_and(|it| it.kind == kind && it.namespace == namespace && it.name == name)
}

fn labels(node: &Node) -> Html {
    let own_taints = node.taints.iter().filter(|it| !it.starts_with("node.kubernetes.io/unschedulable"));
    // A role's own taint needs no second label of the role, and a node named after its role none at all.
    let roles = node
        .roles
        .iter()
        .filter(|it| **it != node.name && !node.taints.iter().any(|taint| taint.contains(&format!("/{it}"))));
    html! {
        <>
            if node.is_cordoned { <span class="label lock">{ "cordoned" }</span> }
            { for node.machine.iter().flat_map(faults).map(|it| html! { <span class="label fault">{ it }</span> }) }
            { for roles.map(|it| html! { <span class="label role" title="role">{ it.clone() }</span> }) }
            { for own_taints.map(|it| html! { <span class="label taint" title={format!("taint {it}")}>{ it.strip_prefix("node-role.kubernetes.io/").unwrap_or(it).to_owned() }</span> }) }
            { for node.labels.iter().map(|it| html! { <span class="label" title={format!("label {it}")}>{ it.clone() }</span> }) }
        </>
    }
}

/// What is wrong with a machine that runs.
fn faults(machine: &Machine) -> impl Iterator<Item = &'static str> + use<> {
    let all = [
        (!machine.is_connected, "partitioned"),
        (machine.disk_pressure, "disk pressure"),
        (machine.memory_pressure, "memory pressure"),
        (machine.pid_pressure, "PID pressure"),
    ];
    all.into_iter().filter(|(is, _)| *is).map(|(_, name)| name)
}

/// A sign, a class and words for a verdict.
pub fn verdict_line(verdict: &Verdict) -> Html {
    let (class, sign) = match verdict.mark {
        Mark::Runs => ("runs", "✓"),
        Mark::Comes => ("comes", "…"),
        Mark::Waits => ("waits", "!"),
        Mark::Cannot | Mark::Fails => ("cannot", "✗"),
        Mark::Lost => ("waits", "✗"),
        Mark::Stays => ("waits", "✗"),
        Mark::None => ("none", "–"),
    };
    html! {
        <div class={classes!("verdict", class)} title={(!verdict.field.is_empty()).then(|| format!("decided by {}", verdict.field))}>
            <span class="sign" aria-hidden="true">{ sign }</span><span>{ verdict.text.clone() }</span>
        </div>
    }
}

fn meter(name: &'static str, meter: &Meter, write: fn(i64) -> String) -> Html {
    let permille = meter.permille();
    let amount = format!("{} / {}", write(meter.used), write(meter.total));
    let label = format!("{name}: {} of {} requested", write(meter.used), write(meter.total));
    html! {
        <div class="meter" role="img" aria-label={label.clone()} title={label}>
            <span>{ name }</span>
            <svg viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">
                <rect class="track" width="1000" height="6" />
                <rect class={classes!("fill", (permille > 850).then_some("high"))} width={permille.to_string()} height="6" />
            </svg>
            <span class="amount">{ amount }</span>
        </div>
    }
}

/// What can be done to a node: each is a kubectl line, run in the console for everyone to see.
fn menu_items(node: &Node, on: &Callback<Act>) -> Html {
    let name = &node.name;
    let act = |act: Act| {
        let on = on.clone();
        Callback::from(move |_: MouseEvent| on.emit(act.clone()))
    };
    let run = |line: String| act(Act::Run(line));
    let ask = |what: &'static str| act(Act::Dialog(Dialog::Ask { node: name.clone(), what }));
    let set = |spec: &str| run(format!("patch machine {name} --type=merge -p '{{\"spec\":{spec}}}'"));
    html! {
        <>
            if node.is_cordoned { { item("Uncordon", run(format!("uncordon {name}"))) } } else { { item("Cordon", run(format!("cordon {name}"))) } }
            { item("Drain", run(format!("drain {name} --ignore-daemonsets --delete-emptydir-data --force"))) }
            { item("Taint…", ask("taint")) }
            { item("Label…", ask("label")) }
            if let Some(machine) = &node.machine {
                <div class="rule" role="separator" />
                { item(if machine.is_on { "Power off" } else { "Power on" }, set(if machine.is_on { r#"{"power":"Off"}"# } else { r#"{"power":"On"}"# })) }
                { item(if machine.is_connected { "Cut the network" } else { "Mend the network" },
                    set(if machine.is_connected { r#"{"network":"Partitioned"}"# } else { r#"{"network":"Connected"}"# })) }
                { pressure("Disk", "disk", machine.disk_pressure, &set) }
                { pressure("Memory", "memory", machine.memory_pressure, &set) }
                { pressure("PID", "pid", machine.pid_pressure, &set) }
            }
            <div class="rule" role="separator" />
            <button type="button" class="item danger" role="menuitem" tabindex="-1"
                onclick={run(if node.machine.is_some() { format!("delete machine/{name} node/{name}") } else { format!("delete node {name}") })}>
                { "Delete" }
            </button>
        </>
    }
}

fn pressure(name: &str, field: &str, is_on: bool, set: &dyn Fn(&str) -> Callback<MouseEvent>) -> Html {
    let text = if is_on { format!("End {name} pressure") } else { format!("{name} pressure") };
    item(text, set(&format!(r#"{{"pressure":{{"{field}":{}}}}}"#, !is_on)))
}
