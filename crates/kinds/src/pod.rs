//! Pod.

use crate::{Kind, Scope};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["po".into()],
        categories: vec!["all".into()],
        definition: "io.k8s.api.core.v1.Pod".into(),
        ..Kind::new(Scope::Namespaced, "", "v1", "Pod", "pods")
    }
}
