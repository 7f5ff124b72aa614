//! A border between two panes that can be dragged, and moved with arrows.

use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent, PointerEvent};
use yew::prelude::*;

use crate::page;

/// Pixels for one press of an arrow.
const STEP_PX: i32 = 16;
const MIN_PX: i32 = 160;

#[derive(Properties, PartialEq)]
pub struct SplitterProps {
    /// Whether it stands upright, between left and right.
    pub is_upright: bool,
}

/// The name of the length that it sets, the length at first, and its words.
fn facts(is_upright: bool) -> (&'static str, i32, &'static str) {
    if is_upright { ("--split-x", 440, "Width of the manifest") } else { ("--split-y", 248, "Height of the streams") }
}

#[component]
pub fn Splitter(props: &SplitterProps) -> Html {
    let is_upright = props.is_upright;
    let (name, first, label) = facts(is_upright);
    let length = use_state(|| page::remembered(name).and_then(|it| it.parse().ok()).unwrap_or(first));
    let is_dragging = use_mut_ref(|| false);
    use_effect_with(*length, move |length| {
        if *length != first || page::remembered(name).is_some() {
            page::set_length(name, *length);
        }
    });
    let set = {
        let length = length.clone();
        move |to: i32, max: i32| {
            let to = to.clamp(MIN_PX, max.max(MIN_PX));
            page::remember(name, &to.to_string());
            length.set(to);
        }
    };
    let onpointerdown = {
        let is_dragging = is_dragging.clone();
        Callback::from(move |event: PointerEvent| {
            event.prevent_default();
            *is_dragging.borrow_mut() = true;
            if let Some(target) = event.target().and_then(|it| it.dyn_into::<Element>().ok()) {
                target.set_pointer_capture(event.pointer_id()).ok();
            }
        })
    };
    let onpointermove = {
        let (is_dragging, set) = (is_dragging.clone(), set.clone());
        Callback::from(move |event: PointerEvent| {
            let parent = event.target().and_then(|it| it.dyn_into::<Element>().ok()).and_then(|it| it.parent_element());
            if let Some(parent) = parent.filter(|_| *is_dragging.borrow()) {
                // Whole pixels do.
                let rect = parent.get_bounding_client_rect();
                if is_upright {
                    set(event.client_x() - rect.left() as i32, rect.width() as i32 - 400);
                } else {
                    set(rect.bottom() as i32 - event.client_y(), rect.height() as i32 - 120);
                }
            }
        })
    };
    let onpointerup = {
        let is_dragging = is_dragging.clone();
        Callback::from(move |_: PointerEvent| *is_dragging.borrow_mut() = false)
    };
    let onkeydown = {
        let (set, now) = (set.clone(), *length);
        Callback::from(move |event: KeyboardEvent| {
            let by = match (event.key().as_str(), is_upright) {
                ("ArrowLeft", true) | ("ArrowDown", false) => -STEP_PX,
                ("ArrowRight", true) | ("ArrowUp", false) => STEP_PX,
                _ => return,
            };
            event.prevent_default();
            set(now + by, 1200);
        })
    };
    let class = if is_upright { "x" } else { "y" };
    let orientation = if is_upright { "vertical" } else { "horizontal" };
    html! {
        <div class={classes!("splitter", class)} role="separator" tabindex="0" aria-orientation={orientation} aria-label={label}
            aria-valuenow={length.to_string()} aria-valuemin={MIN_PX.to_string()} aria-valuemax="1200"
            {onpointerdown} {onpointermove} {onpointerup} {onkeydown} />
    }
}
