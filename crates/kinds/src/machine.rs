//! Machine: a computer that may be a node.

use crate::{Kind, Scope, Strategy, Subresource};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["mach".into()],
        categories: vec!["sim".into()],
        definition: "dev.drydock.sim.v1alpha1.Machine".into(),
        subresources: vec![Subresource::status("Machine")],
        strategy: Strategy::WORKLOAD,
        ..Kind::new(Scope::Cluster, "sim.drydock.dev", "v1alpha1", "Machine", "machines")
    }
}
