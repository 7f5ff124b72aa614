//! Cron schedules as CronJobs have them. Follows `github.com/robfig/cron/v3`: its standard parser and its `Next`.

use meta::quoted;

use crate::zones::{self, NoZone, Zone, civil, days, weekday};

/// Set in a field that was `*` or `?`.
const STAR: u64 = 1 << 63;
/// So many years ahead a time is looked for.
const YEARS_MAX: i64 = 5;
const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// A schedule that could be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    when: When,
    /// Of a `TZ=` in front, which old objects may have.
    zone: Option<Zone>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum When {
    /// One bit for each value.
    Fields { minute: u64, hour: u64, day: u64, month: u64, weekday: u64 },
    /// `@every`, in seconds.
    Every(i64),
}

/// The values that a field may have, and names of some.
struct Bounds {
    min: u64,
    max: u64,
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS: [Bounds; 5] = [
    Bounds { min: 0, max: 59, names: &[] },
    Bounds { min: 0, max: 23, names: &[] },
    Bounds { min: 1, max: 31, names: &[] },
    Bounds { min: 1, max: 12, names: MONTHS },
    Bounds { min: 0, max: 6, names: WEEKDAYS },
];

/// Reads a schedule such as `*/15 9-17 * * mon-fri` or `@hourly`.
///
/// # Errors
/// Upstream's words for what is wrong.
pub fn parse(schedule: &str) -> Result<Schedule, String> {
    if schedule.is_empty() {
        return Err("empty spec string".to_owned());
    }
    let mut rest = schedule;
    let mut zone = None;
    if let Some(named) = schedule.strip_prefix("TZ=").or(schedule.strip_prefix("CRON_TZ=")) {
        // Upstream panics here and recovers.
        let Some((name, after)) = named.split_once(' ') else {
            return Err("invalid schedule format: runtime error: slice bounds out of range [:-1]".to_owned());
        };
        let found = zones::find(name).map_err(|problem| bad_location(name, problem))?;
        zone = Some(found);
        rest = after.trim();
    }
    let when = if rest.starts_with('@') { descriptor(rest)? } else { fields(rest)? };
    Ok(Schedule { when, zone })
}

fn bad_location(name: &str, problem: NoZone) -> String {
    let why = match problem {
        _ if name.contains("..") || name.starts_with(['/', '\\']) => "time: invalid location name".to_owned(),
        NoZone::Directory => "is a directory".to_owned(),
        NoZone::Unknown => format!("unknown time zone {name}"),
    };
    format!("provided bad location {name}: {why}")
}

fn fields(text: &str) -> Result<When, String> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    if parts.len() != FIELDS.len() {
        return Err(format!("expected exactly 5 fields, found {}: [{}]", parts.len(), parts.join(" ")));
    }
    let mut bits = [0; 5];
    for ((part, bounds), bits) in parts.iter().zip(&FIELDS).zip(&mut bits) {
        for range in part.split(',').filter(|it| !it.is_empty()) {
            *bits |= range_bits(range, bounds)?;
        }
    }
    let [minute, hour, day, month, weekday] = bits;
    Ok(When::Fields { minute, hour, day, month, weekday })
}

