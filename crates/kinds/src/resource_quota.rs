//! ResourceQuota. Follows `pkg/apis/core/validation` and `pkg/registry/core/resourcequota`.

use std::collections::BTreeSet;

use meta::{Errors, Object};
use value::quantity::Quantity;
use value::{Map, Value};

use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, list, maps, opt_text, pairs, text, texts};
use crate::pod_template::{internal, resources};
use crate::workload::{spec, status};
use crate::{Kind, Scope, Strategy, Subresource, columns, keep_status};

pub(crate) const KIND: Kind = Kind {
    short_names: &["quota"],
    definition: "io.k8s.api.core.v1.ResourceQuota",
    subresources: &[Subresource::status("ResourceQuota")],
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Request", "Used and hard amounts of all but limits.", |it, _| shown(it, false)),
                columns::text("Limit", "Used and hard amounts of limits.", |it, _| shown(it, true)),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        default: |it| {
            it.body.edit_map("spec", |it| resources::round(it, "hard"));
            it.body.edit_map("status", |it| {
                resources::round(it, "hard");
                resources::round(it, "used");
            });
        },
        prepare_create: |it| it.body.insert("status", Value::map()),
        prepare_update: keep_status,
        validate: |it, errors| {
            validate_spec(it, errors);
            validate_status(it, errors);
        },
        validate_update: |new, old, errors| {
            validate_spec(new, errors);
            let scopes = |it| texts(spec(it), "scopes").map(|(_, it)| it.to_owned()).collect::<BTreeSet<_>>();
            if scopes(new) != scopes(old) {
                Path::root("spec.scopes").invalid(errors, bad_scopes(spec(new)), "field is immutable");
            }
        },
        validate_status: |new, _, errors| validate_status(new, errors),
        warnings: |new, old| if old.is_some() { Vec::new() } else { warnings(new) },
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Namespaced, "", "v1", "ResourceQuota", "resourcequotas")
};

/// `pods: 1/10, requests.cpu: 1/4`
fn shown(it: &Object, limits: bool) -> Value {
    let used = child_or_empty(status(it), "used");
    let all = pairs(child_or_empty(status(it), "hard"))
        .filter(|(name, _)| name.starts_with("limits.") == limits)
        .map(|(name, hard)| format!("{name}: {}/{hard}", opt_text(used, name).unwrap_or("0")));
    all.collect::<Vec<_>>().join(", ").into()
}

fn bad_scopes(spec: &Map) -> Value {
    spec.get("scopes").cloned().unwrap_or_default()
}

/// Names of what quotas count, in `path` of the map (`ValidateResourceQuotaResourceName`).
fn amounts(holder: &Map, key: &str, path: &Path<'_>, errors: &mut Errors) {
    for (name, amount) in resources::amounts(child_or_empty(holder, key)) {
        let path = path.child(key);
        let path = path.key(name);
        resources::resource_name(name, &path, errors);
        if !name.contains('/') && !is_counted(name) {
            path.invalid(errors, name, "must be a standard resource for quota");
        }
        resources::quantity(name, &amount, &path, errors);
    }
}

/// `IsStandardQuotaResourceName`
fn is_counted(name: &str) -> bool {
    const COUNTED: &[&str] = &[
        "cpu",
        "memory",
        "ephemeral-storage",
        "requests.cpu",
        "requests.memory",
        "requests.storage",
        "requests.ephemeral-storage",
        "limits.cpu",
        "limits.memory",
        "limits.ephemeral-storage",
        "pods",
        "resourcequotas",
        "services",
        "replicationcontrollers",
        "secrets",
        "persistentvolumeclaims",
        "configmaps",
        "services.nodeports",
        "services.loadbalancers",
    ];
    COUNTED.contains(&name) || resources::is_huge_page(name) || name.starts_with("requests.hugepages-")
}

