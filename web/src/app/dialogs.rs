//! What stands over the page until it is closed.

use view::model::Look;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

use crate::act::{Act, Dialog};
use crate::icons::{glyph, icon, look_mark};

#[derive(Properties, PartialEq)]
pub struct DialogProps {
    pub dialog: Dialog,
    pub on: Callback<Act>,
}

#[component]
pub fn DialogView(props: &DialogProps) -> Html {
    let DialogProps { dialog, on } = props;
    let place = use_node_ref();
    {
        let place = place.clone();
        use_effect_with((), move |()| {
            let first = place.cast::<Element>().and_then(|it| {
                let wanted = it.query_selector("[data-first]").ok().flatten();
                wanted.or_else(|| it.query_selector("button").ok().flatten())
            });
            if let Some(first) = first.and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
                first.focus().ok();
            }
        });
    }
    let close = {
        let on = on.clone();
        Callback::from(move |_: MouseEvent| on.emit(Act::CloseDialog))
    };
    let onkeydown = {
        let place = place.clone();
        Callback::from(move |event: KeyboardEvent| keep_focus(&place, &event))
    };
    let stay = Callback::from(|event: MouseEvent| event.stop_propagation());
    let (title, body) = match dialog {
        Dialog::Limits => ("What is simulated", limits()),
        Dialog::Keys => ("Keys and legend", keys()),
        Dialog::Share(link) => ("Share", share(link, on)),
        Dialog::Reset => ("Start over", reset(on)),
        Dialog::Ask { node, what } => (
            if *what == "taint" { "Taint a node" } else { "Label a node" },
            html! { <Question node={node.clone()} what={*what} on={on.clone()} /> },
        ),
    };
    html! {
        <div class="veil" onclick={close.clone()}>
            <div class="dialog" ref={place} role="dialog" aria-modal="true" aria-labelledby="dialog-title" onclick={stay} {onkeydown}>
                <header>
                    <h2 id="dialog-title">{ title }</h2>
                    <button type="button" class="button plain icon" aria-label="Close" title="Close (Esc)" onclick={close}>{ icon("close") }</button>
                </header>
                { body }
            </div>
        </div>
    }
}

/// Tab goes round inside the dialog.
fn keep_focus(place: &NodeRef, event: &KeyboardEvent) {
    if event.key() != "Tab" {
        return;
    }
    let Some(dialog) = place.cast::<Element>() else { return };
    let Ok(all) = dialog.query_selector_all("button, input, a[href], [tabindex='0']") else { return };
    let at = |idx: u32| all.item(idx).and_then(|it| it.dyn_into::<HtmlElement>().ok());
    let (first, last) = (at(0), at(all.length().saturating_sub(1)));
    let active = dialog.owner_document().and_then(|it| it.active_element());
    let is_at =
        |it: &Option<HtmlElement>| it.as_ref().zip(active.as_ref()).is_some_and(|(a, b)| a.is_same_node(Some(b)));
    let to = match event.shift_key() {
        true if is_at(&first) => last,
        false if is_at(&last) => first,
        _ => return,
    };
    event.prevent_default();
    if let Some(to) = to {
        to.focus().ok();
    }
}

fn limits() -> Html {
    html! {
        <>
            <p>{ "Drydock runs a Kubernetes 1.36 control plane in this tab: the API server with its storage, watches, defaults, validation and patches, the controllers, the scheduler and one kubelet per machine. They are written anew and behave as the real ones do, down to field values, status codes and messages." }</p>
            <h3>{ "Simulated, and so under your control" }</h3>
            <ul>
                <li>{ "Machines: power, network, capacity, pressure. A machine is an object; its kubelet registers a Node." }</li>
                <li>{ "Containers: no image is pulled and no process runs. How long a pull takes, when a container is ready, how it ends and what it logs is declared by ImageBehavior objects; a small shell answers common commands. What is certain to fail does, as a missing ConfigMap, a command that a well-known image lacks or a probe that the shell understands; what nobody can know succeeds." }</li>
                <li>{ "Time: it can be paused, stepped and hurried. The same seed and the same inputs give the same run." }</li>
            </ul>
            <h3>{ "Not there" }</h3>
            <ul>
                <li>{ "Packets: the way of a request is told, hop by hop, and its answer made up. Volumes with data, container runtimes, cloud load balancers." }</li>
                <li>{ "Authentication: whoever is at this page is the administrator." }</li>
                <li>{ "Admission webhooks and custom resource definitions." }</li>
            </ul>
            <h3>{ "Where it differs on purpose" }</h3>
            <ul>
                <li>{ "Leases are renewed when somebody reads them; controllers never see stale caches; hashes in names differ." }</li>
                <li>{ "Nothing leaves this browser. Links that you share carry the manifest and what was done after the #, which browsers do not send to servers." }</li>
            </ul>
        </>
    }
}

