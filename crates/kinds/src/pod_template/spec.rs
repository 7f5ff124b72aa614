//! The whole of a pod's spec.

use std::collections::BTreeSet;

use meta::{Errors, Metadata, names};
use value::Map;

use super::containers::{self, Around};
use super::fields::{
    child, flag, has, int, list, maps, named, one_of, opt_flag, opt_int, opt_text, required_one_of, text, texts,
};
use super::{claims, env, labels, resources, scheduling, security, volumes, windows};
use crate::path::Path;

/// `ValidatePodSpec`; `meta` is a pod's own metadata, none for templates.
pub(crate) fn validate(spec: &Map, meta: Option<&Metadata>, path: &Path<'_>, errors: &mut Errors) {
    let grace = opt_int(spec, "terminationGracePeriodSeconds");
    if grace.is_none() {
        path.child("terminationGracePeriodSeconds").required(errors, "");
    }
    let os = child(spec, "os").map(|it| text(it, "name"));
    let around = Around {
        spec,
        volumes: volumes::volumes(spec, meta, &path.child("volumes"), errors),
        claims: maps(spec, "resourceClaims")
            .map(|(_, it)| text(it, "name"))
            .filter(|it| !it.is_empty())
            .collect::<BTreeSet<_>>(),
        grace,
        restart_policy: text(spec, "restartPolicy"),
        host_users: flag_or_true(spec, "hostUsers"),
    };
    claims::resource_claims(spec, meta, &path.child("resourceClaims"), errors);
    containers::containers(&around, &path.child("containers"), errors);
    containers::init_containers(&around, &path.child("initContainers"), errors);
    containers::ephemeral_containers(&around, &path.child("ephemeralContainers"), errors);
    resources::pod_level(spec, os, path, errors);
    host_ports(spec, meta.is_some(), path, errors);
    required_one_of(around.restart_policy, &["Always", "OnFailure", "Never"], &path.child("restartPolicy"), errors);
    let dns_policies = &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    required_one_of(text(spec, "dnsPolicy"), dns_policies, &path.child("dnsPolicy"), errors);
    if let Some(selector) = child(spec, "nodeSelector") {
        labels::validate(selector, &path.child("nodeSelector"), errors);
    }
    if let Some(context) = child(spec, "securityContext") {
        security::pod(context, spec, &path.child("securityContext"), errors);
    }
    if let Some(affinity) = child(spec, "affinity") {
        scheduling::affinity(affinity, &path.child("affinity"), errors);
    }
    dns_config(spec, &path.child("dnsConfig"), errors);
    scheduling::gates(spec, path, errors);
    scheduling::spread_constraints(spec, &path.child("topologySpreadConstraints"), errors);
    windows::host_processes(spec, path, errors);
    security::host_users(spec, path, errors);
    hostname_override(spec, &path.child("hostnameOverride"), errors);
    plain_names(spec, path, errors);
    scheduling::tolerations(spec, &path.child("tolerations"), errors);
    host_aliases(spec, &path.child("hostAliases"), errors);
    classes(spec, path, errors);
    if let Some(overhead) = child(spec, "overhead") {
        resources::overhead(overhead, &path.child("overhead"), errors);
    }
    if let Some(os) = os {
        operating_system(spec, os, path, errors);
    }
    env::file_volumes(spec, path, errors);
}

fn flag_or_true(spec: &Map, key: &str) -> bool {
    opt_flag(spec, key).unwrap_or(true)
}

/// `validatePodHostNetworkDeps`; a template's ports get their host ports with the pod.
fn host_ports(spec: &Map, is_pod: bool, path: &Path<'_>, errors: &mut Errors) {
    if !flag(spec, "hostNetwork") {
        return;
    }
    for (idx, container) in maps(spec, "containers") {
        let path = path.child("containers");
        let path = path.index(idx);
        for (idx, port) in maps(container, "ports") {
            let (host, own) = (int(port, "hostPort"), int(port, "containerPort"));
            if (is_pod || host != 0) && host != own {
                let path = path.child("ports");
                path.index(idx).child("hostPort").invalid(
                    errors,
                    host,
                    "must match `containerPort` when `hostNetwork` is true",
                );
            }
        }
    }
}

