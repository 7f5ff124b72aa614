//! Time zones of the IANA database by name: offsets from UTC since the year 2000.
//!
//! The table is made by `cargo xtask zones`. A line holds, with bars between: names with the same rules; the rule for
//! the time after the last change, in POSIX notation; the offset before the first change, in minutes; the changes,
//! each as minutes since the one before (hexadecimal) and the new offset.

use chrono::{DateTime, Datelike, Days, NaiveDate};

const TABLE: &str = include_str!("../data/zones.txt");
const DAY: i64 = 86_400;

/// The rules of one zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone {
    /// Seconds east of UTC before the first change.
    base: i64,
    /// Instants and the offsets from then on.
    changes: Vec<(i64, i64)>,
    rule: Posix,
}

/// What goes on after the last change.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Posix {
    standard: i64,
    /// Offset in summer, and when it begins and ends in local time.
    summer: Option<(i64, Date, Date)>,
}

/// `M3.5.0/2`: the fifth (last) Sunday of March at 2:00; `J60` and `59` count days.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Date {
    day: Day,
    /// Seconds after midnight; may be negative or beyond the day.
    time: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Day {
    Weekday {
        month: u32,
        week: u32,
        weekday: u32,
    },
    /// From 1, without 29 February.
    Julian(u64),
    /// From 0.
    OfYear(u64),
}

/// The time for which an offset holds: from `start` up to `end`.
struct Span {
    offset: i64,
    start: i64,
    end: i64,
}

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Zone {
        Zone { base: 0, changes: Vec::new(), rule: Posix { standard: 0, summer: None } }
    }

    /// By its name, such as `Europe/Bratislava`; case counts. An empty name is UTC.
    pub fn find(name: &str) -> Option<Zone> {
        if name.is_empty() || name == "UTC" {
            return Some(Zone::utc());
        }
        TABLE.lines().filter(|it| !it.starts_with('#')).find_map(|line| {
            let (names, rest) = line.split_once('|')?;
            if names.split(' ').any(|it| it == name) { parse(rest) } else { None }
        })
    }

    /// Seconds east of UTC at an instant.
    pub fn offset(&self, at: i64) -> i64 {
        self.span(at).offset
    }

    /// The instant of a local time, given as if it were UTC. Of two the one that Go's `time.Date` takes.
    pub fn instant(&self, local: i64) -> i64 {
        let span = self.span(local);
        let at = local - span.offset;
        if span.offset == 0 || (span.start..span.end).contains(&at) { at } else { local - self.offset(at) }
    }

    fn span(&self, at: i64) -> Span {
        let idx = self.changes.partition_point(|(start, _)| *start <= at);
        let before = idx.checked_sub(1).and_then(|it| self.changes.get(it));
        let (start, offset) = before.copied().unwrap_or((i64::MIN, self.base));
        match self.changes.get(idx) {
            Some((end, _)) => Span { offset, start, end: *end },
            None => self.rule.span(at, start),
        }
    }
}

/// Whether names begin with this one and a slash, such as `Europe`.
pub fn is_folder(name: &str) -> bool {
    let below = |it: &str| it.strip_prefix(name).is_some_and(|it| it.starts_with('/'));
    let names = |line: &'static str| line.split('|').next().unwrap_or("").split(' ');
    TABLE.lines().filter(|it| !it.starts_with('#')).flat_map(names).any(below)
}

impl Posix {
    fn span(&self, at: i64, since: i64) -> Span {
        let Some((summer, begins, ends)) = self.summer else {
            return Span { offset: self.standard, start: since, end: i64::MAX };
        };
        let year = DateTime::from_timestamp(at, 0).unwrap_or_default().year();
        let mut changes: Vec<(i64, i64)> = (year - 1..=year + 1)
            .flat_map(|it| [(begins.at(it) - self.standard, summer), (ends.at(it) - summer, self.standard)])
            .collect();
        changes.sort_unstable();
        let idx = changes.partition_point(|(start, _)| *start <= at);
        let (start, offset) =
            idx.checked_sub(1).and_then(|it| changes.get(it)).copied().unwrap_or((since, self.standard));
        let end = changes.get(idx).map_or(i64::MAX, |(end, _)| *end);
        Span { offset, start: start.max(since), end }
    }
}

