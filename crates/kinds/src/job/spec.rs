//! What a job's spec may say, alone or in a CronJob.

use std::collections::BTreeSet;

use meta::Errors;
use value::{Map, Value};

use super::indexes;
use crate::path::Path;
use crate::pod_template;
use crate::pod_template::fields::{
    child, child_or_empty, domain_prefixed_path, has, int, list, maps, named, non_negative, one_of, opt_int, opt_text,
    text,
};
use crate::pod_template::internal;
use crate::workload;

const PARALLELISM_MAX: i64 = 100_000;
const FAILED_INDEXES_MAX: i64 = 100_000;
/// From so many completions on, other limits are smaller.
const MANY_COMPLETIONS: i64 = 100_000;
const MANY_MAX: i64 = 10_000;
const RULES_MAX: usize = 20;
const EXIT_CODES_MAX: usize = 255;
const MANAGED_BY_MAX: usize = 63;
const SUCCEEDED_INDEXES_MAX: usize = 64 * 1024;

/// `validateJobSpec`
pub(crate) fn validate(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    const NUMBERS: [&str; 7] = [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ];
    workload::non_negatives(spec, &NUMBERS, path, errors);
    if has(spec, "maxFailedIndexes") && !has(spec, "backoffLimitPerIndex") {
        path.child("backoffLimitPerIndex").required(errors, "when maxFailedIndexes is specified");
    }
    if let Some(manager) = opt_text(spec, "managedBy") {
        domain_prefixed_path(manager, &path.child("managedBy"), errors);
        if manager.len() > MANAGED_BY_MAX {
            path.child("managedBy").too_long(errors, MANAGED_BY_MAX);
        }
    }
    completion_mode(spec, path, errors);
    if let Some(policy) = child(spec, "podFailurePolicy") {
        failure_policy(spec, policy, &path.child("podFailurePolicy"), errors);
    }
    if let Some(policy) = child(spec, "successPolicy") {
        let path = path.child("successPolicy");
        if text(spec, "completionMode") == "Indexed" {
            success_policy(int(spec, "completions"), policy, &path, errors);
        } else {
            path.invalid(errors, internal::bad_value(policy, "SuccessPolicy"), "requires indexed completion mode");
        }
    }
    if let Some(policy) = opt_text(spec, "podReplacementPolicy") {
        let supported: &[&str] =
            if has(spec, "podFailurePolicy") { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
        one_of(policy, supported, &path.child("podReplacementPolicy"), errors);
    }
    let template = child_or_empty(spec, "template");
    pod_template::validate(template, &path.child("template"), errors);
    restart_policy(
        text(child_or_empty(template, "spec"), "restartPolicy"),
        has(spec, "podFailurePolicy"),
        &path.child("template.spec.restartPolicy"),
        errors,
    );
}

fn restart_policy(policy: &str, has_failure_policy: bool, path: &Path<'_>, errors: &mut Errors) {
    match policy {
        "" | "Always" => path.required(errors, "valid values: \"OnFailure\", \"Never\""),
        "Never" => (),
        "OnFailure" if !has_failure_policy => (),
        "OnFailure" => {
            path.invalid(errors, policy, "only \"Never\" is supported when podFailurePolicy is specified");
        }
        _ => path.not_supported(errors, policy, &["OnFailure", "Never"]),
    }
}

fn completion_mode(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let mode = opt_text(spec, "completionMode");
    if let Some(mode) = mode {
        one_of(mode, &["NonIndexed", "Indexed"], &path.child("completionMode"), errors);
    }
    match mode {
        Some("Indexed") => indexed(spec, path, errors),
        None | Some("NonIndexed") => {
            for key in ["backoffLimitPerIndex", "maxFailedIndexes"] {
                if let Some(value) = opt_int(spec, key) {
                    path.child(key).invalid(errors, value, "requires indexed completion mode");
                }
            }
        }
        Some(_) => (),
    }
}

fn indexed(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let (completions, parallelism) = (opt_int(spec, "completions"), opt_int(spec, "parallelism"));
    let failed = opt_int(spec, "maxFailedIndexes");
    let at_most = |errors: &mut Errors, key: &str, value: Option<i64>, max: i64, when: &str| {
        if let Some(value) = value.filter(|it| *it > max) {
            path.child(key).invalid(errors, value, &format!("must be less than or equal to {max}{when}"));
        }
    };
    if completions.is_none() {
        path.child("completions").required(errors, "when completion mode is Indexed");
    }
    at_most(errors, "parallelism", parallelism, PARALLELISM_MAX, " when completion mode is Indexed");
    if let (Some(completions), Some(failed)) = (completions, failed)
        && failed > completions
    {
        path.child("maxFailedIndexes").invalid(errors, failed, "must be less than or equal to completions");
    }
    at_most(errors, "maxFailedIndexes", failed, FAILED_INDEXES_MAX, "");
    if completions.is_some_and(|it| it > MANY_COMPLETIONS) && has(spec, "backoffLimitPerIndex") {
        if failed.is_none() {
            let detail = format!("must be specified when completions is above {MANY_COMPLETIONS}");
            path.child("maxFailedIndexes").required(errors, &detail);
        }
        let when = format!(" when completions are above {MANY_COMPLETIONS} and used with backoff limit per index");
        at_most(errors, "parallelism", parallelism, MANY_MAX, &when);
        at_most(errors, "maxFailedIndexes", failed, MANY_MAX, &when);
    }
}

fn failure_policy(spec: &Map, policy: &Map, path: &Path<'_>, errors: &mut Errors) {
    let path = path.child("rules");
    let n_rules = list(policy, "rules").len();
    if n_rules > RULES_MAX {
        path.too_many(errors, n_rules, RULES_MAX);
    }
    let pod = child_or_empty(child_or_empty(spec, "template"), "spec");
    let containers: BTreeSet<&str> =
        maps(pod, "containers").chain(maps(pod, "initContainers")).map(|(_, it)| text(it, "name")).collect();
    for (idx, rule) in maps(policy, "rules") {
        failure_rule(spec, rule, &containers, &path.index(idx), errors);
    }
}

fn failure_rule(spec: &Map, rule: &Map, containers: &BTreeSet<&str>, path: &Path<'_>, errors: &mut Errors) {
    const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];
    let (action, action_path) = (text(rule, "action"), path.child("action"));
    match action {
        "" => action_path.required(errors, &valid_values(&ACTIONS)),
        "FailIndex" if !has(spec, "backoffLimitPerIndex") => {
            action_path.invalid(errors, action, "requires the backoffLimitPerIndex to be set");
        }
        _ => one_of(action, &ACTIONS, &action_path, errors),
    }
    let (codes, n_conditions) = (child(rule, "onExitCodes"), list(rule, "onPodConditions").len());
    if let Some(codes) = codes {
        exit_codes(codes, containers, &path.child("onExitCodes"), errors);
    }
    if n_conditions > RULES_MAX {
        path.child("onPodConditions").too_many(errors, n_conditions, RULES_MAX);
    }
    for (idx, pattern) in maps(rule, "onPodConditions") {
        let path = path.child("onPodConditions");
        let path = path.index(idx);
        named(text(pattern, "type"), meta::names::qualified_name, &path.child("type"), errors);
        chosen(text(pattern, "status"), &["False", "True", "Unknown"], &path.child("status"), errors);
    }
    match (codes.is_some(), n_conditions > 0) {
        (true, true) => path.hidden(errors, "specifying both OnExitCodes and OnPodConditions is not supported"),
        (false, false) => path.hidden(errors, "specifying one of OnExitCodes and OnPodConditions is required"),
        _ => (),
    }
}