/// `NUMBER`, `NUMBER-NUMBER`, `*` or `?`, and perhaps `/STEP`.
fn range_bits(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let mut parts = text.split('/');
    let (start, mut end, star, single) = range_end(parts.next().unwrap_or(""), text, bounds)?;
    let mut star = if star { STAR } else { 0 };
    let mut width = 1;
    if let Some(step) = parts.next() {
        if parts.next().is_some() {
            return Err(format!("too many slashes: {text}"));
        }
        width = whole_number(step)?;
        if single {
            end = bounds.max;
        }
        if width > 1 {
            star = 0;
        }
    }
    if start < bounds.min {
        return Err(format!("beginning of range ({start}) below minimum ({}): {text}", bounds.min));
    }
    if end > bounds.max {
        return Err(format!("end of range ({end}) above maximum ({}): {text}", bounds.max));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    let Ok(width @ 1..) = usize::try_from(width) else {
        return Err(format!("step of range should be a positive number: {text}"));
    };
    Ok((start..=end).step_by(width).fold(star, |bits, it| bits | 1 << it))
}

/// First and last value of a range, whether it is a star, and whether it is one value or a star.
fn range_end(range: &str, text: &str, bounds: &Bounds) -> Result<(u64, u64, bool, bool), String> {
    let parts: Vec<&str> = range.split('-').collect();
    let single = parts.len() == 1;
    match parts.as_slice() {
        ["*" | "?", ..] => Ok((bounds.min, bounds.max, true, single)),
        [one] => number_or_name(one, bounds).map(|it| (it, it, false, true)),
        [low, high] => Ok((number_or_name(low, bounds)?, number_or_name(high, bounds)?, false, false)),
        [low, ..] => number_or_name(low, bounds).and_then(|_| Err(format!("too many hyphens: {text}"))),
        [] => Ok((bounds.min, bounds.max, false, true)),
    }
}

fn number_or_name(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let lower = text.to_lowercase();
    match bounds.names.iter().position(|it| *it == lower) {
        Some(idx) => Ok(bounds.min + idx as u64),
        None => whole_number(text),
    }
}

fn whole_number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return Err(format!("failed to parse int from {text}: strconv.Atoi: parsing {}: invalid syntax", quoted(text)));
    }
    match text.parse::<i64>() {
        Ok(it @ ..0) => Err(format!("negative number ({it}) not allowed: {text}")),
        Ok(it) => Ok(it as u64),
        Err(_) => {
            Err(format!("failed to parse int from {text}: strconv.Atoi: parsing {}: value out of range", quoted(text)))
        }
    }
}

fn descriptor(text: &str) -> Result<When, String> {
    let plain = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ => {
            let Some(every) = text.strip_prefix("@every ") else {
                return Err(format!("unrecognized descriptor: {text}"));
            };
            let nanos = duration(every).map_err(|why| format!("failed to parse duration {text}: {why}"))?;
            return Ok(When::Every((nanos / 1_000_000_000).max(1)));
        }
    };
    fields(plain)
}

/// `1h30m` in nanoseconds (`time.ParseDuration`).
fn duration(text: &str) -> Result<i64, String> {
    const UNITS: [(&str, u64); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let invalid = || format!("time: invalid duration {}", quoted(text));
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut sum = 0u64;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = after.strip_prefix('.').map_or(("", after), digits);
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end = after.find(|it: char| it == '.' || it.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", quoted(text)));
        }
        let Some((_, nanos)) = UNITS.iter().find(|(it, _)| *it == unit) else {
            return Err(format!("time: unknown unit {} in duration {}", quoted(unit), quoted(text)));
        };
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
        let part = fraction_of(fraction, *nanos);
        let value = whole.checked_mul(*nanos).and_then(|it| it.checked_add(part));
        sum = value.and_then(|it| sum.checked_add(it)).filter(|it| *it <= 1 << 63).ok_or_else(invalid)?;
        rest = after;
    }
    if text.starts_with('-') {
        return Ok(0i64.wrapping_sub_unsigned(sum));
    }
    i64::try_from(sum).map_err(|_| invalid())
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len()))
}

/// The part of a unit that digits behind a point stand for.
fn fraction_of(digits: &str, nanos: u64) -> u64 {
    const DIGITS_MAX: usize = 18;
    let (mut number, mut scale) = (0u128, 1u128);
    for digit in digits.bytes().take(DIGITS_MAX) {
        number = number * 10 + u128::from(digit - b'0');
        scale *= 10;
    }
    (number * u128::from(nanos) / scale) as u64
}

/// A clock on a wall: an instant and what the clock shows then.
struct Clock<'a> {
    zone: &'a Zone,
    utc: i64,
}

