//! Completion indexes: sets of numbers as intervals, and what they mean for a Job (`indexed_job_utils.go`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meta::Object;

use super::{FAILURE_TARGET, Finished, Sync, backoff, has_tracking, policy};
use crate::pods;

/// The annotation and label with a pod's index.
pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// How often the index had failed before this pod.
pub(super) const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
/// The same for failures that do not count.
pub(super) const IGNORED_FAILURES: &str = "batch.kubernetes.io/job-index-ignored-failure-count";

/// First and last numbers, in order, never touching: `1-3,5` is `[(1, 3), (5, 5)]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Intervals(Vec<(i64, i64)>);

impl Intervals {
    /// Reads `1-3,5`; what is not below `end` is left out, and so is what cannot be read.
    pub fn parse(text: &str, end: i64) -> Intervals {
        let mut res = Intervals::default();
        for part in text.split(',').filter(|it| !it.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (Ok(first), Ok(last)) = (first.parse::<i64>(), last.parse::<i64>()) else { continue };
            if first >= end {
                break;
            }
            if first <= last {
                res.push(first, last.min(end - 1));
            }
        }
        res
    }

    /// Adds numbers at or above the last interval.
    fn push(&mut self, first: i64, last: i64) {
        match self.0.last_mut() {
            Some(it) if first <= it.1.saturating_add(1) => it.1 = it.1.max(last),
            _ => self.0.push((first, last)),
        }
    }

    pub fn merged(&self, other: &Intervals) -> Intervals {
        let mut all: Vec<(i64, i64)> = self.0.iter().chain(&other.0).copied().collect();
        all.sort_unstable();
        let mut res = Intervals::default();
        for (first, last) in all {
            res.push(first, last);
        }
        res
    }

    pub fn with(&self, numbers: &BTreeSet<i64>) -> Intervals {
        self.merged(&Intervals(numbers.iter().map(|it| (*it, *it)).collect()))
    }

    pub fn total(&self) -> i64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    pub fn contains(&self, number: i64) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&number))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many numbers are in both.
    pub fn n_common(&self, other: &Intervals) -> i64 {
        let overlap = |a: &(i64, i64), b: &(i64, i64)| (a.1.min(b.1) - a.0.max(b.0) + 1).max(0);
        self.0.iter().flat_map(|a| other.0.iter().map(move |b| overlap(a, b))).sum()
    }

    /// The first `n` numbers below `end` that are not in the set.
    pub fn first_missing(&self, n: usize, end: i64) -> Vec<i64> {
        let mut res = Vec::new();
        let mut candidate = 0;
        for (first, last) in self.0.iter().copied().chain([(end, end)]) {
            while candidate < first.min(end) && res.len() < n {
                res.push(candidate);
                candidate += 1;
            }
            candidate = candidate.max(last.saturating_add(1));
        }
        res
    }
}

