//! MutatingAdmissionPolicy.

use meta::{Errors, Object};

use crate::admission::webhooks::STRATEGY;
use crate::admission::{GROUP, default_match, policies};
use crate::pod_template::fields::list;
use crate::workload::{edit_or_make, spec};
use crate::{Kind, Scope, Strategy, columns};

pub(crate) const KIND: Kind = Kind {
    categories: &["api-extensions"],
    definition: "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy",
    columns: || {
        const {
            &policies::policy_columns(columns::integer("Mutations", "How much is changed.", |it, _| {
                (list(spec(it), "mutations").len() as i64).into()
            }))
        }
    },
    strategy: Strategy {
        default: |it| {
            edit_or_make(&mut it.body, "spec", |it| {
                it.set_default("failurePolicy", "Fail");
                default_match(it, "matchConstraints");
            });
        },
        validate: |it, errors| validate(it, false, errors),
        validate_update: |new, old, errors| validate(new, policies::same_conditions(new, old), errors),
        ..STRATEGY
    },
    ..Kind::new(Scope::Cluster, GROUP, "v1", "MutatingAdmissionPolicy", "mutatingadmissionpolicies")
};

fn validate(it: &Object, same_conditions: bool, errors: &mut Errors) {
    policies::start(spec(it), same_conditions, true, errors);
    policies::mutations(spec(it), errors);
}
