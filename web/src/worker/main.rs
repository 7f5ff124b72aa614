//! The worker: holds the engine and answers the app, or a script that has a cluster of its own.

use std::cell::RefCell;

use gloo::timers::callback::Timeout;
use js_sys::Uint8Array;
use view::wire::Wire;
use wasm_bindgen::{JsCast, closure::Closure, prelude::wasm_bindgen};
use web::{Ask, Tell};
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

mod client;
mod commands;
mod compare;
mod complete;
mod components;
mod console;
mod details;
mod host;
mod library;
mod manifest;
mod pace;
mod verdicts;

use host::Host;
use library::Library;

thread_local! {
    /// The engine, once it is booted.
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
    /// The same for a script, which needs no pictures.
    static LIBRARY: RefCell<Option<Library>> = const { RefCell::new(None) };
    /// The next time that something is to be done without being asked.
    static TIMER: RefCell<Option<Timeout>> = const { RefCell::new(None) };
}

#[wasm_bindgen]
extern "C" {
    /// Brings what the build split off, since the first manifests do not need it; see `web/js/rest.js`.
    ///
    /// Code that is not there calls it, too, with `true`.
    #[wasm_bindgen(js_name = loadRest)]
    fn load_rest(is_needed_now: bool);
}

fn scope() -> Option<DedicatedWorkerGlobalScope> {
    js_sys::global().dyn_into().ok()
}

/// Sends to the app.
fn tell(tell: &Tell) {
    post(&tell.to_bytes());
}

fn post(bytes: &[u8]) {
    let buffer = Uint8Array::from(bytes).buffer();
    if let Some(scope) = scope() {
        // Buffers can always be handed over.
        scope.post_message_with_transfer(&buffer, &js_sys::Array::of1(&buffer)).ok();
    }
}

/// Sends a snapshot to the app: inputs so far are no longer needed.
fn tell_snapshot(bytes: &[u8]) {
    let bytes = Uint8Array::from(bytes);
    if let Some(scope) = scope() {
        scope.post_message_with_transfer(&bytes, &js_sys::Array::of1(&bytes.buffer())).ok();
    }
}

/// Milliseconds by the wall clock.
fn wall_ms() -> u64 {
    js_sys::Date::now() as u64
}

fn hear(ask: Ask) {
    match ask {
        Ask::Boot { session, base, scenario } => {
            HOST.set(Some(Host::boot(&session, &base, &scenario)));
            load_rest(false);
        }
        Ask::Call { call } => LIBRARY.with_borrow_mut(|it| library::hear(it, call)),
        // Nothing else comes before the boot, but for wishes that the app repeats after it.
        ask => HOST.with_borrow_mut(|it| it.as_mut().map_or((), |host| host.hear(ask))),
    }
    go_on();
}

/// Works for a while and arranges for the next time.
fn go_on() {
    let delay = HOST.with_borrow_mut(|it| it.as_mut().map(Host::work));
    let delay = delay.or_else(|| LIBRARY.with_borrow_mut(|it| it.as_mut().map(Library::work)));
    let Some(delay) = delay else { return };
    TIMER.with_borrow_mut(|timer| *timer = Some(Timeout::new(delay, go_on)));
}

fn main() {
    let Some(scope) = scope() else { return };
    let heard = Closure::<dyn FnMut(MessageEvent)>::new(|event: MessageEvent| {
        if let Some(ask) = Ask::from_bytes(&Uint8Array::new(&event.data()).to_vec()) {
            hear(ask);
        }
    });
    // As long as the worker lives.
    scope.add_event_listener_with_callback("message", heard.as_ref().unchecked_ref()).ok();
    heard.forget();
    tell(&Tell::Hello);
}
