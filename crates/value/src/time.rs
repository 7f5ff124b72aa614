//! Timestamps as the API writes them: RFC 3339 in UTC.

use std::cell::RefCell;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};

use crate::Str;

/// `secs` since the Unix epoch as `2026-11-24T16:24:56Z` (`metav1.Time`); one allocation for those that recur.
pub fn format_secs(secs: i64) -> Str {
    thread_local! {
        static LATEST: RefCell<[Option<(i64, Str)>; LATEST_PLACES]> = const { RefCell::new([const { None }; LATEST_PLACES]) };
    }
    LATEST.with_borrow_mut(|latest| {
        let place = &mut latest[secs as usize % LATEST_PLACES];
        match place {
            Some((have, text)) if *have == secs => text.clone(),
            _ => place.insert((secs, formatted(secs))).1.clone(),
        }
    })
}

/// Seconds that were told last. What happens at once is told at once.
const LATEST_PLACES: usize = 16;

fn formatted(secs: i64) -> Str {
    // The years that clocks show have four digits and need no calendar but the proleptic Gregorian one.
    match u64::try_from(secs) {
        Ok(secs) if secs < YEAR_10_000 => written(secs),
        _ => at(secs, 0).to_rfc3339_opts(SecondsFormat::Secs, true).into(),
    }
}

/// The first second of the year 10,000.
const YEAR_10_000: u64 = 253_402_300_800;

/// Days to a date as Howard Hinnant's `civil_from_days` does it: years begin in March.
fn written(secs: u64) -> Str {
    let (days, rest) = (secs / 86_400, secs % 86_400);
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, year) = if month < 10 { (month + 3, year + era * 400) } else { (month - 9, year + era * 400 + 1) };
    let mut text = *b"0000-00-00T00:00:00Z";
    let parts =
        [(0, 4, year), (5, 2, month), (8, 2, day), (11, 2, rest / 3_600), (14, 2, rest / 60 % 60), (17, 2, rest % 60)];
    for (start, width, number) in parts {
        write_digits(&mut text[start..start + width], number);
    }
    std::str::from_utf8(&text).unwrap_or_default().into()
}

fn write_digits(places: &mut [u8], mut number: u64) {
    for place in places.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Nanoseconds since the Unix epoch as `2026-11-24T16:24:56.123456Z` (`metav1.MicroTime`).
pub fn format_micros(nanos: u64) -> Str {
    format_fraction(nanos, nanos % NANOS / 1_000, &mut [0; 6])
}

/// Nanoseconds since the Unix epoch as `2026-11-24T16:24:56.123456789Z` (`time.RFC3339Nano`, padded).
pub fn format_nanos(nanos: u64) -> Str {
    format_fraction(nanos, nanos % NANOS, &mut [0; 9])
}

const NANOS: u64 = 1_000_000_000;

fn format_fraction(nanos: u64, fraction: u64, digits: &mut [u8]) -> Str {
    write_digits(digits, fraction);
    let secs = format_secs((nanos / NANOS) as i64);
    Str::joined(&[secs.trim_end_matches('Z').as_bytes(), b".", digits, b"Z"])
}

/// `secs` since the Unix epoch as the command `date` prints them: `Tue Nov 24 16:24:56 UTC 2026`.
pub fn format_unix_date(secs: i64) -> String {
    at(secs, 0).format("%a %b %e %H:%M:%S UTC %Y").to_string()
}

/// Nanoseconds since the Unix epoch as `date +FORMAT` prints them; a format that cannot be understood is printed as it is.
pub fn format_strftime(nanos: u64, format: &str) -> String {
    let items: Vec<Item<'_>> = StrftimeItems::new(format).collect();
    if items.contains(&Item::Error) {
        return format.to_owned();
    }
    at((nanos / 1_000_000_000) as i64, (nanos % 1_000_000_000) as u32).format_with_items(items.iter()).to_string()
}

/// Seconds since the Unix epoch of an RFC 3339 text with any offset; fractions are cut off.
pub fn parse_secs(text: &str) -> Option<i64> {
    read(text).or_else(|| parse(text).map(|it| it.timestamp()))
}

/// The same of what [`format_secs`] writes, without a calendar; `None` for any other text.
fn read(text: &str) -> Option<i64> {
    let text: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let number = |start: usize, width: usize| {
        text[start..start + width]
            .iter()
            .try_fold(0_i64, |all, digit| digit.is_ascii_digit().then(|| all * 10 + i64::from(digit - b'0')))
    };
    let is_plain = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    let (month, day) = (number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    // Days that not every month has are left to the calendar.
    let is_usual = (1..=12).contains(&month) && (1..=28).contains(&day) && hour < 24 && minute < 60 && second < 60;
    if !is_usual || is_plain.iter().any(|(at, want)| text[*at] != *want) {
        return None;
    }
    // Hinnant's `days_from_civil`: years begin in March.
    let (month, year) = if month > 2 { (month - 3, number(0, 4)?) } else { (month + 9, number(0, 4)? - 1) };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = days + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// Nanoseconds since the Unix epoch of an RFC 3339 text; nothing before the epoch.
pub fn parse_nanos(text: &str) -> Option<u64> {
    let it = parse(text)?;
    u64::try_from(it.timestamp_nanos_opt()?).ok()
}

/// What is left of whole seconds in a `time.Duration` of Go's, which wraps at 292 years.
pub fn go_seconds(secs: i64) -> i64 {
    const NANOS: i64 = 1_000_000_000;
    secs.wrapping_mul(NANOS).div_euclid(NANOS)
}

/// Go takes no space and no small letters for `T` and `Z`.
fn parse(text: &str) -> Option<DateTime<FixedOffset>> {
    const T_AT: usize = 10;
    if text.as_bytes().get(T_AT) != Some(&b'T') || text.ends_with('z') {
        return None;
    }
    DateTime::parse_from_rfc3339(text).ok()
}

fn at(secs: i64, nanos: u32) -> DateTime<Utc> {
    DateTime::from_timestamp(secs, nanos).unwrap_or_default()
}

/// Seconds as two units at most: `5m3s`, `2d4h` (`duration.HumanDuration` of k8s.io/apimachinery).
pub fn human_duration(seconds: i64) -> String {
    let two = |large: i64, large_unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{large}{large_unit}"),
        _ => format!("{large}{large_unit}{small}{small_unit}"),
    };
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let days = hours / 24;
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}
