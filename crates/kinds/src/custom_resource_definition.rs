//! CustomResourceDefinition: there are none yet, but clients that meet an unknown kind ask for the list of them.

use crate::{Kind, Scope, Verbs};

pub(crate) const KIND: Kind = Kind {
    short_names: &["crd", "crds"],
    categories: &["api-extensions"],
    verbs: Verbs::ReadOnly,
    definition: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
    ..Kind::new(Scope::Cluster, "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions")
};
