//! Discovery: which groups, versions and resources there are (`endpoints/discovery` and its `aggregated`).

use std::collections::BTreeMap;
use std::sync::Arc;

use kinds::{Kind, Registry, ServedKind, Verbs, api_version};
use value::{Map, Str, Value, base64, map, value};

use crate::digest::{hex, sha256};
use crate::layout;
use crate::negotiate::Format;

/// Documents that take work to make and only change when kinds do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cache {
    documents: BTreeMap<String, Document>,
}

/// A document and the name of its content.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub bytes: Arc<[u8]>,
    /// Hexadecimal digits, upper case.
    pub hash: Str,
}

impl Cache {
    /// The document called `name`, made if it is not there yet.
    pub fn get(&mut self, name: &str, make: &mut dyn FnMut() -> Value) -> Document {
        self.get_bytes(name, &mut || layout::render(&make(), Format::Json))
    }

    /// The same for a document that is not JSON.
    pub fn get_bytes(&mut self, name: &str, make: &mut dyn FnMut() -> Vec<u8>) -> Document {
        if let Some(it) = self.documents.get(name) {
            return it.clone();
        }
        let bytes = make();
        let document = Document { hash: hex(&sha256(&bytes)).into(), bytes: bytes.into() };
        self.documents.insert(name.to_owned(), document.clone());
        document
    }
}

/// The order in which the real server lists its groups; others follow by name.
const GROUPS: [&str; 20] = [
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
];

/// A group and its versions, the preferred one first.
pub(crate) struct Group {
    pub name: Str,
    pub versions: Vec<Str>,
}

/// Every group but the core, in the order of discovery.
pub(crate) fn groups(registry: &Registry) -> Vec<Group> {
    let mut groups: BTreeMap<(usize, Str), Vec<Str>> = BTreeMap::new();
    for it in registry.served().filter(|it| !it.group().is_empty()) {
        let rank = GROUPS.iter().position(|name| *name == it.group()).unwrap_or(GROUPS.len());
        let versions = groups.entry((rank, it.group().into())).or_default();
        if !versions.iter().any(|have| *have == it.version()) {
            versions.push(it.version().into());
        }
    }
    let mut res = Vec::new();
    for ((_, name), mut versions) in groups {
        versions.sort_by_cached_key(|it| std::cmp::Reverse(version_rank(it)));
        res.push(Group { name, versions });
    }
    res
}

/// Stable versions before beta before alpha, and newer before older, such as `v2` before `v1` before `v2beta1`.
fn version_rank(version: &str) -> (u8, u32, u32) {
    let Some(rest) = version.strip_prefix('v') else { return (0, 0, 0) };
    let digits = rest.find(|it: char| !it.is_ascii_digit()).unwrap_or(rest.len());
    let Ok(major) = rest[..digits].parse::<u32>() else { return (0, 0, 0) };
    let stages = [("beta", 2), ("alpha", 1)];
    match &rest[digits..] {
        "" => (3, major, 0),
        rest => stages
            .iter()
            .find_map(|(name, rank)| Some((*rank, major, rest.strip_prefix(name)?.parse().ok()?)))
            .unwrap_or((0, 0, 0)),
    }
}

/// `/api`
pub(crate) fn core_versions() -> Value {
    value!({
        "kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443" }],
    })
}

/// `/apis`
pub(crate) fn group_list(registry: &Registry) -> Value {
    let groups: Vec<Value> = groups(registry).iter().map(|it| group(it).into()).collect();
    value!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

fn group(it: &Group) -> Map {
    let versions: Vec<Value> = it
        .versions
        .iter()
        .map(|version| value!({ "groupVersion": api_version(&it.name, version), "version": version }))
        .collect();
    let preferred = versions.first().cloned().unwrap_or_default();
    map!({ "name": &it.name, "versions": versions, "preferredVersion": preferred })
}

/// `/apis/GROUP`
pub(crate) fn one_group(registry: &Registry, name: &str) -> Option<Value> {
    let found = groups(registry).into_iter().find(|it| it.name == name)?;
    Some(group(&found).with("kind", "APIGroup").with("apiVersion", "v1").into())
}

/// `/api/v1`, `/apis/GROUP/VERSION`
pub(crate) fn resource_list(registry: &Registry, name: &str, version: &str) -> Option<Value> {
    let kinds = kinds_of(registry, name, version);
    if kinds.is_empty() {
        return None;
    }
    let mut resources = Vec::new();
    for it in kinds {
        resources.push(resource(&it).into());
        let kind = it.kind;
        for part in kind.subresources {
            let mut part_map = map!({
                "name": format!("{}/{}", kind.plural, part.name), "singularName": "", "namespaced": kind.is_namespaced(),
                "kind": part.kind, "verbs": strings(part.verbs),
            });
            if !part.version.is_empty() {
                part_map.insert("group", part.group);
                part_map.insert("version", part.version);
            }
            resources.push(part_map.into());
        }
    }
    let mut list =
        map!({ "kind": "APIResourceList", "groupVersion": api_version(name, version), "resources": resources });
    if !name.is_empty() {
        list.insert("apiVersion", "v1");
    }
    Some(list.into())
}

fn kinds_of<'a>(registry: &'a Registry, group: &str, version: &str) -> Vec<ServedKind<'a>> {
    let mut kinds: Vec<ServedKind<'a>> =
        registry.served().filter(|it| it.group() == group && it.version() == version).collect();
    kinds.sort_by(|a, b| a.kind.plural.cmp(b.kind.plural));
    kinds
}

