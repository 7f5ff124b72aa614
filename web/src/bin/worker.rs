//! The worker: holds the engine and answers the app.

use wasm_bindgen::{JsCast, JsValue};
use web::WORKER_READY;
use web_sys::DedicatedWorkerGlobalScope;

fn main() {
    let Ok(scope) = js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>() else { return };
    // Fails only for values that cannot be copied; text can.
    let _sent = scope.post_message(&JsValue::from_str(WORKER_READY));
}
