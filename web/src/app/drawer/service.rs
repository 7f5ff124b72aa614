//! A Service: where it can be reached, and what stands behind it.

use std::rc::Rc;

use view::model::Ref;
use view::service::{Endpoint, Hop, Origin, Service, Way};
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::link_to;
use crate::act::Act;

pub fn view(service: &Service, target: &Ref, way: &Option<Rc<Way>>, on: &Callback<Act>) -> Html {
    let Service { kind, addresses, dns, selector, ports, notes, endpoints, origins, url } = service;
    html! {
        <div class="overview" data-testid="service">
            <dl class="facts-list">
                <dt>{ "Type" }</dt><dd>{ kind.clone() }</dd>
                <dt>{ "Name" }</dt><dd class="mono">{ dns.clone() }</dd>
                <dt>{ "Address" }</dt><dd class="mono">{ if addresses.is_empty() { "none".to_owned() } else { addresses.join(", ") } }</dd>
                <dt>{ "Selector" }</dt><dd class="mono">{ if selector.is_empty() { "none".to_owned() } else { selector.clone() } }</dd>
                { for ports.iter().map(|it| html! {
                    <><dt>{ if it.name.is_empty() { "Port".to_owned() } else { format!("Port {}", it.name) } }</dt>
                    <dd class="mono">{ format!("{} → {}", it.port, it.target) }{ if it.node_port > 0 { format!(", on every node {}", it.node_port) } else { String::new() } }</dd></>
                }) }
            </dl>
            { for notes.iter().map(|it| html! { <p class="say note">{ it.clone() }</p> }) }
            if endpoints.is_empty() {
                <p class="empty">{ "No endpoint: no pod with an address matches the selector." }</p>
            } else {
                <table class="decisions">
                    <caption class="for-readers">{ format!("Endpoints of {}", target.name) }</caption>
                    <thead><tr><th scope="col">{ "Endpoint" }</th><th scope="col">{ "Node" }</th><th scope="col">{ "State" }</th></tr></thead>
                    <tbody>{ for endpoints.iter().map(|it| endpoint(it, target, on)) }</tbody>
                </table>
            }
            <SendForm key={target.to_string()} origins={origins.clone()} url={url.clone()} on={on.clone()} />
            if let Some(way) = way { { hops(way, on) } }
        </div>
    }
}

fn endpoint(it: &Endpoint, service: &Ref, on: &Callback<Act>) -> Html {
    let (class, word) = match (it.is_ready, it.is_serving, it.is_terminating) {
        (true, ..) => ("good", "ready"),
        (false, true, true) => ("going", "terminating, still serving"),
        (false, _, true) => ("idle", "terminating"),
        (false, true, false) => ("going", "serving, not ready"),
        (false, false, false) => ("bad", "not ready"),
    };
    let name = if it.pod.is_empty() {
        html! { <span class="mono">{ it.address.clone() }</span> }
    } else {
        link_to(Ref::new("Pod", &service.namespace, &it.pod), it.pod.clone(), on)
    };
    html! {
        <tr data-testid="endpoint" data-address={it.address.clone()} data-ready={it.is_ready.to_string()} data-serving={it.is_serving.to_string()}
            data-terminating={it.is_terminating.to_string()} data-node={it.node.clone()}>
            <td>{ name }<small class="mono">{ format!("{} {}", it.address, it.ports) }</small></td>
            <td class="mono">{ it.node.clone() }if !it.zone.is_empty() { <small>{ it.zone.clone() }</small> }</td>
            <td><span class={classes!("tree-state", class)}><span class="dot" />{ word }</span></td>
        </tr>
    }
}

#[derive(Properties, PartialEq)]
struct SendProps {
    origins: Vec<Origin>,
    url: String,
    on: Callback<Act>,
}

/// A request from somebody to somewhere.
#[component]
fn SendForm(props: &SendProps) -> Html {
    let SendProps { origins, url, on } = props;
    // Until somebody is chosen, the first who could send.
    let chosen = use_state(|| None::<Origin>);
    let from = (*chosen).clone().unwrap_or_else(|| origins.first().cloned().unwrap_or_default());
    let to = use_state(|| url.clone());
    let all: Vec<Origin> = origins.iter().cloned().chain([Origin::default()]).collect();
    let onchange = {
        let (chosen, all) = (chosen.setter(), all.clone());
        Callback::from(move |event: Event| {
            let select = event.target().and_then(|it| it.dyn_into::<HtmlSelectElement>().ok());
            if let Some(it) = select.and_then(|it| all.get(usize::try_from(it.selected_index()).ok()?).cloned()) {
                chosen.set(Some(it));
            }
        })
    };
    let oninput = {
        let to = to.setter();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target().and_then(|it| it.dyn_into::<HtmlInputElement>().ok()) {
                to.set(input.value());
            }
        })
    };
    let onsubmit = {
        let (on, from, to) = (on.clone(), from.clone(), (*to).clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            on.emit(Act::Request { from: from.clone(), url: to.trim().to_owned() });
        })
    };
    html! {
        <form class="send" {onsubmit}>
            <h3>{ "Send a request" }</h3>
            <label>{ "from" }
                <select class="field" data-testid="request-from" {onchange}>
                    { for all.iter().map(|it| html! { <option selected={*it == from}>{ it.to_string() }</option> }) }
                </select></label>
            <label>{ "to" }<input class="field mono" data-testid="request-to" spellcheck="false" autocomplete="off" value={(*to).clone()} {oninput} /></label>
            <button type="submit" class="button small" data-testid="request-send">{ "Send" }</button>
        </form>
    }
}

/// The way of the request, hop by hop.
fn hops(way: &Way, on: &Callback<Act>) -> Html {
    html! {
        <div class="way" data-testid="way" data-answered={way.is_answered.to_string()} role="status">
            <p class={classes!("tree-state", if way.is_answered { "good" } else { "bad" })}><span class="dot" /><b>{ way.text.clone() }</b></p>
            <ol class="hops">{ for way.hops.iter().map(|it| hop(it, on)) }</ol>
            if !way.body.is_empty() { <pre>{ way.body.clone() }</pre> }
        </div>
    }
}

fn hop(it: &Hop, on: &Callback<Act>) -> Html {
    html! {
        <li class={it.failed.then_some("failed")} data-testid="hop" data-stage={it.stage.clone()}>
            <b>{ it.stage.clone() }</b>
            <span>{ it.message.clone() }
                if !it.object.kind.is_empty() { <small>{ format!("{} ", it.object.kind) }{ link_to(it.object.clone(), it.object.name.clone(), on) }</small> }</span>
        </li>
    }
}