/// `valid values: ["A" "B"]`
fn valid_values(values: &[&str]) -> String {
    let quoted: Vec<String> = values.iter().map(|it| meta::quoted(it)).collect();
    format!("valid values: [{}]", quoted.join(" "))
}

fn chosen(have: &str, supported: &[&str], path: &Path<'_>, errors: &mut Errors) {
    if have.is_empty() {
        path.required(errors, &valid_values(supported));
    } else {
        one_of(have, supported, path, errors);
    }
}

fn exit_codes(codes: &Map, containers: &BTreeSet<&str>, path: &Path<'_>, errors: &mut Errors) {
    chosen(text(codes, "operator"), &["In", "NotIn"], &path.child("operator"), errors);
    if let Some(name) = opt_text(codes, "containerName").filter(|it| !containers.contains(it)) {
        let detail = "must be one of the container or initContainer names in the pod template";
        path.child("containerName").invalid(errors, name, detail);
    }
    let (values, path) = (list(codes, "values"), path.child("values"));
    let bad = codes.get("values").cloned().unwrap_or(Value::Null);
    match values.len() {
        0 => path.invalid(errors, bad.clone(), "at least one value is required"),
        n_values @ 256.. => path.too_many(errors, n_values, EXIT_CODES_MAX),
        _ => (),
    }
    let mut seen = BTreeSet::new();
    let mut last = i64::MIN;
    let mut ordered = true;
    for (idx, value) in values.iter().enumerate() {
        let value = value.as_i64().unwrap_or(0);
        let path = path.index(idx);
        if text(codes, "operator") == "In" && value == 0 {
            path.invalid(errors, value, "must not be 0 for the In operator");
        }
        if !seen.insert(value) {
            path.duplicate(errors, value);
        }
        ordered &= last <= value;
        last = value;
    }
    if !ordered {
        path.invalid(errors, bad, "must be ordered");
    }
}

