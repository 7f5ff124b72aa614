//! What the API server completes in a service before it gives out addresses and ports.
//!
//! Follows `pkg/registry/core/service/storage/{storage,alloc}.go`, on a cluster with IPv4 only.

use meta::{Errors, Object, names};
use value::{List, Map, Value};

use super::spec;
use crate::path::Path;
use crate::pod_template::fields::{child_or_empty, has, int, list, maps, opt_text, text, texts};
use crate::service::{allocates_node_ports, needs_health_check};

const FAMILY: &str = "IPv4";

/// Whether the service has an address inside the cluster, or says that it wants none.
pub fn takes_address(spec: &Map) -> bool {
    text(spec, "type") != "ExternalName"
}

/// Keeps what was given out to the old service, makes `clusterIP` and `clusterIPs` agree and settles the families.
///
/// # Errors
/// What `Invalid` is to say.
pub fn complete(new: &mut Object, old: Option<&Object>) -> Result<(), Errors> {
    let before = old.map(spec);
    new.body.edit_map("spec", |spec| {
        if let Some(before) = before {
            keep_given(spec, before);
        }
        agree(spec, before);
    });
    let mut res = Ok(());
    new.body.edit_map("spec", |spec| res = families(spec, before));
    res
}

/// `patchAllocatedValues`
fn keep_given(spec: &mut Map, before: &Map) {
    if takes_address(spec) && takes_address(before) {
        if text(spec, "clusterIP").is_empty() && !text(before, "clusterIP").is_empty() {
            spec.insert("clusterIP", text(before, "clusterIP"));
        }
        keep_addresses(spec, before);
    }
    if allocates_node_ports(spec) && allocates_node_ports(before) {
        let numbers = |spec: &Map| maps(spec, "ports").map(|(_, it)| int(it, "nodePort")).collect::<Vec<i64>>();
        let (mine, theirs) = (numbers(spec), numbers(before));
        spec.edit_maps("ports", |port| {
            if int(port, "nodePort") != 0 {
                return;
            }
            let same = maps(before, "ports").filter(|(_, it)| text(it, "name") == text(port, "name")).last();
            let given = same.map_or(0, |(_, it)| int(it, "nodePort"));
            if given != 0 && !(mine.contains(&given) && theirs.contains(&given)) {
                port.insert("nodePort", given);
            }
        });
    }
    let given = int(before, "healthCheckNodePort");
    if needs_health_check(spec) && needs_health_check(before) && int(spec, "healthCheckNodePort") == 0 && given != 0 {
        spec.insert("healthCheckNodePort", given);
    }
}

fn keep_addresses(spec: &mut Map, before: &Map) {
    if list(spec, "clusterIPs").is_empty()
        && let Some(ips) = before.get("clusterIPs").filter(|it| !it.is_null())
    {
        spec.insert("clusterIPs", ips);
    }
}

/// `normalizeClusterIPs`: old clients know one address only.
fn agree(spec: &mut Map, before: Option<&Map>) {
    let single = text(spec, "clusterIP").to_owned();
    let Some(before) = before else {
        if !single.is_empty() && list(spec, "clusterIPs").is_empty() {
            spec.insert("clusterIPs", vec![Value::from(single)]);
        }
        return;
    };
    if single == text(before, "clusterIP") {
        return keep_addresses(spec, before);
    }
    if list(spec, "clusterIPs") == list(before, "clusterIPs") {
        if single.is_empty() {
            spec.remove("clusterIPs");
        } else {
            spec.insert("clusterIPs", vec![Value::from(single)]);
        }
    }
}

