//! Which objects changed since the last look, for who wants no pictures.

use kinds::Registry;
use store::{Change, Cursor, Store};

use crate::wire;

wire! {
    /// What happened to one object.
    pub struct ObjectChange {
        /// `ADDED`, `MODIFIED`, `DELETED`
        pub what: String,
        pub api_version: String,
        pub kind: String,
        pub namespace: String,
        pub name: String,
        pub revision: u64,
    }
}

/// How far the log was read.
pub struct Changes {
    registry: Registry,
    cursors: Vec<Cursor>,
}

impl Changes {
    /// From now on.
    pub fn new(store: &Store, registry: &Registry) -> Changes {
        let cursors = registry.ids().map(|kind| store.watch(kind, store.revision())).collect();
        Changes { registry: *registry, cursors }
    }

    /// What happened since the last call, in order; none where the log no longer reaches back so far.
    pub fn take(&mut self, store: &Store) -> Option<Vec<ObjectChange>> {
        let mut changes = Vec::new();
        for cursor in self.cursors.iter_mut().filter(|it| it.seen < store.newest(it.kind)) {
            if store.read(cursor, usize::MAX, &mut changes).is_err() {
                *self = Changes::new(store, &self.registry);
                return None;
            }
        }
        changes.sort_by_key(|it| it.revision);
        Some(changes.iter().map(|it| self.told(it)).collect())
    }

    fn told(&self, change: &Change) -> ObjectChange {
        let what = match (&change.before, &change.after) {
            (None, _) => "ADDED",
            (_, None) => "DELETED",
            _ => "MODIFIED",
        };
        let object = change.object();
        let kind = self.registry.get(object.kind);
        ObjectChange {
            what: what.to_owned(),
            api_version: kind.map(|it| it.api_version()).unwrap_or_default(),
            kind: kind.map(|it| it.kind.to_owned()).unwrap_or_default(),
            namespace: object.namespace().to_owned(),
            name: object.name().to_owned(),
            revision: change.revision.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use kinds::{CONFIG_MAP, Registry};
    use meta::{Key, Object};
    use store::Store;
    use value::value;

    use super::Changes;

    fn config(text: &str) -> Object {
        let tree = value!({ "data": { "key": text }, "metadata": { "name": "one", "namespace": "default" } });
        Object::from_map(CONFIG_MAP, tree.as_map().expect("it is a map"))
    }

    #[test]
    fn changes_are_told_once_and_in_order() {
        let registry = Registry::builtin();
        let mut store = Store::new(registry.ids().count(), 3);
        let mut changes = Changes::new(&store, &registry);
        let mut told = |store: &Store| {
            let found = changes.take(store)?;
            Some(found.iter().map(|it| format!("{} {} {}", it.what, it.kind, it.name)).collect::<Vec<_>>().join(", "))
        };
        store.create(config("a")).expect("it is not there");
        store.update(config("b"), None).expect("it is there");
        assert_eq!(told(&store).as_deref(), Some("ADDED ConfigMap one, MODIFIED ConfigMap one"));
        store.delete(CONFIG_MAP, &Key::new("default", "one"), None).expect("it is there");
        assert_eq!(told(&store).as_deref(), Some("DELETED ConfigMap one"));
        assert_eq!(told(&store).as_deref(), Some(""));
        // More than the log holds.
        for _ in 0..3 {
            store.create(config("a")).expect("it is not there");
            store.delete(CONFIG_MAP, &Key::new("default", "one"), None).expect("it is there");
        }
        assert_eq!(told(&store), None);
        assert_eq!(told(&store).as_deref(), Some(""));
    }
}
