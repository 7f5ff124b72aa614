//! The worker with the engine: started, asked, heard, and started again when it stops.

use std::rc::Rc;

use js_sys::Uint8Array;
use view::wire::Wire;
use wasm_bindgen::{JsCast, closure::Closure};
use web::{Ask, Tell};
use web_sys::{ErrorEvent, Event, MessageEvent, Worker};
use yew::Callback;

use crate::js;

/// A running worker. Dropping it ends it.
pub struct Engine {
    worker: Worker,
    _heard: Closure<dyn Fn(MessageEvent)>,
    _failed: Closure<dyn Fn(Event)>,
}

impl Engine {
    /// Starts one; what it says, its snapshots and why it fails go to the callbacks.
    pub fn start(heard: Callback<Rc<Tell>>, snapshot: Callback<Uint8Array>, failed: Callback<String>) -> Engine {
        let worker = js::start_engine();
        let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            let data = match event.data().dyn_into::<Uint8Array>() {
                Ok(bytes) => return snapshot.emit(bytes),
                Err(data) => data,
            };
            let bytes = Uint8Array::new(&data).to_vec();
            if let Some(tell) = Tell::from_bytes(&bytes) {
                heard.emit(Rc::new(tell));
            }
        });
        let failed = Closure::<dyn Fn(Event)>::new(move |event: Event| {
            event.prevent_default();
            let message = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message).unwrap_or_default();
            failed.emit(message);
        });
        worker.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        worker.set_onerror(Some(failed.as_ref().unchecked_ref()));
        Engine { worker, _heard: heard, _failed: failed }
    }

    pub fn ask(&self, ask: &Ask) {
        let bytes = Uint8Array::from(ask.to_bytes().as_slice());
        let buffer = bytes.buffer();
        // Buffers can be handed over; a worker that is gone is noticed by its silence.
        self.worker.post_message_with_transfer(&buffer, &js_sys::Array::of1(&buffer)).ok();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}
