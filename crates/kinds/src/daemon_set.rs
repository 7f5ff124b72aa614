//! DaemonSet. Follows `pkg/apis/apps/validation`.

use meta::{Errors, Object};
use value::{Map, map};

use crate::columns::number;
use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, non_negative, text};
use crate::pod_template::{internal, labels};
use crate::workload::{self, spec, status};
use crate::{Kind, Scope, Strategy, Subresource, columns, pod_template};

/// Counts the changes of the template; once a field of the spec.
pub(crate) const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

pub(crate) const KIND: Kind = Kind {
    short_names: &["ds"],
    categories: &["all"],
    definition: "io.k8s.api.apps.v1.DaemonSet",
    subresources: &[Subresource::status("DaemonSet")],
    columns: || COLUMNS,
    strategy: Strategy {
        default,
        default_status: Some(|_| ()),
        prepare_create,
        prepare_update,
        validate,
        validate_update: |new, old, errors| {
            let number = template_generation(new);
            if number < template_generation(old) {
                let path = Path::root("spec");
                path.child("templateGeneration").invalid(errors, number, "must not be decremented");
            }
            workload::same_selector(spec(new), spec(old), errors);
            validate(new, errors);
        },
        validate_status,
        warnings: workload::template_warnings,
        ..Strategy::WORKLOAD
    },
    ..Kind::new(Scope::Namespaced, "apps", "v1", "DaemonSet", "daemonsets")
};

const COLUMNS: &[crate::Column] = &[
    columns::name(),
    columns::integer("Desired", "Nodes that should run a pod of it.", |it, _| {
        number(it, "status.desiredNumberScheduled")
    }),
    columns::integer("Current", "Nodes that should and do.", |it, _| number(it, "status.currentNumberScheduled")),
    columns::integer("Ready", "Of these, with a ready pod.", |it, _| number(it, "status.numberReady")),
    columns::integer("Up-to-date", "With a pod of the newest template.", |it, _| {
        number(it, "status.updatedNumberScheduled")
    }),
    columns::integer("Available", "With a pod that has been ready long enough.", |it, _| {
        number(it, "status.numberAvailable")
    }),
    columns::text("Node Selector", "Labels of its nodes.", |it, _| {
        let pod = child_or_empty(columns::template(it), "spec");
        columns::labels(child_or_empty(pod, "nodeSelector")).into()
    }),
    columns::created(),
    columns::wide(columns::containers()),
    columns::wide(columns::images()),
    columns::wide(columns::pod_selector()),
];

fn default(it: &mut Object) {
    workload::default_spec(it, |spec| {
        workload::edit_or_make(spec, "updateStrategy", |strategy| {
            if text(strategy, "type").is_empty() {
                strategy.insert("type", "RollingUpdate");
            }
            if text(strategy, "type") == "RollingUpdate" {
                workload::edit_or_make(strategy, "rollingUpdate", |rolling| {
                    rolling.set_default("maxUnavailable", 1);
                });
            }
            // Inside the server these are plain numbers, which are always there.
            strategy.edit_map("rollingUpdate", |rolling| {
                rolling.set_default("maxUnavailable", 0);
                rolling.set_default("maxSurge", 0);
            });
        });
        spec.set_default("revisionHistoryLimit", 10);
    });
    if !it.meta.annotations.contains_key(TEMPLATE_GENERATION) {
        it.meta.annotations.insert(TEMPLATE_GENERATION, "0");
    }
}

/// The annotation's number.
fn template_generation(it: &Object) -> i64 {
    it.meta.annotation(TEMPLATE_GENERATION).and_then(|it| it.parse().ok()).unwrap_or(0)
}

fn set_template_generation(it: &mut Object, number: i64) {
    let number = number.to_string();
    if it.meta.annotation(TEMPLATE_GENERATION) != Some(&*number) {
        it.meta.annotations.insert(TEMPLATE_GENERATION, number);
    }
}

fn prepare_create(it: &mut Object) {
    let zero = map!({
        "currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0,
    });
    workload::prepare_create(it, zero);
    let number = template_generation(it).max(1);
    set_template_generation(it, number);
}

fn prepare_update(new: &mut Object, old: &Object) {
    workload::prepare_update(new, old);
    let number = template_generation(old).wrapping_add(i64::from(workload::template_changed(new, old)));
    set_template_generation(new, number);
}

fn validate(it: &Object, errors: &mut Errors) {
    let spec = spec(it);
    let path = Path::root("spec");
    let selector = child(spec, "selector");
    labels::validate_selector(selector, &path.child("selector"), errors);
    let template = child_or_empty(spec, "template");
    let template_path = path.child("template");
    if let Some(readable) = workload::readable_selector(selector) {
        workload::matches_template(&readable, template, &template_path, errors);
    }
    if let Some(selector) = selector.filter(|it| workload::is_empty_selector(it)) {
        let bad = internal::bad_selector(selector);
        path.child("selector").invalid(errors, bad, "empty selector is invalid for daemonset");
    }
    pod_template::validate(template, &template_path, errors);
    workload::runs_for_ever(template, "DaemonSet", &template_path, errors);
    workload::non_negatives(spec, &["minReadySeconds"], &path, errors);
    non_negative(template_generation(it), &path.child("templateGeneration"), errors);
    update_strategy(child_or_empty(spec, "updateStrategy"), &path.child("updateStrategy"), errors);
    workload::non_negatives(spec, &["revisionHistoryLimit"], &path, errors);
}

fn update_strategy(strategy: &Map, path: &Path<'_>, errors: &mut Errors) {
    match text(strategy, "type") {
        "OnDelete" => (),
        "RollingUpdate" => match child(strategy, "rollingUpdate") {
            Some(rolling) => rolling_update(rolling, &path.child("rollingUpdate"), errors),
            None => path.child("rollingUpdate").required(errors, ""),
        },
        _ => {
            let bad = internal::bad_value(strategy, "DaemonSetUpdateStrategy");
            path.not_supported(errors, bad, &["RollingUpdate", "OnDelete"]);
        }
    }
}

fn rolling_update(rolling: &Map, path: &Path<'_>, errors: &mut Errors) {
    let (unavailable, surge) = (rolling.get("maxUnavailable"), rolling.get("maxSurge"));
    let (unavailable_path, surge_path) = (path.child("maxUnavailable"), path.child("maxSurge"));
    workload::positive_int_or_percent(unavailable, &unavailable_path, errors);
    workload::positive_int_or_percent(surge, &surge_path, errors);
    workload::at_most_100_percent(unavailable, &unavailable_path, errors);
    workload::at_most_100_percent(surge, &surge_path, errors);
    match (workload::int_or_percent(unavailable), workload::int_or_percent(surge)) {
        (0, 0) => unavailable_path.required(errors, "cannot be 0 when maxSurge is 0"),
        (0, _) | (_, 0) => (),
        _ => {
            let bad = surge.cloned().unwrap_or_default();
            surge_path.invalid(errors, bad, "may not be set when maxUnavailable is non-zero");
        }
    }
}

fn validate_status(new: &Object, old: &Object, errors: &mut Errors) {
    const COUNTS: [&str; 9] = [
        "currentNumberScheduled",
        "numberMisscheduled",
        "desiredNumberScheduled",
        "numberReady",
        "observedGeneration",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberUnavailable",
        "collisionCount",
    ];
    workload::non_negatives(status(new), &COUNTS, &Path::root("status"), errors);
    workload::collisions_grow(new, old, errors);
}
