//! Times and amounts in words, for people.

const SECONDS_A_DAY: u64 = 86_400;
const NANOS_A_SECOND: u64 = 1_000_000_000;

/// Quarters of the wall clock's pace, and what they are called.
pub const SPEEDS: &[(u32, &str)] = &[
    (1, "×0.25"),
    (2, "×0.5"),
    (4, "×1"),
    (8, "×2"),
    (20, "×5"),
    (40, "×10"),
    (240, "×60"),
    (4_000, "×1000"),
    (0, "max"),
];

/// What a speed is called.
pub fn speed_name(quarters: u32) -> String {
    match SPEEDS.iter().find(|(it, _)| *it == quarters) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("×{}", quarters / 4),
    }
}

/// `09:04:10`, in UTC.
pub fn time_of_day(nanos: u64) -> String {
    let secs = nanos / NANOS_A_SECOND % SECONDS_A_DAY;
    format!("{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
}

/// `09:04:10.250`
pub fn time_with_millis(nanos: u64) -> String {
    format!("{}.{:03}", time_of_day(nanos), nanos / 1_000_000 % 1000)
}

/// `Thu 1 Jan 2026`, in UTC.
pub fn date(nanos: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let days = nanos / NANOS_A_SECOND / SECONDS_A_DAY;
    let (year, month, day) = civil(days);
    format!("{} {day} {} {year}", DAYS[(days % 7) as usize], MONTHS[(month - 1) as usize])
}

/// `2026-01-01T09:04:10Z`
pub fn rfc3339(nanos: u64) -> String {
    let (year, month, day) = civil(nanos / NANOS_A_SECOND / SECONDS_A_DAY);
    format!("{year:04}-{month:02}-{day:02}T{}Z", time_of_day(nanos))
}

/// Year, month and day of a day since the epoch, in years of 400 that begin in March.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// A span in the two largest units that matter: `4m10s`, `3h5m`, `2d4h`.
pub fn span(nanos: u64) -> String {
    let secs = nanos / NANOS_A_SECOND;
    let two = |a: u64, unit_a: &str, b: u64, unit_b: &str| match b {
        0 => format!("{a}{unit_a}"),
        _ => format!("{a}{unit_a}{b}{unit_b}"),
    };
    match secs {
        0..60 => format!("{secs}s"),
        60..3600 => two(secs / 60, "m", secs % 60, "s"),
        3600..SECONDS_A_DAY => two(secs / 3600, "h", secs / 60 % 60, "m"),
        _ => two(secs / SECONDS_A_DAY, "d", secs / 3600 % 24, "h"),
    }
}

/// `1,234,567`
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut res = String::new();
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            res.push(',');
        }
        res.push(digit);
    }
    res
}

/// Thousandths of a CPU as people write them: `250m`, `4`.
pub fn cpu(milli: i64) -> String {
    if milli % 1000 == 0 { (milli / 1000).to_string() } else { format!("{milli}m") }
}

/// Bytes in the largest unit with at most one decimal: `200Mi`, `7.8Gi`.
pub fn bytes(amount: i64) -> String {
    const UNITS: [&str; 5] = ["", "Ki", "Mi", "Gi", "Ti"];
    let (mut tenths, mut unit) = (i128::from(amount) * 10, 0);
    while tenths.abs() >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    match tenths % 10 {
        0 => format!("{}{}", tenths / 10, UNITS[unit]),
        rest => format!("{}.{}{}", tenths / 10, rest.abs(), UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, cpu, date, grouped, rfc3339, span, time_with_millis};

    #[test]
    fn times_are_written() {
        let at = 1_767_258_250_250_000_000;
        assert_eq!(time_with_millis(at), "09:04:10.250");
        assert_eq!(date(at), "Thu 1 Jan 2026");
        assert_eq!(rfc3339(at), "2026-01-01T09:04:10Z");
        assert_eq!(rfc3339(951_782_400_000_000_000), "2000-02-29T00:00:00Z");
        assert_eq!([5, 250, 11_100, 187_200].map(|it| span(it * 1_000_000_000)), ["5s", "4m10s", "3h5m", "2d4h"]);
    }

    #[test]
    fn amounts_are_written() {
        assert_eq!([250, 4000].map(cpu), ["250m", "4"]);
        assert_eq!([0, 209_715_200, 8_400_000_000].map(bytes), ["0", "200Mi", "7.8Gi"]);
        assert_eq!([7, 4182, 1_234_567].map(grouped), ["7", "4,182", "1,234,567"]);
    }
}
