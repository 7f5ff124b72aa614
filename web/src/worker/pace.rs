//! Where virtual time should be, by the wall clock and the speed, and how it comes there.

use cluster::{Cluster, Instant};

use crate::wall_ms;

/// How long the engine works before it looks for messages.
const SLICE_MS: u64 = 24;
/// Turns between two looks at the clock.
pub const TURNS_AT_ONCE: u32 = 32;
/// Virtual time that is caught up with; what is more goes by slower instead.
const BEHIND_NANOS_MAX: u64 = 1_000_000_000;
/// Nanoseconds of virtual time for a millisecond of wall time, at a quarter of the wall clock's pace.
const NANOS_A_QUARTER: u64 = 250_000;

/// A speed and since when.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Quarters of the wall clock's pace; 0 is as fast as the engine can.
    pub quarters: u32,
    pub is_paused: bool,
    /// Wall milliseconds and virtual nanoseconds of the last change.
    base: (u64, u64),
}

/// How far to go now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Target {
    Stand,
    Until(u64),
    AsFarAsPossible,
}

impl Pace {
    pub fn new(wall_ms: u64, now: u64) -> Pace {
        Pace { quarters: 4, is_paused: false, base: (wall_ms, now) }
    }

    pub fn set(&mut self, quarters: u32, is_paused: bool, wall_ms: u64, now: u64) {
        *self = Pace { quarters, is_paused, base: (wall_ms, now) };
    }

    /// As a Clock object says it: `0`, `1`, `60`, `max`. Where time stands, the speed is kept for when it goes on.
    pub fn follow(&mut self, speed: &str, wall_ms: u64, now: u64) {
        let quarters = match speed {
            "max" => Some(0),
            it => it.parse::<u32>().ok().and_then(|it| it.checked_mul(4)),
        };
        if let Some(quarters) = quarters {
            let is_paused = speed == "0";
            self.set(if is_paused { self.quarters } else { quarters }, is_paused, wall_ms, now);
        }
    }

    /// Lets virtual time pass towards where it should be, for a moment; `seen` looks at the cluster now and then.
    /// Answers whether there is more to do at once.
    pub fn pass(&mut self, cluster: &mut Cluster, seen: &mut dyn FnMut(&Cluster)) -> bool {
        let begin = wall_ms();
        let now = cluster.now().nanos();
        let until = match self.target(begin) {
            Target::Stand => return false,
            // Somebody has let time jump: it goes on from there.
            Target::Until(it) if it < now => {
                self.rebase(begin, now);
                now
            }
            Target::Until(it) => it,
            Target::AsFarAsPossible => u64::MAX,
        };
        loop {
            let due = cluster.next_wakeup().filter(|it| it.nanos() <= until);
            let Some(due) = due else {
                if until != u64::MAX {
                    cluster.advance(Instant::from_nanos(until), 0);
                }
                return false;
            };
            cluster.advance(due, TURNS_AT_ONCE);
            seen(cluster);
            let (wall, now) = (wall_ms(), cluster.now().nanos());
            if wall.saturating_sub(begin) >= SLICE_MS {
                // What could not be done in time is not caught up with: time goes slower instead.
                if until != u64::MAX && until.saturating_sub(now) > BEHIND_NANOS_MAX {
                    self.rebase(wall, now);
                }
                return true;
            }
        }
    }

    /// From here on, whatever should have been.
    pub fn rebase(&mut self, wall_ms: u64, now: u64) {
        self.base = (wall_ms, now);
    }

    fn target(&self, wall_ms: u64) -> Target {
        match (self.is_paused, self.quarters) {
            (true, _) => Target::Stand,
            (false, 0) => Target::AsFarAsPossible,
            (false, quarters) => {
                let passed = wall_ms.saturating_sub(self.base.0);
                Target::Until(self.base.1.saturating_add(passed.saturating_mul(NANOS_A_QUARTER * u64::from(quarters))))
            }
        }
    }

    /// Wall milliseconds until virtual time reaches `at`.
    pub fn wait_ms(&self, wall_ms: u64, at: u64) -> Option<u64> {
        if self.is_paused || self.quarters == 0 {
            return None;
        }
        let passed = at.saturating_sub(self.base.1).div_ceil(NANOS_A_QUARTER * u64::from(self.quarters));
        Some((self.base.0 + passed).saturating_sub(wall_ms))
    }
}
