//! `rollout status`.

use std::collections::VecDeque;

use meta::quoted;
use value::Value;

use super::{RULES, group_kind, int, require, revision_of};
use crate::failure::{Failure, Result, fail};
use crate::manifest::Info;
use crate::shell::{Cx, Flow, Wait};
use crate::watch::{Next, Single};

pub(super) fn status(cx: &mut Cx<'_>) -> Result<Flow> {
    require(cx)?;
    let targets = cx.targets(&RULES)?;
    let (infos, failures) = cx.collect(targets, &RULES);
    let deadline = Some(cx.flags().seconds("timeout", 0)).filter(|it| *it > 0).map(|it| cx.now() + it);
    if infos.is_empty() && failures.is_empty() {
        let namespace = cx.namespace();
        cx.note(&format!("No resources found in {namespace} namespace."));
    }
    Ok(Flow::Wait(Box::new(Status { left: infos.into(), current: None, failures, deadline })))
}

struct Status {
    left: VecDeque<Info>,
    current: Option<Single>,
    failures: Vec<Failure>,
    deadline: Option<i64>,
}

impl Status {
    fn step(&mut self, cx: &mut Cx<'_>) -> Result<bool> {
        let Some(info) = self.left.front() else { return Ok(true) };
        if !matches!(&*info.resource.kind, "Deployment" | "DaemonSet" | "StatefulSet") {
            return fail(format!("no status viewer has been implemented for {}", group_kind(info)));
        }
        let single = match &mut self.current {
            Some(it) => it,
            None => self.current.insert(Single::open(cx, info, self.deadline)?),
        };
        loop {
            let event = match single.next(cx)? {
                Next::Event(event) => event,
                Next::Nothing => return Ok(false),
                Next::End if self.deadline.is_some_and(|it| cx.now() >= it) => {
                    return fail("timed out waiting for the condition");
                }
                Next::End => {
                    self.current = None;
                    return Ok(false);
                }
            };
            if event.kind == "DELETED" {
                return fail("object has been deleted");
            }
            let (text, done) = match &*info.resource.kind {
                "Deployment" => deployment_status(&event.object, cx.flags().int("revision", 0))?,
                "DaemonSet" => daemon_set_status(&event.object)?,
                _ => stateful_set_status(&event.object)?,
            };
            cx.line(&text);
            if done || !cx.flags().is_or("watch", true) {
                return Ok(true);
            }
        }
    }
}

impl Wait for Status {
    fn poll(&mut self, cx: &mut Cx<'_>) -> Result<Flow> {
        while !self.left.is_empty() {
            match self.step(cx) {
                Ok(false) => return Ok(Flow::Waiting),
                Ok(true) => {}
                Err(failure) => self.failures.push(failure),
            }
            self.left.pop_front();
            self.current = None;
        }
        Failure::all(std::mem::take(&mut self.failures))?;
        Ok(Flow::Done)
    }
}

fn name(object: &Value) -> String {
    quoted(object.str_at("metadata.name").unwrap_or_default())
}

fn observed(object: &Value) -> bool {
    int(object, "metadata.generation") <= int(object, "status.observedGeneration")
}

fn deployment_status(it: &Value, revision: i64) -> Result<(String, bool)> {
    let name = name(it);
    if revision > 0 {
        let running = revision_of(it);
        if running != revision {
            return fail(format!("desired revision ({revision}) is different from the running revision ({running})"));
        }
    }
    if !observed(it) {
        return Ok(("Waiting for deployment spec update to be observed...".into(), false));
    }
    let late = it
        .list_at("status.conditions")
        .iter()
        .any(|it| it.str_at("type") == Some("Progressing") && it.str_at("reason") == Some("ProgressDeadlineExceeded"));
    if late {
        return fail(format!("deployment {name} exceeded its progress deadline"));
    }
    let (desired, all) = (int(it, "spec.replicas"), int(it, "status.replicas"));
    let (updated, available) = (int(it, "status.updatedReplicas"), int(it, "status.availableReplicas"));
    let waiting = format!("Waiting for deployment {name} rollout to finish: ");
    Ok(match () {
        () if updated < desired => {
            (format!("{waiting}{updated} out of {desired} new replicas have been updated..."), false)
        }
        () if all > updated => (format!("{waiting}{} old replicas are pending termination...", all - updated), false),
        () if available < updated => {
            (format!("{waiting}{available} of {updated} updated replicas are available..."), false)
        }
        () => (format!("deployment {name} successfully rolled out"), true),
    })
}

fn rolling_only(it: &Value) -> Result<()> {
    match it.str_at("spec.updateStrategy.type") {
        Some("RollingUpdate") => Ok(()),
        _ => fail("rollout status is only available for RollingUpdate strategy type"),
    }
}

fn daemon_set_status(it: &Value) -> Result<(String, bool)> {
    rolling_only(it)?;
    let name = name(it);
    if !observed(it) {
        return Ok(("Waiting for daemon set spec update to be observed...".into(), false));
    }
    let desired = int(it, "status.desiredNumberScheduled");
    let (updated, available) = (int(it, "status.updatedNumberScheduled"), int(it, "status.numberAvailable"));
    let waiting = format!("Waiting for daemon set {name} rollout to finish: ");
    Ok(match () {
        () if updated < desired => {
            (format!("{waiting}{updated} out of {desired} new pods have been updated..."), false)
        }
        () if available < desired => {
            (format!("{waiting}{available} of {desired} updated pods are available..."), false)
        }
        () => (format!("daemon set {name} successfully rolled out"), true),
    })
}

fn stateful_set_status(it: &Value) -> Result<(String, bool)> {
    rolling_only(it)?;
    if int(it, "status.observedGeneration") == 0 || !observed(it) {
        return Ok(("Waiting for statefulset spec update to be observed...".into(), false));
    }
    let (desired, ready) = (int(it, "spec.replicas"), int(it, "status.readyReplicas"));
    let updated = int(it, "status.updatedReplicas");
    if ready < desired {
        return Ok((format!("Waiting for {} pods to be ready...", desired - ready), false));
    }
    if let Some(rolling) = it.at("spec.updateStrategy.rollingUpdate") {
        if let Some(partition) = rolling.i64_at("partition")
            && updated < desired - partition
        {
            let wanted = desired - partition;
            let text = format!(
                "Waiting for partitioned roll out to finish: {updated} out of {wanted} new pods have been updated..."
            );
            return Ok((text, false));
        }
        return Ok((format!("partitioned roll out complete: {updated} new pods have been updated..."), true));
    }
    let revision = |field: &'static str| it.str_at(field).unwrap_or_default().to_owned();
    let (update, current) = (revision("status.updateRevision"), revision("status.currentRevision"));
    if update != current {
        let text = format!("waiting for statefulset rolling update to complete {updated} pods at revision {update}...");
        return Ok((text, false));
    }
    let n_current = int(it, "status.currentReplicas");
    Ok((format!("statefulset rolling update complete {n_current} pods at revision {current}..."), true))
}
