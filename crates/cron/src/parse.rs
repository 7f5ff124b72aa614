//! From text to a schedule, with the errors that users see.

use crate::zone::Zone;
use crate::{Fields, Rule, STAR, Schedule, duration};

/// The values that a field may have, and names for them.
struct Bounds {
    min: u64,
    max: u64,
    /// The first has the value `min`.
    names: &'static [&'static str],
}

const MINUTES: Bounds = Bounds { min: 0, max: 59, names: &[] };
const HOURS: Bounds = Bounds { min: 0, max: 23, names: &[] };
const DAYS: Bounds = Bounds { min: 1, max: 31, names: &[] };
const MONTHS: Bounds = Bounds {
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAYS: Bounds = Bounds { min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl Schedule {
    /// Reads five fields, a descriptor such as `@daily` or `@every 90m`, each with a `TZ=NAME` before it if need be.
    ///
    /// # Errors
    /// What is wrong, in the words of upstream's parser.
    pub fn parse(text: &str) -> Result<Schedule, String> {
        if text.is_empty() {
            return Err("empty spec string".to_owned());
        }
        let Some(prefixed) = text.strip_prefix("TZ=").or_else(|| text.strip_prefix("CRON_TZ=")) else {
            return Ok(Schedule { rule: rule(text)?, zone: None });
        };
        // Upstream's parser breaks here; its caller tells how.
        let Some((name, rest)) = prefixed.split_once(' ') else {
            return Err("invalid schedule format: runtime error: slice bounds out of range [:-1]".to_owned());
        };
        let zone = Zone::find(name).ok_or_else(|| format!("provided bad location {name}: unknown time zone {name}"))?;
        Ok(Schedule { rule: rule(rest.trim())?, zone: Some(zone) })
    }
}

fn rule(text: &str) -> Result<Rule, String> {
    if text.starts_with('@') {
        return descriptor(text);
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else {
        return Err(format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" ")));
    };
    Ok(Rule::Fields(Fields {
        minute: field(minute, &MINUTES)?,
        hour: field(hour, &HOURS)?,
        day: field(day, &DAYS)?,
        month: field(month, &MONTHS)?,
        weekday: field(weekday, &WEEKDAYS)?,
    }))
}

fn descriptor(text: &str) -> Result<Rule, String> {
    let first = |bounds: &Bounds| 1 << bounds.min;
    let all = |bounds: &Bounds| bits(bounds.min, bounds.max, 1) | STAR;
    let hourly = Fields { minute: 1, hour: all(&HOURS), day: all(&DAYS), month: all(&MONTHS), weekday: all(&WEEKDAYS) };
    let daily = Fields { hour: 1, ..hourly };
    let monthly = Fields { day: first(&DAYS), ..daily };
    let fields = match text {
        "@yearly" | "@annually" => Fields { month: first(&MONTHS), ..monthly },
        "@monthly" => monthly,
        "@weekly" => Fields { weekday: 1, ..daily },
        "@daily" | "@midnight" => daily,
        "@hourly" => hourly,
        _ => {
            let Some(every) = text.strip_prefix("@every ") else {
                return Err(format!("unrecognized descriptor: {text}"));
            };
            let nanos = duration::parse(every).map_err(|it| format!("failed to parse duration {text}: {it}"))?;
            return Ok(Rule::Every((nanos / 1_000_000_000).max(1)));
        }
    };
    Ok(Rule::Fields(fields))
}

/// Ranges with commas between.
fn field(text: &str, bounds: &Bounds) -> Result<u64, String> {
    text.split(',').filter(|it| !it.is_empty()).try_fold(0, |bits, it| Ok(bits | range(it, bounds)?))
}

/// `*`, `5`, `1-5`, each with `/step` if need be.
fn range(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let (span, steps) = parts(text, '/');
    let (low, highs) = parts(span, '-');
    let mut star = 0;
    let (start, mut end) = if low == "*" || low == "?" {
        star = STAR;
        (bounds.min, bounds.max)
    } else {
        let start = number_or_name(low, bounds)?;
        match highs[..] {
            [] => (start, start),
            [high] => (start, number_or_name(high, bounds)?),
            _ => return Err(format!("too many hyphens: {text}")),
        }
    };
    let step = match steps[..] {
        [] => 1,
        [step] => {
            let step = number(step)?;
            // `5/15` goes on to the end.
            if highs.is_empty() {
                end = bounds.max;
            }
            if step > 1 {
                star = 0;
            }
            step
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    let Bounds { min, max, .. } = *bounds;
    if start < min {
        return Err(format!("beginning of range ({start}) below minimum ({min}): {text}"));
    }
    if end > max {
        return Err(format!("end of range ({end}) above maximum ({max}): {text}"));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    Ok(bits(start, end, step) | star)
}

/// What stands before the first separator, and the parts behind it.
fn parts(text: &str, separator: char) -> (&str, Vec<&str>) {
    let mut parts = text.split(separator);
    (parts.next().unwrap_or(""), parts.collect())
}

fn bits(start: u64, end: u64, step: u64) -> u64 {
    (start..=end).step_by(usize::try_from(step).unwrap_or(usize::MAX)).fold(0, |bits, it| bits | 1 << it)
}

fn number_or_name(text: &str, bounds: &Bounds) -> Result<u64, String> {
    match bounds.names.iter().position(|it| it.eq_ignore_ascii_case(text)) {
        Some(idx) => Ok(bounds.min + idx as u64),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
    let why = match text.parse::<i64>() {
        Ok(number) if number < 0 => return Err(format!("negative number ({number}) not allowed: {text}")),
        Ok(number) => return Ok(number.unsigned_abs()),
        Err(_) if is_number => "value out of range",
        Err(_) => "invalid syntax",
    };
    Err(format!("failed to parse int from {text}: strconv.Atoi: parsing {}: {why}", meta::quoted(text)))
}
