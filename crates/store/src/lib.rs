//! The store: live objects, one counter of revisions, and a bounded log of changes in which every watch is a position.
//!
//! Knows nothing of kinds' rules, of requests or of time. Only `apiserver` may change it.

mod live;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use meta::{Key, KindId, Object, Revision};

pub use self::live::List;
use self::live::Live;

#[cfg(test)]
mod tests;

/// What a commit did to one object; several changes have one revision where it did something to several. `before` is absent for a creation, `after` for a deletion.
#[derive(Clone, Debug)]
pub struct Change {
    pub revision: Revision,
    pub before: Option<Arc<Object>>,
    /// The new state; it carries `revision`.
    pub after: Option<Arc<Object>>,
}

impl Change {
    /// The newest state that this change knows.
    pub fn object(&self) -> &Arc<Object> {
        match (&self.after, &self.before) {
            (Some(it), _) | (None, Some(it)) => it,
            (None, None) => unreachable!("a change has a before or an after"),
        }
    }
}

/// A place in the log of one kind: all changes after `seen` are still to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    pub kind: KindId,
    /// Changes up to and with this one have been read.
    pub seen: Revision,
}

/// Why the store refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// Another object has the key.
    Exists,
    /// No object has the key.
    NotFound,
    /// The object is not at the expected revision.
    Conflict,
    /// The log no longer reaches back that far.
    Expired,
}

/// What [`Store::compact_to`] leaves of the log of each kind, whatever its age: at full speed a page lets an hour pass between two
/// looks, and must find what happened meanwhile.
const LOG_CHANGES_MIN: usize = 1_024;

/// With each change that comes one is given up, and more where there are more than so many.
const GONE_MANY: usize = 256;

/// Live objects and recent history of every kind.
#[derive(Clone, Debug)]
pub struct Store {
    tables: Vec<Table>,
    /// The newest change of each kind.
    newest: Vec<Revision>,
    /// All kinds, first those whose newest change is the latest.
    by_newest: Vec<KindId>,
    revision: Revision,
    log_changes_max: usize,
}

#[derive(Clone, Debug, Default)]
struct Table {
    live: Live,
    /// Recent changes in order of revision.
    log: VecDeque<Change>,
    /// Changes that nobody can read any more. Their memory is given back bit by bit: all at once would scatter what is free.
    gone: VecDeque<Change>,
    /// Changes up to and with this revision have left the log.
    compacted: Revision,
}

impl Store {
    /// An empty store for `n_kinds` kinds that keeps the last `log_changes_max` changes of each.
    pub fn new(n_kinds: usize, log_changes_max: usize) -> Store {
        Store {
            tables: vec![Table::default(); n_kinds],
            newest: vec![Revision::default(); n_kinds],
            by_newest: (0..n_kinds as u16).map(KindId).collect(),
            revision: Revision(1),
            log_changes_max,
        }
    }

    /// Makes room for kinds up to and with `kind`.
    pub fn add_kind(&mut self, kind: KindId) {
        let n_kinds = usize::from(kind.0) + 1;
        if self.tables.len() < n_kinds {
            self.tables.resize(n_kinds, Table { compacted: self.revision, ..Table::default() });
            let new = self.newest.len()..n_kinds;
            self.newest.resize(n_kinds, self.revision);
            self.by_newest.splice(0..0, new.map(|it| KindId(it as u16)));
        }
    }

    /// The revision of the newest change of any kind.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The revision of the newest change of `kind`; lets a reader skip kinds at rest.
    pub fn newest(&self, kind: KindId) -> Revision {
        self.newest.get(usize::from(kind.0)).copied().unwrap_or_default()
    }

    /// The first kind after `last`, in the order of ids, that has changes after `revision`.
    pub fn next_changed(&self, revision: Revision, last: Option<KindId>) -> Option<KindId> {
        let changed = self.by_newest.iter().copied().take_while(|it| self.newest(*it) > revision);
        changed.filter(|it| Some(*it) > last).min()
    }

    fn table(&self, kind: KindId) -> Option<&Table> {
        self.tables.get(usize::from(kind.0))
    }

    pub fn get(&self, kind: KindId, key: &Key) -> Option<&Arc<Object>> {
        self.table(kind)?.live.get(key)
    }

    /// The number of live objects.
    pub fn len(&self, kind: KindId) -> usize {
        self.table(kind).map_or(0, |it| it.live.len())
    }

