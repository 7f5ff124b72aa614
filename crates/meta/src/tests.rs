use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use value::{Value, value};

use crate::{Errors, Key, KeyMap, KindId, ManagedEntry, ManagedFields, Object, OrderedMap, Status};

#[test]
fn an_object_comes_back_as_it_went_in() {
    let whole = value!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {
            "name": "a", "namespace": "b", "uid": "u", "resourceVersion": "7", "generation": 2,
            "creationTimestamp": "2026-11-24T16:24:56Z", "labels": {"x": "y"}, "finalizers": ["f"],
            "ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "n", "uid": "o", "controller": true}],
            "managedFields": [{"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:spec": {}}, "time": "2026-11-24T16:24:56Z"}],
        },
        "spec": {"a": 1}, "status": {},
    });
    let Value::Map(map) = &whole else { return };
    let object = Object::from_map(KindId(0), map);
    assert_eq!(object.to_value("apps/v1", "DaemonSet"), whole);
}

#[test]
fn several_field_errors_are_listed_in_one_message() {
    let mut errors = Errors::new();
    errors.required("spec.selector", "");
    errors.not_supported("spec.type", "x", &["a", "b"]);
    let status = Status::invalid("apps", "DaemonSet", "web", &errors);
    assert_eq!(
        status.message,
        "DaemonSet.apps \"web\" is invalid: [spec.selector: Required value, spec.type: Unsupported value: \"x\": supported values: \"a\", \"b\"]"
    );
}

#[test]
fn a_key_map_answers_as_a_sorted_one() {
    let mut state = 1_u64;
    let mut chance = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let (mut map, mut ordered, mut model) = (KeyMap::new(), OrderedMap::default(), BTreeMap::new());
    for step in 0..20_000 {
        let key = Key::new(["a", "b"][chance(2) as usize], chance(300).to_string());
        match chance(3) {
            0 => {
                let removed = model.remove(&key);
                assert_eq!((map.remove(&key), ordered.remove(&key)), (removed, removed));
            }
            1 => {
                let before = model.insert(key.clone(), step);
                assert_eq!((map.insert(key.clone(), step), ordered.insert(key, step)), (before, before));
            }
            _ => assert_eq!((map.get(&key), ordered.get(&key)), (model.get(&key), model.get(&key))),
        }
        if chance(1_000) == 0 {
            map.retain(|key, _| key.namespace == "a");
            for (key, value) in model.iter().filter(|(key, _)| key.namespace != "a") {
                map.insert(key.clone(), *value);
            }
        }
        assert_eq!(map.len(), model.len());
    }
    assert!(ordered.iter().map(|(key, it)| (key, it)).eq(&model));
    assert!(map.sorted().into_iter().map(|(key, it)| (key, it)).eq(&model));
}

/// As many entries as the version before has, and one more.
fn one_more(before: Option<&ManagedFields>, n_worked_out: &Arc<AtomicUsize>) -> ManagedFields {
    let (known, n_worked_out) = (before.cloned().unwrap_or_default(), n_worked_out.clone());
    let work = move || {
        n_worked_out.fetch_add(1, Ordering::Relaxed);
        let all: Vec<ManagedEntry> = known.iter().cloned().chain([ManagedEntry::reset()]).collect();
        all.into()
    };
    ManagedFields::deferred(before, Box::new(work))
}

#[test]
fn managed_fields_are_worked_out_when_somebody_asks_and_once() {
    let n_worked_out = Arc::new(AtomicUsize::new(0));
    let n = || n_worked_out.load(Ordering::Relaxed);
    let mut versions: Vec<ManagedFields> = Vec::new();
    for _ in 0..10 {
        versions.push(one_more(versions.last(), &n_worked_out));
    }
    assert_eq!(n(), 0);
    assert_eq!(versions[9].clone().len(), 10);
    assert!(versions.iter().all(ManagedFields::is_settled));
    assert_eq!((versions[4].len(), n()), (5, 10));
    // A long history does not make the first question a deep one.
    for _ in 0..1_000 {
        versions.push(one_more(versions.last(), &n_worked_out));
        assert!(versions.iter().filter(|it| !it.is_settled()).count() <= 16);
    }
    assert_eq!(versions[1_009].len(), 1_010);
}
