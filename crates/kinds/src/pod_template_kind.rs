//! PodTemplate.

use crate::{Kind, Scope, Strategy};

pub(crate) fn kind() -> Kind {
    Kind {
        definition: "io.k8s.api.core.v1.PodTemplate".into(),
        strategy: Strategy { generation: true, ..Strategy::PLAIN },
        ..Kind::new(Scope::Namespaced, "", "v1", "PodTemplate", "podtemplates")
    }
}
