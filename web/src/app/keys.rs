//! Keys that work everywhere but in fields.

use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

use crate::act::{Act, Dialog};
use crate::page;

/// What a key means outside of fields. Some of them only move the focus.
pub fn meaning(event: &KeyboardEvent) -> Option<Act> {
    let target = event.target().and_then(|it| it.dyn_into::<Element>().ok());
    let key = event.key();
    if key == "Escape" {
        let in_menu =
            target.is_some_and(|it| it.closest("[role='menu'], .cm-tooltip, .cm-panel").ok().flatten().is_some());
        return (!in_menu).then_some(Act::Close);
    }
    if key == "Enter" && (event.ctrl_key() || event.meta_key()) {
        // The editor hears it itself.
        let in_editor = target.is_some_and(|it| it.closest("[data-testid='editor']").ok().flatten().is_some());
        return (!in_editor).then_some(Act::Apply);
    }
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return None;
    }
    const FIELDS: &str = "input, textarea, select, [contenteditable='true'], [role='dialog'], [role='menu']";
    if target.as_ref().is_some_and(|it| it.closest(FIELDS).ok().flatten().is_some()) {
        return None;
    }
    match key.as_str() {
        " " => {
            // Space presses a button that has the focus.
            let on_button = target.is_some_and(|it| it.closest("button, a, summary").ok().flatten().is_some());
            (!on_button).then_some(Act::TogglePause)
        }
        "." => Some(Act::Step),
        "/" => Some(Act::GoConsole),
        "d" => Some(Act::Compare),
        "e" => Some(Act::GoEditor),
        "w" => Some(Act::ToggleTree),
        "c" => {
            page::focus("[data-roving], [data-testid='tree-row'][tabindex='0']");
            None
        }
        "?" => Some(Act::Dialog(Dialog::Keys)),
        _ => None,
    }
}
