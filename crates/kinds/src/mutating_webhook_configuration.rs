//! MutatingWebhookConfiguration.

use crate::admission::{GROUP, webhooks};
use crate::{Kind, Scope, Strategy};

pub(crate) const KIND: Kind = Kind {
    categories: &["api-extensions"],
    definition: "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration",
    columns: || webhooks::COLUMNS,
    strategy: Strategy {
        default: |it| webhooks::default(it, true),
        validate: |it, errors| webhooks::validate(it, None, errors),
        validate_update: |new, old, errors| webhooks::validate(new, Some(old), errors),
        ..webhooks::STRATEGY
    },
    ..Kind::new(Scope::Cluster, GROUP, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations")
};
