//! ClusterRoleBinding.

use crate::rbac::{GROUP, STRATEGY, binding, binding_columns, default_binding, same_role};
use crate::{Kind, Scope, Strategy};

const ROLES: &[&str] = &["ClusterRole"];

pub(crate) fn kind() -> Kind {
    Kind {
        definition: "io.k8s.api.rbac.v1.ClusterRoleBinding".into(),
        columns: binding_columns(),
        strategy: Strategy {
            default: default_binding,
            validate: |it, errors| binding(it, ROLES, errors),
            validate_update: |new, old, errors| {
                binding(new, ROLES, errors);
                same_role(new, old, errors);
            },
            ..STRATEGY
        },
        ..Kind::new(Scope::Cluster, GROUP, "v1", "ClusterRoleBinding", "clusterrolebindings")
    }
}
