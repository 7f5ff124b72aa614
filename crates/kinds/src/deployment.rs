//! Deployment.

use crate::{Kind, Scope, Strategy, Subresource};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["deploy".into()],
        categories: vec!["all".into()],
        definition: "io.k8s.api.apps.v1.Deployment".into(),
        subresources: vec![Subresource::scale(), Subresource::status("Deployment")],
        strategy: Strategy::WORKLOAD,
        ..Kind::new(Scope::Namespaced, "apps", "v1", "Deployment", "deployments")
    }
}
