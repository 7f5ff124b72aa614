//! What the API server warns of (`pkg/api/pod/warnings.go`).

use std::collections::{BTreeMap, BTreeSet};

use meta::{names, quoted};
use value::Map;
use value::quantity::Quantity;

use super::fields::{child, child_or_empty, each_container, has, int, list, maps, opt_text, text, texts};
use super::scheduling::{PREFERRED, REQUIRED};
use super::{annotations, overlaps};
use crate::path::Path;

const DEPRECATED_LABELS: &[(&str, &str)] = &[
    ("app.kubernetes.io/created-by", "deprecated since v1.9"),
    ("beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"),
    ("beta.kubernetes.io/instance-type", "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead"),
    ("beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    ("failure-domain.beta.kubernetes.io/zone", "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead"),
    ("node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead"),
    ("scheduler.alpha.kubernetes.io/preferAvoidPods", "deprecated since v1.22; use Taints and Tolerations instead"),
];

const DEPRECATED_ANNOTATIONS: &[(&str, &str)] = &[
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
    ("security.alpha.kubernetes.io/unsafe-sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
];

/// Volumes whose drivers are gone: the field, its name in the message, what is said.
const DEPRECATED_VOLUMES: &[(&str, &str, &str)] = &[
    ("photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
];

const NULL_SELECTOR: &str = "a null labelSelector results in matching no pod";

/// What to say of a label of nodes that is no more in use.
pub fn deprecated_label(key: &str) -> Option<&'static str> {
    DEPRECATED_LABELS.iter().find(|(it, _)| *it == key).map(|(_, message)| *message)
}

/// Adds the warnings of a spec in upstream's order; `meta` is the path of the metadata that holds `notes`.
pub(crate) fn collect(
    spec: &Map,
    notes: &Map,
    path: &Path<'_>,
    meta: &Path<'_>,
    is_template: bool,
    out: &mut Vec<String>,
) {
    node_labels(spec, path, out);
    spread(spec, path, out);
    let notes_path = meta.child("annotations");
    for (key, message) in DEPRECATED_ANNOTATIONS.iter().filter(|(key, _)| notes.contains_key(key)) {
        out.push(format!("{}: {message}", notes_path.key(key)));
    }
    volumes(spec, path, out);
    overlaps::collect(spec, out);
    repeated(spec, "hostAliases", "ip", path, out);
    repeated(spec, "imagePullSecrets", "name", path, out);
    for (idx, secret) in maps(spec, "imagePullSecrets") {
        if text(secret, "name").is_empty() {
            let path = path.child("imagePullSecrets");
            out.push(format!("{}: invalid empty name \"\"", path.index(idx).child("name")));
        }
    }
    let overhead = path.child("overhead");
    for key in ["memory", "ephemeral-storage"] {
        fraction(child_or_empty(spec, "overhead"), key, &overhead, out);
    }
    if child(spec, "securityContext").is_none_or(|it| !has(it, "seccompProfile"))
        && notes.contains_key(annotations::SECCOMP_POD)
    {
        out.push(format!("{}: {OLD_SECCOMP}", notes_path.key(annotations::SECCOMP_POD)));
    }
    containers(spec, notes, path, &notes_path, is_template, out);
    ports(spec, path, out);
    port_names(spec, path, out);
    if int(spec, "terminationGracePeriodSeconds") < 0 {
        let path = path.child("terminationGracePeriodSeconds");
        out.push(format!("{path}: must be >= 0; negative values are invalid and will be treated as 1"));
    }
    pod_affinity(spec, path, out);
    addresses(spec, path, out);
}

const OLD_SECCOMP: &str = "non-functional in v1.27+; use the \"seccompProfile\" field instead";

fn node_labels(spec: &Map, path: &Path<'_>, out: &mut Vec<String>) {
    for key in child_or_empty(spec, "nodeSelector").keys() {
        if let Some(message) = deprecated_label(key) {
            out.push(format!("{}: {message}", path.child("nodeSelector").key(key)));
        }
    }
    let Some(affinity) = child(spec, "affinity").and_then(|it| child(it, "nodeAffinity")) else { return };
    let path = path.child("affinity.nodeAffinity");
    let required = path.child(REQUIRED);
    for (idx, term) in maps(child_or_empty(affinity, REQUIRED), "nodeSelectorTerms") {
        node_term(term, false, &required.child("nodeSelectorTerms").index(idx), out);
    }
    for (idx, term) in maps(affinity, PREFERRED) {
        let path = path.child(PREFERRED);
        node_term(child_or_empty(term, "preference"), true, &path.index(idx).child("preference"), out);
    }
}

pub(crate) fn node_term(term: &Map, check_values: bool, path: &Path<'_>, out: &mut Vec<String>) {
    for (idx, expression) in maps(term, "matchExpressions") {
        let path = path.child("matchExpressions");
        let path = path.index(idx);
        let key = text(expression, "key");
        if let Some(message) = deprecated_label(key) {
            out.push(format!("{}: {key} is {message}", path.child("key")));
        }
        for (idx, value) in texts(expression, "values").filter(|_| check_values) {
            for message in names::label_value(value) {
                out.push(format!("{}: {value} is invalid, {message}", path.child("values").index(idx)));
            }
        }
    }
}

fn spread(spec: &Map, path: &Path<'_>, out: &mut Vec<String>) {
    for (idx, constraint) in maps(spec, "topologySpreadConstraints") {
        let path = path.child("topologySpreadConstraints");
        let path = path.index(idx);
        let key = text(constraint, "topologyKey");
        if let Some(message) = deprecated_label(key) {
            out.push(format!("{}: {key} is {message}", path.child("topologyKey")));
        }
        if !has(constraint, "labelSelector") {
            out.push(format!("{}: {NULL_SELECTOR}", path.child("labelSelector")));
        }
    }
}

fn volumes(spec: &Map, path: &Path<'_>, out: &mut Vec<String>) {
    for (idx, volume) in maps(spec, "volumes") {
        let path = path.child("volumes");
        let path = path.index(idx);
        for (key, shown, message) in DEPRECATED_VOLUMES {
            if has(volume, key) {
                out.push(format!("{}: {message}", path.child(shown)));
            }
        }
        if let Some(template) = child(volume, "ephemeral").and_then(|it| child(it, "volumeClaimTemplate")) {
            claim_spec(child_or_empty(template, "spec"), &path.child("ephemeral.volumeClaimTemplate.spec"), out);
        }
    }
}

/// `GetWarningsForPersistentVolumeClaimSpec`
pub fn claim_spec(spec: &Map, path: &Path<'_>, out: &mut Vec<String>) {
    let resources = child_or_empty(spec, "resources");
    let path = path.child("resources");
    for key in ["requests", "limits"] {
        fraction(child_or_empty(resources, key), "storage", &path.child(key), out);
    }
}

/// Bytes are whole.
fn fraction(amounts: &Map, name: &str, path: &Path<'_>, out: &mut Vec<String>) {
    let Some(amount) = opt_text(amounts, name) else { return };
    if Quantity::parse(amount).is_ok_and(|it| !it.is_whole()) {
        out.push(format!(
            "{}: fractional byte value {} is invalid, must be an integer",
            path.key(name),
            quoted(amount)
        ));
    }
}

fn repeated(spec: &Map, key: &str, field: &str, path: &Path<'_>, out: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for (idx, item) in maps(spec, key) {
        if !seen.insert(text(item, field)) {
            let path = path.child(key);
            out.push(format!("{}: duplicate {field} {}", path.index(idx).child(field), quoted(text(item, field))));
        }
    }
}

fn containers(
    spec: &Map,
    notes: &Map,
    path: &Path<'_>,
    notes_path: &Path<'_>,
    is_template: bool,
    out: &mut Vec<String>,
) {
    let of_pod = child(spec, "securityContext").and_then(|it| child(it, "appArmorProfile"));
    each_container(spec, path, &mut |container, path| {
        let context = child(container, "securityContext");
        if !notes.is_empty() {
            let key = format!("{}{}", annotations::SECCOMP_CONTAINER, text(container, "name"));
            if context.is_none_or(|it| !has(it, "seccompProfile")) && notes.contains_key(&key) {
                out.push(format!("{}: {OLD_SECCOMP}", notes_path.key(&key)));
            }
            let key = format!("{}{}", annotations::APP_ARMOR, text(container, "name"));
            if is_template && context.is_none_or(|it| !has(it, "appArmorProfile")) && notes.contains_key(&key) {
                let same = of_pod.is_some_and(|it| annotations::app_armor_of(text(notes, &key)).as_ref() == Some(it));
                if !same {
                    out.push(format!(
                        "{}: deprecated since v1.30; use the \"appArmorProfile\" field instead",
                        notes_path.key(&key)
                    ));
                }
            }
        }
        let resources = child_or_empty(container, "resources");
        let resources_path = path.child("resources");
        for name in ["memory", "ephemeral-storage"] {
            for key in ["limits", "requests"] {
                fraction(child_or_empty(resources, key), name, &resources_path.child(key), out);
            }
        }
        hidden_variables(container, path, out);
    });
}

fn hidden_variables(container: &Map, path: &Path<'_>, out: &mut Vec<String>) {
    if list(container, "env").len() < 2 {
        return;
    }
    let mut seen = BTreeSet::new();
    for (idx, variable) in maps(container, "env") {
        let name = text(variable, "name");
        if seen.insert(name) {
            continue;
        }
        // A variable that extends its own earlier value is meant so.
        let reference = format!("$({name})");
        let value = text(variable, "value");
        if has(variable, "valueFrom") || value == reference || !value.contains(&reference) {
            let path = path.child("env");
            let path = path.index(idx);
            out.push(format!(
                "{path}: hides previous definition of {}, which may be dropped when using apply",
                quoted(name)
            ));
        }
    }
}

/// A port that was seen: its path, address and host port.
type Seen<'a> = (String, &'a str, i64);

