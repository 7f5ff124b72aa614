//! What to warn of in a service (`pkg/api/service/warnings.go`).

use meta::{Object, names, quoted};

use super::{HINTS, MODE, spec};
use crate::path::Path;
use crate::pod_template::fields::{list, text, texts};

pub(super) fn of(it: &Object) -> Vec<String> {
    let spec = spec(it);
    let kind = text(spec, "type");
    let mut res = Vec::new();
    let path = Path::root("spec");
    if it.meta.annotations.contains_key(HINTS) {
        res.push(format!("annotation {HINTS} is deprecated, please use {MODE} instead"));
    }
    let cluster_ip = text(spec, "clusterIP");
    if !cluster_ip.is_empty() && cluster_ip != "None" {
        ips(texts(spec, "clusterIPs"), &path.child("clusterIPs"), &mut res);
    }
    let is_headless = kind == "ClusterIP" && cluster_ip == "None";
    let n_external = list(spec, "externalIPs").len();
    if is_headless {
        for (ignored, key) in [
            (!text(spec, "loadBalancerIP").is_empty(), "loadBalancerIP"),
            (n_external > 0, "externalIPs"),
            (text(spec, "sessionAffinity") != "None", "SessionAffinity"),
        ] {
            if ignored {
                res.push(format!("spec.{key} is ignored for headless services"));
            }
        }
    }
    ips(texts(spec, "externalIPs"), &path.child("externalIPs"), &mut res);
    if n_external > 0 && !is_headless && kind != "ExternalName" {
        res.push("spec.externalIPs is deprecated and may no longer be implemented in some clusters".to_owned());
    }
    if let Some(warning) = names::ip_warning(text(spec, "loadBalancerIP")) {
        res.push(format!("{}: {warning}", path.child("loadBalancerIP")));
    }
    for (idx, cidr) in texts(spec, "loadBalancerSourceRanges") {
        for warning in names::cidr_warnings(cidr) {
            res.push(format!("{}: {warning}", path.child("loadBalancerSourceRanges").index(idx)));
        }
    }
    if kind == "ExternalName" && n_external > 0 {
        res.push("spec.externalIPs is ignored when spec.type is \"ExternalName\"".to_owned());
    }
    if kind != "ExternalName" && !text(spec, "externalName").is_empty() {
        res.push("spec.externalName is ignored when spec.type is not \"ExternalName\"".to_owned());
    }
    if text(spec, "trafficDistribution") == "PreferClose" {
        let (old, new) = (quoted("PreferClose"), quoted("PreferSameZone"));
        res.push(format!("spec.trafficDistribution: {old} is deprecated; use {new}"));
    }
    res
}

fn ips<'a>(all: impl Iterator<Item = (usize, &'a str)>, path: &Path<'_>, res: &mut Vec<String>) {
    for (idx, ip) in all {
        if let Some(warning) = names::ip_warning(ip) {
            res.push(format!("{}: {warning}", path.index(idx)));
        }
    }
}
