//! What `web/js/boot.js` offers: the one place that knows the names of files, and what is shorter in JavaScript.

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::{Element, Worker};

#[wasm_bindgen]
extern "C" {
    /// A new worker with an engine in it.
    #[wasm_bindgen(js_namespace = drydock, js_name = engine)]
    pub fn start_engine() -> Worker;

    /// An editor inside an element, once its code is loaded.
    #[wasm_bindgen(js_namespace = drydock, js_name = editor)]
    pub fn make_editor(host: &Element, options: &JsValue) -> Promise;

    pub type Editor;

    #[wasm_bindgen(method)]
    pub fn text(this: &Editor) -> String;
    #[wasm_bindgen(method, js_name = setText)]
    pub fn set_text(this: &Editor, text: &str);
    #[wasm_bindgen(method, js_name = setProblems)]
    pub fn set_problems(this: &Editor, problems: &JsValue);
    #[wasm_bindgen(method, js_name = setMarks)]
    pub fn set_marks(this: &Editor, lines: &Array);
    #[wasm_bindgen(method, js_name = setReadOnly)]
    pub fn set_read_only(this: &Editor, is: bool);
    #[wasm_bindgen(method, js_name = goTo)]
    pub fn go_to(this: &Editor, line: u32, column: u32);
    #[wasm_bindgen(method)]
    pub fn focus(this: &Editor);

    /// What was saved in this browser: the state's bytes, the number of a snapshot, and the snapshot.
    #[wasm_bindgen(js_namespace = drydock)]
    pub fn load() -> Promise;
    /// Saves all three at once, the snapshot only if another number is there.
    #[wasm_bindgen(js_namespace = drydock)]
    pub fn save(bytes: &Uint8Array, base_id: f64, base: Option<&Uint8Array>) -> Promise;

    /// Bytes as compressed text for a link.
    #[wasm_bindgen(js_namespace = drydock)]
    pub fn pack(bytes: &Uint8Array) -> Promise;
    #[wasm_bindgen(js_namespace = drydock)]
    pub fn unpack(text: &str) -> Promise;

    #[wasm_bindgen(js_namespace = drydock)]
    pub fn copy(text: &str) -> Promise;
    #[wasm_bindgen(js_namespace = drydock)]
    pub fn download(name: &str, text: &str);
    /// The text of a file that the user chooses.
    #[wasm_bindgen(js_namespace = drydock, js_name = pickFile)]
    pub fn pick_file() -> Promise;

    /// Remembers where the chips of these pods are, before they are drawn anew.
    #[wasm_bindgen(js_namespace = drydock, js_name = beforeMove)]
    pub fn before_move(uids: &Array);
    /// Lets them go from there to where they are now.
    #[wasm_bindgen(js_namespace = drydock, js_name = afterMove)]
    pub fn after_move();

    /// Brings what the build split off, since a first visit does not need it; see `web/js/rest.js`.
    ///
    /// Code that is not there calls it, too, with `true`.
    #[wasm_bindgen(js_name = loadRest)]
    pub fn load_rest(is_needed_now: bool);

    /// Answers requests of the page around the frame; the callback takes method, parameters and a reply function.
    #[wasm_bindgen(js_namespace = drydock, js_name = onRequest)]
    pub fn on_request(callback: &JsValue);
}
