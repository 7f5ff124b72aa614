//! How changes come together: JSON patch, merge patch, strategic merge patch, managed fields and server-side apply.
//!
//! Everything is a function of trees; this crate knows neither kinds nor the store.

mod apply;
mod compare;
mod fields;
mod go_text;
mod json_patch;
pub mod managed;
mod memo;
mod merge_patch;
mod objects;
mod resets;
pub mod scale;
mod shape;
mod steps;
mod strategic;

pub use self::apply::{Applied, Applier, apply};
pub use self::go_text::go_text;
pub use self::json_patch::{json_patch, json_patch_problems};
pub use self::memo::Memo;
pub use self::merge_patch::merge_patch;
pub use self::strategic::strategic;

#[cfg(test)]
mod tests;
