//! Which failures of pods count, and which successes suffice (`pod_failure_policy.go`, `success_policy.go`).

use std::sync::Arc;

use meta::Object;
use value::Value;

use super::indexes::Intervals;
use super::spec::Spec;
use crate::pods;

/// Whether a pod is a failure for its Job: one that is being deleted may be replaced at once.
pub(super) fn is_failed(spec: &Spec, pod: &Object) -> bool {
    match pods::phase(pod) {
        "Failed" => true,
        "Succeeded" => false,
        _ => pod.meta.is_deleted() && !spec.replaces_only_failed,
    }
}

/// The first rule that a failed pod matches: its place, its action and what matched.
fn matched<'a>(job: &'a Object, pod: &Object) -> Option<(usize, &'a str, String)> {
    job.list_at("spec.podFailurePolicy.rules").iter().enumerate().find_map(|(idx, rule)| {
        let what = match rule.get("onExitCodes") {
            Some(wanted) => exit_code(pod, wanted),
            None => pod_condition(pod, rule.list_at("onPodConditions")),
        }?;
        let action = rule.str_at("action")?;
        matches!(action, "Ignore" | "FailIndex" | "Count" | "FailJob").then_some((idx, action, what))
    })
}

/// Such as `Container main for pod default/a-b failed with exit code 3`.
fn exit_code(pod: &Object, wanted: &Value) -> Option<String> {
    let statuses = pod.list_at("status.containerStatuses").iter().chain(pod.list_at("status.initContainerStatuses"));
    let name = wanted.str_at("containerName");
    let is_in = |code: i64| wanted.list_at("values").iter().any(|it| it.as_i64() == Some(code));
    for status in statuses.filter(|it| name.is_none() || it.str_at("name") == name) {
        let Some(code) = status.i64_at("state.terminated.exitCode").filter(|it| *it != 0) else { continue };
        let matches = match wanted.str_at("operator") {
            Some("In") => is_in(code),
            Some("NotIn") => !is_in(code),
            _ => false,
        };
        if matches {
            let container = status.str_at("name").unwrap_or("");
            return Some(format!("Container {container} for pod {} failed with exit code {code}", pod.key()));
        }
    }
    None
}

/// Such as `Pod default/a-b has condition DisruptionTarget`.
fn pod_condition(pod: &Object, patterns: &[Value]) -> Option<String> {
    let same = |a: &Value, b: &Value, key: &str| a.get(key) == b.get(key);
    let conditions = pod.list_at("status.conditions").iter();
    let found =
        conditions.into_iter().find(|it| patterns.iter().any(|p| same(it, p, "type") && same(it, p, "status")))?;
    Some(format!("Pod {} has condition {}", pod.key(), found.str_at("type").unwrap_or("")))
}

/// Whether a failure counts towards the back-off limit.
pub(super) fn counts(job: &Object, pod: &Object) -> bool {
    matched(job, pod).is_none_or(|(_, action, _)| action != "Ignore")
}

/// Whether a failure ends its index.
pub(super) fn fails_index(job: &Object, pod: &Object) -> bool {
    matched(job, pod).is_some_and(|(_, action, _)| action == "FailIndex")
}

/// Why the Job fails at once because of one of its pods.
pub(super) fn failure(job: &Object, spec: &Spec, pods: &[Arc<Object>]) -> Option<String> {
    if !spec.has_failure_policy {
        return None;
    }
    pods.iter().filter(|it| is_failed(spec, it)).find_map(|pod| {
        let (idx, action, what) = matched(job, pod).filter(|(_, action, _)| *action == "FailJob")?;
        Some(format!("{what} matching {action} rule at index {idx}"))
    })
}

/// The rule of the success policy that the succeeded indexes fulfil.
pub(super) fn success(job: &Object, completions: i64, succeeded: &Intervals) -> Option<String> {
    if succeeded.is_empty() {
        return None;
    }
    let rules = job.list_at("spec.successPolicy.rules");
    let idx = rules.iter().position(|rule| {
        let count = rule.i64_at("succeededCount");
        match rule.str_at("succeededIndexes") {
            None => count.is_some_and(|it| succeeded.total() >= it),
            Some(text) => {
                let required = Intervals::parse(text, completions);
                let common = required.n_common(succeeded);
                !required.is_empty() && (common == required.total() || count.is_some_and(|it| common >= it))
            }
        }
    })?;
    Some(format!("Matched rules at index {idx}"))
}
