//! The next time of a schedule, with the same steps over changes of the clock as upstream (`SpecSchedule.Next`).

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};

use crate::zone::Zone;
use crate::{Fields, Rule, STAR, Schedule};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
/// A schedule that fires at no time within so many years never does.
const YEARS_MAX: i32 = 5;

impl Schedule {
    /// The first time after `after`, both in seconds since the Unix epoch. `zone` counts where the schedule names none.
    pub fn next(&self, after: i64, zone: &Zone) -> Option<i64> {
        match &self.rule {
            Rule::Every(seconds) => after.checked_add(*seconds),
            Rule::Fields(fields) => Search { fields, zone: self.zone.as_ref().unwrap_or(zone) }.next(after),
        }
    }
}

struct Search<'a> {
    fields: &'a Fields,
    zone: &'a Zone,
}

fn has(bits: u64, value: u32) -> bool {
    bits & (1 << value) != 0
}

impl Search<'_> {
    fn local(&self, at: i64) -> NaiveDateTime {
        DateTime::from_timestamp(at + self.zone.offset(at), 0).unwrap_or_default().naive_utc()
    }

    /// The instant of a local date at an hour.
    fn at(&self, date: NaiveDate, hour: u32) -> i64 {
        let local = date.and_hms_opt(hour, 0, 0).unwrap_or_default().and_utc().timestamp();
        self.zone.instant(local)
    }

    fn next(&self, after: i64) -> Option<i64> {
        let mut at = after.checked_add(1)?;
        let last_year = self.local(at).year() + YEARS_MAX;
        // Whether the smaller fields have been set to their beginning.
        let mut reset = false;
        loop {
            if self.local(at).year() > last_year {
                return None;
            }
            let step = self.month(&mut at, &mut reset)
                || self.day(&mut at, &mut reset)
                || self.hour(&mut at, &mut reset)
                || self.minute(&mut at, &mut reset)
                || second(&mut at);
            if !step {
                return Some(at);
            }
        }
    }

    /// Goes to the next month that fires; answers whether a new year began on the way.
    fn month(&self, at: &mut i64, reset: &mut bool) -> bool {
        while !has(self.fields.month, self.local(*at).month()) {
            let first = self.local(*at).date().with_day(1).unwrap_or_default();
            *reset = true;
            let next = first.checked_add_months(chrono::Months::new(1)).unwrap_or_default();
            *at = self.at(next, 0);
            if next.month() == 1 {
                return true;
            }
        }
        false
    }

    fn day(&self, at: &mut i64, reset: &mut bool) -> bool {
        while !self.day_fires(*at) {
            if !*reset {
                *reset = true;
                *at = self.at(self.local(*at).date(), 0);
            }
            *at = self.next_day(*at);
            // Midnight may be missing or come twice where the clock changes.
            let hour = self.local(*at).hour();
            if hour > 12 {
                *at += i64::from(24 - hour) * HOUR;
            } else {
                *at -= i64::from(hour) * HOUR;
            }
            if self.local(*at).day() == 1 {
                return true;
            }
        }
        false
    }

    fn next_day(&self, at: i64) -> i64 {
        let local = self.local(at);
        let next = local.checked_add_days(chrono::Days::new(1)).unwrap_or_default();
        self.zone.instant(next.and_utc().timestamp())
    }

    fn hour(&self, at: &mut i64, reset: &mut bool) -> bool {
        while !has(self.fields.hour, self.local(*at).hour()) {
            if !*reset {
                *reset = true;
                let local = self.local(*at);
                *at = self.at(local.date(), local.hour());
            }
            *at += HOUR;
            if self.local(*at).hour() == 0 {
                return true;
            }
        }
        false
    }

    fn minute(&self, at: &mut i64, reset: &mut bool) -> bool {
        while !has(self.fields.minute, self.local(*at).minute()) {
            if !*reset {
                *reset = true;
                *at -= at.rem_euclid(MINUTE);
            }
            *at += MINUTE;
            if self.local(*at).minute() == 0 {
                return true;
            }
        }
        false
    }

    /// Both day fields must fire, unless both are restricted: then one suffices.
    fn day_fires(&self, at: i64) -> bool {
        let local = self.local(at);
        let Fields { day, weekday, .. } = *self.fields;
        let by_day = has(day, local.day());
        let by_weekday = has(weekday, local.weekday().num_days_from_sunday());
        if (day | weekday) & STAR != 0 { by_day && by_weekday } else { by_day || by_weekday }
    }
}

/// Schedules fire at the full minute; answers whether that is another minute.
fn second(at: &mut i64) -> bool {
    let past = at.rem_euclid(MINUTE);
    if past > 0 {
        *at += MINUTE - past;
    }
    past > 0
}
