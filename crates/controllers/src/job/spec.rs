//! What a Job asks for, but for its template and its policies.

use meta::Object;
use meta::selector::LabelSelector;
use value::{Map, Value};

/// `spec`, read in one pass, once for as long as it stays.
pub(super) struct Spec {
    /// What it was read from.
    whole: Option<Value>,
    /// Which pods may be the Job's.
    pub selector: LabelSelector,
    pub is_suspended: bool,
    pub is_indexed: bool,
    pub parallelism: i64,
    pub completions: Option<i64>,
    pub backoff_limit: i64,
    pub backoff_limit_per_index: Option<i64>,
    pub failed_indexes_max: Option<i64>,
    pub deadline_seconds: Option<i64>,
    pub has_failure_policy: bool,
    /// Whether pods that are going are waited for before they are replaced.
    pub replaces_only_failed: bool,
    /// Whether pods restart their containers.
    pub restarts_in_place: bool,
}

impl Spec {
    pub fn of(job: &Object) -> Spec {
        let mut spec = Spec {
            whole: job.at("spec").cloned(),
            selector: LabelSelector::from_value(job.at("spec.selector")),
            is_suspended: false,
            is_indexed: false,
            parallelism: 1,
            completions: None,
            backoff_limit: 6,
            backoff_limit_per_index: None,
            failed_indexes_max: None,
            deadline_seconds: None,
            has_failure_policy: false,
            replaces_only_failed: false,
            restarts_in_place: false,
        };
        for (key, value) in job.map_at("spec").into_iter().flat_map(Map::iter) {
            match key.as_str() {
                "activeDeadlineSeconds" => spec.deadline_seconds = value.as_i64(),
                "backoffLimit" => spec.backoff_limit = value.as_i64().unwrap_or(spec.backoff_limit),
                "backoffLimitPerIndex" => spec.backoff_limit_per_index = value.as_i64(),
                "completionMode" => spec.is_indexed = value.as_str() == Some("Indexed"),
                "completions" => spec.completions = value.as_i64(),
                "maxFailedIndexes" => spec.failed_indexes_max = value.as_i64(),
                "parallelism" => spec.parallelism = value.as_i64().unwrap_or(spec.parallelism),
                "podFailurePolicy" => spec.has_failure_policy = true,
                "podReplacementPolicy" => spec.replaces_only_failed = value.as_str() == Some("Failed"),
                "suspend" => spec.is_suspended = value.as_bool() == Some(true),
                "template" => spec.restarts_in_place = value.str_at("spec.restartPolicy") == Some("OnFailure"),
                _ => (),
            }
        }
        spec.replaces_only_failed |= spec.has_failure_policy;
        spec
    }

    /// Whether it is what a Job says, surely.
    pub fn is_of(&self, job: &Object) -> bool {
        self.whole.as_ref().zip(job.at("spec")).is_some_and(|(whole, it)| it.same(whole))
    }
}
