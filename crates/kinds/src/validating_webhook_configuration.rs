//! ValidatingWebhookConfiguration.

use crate::admission::{GROUP, webhooks};
use crate::{Kind, Scope, Strategy};

pub(crate) const KIND: Kind = Kind {
    categories: &["api-extensions"],
    definition: "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration",
    columns: || webhooks::COLUMNS,
    strategy: Strategy {
        default: |it| webhooks::default(it, false),
        validate: |it, errors| webhooks::validate(it, None, errors),
        validate_update: |new, old, errors| webhooks::validate(new, Some(old), errors),
        ..webhooks::STRATEGY
    },
    ..Kind::new(Scope::Cluster, GROUP, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations")
};
