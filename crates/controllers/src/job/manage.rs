//! Keeps as many pods running as parallelism and completions ask for (`manageJob`).

use std::collections::BTreeSet;
use std::sync::Arc;

use meta::{Object, Status};
use runtime::Cx;
use value::{Map, Str, Value, value};

use super::{BURST, Sync, TRACKING, backoff, has_tracking, indexes, remove_tracking};
use crate::pods;

/// Generated names are cut to this before their suffix.
const PREFIX_MAX: usize = 58;

impl Sync {
    /// # Errors
    /// The first failed request.
    pub(super) fn manage(&mut self, cx: &mut Cx<'_>) -> Result<(), Status> {
        let n_active = self.active.len() as i64;
        if self.spec.is_suspended {
            let doomed = self.for_removal(self.active.len());
            return self.delete_pods(cx, &doomed, true);
        }
        let parallelism = self.spec.parallelism;
        let wanted = match self.spec.completions {
            None if self.succeeded > 0 => n_active,
            None => parallelism,
            Some(completions) => (completions - self.succeeded).min(parallelism).max(0),
        };
        let mut doomed = self.for_removal(usize::try_from(n_active - wanted).unwrap_or(0));
        doomed.truncate(BURST);
        if !doomed.is_empty() {
            return self.delete_pods(cx, &doomed, true);
        }
        let terminating = if self.spec.replaces_only_failed { self.status.terminating } else { 0 };
        let missing = usize::try_from(wanted - terminating - n_active).unwrap_or(0);
        if missing == 0 {
            return Ok(());
        }
        if self.spec.backoff_limit_per_index.is_none()
            && let Some(left) = self.record.remaining(self.now)
        {
            self.look_again(left);
            // Upstream shows no active pods while it waits.
            self.status.active = 0;
            return Ok(());
        }
        self.create_pods(cx, missing.min(BURST))
    }

    fn create_pods(&mut self, cx: &mut Cx<'_>, n: usize) -> Result<(), Status> {
        let template = Template::of(&self.job, self.spec.is_indexed);
        if !self.spec.is_indexed {
            return pods::slow_start(n, &mut |_| self.create_pod(cx, template.shared.pod()));
        }
        let mut pending = self.pending_indexes(n);
        if self.spec.backoff_limit_per_index.is_some() {
            let left = |index: &i64| {
                self.delayed.get(index).and_then(|it| backoff::of_index(indexes::failures_before(it), it, self.now))
            };
            let soonest = pending.iter().filter_map(left).min();
            pending.retain(|it| left(it).is_none());
            if let Some(soonest) = soonest.filter(|_| pending.is_empty()) {
                self.look_again(soonest);
                self.status.active = 0;
                return Ok(());
            }
        }
        pods::slow_start(pending.len(), &mut |idx| {
            let Some(index) = pending.get(idx).copied() else { return Ok(()) };
            let mut pod = template.indexed(&self.job, index);
            if self.spec.backoff_limit_per_index.is_some() {
                let (counted, ignored) = indexes::counts_after(&self.job, self.delayed.get(&index));
                pod.meta.annotations.insert(indexes::FAILURES, counted.to_string());
                if ignored > 0 {
                    pod.meta.annotations.insert(indexes::IGNORED_FAILURES, ignored.to_string());
                }
            }
            self.create_pod(cx, pod)
        })
    }

    fn create_pod(&mut self, cx: &mut Cx<'_>, pod: Object) -> Result<(), Status> {
        match pods::create(cx, &self.job, pod) {
            Err(status) if !pods::is_namespace_terminating(&status) => return Err(status),
            _ => self.status.active += 1,
        }
        Ok(())
    }

    /// Deletes pods and takes them out of the counts; `release` lets those go that would otherwise be counted.
    pub(super) fn delete_pods(&mut self, cx: &mut Cx<'_>, doomed: &[Arc<Object>], release: bool) -> Result<(), Status> {
        let mut res = Ok(());
        for pod in doomed {
            let mut deleted = Ok(());
            if release && has_tracking(pod) {
                deleted = remove_tracking(cx, pod);
            }
            match deleted.and_then(|()| pods::delete(cx, &self.job, &pod.key())) {
                Err(status) => res = Err(status),
                Ok(()) => {
                    self.status.active -= 1;
                    self.status.terminating += 1;
                    self.status.ready -= i64::from(pods::is_ready(pod));
                }
            }
        }
        res
    }

    /// At least `n` active pods; of several pods with one index all but the best go, whatever `n` is.
    fn for_removal(&self, n: usize) -> Vec<Arc<Object>> {
        let mut left = self.active.clone();
        left.sort_by(|a, b| pods::by_worth(a, b));
        let mut doomed: Vec<Arc<Object>> = Vec::new();
        if self.spec.is_indexed {
            let mut seen = BTreeSet::new();
            // The best of an index comes last in the order of removal.
            let (keep, repeated): (Vec<_>, Vec<_>) =
                left.into_iter().rev().partition(|it| self.valid_index(it).is_some_and(|index| seen.insert(index)));
            doomed = repeated.into_iter().rev().collect();
            left = keep.into_iter().rev().collect();
        }
        let more = n.saturating_sub(doomed.len()).min(left.len());
        doomed.extend(left.into_iter().take(more));
        doomed
    }
}

/// The Job's template with what every pod of it has.
struct Template {
    shared: pods::Template,
}

impl Template {
    fn of(job: &Object, is_indexed: bool) -> Template {
        let mut shared = pods::Template::of(job, "batch/v1", "Job");
        shared.add_finalizer(TRACKING);
        if is_indexed {
            shared.edit_spec(|spec| {
                for list in ["initContainers", "containers"] {
                    spec.edit_maps(list, add_index_variable);
                }
            });
        }
        Template { shared }
    }

    fn indexed(&self, job: &Object, index: i64) -> Object {
        let mut pod = self.shared.pod();
        let number = Str::from(index.to_string());
        pod.meta.annotations.insert(indexes::INDEX, &number);
        pod.meta.labels.insert(indexes::INDEX, &number);
        pod.set("spec.hostname", format!("{}-{index}", job.name()));
        let suffix = format!("-{index}-");
        let end = PREFIX_MAX.saturating_sub(suffix.len()).min(job.name().len());
        pod.meta.generate_name = format!("{}{suffix}", job.name().get(..end).unwrap_or(job.name())).into();
        pod
    }
}

/// `JOB_COMPLETION_INDEX`, unless the container has a variable of that name.
fn add_index_variable(container: &mut Map) {
    const NAME: &str = "JOB_COMPLETION_INDEX";
    let mut variables = container.get("env").and_then(Value::as_list).map_or_else(Vec::new, |it| it.to_vec());
    if variables.iter().any(|it| it.str_at("name") == Some(NAME)) {
        return;
    }
    let path = format!("metadata.labels['{}']", indexes::INDEX);
    variables.push(value!({ "name": NAME, "valueFrom": { "fieldRef": { "fieldPath": path } } }));
    container.insert("env", variables);
}
