//! A CronJob on a time line: the runs that were, those that should have been, and the next ones.

use std::collections::BTreeMap;

use cron::Schedule;
use cron::zone::Zone;
use kinds::{EVENT, JOB};
use meta::Object;
use store::Store;

use crate::model::Ref;
use crate::wire;

/// Past runs that are told, the newest.
const PAST_MAX: usize = 10;
const NEXT_MAX: usize = 5;
/// Due times looked through for runs that never came.
const DUE_MAX: usize = 200;
/// A run comes a moment after its time.
const GRACE_SECS: i64 = 2;
const SCHEDULED_AT: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

wire! {
    #[derive(Copy, Default)]
    pub enum End {
        #[default]
        0 => Active,
        1 => Succeeded,
        2 => Failed,
        /// It was due and no Job came.
        3 => Missed,
        /// Its Job is gone before anybody saw its end.
        4 => Unknown,
    }

    pub struct Run {
        /// When it was due, in seconds since the Unix epoch.
        pub due: i64,
        /// The same for people, in the CronJob's time zone.
        pub label: String,
        /// The Job; empty where none came.
        pub job: String,
        /// Whether the Job can still be opened.
        pub is_there: bool,
        /// Seconds since the Unix epoch; 0 where it has not begun, or not ended, or is forgotten.
        pub begin: i64,
        pub end: i64,
        pub how: End,
        /// What is to be said beside that.
        pub text: String,
    }

    pub struct Due {
        pub at: i64,
        pub label: String,
    }

    pub struct Runs {
        pub schedule: String,
        /// As in the manifest; `UTC` where none is named.
        pub zone: String,
        /// `Allow`, `Forbid` or `Replace`.
        pub policy: String,
        pub is_suspended: bool,
        /// Why it never runs, if so.
        pub trouble: String,
        pub now: i64,
        pub now_label: String,
        /// Oldest first.
        pub past: Vec<Run>,
        /// Soonest first.
        pub next: Vec<Due>,
    }
}

impl End {
    pub fn class(&self) -> &'static str {
        match self {
            End::Active => "active",
            End::Succeeded => "succeeded",
            End::Failed => "failed",
            End::Missed => "missed",
            End::Unknown => "unknown",
        }
    }

    pub fn word(&self) -> &'static str {
        match self {
            End::Active => "running",
            End::Succeeded => "succeeded",
            End::Failed => "failed",
            End::Missed => "no run",
            End::Unknown => "is gone",
        }
    }
}

impl Runs {
    /// A time within what the time line shows, in thousandths of its width.
    pub fn permille(&self, at: i64) -> i64 {
        let (from, until) = self.span();
        ((at - from).max(0) * 1000 / (until - from).max(1)).min(1000)
    }

    /// What the time line shows: a little more than from the first run to the last.
    fn span(&self) -> (i64, i64) {
        let from = self.past.first().map_or(self.now, |it| it.due.min(self.now));
        let until = self.next.last().map_or(self.now, |it| it.at).max(self.now);
        let margin = ((until - from) / 24).max(1);
        (from - margin, until + margin)
    }
}

/// A schedule with its zone.
fn schedule(object: &Object) -> Result<(Schedule, Zone), String> {
    let name = object.str_at("spec.timeZone").unwrap_or("");
    let zone = Zone::find(name).ok_or_else(|| format!("unknown time zone {name}"))?;
    Ok((Schedule::parse(object.str_at("spec.schedule").unwrap_or(""))?, zone))
}

/// When it runs next, as a time of day in its zone, which is named where it is not the clock's; empty for never.
pub fn next_label(object: &Object, now: i64) -> String {
    let Ok((schedule, zone)) = schedule(object) else { return String::new() };
    let Some(at) = schedule.next(now, &zone) else { return String::new() };
    let label = label(at, now, &zone);
    match object.str_at("spec.timeZone").filter(|_| zone.offset(at) != 0) {
        Some(name) => format!("{label} in {name}"),
        None => label,
    }
}

/// The time of day in a zone, with the date where it is another day than now's.
fn label(at: i64, now: i64, zone: &Zone) -> String {
    let local = |at: i64| u64::try_from(at + zone.offset(at)).unwrap_or(0);
    let (then, today) = (local(at), local(now));
    let nanos = then.saturating_mul(1_000_000_000);
    let time = crate::clock::time_of_day(nanos);
    if then / 86_400 == today / 86_400 { time } else { format!("{} {time}", crate::clock::date(nanos)) }
}

