//! APIRequest: one request that the API server answered.

use crate::{Kind, Scope, Verbs};

pub(crate) fn kind() -> Kind {
    Kind {
        verbs: Verbs::ReadOnly,
        definition: "dev.drydock.sim.v1alpha1.APIRequest".into(),
        ..Kind::new(Scope::Cluster, "sim.drydock.dev", "v1alpha1", "APIRequest", "apirequests")
    }
}
