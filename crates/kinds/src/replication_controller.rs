//! ReplicationController.

use crate::{Kind, Scope, Strategy, Subresource};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["rc".into()],
        categories: vec!["all".into()],
        definition: "io.k8s.api.core.v1.ReplicationController".into(),
        subresources: vec![Subresource::scale(), Subresource::status("ReplicationController")],
        strategy: Strategy::WORKLOAD,
        ..Kind::new(Scope::Namespaced, "", "v1", "ReplicationController", "replicationcontrollers")
    }
}
