//! StatefulSet.

use crate::{Kind, Scope, Strategy, Subresource};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["sts".into()],
        categories: vec!["all".into()],
        definition: "io.k8s.api.apps.v1.StatefulSet".into(),
        subresources: vec![Subresource::scale(), Subresource::status("StatefulSet")],
        strategy: Strategy::WORKLOAD,
        ..Kind::new(Scope::Namespaced, "apps", "v1", "StatefulSet", "statefulsets")
    }
}
