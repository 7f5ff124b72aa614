//! PlacementDecision: on which nodes a DaemonSet wants a pod.

use crate::{Kind, Scope, Verbs};

pub(crate) fn kind() -> Kind {
    Kind {
        verbs: Verbs::ReadOnly,
        definition: "dev.drydock.sim.v1alpha1.PlacementDecision".into(),
        ..Kind::new(Scope::Namespaced, "sim.drydock.dev", "v1alpha1", "PlacementDecision", "placementdecisions")
    }
}
