//! What a job's status may become.

use std::collections::BTreeSet;

use meta::{Errors, Object};
use value::{Map, Value, time};

use super::{condition, indexes};
use crate::path::Path;
use crate::pod_template::fields::{child, flag, has, int, list, maps, opt_int, opt_text, text, texts};
use crate::pod_template::internal;
use crate::workload::{self, spec, status};

/// New and old, and what has changed between them.
struct Change<'a> {
    new: &'a Object,
    old: &'a Object,
}

impl Change<'_> {
    /// Whether any of these fields of the status differs.
    fn fields(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| value(self.new, key) != value(self.old, key))
    }

    /// Whether any of these conditions has become true, or has been.
    fn conditions(&self, kinds: &[&str]) -> bool {
        kinds.iter().any(|kind| condition(self.new, kind) != condition(self.old, kind))
    }

    fn finish(&self) -> bool {
        finished(self.new) != finished(self.old)
    }
}

fn value<'a>(it: &'a Object, key: &str) -> Option<&'a Value> {
    status(it).get(key).filter(|it| !it.is_null())
}

fn finished(it: &Object) -> bool {
    condition(it, "Complete") || condition(it, "Failed")
}

/// `ValidateJobUpdateStatus`
pub(super) fn validate(new: &Object, old: &Object, errors: &mut Errors) {
    let change = Change { new, old };
    let path = Path::root("status");
    counts(status(new), &path, errors);
    completion(&change, &path, errors);
    end(&change, &path, errors);
    lists(&change, &path, errors);
    later_checks(&change, &path, errors);
    nothing_taken_back(&change, &path, errors);
}

fn counts(status: &Map, path: &Path<'_>, errors: &mut Errors) {
    workload::non_negatives(status, &["active", "succeeded", "failed", "ready", "terminating"], path, errors);
    let Some(uncounted) = child(status, "uncountedTerminatedPods") else { return };
    let path = path.child("uncountedTerminatedPods");
    let mut seen = BTreeSet::new();
    for key in ["succeeded", "failed"] {
        let path = path.child(key);
        for (idx, uid) in texts(uncounted, key) {
            if uid.is_empty() {
                path.index(idx).invalid(errors, uid, "must not be empty");
            } else if !seen.insert(uid) {
                path.index(idx).duplicate(errors, uid);
            }
        }
    }
}

fn completion(change: &Change<'_>, path: &Path<'_>, errors: &mut Errors) {
    let new = change.new;
    let complete = condition(new, "Complete");
    let (conditions, completion_path) = (path.child("conditions"), path.child("completionTime"));
    if change.conditions(&["Complete", "Failed"]) && complete && condition(new, "Failed") {
        conditions.hidden(errors, "cannot set Complete=True and Failed=true conditions");
    }
    if change.conditions(&["Complete", "FailureTarget"]) && complete && condition(new, "FailureTarget") {
        conditions.hidden(errors, "cannot set Complete=True and FailureTarget=true conditions");
    }
    let completed = value(new, "completionTime");
    if change.conditions(&["Complete"]) || change.fields(&["completionTime"]) {
        match completed {
            Some(bad) if !complete => {
                let detail = "cannot set completionTime when there is no Complete=True condition";
                completion_path.invalid(errors, bad, detail);
            }
            None if complete => completion_path.required(errors, "completionTime is required for Complete jobs"),
            _ => (),
        }
    }
    let at = |key: &str| value(new, key).and_then(Value::as_str).and_then(time::parse_secs);
    if change.fields(&["startTime", "completionTime"])
        && let (Some(start), Some(end)) = (at("startTime"), at("completionTime"))
        && end < start
    {
        completion_path.invalid(
            errors,
            completed.cloned().unwrap_or_default(),
            "must be equal to or after `startTime`",
        );
    }
}

