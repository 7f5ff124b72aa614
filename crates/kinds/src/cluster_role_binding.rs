//! ClusterRoleBinding.

use crate::rbac::{BINDING_COLUMNS, GROUP, STRATEGY, binding, default_binding, same_role};
use crate::{Kind, Scope, Strategy};

const ROLES: &[&str] = &["ClusterRole"];

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.rbac.v1.ClusterRoleBinding",
    columns: || BINDING_COLUMNS,
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
};
