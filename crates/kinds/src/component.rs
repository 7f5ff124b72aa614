//! Component: a part of the control plane.

use crate::{Kind, Scope, Strategy, Subresource};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["comp".into()],
        categories: vec!["sim".into()],
        definition: "dev.drydock.sim.v1alpha1.Component".into(),
        subresources: vec![Subresource::status("Component")],
        strategy: Strategy::WORKLOAD,
        ..Kind::new(Scope::Cluster, "sim.drydock.dev", "v1alpha1", "Component", "components")
    }
}