fn ports(spec: &Map, path: &Path<'_>, out: &mut Vec<String>) {
    // By number and protocol.
    let mut all: BTreeMap<(i64, &str), Vec<Seen<'_>>> = BTreeMap::new();
    each_container(spec, path, &mut |container, path| {
        for (idx, port) in maps(container, "ports") {
            let path = path.child("ports");
            let path = path.index(idx);
            let (number, protocol) = (int(port, "containerPort"), text(port, "protocol"));
            let (address, host) = (text(port, "hostIP"), int(port, "hostPort"));
            if !address.is_empty() && host == 0 {
                out.push(format!(
                    "{path}: hostIP set without hostPort: {{Name:{} HostPort:0 ContainerPort:{number} Protocol:{protocol} HostIP:{address}}}",
                    text(port, "name")
                ));
            }
            let others = all.entry((number, protocol)).or_default();
            for (other, other_address, other_host) in others.iter() {
                let how = if (address, host) == (*other_address, *other_host) {
                    "duplicate"
                } else if host == 0 || *other_host == 0 {
                    "overlapping"
                } else if host == *other_host && address.is_empty() != other_address.is_empty() {
                    "dangerously ambiguous"
                } else {
                    continue;
                };
                out.push(format!("{path}: {how} port definition with {other}"));
            }
            others.push((path.to_string(), address, host));
        }
    });
}

