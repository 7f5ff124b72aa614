//! Reviews: kinds that are asked and never stored.

use crate::{Kind, Scope, Verbs};

fn review(group: &str, scope: Scope, kind: &str, definition: &str) -> Kind {
    Kind {
        verbs: Verbs::Create,
        definition: format!("io.k8s.api.{definition}.v1.{kind}").into(),
        ..Kind::new(scope, group, "v1", kind, &format!("{}s", kind.to_ascii_lowercase()))
    }
}

fn authorization(scope: Scope, kind: &str) -> Kind {
    review("authorization.k8s.io", scope, kind, "authorization")
}

pub(crate) fn local_subject_access() -> Kind {
    authorization(Scope::Namespaced, "LocalSubjectAccessReview")
}

pub(crate) fn self_subject() -> Kind {
    review("authentication.k8s.io", Scope::Cluster, "SelfSubjectReview", "authentication")
}

pub(crate) fn self_subject_access() -> Kind {
    authorization(Scope::Cluster, "SelfSubjectAccessReview")
}

pub(crate) fn self_subject_rules() -> Kind {
    authorization(Scope::Cluster, "SelfSubjectRulesReview")
}

pub(crate) fn subject_access() -> Kind {
    authorization(Scope::Cluster, "SubjectAccessReview")
}

pub(crate) fn token() -> Kind {
    review("authentication.k8s.io", Scope::Cluster, "TokenReview", "authentication")
}
