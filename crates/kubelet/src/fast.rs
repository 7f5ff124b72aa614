//! The fast mode: pods run at once, those of Jobs succeed, deleted ones go.

use std::sync::Arc;

use kinds::POD;
use meta::{Key, Object, Status};
use runtime::Cx;
use sim::{Duration, Instant};

use crate::kubelets::{Kubelets, is_live, node_of};
use crate::machine::Network;
use crate::{nodes, status};

/// From the binding to running.
const RUN: Duration = Duration::from_millis(200);
/// From running to the success of a Job's pod.
const SUCCEED: Duration = Duration::from_secs(1);
/// From the deletion to the end.
const REMOVE: Duration = Duration::from_millis(200);

/// A pod to which something is going to happen.
pub(crate) struct Fast {
    pub pod: Arc<Object>,
    at: Instant,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Run,
    Succeed,
    Remove,
}

fn is_of_job(pod: &Object) -> bool {
    pod.meta.controller().is_some_and(|it| it.kind == "Job")
}

impl Kubelets {
    /// Takes a new state of a pod in; nothing is to be done before its time.
    pub(crate) fn pod_of_fast(&mut self, pod: &Arc<Object>, now: Instant) -> bool {
        let key = pod.key();
        let has_statuses = pod.at("status.containerStatuses").is_some();
        let is_over = matches!(pod.str_at("status.phase"), Some("Succeeded" | "Failed"));
        let planned = self.fast.get_mut(&key).filter(|it| it.pod.meta.uid == pod.meta.uid);
        let (stage, delay) = match &planned {
            _ if pod.meta.is_deleted() => (Stage::Remove, REMOVE),
            _ if !has_statuses && !is_over => (Stage::Run, RUN),
            // What somebody else wrote stays as it is.
            Some(it) if it.stage == Stage::Succeed && it.pod.at("status") == pod.at("status") => {
                (Stage::Succeed, SUCCEED)
            }
            // After a restart nobody knows who wrote it.
            None if is_of_job(pod) && pod.str_at("status.phase") == Some("Running") && is_ours(pod) => {
                (Stage::Succeed, SUCCEED)
            }
            _ => {
                self.fast.remove(&key);
                return false;
            }
        };
        if let Some(it) = planned.filter(|it| it.stage == stage) {
            it.pod = pod.clone();
            return false;
        }
        self.plan_fast(key, Fast { pod: pod.clone(), at: now + delay, stage });
        false
    }

    fn plan_fast(&mut self, key: Key, fast: Fast) {
        self.timers.set(fast.at, key.clone());
        self.fast.insert(key, fast);
    }

    pub(crate) fn live_fast(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<(), Status> {
        let now = cx.now();
        let Some(fast) = self.fast.get(key).filter(|it| it.at <= now) else { return Ok(()) };
        let (pod, stage) = (fast.pod.clone(), fast.stage);
        let network = match self.machines.get(node_of(&pod)) {
            Some(machine) if is_live(&machine.object) => machine.network.clone(),
            Some(_) => return Ok(()),
            None => Network::elsewhere(node_of(&pod)),
        };
        let ip = nodes::pod_ip(cx, &network, &pod);
        self.fast.remove(key);
        if stage == Stage::Remove {
            return cx.delete_now(POD, key);
        }
        let pod = cx.update_status(&pod, status::fast(&pod, &network, &ip, now, stage == Stage::Succeed))?;
        if stage == Stage::Run && is_of_job(&pod) {
            self.plan_fast(key.clone(), Fast { pod, at: now + SUCCEED, stage: Stage::Succeed });
        }
        Ok(())
    }
}

/// Whether all containers run as this mode lets them.
fn is_ours(pod: &Object) -> bool {
    pod.list_at("status.containerStatuses").iter().all(|it| it.at("state.running").is_some())
}
