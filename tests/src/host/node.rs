//! The host is Node.

use js_sys::Array;
use wasm_bindgen::prelude::wasm_bindgen;

const PAGE_BYTES: u64 = 65_536;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = log)]
    fn log(line: &str);

    #[wasm_bindgen(thread_local_v2, js_namespace = process, js_name = argv)]
    static ARGV: Array;

    #[wasm_bindgen(js_namespace = ["process", "hrtime"], js_name = bigint)]
    fn hrtime() -> u64;

    #[wasm_bindgen(js_name = loadRest)]
    fn load_rest(is_needed_now: bool);
}

pub fn be_splittable() {
    load_rest(false);
}

pub fn print(line: &str) {
    log(line);
}

/// Node and the script come before the arguments.
pub fn args() -> Vec<String> {
    ARGV.with(|it| it.iter().skip(2).filter_map(|it| it.as_string()).collect())
}

pub fn nanos() -> u64 {
    hrtime()
}

pub fn memory_bytes() -> u64 {
    core::arch::wasm32::memory_size(0) as u64 * PAGE_BYTES
}
