//! What every actor shares: indexes over the store, work queues, the client, the event recorder and the [`Reconciler`] trait.
//!
//! Knows no particular controller. Time and chance come from [`Cx`]; the only way to change anything is its API client.

mod actor;
mod backlog;
mod controller;
mod cx;
mod index;
pub mod int_or_percent;
mod news;
pub mod placement;
mod queue;
mod ran;
mod recorder;
pub mod resources;
pub mod saved;
pub mod usage;
pub mod volumes;

pub use self::actor::{Actor, Stats};
pub use self::backlog::{Backlog, Failing, NAMED_MAX};
pub use self::controller::{Action, Controller, Reconciler, Watch};
pub use self::cx::{Cx, Propagation, TURN_WRITES_MAX, View};
pub use self::index::{Indexes, Item};
pub use self::news::{News, Wanted};
pub use self::queue::{Cause, Queue};
pub use self::ran::Ran;
pub use self::recorder::{EventSource, Recorder};

#[cfg(test)]
mod tests;
