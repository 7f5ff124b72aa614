//! ValidatingAdmissionPolicy.

use meta::{Errors, Object};
use value::Value;

use crate::admission::{GROUP, default_match, policies};
use crate::path::Path;
use crate::pod_template::fields::{child, list, maps, text};
use crate::workload::{edit_or_make, spec, status};
use crate::{Kind, Scope, Strategy, Subresource, columns, conditions};

pub(crate) const KIND: Kind = Kind {
    categories: &["api-extensions"],
    definition: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
    subresources: &[Subresource::status("ValidatingAdmissionPolicy")],
    columns: || {
        const {
            &policies::policy_columns(columns::integer("Validations", "How much is checked.", |it, _| {
                (list(spec(it), "validations").len() as i64).into()
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
        prepare_create: |it| it.body.insert("status", Value::map()),
        validate: |it, errors| validate(it, false, errors),
        validate_update: |new, old, errors| validate(new, policies::same_conditions(new, old), errors),
        validate_status,
        unconditional_update: false,
        ..Strategy::WORKLOAD
    },
    ..Kind::new(Scope::Cluster, GROUP, "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies")
};

fn validate(it: &Object, same_conditions: bool, errors: &mut Errors) {
    policies::start(spec(it), same_conditions, false, errors);
    policies::validations(it, errors);
}

fn validate_status(new: &Object, _: &Object, errors: &mut Errors) {
    let root = Path::root("status");
    if let Some(checking) = child(status(new), "typeChecking") {
        let path = root.child("typeChecking.expressionWarnings");
        for (idx, warning) in maps(checking, "expressionWarnings") {
            for key in ["warning", "fieldRef"] {
                if text(warning, key).trim().is_empty() {
                    path.index(idx).child(key).required(errors, "");
                }
            }
        }
    }
    conditions::validate(status(new), &root.child("conditions"), errors);
}
