//! Secret.

use crate::{Kind, Scope};

pub(crate) fn kind() -> Kind {
    Kind {
        definition: "io.k8s.api.core.v1.Secret".into(),
        ..Kind::new(Scope::Namespaced, "", "v1", "Secret", "secrets")
    }
}
