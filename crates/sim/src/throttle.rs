//! A token bucket in virtual time.

use crate::{Duration, Instant};

/// Lets `burst` actions pass at once and then one every `every`, as client-go's rate limiters do.
#[derive(Clone, Debug)]
pub struct Throttle {
    every: Duration,
    burst: u32,
    /// When the next token is free; in the past while tokens are saved up.
    next: Instant,
}

impl Throttle {
    pub fn new(every: Duration, burst: u32) -> Throttle {
        Throttle { every, burst, next: Instant::default() }
    }

    /// Takes a token if one is free at `now`.
    pub fn try_take(&mut self, now: Instant) -> bool {
        let earliest = now - self.every.saturating_mul(self.burst.saturating_sub(1));
        if self.next > now {
            return false;
        }
        self.next = self.next.max(earliest) + self.every;
        true
    }

    /// When the next token is free.
    pub fn free_at(&self) -> Instant {
        self.next
    }
}
