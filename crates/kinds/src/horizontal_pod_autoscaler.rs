//! HorizontalPodAutoscaler. Follows `pkg/apis/autoscaling`; stored in version 2.

mod columns;
#[cfg(test)]
mod tests;
mod validate;
mod version_1;

use meta::Object;
use value::{Map, Value, map, value};

use crate::path::Path;
use crate::pod_template::fields::{has, int, list, non_negative};
use crate::workload::{edit_or_make, spec, status};
use crate::{Kind, Scope, Served, Strategy, Subresource, keep_status};

pub(crate) const KIND: Kind = Kind {
    short_names: &["hpa"],
    categories: &["all"],
    definition: "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
    also_served: &[Served {
        renamed_fields: &[],
        group: "autoscaling",
        version: "v1",
        definition: "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler",
        to: version_1::to,
        from: version_1::from,
        validate: |_, _, _| (),
    }],
    subresources: &[Subresource::status("HorizontalPodAutoscaler")],
    columns: || columns::COLUMNS,
    strategy: Strategy {
        default: |it| edit_or_make(&mut it.body, "spec", default),
        prepare_create: |it| it.body.insert("status", map!({ "currentMetrics": null, "desiredReplicas": 0 })),
        prepare_update: keep_status,
        validate: |it, errors| validate::spec_of(spec(it), None, errors),
        validate_update: |new, old, errors| validate::spec_of(spec(new), Some(spec(old)), errors),
        validate_status: |new: &Object, _, errors| {
            for key in ["currentReplicas", "desiredReplicas"] {
                non_negative(int(status(new), key), &Path::root("status").child(key), errors);
            }
        },
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Namespaced, "autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
};

/// What pods use of their requested CPU, on average, if nobody says.
const UTILIZATION: i64 = 80;

fn cpu_metric(utilization: i64) -> Value {
    value!({
        "type": "Resource",
        "resource": { "name": "cpu", "target": { "type": "Utilization", "averageUtilization": utilization } },
    })
}

fn default(spec: &mut Map) {
    spec.set_default("minReplicas", 1);
    if list(spec, "metrics").is_empty() {
        spec.insert("metrics", vec![cpu_metric(UTILIZATION)]);
    }
    spec.edit_map("behavior", |behavior| {
        let policy = |kind: &str, amount: i64| value!({ "type": kind, "value": amount, "periodSeconds": 15 });
        let percent = policy("Percent", 100);
        rules(behavior, "scaleDown", None, vec![percent.clone()]);
        rules(behavior, "scaleUp", Some(0), vec![policy("Pods", 4), percent]);
    });
}

fn rules(behavior: &mut Map, key: &str, window: Option<i64>, policies: Vec<Value>) {
    edit_or_make(behavior, key, |rules| {
        rules.set_default("selectPolicy", "Max");
        if let Some(window) = window {
            rules.set_default("stabilizationWindowSeconds", window);
        }
        if !has(rules, "policies") {
            rules.insert("policies", policies);
        }
    });
}
