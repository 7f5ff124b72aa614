//! Who did what to an object because of which watch event: its changes, and those that led to its creation.
//!
//! A change is in the store's log; who made it is known of the last requests. What neither holds any more is not told.

use kinds::Registry;
use meta::{Key, KindId, Object, Revision};
use store::{Change, Store};

use crate::model::Ref;
use crate::{diff, wire};

/// Changes of the object itself that are told; of more, the first and the newest.
const OWN_MAX: usize = 60;
/// How far back its creation is followed.
const ABOVE_MAX: usize = 12;
/// Changes read at once.
const BATCH_CHANGES_MAX: usize = 1024;

wire! {
    /// One change and why it was made.
    pub struct Step {
        /// Nanoseconds since the Unix epoch, in virtual time; 0 where it is forgotten.
        pub at: u64,
        /// Who wrote it; empty where it is forgotten.
        pub component: String,
        /// What it asked for, as people say it: `created`, `bound`, `wrote the status of`.
        pub deed: String,
        /// The request that it sent, such as `PATCH /api/v1/nodes/a/status`.
        pub request: String,
        pub object: Ref,
        pub letter: u8,
        pub revision: u64,
        /// The most telling change and how many more there are.
        pub what: String,
        /// The watch event that led to it, if one did.
        pub cause: Option<Cause>,
        /// A step of the object itself, not of what led to it.
        pub is_own: bool,
    }

    pub struct Cause {
        pub object: Ref,
        /// `A`, `M` or `D`; 0 where the log has lost it.
        pub letter: u8,
        pub revision: u64,
    }

    pub struct Chain {
        /// Oldest first.
        pub steps: Vec<Step>,
        /// The log or the requests no longer reach back to the beginning.
        pub is_cut: bool,
        /// Changes left out of the middle.
        pub n_skipped: u32,
    }
}

/// Who made a change.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Writer {
    pub at: u64,
    pub component: String,
    pub verb: String,
    /// The subresource; empty for the object itself.
    pub sub: String,
    pub path: String,
    pub cause: Option<(KindId, Key, Revision)>,
}

/// What the chain is read from.
pub struct Sources<'a> {
    pub store: &'a Store,
    pub registry: &'a Registry,
    /// Who wrote a revision, as long as it is remembered.
    pub writer: &'a dyn Fn(&Object, Revision) -> Option<Writer>,
}

/// The chain of an object that is there or was there lately.
pub fn of(sources: &Sources<'_>, kind: KindId, key: &Key) -> Chain {
    let mut own = own_changes(sources.store, kind, key);
    let mut n_skipped = 0;
    if own.len() > OWN_MAX {
        n_skipped = own.len() - OWN_MAX;
        own.drain(1..=n_skipped);
    }
    let begins = own.first().is_some_and(|it| it.before.is_none());
    let (mut steps, is_whole) = match own.first() {
        Some(first) if begins => above(sources, first),
        _ => (Vec::new(), false),
    };
    steps.extend(own.iter().map(|it| step(sources, it, true)));
    Chain { steps, is_cut: !is_whole, n_skipped: u32::try_from(n_skipped).unwrap_or(u32::MAX) }
}

/// What is in the log of one object, since it was made for the last time.
fn own_changes(store: &Store, kind: KindId, key: &Key) -> Vec<Change> {
    let mut cursor = store.watch(kind, store.compacted(kind));
    let mut own: Vec<Change> = Vec::new();
    let mut batch = Vec::new();
    while store.read(&mut cursor, BATCH_CHANGES_MAX, &mut batch).is_ok() && !batch.is_empty() {
        own.extend(batch.drain(..).filter(|it| it.object().key() == *key));
    }
    let made = own.iter().rposition(|it| it.before.is_none()).unwrap_or(0);
    own.split_off(made)
}

/// What led to a change, oldest first, and whether that is all.
///
/// From a change to the watch event behind it; where there is none, since a timer led to it, or where the way is
/// too long, to what was asked of the owner.
fn above(sources: &Sources<'_>, first: &Change) -> (Vec<Step>, bool) {
    let mut steps = vec![step(sources, first, false)];
    let mut change = first.clone();
    loop {
        let below = steps.last().expect("there is the first");
        let caused = below.cause.as_ref().filter(|_| steps.len() <= ABOVE_MAX);
        let next = match caused.and_then(|it| change_at(sources, it)) {
            Some(it) => it,
            None => match asked_of_owner(sources, &change) {
                Some(it) => it,
                None => break,
            },
        };
        steps.push(step(sources, &next, false));
        change = next;
    }
    let is_whole = steps.last().is_some_and(|it| it.cause.is_none() && !it.component.is_empty());
    steps.remove(0);
    steps.reverse();
    (steps, is_whole)
}

