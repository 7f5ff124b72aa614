//! Deployment. Follows `pkg/apis/apps/validation`.

use meta::{Errors, Object};
use value::Map;

use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, has, non_negative, opt_int, text};
use crate::pod_template::internal;
use crate::workload::{self, spec, status};
use crate::{Column, Kind, Scope, Strategy, Subresource, columns, spec_changed};

/// A revision to go back to; once a field of the spec.
pub const ROLLBACK_TO: &str = "deprecated.deployment.rollback.to";

pub(crate) const KIND: Kind = Kind {
    short_names: &["deploy"],
    categories: &["all"],
    definition: "io.k8s.api.apps.v1.Deployment",
    subresources: &[Subresource::scale(), Subresource::status("Deployment")],
    columns: || COLUMNS,
    strategy: Strategy {
        default,
        default_status: Some(|_| ()),
        validate,
        validate_update: |new, old, errors| {
            validate(new, errors);
            workload::same_selector(spec(new), spec(old), errors);
        },
        validate_status,
        warnings: workload::warnings,
        counts: |new, old| spec_changed(new, old) || new.meta.annotations != old.meta.annotations,
        ..Strategy::WORKLOAD
    },
    ..Kind::new(Scope::Namespaced, "apps", "v1", "Deployment", "deployments")
};

const COLUMNS: &[Column] = &[
    columns::name(),
    columns::text("Ready", "How many of its pods are ready.", |it, _| workload::ready_of_desired(it)),
    columns::text("Up-to-date", "How many pods have the newest template.", |it, _| {
        columns::number(it, "status.updatedReplicas")
    }),
    columns::text("Available", "How many pods have been ready long enough.", |it, _| {
        columns::number(it, "status.availableReplicas")
    }),
    columns::created(),
    columns::wide(columns::containers()),
    columns::wide(columns::images()),
    columns::wide(columns::pod_selector()),
];

fn default(it: &mut Object) {
    workload::default_spec(it, |spec| {
        spec.set_default("replicas", 1);
        workload::edit_or_make(spec, "strategy", |strategy| {
            if text(strategy, "type").is_empty() {
                strategy.insert("type", "RollingUpdate");
            }
            if text(strategy, "type") == "RollingUpdate" {
                workload::edit_or_make(strategy, "rollingUpdate", |rolling| {
                    rolling.set_default("maxUnavailable", "25%");
                    rolling.set_default("maxSurge", "25%");
                });
            }
        });
        spec.set_default("revisionHistoryLimit", 10);
        spec.set_default("progressDeadlineSeconds", 600);
    });
}

fn validate(it: &Object, errors: &mut Errors) {
    let spec = spec(it);
    let path = Path::root("spec");
    workload::non_negatives(spec, &["replicas"], &path, errors);
    workload::required_selector(spec, "deployment", &path, errors);
    workload::replica_set_template(spec, &path, errors);
    strategy(child_or_empty(spec, "strategy"), &path.child("strategy"), errors);
    workload::non_negatives(spec, &["minReadySeconds", "revisionHistoryLimit"], &path, errors);
    if let Some(revision) = it.meta.annotation(ROLLBACK_TO).and_then(|it| it.parse().ok()) {
        non_negative(revision, &path.child("rollback.version"), errors);
    }
    workload::non_negatives(spec, &["progressDeadlineSeconds"], &path, errors);
    if let Some(deadline) = opt_int(spec, "progressDeadlineSeconds")
        && deadline <= opt_int(spec, "minReadySeconds").unwrap_or(0)
    {
        path.child("progressDeadlineSeconds").invalid(errors, deadline, "must be greater than minReadySeconds");
    }
}

fn strategy(strategy: &Map, path: &Path<'_>, errors: &mut Errors) {
    let rolling_path = path.child("rollingUpdate");
    match (text(strategy, "type"), child(strategy, "rollingUpdate")) {
        ("Recreate", _) => {
            if has(strategy, "rollingUpdate") {
                rolling_path.forbidden(errors, "may not be specified when strategy `type` is 'Recreate'");
            }
        }
        ("RollingUpdate", None) => rolling_path.required(errors, "this should be defaulted and never be nil"),
        ("RollingUpdate", Some(rolling)) => rolling_update(rolling, &rolling_path, errors),
        _ => {
            let bad = internal::bad_value(strategy, "DeploymentStrategy");
            path.not_supported(errors, bad, &["Recreate", "RollingUpdate"]);
        }
    }
}

fn rolling_update(rolling: &Map, path: &Path<'_>, errors: &mut Errors) {
    let (unavailable, surge) = (rolling.get("maxUnavailable"), rolling.get("maxSurge"));
    let unavailable_path = path.child("maxUnavailable");
    workload::positive_int_or_percent(unavailable, &unavailable_path, errors);
    workload::positive_int_or_percent(surge, &path.child("maxSurge"), errors);
    if workload::int_or_percent(unavailable) == 0 && workload::int_or_percent(surge) == 0 {
        let bad = unavailable.cloned().unwrap_or_default();
        unavailable_path.invalid(errors, bad, "may not be 0 when `maxSurge` is 0");
    }
    workload::at_most_100_percent(unavailable, &unavailable_path, errors);
}

fn validate_status(new: &Object, old: &Object, errors: &mut Errors) {
    const COUNTS: [&str; 8] = [
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "unavailableReplicas",
        "terminatingReplicas",
        "collisionCount",
    ];
    const PARTS: [&str; 3] = ["updatedReplicas", "readyReplicas", "availableReplicas"];
    workload::replica_counts(status(new), &COUNTS, &PARTS, "readyReplicas", errors);
    workload::collisions_grow(new, old, errors);
}
