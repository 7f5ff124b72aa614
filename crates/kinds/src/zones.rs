//! Time zones: their names, and how far their clocks are from UTC at an instant since 2008.

const TABLE: &str = include_str!("../data/zones.txt");
/// 2008-01-01T00:00:00Z, in minutes since the Unix epoch.
const TABLE_START: i64 = 19_990_080;
const DAY: i64 = 86_400;

/// The clock of a time zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone {
    /// Seconds east of UTC before the first change.
    first: i64,
    /// Instants in seconds since the Unix epoch and the offset from there on; then `rule` holds.
    changes: Vec<(i64, i64)>,
    rule: Rule,
}

/// What a clock does every year: `-1 ,M3.5.0,M10.5.0/3` has the offset 3600, and 7200 in summer.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Rule {
    offset: i64,
    summer: Option<Summer>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Summer {
    offset: i64,
    start: Turn,
    end: Turn,
}

/// A local time of a year: second `second` of the day that is `weekday` in week `week` of `month`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Turn {
    month: i64,
    /// 5 is the last.
    week: i64,
    weekday: i64,
    second: i64,
}

/// Why a name is no zone, in the words of Go's `time.LoadLocation`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoZone {
    /// The start of other names, such as `Europe`.
    Directory,
    Unknown,
}

/// The zone called `name`; the empty name is UTC's.
///
/// # Errors
/// Why there is none.
pub fn find(name: &str) -> Result<Zone, NoZone> {
    if name.is_empty() || name == "UTC" {
        return Ok(Zone::fixed(0));
    }
    let mut problem = NoZone::Unknown;
    for (rule, names) in TABLE.lines().filter(|it| !it.starts_with('#')).filter_map(|it| it.split_once('|')) {
        for group in names.split(' ') {
            let (folder, plain) = group.rsplit_once('/').unwrap_or(("", group));
            let Some(rest) = rest_of(name, folder) else { continue };
            if plain.split(',').any(|it| it == rest) {
                return Ok(Zone::read(rule));
            }
            if rest.is_empty() {
                problem = NoZone::Directory;
            }
        }
    }
    Err(problem)
}

/// What follows `folder/` in a name; the empty text where the name is the folder itself or above it.
fn rest_of<'a>(name: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() {
        return Some(name);
    }
    match name.strip_prefix(folder) {
        Some(rest) => rest.strip_prefix('/').or(if rest.is_empty() { Some("") } else { None }),
        None => folder.strip_prefix(name).is_some_and(|it| it.starts_with('/')).then_some(""),
    }
}

impl Zone {
    /// A clock that is always `offset` seconds east of UTC.
    pub fn fixed(offset: i64) -> Zone {
        Zone { first: offset, changes: Vec::new(), rule: Rule { offset, summer: None } }
    }

    /// A line of the table, before its names.
    fn read(line: &str) -> Zone {
        let (history, rule) = line.split_once(';').unwrap_or(("", line));
        let mut at = TABLE_START;
        let mut first = None;
        let mut changes = Vec::new();
        for part in history.split(' ').filter(|it| !it.is_empty()) {
            match part.split_once(':') {
                None => first = Some(number(part) * 60),
                Some((after, offset)) => {
                    at += number(after);
                    changes.push((at * 60, number(offset) * 60));
                }
            }
        }
        let rule = Rule::read(rule);
        Zone { first: first.unwrap_or(rule.offset), changes, rule }
    }

    /// How many seconds the clock is ahead of UTC at `secs` since the Unix epoch.
    pub fn offset(&self, secs: i64) -> i64 {
        match self.changes.last() {
            Some((last, _)) if secs < *last => {
                let n_before = self.changes.partition_point(|(at, _)| *at <= secs);
                n_before.checked_sub(1).and_then(|it| self.changes.get(it)).map_or(self.first, |(_, offset)| *offset)
            }
            _ => self.rule.offset(secs),
        }
    }
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or(0)
}

/// `-3:30` or `2` hours, in seconds.
fn hours(text: &str) -> i64 {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |it| (-1, it));
    let seconds = text.split(':').zip([3600, 60, 1]).map(|(part, unit)| number(part) * unit).sum::<i64>();
    sign * seconds
}

impl Rule {
    /// POSIX counts offsets to the west.
    fn read(text: &str) -> Rule {
        let mut parts = text.splitn(3, ',');
        let (offsets, start, end) = (parts.next().unwrap_or(""), parts.next(), parts.next());
        let (own, summer) = offsets.split_once(' ').unwrap_or((offsets, ""));
        let offset = -hours(own);
        let summer_offset = if summer.is_empty() { offset + 3600 } else { -hours(summer) };
        let summer = start.zip(end).map(|(start, end)| Summer {
            offset: summer_offset,
            start: Turn::read(start),
            end: Turn::read(end),
        });
        Rule { offset, summer }
    }

    fn offset(&self, secs: i64) -> i64 {
        let Some(Summer { offset, start, end }) = &self.summer else { return self.offset };
        let (year, ..) = civil((secs + self.offset).div_euclid(DAY));
        let (start, end) = (start.in_year(year) - self.offset, end.in_year(year) - offset);
        let in_summer = if start < end { (start..end).contains(&secs) } else { !(end..start).contains(&secs) };
        if in_summer { *offset } else { self.offset }
    }
}

impl Turn {
    /// `M3.5.0/2`: at 2:00 on the last Sunday of March.
    fn read(text: &str) -> Turn {
        let (day, time) = text.split_once('/').unwrap_or((text, "2"));
        let mut parts = day.trim_start_matches('M').split('.').map(number);
        let mut next = || parts.next().unwrap_or(0);
        Turn { month: next(), week: next(), weekday: next(), second: hours(time) }
    }

    fn in_year(self, year: i64) -> i64 {
        let first = days(year, self.month, 1);
        let mut day = first + (self.weekday - weekday(first)).rem_euclid(7) + 7 * (self.week - 1);
        while civil(day).1 != self.month {
            day -= 7;
        }
        day * DAY + self.second
    }
}

/// Days since the Unix epoch of a date of the Gregorian calendar; months may run over.
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    // Years begin in March here, so that the odd day is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of days since the Unix epoch.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day_of_month)
}

/// 0 is Sunday.
pub(crate) fn weekday(days: i64) -> i64 {
    (days + 4).rem_euclid(7)
}
