//! Virtual time, timers and seeded chance: the only source of either in the engine.
//!
//! Nothing here knows the wall clock; hosts map it to an [`Instant`].

mod rng;
mod throttle;
mod time;
mod timers;

pub use self::rng::Rng;
pub use self::throttle::Throttle;
pub use self::time::{Duration, Instant};
pub use self::timers::Timers;

#[cfg(test)]
mod tests;
