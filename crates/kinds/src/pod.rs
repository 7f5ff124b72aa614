//! Pod.

mod change;
mod columns;
mod create;
pub(crate) mod diff;
mod qos;
mod resize;
mod status;
mod transition;

use meta::{Errors, Object};
use value::{Map, Str, Value};

pub use self::change::{prepare_ephemeral_containers, validate_ephemeral_containers};
pub use self::columns::row_condition;
pub use self::create::set_condition;
pub use self::qos::class as qos_class;
pub use self::resize::{prepare_resize, validate_resize};
pub use self::status::prepare_status;
use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, flag, int, list, opt_int, text};
use crate::{Kind, Scope, SelectableField, Strategy, Subresource};

pub(crate) const KIND: Kind = Kind {
    short_names: &["po"],
    categories: &["all"],
    definition: "io.k8s.api.core.v1.Pod",
    subresources: SUBRESOURCES,
    columns: || columns::COLUMNS,
    selectable_fields: SELECTABLE,
    strategy: Strategy {
        default,
        default_rest: default_status,
        default_status: Some(default_status),
        prepare_create: create::prepare,
        prepare_update: change::prepare,
        validate: create::validate,
        validate_update: change::validate,
        validate_status: status::validate,
        prepare_warnings: create::app_armor_warnings,
        warnings: create::warnings,
        generation: true,
        metadata_checks: 2,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Namespaced, "", "v1", "Pod", "pods")
};

const CONNECT: &[&str] = &["create", "get"];
const CREATE: &[&str] = &["create"];
const CHANGE: &[&str] = &["get", "patch", "update"];

const SUBRESOURCES: &[Subresource] = &[
    part("attach", "PodAttachOptions", CONNECT),
    part("binding", "Binding", CREATE),
    part("ephemeralcontainers", "Pod", CHANGE),
    Subresource { name: "eviction", group: "policy", version: "v1", kind: "Eviction", verbs: CREATE },
    part("exec", "PodExecOptions", CONNECT),
    part("log", "Pod", &["get"]),
    part("portforward", "PodPortForwardOptions", CONNECT),
    part("proxy", "PodProxyOptions", &["create", "delete", "get", "patch", "update"]),
    part("resize", "Pod", CHANGE),
    part("status", "Pod", CHANGE),
];

const fn part(name: &'static str, kind: &'static str, verbs: &'static [&'static str]) -> Subresource {
    Subresource { name, group: "", version: "", kind, verbs }
}

const SELECTABLE: &[SelectableField] = &[
    SelectableField { name: "spec.nodeName", read: |it| shared(it, "spec", "nodeName") },
    // The old name of `spec.nodeName`.
    SelectableField { name: "spec.host", read: |it| shared(it, "spec", "nodeName") },
    SelectableField { name: "spec.restartPolicy", read: |it| shared(it, "spec", "restartPolicy") },
    SelectableField { name: "spec.schedulerName", read: |it| shared(it, "spec", "schedulerName") },
    SelectableField { name: "spec.serviceAccountName", read: |it| shared(it, "spec", "serviceAccountName") },
    SelectableField {
        name: "spec.hostNetwork",
        read: |it| if flag(child_or_empty(&it.body, "spec"), "hostNetwork") { "true".into() } else { "false".into() },
    },
    SelectableField { name: "status.phase", read: |it| shared(it, "status", "phase") },
    SelectableField {
        name: "status.podIP",
        read: |it| {
            it.list_at("status.podIPs")
                .first()
                .and_then(|it| it.get("ip")?.as_shared_str().cloned())
                .unwrap_or_default()
        },
    },
    // Upstream takes this name and has no value for it.
    SelectableField { name: "status.podIPs", read: |_| Str::default() },
    SelectableField { name: "status.nominatedNodeName", read: |it| shared(it, "status", "nominatedNodeName") },
];

fn shared(pod: &Object, part: &str, key: &str) -> Str {
    child(&pod.body, part).and_then(|it| it.get(key)?.as_shared_str().cloned()).unwrap_or_default()
}

