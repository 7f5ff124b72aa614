//! PodDisruptionBudget. Follows `pkg/apis/policy/validation`.

use meta::{Errors, Object};
use value::{Value, map};

use crate::path::Path;
use crate::pod_template::fields::{child, has, int, non_negative, one_of, opt_text};
use crate::pod_template::{internal, labels};
use crate::workload::{at_most_100_percent, positive_int_or_percent, spec, status};
use crate::{Kind, Scope, Strategy, Subresource, columns};

pub(crate) const KIND: Kind = Kind {
    short_names: &["pdb"],
    definition: "io.k8s.api.policy.v1.PodDisruptionBudget",
    subresources: &[Subresource::status("PodDisruptionBudget")],
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Min Available", "How many pods must be available.", |it, _| shown(it, "minAvailable")),
                columns::text("Max Unavailable", "How many pods may be unavailable.", |it, _| {
                    shown(it, "maxUnavailable")
                }),
                columns::integer("Allowed Disruptions", "How many pods may be evicted now.", |it, _| {
                    columns::number(it, "status.disruptionsAllowed")
                }),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        prepare_create: |it| {
            it.body.insert(
                "status",
                map!({ "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0 }),
            );
        },
        validate,
        validate_update: |new, _, errors| validate(new, errors),
        validate_status: |new, _, errors| {
            crate::conditions::validate(status(new), &Path::root("status.conditions"), errors);
            for key in ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] {
                non_negative(int(status(new), key), &Path::root("status").child(key), errors);
            }
        },
        unconditional_update: false,
        ..Strategy::WORKLOAD
    },
    ..Kind::new(Scope::Namespaced, "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
};

fn shown(it: &Object, key: &str) -> Value {
    match spec(it).get(key) {
        Some(Value::Int(amount)) => amount.to_string().into(),
        Some(Value::Str(amount)) => amount.into(),
        _ => "N/A".into(),
    }
}

fn validate(it: &Object, errors: &mut Errors) {
    let spec = spec(it);
    let path = Path::root("spec");
    if has(spec, "minAvailable") && has(spec, "maxUnavailable") {
        let bad = internal::bad_value(spec, "PodDisruptionBudgetSpec");
        path.invalid(errors, bad, "minAvailable and maxUnavailable cannot be both set");
    }
    for key in ["minAvailable", "maxUnavailable"] {
        positive_int_or_percent(spec.get(key), &path.child(key), errors);
        at_most_100_percent(spec.get(key), &path.child(key), errors);
    }
    labels::validate_selector(child(spec, "selector"), &path.child("selector"), errors);
    if let Some(policy) = opt_text(spec, "unhealthyPodEvictionPolicy") {
        one_of(policy, &["AlwaysAllow", "IfHealthyBudget"], &path.child("unhealthyPodEvictionPolicy"), errors);
    }
}
