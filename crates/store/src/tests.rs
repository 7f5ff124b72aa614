use std::collections::BTreeMap;

use meta::{Key, KindId, ManagedFields, Metadata, Object, Revision};
use value::{Map, map};

use crate::{Error, LOG_CHANGES_MIN, Store};

const KIND: KindId = KindId(0);
const LOG: usize = 4;

fn object(name: &str, n: i64) -> Object {
    Object { kind: KIND, meta: Metadata::cluster(name), body: map!({ "n": n }) }
}

/// The naive model: every version of the whole world.
type World = BTreeMap<String, i64>;

fn shown<'a>(objects: impl IntoIterator<Item = &'a std::sync::Arc<Object>>) -> World {
    objects.into_iter().map(|it| (it.name().to_owned(), it.i64_at("n").unwrap_or(-1))).collect()
}

/// Numbers that a seed determines, without depending on another crate.
fn chance(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[test]
fn random_operations_agree_with_a_list_of_all_versions() {
    for seed in 0..200 {
        let mut state = seed;
        let mut store = Store::new(1, LOG);
        let mut worlds: BTreeMap<Revision, World> = BTreeMap::from([(store.revision(), World::new())]);
        let mut world = World::new();
        let mut cursor = store.watch(KIND, store.revision());
        let mut followed = World::new();
        let mut n_unread = 0;
        for step in 0..60 {
            let name = ["a", "b", "c"][chance(&mut state) as usize % 3];
            let key = Key::cluster(name);
            let n = step;
            let n_written = match chance(&mut state) % 5 {
                0 => {
                    let res = store.create(object(name, n)).map(|_| ());
                    assert_eq!(res.is_err(), world.contains_key(name));
                    usize::from(res.is_ok().then(|| world.insert(name.into(), n)).is_some())
                }
                1 => {
                    let stale = chance(&mut state).is_multiple_of(4);
                    let expect = stale.then_some(Revision(0));
                    let res = store.update(object(name, n), expect).map(|_| ());
                    let expected = match (world.contains_key(name), stale) {
                        (false, _) => Err(Error::NotFound),
                        (true, true) => Err(Error::Conflict),
                        (true, false) => Ok(()),
                    };
                    assert_eq!(res, expected);
                    usize::from(res.is_ok().then(|| world.insert(name.into(), n)).is_some())
                }
                2 => {
                    let res = store.delete(KIND, &key, None).map(|_| ());
                    assert_eq!(res.is_ok(), world.contains_key(name));
                    usize::from(res.is_ok().then(|| world.remove(name)).is_some())
                }
                // Several in one commit.
                3 => {
                    let (before, n_before) = (store.revision(), world.len());
                    let commit = store.next_revision();
                    for it in ["b", "c"] {
                        let is_new = !world.contains_key(it);
                        assert_eq!(store.create_at(object(it, n), commit).is_ok(), is_new);
                    }
                    for it in ["b", "c"] {
                        world.entry(it.into()).or_insert(n);
                    }
                    let n_new = world.len() - n_before;
                    assert_eq!(store.revision().0 - before.0, u64::from(n_new > 0));
                    n_new
                }
                _ => {
                    let (before, n_before) = (store.revision(), world.len());
                    let commit = store.next_revision();
                    for it in ["a", "b"] {
                        let is_there = world.contains_key(it);
                        assert_eq!(store.delete_at(KIND, &Key::cluster(it), None, commit).is_ok(), is_there);
                    }
                    world.retain(|it, _| it == "c");
                    let n_gone = n_before - world.len();
                    assert_eq!(store.revision().0 - before.0, u64::from(n_gone > 0));
                    n_gone
                }
            };
            n_unread += n_written;
            worlds.insert(store.revision(), world.clone());
            for (revision, then) in &worlds {
                match store.list_at(KIND, None, *revision) {
                    Ok(objects) => assert_eq!(shown(&objects), *then, "at {revision:?} of seed {seed}"),
                    Err(error) => {
                        assert_eq!(error, Error::Expired);
                        assert!(*revision < store.compacted(KIND));
                    }
                }
            }
            if chance(&mut state).is_multiple_of(3) {
                let mut changes = Vec::new();
                match store.read(&mut cursor, usize::MAX, &mut changes) {
                    Ok(()) => {
                        assert_eq!(changes.len(), n_unread);
                        for change in changes {
                            match &change.after {
                                Some(it) => followed.insert(it.name().into(), it.i64_at("n").unwrap_or(-1)),
                                None => followed.remove(change.object().name()),
                            };
                        }
                    }
                    Err(error) => {
                        assert_eq!(error, Error::Expired);
                        assert!(n_unread > LOG);
                        followed = shown(store.list(KIND, None));
                        cursor = store.watch(KIND, store.revision());
                    }
                }
                n_unread = 0;
                assert_eq!(followed, world, "seed {seed}, step {step}");
            }
        }
    }
}

#[test]
fn what_one_commit_did_is_read_at_once() {
    let mut store = Store::new(1, 8);
    let commit = store.next_revision();
    for it in ["a", "b", "c"] {
        store.create_at(object(it, 1), commit).unwrap();
    }
    store.create(object("d", 1)).unwrap();
    let mut cursor = store.watch(KIND, Revision(1));
    let mut read = || {
        let mut changes = Vec::new();
        store.read(&mut cursor, 1, &mut changes).unwrap();
        changes.len()
    };
    assert_eq!([read(), read(), read()], [3, 1, 0]);
}

#[test]
fn kinds_that_changed_are_named_in_the_order_of_ids() {
    let mut store = Store::new(5, LOG);
    let mut written = [Revision::default(); 5];
    let mut state = 7;
    for n in 0..100 {
        let since = Revision(chance(&mut state) % (store.revision().0 + 1));
        let mut named = Vec::new();
        while let Some(it) = store.next_changed(since, named.last().copied()) {
            named.push(it);
        }
        let changed: Vec<_> = (0..5).filter(|it| written[usize::from(*it)] > since).map(KindId).collect();
        assert_eq!(named, changed);
        let kind = (chance(&mut state) % 5) as u16;
        let object = Object { kind: KindId(kind), ..object(&n.to_string(), n) };
        written[usize::from(kind)] = store.create(object).unwrap().meta.revision;
    }
}

#[test]
fn a_list_of_one_namespace_leaves_out_the_others() {
    let mut store = Store::new(1, LOG);
    for (namespace, name) in [("a", "x"), ("a", "y"), ("ab", "x"), ("b", "x")] {
        let meta = Metadata::new(namespace, name);
        store.create(Object { kind: KIND, meta, body: Map::new() }).unwrap();
    }
    let names: Vec<_> = store.list(KIND, Some("a")).map(|it| it.key().to_string()).collect();
    assert_eq!(names, ["a/x", "a/y"]);
}

#[test]
fn what_is_old_is_forgotten_but_for_the_last_of_each_kind() {
    let n_more = 3;
    let n_all = LOG_CHANGES_MIN as u64 + n_more;
    let mut store = Store::new(1, LOG_CHANGES_MIN * 2);
    for n in 0..n_all {
        store.create(object(&format!("it-{n}"), 1)).unwrap();
    }
    let begin = store.revision().0 - n_all;
    let oldest = |store: &Store| store.compacted(KIND).0 - begin;
    store.compact_to(Revision(begin + 1));
    assert_eq!(oldest(&store), 1, "what is newer stays");
    store.compact_to(store.revision());
    assert_eq!(oldest(&store), n_more);
}

#[test]
fn a_list_is_in_order_whatever_came_and_went_before() {
    for seed in 0..20 {
        let mut state = seed;
        let mut store = Store::new(1, LOG);
        let mut names: std::collections::BTreeSet<String> = std::collections::BTreeSet::new();
        for _ in 0..2_000 {
            let name = format!("it-{}", chance(&mut state) % 400);
            let key = Key::cluster(name.as_str());
            assert_eq!(store.get(KIND, &key).is_some(), names.contains(&name));
            if names.remove(&name) {
                store.delete(KIND, &key, None).unwrap();
            } else {
                store.create(object(&name, 1)).unwrap();
                names.insert(name);
            }
            // Seldom, so that much happens between two lists.
            if chance(&mut state).is_multiple_of(seed * 20 + 1) {
                assert!(store.list(KIND, None).map(|it| it.name()).eq(names.iter()));
            }
        }
        assert_eq!(store.len(KIND), names.len());
    }
}

#[test]
fn managed_fields_of_what_lives_are_settled_when_the_state_before_leaves_the_log() {
    let mut store = Store::new(1, LOG);
    let deferred = |name: &str, n: i64| {
        let mut object = object(name, n);
        object.meta.managed = ManagedFields::deferred(None, Box::new(|| Vec::new().into()));
        object
    };
    let stays = store.create(deferred("stays", 0)).unwrap();
    let goes = store.create(deferred("goes", 0)).unwrap();
    store.delete(KIND, &Key::cluster("goes"), None).unwrap();
    assert!(!stays.meta.managed.is_settled());
    for n in 0..LOG as i64 {
        store.create(deferred(&n.to_string(), n)).unwrap();
    }
    assert!(stays.meta.managed.is_settled());
    assert!(!goes.meta.managed.is_settled());
}