fn port_names(spec: &Map, path: &Path<'_>, out: &mut Vec<String>) {
    let mut all: BTreeMap<&str, String> = BTreeMap::new();
    each_container(spec, path, &mut |container, path| {
        for (idx, port) in maps(container, "ports").filter(|(_, it)| !text(it, "name").is_empty()) {
            let name = text(port, "name");
            let path = path.child("ports");
            let path = path.index(idx);
            match all.get(name) {
                None => {
                    all.insert(name, path.to_string());
                }
                Some(other) => out.push(format!(
                    "{path}: duplicate port name {} with {other}, services and probes that select ports by name will use {other}",
                    quoted(name)
                )),
            }
        }
    });
}

fn pod_affinity(spec: &Map, path: &Path<'_>, out: &mut Vec<String>) {
    let Some(affinity) = child(spec, "affinity") else { return };
    let path = path.child("affinity");
    for key in ["podAffinity", "podAntiAffinity"] {
        let Some(terms) = child(affinity, key) else { continue };
        let path = path.child(key);
        for (idx, _) in maps(terms, REQUIRED).filter(|(_, it)| !has(it, "labelSelector")) {
            let path = path.child(REQUIRED);
            out.push(format!("{}: {NULL_SELECTOR}", path.index(idx).child("labelSelector")));
        }
        for (idx, _) in
            maps(terms, PREFERRED).filter(|(_, it)| !has(child_or_empty(it, "podAffinityTerm"), "labelSelector"))
        {
            let path = path.child(PREFERRED);
            out.push(format!("{}: {NULL_SELECTOR}", path.index(idx).child("podAffinityTerm.labelSelector")));
        }
    }
}

fn addresses(spec: &Map, path: &Path<'_>, out: &mut Vec<String>) {
    let servers = path.child("dnsConfig.nameservers");
    for (idx, server) in child(spec, "dnsConfig").into_iter().flat_map(|it| texts(it, "nameservers")) {
        if let Some(warning) = names::ip_warning(server) {
            out.push(format!("{}: {warning}", servers.index(idx)));
        }
    }
    for (idx, alias) in maps(spec, "hostAliases") {
        if let Some(warning) = names::ip_warning(text(alias, "ip")) {
            let path = path.child("hostAliases");
            out.push(format!("{}: {warning}", path.index(idx).child("ip")));
        }
    }
}
