//! What a job's status may become.

use std::collections::BTreeSet;

use meta::{Errors, Object};
use value::{Map, Value, time};

use super::indexes;
use crate::path::Path;
use crate::pod_template::fields::{child, flag, has, int, list, maps, opt_int, opt_text, text, texts};
use crate::pod_template::internal;
use crate::workload::{self, spec, status};

/// Conditions that rules ask for, a bit each.
const COMPLETE: u8 = 1;
const FAILED: u8 = 2;
const FAILURE_TARGET: u8 = 4;
const CRITERIA_MET: u8 = 8;
const SUSPENDED: u8 = 16;
/// Those of a job that has ended.
const FINISHED: u8 = COMPLETE | FAILED;

fn bit(condition: &str) -> u8 {
    match condition {
        "Complete" => COMPLETE,
        "Failed" => FAILED,
        "FailureTarget" => FAILURE_TARGET,
        "SuccessCriteriaMet" => CRITERIA_MET,
        "Suspended" => SUSPENDED,
        _ => 0,
    }
}

/// A job as far as its status is looked at.
struct State<'a> {
    spec: &'a Map,
    status: &'a Map,
    /// The conditions that are true.
    holds: u8,
}

impl<'a> State<'a> {
    fn of(it: &'a Object) -> State<'a> {
        let status = status(it);
        let conditions = maps(status, "conditions").filter(|(_, it)| text(it, "status") == "True");
        State { spec: spec(it), status, holds: conditions.fold(0, |all, (_, it)| all | bit(text(it, "type"))) }
    }

    /// Whether one of these conditions is true.
    fn is(&self, conditions: u8) -> bool {
        self.holds & conditions != 0
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.status.get(key).filter(|it| !it.is_null())
    }
}

/// New and old, and what has changed between them. Most rules hold where nothing that they are about is wrong, whether or not it
/// has changed: that is cheap to see and so comes first.
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
    fn conditions(&self, conditions: u8) -> bool {
        (self.new.holds ^ self.old.holds) & conditions != 0
    }

