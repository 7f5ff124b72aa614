//! What an update of a service keeps, drops and refuses.

use std::collections::BTreeSet;

use meta::{Errors, Object};
use value::{List, Map, Value};

use super::{is_headless, is_reachable_from_outside, needs_health_check, no_balancer, spec};
use crate::keep_status;
use crate::path::Path;
use crate::pod_template::fields::{has, int, list, maps, opt_flag, opt_text, text, texts};

/// A change of the type takes fields away that no longer apply and that the user did not touch (`dropTypeDependentFields`).
pub(super) fn prepare(new: &mut Object, old: &Object) {
    keep_status(new, old);
    let before = spec(old);
    new.body.edit_map("spec", |spec| {
        let (kind, old_kind) = (text(spec, "type").to_owned(), text(before, "type"));
        if kind == "ExternalName" && old_kind != "ExternalName" {
            if same(spec, before, "clusterIP") && same(spec, before, "clusterIPs") {
                drop_key(spec, "clusterIP");
                drop_key(spec, "clusterIPs");
            }
            drop_same(spec, before, "ipFamilies");
            drop_same(spec, before, "ipFamilyPolicy");
        }
        let has_ports = |kind: &str| matches!(kind, "NodePort" | "LoadBalancer");
        if has_ports(old_kind) && !has_ports(&kind) && node_ports(before).is_superset(&node_ports(spec)) {
            spec.edit_maps("ports", |it| drop_key(it, "nodePort"));
        }
        if needs_health_check(before) && !needs_health_check(spec) {
            drop_same(spec, before, "healthCheckNodePort");
        }
        if old_kind == "LoadBalancer" && kind != "LoadBalancer" {
            if opt_flag(before, "allocateLoadBalancerNodePorts").is_some() {
                drop_same(spec, before, "allocateLoadBalancerNodePorts");
            }
            drop_same(spec, before, "loadBalancerClass");
        }
        if is_reachable_from_outside(before) && !is_reachable_from_outside(spec) {
            drop_same(spec, before, "externalTrafficPolicy");
        }
    });
    // Answers of the real server leave it out, and its storage is not to be seen.
    if text(spec(new), "type") == "ExternalName" {
        new.body.edit_map("spec", |spec| drop_key(spec, "internalTrafficPolicy"));
    }
    if text(spec(new), "type") != "LoadBalancer" {
        new.body.edit_map("status", |status| {
            if let Value::Map(none) = no_balancer()
                && status.get("loadBalancer") != none.get("loadBalancer")
            {
                status.insert("loadBalancer", Value::map());
            }
        });
    }
}

fn same(a: &Map, b: &Map, key: &str) -> bool {
    a.get(key).filter(|it| !it.is_null()) == b.get(key).filter(|it| !it.is_null())
}

fn drop_key(map: &mut Map, key: &str) {
    if map.contains_key(key) {
        map.remove(key);
    }
}

fn drop_same(new: &mut Map, old: &Map, key: &str) {
    if same(new, old, key) {
        drop_key(new, key);
    }
}

fn node_ports(spec: &Map) -> BTreeSet<i64> {
    maps(spec, "ports").map(|(_, it)| int(it, "nodePort")).filter(|it| *it != 0).collect()
}

/// The list as messages show it: `null` where there is none.
pub(super) fn shown(spec: &Map, key: &str) -> Value {
    if has(spec, key) { list(spec, key).iter().cloned().collect::<List>().into() } else { Value::Null }
}

/// What `ValidateServiceUpdate` has to say beside what it says of every service.
pub(super) fn validate(new: &Object, old: &Object, errors: &mut Errors) {
    let (now, before) = (spec(new), spec(old));
    let path = Path::root("spec");
    let external = |spec: &Map| text(spec, "type") == "ExternalName";
    if !external(now) && !external(before) {
        addresses(now, before, &path, errors);
        families(now, before, &path, errors);
    }
    let balanced = |spec: &Map| text(spec, "type") == "LoadBalancer";
    let class = |spec| opt_text(spec, "loadBalancerClass");
    if balanced(before) && balanced(now) && class(before) != class(now) {
        let bad = class(now).map_or(Value::Null, Value::from);
        path.child("loadBalancerClass").invalid(errors, bad, "may not change once set");
    }
    super::validate::balancer_class(now, &path, errors);
    if needs_health_check(before) && needs_health_check(now) && !same(now, before, "healthCheckNodePort") {
        path.child("healthCheckNodePort").forbidden(errors, "field is immutable");
    }
}

/// `validateUpgradeDowngradeClusterIPs`
fn addresses(now: &Map, before: &Map, path: &Path<'_>, errors: &mut Errors) {
    if is_headless(before) && is_headless(now) {
        return;
    }
    let (new, old) = (list(now, "clusterIPs"), list(before, "clusterIPs"));
    let ips = path.child("clusterIPs");
    let changed = "may not change once set";
    if new.len() == old.len() {
        for (idx, _) in new.iter().zip(old).enumerate().filter(|(_, (a, b))| a != b) {
            ips.index(idx).invalid(errors, shown(now, "clusterIPs"), changed);
        }
        return;
    }
    if new.is_empty() {
        ips.index(0).invalid(errors, shown(now, "clusterIPs"), "primary clusterIP can not be unset");
    }
    if !old.is_empty() && !new.is_empty() && new.first() != old.first() {
        ips.index(0).invalid(errors, shown(now, "clusterIPs"), changed);
    }
    if new.len() < old.len() && new.len() == 1 {
        must_be_single(now, "secondary clusterIP", path, errors);
    }
}

fn must_be_single(now: &Map, released: &str, path: &Path<'_>, errors: &mut Errors) {
    let policy = opt_text(now, "ipFamilyPolicy");
    if policy != Some("SingleStack") {
        let detail = format!("must be set to 'SingleStack' when releasing the {released}");
        path.child("ipFamilyPolicy").invalid(errors, policy.map_or(Value::Null, Value::from), &detail);
    }
}

/// `validateUpgradeDowngradeIPFamilies`
fn families(now: &Map, before: &Map, path: &Path<'_>, errors: &mut Errors) {
    if is_headless(before) || is_headless(now) {
        return;
    }
    let (new, old) = (list(now, "ipFamilies"), list(before, "ipFamilies"));
    let families = path.child("ipFamilies");
    let first = families.index(0);
    let changed = "may not change once set";
    if new.len() == old.len() {
        for _ in new.iter().zip(old).filter(|(a, b)| a != b) {
            first.invalid(errors, shown(now, "ipFamilies"), changed);
        }
        return;
    }
    if new.len() < old.len() && texts(now, "clusterIPs").next().is_none() {
        first.invalid(errors, shown(now, "ipFamilies"), "primary ipFamily can not be unset");
    }
    if !old.is_empty() && !new.is_empty() && new.first() != old.first() {
        // Upstream shows the addresses here.
        first.invalid(errors, shown(now, "clusterIPs"), changed);
    }
    if new.len() < old.len() && new.len() == 1 {
        must_be_single(now, "secondary ipFamily", path, errors);
    }
}
