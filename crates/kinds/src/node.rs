//! Node.

use crate::{Kind, Scope, Strategy, Subresource};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["no".into()],
        definition: "io.k8s.api.core.v1.Node".into(),
        subresources: vec![
            Subresource {
                name: "proxy",
                kind: "NodeProxyOptions",
                verbs: &["create", "delete", "get", "patch", "update"],
                ..Subresource::status("")
            },
            Subresource::status("Node"),
        ],
        strategy: Strategy { generation: false, ..Strategy::WORKLOAD },
        ..Kind::new(Scope::Cluster, "", "v1", "Node", "nodes")
    }
}
