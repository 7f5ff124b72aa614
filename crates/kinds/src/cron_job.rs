//! CronJob. Follows `pkg/apis/batch/validation`.

use cron::Schedule;
use cron::zone::{self, Zone};
use meta::{Errors, Object};
use value::Map;

use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, flag, list, opt_text, required_one_of, text};
use crate::pod_template::internal;
use crate::workload::{self, spec, status};
use crate::{Column, Kind, Scope, Strategy, Subresource, columns, job, pod_template, spec_changed};

/// The longest name: a job's is eleven letters longer.
const NAME_MAX: usize = 52;

pub(crate) const KIND: Kind = Kind {
    short_names: &["cj"],
    categories: &["all"],
    definition: "io.k8s.api.batch.v1.CronJob",
    subresources: &[Subresource::status("CronJob")],
    columns: || COLUMNS,
    strategy: Strategy {
        default,
        default_status: Some(|_| ()),
        validate: |it, errors| {
            validate(spec(it), None, errors);
            if it.name().len() > NAME_MAX {
                Path::root("metadata.name").invalid(errors, it.name(), "must be no more than 52 characters");
            }
        },
        validate_update: |new, old, errors| validate(spec(new), Some(spec(old)), errors),
        warnings,
        ..Strategy::WORKLOAD
    },
    ..Kind::new(Scope::Namespaced, "batch", "v1", "CronJob", "cronjobs")
};

const COLUMNS: &[Column] = &[
    columns::name(),
    columns::text("Schedule", "When it makes jobs.", |it, _| columns::string(it, "spec.schedule")),
    columns::text("Timezone", "By whose clocks.", |it, _| opt_text(spec(it), "timeZone").unwrap_or("<none>").into()),
    Column {
        kind: "boolean",
        ..columns::text("Suspend", "Whether it rests.", |it, _| {
            if flag(spec(it), "suspend") { "True".into() } else { "False".into() }
        })
    },
    columns::integer("Active", "How many of its jobs are running.", |it, _| {
        (list(status(it), "active").len() as i64).into()
    }),
    columns::text("Last Schedule", "When it last made a job.", |it, cx| {
        let last = it.str_at("status.lastScheduleTime");
        last.map_or_else(|| "<none>".into(), |last| columns::since(Some(last), cx).into())
    }),
    columns::created(),
    columns::wide(columns::containers()),
    columns::wide(columns::images()),
    columns::wide(columns::pod_selector()),
];

fn default(it: &mut Object) {
    workload::edit_or_make(&mut it.body, "spec", |spec| {
        if text(spec, "concurrencyPolicy").is_empty() {
            spec.insert("concurrencyPolicy", "Allow");
        }
        spec.set_default("suspend", false);
        spec.set_default("successfulJobsHistoryLimit", 3);
        spec.set_default("failedJobsHistoryLimit", 1);
        workload::edit_or_make(spec, "jobTemplate", |template| {
            workload::edit_or_make(template, "spec", |job| {
                workload::edit_or_make(job, "template", pod_template::default);
                job::default_failure_policy(job);
            });
        });
    });
}

fn validate(spec: &Map, old: Option<&Map>, errors: &mut Errors) {
    let path = Path::root("spec");
    let schedule_path = path.child("schedule");
    match text(spec, "schedule") {
        "" => schedule_path.required(errors, ""),
        schedule => validate_schedule(schedule, spec, old, &schedule_path, errors),
    }
    workload::non_negatives(spec, &["startingDeadlineSeconds"], &path, errors);
    let zone = opt_text(spec, "timeZone");
    if let Some(zone) = zone.filter(|_| old.is_none_or(|old| opt_text(old, "timeZone") != zone)) {
        validate_zone(zone, &path.child("timeZone"), errors);
    }
    required_one_of(
        text(spec, "concurrencyPolicy"),
        &["Allow", "Forbid", "Replace"],
        &path.child("concurrencyPolicy"),
        errors,
    );
    let template = child_or_empty(child_or_empty(spec, "jobTemplate"), "spec");
    let job_path = path.child("jobTemplate.spec");
    job::validate_spec(template, &job_path, errors);
    if let Some(selector) = child(template, "selector") {
        let bad = internal::bad_selector(selector);
        job_path.child("selector").invalid(errors, bad, "`selector` will be auto-generated");
    }
    if flag(template, "manualSelector") {
        job_path.child("manualSelector").not_supported(errors, true, &["nil", "false"]);
    }
    workload::non_negatives(spec, &["successfulJobsHistoryLimit", "failedJobsHistoryLimit"], &path, errors);
}

fn validate_schedule(schedule: &str, spec: &Map, old: Option<&Map>, path: &Path<'_>, errors: &mut Errors) {
    if let Err(problem) = Schedule::parse(schedule) {
        path.invalid(errors, schedule, &problem);
    }
    if !schedule.contains("TZ") {
        return;
    }
    if !old.is_some_and(|old| text(old, "schedule").contains("TZ")) {
        path.invalid(errors, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
    } else if opt_text(spec, "timeZone").is_some() {
        path.invalid(errors, schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule");
    }
}

/// `validateTimeZone`
fn validate_zone(name: &str, path: &Path<'_>, errors: &mut Errors) {
    const PART_MAX: usize = 14;
    if name.is_empty() {
        return path.invalid(errors, name, "timeZone must be nil or non-empty string");
    }
    let unknown = format!("unknown time zone {name}");
    let fits = |part: &str| {
        !matches!(part, "" | "." | "..")
            && !part.starts_with('-')
            && part.len() <= PART_MAX
            && part.bytes().all(|it| it.is_ascii_alphanumeric() || b".-_+".contains(&it))
    };
    if !name.split('/').all(fits) {
        return path.invalid(errors, name, &unknown);
    }
    if name.eq_ignore_ascii_case("Local") {
        let detail = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        path.invalid(errors, name, detail);
    }
    if zone::is_folder(name) {
        path.invalid(errors, name, "is a directory");
    } else if name != "Local" && Zone::find(name).is_none() {
        path.invalid(errors, name, &unknown);
    }
}

fn warnings(new: &Object, old: Option<&Object>) -> Vec<String> {
    let mut res = if old.is_none() { workload::name_warnings(new) } else { Vec::new() };
    if old.is_none_or(|old| spec_changed(new, old)) {
        let job = child_or_empty(child_or_empty(spec(new), "jobTemplate"), "spec");
        job::spec_warnings(job, &Path::root("spec.jobTemplate.spec"), &mut res);
    }
    if old.is_some() && text(spec(new), "schedule").contains("TZ") {
        res.push("cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details".to_owned());
    }
    res
}
