//! Timestamps as the API writes them: RFC 3339 in UTC.

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};

/// `secs` since the Unix epoch as `2026-11-24T16:24:56Z` (`metav1.Time`).
pub fn format_secs(secs: i64) -> String {
    at(secs, 0).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Nanoseconds since the Unix epoch as `2026-11-24T16:24:56.123456Z` (`metav1.MicroTime`).
pub fn format_micros(nanos: u64) -> String {
    let secs = (nanos / 1_000_000_000) as i64;
    at(secs, (nanos % 1_000_000_000) as u32).to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Nanoseconds since the Unix epoch as `2026-11-24T16:24:56.123456789Z` (`time.RFC3339Nano`, padded).
pub fn format_nanos(nanos: u64) -> String {
    let secs = (nanos / 1_000_000_000) as i64;
    at(secs, (nanos % 1_000_000_000) as u32).to_rfc3339_opts(SecondsFormat::Nanos, true)
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
    parse(text).map(|it| it.timestamp())
}

/// Nanoseconds since the Unix epoch of an RFC 3339 text; nothing before the epoch.
pub fn parse_nanos(text: &str) -> Option<u64> {
    let it = parse(text)?;
    u64::try_from(it.timestamp_nanos_opt()?).ok()
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
