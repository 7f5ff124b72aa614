//! The app: what is seen.

use wasm_bindgen::{JsCast, closure::Closure, prelude::wasm_bindgen};
use web::WORKER_READY;
use web_sys::{MessageEvent, Worker};
use yew::prelude::*;

// What `web/js/boot.js` offers: the one place that knows the names of files.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = drydock, js_name = engine)]
    fn start_engine() -> Worker;
}

#[component]
fn App() -> Html {
    let ready = use_state(|| false);
    let set_ready = ready.setter();
    use_effect_with((), move |()| {
        let worker = start_engine();
        let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            if event.data().as_string().as_deref() == Some(WORKER_READY) {
                set_ready.set(true);
                mark_ready();
            }
        });
        worker.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        move || {
            worker.terminate();
            drop(heard);
        }
    });
    html! {
        <main>
            <h1>{ "Drydock" }</h1>
            <p>{ if *ready { "The engine runs." } else { "The engine starts." } }</p>
        </main>
    }
}

/// Tells tests and embedders that the page can be used.
fn mark_ready() {
    let root = web_sys::window().and_then(|it| it.document()).and_then(|it| it.document_element());
    if let Some(root) = root.and_then(|it| it.dyn_into::<web_sys::HtmlElement>().ok()) {
        // Fails only for names with a dash before a letter.
        let _set = root.dataset().set("ready", "true");
    }
}

fn main() {
    yew::Renderer::<App>::new().render();
}