/// The last change of what an object's controller is to be, before the object changed.
fn asked_of_owner(sources: &Sources<'_>, change: &Change) -> Option<Change> {
    let object = change.object();
    let owner = object.meta.controller()?;
    let kind = sources.registry.all().find(|it| *it.kind == *owner.kind)?.id;
    let is_asked = |it: &Change| {
        let spec = |it: &Object| it.body.get("spec").cloned();
        it.revision < change.revision && it.before.as_deref().and_then(spec) != it.after.as_deref().and_then(spec)
    };
    own_changes(sources.store, kind, &Key::new(object.namespace(), &owner.name)).into_iter().rfind(is_asked)
}

fn change_at(sources: &Sources<'_>, cause: &Cause) -> Option<Change> {
    let kind = sources.registry.all().find(|it| *it.kind == *cause.object.kind)?.id;
    at_revision(sources.store, kind, Revision(cause.revision))
}

fn at_revision(store: &Store, kind: KindId, revision: Revision) -> Option<Change> {
    let before = Revision(revision.0.checked_sub(1)?);
    let mut found = Vec::new();
    store.read(&mut store.watch(kind, before), 1, &mut found).ok()?;
    found.pop().filter(|it| it.revision == revision)
}

fn step(sources: &Sources<'_>, change: &Change, is_own: bool) -> Step {
    let object = change.object();
    let writer = (sources.writer)(object, change.revision);
    let cause = writer.as_ref().and_then(|it| it.cause.as_ref()).map(|(kind, key, revision)| Cause {
        object: Ref::new(&kind_name(sources.registry, *kind), &key.namespace, &key.name),
        letter: at_revision(sources.store, *kind, *revision).map_or(0, |it| letter(&it)),
        revision: revision.0,
    });
    let letter = letter(change);
    let Writer { at, component, verb, sub, path, .. } = writer.unwrap_or_default();
    Step {
        at,
        component,
        deed: deed(letter, &verb, &sub),
        request: request(&verb, &path),
        object: Ref::new(&kind_name(sources.registry, object.kind), object.namespace(), object.name()),
        letter,
        revision: change.revision.0,
        what: diff::line(change.before.as_deref(), change.after.as_deref()),
        cause,
        is_own,
    }
}

fn kind_name(registry: &Registry, kind: KindId) -> String {
    registry.get(kind).map(|it| it.kind.to_string()).unwrap_or_default()
}

/// `A`, `M` or `D`.
pub(crate) fn letter(change: &Change) -> u8 {
    match (&change.before, &change.after) {
        (None, _) => b'A',
        (_, None) => b'D',
        _ => b'M',
    }
}

/// As it goes over the wire.
fn request(verb: &str, path: &str) -> String {
    let method = match verb {
        "create" => "POST",
        "update" => "PUT",
        "patch" => "PATCH",
        "delete" | "deletecollection" => "DELETE",
        _ => return String::new(),
    };
    // What a client adds after the path tells nothing here.
    format!("{method} {}", path.split('?').next().unwrap_or(path))
}