    /// Live objects in the order of namespace and name; `namespace` of `None` means all.
    pub fn list(&self, kind: KindId, namespace: Option<&str>) -> List<'_> {
        // Many kinds have no objects.
        self.table(kind).filter(|it| it.live.len() > 0).map_or_else(List::default, |it| it.live.list(namespace))
    }

    /// The objects of `kind` as they were at `revision`: live ones, minus what came after.
    ///
    /// # Errors
    /// `Expired` when the log does not reach back to `revision`.
    pub fn list_at(
        &self,
        kind: KindId,
        namespace: Option<&str>,
        revision: Revision,
    ) -> Result<Vec<Arc<Object>>, Error> {
        let Some(table) = self.table(kind) else { return Ok(Vec::new()) };
        if revision < table.compacted {
            return Err(Error::Expired);
        }
        if revision >= self.newest(kind) {
            return Ok(self.list(kind, namespace).cloned().collect());
        }
        // What changed since, as it was then; the first change after `revision` counts, so it is taken last.
        let mut then: BTreeMap<Key, Option<Arc<Object>>> = BTreeMap::new();
        for change in table.log.iter().rev().take_while(|it| it.revision > revision) {
            let key = change.object().key();
            if namespace.is_none_or(|it| key.namespace == it) {
                then.insert(key, change.before.clone());
            }
        }
        let mut then = then.into_iter().peekable();
        let mut objects = Vec::new();
        for live in self.list(kind, namespace) {
            let key = live.key();
            while let Some((_, before)) = then.next_if(|(it, _)| *it < key) {
                objects.extend(before);
            }
            match then.next_if(|(it, _)| *it == key) {
                Some((_, before)) => objects.extend(before),
                None => objects.push(live.clone()),
            }
        }
        objects.extend(then.filter_map(|(_, before)| before));
        Ok(objects)
    }

    /// The revision of the next commit.
    pub fn next_revision(&self) -> Revision {
        Revision(self.revision.0 + 1)
    }

    /// Stores a new object under the next revision.
    ///
    /// # Errors
    /// `Exists`.
    pub fn create(&mut self, object: Object) -> Result<Arc<Object>, Error> {
        self.create_at(object, self.next_revision())
    }

    /// Stores a new object as a part of a commit: under a revision that was the next one when the commit began, since when
    /// nothing else was stored.
    ///
    /// # Errors
    /// `Exists`.
    pub fn create_at(&mut self, object: Object, revision: Revision) -> Result<Arc<Object>, Error> {
        self.add_kind(object.kind);
        let table = &mut self.tables[usize::from(object.kind.0)];
        let object = stamped(object, revision);
        if !table.live.insert(object.clone()) {
            return Err(Error::Exists);
        }
        table.record(Change { revision, before: None, after: Some(object.clone()) }, self.log_changes_max);
        self.passed(object.kind, revision);
        Ok(object)
    }

    /// Stores a new state of an object under the next revision.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when `expect` is given and is not the live revision.
    pub fn update(&mut self, object: Object, expect: Option<Revision>) -> Result<Arc<Object>, Error> {
        let revision = self.next_revision();
        let table = self.tables.get_mut(usize::from(object.kind.0)).ok_or(Error::NotFound)?;
        let live = table.live.get_mut(&object.key()).ok_or(Error::NotFound)?;
        if expect.is_some_and(|it| it != live.meta.revision) {
            return Err(Error::Conflict);
        }
        let object = stamped(object, revision);
        let before = std::mem::replace(live, object.clone());
        table.record(Change { revision, before: Some(before), after: Some(object.clone()) }, self.log_changes_max);
        self.passed(object.kind, revision);
        Ok(object)
    }

    /// Takes an object out; answers its last state, with the revision of the deletion.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when `expect` is given and is not the live revision.
    pub fn delete(&mut self, kind: KindId, key: &Key, expect: Option<Revision>) -> Result<Arc<Object>, Error> {
        let revision = self.next_revision();
        let mut last = Object::clone(&*self.delete_at(kind, key, expect, revision)?);
        last.meta.revision = revision;
        Ok(Arc::new(last))
    }

    /// Takes an object out as a part of a commit, see [`Store::create_at`]; answers its last state.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when `expect` is given and is not the live revision.
    pub fn delete_at(
        &mut self,
        kind: KindId,
        key: &Key,
        expect: Option<Revision>,
        revision: Revision,
    ) -> Result<Arc<Object>, Error> {
        let table = self.tables.get_mut(usize::from(kind.0)).ok_or(Error::NotFound)?;
        let before = table.live.remove(key, expect)?;
        table.record(Change { revision, before: Some(before.clone()), after: None }, self.log_changes_max);
        self.passed(kind, revision);
        Ok(before)
    }

    /// A change of `kind` is in the log.
    fn passed(&mut self, kind: KindId, revision: Revision) {
        debug_assert!(revision == self.revision || revision == self.next_revision(), "it is the newest commit");
        self.revision = revision;
        self.newest[usize::from(kind.0)] = revision;
        let place = self.by_newest.iter().position(|it| *it == kind).unwrap_or(0);
        self.by_newest.copy_within(..place, 1);
        self.by_newest[0] = kind;
    }

    /// A cursor that will read every change of `kind` after `from`.
    pub fn watch(&self, kind: KindId, from: Revision) -> Cursor {
        Cursor { kind, seen: from }
    }

    /// Appends up to `limit` changes to `out`, more where one commit made more, and moves the cursor past them.
    ///
    /// # Errors
    /// `Expired` when changes that the cursor has not read have left the log: list again.
    pub fn read(&self, cursor: &mut Cursor, limit: usize, out: &mut Vec<Change>) -> Result<(), Error> {
        let Some(table) = self.table(cursor.kind) else { return Ok(()) };
        if cursor.seen < table.compacted {
            return Err(Error::Expired);
        }
        if cursor.seen >= self.newest(cursor.kind) {
            return Ok(());
        }
        for (n_read, change) in table.after(cursor.seen).enumerate() {
            // What one commit did is read at once: a cursor tells revisions apart and nothing within them.
            if n_read >= limit && change.revision != cursor.seen {
                break;
            }
            cursor.seen = change.revision;
            out.push(change.clone());
        }
        Ok(())
    }

    /// Forgets all changes so far: nobody can go back to before now.
    pub fn compact(&mut self) {
        for table in &mut self.tables {
            while table.forget_oldest().is_some() {}
            table.gone.clear();
            table.compacted = self.revision;
        }
    }

    /// Forgets changes up to and with this revision, but for the last of each kind.
    pub fn compact_to(&mut self, until: Revision) {
        for table in &mut self.tables {
            while table.log.len() > LOG_CHANGES_MIN
                && table.log.front().is_some_and(|it| it.revision <= until)
                && let Some(gone) = table.forget_oldest()
            {
                table.gone.push_back(gone);
            }
        }
    }

    /// The earliest revision from which a watch of `kind` can start.
    pub fn compacted(&self, kind: KindId) -> Revision {
        self.table(kind).map_or(Revision(0), |it| it.compacted)
    }

    /// Every live object, kind by kind, in order: what a fingerprint and a snapshot are made of.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.tables.iter().flat_map(|it| it.live.list(None))
    }

    /// An empty log over these objects, as a start from a snapshot. Objects keep their revisions.
    pub fn restore(n_kinds: usize, log_changes_max: usize, revision: Revision, objects: Vec<Object>) -> Store {
        let mut store = Store::new(n_kinds, log_changes_max);
        store.revision = revision;
        for table in &mut store.tables {
            table.compacted = revision;
        }
        store.newest.fill(revision);
        for object in objects {
            store.add_kind(object.kind);
            store.tables[usize::from(object.kind.0)].live.insert(Arc::new(object));
        }
        store
    }
}

