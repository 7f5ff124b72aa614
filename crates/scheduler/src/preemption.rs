//! Which pods of lower priority to evict so that a pod fits (`plugins/defaultpreemption`).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use value::{Str, Value};

use crate::cache::{Cache, NodeInfo, PodInfo};
use crate::cycle::{Failure, fit_message};
use crate::plugins::{Cycle, Verdict};

/// What preemption can do.
pub(crate) enum Preemption {
    /// Evict these pods of this node.
    Victims { node: Str, pods: Vec<Arc<PodInfo>> },
    /// Nothing, and why.
    No(String),
}

/// How a node would stand after evictions.
struct Candidate<'a> {
    node: &'a Str,
    /// Most important first.
    victims: Vec<Arc<PodInfo>>,
}

/// Looks for the node where evicting costs least.
pub(crate) fn preempt(cache: &Cache, pod: &PodInfo, failure: &Failure) -> Preemption {
    if pod.pod.str_at("spec.preemptionPolicy") == Some("Never") {
        return Preemption::No("not eligible due to preemptionPolicy=Never.".to_owned());
    }
    if waits_for_victims(cache, pod, failure) {
        return Preemption::No("not eligible due to a terminating pod on the nominated node.".to_owned());
    }
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut candidates = Vec::new();
    for (name, info) in &cache.nodes {
        let outcome = match failure.verdicts.get(name) {
            Some(Verdict::Unschedulable(_)) => victims_on(cache, info, pod),
            _ => Err(vec!["Preemption is not helpful for scheduling".to_owned()]),
        };
        match outcome {
            Ok(victims) => candidates.push(Candidate { node: name, victims }),
            Err(list) => list.into_iter().for_each(|it| *reasons.entry(it).or_default() += 1),
        }
    }
    match candidates.into_iter().min_by_key(Candidate::cost) {
        Some(it) => Preemption::Victims { node: it.node.clone(), pods: it.victims },
        None => Preemption::No(fit_message(cache.nodes.len(), &reasons)),
    }
}

/// Whether victims on the nominated node are still going (`PodEligibleToPreemptOthers`).
fn waits_for_victims(cache: &Cache, pod: &PodInfo, failure: &Failure) -> bool {
    let Some(nominated) = pod.pod.str_at("status.nominatedNodeName").filter(|it| !it.is_empty()) else { return false };
    if matches!(failure.verdicts.get(nominated), Some(Verdict::Unresolvable(_))) {
        return false;
    }
    let going = |it: &PodInfo| it.priority < pod.priority && it.pod.meta.is_deleted() && is_preempted(it);
    cache.nodes.get(nominated).is_some_and(|it| it.pods.values().any(|it| going(it)))
}

fn is_preempted(pod: &PodInfo) -> bool {
    let reason = |it: &Value| {
        it.str_at("type") == Some("DisruptionTarget") && it.str_at("reason") == Some("PreemptionByScheduler")
    };
    pod.pod.list_at("status.conditions").iter().any(reason)
}

/// `SelectVictimsOnNode`: all pods of lower priority go, then as many as fit come back, the most important first.
fn victims_on(cache: &Cache, node: &NodeInfo, pod: &PodInfo) -> Result<Vec<Arc<PodInfo>>, Vec<String>> {
    let mut potential: Vec<Arc<PodInfo>> =
        node.pods.values().filter(|it| it.priority < pod.priority).cloned().collect();
    if potential.is_empty() {
        return Err(vec!["No preemption victims found for incoming pod".to_owned()]);
    }
    let mut without = node.clone();
    let mut cycle = Cycle::new(cache, pod);
    for victim in &potential {
        without.remove(&victim.key);
        cycle.change(victim, node, -1);
    }
    cycle.filter(&without).map_err(|(_, verdict)| verdict.reasons().to_vec())?;
    // More important: higher priority, then longer running.
    potential.sort_by_key(|it| (Reverse(it.priority), it.started(), it.key.clone()));
    let mut victims = Vec::new();
    for candidate in potential {
        without.add(candidate.clone());
        cycle.change(&candidate, node, 1);
        if cycle.filter(&without).is_err() {
            without.remove(&candidate.key);
            cycle.change(&candidate, node, -1);
            victims.push(candidate);
        }
    }
    Ok(victims)
}

impl Candidate<'_> {
    /// Smaller is better: highest priority among victims, their sum, their number, and the later start of the most important.
    fn cost(&self) -> (i64, i128, usize, Reverse<i64>) {
        let highest = self.victims.iter().map(|it| it.priority).max().unwrap_or(i64::MIN);
        // Shifted so that many low priorities weigh more than few, as upstream does.
        let sum = self.victims.iter().map(|it| i128::from(it.priority) + (1 << 31)).sum();
        let earliest =
            self.victims.iter().filter(|it| it.priority == highest).map(|it| it.started()).min().unwrap_or(0);
        (highest, sum, self.victims.len(), Reverse(earliest))
    }
}
