//! Clock: virtual time.

use crate::{Kind, Scope, Strategy, Subresource};

pub(crate) fn kind() -> Kind {
    Kind {
        categories: vec!["sim".into()],
        definition: "dev.drydock.sim.v1alpha1.Clock".into(),
        subresources: vec![
            Subresource { name: "advance", verbs: &["create"], ..Subresource::status("Clock") },
            Subresource::status("Clock"),
        ],
        strategy: Strategy::WORKLOAD,
        ..Kind::new(Scope::Cluster, "sim.drydock.dev", "v1alpha1", "Clock", "clocks")
    }
}