fn success_policy(completions: i64, policy: &Map, path: &Path<'_>, errors: &mut Errors) {
    let path = path.child("rules");
    match list(policy, "rules").len() {
        0 => path.required(errors, "at least one rules must be specified when the successPolicy is specified"),
        n_rules if n_rules > RULES_MAX => path.too_many(errors, n_rules, RULES_MAX),
        _ => (),
    }
    for (idx, rule) in maps(policy, "rules") {
        success_rule(completions, rule, &path.index(idx), errors);
    }
}

fn success_rule(completions: i64, rule: &Map, path: &Path<'_>, errors: &mut Errors) {
    let (count, indexes) = (opt_int(rule, "succeededCount"), opt_text(rule, "succeededIndexes"));
    if count.is_none() && indexes.is_none() {
        path.required(errors, "at least one of succeededCount or succeededIndexes must be specified");
    }
    let mut n_indexes = 0;
    if let Some(indexes) = indexes {
        let path = path.child("succeededIndexes");
        if indexes.len() > SUCCEEDED_INDEXES_MAX {
            path.too_long(errors, SUCCEEDED_INDEXES_MAX);
        }
        match indexes::count(indexes, completions) {
            Ok(count) => n_indexes = count,
            Err(why) => path.invalid(errors, indexes, &format!("error parsing succeededIndexes: {why}")),
        }
    }
    let Some(count) = count else { return };
    let path = path.child("succeededCount");
    non_negative(count, &path, errors);
    if count > completions {
        let detail = format!("must be less than or equal to {completions} (the number of specified completions)");
        path.invalid(errors, count, &detail);
    }
    if indexes.is_some() && count > n_indexes {
        let detail = format!(
            "must be less than or equal to {n_indexes} (the number of indexes in the specified succeededIndexes field)"
        );
        path.invalid(errors, count, &detail);
    }
}

/// `WarningsForJobSpec`
pub(crate) fn warnings(spec: &Map, path: &Path<'_>, out: &mut Vec<String>) {
    if text(spec, "completionMode") == "Indexed"
        && int(spec, "completions") > MANY_COMPLETIONS
        && int(spec, "parallelism") > MANY_MAX
    {
        out.push(format!("{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail"));
    }
    out.extend(pod_template::warnings_of(child_or_empty(spec, "template"), &path.child("template")));
}
