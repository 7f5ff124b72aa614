//! One step towards the wanted pods: make and mend them in order, take away what is too many, then roll to the new
//! revision (`updateStatefulSet`).

use std::sync::Arc;

use kinds::POD;
use meta::{Object, Status};
use runtime::Cx;

use super::{Replica, Sync, identity, is_running_and_ready};
use crate::pods;

/// Whether to go on with the next pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Next,
    Wait,
}

impl Sync {
    /// # Errors
    /// The first failed request.
    pub(super) fn run(&mut self, cx: &mut Cx<'_>) -> Result<(), Status> {
        if self.set.meta.is_deleted() {
            return Ok(());
        }
        let in_order = !self.is_parallel();
        let n_replicas = self.replicas.len();
        if !in_order {
            pods::slow_start(n_replicas, &mut |idx| self.keep_replica(cx, idx, false).map(drop))?;
        }
        for idx in 0..n_replicas {
            if in_order && self.keep_replica(cx, idx, true)? == Step::Wait {
                return Ok(());
            }
        }
        for pod in self.condemned.clone() {
            if !self.claims_fit(cx, &pod) {
                self.fit_claims(cx, &pod)?;
            }
        }
        let first_unavailable = self.first_unavailable();
        for pod in self.condemned.clone() {
            if self.take_away(cx, &pod, first_unavailable.as_deref(), in_order)? == Step::Wait && in_order {
                return Ok(());
            }
        }
        if self.set.str_at("spec.updateStrategy.type") == Some("OnDelete") {
            return Ok(());
        }
        self.roll(cx)
    }

    /// The unavailable pod with the lowest number, wanted ones first.
    fn first_unavailable(&self) -> Option<Arc<Object>> {
        for replica in &self.replicas {
            match replica {
                Replica::There(pod) if self.is_unavailable(pod) => return Some(pod.clone()),
                // A pod that is not made yet is unavailable, but no condemned one is it.
                Replica::Missing(_) => return None,
                Replica::There(_) => (),
            }
        }
        self.condemned.iter().rev().find(|it| self.is_unavailable(it)).cloned()
    }

    /// `processReplica`
    fn keep_replica(&mut self, cx: &mut Cx<'_>, idx: usize, in_order: bool) -> Result<Step, Status> {
        let Some(replica) = self.replicas.get(idx).cloned() else { return Ok(Step::Next) };
        let pod = match replica {
            Replica::Missing(pod) => return self.create(cx, idx, *pod),
            Replica::There(pod) => pod,
        };
        if pods::is_terminal(&pod) {
            if !pod.meta.is_deleted() {
                self.delete(cx, &pod)?;
            }
            return Ok(Step::Wait);
        }
        if pods::phase(&pod) == "Pending" {
            self.create_claims(cx, &pod)?;
            self.fit_claims(cx, &pod)?;
        }
        let is_settled = !pod.meta.is_deleted() && is_running_and_ready(&pod) && self.is_available(&pod);
        if in_order && !is_settled {
            return Ok(Step::Wait);
        }
        let has_identity = identity::matches(&self.set, &pod) && identity::has_storage(&self.set, &pod);
        if !has_identity || !self.claims_fit(cx, &pod) {
            self.mend(cx, &pod)?;
        }
        Ok(Step::Next)
    }

    fn create(&mut self, cx: &mut Cx<'_>, idx: usize, pod: Object) -> Result<Step, Status> {
        if self.has_stale_claim(cx, &pod) {
            return Ok(Step::Wait);
        }
        if let Err(status) = self.create_claims(cx, &pod) {
            self.record(cx, "Create", &pod, Some(&status));
            return Err(status);
        }
        match cx.create(pod.clone()) {
            Ok(created) => {
                self.fit_claims(cx, &created)?;
                self.record(cx, "Create", &created, None);
                if let Some(replica) = self.replicas.get_mut(idx) {
                    *replica = Replica::There(created);
                }
                Ok(Step::Wait)
            }
            Err(status) if status.is_already_exists() => Err(status),
            Err(status) => {
                self.record(cx, "Create", &pod, Some(&status));
                Err(status)
            }
        }
    }

    /// Gives a pod back its labels, volumes and claims (`UpdateStatefulPod`).
    fn mend(&self, cx: &mut Cx<'_>, pod: &Arc<Object>) -> Result<(), Status> {
        let mut update = Object::clone(pod);
        if !identity::matches(&self.set, pod) {
            update = identity::with_identity(&update);
        }
        if !identity::has_storage(&self.set, pod) {
            update = identity::with_storage(&self.set, &update);
            self.create_claims(cx, pod)?;
        }
        self.fit_claims(cx, pod)?;
        let res = if update == **pod { Ok(()) } else { cx.update(update).map(|_| ()) };
        self.record(cx, "Update", pod, res.as_ref().err());
        res
    }

    /// `processCondemned`
    fn take_away(
        &self,
        cx: &mut Cx<'_>,
        pod: &Arc<Object>,
        first_unavailable: Option<&Object>,
        in_order: bool,
    ) -> Result<Step, Status> {
        if pod.meta.is_deleted() {
            return Ok(if in_order { Step::Wait } else { Step::Next });
        }
        let is_first = first_unavailable.is_some_and(|it| it.meta.uid == pod.meta.uid);
        let is_settled = is_running_and_ready(pod) && self.is_available(pod);
        if in_order && !is_settled && !is_first {
            return Ok(Step::Wait);
        }
        self.delete(cx, pod).map(|()| Step::Wait)
    }

    /// Deletes the pod of another revision that has the highest number, unless one above it is not available yet.
    ///
    /// `MaxUnavailableStatefulSet` is off in 1.36: it is one at a time, and whether the pod itself is available does not matter.
    fn roll(&mut self, cx: &mut Cx<'_>) -> Result<(), Status> {
        let partition = self.set.i64_at("spec.updateStrategy.rollingUpdate.partition").unwrap_or(0);
        let first = usize::try_from(partition).unwrap_or(usize::MAX);
        for replica in self.replicas.iter().skip(first).rev() {
            let Replica::There(pod) = replica else { return Ok(()) };
            let is_new = identity::revision(pod) == Some(self.revisions.update.name());
            if !is_new && !pod.meta.is_deleted() {
                self.delete(cx, pod)?;
                self.revisions.n_deleted += 1;
                return Ok(());
            }
            if self.is_unavailable(pod) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn delete(&self, cx: &mut Cx<'_>, pod: &Object) -> Result<(), Status> {
        match cx.delete(POD, &pod.key()) {
            Err(status) if !status.is_not_found() => {
                self.record(cx, "Delete", pod, Some(&status));
                Err(status)
            }
            _ => {
                self.record(cx, "Delete", pod, None);
                Ok(())
            }
        }
    }

    fn record(&self, cx: &mut Cx<'_>, verb: &str, pod: &Object, failure: Option<&Status>) {
        let what = format!("{verb} Pod {} in StatefulSet {}", pod.name(), self.set.name());
        match failure {
            None => cx.event(&self.set, "Normal", &format!("Successful{verb}"), &format!("{what} successful")),
            Some(status) => {
                let message = format!("{what} failed error: {}", status.message);
                cx.event(&self.set, "Warning", &format!("Failed{verb}"), &message);
            }
        }
    }
}
