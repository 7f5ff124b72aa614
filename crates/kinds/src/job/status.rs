//! What a job's status may become.

use std::collections::BTreeSet;

use meta::{Errors, Object};
use value::{Map, Value, time};

use super::indexes;
use crate::path::Path;
use crate::pod_template::fields::{child, flag, has, int, list, maps, opt_int, opt_text, text, texts};
use crate::pod_template::internal;
use crate::workload::{self, spec, status};

/// A job as far as its status is looked at.
struct State<'a> {
    spec: &'a Map,
    status: &'a Map,
    /// The types of the conditions that are true.
    holds: Vec<&'a str>,
}

impl<'a> State<'a> {
    fn of(it: &'a Object) -> State<'a> {
        let status = status(it);
        let conditions = maps(status, "conditions").filter(|(_, it)| text(it, "status") == "True");
        State { spec: spec(it), status, holds: conditions.map(|(_, it)| text(it, "type")).collect() }
    }

    fn is(&self, condition: &str) -> bool {
        self.holds.contains(&condition)
    }

    fn is_finished(&self) -> bool {
        self.is("Complete") || self.is("Failed")
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.status.get(key).filter(|it| !it.is_null())
    }
}

/// New and old, and what has changed between them.
struct Change<'a> {
    new: State<'a>,
    old: State<'a>,
}

impl Change<'_> {
    /// Whether any of these fields of the status differs.
    fn fields(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.new.value(key) != self.old.value(key))
    }

    /// Whether any of these conditions has become true, or has been.
    fn conditions(&self, kinds: &[&str]) -> bool {
        kinds.iter().any(|kind| self.new.is(kind) != self.old.is(kind))
    }

    fn finish(&self) -> bool {
        self.new.is_finished() != self.old.is_finished()
    }
}

