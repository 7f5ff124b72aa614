//! MutatingAdmissionPolicyBinding.

use crate::admission::webhooks::STRATEGY;
use crate::admission::{GROUP, default_match, policies};
use crate::workload::spec;
use crate::{Kind, Scope, Strategy};

pub(crate) const KIND: Kind = Kind {
    categories: &["api-extensions"],
    definition: "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding",
    columns: || policies::BINDING_COLUMNS,
    strategy: Strategy {
        default: |it| it.body.edit_map("spec", |it| default_match(it, "matchResources")),
        validate: |it, errors| policies::binding(spec(it), true, errors),
        validate_update: |new, _, errors| policies::binding(spec(new), true, errors),
        ..STRATEGY
    },
    ..Kind::new(Scope::Cluster, GROUP, "v1", "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings")
};
