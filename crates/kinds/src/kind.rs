//! What the API server must know of a kind.

use std::borrow::Cow;

use meta::{Errors, KindId, Object, names};
use value::{Map, Str, Value};

use crate::workload;

/// Whether objects live in namespaces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    Cluster,
    Namespaced,
}

/// A served kind: constant data.
#[derive(Debug)]
pub struct Kind {
    pub id: KindId,
    /// Empty for the core group.
    pub group: &'static str,
    /// The version in which objects are stored and shown by default.
    pub version: &'static str,
    /// Such as `DaemonSet`.
    pub kind: &'static str,
    /// The resource, such as `daemonsets`.
    pub plural: &'static str,
    pub short_names: &'static [&'static str],
    pub categories: &'static [&'static str],
    pub scope: Scope,
    /// What discovery lists, in its order: alphabetical.
    pub verbs: Verbs,
    pub subresources: &'static [Subresource],
    /// Further group-versions under which the same objects are served.
    pub also_served: &'static [Served],
    /// The OpenAPI definition, such as `io.k8s.api.apps.v1.DaemonSet`.
    pub definition: &'static str,
    /// Those of its own; none where the usual two do. A function: who shows no tables needs none of them.
    pub columns: fn() -> &'static [Column],
    /// Fields of the body (or `metadata.name`, `metadata.namespace`, always there) that field selectors may use.
    pub selectable_fields: &'static [SelectableField],
    pub strategy: Strategy,
}

/// What clients may do with the objects themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verbs {
    /// create, delete, deletecollection, get, list, patch, update, watch
    All,
    /// All but deletecollection
    NoDeleteCollection,
    /// get, list, watch: what the simulation itself writes
    ReadOnly,
    /// get, list: what is asked of others and kept nowhere
    Look,
    /// create only: reviews, whose answer is not stored
    Create,
}

impl Verbs {
    /// As discovery lists them.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Verbs::All => &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
            Verbs::NoDeleteCollection => &["create", "delete", "get", "list", "patch", "update", "watch"],
            Verbs::ReadOnly => &["get", "list", "watch"],
            Verbs::Look => &["get", "list"],
            Verbs::Create => &["create"],
        }
    }
}

/// A part of an object with a path of its own.
#[derive(Clone, Copy, Debug)]
pub struct Subresource {
    /// Such as `status`, `scale`, `log`, `binding`.
    pub name: &'static str,
    /// Group, version and kind that discovery shows; group and version are empty where they are the parent's.
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
    pub verbs: &'static [&'static str],
}

impl Subresource {
    const CHANGE: &'static [&'static str] = &["get", "patch", "update"];

    /// The `status` of a kind.
    pub const fn status(kind: &'static str) -> Subresource {
        Subresource { name: "status", group: "", version: "", kind, verbs: Subresource::CHANGE }
    }

    /// The number of replicas, the same for all kinds that have one.
    pub const fn scale() -> Subresource {
        Subresource { name: "scale", group: "autoscaling", version: "v1", kind: "Scale", verbs: Subresource::CHANGE }
    }
}

/// A second group-version of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    pub group: &'static str,
    pub version: &'static str,
    pub definition: &'static str,
    /// Selectable fields that are called otherwise here: their names here and in the stored version.
    /// An empty name here: not selectable.
    pub renamed_fields: &'static [(&'static str, &'static str)],
    /// From the stored form of the body to this version's.
    pub to: fn(&Object) -> Object,
    /// From this version's form to the stored one.
    pub from: fn(&Object) -> Object,
    /// Rules that writes in this version obey besides the strategy's: new, and old of an update.
    pub validate: fn(&Object, Option<&Object>, &mut Errors),
}

/// A field selector's name and how to read its value; an absent value is the empty text.
#[derive(Clone, Copy, Debug)]
pub struct SelectableField {
    pub name: &'static str,
    pub read: fn(&Object) -> Str,
}

/// A column of the server-side table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub name: &'static str,
    /// `string`, `integer`, `number`, `boolean` or `date`
    pub kind: &'static str,
    /// `name` for the first column, else empty
    pub format: &'static str,
    pub description: &'static str,
    /// 0 is always shown, 1 with `-o wide`
    pub priority: i64,
    /// Times are shown as ages: [`Context`] has the clock.
    pub cell: fn(&Object, &Context) -> Value,
}

/// What a cell may look at beside its object.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Seconds since the Unix epoch, for ages.
    pub now: i64,
}

