use std::path::PathBuf;

use expect_test::{Expect, expect};
use value::{Value, json, time};

use super::parse;
use crate::zones;

/// The next times of a schedule, or what is wrong with it.
#[track_caller]
fn check(schedule: &str, zone: &str, from: &str, expected: Expect) {
    expected.assert_eq(&shown(schedule, zone, from, 3));
}

fn shown(schedule: &str, zone: &str, from: &str, n_times: usize) -> String {
    let schedule = match parse(schedule) {
        Ok(it) => it,
        Err(problem) => return problem,
    };
    let zone = zones::find(zone).unwrap();
    let mut at = time::parse_secs(from).unwrap();
    let mut res = Vec::new();
    for _ in 0..n_times {
        let Some(next) = schedule.next(at, &zone) else { break };
        res.push(time::format_secs(next));
        at = next;
    }
    res.join(" ")
}

#[test]
fn times_follow_the_clock_on_the_wall() {
    check(
        "0 0,12 1 */2 *",
        "UTC",
        "2026-01-31T00:00:00Z",
        expect!["2026-03-01T00:00:00Z 2026-03-01T12:00:00Z 2026-05-01T00:00:00Z"],
    );
    // The hour that does not exist is skipped, the one that is there twice counts twice.
    check(
        "30 2 * * *",
        "Europe/Berlin",
        "2026-03-28T00:00:00Z",
        expect!["2026-03-28T01:30:00Z 2026-03-30T00:30:00Z 2026-03-31T00:30:00Z"],
    );
    check(
        "30 2 * * *",
        "Europe/Berlin",
        "2026-10-24T12:00:00Z",
        expect!["2026-10-25T00:30:00Z 2026-10-25T01:30:00Z 2026-10-26T01:30:00Z"],
    );
    check("0 0 31 2 *", "UTC", "2026-01-01T00:00:00Z", expect![""]);
    check(
        "@every 90m",
        "UTC",
        "2026-01-01T00:00:10Z",
        expect!["2026-01-01T01:30:10Z 2026-01-01T03:00:10Z 2026-01-01T04:30:10Z"],
    );
}

#[test]
fn problems_are_named_in_upstreams_words() {
    let problem = |schedule, expected: Expect| check(schedule, "UTC", "2026-01-01T00:00:00Z", expected);
    problem("TZ=0", expect!["invalid schedule format: runtime error: slice bounds out of range [:-1]"]);
    problem("TZ=Nowhere * * * * *", expect!["provided bad location Nowhere: unknown time zone Nowhere"]);
    problem("60 * * * *", expect!["end of range (60) above maximum (59): 60"]);
    problem("*/0 * * * *", expect!["step of range should be a positive number: */0"]);
    problem("* * * * 1-2-3", expect!["too many hyphens: 1-2-3"]);
    problem(
        "* * * */99999999999999999999 *",
        expect![[
            r#"failed to parse int from 99999999999999999999: strconv.Atoi: parsing "99999999999999999999": value out of range"#
        ]],
    );
    problem("@every 1h1", expect![[r#"failed to parse duration @every 1h1: time: missing unit in duration "1h1""#]]);
}

#[test]
fn zones_have_names_and_folders() {
    assert!(zones::find("America/Argentina/Buenos_Aires").is_ok());
    assert_eq!(zones::find("America/Argentina"), Err(zones::NoZone::Directory));
    assert_eq!(zones::find("Etc"), Err(zones::NoZone::Directory));
    assert_eq!(zones::find("europe/warsaw"), Err(zones::NoZone::Unknown));
    // Ramadan interrupts summer time in Morocco; Samoa left out a day.
    let at = |zone: &str, secs: &str| zones::find(zone).unwrap().offset(time::parse_secs(secs).unwrap()) / 60;
    assert_eq!(
        [at("Africa/Casablanca", "2026-03-01T00:00:00Z"), at("Africa/Casablanca", "2026-05-01T00:00:00Z")],
        [0, 60]
    );
    assert_eq!([at("Pacific/Apia", "2011-12-30T09:00:00Z"), at("Pacific/Apia", "2011-12-30T11:00:00Z")], [-600, 840]);
    assert_eq!(
        [at("Australia/Lord_Howe", "2026-07-01T00:00:00Z"), at("America/St_Johns", "2026-07-01T00:00:00Z")],
        [630, -150]
    );
}

#[test]
fn recorded_times_are_the_same() {
    let Some(corpus) = std::env::var_os("DRYDOCK_CORPUS").map(PathBuf::from) else { return };
    let text = std::fs::read_to_string(corpus.join("upstream-tables/cron-oracle.jsonl")).unwrap();
    for line in text.lines() {
        let it = json::parse(line.as_bytes()).unwrap();
        let text = |key: &str| it.str_at(key).unwrap_or("");
        let want = match it.str_at("error") {
            Some(problem) => problem.to_owned(),
            None => {
                let times = it.list_at("next").iter().filter_map(Value::as_str).filter_map(time::parse_secs);
                times.map(time::format_secs).collect::<Vec<_>>().join(" ")
            }
        };
        let have = shown(
            text("schedule"),
            text("zone"),
            it.str_at("from").unwrap_or("2026-01-01T00:00:00Z"),
            it.list_at("next").len(),
        );
        assert_eq!(have, want, "{line}");
    }
}
