//! Hints that keep traffic in its zone as long as the zone has CPU for it (`k8s.io/endpointslice/topologycache`).

use std::collections::BTreeMap;
use std::sync::Arc;

use kinds::{ENDPOINT_SLICE, NODE, SERVICE};
use meta::{Key, Object};
use runtime::View;
use store::Change;
use value::quantity::Quantity;
use value::{Str, Value, map};

use super::plan::Plan;
use super::{MANAGED_BY, MANAGER, SERVICE_NAME};
use crate::pods;

const DISABLED: &str = "TopologyAwareHintsDisabled";
const ZONE: &str = "topology.kubernetes.io/zone";

/// Level, reason and message of an event.
pub(super) type Event = (&'static str, &'static str, String);

/// CPU in thousandths by zone.
#[derive(Default)]
pub(super) struct Zones(BTreeMap<Str, i128>);

/// How many endpoints a zone may have at most, and how many it should have, in parts of all the CPU there is.
struct Allocation {
    max: i128,
    desired: i128,
}

/// Whether a Service asks for hints (`hintsEnabled`).
pub(super) fn is_on(service: &Object) -> bool {
    let old = service.meta.annotation("service.kubernetes.io/topology-aware-hints");
    let mode = old.or_else(|| service.meta.annotation("service.kubernetes.io/topology-mode"));
    matches!(mode, Some("Auto" | "auto"))
}

/// Services whose hints ask too much of a zone now that a node is another one (`GetOverloadedServices`).
pub(super) fn overloaded_by_node(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let state = |it: Option<&Arc<Object>>| it.map(|it| (zone(it).map(str::to_owned), pods::is_ready(it)));
    if state(change.before.as_ref()) == state(change.after.as_ref()) {
        return;
    }
    let mut zones = None;
    for service in view.list(SERVICE, None).filter(|it| is_on(it)) {
        let zones = zones.get_or_insert_with(|| Zones::of(view));
        let is_its = |it: &&Arc<Object>| {
            it.meta.label(SERVICE_NAME) == Some(service.name()) && it.meta.label(MANAGED_BY) == Some(MANAGER)
        };
        let mut families: BTreeMap<&str, BTreeMap<Str, i128>> = BTreeMap::new();
        for slice in view.list(ENDPOINT_SLICE, Some(service.namespace())).filter(is_its) {
            let hints = families.entry(slice.str_at("addressType").unwrap_or("")).or_default();
            slice.list_at("endpoints").iter().flat_map(hinted).for_each(|it| *hints.entry(it).or_default() += 1);
        }
        if families.values().any(|it| zones.are_overloaded(it)) {
            keys.push(service.key());
        }
    }
}

fn zone(node: &Object) -> Option<&str> {
    node.meta.label(ZONE).filter(|it| !it.is_empty())
}

fn is_ready(endpoint: &Value) -> bool {
    endpoint.bool_at("conditions.ready") == Some(true)
}

fn hinted(endpoint: &Value) -> Vec<Str> {
    let zones = endpoint.list_at("hints.forZones").iter();
    zones.filter_map(|it| it.get("name")?.as_shared_str().cloned()).collect()
}

