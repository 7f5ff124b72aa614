//! ControllerRevision.

use crate::{Kind, Scope};

pub(crate) fn kind() -> Kind {
    Kind {
        definition: "io.k8s.api.apps.v1.ControllerRevision".into(),
        ..Kind::new(Scope::Namespaced, "apps", "v1", "ControllerRevision", "controllerrevisions")
    }
}