fn strings(list: &[&str]) -> Vec<Value> {
    list.iter().map(|it| Str::literal(it).into()).collect()
}

fn resource(it: &ServedKind<'_>) -> Map {
    let kind = it.kind;
    let mut map = map!({
        "name": Str::literal(kind.plural), "singularName": kind.singular(), "namespaced": kind.is_namespaced(), "kind": Str::literal(kind.kind),
        "verbs": strings(kind.verbs.names()),
    });
    if !kind.short_names.is_empty() {
        map.insert("shortNames", strings(kind.short_names));
    }
    if !kind.categories.is_empty() {
        map.insert("categories", strings(kind.categories));
    }
    if !matches!(kind.verbs, Verbs::Create | Verbs::Look) {
        map.insert("storageVersionHash", storage_version_hash(kind));
    }
    map
}

/// Kinds that the real server keeps in an older version than it shows.
const KEPT_IN_BETA: [&str; 3] =
    ["CustomResourceDefinition", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"];

/// Names the version in which a kind is stored (`StorageVersionHash`).
fn storage_version_hash(kind: &Kind) -> String {
    let version = if KEPT_IN_BETA.contains(&kind.kind) { "v1beta1" } else { kind.version };
    let text = format!("{}/{version}/{}", kind.group, kind.kind);
    base64::encode(&sha256(text.as_bytes())[..8])
}

/// `/api` or `/apis` as one document of everything below.
pub(crate) fn aggregated(registry: &Registry, core: bool, version: &str) -> Value {
    let groups =
        if core { vec![Group { name: Str::default(), versions: vec!["v1".into()] }] } else { groups(registry) };
    let items: Vec<Value> = groups
        .iter()
        .map(|group| {
            let versions: Vec<Value> = group
                .versions
                .iter()
                .map(|version| {
                    let resources: Vec<Value> =
                        kinds_of(registry, &group.name, version).iter().map(|it| aggregated_resource(it)).collect();
                    value!({ "version": version, "resources": resources, "freshness": "Current" })
                })
                .collect();
            let metadata = if core { map!({}) } else { map!({ "name": &group.name }) };
            value!({ "metadata": metadata.with("creationTimestamp", Value::Null), "versions": versions })
        })
        .collect();
    value!({
        "kind": "APIGroupDiscoveryList", "apiVersion": format!("apidiscovery.k8s.io/{version}"), "metadata": {}, "items": items,
    })
}

fn aggregated_resource(it: &ServedKind<'_>) -> Value {
    let kind = it.kind;
    let scope = if kind.is_namespaced() { "Namespaced" } else { "Cluster" };
    let mut res = map!({
        "resource": Str::literal(kind.plural), "scope": scope, "singularResource": kind.singular(), "verbs": strings(kind.verbs.names()),
        "responseKind": { "group": it.group(), "version": it.version(), "kind": Str::literal(kind.kind) },
    });
    if !kind.short_names.is_empty() {
        res.insert("shortNames", strings(kind.short_names));
    }
    if !kind.categories.is_empty() {
        res.insert("categories", strings(kind.categories));
    }
    let parts: Vec<Value> = kind
        .subresources
        .iter()
        .map(|part| {
            let (group, version) = match part.version {
                "" => (it.group(), it.version()),
                version => (part.group, version),
            };
            value!({
                "subresource": part.name, "verbs": strings(part.verbs),
                "responseKind": { "group": group, "version": version, "kind": part.kind },
            })
        })
        .collect();
    if !parts.is_empty() {
        res.insert("subresources", parts);
    }
    res.into()
}

#[cfg(test)]
mod tests;