fn deed(letter: u8, verb: &str, sub: &str) -> String {
    match (letter, verb, sub) {
        (_, "create", "binding") => "bound".to_owned(),
        (_, "create", "eviction") => "evicted".to_owned(),
        (b'A', ..) => "created".to_owned(),
        (b'D', ..) => "removed".to_owned(),
        (_, "delete" | "deletecollection", _) => "asked to delete".to_owned(),
        (_, _, "status") => "wrote the status of".to_owned(),
        (_, _, "scale") => "scaled".to_owned(),
        _ => "changed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use kinds::{DEPLOYMENT, POD, REPLICA_SET, Registry};
    use meta::{Key, KindId, Object, Revision};
    use store::Store;
    use value::{Value, value};

    use super::{Sources, Step, Writer};

    struct World {
        store: Store,
        registry: Registry,
        writers: Vec<(Revision, Writer)>,
    }

    impl World {
        fn new(log_changes_max: usize) -> World {
            let registry = Registry::builtin();
            World { store: Store::new(registry.ids().count(), log_changes_max), registry, writers: Vec::new() }
        }

        fn put(
            &mut self,
            kind: KindId,
            tree: Value,
            who: &str,
            verb: &str,
            sub: &str,
            cause: Option<(KindId, &str, u64)>,
        ) {
            let object = Object::from_map(kind, tree.as_map().expect("the tests give maps"));
            if self.store.get(kind, &object.key()).is_some() {
                self.store.update(object, None).expect("it is there");
            } else {
                self.store.create(object).expect("it is not there");
            }
            let cause = cause.map(|(kind, name, revision)| (kind, Key::new("default", name), Revision(revision)));
            let path = format!("/{sub}");
            let writer =
                Writer { at: 0, component: who.to_owned(), verb: verb.to_owned(), sub: sub.to_owned(), path, cause };
            self.writers.push((self.store.revision(), writer));
        }

        #[track_caller]
        fn check(&self, kind: KindId, name: &str, expect: Expect) {
            let writer = |_: &Object, revision: Revision| {
                self.writers.iter().find(|(it, _)| *it == revision).map(|(_, it)| it.clone())
            };
            let sources = Sources { store: &self.store, registry: &self.registry, writer: &writer };
            let chain = super::of(&sources, kind, &Key::new("default", name));
            let mut lines: Vec<String> = chain.steps.iter().map(shown).collect();
            if chain.is_cut {
                lines.insert(0, "…".to_owned());
            }
            expect.assert_eq(&lines.join("\n"));
        }
    }

    fn shown(step: &Step) -> String {
        let cause = match &step.cause {
            Some(it) => format!(" because {} {} {}", it.object, char::from(it.letter.max(b'?')), it.revision),
            None => String::new(),
        };
        let sign = if step.is_own { "" } else { "↑ " };
        let Step { revision, component, deed, object, request, .. } = step;
        format!("{sign}{revision} {component} {deed} {object} with {request}{cause}")
    }

    fn named(name: &str, phase: &str) -> Value {
        value!({ "metadata": { "name": name, "namespace": "default" }, "status": { "phase": phase } })
    }

    #[test]
    fn a_pod_is_traced_to_who_asked_for_it() {
        let mut world = World::new(64);
        world.put(REPLICA_SET, named("rs", ""), "kubectl", "create", "", None);
        world.put(POD, named("p", "Pending"), "replicaset-controller", "create", "", Some((REPLICA_SET, "rs", 2)));
        world.put(POD, named("other", "Pending"), "replicaset-controller", "create", "", Some((REPLICA_SET, "rs", 2)));
        world.put(POD, named("p", "Bound"), "default-scheduler", "create", "binding", Some((POD, "p", 3)));
        world.put(POD, named("p", "Running"), "kubelet", "patch", "status", Some((POD, "p", 5)));
        world.check(
            POD,
            "p",
            expect![[r#"
                ↑ 2 kubectl created ReplicaSet default/rs with POST /
                3 replicaset-controller created Pod default/p with POST / because ReplicaSet default/rs A 2
                5 default-scheduler bound Pod default/p with POST /binding because Pod default/p A 3
                6 kubelet wrote the status of Pod default/p with PATCH /status because Pod default/p M 5"#]],
        );
    }

    #[test]
    fn what_the_log_has_lost_is_not_invented() {
        let mut world = World::new(2);
        world.put(POD, named("p", "a"), "kubectl", "create", "", None);
        for phase in ["b", "c", "d"] {
            world.put(POD, named("p", phase), "kubelet", "patch", "status", None);
        }
        world.check(
            POD,
            "p",
            expect![[r#"
                …
                4 kubelet wrote the status of Pod default/p with PATCH /status
                5 kubelet wrote the status of Pod default/p with PATCH /status"#]],
        );
    }

    fn owned(name: &str, owner: &str, replicas: i64) -> Value {
        let kind = if owner == "d" { "Deployment" } else { "ReplicaSet" };
        let owners: Vec<Value> = if owner.is_empty() {
            Vec::new()
        } else {
            vec![value!({ "controller": true, "kind": kind, "name": owner })]
        };
        value!({ "metadata": { "name": name, "namespace": "default", "ownerReferences": owners }, "spec": { "replicas": replicas } })
    }

    #[test]
    fn where_a_timer_ends_the_chain_it_goes_on_at_the_owner() {
        let mut world = World::new(64);
        world.put(DEPLOYMENT, owned("d", "", 1), "kubectl", "create", "", None);
        world.put(DEPLOYMENT, owned("d", "", 3), "kubectl", "patch", "", None);
        world.put(REPLICA_SET, owned("rs", "d", 0), "deployment-controller", "create", "", None);
        world.put(REPLICA_SET, owned("rs", "d", 2), "deployment-controller", "update", "", None);
        world.put(POD, owned("p", "rs", 0), "replicaset-controller", "create", "", None);
        world.check(
            POD,
            "p",
            expect![[r#"
                ↑ 3 kubectl changed Deployment default/d with PATCH /
                ↑ 5 deployment-controller changed ReplicaSet default/rs with PUT /
                6 replicaset-controller created Pod default/p with POST /"#]],
        );
    }
}
