//! Schedules in cron's notation and the time zones they are in.
//!
//! Follows the parser and the rules of github.com/robfig/cron, which CronJobs use. Knows nothing of CronJobs.

mod duration;
mod next;
mod parse;
pub mod zone;

pub use duration::parse as parse_duration;
use zone::Zone;

/// When something happens again and again. Made by [`Schedule::parse`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    rule: Rule,
    /// Of a `TZ=` or `CRON_TZ=` prefix.
    zone: Option<Zone>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Rule {
    Fields(Fields),
    /// Seconds between two times; at least one.
    Every(i64),
}

/// The values of each field at which it fires: bit `n` is value `n`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Fields {
    minute: u64,
    hour: u64,
    day: u64,
    month: u64,
    weekday: u64,
}

/// Set where a field says nothing (`*`): then the other of the two day fields decides alone.
const STAR: u64 = 1 << 63;

#[cfg(test)]
mod tests;
