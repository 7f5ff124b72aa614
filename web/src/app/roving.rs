//! Arrow keys among nodes and pods: the nearest one in the direction of the key.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

pub fn on_key(event: &KeyboardEvent) {
    let direction = match event.key().as_str() {
        "ArrowLeft" => (-1, 0),
        "ArrowRight" => (1, 0),
        "ArrowUp" => (0, -1),
        "ArrowDown" => (0, 1),
        _ => return,
    };
    let Some(from) = event.target().and_then(|it| it.dyn_into::<Element>().ok()) else { return };
    if !from.has_attribute("data-roving") {
        return;
    }
    if let Some(to) = nearest(&from, direction) {
        event.prevent_default();
        // It is on the page; focus cannot fail in a way that matters.
        to.focus().ok();
    }
}

/// Arrow keys among the tabs of a list: each is shown as it gets the focus.
pub fn on_tab_key(event: &KeyboardEvent) {
    let Some(from) = event.target().and_then(|it| it.dyn_into::<HtmlElement>().ok()) else { return };
    let Some(list) = from.parent_element().map(|it| it.children()) else { return };
    let n = list.length();
    let at = (0..n).find(|idx| list.item(*idx).is_some_and(|it| it.is_same_node(Some(&from)))).unwrap_or(0);
    let to = match event.key().as_str() {
        "ArrowLeft" => (at + n - 1) % n,
        "ArrowRight" => (at + 1) % n,
        "Home" => 0,
        "End" => n - 1,
        _ => return,
    };
    event.prevent_default();
    if let Some(tab) = list.item(to).and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
        tab.focus().ok();
        tab.click();
    }
}

/// The middle of an element, in whole pixels.
fn middle(it: &Element) -> (i64, i64) {
    let rect = it.get_bounding_client_rect();
    // Pixels fit; the fraction is of no use here.
    ((rect.left() as i64) + (rect.width() as i64) / 2, (rect.top() as i64) + (rect.height() as i64) / 2)
}

fn nearest(from: &Element, (dx, dy): (i64, i64)) -> Option<HtmlElement> {
    let all = from.owner_document()?.query_selector_all("[data-roving]").ok()?;
    let (x, y) = middle(from);
    let candidates = (0..all.length()).filter_map(|idx| all.item(idx)?.dyn_into::<HtmlElement>().ok());
    let distance = |it: &HtmlElement| {
        let (to_x, to_y) = middle(it);
        let (along, across) =
            if dx == 0 { ((to_y - y) * dy, (to_x - x).abs()) } else { ((to_x - x) * dx, (to_y - y).abs()) };
        // Straight ahead is preferred to what is near but aside.
        (along > 4).then_some(along + 3 * across)
    };
    candidates.filter_map(|it| Some((distance(&it)?, it))).min_by_key(|(distance, _)| *distance).map(|(_, it)| it)
}
