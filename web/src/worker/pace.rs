//! Where virtual time should be, by the wall clock and the speed.

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
pub enum Target {
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

    /// From here on, whatever should have been.
    pub fn rebase(&mut self, wall_ms: u64, now: u64) {
        self.base = (wall_ms, now);
    }

    pub fn target(&self, wall_ms: u64) -> Target {
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