fn stamped(mut object: Object, revision: Revision) -> Arc<Object> {
    object.meta.revision = revision;
    Arc::new(object)
}

impl Table {
    /// Changes after a revision. Most readers know nearly all, so the search begins at the end.
    fn after(&self, seen: Revision) -> impl Iterator<Item = &Change> {
        let n_all = self.log.len();
        let is_new = |n: usize| self.log[n_all - n].revision > seen;
        let mut n = 1;
        while n < n_all && is_new(n) {
            n *= 2;
        }
        self.log.range(n_all.saturating_sub(n)..).skip_while(move |it| it.revision <= seen)
    }

    fn record(&mut self, change: Change, log_changes_max: usize) {
        self.log.push_back(change);
        self.gone.drain(..(1 + self.gone.len() / GONE_MANY).min(self.gone.len()));
        while self.log.len() > log_changes_max {
            self.forget_oldest();
        }
    }

    /// Takes the oldest change out of the log. What lives on and needs the state before to tell who owns its fields finds that
    /// out now, so that nothing keeps states that nobody can read.
    fn forget_oldest(&mut self) -> Option<Change> {
        let gone = self.log.pop_front()?;
        self.compacted = gone.revision;
        if let Some(after) = gone.after.as_deref().filter(|it| !it.meta.managed.is_settled())
            && self.live.get(&after.key()).is_some_and(|it| it.meta.uid == after.meta.uid)
        {
            after.meta.managed.settle();
        }
        Some(gone)
    }
}
