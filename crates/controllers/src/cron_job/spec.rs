//! What a CronJob asks for.

use cron::Schedule;
use cron::zone::Zone;
use meta::Object;
use value::{Str, Value};

/// Answers of a schedule that are remembered: a sync asks for the times around the present again and again.
const RECENT_MAX: usize = 2;

/// `spec`, read once for as long as it stays.
pub(super) struct Spec {
    /// What it was read from.
    whole: Value,
    pub schedule_text: Str,
    /// Whether the text has `TZ` in it.
    pub schedule_names_zone: bool,
    pub zone_name: Str,
    /// Why the text is no schedule.
    pub schedule: Result<Schedule, String>,
    /// UTC where the name is unknown.
    pub zone: Zone,
    pub is_zone_known: bool,
    pub is_suspended: bool,
    pub deadline: Option<i64>,
    pub n_succeeded_max: Option<i64>,
    pub n_failed_max: Option<i64>,
    /// Instants with the time of the schedule that comes next, the latest answer last.
    recent: Vec<(i64, Option<i64>)>,
}

impl Spec {
    pub fn of(object: &Object) -> Spec {
        let whole = object.at("spec").cloned().unwrap_or_default();
        let text = |key: &str| whole.get(key).and_then(Value::as_shared_str).cloned().unwrap_or_default();
        let (schedule_text, zone_name) = (text("schedule"), text("timeZone"));
        let zone = Zone::find(&zone_name);
        Spec {
            schedule: Schedule::parse(&schedule_text),
            schedule_names_zone: schedule_text.contains("TZ"),
            is_zone_known: zone.is_some(),
            zone: zone.unwrap_or_else(Zone::utc),
            schedule_text,
            zone_name,
            is_suspended: whole.bool_at("suspend").unwrap_or(false),
            deadline: whole.i64_at("startingDeadlineSeconds"),
            n_succeeded_max: whole.i64_at("successfulJobsHistoryLimit"),
            n_failed_max: whole.i64_at("failedJobsHistoryLimit"),
            recent: Vec::new(),
            whole,
        }
    }

    /// Whether it is what `object` says, surely.
    pub fn is_of(&self, object: &Object) -> bool {
        object.body.get("spec").is_some_and(|it| it.same(&self.whole))
    }

    /// The schedule's first time after an instant; seconds since the Unix epoch.
    pub fn next(&mut self, after: i64) -> Option<i64> {
        if let Some((_, next)) = self.recent.iter().find(|(it, _)| *it == after) {
            return *next;
        }
        let next = self.schedule.as_ref().ok()?.next(after, &self.zone);
        if self.recent.len() == RECENT_MAX {
            self.recent.remove(0);
        }
        self.recent.push((after, next));
        next
    }
}