impl std::fmt::Display for Intervals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (idx, (first, last)) in self.0.iter().enumerate() {
            let comma = if idx == 0 { "" } else { "," };
            match last - first {
                0 => write!(f, "{comma}{first}")?,
                1 => write!(f, "{comma}{first},{last}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// The completion index of a pod.
pub(super) fn of(pod: &Object) -> Option<i64> {
    pod.meta.annotation(INDEX)?.parse().ok().filter(|it| *it >= 0)
}

fn all_of<'a>(pods: impl Iterator<Item = &'a Arc<Object>>) -> BTreeSet<i64> {
    pods.filter_map(|it| of(it)).collect()
}

fn count(pod: &Object, key: &str) -> i64 {
    pod.meta.annotation(key).and_then(|it| it.parse::<u32>().ok()).map_or(0, i64::from)
}

/// Failures of the pod's index before it, counted or not.
pub(super) fn failures_before(pod: &Object) -> i64 {
    count(pod, FAILURES) + count(pod, IGNORED_FAILURES)
}

/// The counts that the successor of a failed pod carries: failures, and those that do not count.
pub(super) fn counts_after(job: &Object, failed: Option<&Arc<Object>>) -> (i64, i64) {
    let Some(pod) = failed else { return (0, 0) };
    let (counted, ignored) = (count(pod, FAILURES), count(pod, IGNORED_FAILURES));
    if policy::counts(job, pod) { (counted + 1, ignored) } else { (counted, ignored + 1) }
}

impl Sync {
    /// What indexes say of the Job's end.
    pub(super) fn judge_indexes(&mut self) {
        let completions = self.completions();
        self.succeeded_before = Intervals::parse(&self.status.completed_indexes, completions);
        let is_valid = |it: &&Arc<Object>| has_tracking(it) && self.valid_index(it).is_some();
        let tracked: Vec<Arc<Object>> = self.pods.iter().filter(is_valid).cloned().collect();
        let newly = all_of(tracked.iter().filter(|it| pods::phase(it) == "Succeeded"));
        self.succeeded_indexes = self.succeeded_before.with(&newly);
        self.succeeded = self.succeeded_indexes.total();
        if let Some(limit) = self.spec.backoff_limit_per_index {
            let before = Intervals::parse(self.status.failed_indexes.as_deref().unwrap_or(""), completions);
            let failed = before.with(&all_of(tracked.iter().filter(|it| self.is_index_failed(it, limit))));
            if self.finished.is_none() {
                self.finished = self.failed_by_indexes(&failed);
            }
            self.failed_indexes = Some(failed);
            self.delayed = self.awaiting_replacement();
        }
        if self.finished.is_none()
            && let Some(message) = policy::success(&self.job, completions, &self.succeeded_indexes)
        {
            self.finished = Some(Finished::new(super::SUCCESS_CRITERIA_MET, "SuccessPolicy", message));
        }
    }

    fn failed_by_indexes(&self, failed: &Intervals) -> Option<Finished> {
        let total = failed.total();
        if self.spec.failed_indexes_max.is_some_and(|max| total > max) {
            let message = "Job has exceeded the specified maximal number of failed indexes";
            return Some(Finished::new(FAILURE_TARGET, "MaxFailedIndexesExceeded", message));
        }
        let all_ended = total > 0 && total + self.succeeded_indexes.total() >= self.completions();
        all_ended.then(|| Finished::new(FAILURE_TARGET, "FailedIndexes", "Job has failed indexes"))
    }

    fn is_index_failed(&self, pod: &Object, limit: i64) -> bool {
        if !policy::is_failed(&self.spec, pod) {
            return false;
        }
        policy::fails_index(&self.job, pod) || (policy::counts(&self.job, pod) && count(pod, FAILURES) >= limit)
    }

    /// The last failed pod of each index that has neither ended nor a running pod.
    fn awaiting_replacement(&self) -> BTreeMap<i64, Arc<Object>> {
        let active = all_of(self.active.iter());
        let mut res: BTreeMap<i64, Arc<Object>> = BTreeMap::new();
        for pod in self.pods.iter().filter(|it| has_tracking(it) && policy::is_failed(&self.spec, it)) {
            let Some(index) = self.valid_index(pod) else { continue };
            let is_over = self.succeeded_indexes.contains(index)
                || self.failed_indexes.as_ref().is_some_and(|it| it.contains(index))
                || active.contains(&index);
            if is_over {
                continue;
            }
            let rank = |it: &Object| (failures_before(it), backoff::finished_at(it));
            if res.get(&index).is_none_or(|it| rank(it) <= rank(pod)) {
                res.insert(index, pod.clone());
            }
        }
        res
    }

    /// The next indexes to run (`firstPendingIndexes`).
    pub(super) fn pending_indexes(&self, n: usize) -> Vec<i64> {
        let mut taken = self.succeeded_indexes.with(&all_of(self.active.iter()));
        if self.spec.replaces_only_failed {
            taken = taken.with(&all_of(self.pods.iter().filter(|it| pods::is_terminating(it))));
        }
        if let Some(failed) = &self.failed_indexes {
            taken = taken.merged(failed);
        }
        taken.first_missing(n, self.completions())
    }
}

#[cfg(test)]
mod tests;
