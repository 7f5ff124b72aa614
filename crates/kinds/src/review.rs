//! Reviews: kinds that are asked and never stored.

use crate::{Kind, Scope, Verbs};

/// A review of the API group `$group.k8s.io`.
macro_rules! review {
    ($scope:ident, $group:literal, $kind:literal, $plural:literal) => {
        Kind {
            verbs: Verbs::Create,
            definition: concat!("io.k8s.api.", $group, ".v1.", $kind),
            ..Kind::new(Scope::$scope, concat!($group, ".k8s.io"), "v1", $kind, $plural)
        }
    };
}

pub(crate) const LOCAL_SUBJECT_ACCESS: Kind =
    review!(Namespaced, "authorization", "LocalSubjectAccessReview", "localsubjectaccessreviews");

pub(crate) const SELF_SUBJECT: Kind = review!(Cluster, "authentication", "SelfSubjectReview", "selfsubjectreviews");

pub(crate) const SELF_SUBJECT_ACCESS: Kind =
    review!(Cluster, "authorization", "SelfSubjectAccessReview", "selfsubjectaccessreviews");

pub(crate) const SELF_SUBJECT_RULES: Kind =
    review!(Cluster, "authorization", "SelfSubjectRulesReview", "selfsubjectrulesreviews");

pub(crate) const SUBJECT_ACCESS: Kind =
    review!(Cluster, "authorization", "SubjectAccessReview", "subjectaccessreviews");

pub(crate) const TOKEN: Kind = review!(Cluster, "authentication", "TokenReview", "tokenreviews");
