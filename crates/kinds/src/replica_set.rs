//! ReplicaSet.

use crate::{Kind, Scope, Strategy, Subresource};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["rs".into()],
        categories: vec!["all".into()],
        definition: "io.k8s.api.apps.v1.ReplicaSet".into(),
        subresources: vec![Subresource::scale(), Subresource::status("ReplicaSet")],
        strategy: Strategy::WORKLOAD,
        ..Kind::new(Scope::Namespaced, "apps", "v1", "ReplicaSet", "replicasets")
    }
}
