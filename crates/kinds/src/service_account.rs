//! ServiceAccount.

use crate::{Kind, Scope};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["sa".into()],
        definition: "io.k8s.api.core.v1.ServiceAccount".into(),
        ..Kind::new(Scope::Namespaced, "", "v1", "ServiceAccount", "serviceaccounts")
    }
}