/// `ValidateJobUpdateStatus`
pub(super) fn validate(new: &Object, old: &Object, errors: &mut Errors) {
    let change = Change { new: State::of(new), old: State::of(old) };
    let path = Path::root("status");
    counts(change.new.status, &path, errors);
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
    let new = &change.new;
    let complete = new.is("Complete");
    let (conditions, completion_path) = (path.child("conditions"), path.child("completionTime"));
    if change.conditions(&["Complete", "Failed"]) && complete && new.is("Failed") {
        conditions.hidden(errors, "cannot set Complete=True and Failed=true conditions");
    }
    if change.conditions(&["Complete", "FailureTarget"]) && complete && new.is("FailureTarget") {
        conditions.hidden(errors, "cannot set Complete=True and FailureTarget=true conditions");
    }
    let completed = new.value("completionTime");
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
    let at = |key: &str| new.value(key).and_then(Value::as_str).and_then(time::parse_secs);
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
    let (new, conditions) = (&change.new, path.child("conditions"));
    if (change.conditions(&["Failed"]) || change.fields(&["failedIndexes"]))
        && new.is("Failed")
        && !new.is("FailureTarget")
    {
        conditions.hidden(errors, "cannot set Failed=True condition without the FailureTarget=true condition");
    }
    if change.conditions(&["Complete", "SuccessCriteriaMet"]) && new.is("Complete") && !new.is("SuccessCriteriaMet") {
        conditions.hidden(errors, "cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
    }
    if !new.is_finished() {
        return;
    }
    let active = int(new.status, "active");
    if (change.finish() || change.fields(&["active"])) && active > 0 {
        path.child("active").invalid(errors, active, "active>0 is invalid for finished job");
    }
    let needs_no_start = flag(new.spec, "suspend") && opt_int(new.spec, "completions") == Some(0);
    if (change.finish() || change.fields(&["startTime"])) && !needs_no_start && new.value("startTime").is_none() {
        path.child("startTime").required(errors, "startTime is required for finished job");
    }
    if (change.finish() || change.fields(&["uncountedTerminatedPods"]))
        && let Some(pods) = child(new.status, "uncountedTerminatedPods")
        && !(list(pods, "succeeded").is_empty() && list(pods, "failed").is_empty())
    {
        let bad = internal::bad_value(pods, "UncountedTerminatedPods");
        path.child("uncountedTerminatedPods").invalid(errors, bad, "must be empty for finished job");
    }
}

/// The lists of indexes that are done.
fn lists(change: &Change<'_>, path: &Path<'_>, errors: &mut Errors) {
    let new = &change.new;
    let completions = opt_int(new.spec, "completions");
    let (completed, failed) = (text(new.status, "completedIndexes"), opt_text(new.status, "failedIndexes"));
    let (completed_path, failed_path) = (path.child("completedIndexes"), path.child("failedIndexes"));
    let per_index = has(new.spec, "backoffLimitPerIndex");
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
    if completed_changed && !completed.is_empty() && text(new.spec, "completionMode") != "Indexed" {
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
    let (new, conditions) = (&change.new, path.child("conditions"));
    let terminating = int(new.status, "terminating");
    if (change.finish() || change.fields(&["terminating"])) && terminating > 0 && new.is_finished() {
        path.child("terminating").invalid(errors, terminating, "terminating>0 is invalid for finished job");
    }
    let ready = int(new.status, "ready");
    if change.fields(&["ready", "active"]) && ready > int(new.status, "active") {
        path.child("ready").invalid(errors, ready, "cannot set more ready pods than active");
    }
    let met = new.is("SuccessCriteriaMet");
    if met && new.is("Failed") {
        conditions.hidden(errors, "cannot set SuccessCriteriaMet=True and Failed=true conditions");
    }
    if met && new.is("FailureTarget") {
        conditions.hidden(errors, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
    }
    if has(new.spec, "successPolicy") && !met && new.is("Complete") {
        let detail = "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True";
        conditions.hidden(errors, detail);
    }
}

fn nothing_taken_back(change: &Change<'_>, path: &Path<'_>, errors: &mut Errors) {
    let Change { new, old } = change;
    let conditions = path.child("conditions");
    let lost = |kind: &str| old.is(kind) && !new.is(kind);
    for kind in ["Failed", "Complete", "FailureTarget"] {
        if lost(kind) {
            conditions.hidden(errors, &format!("cannot disable the terminal {kind}=True condition"));
        }
    }
    let elastic = text(new.spec, "completionMode") == "Indexed"
        && opt_int(new.spec, "completions") == opt_int(new.spec, "parallelism");
    for key in ["failed", "succeeded"] {
        let count = int(new.status, key);
        if count < int(old.status, key) && !(key == "succeeded" && elastic) {
            path.child(key).invalid(errors, count, &format!("cannot decrease the {key} counter"));
        }
    }
    let bad = |key: &str| new.value(key).cloned().unwrap_or(Value::Null);
    if change.fields(&["completionTime"])
        && new.value("completionTime").is_some()
        && old.value("completionTime").is_some()
    {
        path.child("completionTime").invalid(errors, bad("completionTime"), "field is immutable");
    }
    let runs =
        maps(new.status, "conditions").any(|(_, it)| text(it, "type") == "Suspended" && text(it, "status") == "False");
    let resumes = old.is("Suspended") && runs;
    if change.fields(&["startTime"]) && !resumes && old.value("startTime").is_some() && !flag(new.spec, "suspend") {
        let detail = "field is immutable for unsuspended job once set";
        path.child("startTime").invalid(errors, bad("startTime"), detail);
    }
    if lost("SuccessCriteriaMet") {
        conditions.hidden(errors, "cannot disable the SuccessCriteriaMet=True condition");
    }
    if old.is("Complete") && !old.is("SuccessCriteriaMet") && new.is("SuccessCriteriaMet") {
        let detail = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions";
        conditions.hidden(errors, detail);
    }
}
