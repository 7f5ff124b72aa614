use std::collections::BTreeSet;

use expect_test::expect;

use super::{Registry, all};

#[test]
fn every_kind_has_a_schema() {
    let schema = schema::Schema::load();
    let registry = Registry::builtin();
    let lost: Vec<&str> =
        registry.served().map(|it| it.definition()).filter(|it| schema.definition(it).is_none()).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn names_of_resources_are_unique() {
    let mut seen = BTreeSet::new();
    for kind in all() {
        for name in kind.short_names.iter().chain([&kind.plural]) {
            assert!(seen.insert((kind.group, *name)), "{name}");
        }
    }
}

/// `AllowCreateOnUpdate` and `AllowUnconditionalUpdate` of upstream's strategies.
#[test]
fn puts_create_and_overwrite_where_upstream_lets_them() {
    let named = |is: fn(&crate::Strategy) -> bool| {
        all().iter().filter(|it| is(&it.strategy)).map(|it| it.kind).collect::<Vec<_>>().join(" ")
    };
    expect!["ClusterRole ClusterRoleBinding Endpoints Event Lease LimitRange Role RoleBinding RuntimeClass Service"]
        .assert_eq(&named(|it| it.create_on_update));
    expect!["APIService CSIDriver CSINode CSIStorageCapacity Lease MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration PodDisruptionBudget RuntimeClass ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration VolumeAttachment"].assert_eq(&named(|it| !it.unconditional_update));
}
