//! `metadata.managedFields`: who owns which field of an object.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use value::{List, Map, Str, Value, map, time};

/// Whether a manager applies (server-side apply) or writes otherwise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Operation {
    Apply,
    Update,
}

/// One entry of `metadata.managedFields`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ManagedEntry {
    pub manager: Str,
    pub operation: Operation,
    pub api_version: Str,
    /// Seconds since the Unix epoch.
    pub time: Option<i64>,
    /// Empty for writes to the object itself.
    pub subresource: Str,
    /// The set of fields, kept in its `FieldsV1` form: `{"f:spec": {"f:replicas": {}}}`.
    pub fields: Map,
}

/// The entries of an object, worked out when somebody first asks for them.
///
/// Most versions of most objects are never shown: a pod goes through several between two looks at it, and the pods of a Job may
/// be gone before anybody looks. What follows from a write is a function of the write, so it can be found later as well as at
/// once; all copies learn it together.
#[derive(Clone)]
pub struct ManagedFields(Inner);

#[derive(Clone)]
enum Inner {
    Known(Arc<[ManagedEntry]>),
    Deferred(Arc<Deferred>),
}

/// What answers the entries.
type Work = Box<dyn FnOnce() -> Arc<[ManagedEntry]> + Send>;

struct Deferred {
    entries: OnceLock<Arc<[ManagedEntry]>>,
    /// Taken when it is done, and with it the versions before that it needs.
    work: Mutex<Option<Work>>,
    /// How many versions have to be worked out for this one.
    depth: u32,
}

/// Versions that one may have to work out for the last of them.
const DEPTH_MAX: u32 = 16;

impl ManagedFields {
    /// What `work` will answer. It is a function of what it holds, and may ask for `before`.
    pub fn deferred(before: Option<&ManagedFields>, work: Work) -> ManagedFields {
        let depth = match before.map(|it| &it.0) {
            Some(Inner::Deferred(it)) if it.entries.get().is_none() && it.depth < DEPTH_MAX => it.depth + 1,
            _ => 1,
        };
        if let Some(before) = before.filter(|_| depth == 1) {
            before.settle();
        }
        ManagedFields(Inner::Deferred(Arc::new(Deferred {
            entries: OnceLock::new(),
            work: Mutex::new(Some(work)),
            depth,
        })))
    }

    /// Works the entries out, if that has not been done, and lets go of the versions before.
    pub fn settle(&self) {
        self.entries();
    }

    /// Whether the entries are known.
    pub fn is_settled(&self) -> bool {
        match &self.0 {
            Inner::Known(_) => true,
            Inner::Deferred(it) => it.entries.get().is_some(),
        }
    }

    /// Whether both are one allocation (a fast "surely equal").
    pub fn same(&self, other: &ManagedFields) -> bool {
        match (&self.0, &other.0) {
            (Inner::Known(a), Inner::Known(b)) => Arc::ptr_eq(a, b),
            (Inner::Deferred(a), Inner::Deferred(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    fn entries(&self) -> &[ManagedEntry] {
        match &self.0 {
            Inner::Known(entries) => entries,
            Inner::Deferred(it) => it.entries.get_or_init(|| {
                let work = it.work.lock().ok().and_then(|mut it| it.take());
                work.map(|it| it()).unwrap_or_default()
            }),
        }
    }

    /// Reads the list that a client sent. One entry that cannot be read makes all of them unreadable, and so none.
    pub(crate) fn from_list(list: &List) -> ManagedFields {
        let is_empty = |it: &Value| it.as_map().is_some_and(|it| it.is_empty());
        if list.is_empty() || (list.len() == 1 && list.iter().all(is_empty)) {
            return vec![ManagedEntry::reset()].into();
        }
        let entries: Option<Vec<ManagedEntry>> =
            list.iter().map(|it| it.as_map().and_then(ManagedEntry::from_map)).collect();
        entries.unwrap_or_default().into()
    }
}

impl Deref for ManagedFields {
    type Target = [ManagedEntry];
    fn deref(&self) -> &[ManagedEntry] {
        self.entries()
    }
}

impl Default for ManagedFields {
    fn default() -> ManagedFields {
        static NONE: LazyLock<Arc<[ManagedEntry]>> = LazyLock::new(Default::default);
        NONE.clone().into()
    }
}

impl From<Arc<[ManagedEntry]>> for ManagedFields {
    fn from(entries: Arc<[ManagedEntry]>) -> ManagedFields {
        ManagedFields(Inner::Known(entries))
    }
}

impl From<Vec<ManagedEntry>> for ManagedFields {
    fn from(entries: Vec<ManagedEntry>) -> ManagedFields {
        ManagedFields(Inner::Known(entries.into()))
    }
}

impl PartialEq for ManagedFields {
    fn eq(&self, other: &ManagedFields) -> bool {
        self.same(other) || **self == **other
    }
}

impl Eq for ManagedFields {}

impl fmt::Debug for ManagedFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries().fmt(f)
    }
}

impl ManagedEntry {
    /// What a client means who sends an empty list: that all entries are to be forgotten. Never stored.
    pub(crate) fn reset() -> ManagedEntry {
        ManagedEntry {
            manager: Str::default(),
            operation: Operation::Update,
            api_version: Str::default(),
            time: None,
            subresource: Str::default(),
            fields: Map::new(),
        }
    }

    /// Whether this stands for an empty list that a client sent.
    pub fn is_reset(&self) -> bool {
        self.api_version.is_empty()
    }

    /// `None` for an unknown operation, a missing version or an unknown type of the fields.
    pub fn from_map(map: &Map) -> Option<ManagedEntry> {
        let text = |key: &str| map.get(key).and_then(Value::as_shared_str).cloned().unwrap_or_default();
        let operation = match map.get("operation").and_then(Value::as_str) {
            Some("Apply") => Operation::Apply,
            Some("Update") => Operation::Update,
            _ => return None,
        };
        let api_version = text("apiVersion");
        if api_version.is_empty() || map.get("fieldsType").and_then(Value::as_str) != Some("FieldsV1") {
            return None;
        }
        Some(ManagedEntry {
            manager: text("manager"),
            operation,
            api_version,
            time: map.get("time").and_then(Value::as_str).and_then(time::parse_secs),
            subresource: text("subresource"),
            fields: map.get("fieldsV1").and_then(Value::as_map).cloned().unwrap_or_default(),
        })
    }

    pub fn to_map(&self) -> Map {
        let operation = match self.operation {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        };
        let mut map = map!({
            "apiVersion": &self.api_version, "fieldsType": "FieldsV1", "fieldsV1": &self.fields, "operation": operation,
        });
        if !self.manager.is_empty() {
            map.insert("manager", &self.manager);
        }
        if let Some(secs) = self.time {
            map.insert("time", time::format_secs(secs));
        }
        if !self.subresource.is_empty() {
            map.insert("subresource", &self.subresource);
        }
        map
    }
}