const KEYS: &[(&str, &str)] = &[
    ("Ctrl / ⌘ + Enter", "apply the manifest"),
    ("Space", "pause or go on"),
    (".", "pause and do one step"),
    ("/", "to the console"),
    ("d", "what Apply would change"),
    ("e", "to the editor"),
    ("c", "to the nodes or the tree; arrows go on from there"),
    ("w", "workloads as a tree, or the nodes again"),
    ("← →", "in the tree: close, open"),
    ("Enter", "details of a node, pod or row"),
    ("Esc", "close, or stop explaining"),
    ("?", "this"),
];

const LOOKS: &[(Look, &str)] = &[
    (Look::Pending, "Pending: no node yet"),
    (Look::Creating, "ContainerCreating"),
    (Look::Unready, "Running, not Ready"),
    (Look::Ready, "Ready"),
    (Look::Terminating, "Terminating"),
    (Look::Failed, "Failed"),
    (Look::Looping, "CrashLoopBackOff or the like"),
    (Look::Succeeded, "Succeeded"),
    (Look::Lost, "its node is lost"),
];

const OWNERS: &[(&str, &str)] = &[
    ("DaemonSet", "of a DaemonSet"),
    ("ReplicaSet", "of a ReplicaSet"),
    ("StatefulSet", "of a StatefulSet"),
    ("Job", "of a Job"),
    ("", "on its own"),
    ("Service", "a Service, in the tree"),
];

fn keys() -> Html {
    html! {
        <>
            <div class="keys">{ for KEYS.iter().map(|(key, what)| html! { <><kbd>{ *key }</kbd><span>{ *what }</span></> }) }</div>
            <h3>{ "A pod’s state" }</h3>
            <ul class="legend">
                { for LOOKS.iter().map(|(look, what)| html! {
                    <li><span class={classes!("chip", look.class(), "hue-0")}>{ glyph("DaemonSet") }{ look_mark(look) }</span>{ *what }</li>
                }) }
            </ul>
            <h3>{ "What it belongs to" }</h3>
            <ul class="legend">
                { for OWNERS.iter().map(|(kind, what)| html! { <li><span class="chip ready hue-7">{ glyph(kind) }</span>{ *what }</li> }) }
            </ul>
            <p class="caption">{ "The colour tells the workloads apart." }</p>
        </>
    }
}

/// Longer links do not survive everywhere.
const LINK_CHARS_MAX: usize = 16_000;

fn share(link: &str, on: &Callback<Act>) -> Html {
    let copy = {
        let (on, link) = (on.clone(), link.to_owned());
        Callback::from(move |_: MouseEvent| on.emit(Act::Copy(link.clone())))
    };
    html! {
        <>
            <p>{ "The link holds the manifest, the cluster’s seed and everything that was done, so whoever opens it sees this very moment. It stays between you and them: what follows the # is not sent to a server." }</p>
            <div class="row">
                <input class="field mono" data-testid="share-link" data-first="true" readonly=true aria-label="Link" value={link.to_owned()} />
                <button type="button" class="button primary" onclick={copy}>{ "Copy" }</button>
            </div>
            <p class="caption">
                { format!("{} characters", view::clock::grouped(link.len() as u64)) }
                if link.len() > LINK_CHARS_MAX { { ": some programs cut links of this length off. Exported to a file, the same goes everywhere." } }
            </p>
        </>
    }
}

fn reset(on: &Callback<Act>) -> Html {
    let act = |act: Act| {
        let on = on.clone();
        Callback::from(move |_: MouseEvent| on.emit(act.clone()))
    };
    html! {
        <>
            <p>{ "Four fresh machines and time at the beginning. The manifest in the editor stays; the cluster’s objects and its history go." }</p>
            <div class="row">
                <button type="button" class="button primary" data-testid="reset-confirm" onclick={act(Act::Reset)}>{ "Start over" }</button>
                <button type="button" class="button" data-first="true" onclick={act(Act::CloseDialog)}>{ "Keep this cluster" }</button>
            </div>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct QuestionProps {
    node: String,
    what: &'static str,
    on: Callback<Act>,
}

#[component]
fn Question(props: &QuestionProps) -> Html {
    let QuestionProps { node, what, on } = props;
    let input = use_node_ref();
    let (first, hint) = match *what {
        "taint" => (
            "gpu=true:NoSchedule",
            "key=value:effect; the effects are NoSchedule, PreferNoSchedule and NoExecute. A minus at the end takes it away: gpu=true:NoSchedule-",
        ),
        _ => ("disk=ssd", "key=value; a minus after the key takes it away: disk-"),
    };
    let onsubmit = {
        let (on, input, line) = (on.clone(), input.clone(), format!("{what} nodes {node}"));
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let Some(input) = input.cast::<HtmlInputElement>() else { return };
            on.emit(Act::CloseDialog);
            on.emit(Act::Run(format!("{line} {} --overwrite", input.value().trim())));
        })
    };
    html! {
        <form {onsubmit}>
            <p>{ hint }</p>
            <div class="row">
                <input class="field mono" ref={input} data-first="true" aria-label={format!("{what} for {node}")} value={first} autocomplete="off" spellcheck="false" />
                <button type="submit" class="button primary">{ format!("{} {node}", if *what == "taint" { "Taint" } else { "Label" }) }</button>
            </div>
        </form>
    }
}
