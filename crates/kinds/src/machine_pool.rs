//! MachinePool: machines that are alike.

use crate::{Kind, Scope, Strategy, Subresource};

pub(crate) fn kind() -> Kind {
    Kind {
        categories: vec!["sim".into()],
        definition: "dev.drydock.sim.v1alpha1.MachinePool".into(),
        subresources: vec![Subresource::status("MachinePool")],
        strategy: Strategy::WORKLOAD,
        ..Kind::new(Scope::Cluster, "sim.drydock.dev", "v1alpha1", "MachinePool", "machinepools")
    }
}
