//! The app: what is seen. It draws what the worker says and tells the worker what the user does.

use wasm_bindgen::JsCast;

mod act;
mod app;
mod chip;
mod cluster;
mod compare;
mod components;
mod console;
mod dialogs;
mod drawer;
mod engine;
mod examples;
mod field;
mod icons;
mod js;
mod kept;
mod keys;
mod manifest;
mod menu;
mod node;
mod page;
mod roving;
mod split;
mod streams;
mod top;
mod tree;
mod twin;

fn main() {
    page::theme_at_start();
    let body = web_sys::window().and_then(|it| it.document()).and_then(|it| it.body());
    match body {
        Some(body) => yew::Renderer::<app::App>::with_root(body.unchecked_into()).render(),
        None => yew::Renderer::<app::App>::new().render(),
    };
}
