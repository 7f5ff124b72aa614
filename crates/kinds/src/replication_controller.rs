//! ReplicationController. Follows `pkg/apis/core/validation`.

use meta::selector::LabelSelector;
use meta::{Errors, Object};
use value::{Map, map};

use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, has};
use crate::replica_set::{COUNTS, PARTS};
use crate::workload::{self, spec, status};
use crate::{Kind, Scope, Strategy, Subresource, columns, pod_template, subdomain_name};

pub(crate) const KIND: Kind = Kind {
    short_names: &["rc"],
    categories: &["all"],
    definition: "io.k8s.api.core.v1.ReplicationController",
    subresources: &[Subresource::scale(), Subresource::status("ReplicationController")],
    columns: || {
        const {
            &workload::replica_columns(columns::text("Selector", "Which pods belong to it.", |it, _| {
                columns::labels(child_or_empty(spec(it), "selector")).into()
            }))
        }
    },
    selectable_fields: workload::SELECTABLE_REPLICAS,
    strategy: Strategy {
        default,
        prepare_create: |it| workload::prepare_create(it, map!({ "replicas": 0 })),
        validate,
        validate_update: |new, _, errors| validate(new, errors),
        validate_status: |new, _, errors| {
            workload::replica_counts(status(new), &COUNTS, &PARTS, "readyReplicas", errors);
        },
        warnings: workload::warnings,
        // Upstream looks at the finished name only.
        validate_name: |name, prefix| if prefix { Vec::new() } else { subdomain_name(name, false) },
        ..Strategy::WORKLOAD
    },
    ..Kind::new(Scope::Namespaced, "", "v1", "ReplicationController", "replicationcontrollers")
};

/// The template's labels stand in for a selector and for labels that are not there.
fn default(it: &mut Object) {
    workload::edit_or_make(&mut it.body, "spec", |spec| {
        spec.edit_map("template", pod_template::default);
        spec.set_default("replicas", 1);
    });
    let labels: Map =
        child(child_or_empty(child_or_empty(spec(it), "template"), "metadata"), "labels").cloned().unwrap_or_default();
    if labels.is_empty() {
        return;
    }
    if child_or_empty(spec(it), "selector").is_empty() {
        it.body.edit_map("spec", |spec| spec.insert("selector", &labels));
    }
    if it.meta.labels.is_empty() {
        it.meta.labels = labels;
    }
}

fn validate(it: &Object, errors: &mut Errors) {
    let spec = spec(it);
    let path = Path::root("spec");
    workload::non_negatives(spec, &["minReadySeconds"], &path, errors);
    let selector = LabelSelector::from_labels(child_or_empty(spec, "selector"));
    if selector.is_everything() {
        path.child("selector").required(errors, "");
    }
    if !has(spec, "replicas") {
        path.child("replicas").required(errors, "");
    }
    workload::non_negatives(spec, &["replicas"], &path, errors);
    let path = path.child("template");
    let Some(template) = child(spec, "template") else { return path.required(errors, "") };
    if !selector.is_everything() {
        workload::matches_template(&selector, template, &path, errors);
    }
    pod_template::validate(template, &path, errors);
    workload::runs_for_ever(template, "ReplicationController", &path, errors);
}