/// Of a CronJob at a time.
pub fn of(store: &Store, object: &Object, now: i64) -> Runs {
    let text = |path: &'static str, default: &str| object.str_at(path).unwrap_or(default).to_owned();
    let mut runs = Runs {
        schedule: text("spec.schedule", ""),
        zone: text("spec.timeZone", "UTC"),
        policy: text("spec.concurrencyPolicy", "Allow"),
        is_suspended: object.bool_at("spec.suspend") == Some(true),
        now,
        ..Runs::default()
    };
    let mut past = from_events(store, object);
    for job in store.list(JOB, Some(object.namespace())) {
        if job.meta.controller().is_some_and(|it| it.uid == object.meta.uid) {
            let run = of_job(job);
            past.insert((run.due, run.job.clone()), run);
        }
    }
    let zone = match schedule(object) {
        Ok((schedule, zone)) => {
            if !runs.is_suspended {
                runs.next = next(&schedule, &zone, now);
            }
            for due in missed(object, &schedule, &zone, now, &past) {
                past.insert((due, String::new()), not_run(due, &runs));
            }
            zone
        }
        Err(why) => {
            runs.trouble = why;
            Zone::utc()
        }
    };
    runs.now_label = label(now, now, &zone);
    runs.past = past.into_values().collect();
    runs.past.drain(..runs.past.len().saturating_sub(PAST_MAX));
    for run in &mut runs.past {
        run.label = label(run.due, now, &zone);
    }
    runs
}

fn next(schedule: &Schedule, zone: &Zone, now: i64) -> Vec<Due> {
    let times = std::iter::successors(schedule.next(now, zone), |it| schedule.next(*it, zone));
    times.take(NEXT_MAX).map(|at| Due { at, label: label(at, now, zone) }).collect()
}

/// Due times since its making, or lately, of which no Job is known.
fn missed(
    object: &Object,
    schedule: &Schedule,
    zone: &Zone,
    now: i64,
    known: &BTreeMap<(i64, String), Run>,
) -> Vec<i64> {
    let born = object.meta.created.unwrap_or(now);
    // So far back that the newest are among those looked through.
    let first = schedule.next(now, zone);
    let period = first.and_then(|it| Some(schedule.next(it, zone)? - it)).unwrap_or(1).max(1);
    let begin = born.max(now.saturating_sub(period.saturating_mul(PAST_MAX as i64)));
    let times = std::iter::successors(schedule.next(begin, zone), |it| schedule.next(*it, zone));
    let is_known = |due: i64| known.range((due, String::new())..).next().is_some_and(|((it, _), _)| *it == due);
    times.take(DUE_MAX).take_while(|it| *it + GRACE_SECS <= now).filter(|it| !is_known(*it)).collect()
}

fn not_run(due: i64, runs: &Runs) -> Run {
    let text = match (runs.is_suspended, runs.policy.as_str()) {
        (true, _) => "suspended",
        (false, "Forbid") => "Forbid: the run before was still active",
        _ => "",
    };
    Run { due, how: End::Missed, text: text.to_owned(), ..Run::default() }
}

/// When the Job of this name was due: the names of a CronJob's Jobs end with the minute.
fn due_of(name: &str) -> Option<i64> {
    name.rsplit_once('-')?.1.parse::<i64>().ok()?.checked_mul(60)
}

fn of_job(job: &Object) -> Run {
    let at = |path: &'static str| job.str_at(path).and_then(value::time::parse_secs).unwrap_or(0);
    let made = job.meta.created.unwrap_or(0);
    let annotated = job.meta.annotation(SCHEDULED_AT).and_then(value::time::parse_secs);
    let ended = |kind: &str| job.condition(kind).filter(|it| it.str_at("status") == Some("True"));
    let (how, end, text) = match (ended("Complete"), ended("Failed")) {
        (Some(_), _) => (End::Succeeded, at("status.completionTime"), ""),
        (_, Some(it)) => {
            let end = it.str_at("lastTransitionTime").and_then(value::time::parse_secs).unwrap_or(0);
            (End::Failed, end, it.str_at("reason").unwrap_or_default())
        }
        _ => (End::Active, 0, ""),
    };
    let by_hand = annotated.is_none() && job.meta.annotation("cronjob.kubernetes.io/instantiate") == Some("manual");
    Run {
        due: annotated.or_else(|| due_of(job.name()).filter(|_| !by_hand)).unwrap_or(made),
        job: job.name().to_owned(),
        is_there: true,
        begin: at("status.startTime"),
        end,
        how,
        text: if by_hand && text.is_empty() { "started by hand".to_owned() } else { text.to_owned() },
        ..Run::default()
    }
}

/// What the CronJob's Event objects tell of Jobs that the limits of history have removed.
fn from_events(store: &Store, object: &Object) -> BTreeMap<(i64, String), Run> {
    let mut found: BTreeMap<(i64, String), Run> = BTreeMap::new();
    for event in store.list(EVENT, Some(object.namespace())) {
        if event.str_at("involvedObject.uid") != Some(&object.meta.uid) {
            continue;
        }
        let message = event.str_at("message").unwrap_or_default();
        let (name, how) = if let Some(name) = message.strip_prefix("Created job ") {
            (name, End::Unknown)
        } else if let Some((name, kind)) =
            message.strip_prefix("Saw completed job: ").and_then(|it| it.split_once(", condition: "))
        {
            (name, if kind == "Complete" { End::Succeeded } else { End::Failed })
        } else {
            continue;
        };
        let Some(due) = due_of(name) else { continue };
        let run = found.entry((due, name.to_owned())).or_insert_with(|| Run {
            due,
            job: name.to_owned(),
            how: End::Unknown,
            text: "its Job is no longer kept".to_owned(),
            ..Run::default()
        });
        if how != End::Unknown {
            run.how = how;
        }
    }
    found
}

