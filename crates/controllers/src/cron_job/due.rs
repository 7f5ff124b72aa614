//! Which time of a schedule is due, and how many were missed (`mostRecentScheduleTime`).

use chrono::{DateTime, FixedOffset, SecondsFormat};
use cron::zone::Zone;

/// More missed times than this are worth a warning.
const MISSED_MAX: i64 = 100;

/// Times after `since` and up to `now` count; seconds since the Unix epoch.
pub(super) struct Bounds {
    pub since: i64,
    pub now: i64,
}

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Due {
    /// The latest time.
    pub at: Option<i64>,
    /// An estimate of how many times there were: upstream takes all to be as far apart as the first two.
    pub n_missed: i64,
}

impl Due {
    pub fn is_many(&self) -> bool {
        self.n_missed > MISSED_MAX
    }
}

/// By the schedule's `next_after` an instant.
///
/// # Errors
/// For a schedule that fires more than once a second.
pub(super) fn most_recent(bounds: &Bounds, next_after: &mut dyn FnMut(i64) -> Option<i64>) -> Result<Due, String> {
    let Bounds { since, now } = *bounds;
    let Some(first) = next_after(since).filter(|it| *it <= now) else { return Ok(Due::default()) };
    let second = next_after(first);
    let Some(second) = second.filter(|it| *it <= now) else { return Ok(Due { at: Some(first), n_missed: 0 }) };
    let apart = second - first;
    if apart < 1 {
        return Err("time difference between two schedules is less than 1 second".to_owned());
    }
    let n_missed = (now - first) / apart + 1;
    // Not all times need to be looked at: the last ones suffice.
    let mut at = None;
    let mut next = next_after(first + (n_missed - 2) * apart);
    while let Some(time) = next.filter(|it| *it <= now) {
        at = Some(time);
        next = next_after(time);
    }
    Ok(Due { at, n_missed })
}

/// A time as RFC 3339 in the zone.
pub(super) fn shown(at: i64, zone: &Zone) -> String {
    let time = DateTime::from_timestamp(at, 0).unwrap_or_default();
    match i32::try_from(zone.offset(at)).ok().and_then(FixedOffset::east_opt) {
        Some(east) => time.with_timezone(&east).to_rfc3339_opts(SecondsFormat::Secs, true),
        None => time.to_rfc3339_opts(SecondsFormat::Secs, true),
    }
}

#[cfg(test)]
mod tests;
