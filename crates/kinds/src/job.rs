//! Job. Follows `pkg/apis/batch/validation/validation.go` and `pkg/registry/batch/job/strategy.go`.

mod change;
mod indexes;
mod spec;
mod status;

use meta::{Errors, Object, names};
use value::{Map, Str, Value, map, time};

pub(crate) use self::spec::{validate as validate_spec, warnings as spec_warnings};
use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, flag, has, int, maps, opt_int, text};
use crate::pod_template::{internal, labels};
use crate::workload::{self, spec, status as status_of};
use crate::{Column, Context, Kind, Scope, SelectableField, Strategy, Subresource, columns, spec_changed};

/// The labels that tie pods to their job, old and new.
pub const CONTROLLER_UID: &str = "batch.kubernetes.io/controller-uid";
pub const JOB_NAME: &str = "batch.kubernetes.io/job-name";
pub const OLD_CONTROLLER_UID: &str = "controller-uid";
pub const OLD_JOB_NAME: &str = "job-name";

pub(crate) const KIND: Kind = Kind {
    categories: &["all"],
    definition: "io.k8s.api.batch.v1.Job",
    subresources: &[Subresource::status("Job")],
    columns: || COLUMNS,
    selectable_fields: &[SelectableField {
        name: "status.successful",
        read: |it| int(status_of(it), "succeeded").to_string().into(),
    }],
    strategy: Strategy {
        default,
        default_rest: label_like_template,
        default_status: Some(|_| ()),
        prepare_create,
        // What is read back from the store gets defaults once more.
        finish: label_like_template,
        validate: |it, errors| validate(it, true, errors),
        validate_update: change::validate,
        validate_status: status::validate,
        warnings: |new, old| {
            let mut res = if old.is_none() { workload::name_warnings(new) } else { Vec::new() };
            if old.is_none_or(|old| spec_changed(new, old)) {
                spec::warnings(spec(new), &Path::root("spec"), &mut res);
            }
            res
        },
        metadata_checks: 2,
        ..Strategy::WORKLOAD
    },
    ..Kind::new(Scope::Namespaced, "batch", "v1", "Job", "jobs")
};

const COLUMNS: &[Column] = &[
    columns::name(),
    columns::text("Status", "What it is doing, or how it ended.", |it, _| state(it).into()),
    columns::text("Completions", "How many pods have succeeded, of how many that should.", |it, _| {
        completions(it).into()
    }),
    columns::text("Duration", "How long it ran, or has been running.", |it, cx| ran(it, cx).into()),
    columns::created(),
    columns::wide(columns::containers()),
    columns::wide(columns::images()),
    columns::wide(columns::pod_selector()),
];

/// Whether a condition of a job is true.
pub(crate) fn condition(it: &Object, kind: &str) -> bool {
    maps(status_of(it), "conditions").any(|(_, it)| text(it, "type") == kind && text(it, "status") == "True")
}

fn state(it: &Object) -> &'static str {
    const FIRST: [&str; 2] = ["Complete", "Failed"];
    const LATER: [&str; 3] = ["Suspended", "FailureTarget", "SuccessCriteriaMet"];
    let holds = |list: &[&'static str]| list.iter().copied().find(|kind| condition(it, kind));
    holds(&FIRST).unwrap_or_else(|| match it.meta.is_deleted() {
        true => "Terminating",
        false => holds(&LATER).unwrap_or("Running"),
    })
}

fn completions(it: &Object) -> String {
    let succeeded = int(status_of(it), "succeeded");
    match (opt_int(spec(it), "completions"), int(spec(it), "parallelism")) {
        (Some(completions), _) => format!("{succeeded}/{completions}"),
        (None, parallelism @ 2..) => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    }
}

fn ran(it: &Object, cx: &Context) -> String {
    let at = |key: &str| status_of(it).get(key).and_then(Value::as_str).and_then(time::parse_secs);
    at("startTime")
        .map_or_else(String::new, |start| time::human_duration(at("completionTime").unwrap_or(cx.now) - start))
}

/// Conditions that a rule waits for are true unless it says otherwise.
pub(crate) fn default_failure_policy(spec: &mut Map) {
    spec.edit_map("podFailurePolicy", |policy| {
        policy.edit_maps("rules", |rule| {
            rule.edit_maps("onPodConditions", |pattern| {
                if text(pattern, "status").is_empty() {
                    pattern.insert("status", "True");
                }
            });
        });
    });
}

fn template_labels(it: &Object) -> Option<&Map> {
    child(child_or_empty(child_or_empty(spec(it), "template"), "metadata"), "labels")
}