/// The rules that are the kind's own: plain functions, with defaults for the usual.
#[derive(Clone, Copy, Debug)]
pub struct Strategy {
    /// Fills in defaults; must share what it does not change.
    pub default: fn(&mut Object),
    /// Of pods and jobs those that do not follow from the spec.
    pub default_rest: fn(&mut Object),
    /// [`Strategy::default`] for a write of the status, which takes all else from what is stored; `None`: the same as for others.
    pub default_status: Option<fn(&mut Object)>,
    /// Clears what a creator may not set (status), sets generation 1 where `generation`.
    pub prepare_create: fn(&mut Object),
    /// The last step before a new object is stored, after every check.
    pub finish: fn(&mut Object),
    /// New and old: keeps what an update may not touch. The generation is counted by the caller where `generation` is set.
    pub prepare_update: fn(&mut Object, &Object),
    /// Every problem in upstream's order, metadata excepted.
    pub validate: fn(&Object, &mut Errors),
    /// New and old: immutable fields and transitions; runs instead of `validate`, so it calls that where upstream does.
    pub validate_update: fn(&Object, &Object, &mut Errors),
    /// New and old of an update of the `status` subresource.
    pub validate_status: fn(&Object, &Object, &mut Errors),
    /// What a write to the status (new, old, seconds since the Unix epoch) notes by itself.
    pub stamp_status: fn(&mut Object, &Object, i64),
    /// Texts of `Warning` headers for a new object, as prepared, that are given even if it is refused.
    pub prepare_warnings: fn(&Object) -> Vec<String>,
    /// Texts of `Warning` headers for a new object and, on updates, the old one.
    pub warnings: fn(&Object, Option<&Object>) -> Vec<String>,
    /// Messages about the name; `true` for a `generateName` prefix (upstream's `prefix` argument).
    pub validate_name: fn(&str, bool) -> Vec<String>,
    /// Whether objects have a `metadata.generation`: 1 for a new one. Others keep what their creator says.
    pub generation: bool,
    /// Whether the change of an object, new and old, counts in its generation.
    pub counts: fn(&Object, &Object) -> bool,
    /// Whether finalizers without a domain must be ones that are known.
    pub known_finalizers: bool,
    /// How often upstream's check of an update says what is wrong with the metadata, after the check for all kinds has.
    pub metadata_checks: u8,
    /// Whether PUT needs no `resourceVersion`.
    pub unconditional_update: bool,
    /// Whether PUT of an absent object creates it.
    pub create_on_update: bool,
}

/// Messages of names that are DNS subdomains (`NameIsDNSSubdomain`).
pub fn subdomain_name(name: &str, prefix: bool) -> Vec<String> {
    names::dns_subdomain(&masked(name, prefix))
}

/// Messages of names that are DNS labels (`NameIsDNSLabel`).
pub fn label_name(name: &str, prefix: bool) -> Vec<String> {
    names::dns_label(&masked(name, prefix))
}

/// Messages of names that may be any part of a path (`ValidatePathSegmentName`).
pub fn path_segment_name(name: &str, prefix: bool) -> Vec<String> {
    // A prefix may be `.` or `..`.
    if prefix && matches!(name, "." | "..") { Vec::new() } else { names::path_segment_name(name) }
}

/// A trailing dash of a prefix becomes a letter, as upstream's `maskTrailingDash`.
fn masked(name: &str, prefix: bool) -> Cow<'_, str> {
    match name.strip_suffix('-') {
        Some(rest) if prefix && !rest.is_empty() => [rest, "a"].concat().into(),
        _ => name.into(),
    }
}

impl Strategy {
    /// A kind without defaults, status or rules of its own.
    pub const PLAIN: Strategy = Strategy {
        default: |_| (),
        default_rest: |_| (),
        default_status: None,
        prepare_create: |_| (),
        finish: |_| (),
        prepare_update: |_, _| (),
        validate: |_, _| (),
        validate_update: |_, _, _| (),
        validate_status: |_, _, _| (),
        stamp_status: |_, _, _| (),
        prepare_warnings: |_| Vec::new(),
        warnings: |_, _| Vec::new(),
        validate_name: subdomain_name,
        generation: false,
        counts: spec_changed,
        known_finalizers: true,
        metadata_checks: 1,
        unconditional_update: true,
        create_on_update: false,
    };

    /// A kind with `spec`, `status` and a generation.
    pub const WORKLOAD: Strategy = Strategy {
        prepare_create: |it| workload::prepare_create(it, Map::new()),
        prepare_update: workload::prepare_update,
        generation: true,
        ..Strategy::PLAIN
    };
}

/// Whether anything but metadata and status differs.
pub fn spec_changed(new: &Object, old: &Object) -> bool {
    fn rest(it: &Object) -> impl Iterator<Item = (&Str, &Value)> {
        it.body.iter().filter(|(key, _)| *key != "status")
    }
    !rest(new).eq(rest(old))
}

/// Whether `spec` surely is the stored one, which needs nothing more.
pub fn keeps_spec(new: &Object, old: &Object) -> bool {
    new.body.get("spec").zip(old.body.get("spec")).is_some_and(|(new, old)| new.same(old))
}

/// What writes to the object itself do with `status`: nothing.
pub fn keep_status(new: &mut Object, old: &Object) {
    match old.body.get("status") {
        Some(status) if new.body.get("status").is_some_and(|it| it.same(status)) => (),
        Some(status) => new.body.insert("status", status),
        None => {
            new.body.remove("status");
        }
    }
}

impl Kind {
    /// A kind with usual names, no columns and [`Strategy::PLAIN`]; change the rest with struct update.
    pub const fn new(
        scope: Scope,
        group: &'static str,
        version: &'static str,
        kind: &'static str,
        plural: &'static str,
    ) -> Kind {
        Kind {
            id: KindId(u16::MAX),
            group,
            version,
            kind,
            plural,
            short_names: &[],
            categories: &[],
            scope,
            verbs: Verbs::All,
            subresources: &[],
            also_served: &[],
            definition: "",
            columns: || &[],
            selectable_fields: &[],
            strategy: Strategy::PLAIN,
        }
    }

    /// The kind as users write it, such as `daemonset`.
    pub fn singular(&self) -> String {
        self.kind.to_ascii_lowercase()
    }

    /// `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> String {
        api_version(self.group, self.version)
    }

    pub fn is_namespaced(&self) -> bool {
        self.scope == Scope::Namespaced
    }
}

/// `apps/v1`, or `v1` for the core group.
pub fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}
