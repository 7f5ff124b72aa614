//! The served kinds and the ways to find one.

use meta::KindId;

use crate::{Kind, api_version};

/// Every served kind; ids are places in the list and never change.
#[derive(Clone, Copy, Debug)]
pub struct Registry {
    kinds: &'static [Kind],
}

/// A kind seen through one of its served versions.
#[derive(Clone, Copy, Debug)]
pub struct ServedKind<'a> {
    pub kind: &'a Kind,
    /// `None`: the version in which it is stored.
    pub served: Option<&'a crate::Served>,
}

impl<'a> ServedKind<'a> {
    pub fn group(&self) -> &'a str {
        self.served.map_or(self.kind.group, |it| it.group)
    }

    pub fn version(&self) -> &'a str {
        self.served.map_or(self.kind.version, |it| it.version)
    }

    pub fn api_version(&self) -> String {
        api_version(self.group(), self.version())
    }

    /// The name of the schema definition.
    pub fn definition(&self) -> &'a str {
        self.served.map_or(self.kind.definition, |it| it.definition)
    }
}

impl Registry {
    /// The built-in kinds.
    pub fn builtin() -> Registry {
        Registry { kinds: crate::all() }
    }

    pub fn get(&self, id: KindId) -> Option<&'static Kind> {
        self.kinds.get(usize::from(id.0))
    }

    /// Every kind, in the order of ids.
    pub fn all(&self) -> impl Iterator<Item = &'static Kind> + use<> {
        self.kinds.iter()
    }

    pub fn ids(&self) -> impl Iterator<Item = KindId> + use<> {
        (0..self.kinds.len() as u16).map(KindId)
    }

    /// Every group-version of every kind.
    pub fn served(&self) -> impl Iterator<Item = ServedKind<'static>> + use<> {
        self.all().flat_map(versions)
    }

    /// By what a URL names: group (empty for core), version and plural.
    pub fn by_resource(&self, group: &str, version: &str, plural: &str) -> Option<ServedKind<'static>> {
        self.served().find(|it| it.group() == group && it.version() == version && it.kind.plural == plural)
    }

    /// By what an object or an owner reference names.
    pub fn by_kind(&self, api_version: &str, kind: &str) -> Option<&'static Kind> {
        let is_it = |it: &ServedKind<'static>| {
            let between = api_version.strip_prefix(it.group()).and_then(|rest| rest.strip_suffix(it.version()));
            between == Some("/") || (between == Some("") && it.group().is_empty())
        };
        self.all().filter(|it| it.kind == kind).flat_map(versions).find(is_it).map(|it| it.kind)
    }

    /// Whether any kind is served in a group.
    pub fn has_group(&self, group: &str) -> bool {
        self.served().any(|it| it.group() == group)
    }
}

/// A kind with each of its served versions.
fn versions(kind: &'static Kind) -> impl Iterator<Item = ServedKind<'static>> {
    let others = kind.also_served.iter().map(move |it| ServedKind { kind, served: Some(it) });
    std::iter::once(ServedKind { kind, served: None }).chain(others)
}
