//! How long ago something was, as kubectl says it (`k8s.io/apimachinery/pkg/util/duration`).

use value::time;

/// The age of a timestamp; `<unknown>` where there is none.
pub(crate) fn since(timestamp: Option<&str>, now: i64) -> String {
    timestamp.and_then(time::parse_secs).map_or_else(|| "<unknown>".into(), |at| time::human_duration(now - at))
}

/// A Go duration of whole seconds: `1h0m0s`, `5m30s`, `0s`.
pub(crate) fn go_duration(seconds: i64) -> String {
    let (sign, it) = if seconds < 0 { ("-", -seconds) } else { ("", seconds) };
    match (it / 3600, it % 3600 / 60, it % 60) {
        (0, 0, s) => format!("{sign}{s}s"),
        (0, m, s) => format!("{sign}{m}m{s}s"),
        (h, m, s) => format!("{sign}{h}h{m}m{s}s"),
    }
}

/// A timestamp as `Mon, 02 Jan 2006 15:04:05 +0000`; `<unset>`-like text for none is the caller's.
pub(crate) fn rfc1123(timestamp: &str) -> String {
    time::parse_secs(timestamp).map_or_else(
        || timestamp.to_owned(),
        |secs| {
            // `Tue Nov 24 16:24:56 UTC 2026`
            let text = time::format_unix_date(secs);
            let parts: Vec<&str> = text.split_whitespace().collect();
            match parts.as_slice() {
                [weekday, month, day, clock, _, year] => format!("{weekday}, {day:0>2} {month} {year} {clock} +0000"),
                _ => text,
            }
        },
    )
}
