//! A button that opens a list of actions: arrows move, Escape closes and gives the focus back.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct MenuProps {
    /// What the button shows.
    pub face: Html,
    pub label: AttrValue,
    #[prop_or_default]
    pub class: Classes,
    #[prop_or_default]
    pub menu_class: Classes,
    #[prop_or_default]
    pub testid: Option<AttrValue>,
    /// The items; they are made when the menu opens.
    pub items: Callback<(), Html>,
}

#[component]
pub fn Menu(props: &MenuProps) -> Html {
    let is_open = use_state(|| false);
    let place = use_node_ref();
    {
        let place = place.clone();
        use_effect_with(*is_open, move |is_open| {
            if *is_open {
                focus_item(&place, 0);
            }
        });
    }
    let toggle = {
        let is_open = is_open.clone();
        Callback::from(move |_: MouseEvent| is_open.set(!*is_open))
    };
    let close = is_open.setter();
    let onkeydown = {
        let (place, close, is_open) = (place.clone(), close.clone(), *is_open);
        Callback::from(move |event: KeyboardEvent| {
            if !is_open {
                return;
            }
            match event.key().as_str() {
                "Escape" => {
                    close.set(false);
                    focus_button(&place);
                }
                "ArrowDown" => move_focus(&place, 1),
                "ArrowUp" => move_focus(&place, -1),
                "Home" => focus_item(&place, 0),
                "End" => focus_item(&place, -1),
                _ => return,
            }
            event.prevent_default();
            event.stop_propagation();
        })
    };
    // Leaving the menu, by whatever way, closes it.
    let onfocusout = {
        let (place, close) = (place.clone(), close.clone());
        Callback::from(move |event: FocusEvent| {
            let to = event.related_target().and_then(|it| it.dyn_into::<web_sys::Node>().ok());
            let stays = place.cast::<Element>().is_some_and(|it| to.is_some() && it.contains(to.as_ref()));
            if !stays {
                close.set(false);
            }
        })
    };
    let onclick = {
        let (place, close) = (place.clone(), close.clone());
        Callback::from(move |event: MouseEvent| {
            let target = event.target().and_then(|it| it.dyn_into::<Element>().ok());
            if target.and_then(|it| it.closest("[role^='menuitem']").ok().flatten()).is_some() {
                close.set(false);
                focus_button(&place);
            }
        })
    };
    html! {
        <span class="menu-place" ref={place} {onkeydown} {onfocusout}>
            <button type="button" class={props.class.clone()} aria-haspopup="menu" aria-expanded={is_open.to_string()}
                aria-label={props.label.clone()} title={props.label.clone()} data-testid={props.testid.clone()} onclick={toggle}>
                { props.face.clone() }
            </button>
            if *is_open {
                <div class={classes!("menu", props.menu_class.clone())} role="menu" aria-label={props.label.clone()} {onclick}>
                    { props.items.emit(()) }
                </div>
            }
        </span>
    }
}

fn items(place: &NodeRef) -> Vec<HtmlElement> {
    let Some(list) = place.cast::<Element>().and_then(|it| it.query_selector_all("[role^='menuitem']").ok()) else {
        return Vec::new();
    };
    (0..list.length()).filter_map(|idx| list.item(idx)?.dyn_into().ok()).collect()
}

/// A negative index counts from the end.
fn focus_item(place: &NodeRef, idx: i32) {
    let items = items(place);
    let len = i32::try_from(items.len()).unwrap_or(0);
    if len == 0 {
        return;
    }
    if let Some(item) = usize::try_from(idx.rem_euclid(len)).ok().and_then(|it| items.get(it)) {
        // It is on the page; focus cannot fail in a way that matters.
        item.focus().ok();
    }
}

fn move_focus(place: &NodeRef, by: i32) {
    let active = web_sys::window().and_then(|it| it.document()).and_then(|it| it.active_element());
    let at = items(place).iter().position(|it| active.as_ref().is_some_and(|active| it.is_same_node(Some(active))));
    let at = at.and_then(|it| i32::try_from(it).ok());
    focus_item(place, at.map_or(0, |it| it + by));
}

fn focus_button(place: &NodeRef) {
    let button = place.cast::<Element>().and_then(|it| it.query_selector("button").ok().flatten());
    if let Some(button) = button.and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
        button.focus().ok();
    }
}

/// One line of a menu.
pub fn item(text: impl Into<AttrValue>, onclick: Callback<MouseEvent>) -> Html {
    let text = text.into();
    html! { <button type="button" class="item" role="menuitem" tabindex="-1" {onclick}>{ text }</button> }
}