fn end(change: &Change<'_>, path: &Path<'_>, errors: &mut Errors) {
    let (new, conditions) = (change.new, path.child("conditions"));
    if (change.conditions(&["Failed"]) || change.fields(&["failedIndexes"]))
        && condition(new, "Failed")
        && !condition(new, "FailureTarget")
    {
        conditions.hidden(errors, "cannot set Failed=True condition without the FailureTarget=true condition");
    }
    if change.conditions(&["Complete", "SuccessCriteriaMet"])
        && condition(new, "Complete")
        && !condition(new, "SuccessCriteriaMet")
    {
        conditions.hidden(errors, "cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
    }
    if !finished(new) {
        return;
    }
    let active = int(status(new), "active");
    if (change.finish() || change.fields(&["active"])) && active > 0 {
        path.child("active").invalid(errors, active, "active>0 is invalid for finished job");
    }
    let needs_no_start = flag(spec(new), "suspend") && opt_int(spec(new), "completions") == Some(0);
    if (change.finish() || change.fields(&["startTime"])) && !needs_no_start && value(new, "startTime").is_none() {
        path.child("startTime").required(errors, "startTime is required for finished job");
    }
    if (change.finish() || change.fields(&["uncountedTerminatedPods"]))
        && let Some(pods) = child(status(new), "uncountedTerminatedPods")
        && !(list(pods, "succeeded").is_empty() && list(pods, "failed").is_empty())
    {
        let bad = internal::bad_value(pods, "UncountedTerminatedPods");
        path.child("uncountedTerminatedPods").invalid(errors, bad, "must be empty for finished job");
    }
}

/// The lists of indexes that are done.
fn lists(change: &Change<'_>, path: &Path<'_>, errors: &mut Errors) {
    let new = change.new;
    let completions = opt_int(spec(new), "completions");
    let (completed, failed) = (text(status(new), "completedIndexes"), opt_text(status(new), "failedIndexes"));
    let (completed_path, failed_path) = (path.child("completedIndexes"), path.child("failedIndexes"));
    let per_index = has(spec(new), "backoffLimitPerIndex");
    let (completed_changed, failed_changed) = (change.fields(&["completedIndexes"]), change.fields(&["failedIndexes"]));
    if let Some(completions) = completions {
        if completed_changed && let Err(why) = indexes::count(completed, completions) {
            completed_path.invalid(errors, completed, &format!("error parsing completedIndexes: {why}"));
        }
        if failed_changed
            && per_index
            && let Some(failed) = failed
            && let Err(why) = indexes::count(failed, completions)
        {
            failed_path.invalid(errors, failed, &format!("error parsing failedIndexes: {why}"));
        }
    }
    if completed_changed && !completed.is_empty() && text(spec(new), "completionMode") != "Indexed" {
        let detail = "cannot set non-empty completedIndexes when non-indexed completion mode";
        completed_path.invalid(errors, completed, detail);
    }
    let Some(failed) = failed else { return };
    if failed_changed && !per_index {
        let detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
        failed_path.invalid(errors, failed, detail);
    }
    if (failed_changed || completed_changed)
        && let Some(completions) = completions
        && let Some(idx) = indexes::overlap(completed, failed, completions)
    {
        let detail = format!("failedIndexes and completedIndexes overlap at index: {idx}");
        failed_path.invalid(errors, failed, &detail);
    }
}

fn later_checks(change: &Change<'_>, path: &Path<'_>, errors: &mut Errors) {
    let (new, conditions) = (change.new, path.child("conditions"));
    let terminating = int(status(new), "terminating");
    if (change.finish() || change.fields(&["terminating"])) && terminating > 0 && finished(new) {
        path.child("terminating").invalid(errors, terminating, "terminating>0 is invalid for finished job");
    }
    let ready = int(status(new), "ready");
    if change.fields(&["ready", "active"]) && ready > int(status(new), "active") {
        path.child("ready").invalid(errors, ready, "cannot set more ready pods than active");
    }
    let met = condition(new, "SuccessCriteriaMet");
    if met && condition(new, "Failed") {
        conditions.hidden(errors, "cannot set SuccessCriteriaMet=True and Failed=true conditions");
    }
    if met && condition(new, "FailureTarget") {
        conditions.hidden(errors, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
    }
    if has(spec(new), "successPolicy") && !met && condition(new, "Complete") {
        let detail = "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True";
        conditions.hidden(errors, detail);
    }
}

fn nothing_taken_back(change: &Change<'_>, path: &Path<'_>, errors: &mut Errors) {
    let Change { new, old } = change;
    let conditions = path.child("conditions");
    let lost = |kind: &str| condition(old, kind) && !condition(new, kind);
    for kind in ["Failed", "Complete", "FailureTarget"] {
        if lost(kind) {
            conditions.hidden(errors, &format!("cannot disable the terminal {kind}=True condition"));
        }
    }
    let elastic = text(spec(new), "completionMode") == "Indexed"
        && opt_int(spec(new), "completions") == opt_int(spec(new), "parallelism");
    for key in ["failed", "succeeded"] {
        let count = int(status(new), key);
        if count < int(status(old), key) && !(key == "succeeded" && elastic) {
            path.child(key).invalid(errors, count, &format!("cannot decrease the {key} counter"));
        }
    }
    let bad = |key: &str| value(new, key).cloned().unwrap_or(Value::Null);
    if change.fields(&["completionTime"])
        && value(new, "completionTime").is_some()
        && value(old, "completionTime").is_some()
    {
        path.child("completionTime").invalid(errors, bad("completionTime"), "field is immutable");
    }
    let runs =
        maps(status(new), "conditions").any(|(_, it)| text(it, "type") == "Suspended" && text(it, "status") == "False");
    let resumes = condition(old, "Suspended") && runs;
    if change.fields(&["startTime"]) && !resumes && value(old, "startTime").is_some() && !flag(spec(new), "suspend") {
        let detail = "field is immutable for unsuspended job once set";
        path.child("startTime").invalid(errors, bad("startTime"), detail);
    }
    if lost("SuccessCriteriaMet") {
        conditions.hidden(errors, "cannot disable the SuccessCriteriaMet=True condition");
    }
    if condition(old, "Complete") && !condition(old, "SuccessCriteriaMet") && condition(new, "SuccessCriteriaMet") {
        let detail = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions";
        conditions.hidden(errors, detail);
    }
}
