//! MutatingWebhookConfiguration.

use crate::admission::{GROUP, webhooks};
use crate::{Kind, Scope, Strategy};

pub(crate) fn kind() -> Kind {
    Kind {
        categories: vec!["api-extensions".into()],
        definition: "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration".into(),
        columns: webhooks::columns(),
        strategy: Strategy {
            default: |it| webhooks::default(it, true),
            validate: |it, errors| webhooks::validate(it, None, errors),
            validate_update: |new, old, errors| webhooks::validate(new, Some(old), errors),
            ..webhooks::STRATEGY
        },
        ..Kind::new(Scope::Cluster, GROUP, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations")
    }
}
