//! The nouns every part of the engine shares: objects and their metadata, keys, owner references, selectors, names,
//! field errors and the [`Status`] that every failure is.
//!
//! Knows nothing of particular kinds, of stores or of HTTP.

mod errors;
mod key;
mod key_map;
mod managed;
mod metadata;
pub mod names;
mod object;
mod ordered_map;
mod places;
pub mod selector;
mod status;

pub use self::errors::{Errors, FieldError, Problem, quoted};
pub use self::key::{Key, KindId, Revision};
pub use self::key_map::KeyMap;
pub use self::managed::{ManagedEntry, ManagedFields, Operation};
pub use self::metadata::{FOREGROUND, Identity, Metadata, ORPHAN, OwnerRef};
pub use self::object::Object;
pub use self::ordered_map::OrderedMap;
pub use self::places::{Hashed, Places, hash_of_names};
pub use self::status::{Cause, Details, Status, qualified};

#[cfg(test)]
mod tests;
