//! A JSON-like tree whose subtrees are shared and never change once shared.
//!
//! Everything the engine stores is made of [`Value`]s. A clone is a counter; an edit copies the maps on the
//! path and shares the rest. This crate knows text (JSON, YAML, quantities, timestamps) and nothing of Kubernetes' kinds.

pub mod base64;
mod hex;
pub mod json;
mod list;
mod literal;
mod map;
mod path;
pub mod quantity;
mod shape;
mod shared;
mod str;
pub mod time;
mod tree;
pub mod yaml;

pub use self::hex::hex;
pub use self::list::{List, find_by};
pub use self::literal::Keys;
pub use self::map::{Key, Map};
pub use self::shape::Tags;
pub use self::str::{Str, digest, hash};
pub use self::tree::{Constant, Value};

#[cfg(test)]
mod tests;
