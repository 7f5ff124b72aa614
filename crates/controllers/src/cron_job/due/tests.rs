use cron::Schedule;
use cron::zone::Zone;
use expect_test::{Expect, expect};
use value::time::{format_secs, parse_secs};

use super::{Bounds, most_recent, shown};

#[track_caller]
fn check(schedule: &str, since: &str, now: &str, expected: Expect) {
    let at = |text: &str| parse_secs(&format!("2026-01-05T{text}Z")).expect("the time is valid");
    let schedule = Schedule::parse(schedule).expect("the schedule is valid");
    let due = most_recent(&Bounds { since: at(since), now: at(now) }, &mut |it| schedule.next(it, &Zone::utc()));
    expected.assert_eq(&match due {
        Ok(due) => {
            let many = if due.is_many() { ", too many" } else { "" };
            format!("{}, {} missed{many}", due.at.map_or("none".into(), format_secs), due.n_missed)
        }
        Err(why) => why,
    });
}

#[test]
fn the_latest_time_is_due() {
    check("*/5 * * * *", "10:00:00", "10:04:59", expect!["none, 0 missed"]);
    check("*/5 * * * *", "10:00:00", "10:05:00", expect!["2026-01-05T10:05:00Z, 0 missed"]);
    check("*/5 * * * *", "10:00:00", "10:17:00", expect!["2026-01-05T10:15:00Z, 3 missed"]);
    check("0 0 30 2 *", "10:00:00", "10:17:00", expect!["none, 0 missed"]);
}

#[test]
fn a_controller_that_was_away_from_8_29_to_10_21_missed_too_many_minutes() {
    check("*/1 * * * *", "08:29:00", "10:21:00", expect!["2026-01-05T10:21:00Z, 112 missed, too many"]);
    // With a deadline of 200 seconds only those count.
    check("*/1 * * * *", "10:17:40", "10:21:00", expect!["2026-01-05T10:21:00Z, 4 missed"]);
}

#[test]
fn times_are_shown_in_their_zone() {
    let at = parse_secs("2026-07-01T06:30:00Z").expect("the time is valid");
    let zone = Zone::find("Europe/Bratislava").expect("the zone is known");
    assert_eq!(shown(at, &zone), "2026-07-01T08:30:00+02:00");
    assert_eq!(shown(at, &Zone::utc()), "2026-07-01T06:30:00Z");
}
