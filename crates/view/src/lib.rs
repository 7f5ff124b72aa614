//! What a screen shows: plain rows, counts and verdicts, kept current from the store's cursors, and how they are sent.
//!
//! Knows no document object model and no browser; the logic of the page that can be told without them is here.

pub mod board;
pub mod chain;
pub mod changes;
pub mod clock;
pub mod cursor;
pub mod diff;
pub mod filter;
pub mod model;
mod nodes;
mod pods;
pub mod rollout;
pub mod runs;
mod screen;
pub mod service;
pub mod tree;
pub mod why;
pub mod wire;
pub mod words;

pub use self::pods::short_reason;
pub use self::screen::Screen;