/// `initIPFamilyFields`
fn families(spec: &mut Map, before: Option<&Map>) -> Result<(), Errors> {
    if !takes_address(spec) || before.is_some_and(|it| prefers_both_as_before(spec, it)) {
        return Ok(());
    }
    let is_loose = text(spec, "clusterIP") == "None" && child_or_empty(spec, "selector").is_empty();
    if !has(spec, "ipFamilyPolicy") {
        let policy = match before.and_then(|it| opt_text(it, "ipFamilyPolicy")) {
            Some(policy) => policy,
            None if is_loose => "RequireDualStack",
            None => "SingleStack",
        };
        spec.insert("ipFamilyPolicy", policy);
    }
    let path = Path::root("spec");
    let mut errors = Errors::new();
    super::validate::addresses(spec, before, &path, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let policy = text(spec, "ipFamilyPolicy").to_owned();
    if let Some(before) = before {
        reduced(spec, before, &policy, &mut errors);
    }
    let policy_path = path.child("ipFamilyPolicy");
    if policy == "SingleStack" {
        for (key, what) in [("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")] {
            if list(spec, key).len() == 2 {
                let detail =
                    format!("must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified");
                policy_path.invalid(&mut errors, &*policy, &detail);
            }
        }
    }
    infer(spec, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    if is_loose {
        if list(spec, "ipFamilies").is_empty() {
            spec.insert("ipFamilies", vec![Value::from(FAMILY)]);
        }
        if let [only] = list(spec, "ipFamilies")
            && policy != "SingleStack"
        {
            let other = if only.as_str() == Some(FAMILY) { "IPv6" } else { FAMILY };
            let both = vec![only.clone(), other.into()];
            spec.insert("ipFamilies", both);
        }
        return Ok(());
    }
    if policy == "RequireDualStack" {
        policy_path.invalid(&mut errors, &*policy, "this cluster is not configured for dual-stack services");
    }
    for (idx, family) in texts(spec, "ipFamilies").filter(|(_, it)| *it != FAMILY) {
        path.child("ipFamilies").index(idx).invalid(&mut errors, family, "not configured on this cluster");
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    if list(spec, "ipFamilies").is_empty() {
        spec.insert("ipFamilies", vec![Value::from(FAMILY)]);
    }
    Ok(())
}

/// An update to one family drops the second of what it did not touch; any other may not have less than before.
fn reduced(spec: &mut Map, before: &Map, policy: &str, errors: &mut Errors) {
    for (key, what) in [("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")] {
        let (new, old) = (list(spec, key), list(before, key));
        if policy == "SingleStack" {
            if new == old && new.len() > 1 {
                let first: List = new.iter().take(1).cloned().collect();
                spec.insert(key, first);
            }
        } else if !new.is_empty() && new.len() < old.len() {
            let detail = format!("must be 'SingleStack' to release the secondary {what}");
            Path::root("spec.ipFamilyPolicy").invalid(errors, policy, &detail);
        }
    }
}

/// The families of addresses that the user named.
fn infer(spec: &mut Map, errors: &mut Errors) {
    let mut families: Vec<Value> = list(spec, "ipFamilies").to_vec();
    let n_before = families.len();
    for (idx, ip) in texts(spec, "clusterIPs") {
        if ip == "None" {
            break;
        }
        if idx < families.len() {
            continue;
        }
        if names::sloppy_ip(ip).is_some_and(|it| it.to_canonical().is_ipv4()) {
            families.push(FAMILY.into());
        } else {
            let bad = super::change::shown(spec, "clusterIPs");
            let path = Path::root("spec.clusterIPs");
            path.index(idx).invalid(errors, bad, "IPv6 is not configured on this cluster");
        }
    }
    if families.len() > n_before {
        spec.insert("ipFamilies", families);
    }
}

/// `isMatchingPreferDualStackClusterIPFields`
fn prefers_both_as_before(spec: &Map, before: &Map) -> bool {
    let policy = |spec| opt_text(spec, "ipFamilyPolicy");
    let kind = text(spec, "type");
    policy(spec) == Some("PreferDualStack")
        && kind == text(before, "type")
        && matches!(kind, "ClusterIP" | "NodePort" | "LoadBalancer")
        && policy(before).is_none_or(|it| it == "PreferDualStack")
        && ["clusterIPs", "ipFamilies"].iter().all(|key| list(spec, key) == list(before, key))
}
