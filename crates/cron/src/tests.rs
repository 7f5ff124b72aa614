use chrono::{DateTime, SecondsFormat};
use expect_test::{Expect, expect};

use crate::Schedule;
use crate::zone::Zone;

/// The next times after `from`, in the zone's local time.
#[track_caller]
fn check(schedule: &str, zone: &str, from: &str, n: usize, shown: Expect) {
    let zone = Zone::find(zone).expect("the zone is known");
    let schedule = Schedule::parse(schedule).expect("the schedule is valid");
    let mut at = DateTime::parse_from_rfc3339(from).expect("the time is valid").timestamp();
    let mut lines = Vec::new();
    for _ in 0..n {
        let Some(next) = schedule.next(at, &zone) else {
            lines.push("never".to_owned());
            break;
        };
        at = next;
        let utc = DateTime::from_timestamp(at, 0).expect("the time is in range");
        let east = chrono::FixedOffset::east_opt(zone.offset(at) as i32).expect("the offset is in range");
        lines.push(utc.with_timezone(&east).to_rfc3339_opts(SecondsFormat::Secs, true));
    }
    shown.assert_eq(&lines.join(" "));
}

#[track_caller]
fn refused(schedule: &str, why: Expect) {
    why.assert_eq(&Schedule::parse(schedule).expect_err("the schedule is refused"));
}

#[test]
fn steps_ranges_and_names() {
    check(
        "*/20 * * * *",
        "UTC",
        "2026-01-01T00:00:30Z",
        3,
        expect!["2026-01-01T00:20:00Z 2026-01-01T00:40:00Z 2026-01-01T01:00:00Z"],
    );
    check(
        "0 0 13 * 5",
        "UTC",
        "2026-11-01T00:00:00Z",
        3,
        expect!["2026-11-06T00:00:00Z 2026-11-13T00:00:00Z 2026-11-20T00:00:00Z"],
    );
    check("30 8 * feb mon-wed", "UTC", "2026-01-31T00:00:00Z", 2, expect!["2026-02-02T08:30:00Z 2026-02-03T08:30:00Z"]);
    check("0 0 30 2 *", "UTC", "2026-01-01T00:00:00Z", 1, expect!["never"]);
    check("@every 90m", "UTC", "2026-01-01T00:00:30Z", 2, expect!["2026-01-01T01:30:30Z 2026-01-01T03:00:30Z"]);
}

#[test]
fn an_hour_that_does_not_exist_is_left_out() {
    check(
        "30 2 * * *",
        "Europe/Bratislava",
        "2026-03-28T00:00:00Z",
        2,
        expect!["2026-03-28T02:30:00+01:00 2026-03-30T02:30:00+02:00"],
    );
}

#[test]
fn an_hour_that_comes_twice_fires_twice() {
    check(
        "30 1 * * *",
        "America/New_York",
        "2026-11-01T00:00:00Z",
        3,
        expect!["2026-11-01T01:30:00-04:00 2026-11-01T01:30:00-05:00 2026-11-02T01:30:00-05:00"],
    );
}

#[test]
fn zones_keep_their_own_rules() {
    check(
        "0 12 1 */6 *",
        "Australia/Lord_Howe",
        "2026-01-01T12:00:00Z",
        2,
        expect!["2026-07-01T12:00:00+10:30 2027-01-01T12:00:00+11:00"],
    );
    check(
        "0 12 1 1,7 *",
        "Africa/Casablanca",
        "2026-01-02T00:00:00Z",
        2,
        expect!["2026-07-01T12:00:00+01:00 2027-01-01T12:00:00Z"],
    );
    assert!(Zone::find("europe/bratislava").is_none());
    assert!(Zone::find("Europe").is_none());
}

#[test]
fn what_is_wrong_is_said_in_upstreams_words() {
    refused("", expect!["empty spec string"]);
    refused("* * * *", expect!["expected exactly 5 fields, found 4: [* * * *]"]);
    refused("60 * * * *", expect!["end of range (60) above maximum (59): 60"]);
    refused("x * * * *", expect![[r#"failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax"#]]);
    refused("*/0 * * * *", expect!["step of range should be a positive number: */0"]);
    refused("@every 5", expect![[r#"failed to parse duration @every 5: time: missing unit in duration "5""#]]);
    refused("TZ=Mars/Base * * * * *", expect!["provided bad location Mars/Base: unknown time zone Mars/Base"]);
    refused("TZ=0", expect!["invalid schedule format: runtime error: slice bounds out of range [:-1]"]);
}
