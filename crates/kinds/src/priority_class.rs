//! PriorityClass.

use crate::{Kind, Scope};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["pc".into()],
        definition: "io.k8s.api.scheduling.v1.PriorityClass".into(),
        ..Kind::new(Scope::Cluster, "scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses")
    }
}