fn default(it: &mut Object) {
    workload::default_spec(it, |spec| {
        if !has(spec, "completions") && !has(spec, "parallelism") {
            spec.insert("completions", 1);
        }
        let backoff = if has(spec, "backoffLimitPerIndex") { i64::from(i32::MAX) } else { 6 };
        let replacement = if has(spec, "podFailurePolicy") { "Failed" } else { "TerminatingOrFailed" };
        spec.set_defaults(&map!({
            "backoffLimit": backoff,
            "completionMode": "NonIndexed",
            "manualSelector": false,
            "parallelism": 1,
            "podReplacementPolicy": Str::literal(replacement),
            "suspend": false,
        }));
        default_failure_policy(spec);
    });
    label_like_template(it);
}

/// A job without labels has its template's.
fn label_like_template(it: &mut Object) {
    if it.meta.labels.is_empty()
        && let Some(labels) = template_labels(it).cloned()
    {
        it.meta.labels = labels;
    }
}

/// Labels and selector that tie the pods to this job are made up, unless that was forbidden.
fn prepare_create(it: &mut Object) {
    workload::prepare_create(it, Map::new());
    if flag(spec(it), "manualSelector") {
        return;
    }
    // Upstream's job then shares them with its template and gets what is added to them here.
    let shares_labels = template_labels(it).is_some_and(|labels| labels.same(&it.meta.labels));
    let (name, uid) = (&it.meta.name, &it.meta.uid);
    let template = child_or_empty(spec(it), "template");
    let metadata = child_or_empty(template, "metadata");
    let own = map!({
        "batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name,
        "controller-uid": uid, "job-name": name,
    });
    let labels = own.merged(child_or_empty(metadata, "labels"));
    let selector = child_or_empty(spec(it), "selector");
    let mut wanted = child_or_empty(selector, "matchLabels").clone();
    if !wanted.contains_key(CONTROLLER_UID) {
        wanted.insert(CONTROLLER_UID, uid);
    }
    let selector = selector.with("matchLabels", wanted);
    let template = template.with("metadata", metadata.with("labels", labels));
    let spec = spec(it).merged(&map!({ "selector": selector, "template": template }));
    it.body.insert("spec", spec);
    if shares_labels {
        it.meta.labels = template_labels(it).cloned().unwrap_or_default();
    }
}

/// `ValidateJob`
fn validate(it: &Object, prefixed: bool, errors: &mut Errors) {
    generated_selector(it, prefixed, errors);
    spec_with_selector(spec(it), errors);
    let completions = int(spec(it), "completions");
    if text(spec(it), "completionMode") == "Indexed" && completions > 0 {
        let hostname = format!("{}-{}", it.name(), completions - 1);
        if !names::dns_label(&hostname).is_empty() {
            let detail = format!("will not able to create pod with invalid DNS label: {hostname}");
            Path::root("metadata.name").invalid(errors, it.name(), &detail);
        }
    }
}

/// `ValidateJobSpec`
fn spec_with_selector(spec: &Map, errors: &mut Errors) {
    let path = Path::root("spec");
    validate_spec(spec, &path, errors);
    let selector = child(spec, "selector");
    match selector {
        None => path.child("selector").required(errors, ""),
        Some(_) => labels::validate_selector(selector, &path.child("selector"), errors),
    }
    if let Some(selector) = workload::readable_selector(selector) {
        workload::matches_template(&selector, child_or_empty(spec, "template"), &path.child("template"), errors);
    }
}

/// `validateGeneratedSelector`
fn generated_selector(it: &Object, prefixed: bool, errors: &mut Errors) {
    let Some(selector) = child(spec(it), "selector").filter(|_| !flag(spec(it), "manualSelector")) else { return };
    if it.meta.uid.is_empty() {
        Path::root("metadata.uid").required(errors, "");
    }
    let old = [(OLD_CONTROLLER_UID, &it.meta.uid), (OLD_JOB_NAME, &it.meta.name)];
    let new = [(CONTROLLER_UID, &it.meta.uid), (JOB_NAME, &it.meta.name)];
    let mut expected = Map::new();
    for (key, value) in old.into_iter().chain(new.into_iter().filter(|_| prefixed)) {
        has_label(template_labels(it), key, value, errors);
        expected.insert(key, value);
    }
    if workload::readable_selector(Some(selector)).is_some_and(|it| !it.matches(&expected)) {
        let bad = internal::bad_selector(selector);
        Path::root("spec.selector").invalid(errors, bad, "`selector` not auto-generated");
    }
}

/// `ValidateHasLabel`
fn has_label(labels: Option<&Map>, key: &str, value: &str, errors: &mut Errors) {
    let path = Path::root("spec.template.metadata.labels");
    let path = path.key(key);
    let detail = format!("must be '{value}'");
    match labels.and_then(|it| it.get(key)) {
        None => path.required(errors, &detail),
        Some(have) if have.as_str() != Some(value) => {
            path.invalid(errors, labels.cloned().unwrap_or_else(|| map!({})), &detail);
        }
        Some(_) => (),
    }
}
