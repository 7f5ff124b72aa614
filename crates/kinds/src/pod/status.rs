//! Writes to a pod's status.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meta::{Errors, Object, names};
use value::{List, Map, Value, map};

use super::{change, observed_generation, transition};
use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, has, int, list, maps, named, one_of, opt_text, text};
use crate::pod_template::resources;
use crate::pod_template::security::valid_id;

/// The three lists of container statuses and what they are of.
const STATUSES: [(&str, Option<&str>); 3] = [
    ("containerStatuses", Some("containers")),
    ("initContainerStatuses", Some("initContainers")),
    ("ephemeralContainerStatuses", None),
];

/// `podIP` and the first of `podIPs` are the same; of two that differ the single one counts. Answers the status where it changes.
pub(super) fn same_address(status: &Map) -> Option<Map> {
    let first = list(status, "podIPs").first().and_then(|it| it.str_at("ip")).unwrap_or("");
    let single = text(status, "podIP");
    match single {
        _ if first == single => None,
        "" => Some(status.with("podIP", first)),
        _ => Some(status.with("podIPs", vec![Value::Map(map!({ "ip": single }))])),
    }
}

/// What a write to the status may not touch (`podStatusStrategy.PrepareForUpdate`): everything else, the class, generations once seen.
pub fn prepare_status(new: &mut Object, old: &Object) {
    let status = new.body.get("status").cloned().unwrap_or_else(Value::map);
    if !new.differs_in_status_alone(old) {
        new.body = old.body.with("status", status);
    }
    new.meta.deleted = old.meta.deleted;
    new.meta.grace_seconds = old.meta.grace_seconds;
    if !Arc::ptr_eq(&new.meta.owners, &old.meta.owners) {
        new.meta.owners = old.meta.owners.clone();
    }
    let before = child_or_empty(&old.body, "status");
    new.body.edit_map("status", |status| {
        if text(status, "qosClass").is_empty()
            && let Some(class) = before.get("qosClass")
        {
            status.insert("qosClass", class);
        }
        if observed_generation(status) == 0 && observed_generation(before) != 0 {
            status.insert("observedGeneration", observed_generation(before));
        }
        let was_seen = |kind: &str| {
            maps(before, "conditions").any(|(_, it)| text(it, "type") == kind && observed_generation(it) != 0)
        };
        if !maps(status, "conditions").any(|(_, it)| observed_generation(it) == 0 && was_seen(text(it, "type"))) {
            return;
        }
        let mut seen: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for (_, condition) in maps(before, "conditions") {
            seen.entry(text(condition, "type")).or_default().push(observed_generation(condition));
        }
        seen.values_mut().for_each(|it| it.reverse());
        status.edit_maps("conditions", |condition| {
            let generation = seen.get_mut(text(condition, "type")).and_then(Vec::pop).unwrap_or(0);
            if generation != 0 && observed_generation(condition) == 0 {
                condition.insert("observedGeneration", generation);
            }
        });
    });
}

/// `ValidatePodStatusUpdate`, without what concerns metadata of all kinds.
pub(super) fn validate(new: &Object, old: &Object, errors: &mut Errors) {
    change::annotation_changes(new, old, errors);
    let (now, before) = (child_or_empty(&new.body, "status"), child_or_empty(&old.body, "status"));
    let (spec, old_spec) = (change::spec_of(new), change::spec_of(old));
    let path = Path::root("status");
    if !is_kept(now, before, "conditions") {
        conditions(now, before, &path.child("conditions"), errors);
    }
    if text(spec, "nodeName") != text(old_spec, "nodeName") {
        path.child("nodeName").forbidden(errors, "may not be changed directly");
    }
    let nominated = text(now, "nominatedNodeName");
    if !nominated.is_empty() && nominated != text(before, "nominatedNodeName") {
        let path = path.child("nominatedNodeName");
        named(nominated, names::dns_subdomain, &path, errors);
        if !text(old_spec, "nodeName").is_empty() {
            path.forbidden(errors, "may not be set on pods that are already bound to a node");
        }
    }
    generation(now, &path, errors);
    let class = text(now, "qosClass");
    if class != text(before, "qosClass") {
        path.child("qosClass").invalid(errors, class, "field is immutable");
    }
    for (statuses, key) in STATUSES {
        transition::validate(now, before, statuses, old_spec, key, &path.child(statuses), errors);
    }
    claims(now, spec, &path, errors);
    addresses(now, before, "podIPs", &path.child("podIPs"), errors);
    if let Some(first) = list(now, "hostIPs").first().and_then(|it| it.str_at("ip")) {
        let path = path.child("hostIPs");
        if first != text(now, "hostIP") {
            path.index(0).child("ip").invalid(errors, first, "must be equal to `hostIP`");
        }
        addresses(now, before, "hostIPs", &path, errors);
    }
    let os = || child(spec, "os").map_or("linux", |it| text(it, "name"));
    for (statuses, _) in STATUSES {
        users(now, statuses, &os, &path.child(statuses), errors);
    }
    for (statuses, key) in STATUSES {
        match key {
            Some(key) => allocated(now, statuses, spec, key, &path.child(statuses), errors),
            None => nothing_allocated(now, statuses, &path.child(statuses), errors),
        }
    }
}

