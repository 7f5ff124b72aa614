//! ReplicaSet. Follows `pkg/apis/apps/validation`.

use meta::{Errors, Object};
use value::map;

use crate::path::Path;
use crate::workload::{self, spec, status};
use crate::{Kind, Scope, Strategy, Subresource, columns};

pub(crate) const KIND: Kind = Kind {
    short_names: &["rs"],
    categories: &["all"],
    definition: "io.k8s.api.apps.v1.ReplicaSet",
    subresources: &[Subresource::scale(), Subresource::status("ReplicaSet")],
    columns: || const { &workload::replica_columns(columns::pod_selector()) },
    strategy: Strategy {
        default: |it| workload::default_spec(it, |spec| spec.set_default("replicas", 1)),
        default_status: Some(|_| ()),
        prepare_create: |it| workload::prepare_create(it, map!({ "replicas": 0 })),
        validate,
        validate_update: |new, old, errors| {
            validate(new, errors);
            workload::same_selector(spec(new), spec(old), errors);
        },
        validate_status: |new, _, errors| {
            workload::replica_counts(status(new), &COUNTS, &PARTS, "readyReplicas", errors);
        },
        warnings: workload::warnings,
        ..Strategy::WORKLOAD
    },
    ..Kind::new(Scope::Namespaced, "apps", "v1", "ReplicaSet", "replicasets")
};

/// In the order in which they are looked at.
pub(crate) const COUNTS: [&str; 6] = [
    "replicas",
    "fullyLabeledReplicas",
    "readyReplicas",
    "availableReplicas",
    "observedGeneration",
    "terminatingReplicas",
];
pub(crate) const PARTS: [&str; 3] = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"];

fn validate(it: &Object, errors: &mut Errors) {
    let spec = spec(it);
    let path = Path::root("spec");
    workload::non_negatives(spec, &["replicas", "minReadySeconds"], &path, errors);
    // Upstream calls it a deployment here.
    workload::required_selector(spec, "deployment", &path, errors);
    workload::replica_set_template(spec, &path, errors);
}
