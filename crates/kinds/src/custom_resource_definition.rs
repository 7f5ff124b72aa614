//! CustomResourceDefinition: there are none yet, but clients that meet an unknown kind ask for the list of them.

use crate::{Kind, Scope, Verbs};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["crd".into(), "crds".into()],
        categories: vec!["api-extensions".into()],
        verbs: Verbs::ReadOnly,
        definition: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition".into(),
        ..Kind::new(
            Scope::Cluster,
            "apiextensions.k8s.io",
            "v1",
            "CustomResourceDefinition",
            "customresourcedefinitions",
        )
    }
}
