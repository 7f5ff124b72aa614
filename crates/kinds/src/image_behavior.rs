//! ImageBehavior: what containers of an image do.

use crate::{Kind, Scope, Strategy};

pub(crate) fn kind() -> Kind {
    Kind {
        categories: vec!["sim".into()],
        definition: "dev.drydock.sim.v1alpha1.ImageBehavior".into(),
        strategy: Strategy { generation: true, ..Strategy::PLAIN },
        ..Kind::new(Scope::Cluster, "sim.drydock.dev", "v1alpha1", "ImageBehavior", "imagebehaviors")
    }
}