/// Annotations by which init containers were declared before they had a field.
const OLD_INIT_ANNOTATIONS: &[&str] = &[
    "pod.beta.kubernetes.io/init-containers",
    "pod.alpha.kubernetes.io/init-containers",
    "pod.beta.kubernetes.io/init-container-statuses",
    "pod.alpha.kubernetes.io/init-container-statuses",
];

fn default(pod: &mut Object) {
    if child(&pod.body, "spec").is_none() {
        pod.body.insert("spec", Value::map());
    }
    pod.body.edit_map("spec", |spec| crate::pod_template::default_spec(spec, crate::pod_template::Of::Pod));
    default_status(pod);
}

fn default_status(pod: &mut Object) {
    if !pod.meta.annotations.is_empty() {
        pod.meta.annotations = pod.meta.annotations.filtered(|key, _| !OLD_INIT_ANNOTATIONS.contains(&key));
    }
    if let Some(status) = child(&pod.body, "status").and_then(status::same_address) {
        pod.body.insert("status", status);
    }
}

/// How many seconds a pod gets to end, of what was asked for (`CheckGracefulDelete`); 0 ends it at once.
pub fn deletion_grace(pod: &Object, asked: Option<i64>) -> i64 {
    let spec = child_or_empty(&pod.body, "spec");
    let period = asked.unwrap_or_else(|| int(spec, "terminationGracePeriodSeconds"));
    let phase = text(child_or_empty(&pod.body, "status"), "phase");
    if text(spec, "nodeName").is_empty() || matches!(phase, "Failed" | "Succeeded") {
        return 0;
    }
    if period < 0 { 1 } else { period }
}

/// `ValidatePodBinding` of a `v1.Binding`'s body.
pub fn validate_binding(binding: &Map, errors: &mut Errors) {
    let target = child_or_empty(binding, "target");
    let path = Path::root("target");
    let kind = text(target, "kind");
    if !kind.is_empty() && kind != "Node" {
        path.child("kind").not_supported(errors, kind, &["Node", "<empty>"]);
    }
    crate::pod_template::fields::require(target, "name", &path, errors);
}

/// The pod bound to `node`, with the binding's annotations and labels, at `now` seconds since the Unix epoch.
///
/// # Errors
/// Why not, for a Conflict on `pods/binding` (`setPodNodeAndMetadata`).
pub fn bind(pod: &Object, node: &Str, annotations: &Map, labels: &Map, now: i64) -> Result<Object, String> {
    let spec = child_or_empty(&pod.body, "spec");
    let name = &pod.meta.name;
    if pod.meta.is_deleted() {
        return Err(format!("pod {name} is being deleted, cannot be assigned to a host"));
    }
    let taken = text(spec, "nodeName");
    if !taken.is_empty() {
        return Err(format!("pod {name} is already assigned to node {}", meta::quoted(taken)));
    }
    if !list(spec, "schedulingGates").is_empty() {
        return Err(format!("pod {name} has non-empty .spec.schedulingGates"));
    }
    let mut bound = pod.clone();
    bound.body.edit_map("spec", |spec| spec.insert("nodeName", node));
    for (key, value) in annotations.iter() {
        bound.meta.annotations.insert(key, value);
    }
    for (key, value) in labels.iter() {
        bound.meta.labels.insert(key, value);
    }
    if child(&bound.body, "status").is_none() {
        bound.body.insert("status", Value::map());
    }
    bound.body.edit_map("status", |status| {
        if status.contains_key("nominatedNodeName") {
            status.remove("nominatedNodeName");
        }
        set_condition(status, "PodScheduled", "True", "", "", now);
    });
    Ok(bound)
}

/// The observed generation of a part of the status; 0 where there is none.
fn observed_generation(part: &Map) -> i64 {
    opt_int(part, "observedGeneration").unwrap_or(0)
}

#[cfg(test)]
mod tests;
