//! `metadata`, typed: what every object has and every write looks at.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, LazyLock};

use value::{List, Map, Str, Value, present, time};

use crate::{ManagedFields, Revision};

/// `ObjectMeta`. Times are whole seconds since the Unix epoch.
///
/// What names an object is read as if it stood here: `meta.name`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Metadata {
    pub identity: Shared,
    pub revision: Revision,
    /// Zero where the kind keeps none.
    pub generation: i64,
    /// Set once the object is being deleted.
    pub deleted: Option<i64>,
    /// `deletionGracePeriodSeconds`
    pub grace_seconds: Option<i64>,
    pub labels: Map,
    pub annotations: Map,
    pub finalizers: Arc<[Str]>,
    pub managed: ManagedFields,
}

/// What hardly changes in the life of an object: all its versions have one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Identity {
    pub name: Str,
    pub generate_name: Str,
    /// Empty for cluster-scoped kinds.
    pub namespace: Str,
    pub uid: Str,
    pub created: Option<i64>,
    pub owners: Arc<[OwnerRef]>,
}

/// An identity that several versions may have; changing it copies it first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shared(Arc<Identity>);

impl Shared {
    /// Whether both are one allocation.
    pub fn same(&self, other: &Shared) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Default for Shared {
    fn default() -> Shared {
        static NOBODY: LazyLock<Shared> = LazyLock::new(|| Identity::default().into());
        NOBODY.clone()
    }
}

impl From<Identity> for Shared {
    fn from(identity: Identity) -> Shared {
        Shared(Arc::new(identity))
    }
}

impl Metadata {
    /// Of a new object.
    pub fn new(namespace: impl Into<Str>, name: impl Into<Str>) -> Metadata {
        Identity { namespace: namespace.into(), name: name.into(), ..Identity::default() }.into()
    }

    /// Of a new cluster-scoped object.
    pub fn cluster(name: impl Into<Str>) -> Metadata {
        Identity { name: name.into(), ..Identity::default() }.into()
    }

    /// Of a new object whose name the server makes of a prefix (`generateName`).
    pub fn generated(namespace: impl Into<Str>, prefix: impl Into<Str>) -> Metadata {
        Identity { namespace: namespace.into(), generate_name: prefix.into(), ..Identity::default() }.into()
    }

    /// The same with this one owner.
    pub fn owned_by(mut self, owner: OwnerRef) -> Metadata {
        self.owners = Arc::from([owner]);
        self
    }
}

impl From<Identity> for Metadata {
    fn from(identity: Identity) -> Metadata {
        Metadata { identity: Shared(Arc::new(identity)), ..Metadata::default() }
    }
}

impl Deref for Metadata {
    type Target = Identity;
    fn deref(&self) -> &Identity {
        &self.identity.0
    }
}

impl DerefMut for Metadata {
    fn deref_mut(&mut self) -> &mut Identity {
        Arc::make_mut(&mut self.identity.0)
    }
}

impl Identity {
    fn same(&self, other: &Identity) -> bool {
        self.name == other.name
            && self.generate_name == other.generate_name
            && self.namespace == other.namespace
            && self.uid == other.uid
            && self.created == other.created
            && (Arc::ptr_eq(&self.owners, &other.owners) || self.owners == other.owners)
    }
}

/// The finalizer of an owner whose dependents are to be left alone (`FinalizerOrphanDependents`).
pub const ORPHAN: &str = "orphan";

/// The finalizer of an owner that goes after its dependents (`FinalizerDeleteDependents`).
pub const FOREGROUND: &str = "foregroundDeletion";

/// One entry of `metadata.ownerReferences`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OwnerRef {
    pub api_version: Str,
    pub kind: Str,
    pub name: Str,
    pub uid: Str,
    /// `None` where the field is absent.
    pub controller: Option<bool>,
    /// `None` where the field is absent.
    pub block_deletion: Option<bool>,
}

impl OwnerRef {
    pub fn is_controller(&self) -> bool {
        self.controller == Some(true)
    }

    /// Whether its API version is one of this group.
    pub fn is_of_group(&self, group: &str) -> bool {
        let rest = self.api_version.strip_prefix(group);
        rest.is_some_and(|it| if group.is_empty() { !it.contains('/') } else { it.starts_with('/') })
    }
}