impl Date {
    /// Local seconds since the epoch in a year.
    fn at(&self, year: i32) -> i64 {
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
        let date = match self.day {
            Day::Weekday { month, week, weekday } => weekday_of(year, month, week, weekday),
            Day::OfYear(n) => first + Days::new(n),
            Day::Julian(n) => first + Days::new(n - 1 + u64::from(first.leap_year() && n > 59)),
        };
        date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp() + self.time
    }
}

fn weekday_of(year: i32, month: u32, week: u32, weekday: u32) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(year, month, 1).unwrap_or_default();
    let ahead = (7 + weekday - first.weekday().num_days_from_sunday()) % 7;
    let mut date = first + Days::new(u64::from(ahead + 7 * (week - 1)));
    while date.month() != month {
        date = date - Days::new(7);
    }
    date
}

fn parse(rest: &str) -> Option<Zone> {
    let mut fields = rest.split('|');
    let (rule, base, list) = (fields.next()?, fields.next()?, fields.next()?);
    let mut changes = Vec::new();
    let mut at = 0;
    for change in list.split(',').filter(|it| !it.is_empty()) {
        let (passed, offset) = change.split_once(':')?;
        at += i64::from_str_radix(passed, 16).ok()? * 60;
        changes.push((at, offset.parse::<i64>().ok()? * 60));
    }
    Some(Zone { base: base.parse::<i64>().ok()? * 60, changes, rule: posix(rule)? })
}

/// `CET-1CEST,M3.5.0,M10.5.0/3`
fn posix(text: &str) -> Option<Posix> {
    let (text, dates) = text.split_once(',').unwrap_or((text, ""));
    let (standard, rest) = offset(name(text))?;
    if dates.is_empty() {
        return Some(Posix { standard, summer: None });
    }
    let rest = name(rest);
    let summer = if rest.is_empty() { standard + 3_600 } else { offset(rest)?.0 };
    let (begins, ends) = dates.split_once(',')?;
    Some(Posix { standard, summer: Some((summer, date(begins)?, date(ends)?)) })
}

/// What follows a name: letters, or anything within angle brackets.
fn name(text: &str) -> &str {
    match text.strip_prefix('<').and_then(|it| it.split_once('>')) {
        Some((_, rest)) => rest,
        None => text.trim_start_matches(|it: char| it.is_ascii_alphabetic()),
    }
}

/// Hours west, with minutes if need be, as seconds east; and the rest.
fn offset(text: &str) -> Option<(i64, &str)> {
    let end = text.find(|it: char| !matches!(it, '0'..='9' | '+' | '-' | ':')).unwrap_or(text.len());
    let (own, rest) = text.split_at(end);
    Some((-clock(own)?, rest))
}

/// `-1:30` in seconds.
fn clock(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut unit = 3_600;
    let mut sum = 0;
    for part in text.split(':') {
        sum += part.parse::<i64>().ok()? * unit;
        unit /= 60;
    }
    Some(sign * sum)
}

fn date(text: &str) -> Option<Date> {
    let (day, time) = text.split_once('/').unwrap_or((text, "2"));
    let time = clock(time).filter(|it| it.abs() <= 7 * DAY)?;
    let day = match (day.strip_prefix('M'), day.strip_prefix('J')) {
        (Some(rest), _) => {
            let mut parts = rest.split('.').map(|it| it.parse::<u32>().ok());
            let (month, week, weekday) = (parts.next()??, parts.next()??, parts.next()??);
            Day::Weekday { month, week: week.clamp(1, 5), weekday: weekday % 7 }
        }
        (None, Some(n)) => Day::Julian(n.parse().ok().filter(|it| (1..=365).contains(it))?),
        (None, None) => Day::OfYear(day.parse().ok().filter(|it| *it <= 365)?),
    };
    Some(Date { day, time })
}
