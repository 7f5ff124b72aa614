//! Lease.

use crate::{Kind, Scope, Strategy};

pub(crate) fn kind() -> Kind {
    Kind {
        definition: "io.k8s.api.coordination.v1.Lease".into(),
        strategy: Strategy { create_on_update: true, unconditional_update: false, ..Strategy::PLAIN },
        ..Kind::new(Scope::Namespaced, "coordination.k8s.io", "v1", "Lease", "leases")
    }
}
