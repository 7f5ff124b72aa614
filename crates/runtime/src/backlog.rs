//! What an actor has before it, for whoever looks: made when it is asked for.

use sim::Instant;

/// Keys of each sort that are named; the rest is counted.
pub const NAMED_MAX: usize = 10;

/// Keys that wait, as texts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Backlog {
    /// Those that come next, in order.
    pub next: Vec<String>,
    /// How many are to be looked at again later, whether or not something changes, and the first of them.
    pub n_later: u64,
    pub first_later: Option<(String, Instant)>,
    /// Those that failed and are tried again.
    pub failing: Vec<Failing>,
    pub n_failing: u64,
    /// What it worked on last.
    pub last: Option<String>,
}

/// A key whose work failed, at least the last time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failing {
    pub key: String,
    /// Times in a row.
    pub n_failures: u32,
    /// When it is tried again; `None` where that is at once.
    pub again: Option<Instant>,
    /// What the server said the last time.
    pub message: String,
}