    fn finish(&self) -> bool {
        self.new.is(FINISHED) != self.old.is(FINISHED)
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
    let complete = new.is(COMPLETE);
    let (conditions, completion_path) = (path.child("conditions"), path.child("completionTime"));
    if complete && new.is(FAILED) && change.conditions(COMPLETE | FAILED) {
        conditions.hidden(errors, "cannot set Complete=True and Failed=true conditions");
    }
    if complete && new.is(FAILURE_TARGET) && change.conditions(COMPLETE | FAILURE_TARGET) {
        conditions.hidden(errors, "cannot set Complete=True and FailureTarget=true conditions");
    }
    let completed = new.value("completionTime");
    if completed.is_some() != complete && (change.conditions(COMPLETE) || change.fields(&["completionTime"])) {
        match completed {
            Some(bad) => {
                let detail = "cannot set completionTime when there is no Complete=True condition";
                completion_path.invalid(errors, bad, detail);
            }
            None => completion_path.required(errors, "completionTime is required for Complete jobs"),
        }
    }
    let seconds = |it: &Value| it.as_str().and_then(time::parse_secs);
    if let Some(completed) = completed
        && change.fields(&["startTime", "completionTime"])
        && let (Some(start), Some(end)) = (new.value("startTime").and_then(seconds), seconds(completed))
        && end < start
    {
        completion_path.invalid(errors, completed, "must be equal to or after `startTime`");
    }
}

fn end(change: &Change<'_>, path: &Path<'_>, errors: &mut Errors) {
    let (new, conditions) = (&change.new, path.child("conditions"));
    if new.is(FAILED) && !new.is(FAILURE_TARGET) && (change.conditions(FAILED) || change.fields(&["failedIndexes"])) {
        conditions.hidden(errors, "cannot set Failed=True condition without the FailureTarget=true condition");
    }
    if new.is(COMPLETE) && !new.is(CRITERIA_MET) && change.conditions(COMPLETE | CRITERIA_MET) {
        conditions.hidden(errors, "cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
    }
    if !new.is(FINISHED) {
        return;
    }
    let active = int(new.status, "active");
    if active > 0 && (change.finish() || change.fields(&["active"])) {
        path.child("active").invalid(errors, active, "active>0 is invalid for finished job");
    }
    let needs_no_start = || flag(new.spec, "suspend") && opt_int(new.spec, "completions") == Some(0);
    if new.value("startTime").is_none() && (change.finish() || change.fields(&["startTime"])) && !needs_no_start() {
        path.child("startTime").required(errors, "startTime is required for finished job");
    }
    if let Some(pods) = child(new.status, "uncountedTerminatedPods")
        && !(list(pods, "succeeded").is_empty() && list(pods, "failed").is_empty())
        && (change.finish() || change.fields(&["uncountedTerminatedPods"]))
    {
        let bad = internal::bad_value(pods, "UncountedTerminatedPods");
        path.child("uncountedTerminatedPods").invalid(errors, bad, "must be empty for finished job");
    }
}

/// The lists of indexes that are done.
fn lists(change: &Change<'_>, path: &Path<'_>, errors: &mut Errors) {
    let new = &change.new;
    let (completed, failed) = (text(new.status, "completedIndexes"), opt_text(new.status, "failedIndexes"));
    if completed.is_empty() && failed.is_none() {
        return;
    }
    let completions = opt_int(new.spec, "completions");
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
    if terminating > 0 && new.is(FINISHED) && (change.finish() || change.fields(&["terminating"])) {
        path.child("terminating").invalid(errors, terminating, "terminating>0 is invalid for finished job");
    }
    let ready = int(new.status, "ready");
    if ready > int(new.status, "active") && change.fields(&["ready", "active"]) {
        path.child("ready").invalid(errors, ready, "cannot set more ready pods than active");
    }
    let met = new.is(CRITERIA_MET);
    if met && new.is(FAILED) {
        conditions.hidden(errors, "cannot set SuccessCriteriaMet=True and Failed=true conditions");
    }
    if met && new.is(FAILURE_TARGET) {
        conditions.hidden(errors, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
    }
    if new.is(COMPLETE) && !met && has(new.spec, "successPolicy") {
        let detail = "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True";
        conditions.hidden(errors, detail);
    }
}

fn nothing_taken_back(change: &Change<'_>, path: &Path<'_>, errors: &mut Errors) {
    let Change { new, old } = change;
    let conditions = path.child("conditions");
    let lost = |condition: u8| old.is(condition) && !new.is(condition);
    for (condition, kind) in [(FAILED, "Failed"), (COMPLETE, "Complete"), (FAILURE_TARGET, "FailureTarget")] {
        if lost(condition) {
            conditions.hidden(errors, &format!("cannot disable the terminal {kind}=True condition"));
        }
    }
    let is_elastic = || {
        text(new.spec, "completionMode") == "Indexed"
            && opt_int(new.spec, "completions") == opt_int(new.spec, "parallelism")
    };
    for key in ["failed", "succeeded"] {
        let count = int(new.status, key);
        if count < int(old.status, key) && !(key == "succeeded" && is_elastic()) {
            path.child(key).invalid(errors, count, &format!("cannot decrease the {key} counter"));
        }
    }
    let replaced = |key: &str| new.value(key).zip(old.value(key)).filter(|(new, old)| new != old);
    if let Some((bad, _)) = replaced("completionTime") {
        path.child("completionTime").invalid(errors, bad, "field is immutable");
    }
    let started = old.value("startTime").is_some() && change.fields(&["startTime"]);
    let runs = || {
        maps(new.status, "conditions").any(|(_, it)| text(it, "type") == "Suspended" && text(it, "status") == "False")
    };
    if started && !(old.is(SUSPENDED) && runs()) && !flag(new.spec, "suspend") {
        let detail = "field is immutable for unsuspended job once set";
        let bad = new.value("startTime").cloned().unwrap_or_default();
        path.child("startTime").invalid(errors, bad, detail);
    }
    if lost(CRITERIA_MET) {
        conditions.hidden(errors, "cannot disable the SuccessCriteriaMet=True condition");
    }
    if old.is(COMPLETE) && !old.is(CRITERIA_MET) && new.is(CRITERIA_MET) {
        let detail = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions";
        conditions.hidden(errors, detail);
    }
}
