//! ConfigMap.

use crate::{Kind, Scope};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["cm".into()],
        definition: "io.k8s.api.core.v1.ConfigMap".into(),
        ..Kind::new(Scope::Namespaced, "", "v1", "ConfigMap", "configmaps")
    }
}