impl Metadata {
    /// The controlling owner, if there is one.
    pub fn controller(&self) -> Option<&OwnerRef> {
        self.owners.iter().find(|it| it.is_controller())
    }

    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key)?.as_str()
    }

    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key)?.as_str()
    }

    pub fn is_deleted(&self) -> bool {
        self.deleted.is_some()
    }

    pub fn has_finalizer(&self, name: &str) -> bool {
        self.finalizers.iter().any(|it| *it == name)
    }

    /// Whether both are equal but for `resourceVersion` and `managedFields`; quick where parts are shared.
    pub fn same_but_managed(&self, other: &Metadata) -> bool {
        let same_map = |a: &Map, b: &Map| a.same(b) || a == b;
        (self.identity.same(&other.identity) || Identity::same(self, other))
            && (self.generation, self.deleted, self.grace_seconds)
                == (other.generation, other.deleted, other.grace_seconds)
            && same_map(&self.labels, &other.labels)
            && same_map(&self.annotations, &other.annotations)
            && (Arc::ptr_eq(&self.finalizers, &other.finalizers) || self.finalizers == other.finalizers)
    }

    /// Reads a `metadata` map. Fields of a wrong type are left out: the schema has refused them before.
    pub fn from_map(map: &Map) -> Metadata {
        let text = |key: &str| map.get(key).and_then(Value::as_shared_str).cloned().unwrap_or_default();
        let seconds = |key: &str| map.get(key).and_then(Value::as_str).and_then(time::parse_secs);
        let strings = |key: &str| map.get(key).and_then(Value::as_map).cloned().unwrap_or_default();
        let list = |key: &str| map.get(key).and_then(Value::as_list).cloned().unwrap_or_default();
        Metadata {
            identity: Identity {
                name: text("name"),
                generate_name: text("generateName"),
                namespace: text("namespace"),
                uid: text("uid"),
                created: seconds("creationTimestamp"),
                owners: list("ownerReferences").iter().filter_map(Value::as_map).map(OwnerRef::from_map).collect(),
            }
            .into(),
            revision: Revision(text("resourceVersion").parse().unwrap_or(0)),
            generation: map.get("generation").and_then(Value::as_i64).unwrap_or(0),
            deleted: seconds("deletionTimestamp"),
            grace_seconds: map.get("deletionGracePeriodSeconds").and_then(Value::as_i64),
            labels: strings("labels"),
            annotations: strings("annotations"),
            finalizers: list("finalizers").iter().filter_map(Value::as_shared_str).cloned().collect(),
            managed: map
                .get("managedFields")
                .and_then(Value::as_list)
                .map(ManagedFields::from_list)
                .unwrap_or_default(),
        }
    }

    /// The `metadata` map as the API shows it: empty fields are left out.
    pub fn to_map(&self) -> Map {
        let mut entries: Vec<(Str, Value)> = Vec::with_capacity(12);
        let mut put = |key: &str, value: Value| entries.push((key.into(), value));
        if !self.annotations.is_empty() {
            put("annotations", Value::from(&self.annotations));
        }
        if let Some(secs) = self.created {
            put("creationTimestamp", time::format_secs(secs).into());
        }
        if let Some(seconds) = self.grace_seconds {
            put("deletionGracePeriodSeconds", seconds.into());
        }
        if let Some(secs) = self.deleted {
            put("deletionTimestamp", time::format_secs(secs).into());
        }
        if !self.finalizers.is_empty() {
            put("finalizers", Value::List(self.finalizers.iter().map(Value::from).collect::<List>()));
        }
        if !self.generate_name.is_empty() {
            put("generateName", Value::from(&self.generate_name));
        }
        if self.generation != 0 {
            put("generation", self.generation.into());
        }
        if !self.labels.is_empty() {
            put("labels", Value::from(&self.labels));
        }
        if !self.managed.is_empty() {
            put("managedFields", Value::List(self.managed.iter().map(|it| Value::Map(it.to_map())).collect()));
        }
        if !self.name.is_empty() {
            put("name", Value::from(&self.name));
        }
        if !self.namespace.is_empty() {
            put("namespace", Value::from(&self.namespace));
        }
        if !self.owners.is_empty() {
            put("ownerReferences", Value::List(self.owners.iter().map(|it| Value::Map(it.to_map())).collect()));
        }
        if self.revision != Revision::default() {
            put("resourceVersion", self.revision.text().into());
        }
        if !self.uid.is_empty() {
            put("uid", Value::from(&self.uid));
        }
        entries.into()
    }
}

impl OwnerRef {
    pub fn from_map(map: &Map) -> OwnerRef {
        let text = |key: &str| map.get(key).and_then(Value::as_shared_str).cloned().unwrap_or_default();
        OwnerRef {
            api_version: text("apiVersion"),
            kind: text("kind"),
            name: text("name"),
            uid: text("uid"),
            controller: map.get("controller").and_then(Value::as_bool),
            block_deletion: map.get("blockOwnerDeletion").and_then(Value::as_bool),
        }
    }

    pub fn to_map(&self) -> Map {
        let text = |it: &Str| Some(Value::from(it));
        present!({
            "apiVersion": text(&self.api_version),
            "blockOwnerDeletion": self.block_deletion.map(Value::from),
            "controller": self.controller.map(Value::from),
            "kind": text(&self.kind),
            "name": text(&self.name),
            "uid": text(&self.uid),
        })
    }
}
