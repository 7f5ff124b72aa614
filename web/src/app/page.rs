//! The page around the app: theme, address, what the document says of itself.

use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, Storage, Window};

const THEME: &str = "theme";

fn window() -> Option<Window> {
    web_sys::window()
}

pub fn root() -> Option<HtmlElement> {
    window()?.document()?.document_element()?.dyn_into().ok()
}

/// None where the browser forbids it; then nothing is remembered.
fn storage() -> Option<Storage> {
    window()?.local_storage().ok().flatten()
}

pub fn remembered(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

pub fn remember(key: &str, value: &str) {
    if let Some(storage) = storage() {
        // A full storage loses a preference, no more.
        storage.set_item(key, value).ok();
    }
}

fn set_theme(theme: &str) {
    if let Some(root) = root() {
        root.dataset().set("theme", theme).ok();
    }
}

fn is_dark_by_system() -> bool {
    let query = window().and_then(|it| it.match_media("(prefers-color-scheme: dark)").ok().flatten());
    query.is_some_and(|it| it.matches())
}

/// The address's wish, else the remembered one, else the system's.
pub fn theme_at_start() {
    let wished = parameter("theme").filter(|it| it == "light" || it == "dark");
    wear(&wished.or_else(|| remembered(THEME)).unwrap_or_default());
}

/// A theme for as long as the page is open; what is no theme is the system's.
pub fn wear(theme: &str) {
    let system = if is_dark_by_system() { "dark" } else { "light" };
    set_theme(if theme == "light" || theme == "dark" { theme } else { system });
}

pub fn is_dark() -> bool {
    root().and_then(|it| it.dataset().get("theme")).as_deref() == Some("dark")
}

pub fn toggle_theme() {
    let theme = if is_dark() { "light" } else { "dark" };
    remember(THEME, theme);
    set_theme(theme);
}

/// Tells tests and embedders that the page can be used.
pub fn mark_ready(is: bool) {
    if let Some(root) = root() {
        // Fails only for names with a dash before a letter.
        root.dataset().set("ready", if is { "true" } else { "false" }).ok();
    }
}

/// A length that the style sheet reads.
pub fn set_length(name: &str, pixels: i32) {
    if let Some(root) = root() {
        root.style().set_property(name, &format!("{pixels}px")).ok();
    }
}

/// A parameter of the address's query; our values need no decoding.
pub fn parameter(name: &str) -> Option<String> {
    let query = window()?.location().search().ok()?;
    let mut pairs = query.trim_start_matches('?').split('&').map(|it| it.split_once('=').unwrap_or((it, "")));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// What follows the `#`.
pub fn fragment() -> String {
    let hash = window().and_then(|it| it.location().hash().ok()).unwrap_or_default();
    hash.trim_start_matches('#').to_owned()
}

/// The address of this page with another fragment.
pub fn link_to(fragment: &str) -> String {
    let href = window().and_then(|it| it.location().href().ok()).unwrap_or_default();
    let base = href.split('#').next().unwrap_or_default();
    format!("{base}#{fragment}")
}

/// Takes the fragment away, so that a reload continues the work and does not begin again from the link.
pub fn drop_fragment() {
    let Some(window) = window() else { return };
    let href = window.location().href().unwrap_or_default();
    let base = href.split('#').next().unwrap_or_default();
    if let Ok(history) = window.history() {
        history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(base)).ok();
    }
}

pub fn is_hidden() -> bool {
    window().and_then(|it| it.document()).is_some_and(|it| it.hidden())
}

/// What has the focus; nothing where only the page itself has it.
pub fn focused() -> Option<HtmlElement> {
    let element = window()?.document()?.active_element()?;
    element.dyn_into::<HtmlElement>().ok().filter(|it| it.tag_name() != "BODY")
}

/// Whether it is a phone's.
pub fn is_narrow() -> bool {
    window().and_then(|it| it.match_media("(max-width: 699px)").ok().flatten()).is_some_and(|it| it.matches())
}

/// Scrolls what an element is in, and nothing around that, until the element stands at its beginning.
pub fn show(selector: &str) {
    let found = window().and_then(|it| it.document()).and_then(|it| it.query_selector(selector).ok().flatten());
    let Some(element) = found else { return };
    let Some(around) = element.closest(".scroll, .workloads").ok().flatten() else { return };
    let (at, from) = (element.get_bounding_client_rect(), around.get_bounding_client_rect());
    // Whole pixels will do.
    around.set_scroll_top(around.scroll_top() + at.top() as i32 - from.top() as i32 - MARGIN_PX);
    around.set_scroll_left(around.scroll_left() + at.left() as i32 - from.left() as i32 - MARGIN_PX);
}

/// What remains to be seen before an element that is scrolled to.
const MARGIN_PX: i32 = 36;

/// Puts the focus on the first element that the selector finds.
pub fn focus(selector: &str) {
    let found = window().and_then(|it| it.document()).and_then(|it| it.query_selector(selector).ok().flatten());
    if let Some(element) = found.and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
        element.focus().ok();
    }
}

/// Milliseconds by the wall clock.
pub fn wall_ms() -> u64 {
    // Whole milliseconds since 1970 fit.
    js_sys::Date::now() as u64
}