impl Zones {
    /// Of nodes that are ready; none at all where one does not say where it is or what it has (`SetNodes`).
    pub(super) fn of(view: &View<'_>) -> Zones {
        let mut res = Zones::default();
        let excluded = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];
        for node in view.list(NODE, None) {
            if excluded.iter().any(|it| node.meta.label(it).is_some()) || !pods::is_ready(node) {
                continue;
            }
            let cpu = node.str_at("status.allocatable.cpu").and_then(|it| Quantity::parse(it).ok());
            let cpu = cpu.map_or(0, |it| i128::from(it.milli_value()));
            let Some(zone) = zone(node).filter(|_| cpu != 0) else { return Zones::default() };
            *res.0.entry(zone.into()).or_default() += cpu;
        }
        if res.0.len() < 2 { Zones::default() } else { res }
    }

    fn total(&self) -> i128 {
        self.0.values().sum()
    }

    /// The fewest endpoints of `n` that leave no endpoint of a zone with a fifth more than its share.
    fn least(&self, cpu: i128, n: i128) -> i128 {
        let (part, whole) = (cpu * n * 5, self.total() * 6);
        part.div_euclid(whole) + i128::from(part.rem_euclid(whole) > 0)
    }

    fn are_overloaded(&self, hints: &BTreeMap<Str, i128>) -> bool {
        let n: i128 = hints.values().sum();
        let lacks = |(zone, cpu): (&Str, &i128)| hints.get(zone).is_none_or(|it| *it < self.least(*cpu, n));
        !hints.is_empty() && (self.0.is_empty() || self.0.iter().any(lacks))
    }

    /// `getAllocations`
    fn allocations(&self, n: usize) -> Result<BTreeMap<Str, Allocation>, String> {
        let n_zones = self.0.len();
        if n_zones == 0 {
            return Err(
                "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes".to_owned()
            );
        }
        if n_zones > n {
            return Err(format!("Insufficient number of endpoints ({n} endpoints, {n_zones} zones)"));
        }
        let (n, total) = (n as i128, self.total());
        let spare = n - self.0.values().map(|cpu| self.least(*cpu, n)).sum::<i128>();
        if spare < 0 {
            return Err(format!(
                "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ({n} endpoints, {n_zones} zones)"
            ));
        }
        let allocation = |cpu: &i128| {
            let least = self.least(*cpu, n);
            Allocation { max: least + spare, desired: (cpu * n).max(least * total) }
        };
        Ok(self.0.iter().map(|(zone, cpu)| (zone.clone(), allocation(cpu))).collect())
    }
}

/// Gives the endpoints of a plan hints, or takes them away where there cannot be any (`AddHints`). `unchanged` are the slices
/// that the plan leaves as they are.
///
/// # Errors
/// Why there are none now, for an event.
pub(super) fn add_hints(zones: &Zones, plan: &mut Plan, mut unchanged: Vec<Arc<Object>>) -> Result<(), String> {
    let written = plan.create.iter().chain(&plan.update);
    let all = written.chain(unchanged.iter().map(|it| &**it));
    let n_ready = all.flat_map(|it| it.list_at("endpoints")).filter(|it| is_ready(it)).count();
    let found = zones.allocations(n_ready).and_then(|allocations| {
        let mut counts: BTreeMap<Str, i128> = BTreeMap::new();
        unchanged.retain(|slice| {
            let kept = kept_hints(slice, &counts, &allocations);
            match &kept {
                Some(kept) => kept.iter().for_each(|(zone, n)| *counts.entry(zone.clone()).or_default() += n),
                None => plan.update.push(Object::clone(slice)),
            }
            kept.is_some()
        });
        hint(zones.total(), plan, &allocations, counts)
    });
    if found.is_err() {
        remove_hints(plan, unchanged);
    }
    found
}

/// The zones of a slice's hints; `None` where they cannot stay (`getHintsByZone`).
fn kept_hints(
    slice: &Object,
    counts: &BTreeMap<Str, i128>,
    allocations: &BTreeMap<Str, Allocation>,
) -> Option<BTreeMap<Str, i128>> {
    let mut res: BTreeMap<Str, i128> = BTreeMap::new();
    for endpoint in slice.list_at("endpoints").iter().filter(|it| is_ready(it)) {
        let zones = hinted(endpoint);
        if zones.is_empty() {
            return None;
        }
        zones.into_iter().for_each(|it| *res.entry(it).or_default() += 1);
    }
    let fits = |(zone, n): (&Str, &i128)| {
        allocations.get(zone).is_some_and(|it| n + counts.get(zone).copied().unwrap_or(0) <= it.max)
    };
    res.iter().all(fits).then_some(res)
}

