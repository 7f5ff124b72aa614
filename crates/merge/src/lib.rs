//! How changes come together: JSON patch, merge patch, strategic merge patch, managed fields and server-side apply.
//!
//! Everything is a function of trees; this crate knows neither kinds nor the store.

pub mod managed;
mod merge_patch;
mod strategic;

pub use self::managed::Memo;
pub use self::merge_patch::merge_patch;
pub use self::strategic::strategic;
