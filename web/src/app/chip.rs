//! A pod as a chip: the workload by colour, the controller's kind by a glyph, the state by edge, pattern and mark.

use std::rc::Rc;

use view::model::{Look, Pod, Ref};
use yew::prelude::*;

use crate::act::Act;
use crate::icons::{glyph, look_mark};

/// The end of a generated name, which tells pods of one workload apart.
const TAIL_CHARS: usize = 6;

#[derive(Properties, PartialEq)]
pub struct ChipProps {
    pub pod: Rc<Pod>,
    #[prop_or_default]
    pub is_marked: bool,
    /// A square with the glyph alone.
    #[prop_or_default]
    pub is_small: bool,
    pub on: Callback<Act>,
}

#[component]
pub fn Chip(props: &ChipProps) -> Html {
    let ChipProps { pod, is_marked, is_small, on } = props;
    let target = Ref::new("Pod", &pod.namespace, &pod.name);
    let onclick = {
        let on = on.clone();
        Callback::from(move |event: MouseEvent| on.emit(Act::Open { target: target.clone(), x: event.client_x() }))
    };
    let (stem, tail) = split_name(&pod.name);
    let place = if pod.node.is_empty() { "waits for a node".to_owned() } else { format!("on {}", pod.node) };
    let restarts = match pod.n_restarts {
        0 => String::new(),
        1 => ", 1 restart".to_owned(),
        n => format!(", {n} restarts"),
    };
    let label =
        format!("Pod {} {place}: {}, {} of {} ready{restarts}", pod.name, pod.word, pod.n_ready, pod.n_containers);
    let title = if pod.reason.is_empty() { label.clone() } else { format!("{label}\n{}", pod.reason) };
    html! {
        <button type="button" class={classes!("chip", pod.look.class(), format!("hue-{}", pod.hue), is_marked.then_some("marked"))}
            data-testid="pod" data-uid={pod.uid.clone()} data-namespace={pod.namespace.clone()} data-name={pod.name.clone()}
            data-phase={pod.phase.clone()} data-ready={pod.is_ready.to_string()}
            data-node={(!pod.node.is_empty()).then(|| pod.node.clone())} data-look={pod.look.class()} data-roving="pod" tabindex="-1"
            aria-label={label} {title} {onclick}>
            if *is_small {
                // One sign: what is the matter, else whose it is.
                if pod.look == Look::Ready { { glyph(&pod.owner_kind) } } else { { look_mark(&pod.look) } }
            } else {
                { glyph(&pod.owner_kind) }
                <span class="name"><span class="stem">{ stem.to_owned() }</span><span class="tail">{ tail.to_owned() }</span></span>
                <span class="grow" />
                if pod.n_restarts > 0 { <span class="count">{ format!("↻{}", pod.n_restarts) }</span> }
                { look_mark(&pod.look) }
            }
        </button>
    }
}

/// The part that may be cut and the part that may not.
pub fn split_name(name: &str) -> (&str, &str) {
    match name.len().checked_sub(TAIL_CHARS) {
        Some(at) if at > 8 && name.is_char_boundary(at) => name.split_at(at),
        _ => (name, ""),
    }
}
