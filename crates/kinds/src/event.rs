//! Event, of the core group and of `events.k8s.io`.

use crate::{Kind, Scope, Strategy};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["ev".into()],
        definition: "io.k8s.api.core.v1.Event".into(),
        strategy: Strategy { create_on_update: true, ..Strategy::PLAIN },
        ..Kind::new(Scope::Namespaced, "", "v1", "Event", "events")
    }
}