fn hint(
    one: i128,
    plan: &mut Plan,
    allocations: &BTreeMap<Str, Allocation>,
    mut counts: BTreeMap<Str, i128>,
) -> Result<(), String> {
    let mut own: Vec<Vec<Option<Str>>> = Vec::new();
    for slice in plan.create.iter().chain(&plan.update) {
        let mut hints = Vec::new();
        for endpoint in slice.list_at("endpoints") {
            let zone = endpoint.get("zone").and_then(Value::as_shared_str).filter(|it| !it.is_empty());
            match zone {
                _ if !is_ready(endpoint) => hints.push(None),
                None => return Err("One or more endpoints do not have a zone specified".to_owned()),
                Some(zone) => {
                    *counts.entry(zone.clone()).or_default() += 1;
                    hints.push(Some(zone.clone()));
                }
            }
        }
        own.push(hints);
    }
    let (mut giving, mut receiving) = exchange(one, allocations, &counts);
    for hint in own.iter_mut().flatten().flatten() {
        let Some(left) = giving.get_mut(hint).filter(|it| **it > 0) else { continue };
        let Some((zone, room)) = receiving.iter_mut().find(|(_, it)| **it > 0) else { break };
        *left -= 1;
        *room -= 1;
        *hint = zone.clone();
    }
    if counts.is_empty() {
        return Err("No hints allocated for zones".to_owned());
    }
    for (slice, hints) in plan.create.iter_mut().chain(&mut plan.update).zip(own) {
        let hinted = |(endpoint, hint): (&Value, Option<Str>)| match hint {
            Some(zone) => endpoint.with("hints", Value::Map(map!({ "forZones": [{ "name": zone }] }))),
            None => endpoint.clone(),
        };
        let endpoints: Vec<Value> = slice.list_at("endpoints").iter().zip(hints).map(hinted).collect();
        if !endpoints.is_empty() {
            slice.body.insert("endpoints", endpoints);
        }
    }
    Ok(())
}

/// How many endpoints zones give away and get (`getGivingAndReceivingZones`); `one` is one endpoint.
fn exchange(
    one: i128,
    allocations: &BTreeMap<Str, Allocation>,
    counts: &BTreeMap<Str, i128>,
) -> (BTreeMap<Str, i128>, BTreeMap<Str, i128>) {
    let beyond =
        |(zone, it): (&Str, &Allocation)| (zone.clone(), counts.get(zone).copied().unwrap_or(0) * one - it.desired);
    let mut more: BTreeMap<Str, i128> = allocations.iter().map(beyond).filter(|(_, it)| *it > 0).collect();
    let mut less: BTreeMap<Str, i128> =
        allocations.iter().map(beyond).filter(|(_, it)| *it < 0).map(|(zone, it)| (zone, -it)).collect();
    let (mut giving, mut receiving) = (BTreeMap::new(), BTreeMap::new());
    let most = |zones: &mut BTreeMap<Str, i128>| -> Option<(Str, i128)> {
        let (zone, n) = zones.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)))?;
        Some((zone.clone(), *n))
    };
    while let (Some((from, give)), Some((to, get))) = (most(&mut more), most(&mut less)) {
        if (give < one && get < one) || give * 2 < one || get * 2 < one {
            break;
        }
        *giving.entry(from.clone()).or_default() += 1;
        *receiving.entry(to.clone()).or_default() += 1;
        more.insert(from, give - one);
        less.insert(to, get - one);
    }
    (giving, receiving)
}

/// `RemoveHintsFromSlices`
fn remove_hints(plan: &mut Plan, unchanged: Vec<Arc<Object>>) {
    let has_hints = |it: &Object| it.list_at("endpoints").iter().any(|it| it.get("hints").is_some());
    plan.update.extend(unchanged.iter().filter(|it| has_hints(it)).map(|it| Object::clone(it)));
    for slice in plan.create.iter_mut().chain(&mut plan.update).filter(|it| has_hints(it)) {
        let without = |it: &Value| {
            let mut it = it.clone();
            it.remove("hints");
            it
        };
        let endpoints: Vec<Value> = slice.list_at("endpoints").iter().map(without).collect();
        slice.body.insert("endpoints", endpoints);
    }
}

/// What is told of a Service whose hints came or went, by `addressType`.
pub(super) fn event(outcome: Result<(), String>, was_on: bool, family: &str) -> Option<Event> {
    match outcome {
        Ok(()) if was_on => None,
        Ok(()) => {
            let message = format!("Topology Aware Hints has been enabled, addressType: {family}");
            Some(("Normal", "TopologyAwareHintsEnabled", message))
        }
        Err(why) => Some(("Warning", DISABLED, format!("{why}, addressType: {family}"))),
    }
}

/// What is told of a Service that asks for hints no more.
pub(super) fn ended(family: &str) -> Event {
    ("Warning", DISABLED, format!("Topology Aware Hints has been disabled, addressType: {family}"))
}
