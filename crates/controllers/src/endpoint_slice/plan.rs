//! Which slices to create, change and delete so that as few as possible are written (`reconcileByPortMapping`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meta::Object;
use value::{Map, Str, Value};

use crate::services;

/// `--max-endpoints-per-slice`
const ENDPOINTS_MAX: usize = 100;

/// Endpoints that offer the same ports.
pub(crate) struct Group {
    pub ports: Value,
    wanted: BTreeMap<Id, Value>,
}

/// What makes an endpoint the same one: namespace and name of its pod, host name, addresses.
type Id = Vec<Str>;

fn id(endpoint: &Value) -> Id {
    let at = |path: &'static str| endpoint.at(path).and_then(Value::as_shared_str).cloned().unwrap_or_default();
    let mut res = vec![at("targetRef.namespace"), at("targetRef.name"), at("hostname")];
    res.extend(endpoint.list_at("addresses").iter().filter_map(Value::as_shared_str).cloned());
    res
}

impl Group {
    pub fn new(ports: Value) -> Group {
        Group { ports, wanted: BTreeMap::new() }
    }

    pub fn want(&mut self, endpoint: Value) {
        self.wanted.insert(id(&endpoint), endpoint);
    }

    fn pop(&mut self) -> Option<Value> {
        self.wanted.pop_first().map(|(_, it)| it)
    }
}

/// What is to be done.
#[derive(Default)]
pub(crate) struct Plan {
    pub create: Vec<Object>,
    pub update: Vec<Object>,
    pub delete: Vec<Arc<Object>>,
}

/// A live slice with its endpoints as they are to be.
struct Slice {
    live: Arc<Object>,
    endpoints: Vec<Value>,
    is_changed: bool,
}

/// Whether two endpoints differ in their hints at most.
pub(super) fn same_but_hints(a: &Value, b: &Value) -> bool {
    let rest = |it: &Value| it.as_map().map(|it| it.filtered(|key, _| key != "hints"));
    rest(a) == rest(b)
}

/// Fits `groups` into the live slices of one address type; endpoints that are the `same` are not written anew.
pub(crate) fn plan(
    live: Vec<Arc<Object>>,
    groups: Vec<Group>,
    is_owned: &dyn Fn(&Object) -> bool,
    labels: &Map,
    reserved: &[&str],
    new: &dyn Fn(&Value) -> Object,
    same: fn(&Value, &Value) -> bool,
) -> Plan {
    let mut plan = Plan::default();
    let n_live = live.len();
    let mut by_ports: Vec<(Value, Vec<Arc<Object>>)> = Vec::new();
    for slice in live {
        if !is_owned(&slice) {
            plan.delete.push(slice);
            continue;
        }
        let mut ports = slice.list_at("ports").to_vec();
        ports.sort_by(|a, b| services::by_hash(a, b, super::printed));
        let ports = Value::from(ports);
        match by_ports.iter_mut().find(|(it, _)| *it == ports) {
            Some((_, slices)) => slices.push(slice),
            None => by_ports.push((ports, vec![slice])),
        }
    }
    for group in groups {
        let place = by_ports.iter().position(|(it, _)| *it == group.ports);
        let slices = place.map(|idx| by_ports.remove(idx).1).unwrap_or_default();
        fit(&mut plan, slices, group, labels, reserved, new, same);
    }
    plan.delete.extend(by_ports.into_iter().flat_map(|(_, it)| it));
    if n_live == plan.delete.len() && plan.create.is_empty() {
        add_placeholder(&mut plan, labels, new);
    }
    plan
}

/// A Service without endpoints has one slice that says so.
fn add_placeholder(plan: &mut Plan, labels: &Map, new: &dyn Fn(&Value) -> Object) {
    let placeholder = new(&Value::from(Vec::new()));
    if let [only] = plan.delete.as_slice()
        && only.meta.labels == *labels
        && only.list_at("endpoints").is_empty()
        && only.list_at("ports").is_empty()
        && only.meta.owners == placeholder.meta.owners
    {
        plan.delete.clear();
        return;
    }
    plan.create.push(placeholder);
}

fn fit(
    plan: &mut Plan,
    live: Vec<Arc<Object>>,
    mut group: Group,
    labels: &Map,
    reserved: &[&str],
    new: &dyn Fn(&Value) -> Object,
    same: fn(&Value, &Value) -> bool,
) {
    let mut slices: Vec<Slice> = Vec::new();
    for live in live {
        let had = live.list_at("endpoints");
        let mut is_changed = false;
        let mut endpoints: Vec<Value> = Vec::with_capacity(had.len());
        for endpoint in had {
            let Some(wanted) = group.wanted.remove(&id(endpoint)) else { continue };
            is_changed |= !same(&wanted, endpoint);
            endpoints.push(wanted);
        }
        is_changed |= endpoints.len() != had.len();
        if is_changed && endpoints.is_empty() {
            plan.delete.push(live);
            continue;
        }
        let plain = |it: &Map| services::labels_without(it, reserved);
        is_changed |= plain(&live.meta.labels) != plain(labels);
        slices.push(Slice { live, endpoints, is_changed });
    }
    // Slices that are written anyway are filled up first, the fullest before others.
    let mut changed: Vec<&mut Slice> = slices.iter_mut().filter(|it| it.is_changed).collect();
    changed.sort_by_key(|it| std::cmp::Reverse(it.endpoints.len()));
    for slice in changed {
        while slice.endpoints.len() < ENDPOINTS_MAX
            && let Some(endpoint) = group.pop()
        {
            slice.endpoints.push(endpoint);
        }
    }
    let mut filled: BTreeSet<usize> = BTreeSet::new();
    while !group.wanted.is_empty() {
        let n_left = group.wanted.len();
        let room = |it: &Slice| ENDPOINTS_MAX.checked_sub(n_left + it.endpoints.len());
        let closest = slices
            .iter()
            .enumerate()
            .filter(|(idx, it)| !it.is_changed && !filled.contains(idx) && n_left < ENDPOINTS_MAX)
            .filter_map(|(idx, it)| Some((room(it)?, idx)))
            .filter(|(room, _)| *room < ENDPOINTS_MAX)
            .min();
        if let Some(slice) = closest.and_then(|(_, idx)| slices.get_mut(idx)) {
            while let Some(endpoint) = group.pop() {
                slice.endpoints.push(endpoint);
            }
            slice.is_changed = true;
            filled.extend(closest.map(|(_, idx)| idx));
            continue;
        }
        let mut endpoints = Vec::new();
        while endpoints.len() < ENDPOINTS_MAX
            && let Some(endpoint) = group.pop()
        {
            endpoints.push(endpoint);
        }
        let mut slice = new(&group.ports);
        slice.body.insert("endpoints", endpoints);
        plan.create.push(slice);
    }
    for slice in slices.into_iter().filter(|it| it.is_changed) {
        let mut object = Object::clone(&slice.live);
        object.body.insert("endpoints", slice.endpoints);
        object.meta.labels = labels.clone();
        plan.update.push(object);
    }
}

#[cfg(test)]
mod tests;