/// The Job of a run, to be opened.
pub fn job_of(cron_job: &Ref, run: &Run) -> Ref {
    Ref::new("Job", &cron_job.namespace, &run.job)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use kinds::{CRON_JOB, EVENT, JOB, Registry};
    use meta::{KindId, Object};
    use store::Store;
    use value::{Value, value};

    /// 1 January 2026, 09:00 UTC.
    const START: i64 = 1_767_258_000;

    fn object(kind: KindId, tree: &Value) -> Object {
        Object::from_map(kind, tree.as_map().expect("the tests give maps"))
    }

    fn cron_job(spec: Value) -> Object {
        object(
            CRON_JOB,
            &value!({ "metadata": { "name": "c", "namespace": "n", "uid": "u", "creationTimestamp": "2026-01-01T09:00:00Z" }, "spec": spec }),
        )
    }

    #[track_caller]
    fn check(cron_job: &Object, others: &[(KindId, Value)], after_secs: i64, expect: Expect) {
        let mut store = Store::new(Registry::builtin().ids().count(), 64);
        for (kind, tree) in others {
            store.create(object(*kind, tree)).expect("it is new");
        }
        let runs = super::of(&store, cron_job, START + after_secs);
        let past = runs.past.iter().map(|it| {
            let took = if it.end > 0 { format!(" {}s", it.end - it.begin) } else { String::new() };
            format!("{} {:?} {}{took} {}", it.label, it.how, it.job, it.text).trim_end().to_owned()
        });
        let next = runs.next.iter().map(|it| format!("→ {}", it.label));
        let trouble = (!runs.trouble.is_empty()).then(|| runs.trouble.clone());
        expect.assert_eq(&past.chain(next).chain(trouble).collect::<Vec<_>>().join("\n"));
    }

    fn job(minute: i64, status: Value) -> (KindId, Value) {
        let due = START + minute * 60;
        let owner =
            value!({ "apiVersion": "batch/v1", "controller": true, "kind": "CronJob", "name": "c", "uid": "u" });
        let tree = value!({
            "metadata": { "name": format!("c-{}", due / 60), "namespace": "n", "ownerReferences": [owner], "uid": format!("j{minute}") },
            "status": status,
        });
        (JOB, tree)
    }

    #[test]
    fn runs_that_were_that_were_skipped_and_that_come() {
        let ended = value!({ "startTime": "2026-01-01T09:02:00Z", "completionTime": "2026-01-01T09:02:07Z", "conditions": [{ "type": "Complete", "status": "True" }] });
        let event = value!({ "metadata": { "name": "e", "namespace": "n" }, "involvedObject": { "uid": "u" },
            "message": format!("Saw completed job: c-{}, condition: Complete", START / 60 + 1) });
        check(
            &cron_job(value!({ "schedule": "* * * * *", "concurrencyPolicy": "Forbid" })),
            &[(EVENT, event), job(2, ended), job(4, value!({ "startTime": "2026-01-01T09:04:00Z" }))],
            250,
            expect![[r#"
                09:01:00 Succeeded c-29454301 its Job is no longer kept
                09:02:00 Succeeded c-29454302 7s
                09:03:00 Missed  Forbid: the run before was still active
                09:04:00 Active c-29454304
                → 09:05:00
                → 09:06:00
                → 09:07:00
                → 09:08:00
                → 09:09:00"#]],
        );
    }

    #[test]
    fn times_are_those_of_the_zone() {
        check(
            &cron_job(value!({ "schedule": "30 2 * * *", "timeZone": "Europe/Berlin" })),
            &[],
            0,
            expect![[r#"
                → Fri 2 Jan 2026 02:30:00
                → Sat 3 Jan 2026 02:30:00
                → Sun 4 Jan 2026 02:30:00
                → Mon 5 Jan 2026 02:30:00
                → Tue 6 Jan 2026 02:30:00"#]],
        );
    }

    #[test]
    fn one_that_is_suspended_or_broken_has_no_next_run() {
        check(
            &cron_job(value!({ "schedule": "* * * * *", "suspend": true })),
            &[],
            70,
            expect!["09:01:00 Missed  suspended"],
        );
        check(&cron_job(value!({ "schedule": "x" })), &[], 0, expect!["expected exactly 5 fields, found 1: [x]"]);
    }
}
