//! DaemonSet.

use crate::{Kind, Scope, Strategy, Subresource};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["ds".into()],
        categories: vec!["all".into()],
        definition: "io.k8s.api.apps.v1.DaemonSet".into(),
        subresources: vec![Subresource::status("DaemonSet")],
        strategy: Strategy::WORKLOAD,
        ..Kind::new(Scope::Namespaced, "apps", "v1", "DaemonSet", "daemonsets")
    }
}
