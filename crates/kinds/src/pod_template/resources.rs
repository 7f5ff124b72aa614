//! Amounts of resources that pods ask for.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use meta::{Errors, names};
use value::quantity::Quantity;
use value::{Map, Str, Value};

use super::containers::is_sidecar;
use super::fields::{child, child_or_empty, has, maps, named, text};
use crate::path::Path;

/// Amounts by the name of their resource.
pub type Amounts<'a> = BTreeMap<&'a str, Quantity>;

fn parsed(text: &str) -> Quantity {
    Quantity::parse(text).unwrap_or(Quantity::from_int(0))
}

/// Names and parsed amounts of a resource list.
pub fn amounts(list: &Map) -> impl Iterator<Item = (&str, Quantity)> {
    list.iter().map(|(name, amount)| (name.as_str(), amount_of(amount)))
}

fn amount_of(amount: &Value) -> Quantity {
    match amount {
        Value::Int(number) => Quantity::from_int(*number),
        other => parsed(other.as_str().unwrap_or("0")),
    }
}

/// Whether this text is an amount of nothing.
pub(crate) fn is_zero(amount: &str) -> bool {
    parsed(amount).is_zero()
}

/// Whether this text is an amount below zero.
pub(crate) fn is_negative(amount: &str) -> bool {
    parsed(amount).is_negative()
}

/// `SetDefaults_ResourceList`: amounts finer than a thousandth are rounded up.
pub(crate) fn round(holder: &mut Map, key: &str) {
    let Some(list) = child(holder, key) else { return };
    let fine = |amount: &Value| {
        let exact = amount_of(amount);
        let rounded = Quantity::from_milli(exact.milli_value());
        (!exact.is_whole() && rounded != exact).then(|| Value::from(rounded.to_string()))
    };
    // Only the suffixes below a thousandth, fractions and exponents can be that fine.
    let suspicious =
        |amount: &Value| amount.as_str().is_some_and(|it| it.contains(['n', 'u', '.', 'e']) || it.ends_with('E'));
    if !list.values().any(suspicious) {
        return;
    }
    let entries: Vec<(Str, Value)> =
        list.iter().map(|(name, amount)| (name.clone(), fine(amount).unwrap_or_else(|| amount.clone()))).collect();
    let rounded = Map::from(entries);
    if rounded != *list {
        holder.insert(key, rounded);
    }
}

/// A container that limits a resource and requests none of it requests its limit.
pub(super) fn request_what_is_limited(container: &mut Map) {
    container.edit_map("resources", |resources| {
        let Some(limits) = child(resources, "limits").cloned() else { return };
        let mut requests = child_or_empty(resources, "requests").clone();
        let missing = |requests: &Map| limits.keys().any(|name| !requests.contains_key(name));
        if !missing(&requests) {
            return;
        }
        if requests.is_empty() {
            requests = limits;
        } else {
            for (name, amount) in
                limits.iter().filter(|(name, _)| !child_or_empty(resources, "requests").contains_key(name))
            {
                requests.insert(name, amount);
            }
        }
        resources.insert("requests", requests);
    });
}

/// `defaultHugePagePodLimits` and `defaultPodRequests`
pub(super) fn default_pod_level(spec: &mut Map) {
    let pod_level = child_or_empty(spec, "resources").clone();
    let (limits, requests) = (child_or_empty(&pod_level, "limits"), child_or_empty(&pod_level, "requests"));
    if limits.is_empty() && requests.is_empty() {
        return;
    }
    let mut new_limits = limits.clone();
    for (name, amount) in aggregate(spec, "limits") {
        if is_huge_page(name) && !requests.contains_key(name) && !limits.contains_key(name) {
            new_limits.insert(name, amount.to_string());
        }
    }
    let mut new_requests = requests.clone();
    if !new_limits.is_empty() {
        for (name, amount) in aggregate(spec, "requests") {
            if is_pod_level(name) && !is_huge_page(name) && !requests.contains_key(name) {
                new_requests.insert(name, amount.to_string());
            }
        }
        for (name, amount) in new_limits.iter() {
            if is_pod_level(name) && !new_requests.contains_key(name) {
                new_requests.insert(name, amount);
            }
        }
    }
    spec.edit_map("resources", |resources| {
        if new_limits.len() != limits.len() {
            resources.insert("limits", new_limits);
        }
        if new_requests.len() != requests.len() {
            resources.insert("requests", new_requests);
        }
    });
}

fn add<'a>(sums: &mut Amounts<'a>, list: &'a Map) {
    for (name, amount) in amounts(list) {
        let sum = sums.get(name).map_or(amount, |it| it.saturating_add(amount));
        sums.insert(name, sum);
    }
}