impl Clock<'_> {
    /// Seconds since 1970 began by this clock.
    fn local(&self) -> i64 {
        self.utc + self.zone.offset(self.utc)
    }

    fn date(&self) -> (i64, i64, i64) {
        civil(self.local().div_euclid(DAY))
    }

    fn year(&self) -> i64 {
        self.date().0
    }

    fn time(&self) -> i64 {
        self.local().rem_euclid(DAY)
    }

    fn hour(&self) -> i64 {
        self.time() / HOUR
    }

    fn minute(&self) -> i64 {
        self.time() % HOUR / MINUTE
    }

    fn second(&self) -> i64 {
        self.time() % MINUTE
    }

    /// Sets the clock to a day and second (`time.Date`): where a time is twice or never, as Go decides.
    fn set(&mut self, (year, month, day): (i64, i64, i64), second: i64) {
        let local = days(year, month, day) * DAY + second;
        let guess = local - self.zone.offset(local);
        self.utc = local - self.zone.offset(guess);
    }
}

fn has(bits: u64, value: i64) -> bool {
    bits & (1 << value) != 0
}

impl Schedule {
    /// The first time after `after`, both in seconds since the Unix epoch, by the clocks of `zone`.
    pub fn next(&self, after: i64, zone: &Zone) -> Option<i64> {
        match &self.when {
            When::Every(seconds) => after.checked_add(*seconds),
            When::Fields { .. } => self.search(Clock { zone: self.zone.as_ref().unwrap_or(zone), utc: after + 1 }),
        }
    }

    /// From the largest part of the time to the smallest; where one wraps around, all are looked at again.
    fn search(&self, mut clock: Clock<'_>) -> Option<i64> {
        let When::Fields { minute, hour, month, .. } = &self.when else { return None };
        let last_year = clock.year() + YEARS_MAX;
        let mut moved = false;
        'wrap: while clock.year() <= last_year {
            while !has(*month, clock.date().1) {
                let (year, month, _) = clock.date();
                let (day, second) = if moved { (clock.date().2, clock.time()) } else { (1, 0) };
                moved = true;
                clock.set((year, month + 1, day), second);
                if clock.date().1 == 1 {
                    continue 'wrap;
                }
            }
            while !self.fits_day(&clock) {
                if !moved {
                    moved = true;
                    clock.set(clock.date(), 0);
                }
                next_day(&mut clock);
                if clock.date().2 == 1 {
                    continue 'wrap;
                }
            }
            while !has(*hour, clock.hour()) {
                if !moved {
                    moved = true;
                    let second = clock.hour() * HOUR;
                    clock.set(clock.date(), second);
                }
                clock.utc += HOUR;
                if clock.hour() == 0 {
                    continue 'wrap;
                }
            }
            while !has(*minute, clock.minute()) {
                if !moved {
                    moved = true;
                    clock.utc -= clock.utc.rem_euclid(MINUTE);
                }
                clock.utc += MINUTE;
                if clock.minute() == 0 {
                    continue 'wrap;
                }
            }
            while clock.second() != 0 {
                moved = true;
                clock.utc += 1;
                if clock.second() == 0 {
                    continue 'wrap;
                }
            }
            return Some(clock.utc);
        }
        None
    }

    /// A day fits by date or by weekday, unless one of them is a star.
    fn fits_day(&self, clock: &Clock<'_>) -> bool {
        let When::Fields { day, weekday: weekdays, .. } = &self.when else { return false };
        let by_date = has(*day, clock.date().2);
        let by_weekday = has(*weekdays, weekday(clock.local().div_euclid(DAY)));
        if (day | weekdays) & STAR != 0 { by_date && by_weekday } else { by_date || by_weekday }
    }
}

/// The next midnight, or what comes nearest to it on days without one.
fn next_day(clock: &mut Clock<'_>) {
    let ((year, month, day), second) = (clock.date(), clock.time());
    clock.set((year, month, day + 1), second);
    match clock.hour() {
        0 => (),
        hour @ 13.. => clock.utc += (24 - hour) * HOUR,
        hour => clock.utc -= hour * HOUR,
    }
}

#[cfg(test)]
mod tests;
