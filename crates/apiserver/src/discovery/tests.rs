use kinds::Registry;

use super::{storage_version_hash, version_rank};

#[test]
fn hashes_of_storage_versions_are_upstreams() {
    let registry = Registry::builtin();
    let check = |api_version, kind, expect: &str| {
        let kind = registry.by_kind(api_version, kind).expect("it is built in");
        assert_eq!(storage_version_hash(kind), expect);
    };
    check("v1", "Pod", "xPOwRZ+Yhw8=");
    check("apps/v1", "DaemonSet", "dd7pWHUlMKQ=");
    check("batch/v1", "Job", "mudhfqk/qZY=");
}

#[test]
fn versions_are_ordered_by_stability_and_age() {
    let mut versions = ["v1alpha1", "v2", "v1beta1", "v10", "v1", "v1beta2", "other"];
    versions.sort_by_key(|it| std::cmp::Reverse(version_rank(it)));
    assert_eq!(versions, ["v10", "v2", "v1", "v1beta2", "v1beta1", "v1alpha1", "other"]);
}