/// What all containers together ask for under `key` (`limits` or `requests`), as the scheduler counts it: the larger of
/// what runs at once and of the largest init container with the sidecars before it (`AggregateContainerRequests`).
pub fn aggregate<'a>(spec: &'a Map, key: &str) -> Amounts<'a> {
    let list = |container: &'a Map| child_or_empty(child_or_empty(container, "resources"), key);
    let mut sums = Amounts::new();
    for (_, container) in maps(spec, "containers") {
        add(&mut sums, list(container));
    }
    let (mut sidecars, mut largest) = (Amounts::new(), Amounts::new());
    for (_, container) in maps(spec, "initContainers") {
        let mut now = sidecars.clone();
        add(&mut now, list(container));
        if is_sidecar(container) {
            add(&mut sums, list(container));
            sidecars = now.clone();
        }
        keep_larger(&mut largest, now);
    }
    keep_larger(&mut sums, largest);
    sums
}

fn keep_larger<'a>(have: &mut Amounts<'a>, other: Amounts<'a>) {
    for (name, amount) in other {
        match have.get(name) {
            Some(old) if *old >= amount => (),
            _ => {
                have.insert(name, amount);
            }
        }
    }
}

pub(crate) fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// `IsSupportedPodLevelResource`
fn is_pod_level(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || is_huge_page(name)
}

