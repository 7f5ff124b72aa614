//! Binding: gives a pod its node; the older way beside the pod's own `binding`. Follows `pkg/registry/core/pod`.

use crate::{Kind, Scope, Verbs};

pub(crate) const KIND: Kind = Kind {
    verbs: Verbs::Create,
    definition: "io.k8s.api.core.v1.Binding",
    ..Kind::new(Scope::Namespaced, "", "v1", "Binding", "bindings")
};