fn generation(part: &Map, path: &Path<'_>, errors: &mut Errors) {
    if observed_generation(part) < 0 {
        path.child("observedGeneration").invalid(errors, observed_generation(part), "must be a non-negative integer");
    }
}

/// Whether a list has stayed, which has been looked at then.
fn is_kept(now: &Map, before: &Map, key: &str) -> bool {
    match (now.get(key), before.get(key)) {
        (Some(now), Some(before)) => now.same(before),
        (now, _) => now.is_none(),
    }
}

/// What was there before has been looked at.
fn conditions(now: &Map, before: &Map, path: &Path<'_>, errors: &mut Errors) {
    let before = list(before, "conditions");
    for (idx, condition) in maps(now, "conditions") {
        if before.get(idx).and_then(Value::as_map).is_some_and(|it| it.same(condition)) {
            continue;
        }
        let path = path.index(idx);
        generation(condition, &path, errors);
        let kind = text(condition, "type");
        if !matches!(kind, "PodScheduled" | "Ready" | "Initialized" | "ContainersReady" | "PodReadyToStartContainers") {
            named(kind, names::qualified_name, &path.child("Type"), errors);
        }
    }
}

/// `validatePodIPs`, `validateHostIPs`: addresses that were there before are not looked at again.
fn addresses(now: &Map, before: &Map, key: &str, path: &Path<'_>, errors: &mut Errors) {
    if is_kept(now, before, key) {
        return;
    }
    for (idx, it) in maps(now, key) {
        let address = text(it, "ip");
        if !maps(before, key).any(|(_, it)| text(it, "ip") == address) {
            named(address, names::legacy_ip, &path.index(idx), errors);
        }
    }
    let families: Vec<_> = match list(now, key).len() {
        0 | 1 => return,
        _ => maps(now, key).map(|(_, it)| names::sloppy_ip(text(it, "ip"))).collect(),
    };
    if let Some(bad) = families.iter().position(Option::is_none) {
        let address = maps(now, key).nth(bad).map_or("", |(_, it)| text(it, "ip"));
        let detail = format!("failed to check for dual stack with error:invalid IP[{bad}]: <nil> ({address})");
        errors.push(path.to_string(), meta::Problem::Internal, detail);
    }
    let v4 = families.iter().flatten().filter(|it| it.to_canonical().is_ipv4()).count();
    if families.len() > 2 || v4 != 1 || families.contains(&None) {
        let shown: List = maps(now, key).map(|(_, it)| Value::Map(map!({ "IP": text(it, "ip") }))).collect();
        path.invalid(errors, shown, "may specify no more than one IP for each IP family");
    }
}

fn claims(status: &Map, spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let is_known = |name: &str| maps(spec, "resourceClaims").any(|(_, it)| text(it, "name") == name);
    let mut seen = BTreeSet::new();
    for (idx, claim) in maps(status, "resourceClaimStatuses") {
        let path = path.child("resourceClaimStatuses");
        let path = path.index(idx);
        let name = text(claim, "name");
        if !is_known(name) {
            path.child("name").invalid(errors, name, "must match the name of an entry in `spec.resourceClaims`");
        }
        if !seen.insert(name) {
            path.child("name").duplicate(errors, name);
        }
        if let Some(claim) = opt_text(claim, "resourceClaimName") {
            named(claim, names::dns_subdomain, &path.child("resourceClaimName"), errors);
        }
    }
    if let Some(it) = child(status, "extendedResourceClaimStatus") {
        extended_claim(it, spec, &path.child("extendedResourceClaimStatus"), errors);
    }
    for (idx, it) in maps(status, "nodeAllocatableResourceClaimStatuses") {
        let path = path.child("nodeAllocatableResourceClaimStatuses");
        node_claim(it, status, spec, &path.index(idx), errors);
    }
}

fn extended_claim(claim: &Map, spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let containers: BTreeMap<&str, &Map> =
        maps(spec, "initContainers").chain(maps(spec, "containers")).map(|(_, it)| (text(it, "name"), it)).collect();
    let mappings = path.child("requestMappings");
    if list(claim, "requestMappings").is_empty() {
        mappings.required(errors, "at least one request mapping is required");
    }
    let mut seen = BTreeSet::new();
    for (idx, mapping) in maps(claim, "requestMappings") {
        let item = mappings.index(idx);
        let [container, resource, request] =
            ["containerName", "resourceName", "requestName"].map(|key| text(mapping, key));
        match containers.get(container) {
            None => item.child("containerName").invalid(
                errors,
                container,
                "must match the name of an entry in spec.initContainers.name or spec.containers.name",
            ),
            Some(it) if !has(child_or_empty(child_or_empty(it, "resources"), "requests"), resource) => {
                item.child("resourceName").invalid(
                    errors,
                    resource,
                    "must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests",
                );
            }
            Some(_) => (),
        }
        named(request, names::dns_label, &path.child("requestName"), errors);
        if !seen.insert((container, resource, request)) {
            item.child("containerName").duplicate(errors, container);
            item.child("resourceName").duplicate(errors, resource);
            item.child("requestName").duplicate(errors, request);
        }
    }
    match text(claim, "resourceClaimName") {
        "" => path.child("resourceClaimName").required(errors, ""),
        name => named(name, names::dns_subdomain, &path.child("resourceClaimName"), errors),
    }
}