/// `IsNativeResource`
pub fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// `IsOvercommitAllowed`
pub fn may_overcommit(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

/// `IsExtendedResourceName`
pub fn is_extended(name: &str) -> bool {
    !is_native(name) && !name.starts_with("requests.") && names::qualified_name(&format!("requests.{name}")).is_empty()
}

/// `IsStandardResourceName`
fn is_standard(name: &str) -> bool {
    const STANDARD: &[&str] = &[
        "cpu",
        "memory",
        "ephemeral-storage",
        "requests.cpu",
        "requests.memory",
        "requests.ephemeral-storage",
        "limits.cpu",
        "limits.memory",
        "limits.ephemeral-storage",
        "pods",
        "resourcequotas",
        "services",
        "replicationcontrollers",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "storage",
        "requests.storage",
        "services.nodeports",
        "services.loadbalancers",
    ];
    STANDARD.contains(&name) || is_huge_page(name) || name.starts_with("requests.hugepages-")
}

/// `validateResourceName`; answers whether there was a problem.
pub fn resource_name(name: &str, path: &Path<'_>, errors: &mut Errors) -> bool {
    let messages = names::qualified_name(name);
    path.invalid_each(errors, name, &messages);
    if !messages.is_empty() {
        return true;
    }
    if !name.contains('/') && !is_standard(name) {
        path.invalid(errors, name, "must be a standard resource type or fully qualified");
        return true;
    }
    false
}

/// `validateContainerResourceName`
pub(crate) fn container_resource_name(name: &str, path: &Path<'_>, errors: &mut Errors) {
    resource_name(name, path, errors);
    if name.matches('/').count() == 0 {
        if !matches!(name, "cpu" | "memory" | "ephemeral-storage") && !is_huge_page(name) {
            path.invalid(errors, name, "must be a standard resource for containers");
        }
    } else if !is_native(name) && !is_extended(name) {
        path.invalid(errors, name, "doesn't follow extended resource name standard");
    }
}

fn pod_resource_name(name: &str, path: &Path<'_>, errors: &mut Errors) {
    if !resource_name(name, path, errors) && !is_pod_level(name) {
        path.not_supported(errors, name, &["cpu", "hugepages-", "memory"]);
    }
}

/// `ValidateResourceQuantityValue`: not below zero, and whole where the resource is counted in pieces.
pub fn quantity(name: &str, amount: &Quantity, path: &Path<'_>, errors: &mut Errors) {
    if amount.is_negative() {
        path.invalid(errors, amount.to_string(), "must be greater than or equal to 0");
    }
    const COUNTED: &[&str] = &[
        "pods",
        "resourcequotas",
        "services",
        "replicationcontrollers",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    ];
    if (COUNTED.contains(&name) || is_extended(name)) && !amount.is_whole() {
        path.invalid(errors, amount.to_string(), "must be an integer");
    }
}

/// `ValidateContainerResourceRequirements`
pub(crate) fn container(requirements: &Map, claims: &BTreeSet<&str>, path: &Path<'_>, errors: &mut Errors) {
    self::requirements(requirements, container_resource_name, path, errors);
    claim_names(requirements, claims, &path.child("claims"), errors);
}

/// `validateOverhead`: a resource list looked at as limits.
pub(crate) fn overhead(list: &Map, path: &Path<'_>, errors: &mut Errors) {
    requirements(&Map::new().with("limits", list), container_resource_name, path, errors);
}

fn requirements(
    requirements: &Map,
    check_name: fn(&str, &Path<'_>, &mut Errors),
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let limits = child_or_empty(requirements, "limits");
    let (mut computes, mut huge_pages) = (false, false);
    for key in ["limits", "requests"] {
        let list_path = path.child(key);
        for (name, amount) in amounts(child_or_empty(requirements, key)) {
            let path_of = path;
            let path = list_path.key(name);
            check_name(name, &path, errors);
            quantity(name, &amount, &path, errors);
            if key == "requests" {
                within_limit(name, &amount, limits.get(name).map(amount_of), path_of, errors);
            }
            if is_huge_page(name) {
                huge_pages = true;
                if !is_page_multiple(name, &amount) {
                    let shown = amount.to_string();
                    path.invalid(
                        errors,
                        shown.as_str(),
                        &format!("{shown} is not positive integer multiple of {name}"),
                    );
                }
            }
            computes |= matches!(name, "cpu" | "memory");
        }
    }
    if huge_pages && !computes {
        path.forbidden(errors, "HugePages require cpu or memory");
    }
}

fn within_limit(name: &str, amount: &Quantity, limit: Option<Quantity>, path: &Path<'_>, errors: &mut Errors) {
    let Some(limit) = limit else {
        if !may_overcommit(name) {
            path.child("limits").required(errors, "Limit must be set for non overcommitable resources");
        }
        return;
    };
    let order = amount.cmp(&limit);
    let rule = if order != Ordering::Equal && !may_overcommit(name) {
        "equal to"
    } else if order == Ordering::Greater {
        "less than or equal to"
    } else {
        return;
    };
    path.child("requests").invalid(errors, amount.to_string(), &format!("must be {rule} {name} limit of {limit}"));
}

/// `IsHugePageResourceValueDivisible`
fn is_page_multiple(name: &str, amount: &Quantity) -> bool {
    let Ok(size) = Quantity::parse(name.trim_start_matches("hugepages-")) else { return false };
    size.value() > 0 && size.is_whole() && amount.value() % size.value() == 0
}

/// `validateResourceClaimNames`
fn claim_names(requirements: &Map, claims: &BTreeSet<&str>, path: &Path<'_>, errors: &mut Errors) {
    // Holds `claim` and `claim/request`.
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (idx, claim) in maps(requirements, "claims") {
        let path = path.index(idx);
        let (name, request) = (text(claim, "name"), text(claim, "request"));
        if name.is_empty() {
            path.required(errors, "");
            continue;
        }
        if seen.contains(name) {
            path.duplicate(errors, name);
        } else {
            let mut key = name.to_owned();
            if !request.is_empty() {
                named(request, names::dns_label, &path.child("request"), errors);
                key = format!("{name}/{request}");
            }
            if seen.contains(&key) {
                path.duplicate(errors, key.as_str());
            } else if request.is_empty() {
                let part = format!("{name}/");
                for _ in seen.range(part.clone()..).take_while(|it| it.starts_with(&part)) {
                    path.duplicate(errors, name);
                }
            }
            seen.insert(key);
        }
        if !claims.contains(name) {
            let mut detail = "must be one of the names in pod.spec.resourceClaims".to_owned();
            if claims.is_empty() {
                detail.push_str(" which is empty");
            } else {
                detail.push_str(": ");
                detail.push_str(&claims.iter().copied().collect::<Vec<_>>().join(", "));
            }
            errors.push(path.to_string(), meta::Problem::NotFound(name.into()), detail);
        }
    }
}

/// `validatePodResources`: the resources of the pod as a whole.
pub(super) fn pod_level(spec: &Map, os: Option<&str>, path: &Path<'_>, errors: &mut Errors) {
    let Some(resources) = child(spec, "resources") else { return };
    let path = path.child("resources");
    if os == Some("windows") {
        return path.forbidden(errors, "may not be set for a windows pod");
    }
    if has(resources, "claims") {
        path.child("claims").forbidden(errors, "claims may not be set for Resources at pod-level");
    }
    requirements(resources, pod_resource_name, &path, errors);
    let (limits, requests) = (child_or_empty(resources, "limits"), child_or_empty(resources, "requests"));
    for (name, sum) in aggregate(spec, "requests") {
        if let Some(amount) = requests.get(name).map(amount_of)
            && sum > amount
        {
            let detail = format!("must be greater than or equal to aggregate container requests of {sum}");
            path.child("requests").key(name).invalid(errors, amount.to_string(), &detail);
        }
    }
    for (name, sum) in aggregate(spec, "limits").into_iter().filter(|(name, _)| is_huge_page(name)) {
        if let Some(amount) = limits.get(name).map(amount_of)
            && sum > amount
        {
            let detail = format!("must be greater than or equal to aggregate container limits of {sum}");
            path.child("limits").key(name).invalid(errors, amount.to_string(), &detail);
        }
    }
    for (idx, container) in maps(spec, "containers") {
        for (name, limit) in amounts(child_or_empty(child_or_empty(container, "resources"), "limits")) {
            if let Some(of_pod) = limits.get(name).map(amount_of)
                && limit > of_pod
            {
                let path = path.child("containers");
                let path = path.index(idx);
                let detail = format!("must be less than or equal to pod limits of {of_pod}");
                path.key(name).child("limits").invalid(errors, limit.to_string(), &detail);
            }
        }
    }
}
