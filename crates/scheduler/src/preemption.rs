//! Which pods of lower priority to evict so that a pod fits (`plugins/defaultpreemption`).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use meta::Object;
use meta::selector::LabelSelector;
use value::{Map, Str};

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
    victims: Victims,
}

/// Pods to evict, the most important first, those that a budget protects before others.
struct Victims {
    pods: Vec<Arc<PodInfo>>,
    /// How many of them no budget allows to go.
    n_violations: usize,
}

/// A disruption budget as preemption sees it.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    namespace: Str,
    selector: LabelSelector,
    allowed: i64,
    /// Pods whose disruption it counts already.
    disrupted: Vec<Str>,
}

impl Budget {
    pub fn of(budget: &Object) -> Budget {
        Budget {
            namespace: budget.meta.namespace.clone(),
            selector: LabelSelector::from_value(budget.at("spec.selector")),
            allowed: budget.i64_at("status.disruptionsAllowed").unwrap_or(0),
            disrupted: budget.map_at("status.disruptedPods").into_iter().flat_map(Map::keys).cloned().collect(),
        }
    }

    fn covers(&self, pod: &PodInfo) -> bool {
        let labels = &pod.pod.meta.labels;
        // A budget whose selector is empty is for no pod here, as upstream has it.
        pod.key.namespace == self.namespace
            && !labels.is_empty()
            && !self.selector.is_everything()
            && self.selector.matches(labels)
            && !self.disrupted.contains(&pod.key.name)
    }
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
    for (name, info) in cache.nodes.iter() {
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
        Some(it) => Preemption::Victims { node: it.node.clone(), pods: it.victims.pods },
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
    pod.pod.condition("DisruptionTarget").and_then(|it| it.str_at("reason")) == Some("PreemptionByScheduler")
}

/// `SelectVictimsOnNode`: all pods of lower priority go, then as many as fit come back, the most important first.
fn victims_on(cache: &Cache, node: &NodeInfo, pod: &PodInfo) -> Result<Victims, Vec<String>> {
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
    cycle.filter_with_nominated(&without).map_err(|(_, verdict)| verdict.reasons().to_vec())?;
    // More important: higher priority, then longer running.
    potential.sort_by_key(|it| (Reverse(it.priority), it.started(), it.key.clone()));
    let (protected, others) = split_by_budgets(&cache.budgets, potential);
    let n_protected = protected.len();
    let mut victims = Victims { pods: Vec::new(), n_violations: 0 };
    // What a budget protects comes back first.
    for (idx, candidate) in protected.into_iter().chain(others).enumerate() {
        without.add(candidate.clone());
        cycle.change(&candidate, node, 1);
        if cycle.filter_with_nominated(&without).is_err() {
            without.remove(&candidate.key);
            cycle.change(&candidate, node, -1);
            victims.n_violations += usize::from(idx < n_protected);
            victims.pods.push(candidate);
        }
    }
    Ok(victims)
}

/// `filterPodsWithPDBViolation`: pods whose eviction some budget does not allow, and the rest.
fn split_by_budgets(budgets: &[Budget], pods: Vec<Arc<PodInfo>>) -> (Vec<Arc<PodInfo>>, Vec<Arc<PodInfo>>) {
    let mut allowed: Vec<i64> = budgets.iter().map(|it| it.allowed).collect();
    pods.into_iter().partition(|pod| {
        let mut violates = false;
        for (budget, allowed) in budgets.iter().zip(&mut allowed).filter(|(it, _)| it.covers(pod)) {
            *allowed -= 1;
            violates |= *allowed < 0 || budget.allowed < 0;
        }
        violates
    })
}

impl Candidate<'_> {
    /// Smaller is better: budgets broken, highest priority among victims, their sum, their number, and the later start of the
    /// most important (`pickOneNodeForPreemption`).
    fn cost(&self) -> (usize, i64, i128, usize, Reverse<i64>) {
        let victims = &self.victims.pods;
        let highest = victims.iter().map(|it| it.priority).max().unwrap_or(i64::MIN);
        // Shifted so that many low priorities weigh more than few, as upstream does.
        let sum = victims.iter().map(|it| i128::from(it.priority) + (1 << 31)).sum();
        let earliest = victims.iter().filter(|it| it.priority == highest).map(|it| it.started()).min().unwrap_or(0);
        (self.victims.n_violations, highest, sum, victims.len(), Reverse(earliest))
    }
}
