//! Namespace.

use crate::{Kind, Scope, Strategy, Subresource, Verbs};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["ns".into()],
        verbs: Verbs::NoDeleteCollection,
        definition: "io.k8s.api.core.v1.Namespace".into(),
        subresources: vec![
            Subresource { name: "finalize", verbs: &["update"], ..Subresource::status("Namespace") },
            Subresource::status("Namespace"),
        ],
        strategy: Strategy { generation: false, ..Strategy::WORKLOAD },
        ..Kind::new(Scope::Cluster, "", "v1", "Namespace", "namespaces")
    }
}