fn validate_spec(it: &Object, errors: &mut Errors) {
    let spec = spec(it);
    let path = Path::root("spec");
    amounts(spec, "hard", &path, errors);
    let mut seen = BTreeSet::new();
    let scopes_path = path.child("scopes");
    for (_, scope) in texts(spec, "scopes") {
        if !is_scope(scope) {
            scopes_path.invalid(errors, bad_scopes(spec), "unsupported scope");
        }
        for _ in unfit(spec, scope) {
            scopes_path.invalid(errors, bad_scopes(spec), "unsupported scope applied to resource");
        }
        seen.insert(scope);
    }
    conflicts(&seen, spec, &scopes_path, errors);
    if let Some(selector) = child(spec, "scopeSelector") {
        scope_selector(selector, spec, &path.child("scopeSelector.matchExpressions"), errors);
    }
}

fn conflicts(seen: &BTreeSet<&str>, spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    for (a, b) in [("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")] {
        if seen.contains(a) && seen.contains(b) {
            path.invalid(errors, bad_scopes(spec), "conflicting scopes");
        }
    }
}

fn scope_selector(selector: &Map, spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (_, requirement) in maps(selector, "matchExpressions") {
        let (scope, operator) = (text(requirement, "scopeName"), text(requirement, "operator"));
        if !is_scope(scope) {
            path.child("scopeName").invalid(errors, scope, "unsupported scope");
        }
        for _ in unfit(spec, scope) {
            let bad = internal::bad_value(selector, "ScopeSelector");
            path.invalid(errors, bad, "unsupported scope applied to resource");
        }
        let is_flag = is_scope(scope) && !matches!(scope, "PriorityClass" | "VolumeAttributesClass");
        if is_flag && operator != "Exists" {
            let detail = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
            path.child("operator").invalid(errors, operator, detail);
        }
        let values = list(requirement, "values");
        match operator {
            "In" | "NotIn" if values.is_empty() => path
                .child("values")
                .required(errors, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"),
            "Exists" | "DoesNotExist" if !values.is_empty() => path.child("values").invalid(
                errors,
                requirement.get("values").cloned().unwrap_or_default(),
                "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
            ),
            "In" | "NotIn" | "Exists" | "DoesNotExist" => (),
            _ => path.child("operator").invalid(errors, operator, "not a valid selector operator"),
        }
        seen.insert(scope);
    }
    conflicts(&seen, spec, path, errors);
}

fn is_scope(scope: &str) -> bool {
    matches!(
        scope,
        "Terminating"
            | "NotTerminating"
            | "BestEffort"
            | "NotBestEffort"
            | "PriorityClass"
            | "VolumeAttributesClass"
            | "CrossNamespacePodAffinity"
    )
}

/// Resources of the quota that a scope says nothing about (`IsResourceQuotaScopeValidForResource`).
fn unfit<'a>(spec: &'a Map, scope: &'a str) -> impl Iterator<Item = &'a str> {
    const COMPUTE: &[&str] =
        &["pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
    pairs(child_or_empty(spec, "hard")).map(|(name, _)| name).filter(move |name| {
        let fits = match scope {
            "BestEffort" => *name == "pods",
            "VolumeAttributesClass" => matches!(*name, "persistentvolumeclaims" | "requests.storage"),
            _ if is_scope(scope) => COMPUTE.contains(name),
            _ => true,
        };
        is_counted(name) && !fits
    })
}

fn validate_status(it: &Object, errors: &mut Errors) {
    for key in ["hard", "used"] {
        amounts(status(it), key, &Path::root("status"), errors);
    }
}

fn warnings(it: &Object) -> Vec<String> {
    let hard = child_or_empty(spec(it), "hard");
    let amount = |name: &str| opt_text(hard, name).and_then(|it| Quantity::parse(it).ok());
    let mut res = Vec::new();
    for name in ["cpu", "memory", "storage", "ephemeral-storage"] {
        let mut requests = format!("requests.{name}");
        if amount(&requests).is_none() && matches!(name, "cpu" | "memory") {
            requests = name.to_owned();
        }
        let limits = format!("limits.{name}");
        if let (Some(request), Some(limit)) = (amount(&requests), amount(&limits))
            && request > limit
        {
            res.push(format!("ResourceQuota {requests} ({request}) should be less than {limits} ({limit})"));
        }
    }
    res
}