fn node_claim(claim: &Map, status: &Map, spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let name = text(claim, "resourceClaimName");
    if name.is_empty() {
        path.child("resourceClaimName").required(errors, "must not be empty");
    }
    let known = maps(spec, "resourceClaims")
        .chain(maps(status, "resourceClaimStatuses"))
        .any(|(_, it)| opt_text(it, "resourceClaimName") == Some(name));
    if !known {
        path.child("resourceClaimName").invalid(errors, name, "no mapping found in pod reference");
    }
    if list(claim, "containers").is_empty() {
        path.child("containers").required(errors, "must not be empty");
    }
    let path = path.child("resources");
    let amounts = child_or_empty(claim, "resources");
    if amounts.is_empty() {
        path.required(errors, "must not be empty");
    }
    for (name, amount) in resources::amounts(amounts) {
        if !resources::is_native(name) {
            path.key(name).invalid(errors, name, "must be a node allocatable resource name");
        }
        if amount.is_negative() {
            path.key(name).invalid(errors, amount.to_string(), "must be non-negative");
        }
    }
}

fn users<'a>(status: &Map, statuses: &str, os: &dyn Fn() -> &'a str, path: &Path<'_>, errors: &mut Errors) {
    for (idx, container) in maps(status, statuses) {
        let Some(user) = child(container, "user").and_then(|it| child(it, "linux")) else { continue };
        let path = path.index(idx);
        let path = path.child("user.linux");
        match os() {
            "windows" => path.forbidden(errors, "cannot be set for a windows pod"),
            "linux" => {
                for key in ["uid", "gid"] {
                    valid_id(int(user, key), &path.child(key), errors);
                }
                for (idx, group) in list(user, "supplementalGroups").iter().enumerate() {
                    valid_id(group.as_i64().unwrap_or(0), &path.child("supplementalGroups").index(idx), errors);
                }
            }
            _ => (),
        }
    }
}

fn nothing_allocated(status: &Map, statuses: &str, path: &Path<'_>, errors: &mut Errors) {
    for (idx, container) in maps(status, statuses) {
        if !list(container, "allocatedResourcesStatus").is_empty() {
            let path = path.index(idx);
            path.child("allocatedResourcesStatus").forbidden(errors, "must not be specified in container status");
        }
    }
}

/// `validateContainerStatusAllocatedResourcesStatus`
fn allocated(status: &Map, statuses: &str, spec: &Map, key: &str, path: &Path<'_>, errors: &mut Errors) {
    for (idx, container) in maps(status, statuses) {
        for (j, resource) in maps(container, "allocatedResourcesStatus") {
            let path = path.index(idx);
            let path = path.child("allocatedResourcesStatus");
            let path = path.index(j);
            let name = text(container, "name");
            if let Some((_, declared)) = maps(spec, key).find(|(_, it)| text(it, "name") == name) {
                allocated_name(text(resource, "name"), child_or_empty(declared, "resources"), &path, errors);
            }
            let mut seen = BTreeSet::new();
            for (k, health) in maps(resource, "resources") {
                let path = path.child("resources");
                resource_health(health, &path.index(k), errors);
                if !seen.insert(text(health, "resourceID")) {
                    path.index(k).child("resourceID").duplicate(errors, text(health, "resourceID"));
                }
            }
        }
    }
}

fn allocated_name(name: &str, resources: &Map, path: &Path<'_>, errors: &mut Errors) {
    let path = path.child("name");
    match name.strip_prefix("claim:") {
        Some(claim) => {
            let (own, request) = claim.split_once('/').unwrap_or((claim, ""));
            if !maps(resources, "claims").any(|(_, it)| text(it, "name") == own && text(it, "request") == request) {
                let detail = "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty";
                path.invalid(errors, name, detail);
            }
        }
        None if !has(child_or_empty(resources, "requests"), name) => {
            path.invalid(errors, name, "must match one of the container's resource requests");
        }
        None => (),
    }
}

fn resource_health(health: &Map, path: &Path<'_>, errors: &mut Errors) {
    const MESSAGE_MAX: usize = 1024;
    one_of(text(health, "health"), &["Healthy", "Unhealthy", "Unknown"], &path.child("health"), errors);
    if let Some(message) = opt_text(health, "message") {
        let path = path.child("message");
        if message.is_empty() {
            path.required(errors, "must be non-empty if specified");
        } else if message.len() > MESSAGE_MAX {
            path.too_long(errors, MESSAGE_MAX);
        }
    }
}