/// `validatePodDNSConfig`
fn dns_config(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    const NAME_SERVERS_MAX: usize = 3;
    const SEARCHES_MAX: usize = 32;
    const SEARCH_CHARS_MAX: usize = 2048;
    let config = child(spec, "dnsConfig");
    let servers = config.map_or(&[][..], |it| list(it, "nameservers"));
    if text(spec, "dnsPolicy") == "None" {
        if config.is_none() {
            return path.required(errors, "must provide `dnsConfig` when `dnsPolicy` is None");
        }
        if servers.is_empty() {
            let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            return path.child("nameservers").required(errors, detail);
        }
    }
    let Some(config) = config else { return };
    let whole = |key: &str| config.get(key).cloned().unwrap_or_default();
    if servers.len() > NAME_SERVERS_MAX {
        let detail = format!("must not have more than {NAME_SERVERS_MAX} nameservers");
        path.child("nameservers").invalid(errors, whole("nameservers"), &detail);
    }
    for (idx, server) in texts(config, "nameservers") {
        named(server, names::legacy_ip, &path.child("nameservers").index(idx), errors);
    }
    let n_searches = list(config, "searches").len();
    if n_searches > SEARCHES_MAX {
        let detail = format!("must not have more than {SEARCHES_MAX} search paths");
        path.child("searches").invalid(errors, whole("searches"), &detail);
    }
    let n_chars = texts(config, "searches").map(|(_, it)| it.len()).sum::<usize>() + n_searches.saturating_sub(1);
    if n_chars > SEARCH_CHARS_MAX {
        let detail =
            format!("must not have more than {SEARCH_CHARS_MAX} characters (including spaces) in the search list");
        path.child("searches").invalid(errors, whole("searches"), &detail);
    }
    for (idx, search) in texts(config, "searches") {
        if search != "." {
            let search = search.strip_suffix('.').unwrap_or(search);
            named(search, names::dns_subdomain_with_underscore, &path.child("searches").index(idx), errors);
        }
    }
    for (idx, option) in maps(config, "options") {
        if text(option, "name").is_empty() {
            path.child("options").index(idx).required(errors, "must not be empty");
        }
    }
}

/// `validatePodHostName`
fn hostname_override(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    const HOSTNAME_MAX: usize = 64;
    let Some(name) = opt_text(spec, "hostnameOverride") else { return };
    if flag(spec, "setHostnameAsFQDN") {
        path.forbidden(errors, "may not be specified when setHostnameAsFQDN is true");
    }
    if flag(spec, "hostNetwork") {
        path.forbidden(errors, "may not be specified when hostNetwork is true");
    }
    if name.len() > HOSTNAME_MAX {
        path.too_long(errors, HOSTNAME_MAX);
    }
    named(name, names::dns_subdomain, path, errors);
}

fn plain_names(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let mut check = |key: &str, rule: fn(&str) -> Vec<String>| {
        let name = text(spec, key);
        if !name.is_empty() {
            named(name, rule, &path.child(key), errors);
        }
    };
    check("serviceAccountName", names::dns_subdomain);
    check("nodeName", names::dns_subdomain);
    if let Some(seconds) = opt_int(spec, "activeDeadlineSeconds") {
        for message in names::in_range(seconds, 1, i64::from(i32::MAX)) {
            path.child("activeDeadlineSeconds").invalid(errors, seconds, &message);
        }
    }
    let mut check = |key: &str| {
        let name = text(spec, key);
        if !name.is_empty() {
            named(name, names::dns_label, &path.child(key), errors);
        }
    };
    check("hostname");
    check("subdomain");
}

fn host_aliases(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    for (idx, alias) in maps(spec, "hostAliases") {
        let path = path.index(idx);
        named(text(alias, "ip"), names::legacy_ip, &path.child("ip"), errors);
        for (idx, name) in texts(alias, "hostnames") {
            named(name, names::dns_subdomain, &path.child("hostnames").index(idx), errors);
        }
    }
}

fn classes(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let class = text(spec, "priorityClassName");
    if !class.is_empty() {
        named(class, names::dns_subdomain, &path.child("priorityClassName"), errors);
    }
    if let Some(class) = opt_text(spec, "runtimeClassName") {
        named(class, names::dns_subdomain, &path.child("runtimeClassName"), errors);
    }
    if let Some(policy) = opt_text(spec, "preemptionPolicy") {
        required_one_of(policy, &["PreemptLowerPriority", "Never"], &path.child("preemptionPolicy"), errors);
    }
}

fn operating_system(spec: &Map, os: &str, path: &Path<'_>, errors: &mut Errors) {
    match os {
        "" => path.child("os.name").required(errors, ""),
        "linux" | "windows" => security::fits_os(spec, os, path, errors),
        _ => one_of(os, &["linux", "windows"], &path.child("os"), errors),
    }
}

/// What only pods are checked for, and not templates (`validatePodMetadataAndSpec` after the spec).
pub(crate) fn only_for_pods(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    if text(spec, "serviceAccountName").is_empty() {
        for (idx, volume) in maps(spec, "volumes") {
            let Some(projected) = child(volume, "projected") else { continue };
            let path = path.child("volumes");
            let path = path.index(idx);
            for (idx, source) in maps(projected, "sources") {
                if has(source, "serviceAccountToken") {
                    let path = path.child("projected.sources");
                    let path = path.index(idx);
                    path.child("serviceAccountToken")
                        .forbidden(errors, "must not be specified when serviceAccountName is not set");
                }
            }
        }
    }
    for key in ["containers", "initContainers"] {
        for (idx, container) in maps(spec, key) {
            containers::image_without_spaces(container, &path.child(key).index(idx), errors);
        }
    }
}
