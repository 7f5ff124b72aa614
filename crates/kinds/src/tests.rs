use std::collections::BTreeSet;

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
            assert!(seen.insert((kind.group.clone(), name.clone())), "{name}");
        }
    }
}
