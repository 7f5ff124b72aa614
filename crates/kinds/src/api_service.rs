//! APIService. Follows `k8s.io/kube-aggregator/pkg/apis/apiregistration`.

use meta::{Errors, Object, names, quoted};
use value::{Value, time, value};

use crate::path::Path;
use crate::pod_template::fields::{child, flag, int, maps, named, one_of, text};
use crate::workload::{spec, status};
use crate::{Kind, Scope, Strategy, Subresource, columns, keep_status, path_segment_name};

const GROUP_PRIORITY_MAX: i64 = 20_000;
const VERSION_PRIORITY_MAX: i64 = 1000;

pub(crate) const KIND: Kind = Kind {
    categories: &["api-extensions"],
    definition: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
    subresources: &[Subresource::status("APIService")],
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Service", "Who serves it.", |it, _| match child(spec(it), "service") {
                    Some(service) => format!("{}/{}", text(service, "namespace"), text(service, "name")).into(),
                    None => "Local".into(),
                }),
                columns::text("Available", "Whether it answers.", |it, _| available(it).into()),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        default: |it| {
            it.body.edit_map("spec", |it| it.edit_map("service", |it| it.set_default("port", 443)));
        },
        prepare_create: |it| {
            let mut status = Value::map();
            if child(spec(it), "service").is_none() {
                let now = time::format_secs(it.meta.created.unwrap_or(0));
                status = value!({ "conditions": [{
                        "type": "Available", "status": "True", "lastTransitionTime": now, "reason": "Local",
                        "message": "Local APIServices are always available",
                    }] });
            }
            it.body.insert("status", status);
        },
        prepare_update: keep_status,
        validate,
        validate_update: |new, _, errors| validate(new, errors),
        validate_status: |new, _, errors| {
            for (idx, condition) in maps(status(new), "conditions") {
                let path = Path::root("status.conditions");
                let path = path.index(idx);
                one_of(text(condition, "status"), &["True", "False", "Unknown"], &path.child("status"), errors);
            }
        },
        validate_name: path_segment_name,
        unconditional_update: false,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Cluster, "apiregistration.k8s.io", "v1", "APIService", "apiservices")
};

fn available(it: &Object) -> String {
    let condition = maps(status(it), "conditions").map(|(_, it)| it).find(|it| text(it, "type") == "Available");
    match condition.map(|it| (text(it, "status"), text(it, "reason"))) {
        None => "Unknown".to_owned(),
        Some(("True", _)) => "True".to_owned(),
        Some((status, "")) => status.to_owned(),
        Some((status, reason)) => format!("{status} ({reason})"),
    }
}

fn validate(it: &Object, errors: &mut Errors) {
    let spec = spec(it);
    let (group, version) = (text(spec, "group"), text(spec, "version"));
    let wanted = format!("{version}.{group}");
    if !it.meta.name.is_empty() && *it.meta.name != *wanted && names::path_segment_name(&it.meta.name).is_empty() {
        let detail = format!("must be `spec.version+\".\"+spec.group`: {}", quoted(&wanted));
        Path::root("metadata.name").invalid(errors, &it.meta.name, &detail);
    }
    let path = Path::root("spec");
    if group.is_empty() && version != "v1" {
        path.child("group").required(errors, "only v1 may have an empty group and it better be legacy kube");
    }
    if !group.is_empty() {
        named(group, names::dns_subdomain, &path.child("group"), errors);
    }
    named(version, names::dns_1035_label, &path.child("version"), errors);
    for (key, max) in [("groupPriorityMinimum", GROUP_PRIORITY_MAX), ("versionPriority", VERSION_PRIORITY_MAX)] {
        let priority = int(spec, key);
        if !(1..=max).contains(&priority) {
            path.child(key).invalid(errors, priority, &format!("must be positive and less than {max}"));
        }
    }
    let bundle = text(spec, "caBundle");
    let insecure = flag(spec, "insecureSkipTLSVerify");
    let Some(service) = child(spec, "service") else {
        if !bundle.is_empty() {
            let n_bytes = bundle.trim_end_matches('=').len() * 3 / 4;
            path.child("caBundle").invalid(
                errors,
                format!("{n_bytes} bytes"),
                "local APIServices may not have a caBundle",
            );
        }
        if insecure {
            path.child("insecureSkipTLSVerify").invalid(
                errors,
                true,
                "local APIServices may not have insecureSkipTLSVerify",
            );
        }
        return;
    };
    let service_path = path.child("service");
    for key in ["namespace", "name"] {
        if text(service, key).is_empty() {
            service_path.child(key).required(errors, "");
        }
    }
    let port = int(service, "port");
    let messages = names::port_number(port);
    if !messages.is_empty() {
        let detail = format!("port is not valid: {}", messages.join(", "));
        service_path.child("port").invalid(errors, port, &detail);
    }
    if insecure && !bundle.is_empty() {
        path.child("insecureSkipTLSVerify").invalid(errors, true, "may not be true if caBundle is present");
    }
}
