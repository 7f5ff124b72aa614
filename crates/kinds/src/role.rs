//! Role.

use crate::rbac::{GROUP, STRATEGY, rules};
use crate::{Kind, Scope, Strategy};

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.rbac.v1.Role",
    strategy: Strategy {
        validate: |it, errors| rules(&it.body, true, errors),
        validate_update: |new, _, errors| rules(&new.body, true, errors),
        ..STRATEGY
    },
    ..Kind::new(Scope::Namespaced, GROUP, "v1", "Role", "roles")
};
