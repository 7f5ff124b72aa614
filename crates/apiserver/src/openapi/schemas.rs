//! The definitions that a document refers to.

use std::collections::{BTreeMap, BTreeSet};

use kinds::Registry;
use schema::{Field, ListKind, ListType, Presence, Schema, StructType, Type, TypeId};
use value::{Map, Str, Value, json, map, value};

use super::descriptions::{description, short};
use super::{Version, reference};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";

pub(super) const API_GROUP: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup";
pub(super) const API_GROUP_LIST: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroupList";
const API_RESOURCE: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.APIResource";
pub(super) const API_RESOURCE_LIST: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList";
pub(super) const API_VERSIONS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.APIVersions";
pub(super) const DELETE_OPTIONS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";
const FIELDS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1";
const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
const LIST_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";
const MICRO_TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";
pub(super) const PATCH: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const RAW_EXTENSION: &str = "io.k8s.apimachinery.pkg.runtime.RawExtension";
pub(super) const STATUS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";
const TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Time";
pub(super) const VERSION_INFO: &str = "io.k8s.apimachinery.pkg.version.Info";
pub(super) const WATCH_EVENT: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent";

/// What the table of types does not tell: see the file.
const FACTS: &str = include_str!("../../data/openapi.txt");

/// The words that `FACTS` has of a definition, taken apart: the sign, what stands before it and what after.
fn facts(definition: &str) -> Vec<(char, &'static str, &'static str)> {
    let line = FACTS.lines().find_map(|line| line.strip_prefix(short(definition))?.strip_prefix(' '));
    line.unwrap_or_default()
        .split(' ')
        .filter_map(|word| {
            let at = word.find(['%', '?', '=', ':'])?;
            Some((word[at..].chars().next()?, &word[..at], &word[at + 1..]))
        })
        .collect()
}

/// Whether a subresource of this kind is a stream or a proxy.
pub(super) fn is_connection(kind: &str) -> bool {
    kind.ends_with("Options")
}

/// The definition of a subresource's kind that is not its parent's.
pub(super) fn definition_of(group: &str, version: &str, kind: &str) -> Option<&'static str> {
    Some(match (group, version, kind) {
        ("", "v1", "Binding") => "io.k8s.api.core.v1.Binding",
        ("authentication.k8s.io", "v1", "TokenRequest") => "io.k8s.api.authentication.v1.TokenRequest",
        ("autoscaling", "v1", "Scale") => "io.k8s.api.autoscaling.v1.Scale",
        ("policy", "v1", "Eviction") => "io.k8s.api.policy.v1.Eviction",
        _ => return None,
    })
}

/// The definitions that `paths` refer to, and what those refer to.
/// Definitions that belong to all versions name only `versions`.
pub(super) fn reachable(
    registry: &Registry,
    schema: &Schema,
    paths: &Map,
    versions: &[(Str, Str)],
    form: Version,
) -> Map {
    let maker = Maker { registry, schema, versions, form };
    let mut waiting = BTreeSet::new();
    paths.values().for_each(|it| references(it, &mut waiting));
    let mut done: BTreeMap<Str, Value> = BTreeMap::new();
    while let Some(name) = waiting.pop_first() {
        if done.contains_key(&name) {
            continue;
        }
        let definition = maker.definition(&name);
        references(&definition, &mut waiting);
        done.insert(name, definition);
    }
    done.into_iter().collect()
}

/// Collects the names in every `$ref`.
fn references(value: &Value, names: &mut BTreeSet<Str>) {
    match value {
        Value::Map(map) => {
            for (key, value) in map.iter() {
                match value.as_str() {
                    Some(text) if key == "$ref" => {
                        names.insert(text.rsplit('/').next().unwrap_or_default().into());
                    }
                    _ => references(value, names),
                }
            }
        }
        Value::List(list) => list.iter().for_each(|it| references(it, names)),
        _ => (),
    }
}

struct Maker<'a> {
    registry: &'a Registry,
    schema: &'a Schema,
    versions: &'a [(Str, Str)],
    form: Version,
}

/// A property as a word: `s` text, `r` required text, `b` flag, `l` list of text, `#NAME` a definition of `meta/v1`,
/// `@NAME` a list of those, `&NAME` a required list.
type Words = &'static [(&'static str, &'static str)];

/// Definitions that are not in the table, as nothing is decoded into them. Required fields in their order.
const OTHERS: [(&str, Words, &[&str]); 8] = [
    (
        API_GROUP,
        &[
            ("apiVersion", "s"),
            ("kind", "s"),
            ("name", "r"),
            ("preferredVersion", "+GroupVersionForDiscovery"),
            ("serverAddressByClientCIDRs", "@ServerAddressByClientCIDR"),
            ("versions", "@GroupVersionForDiscovery"),
        ],
        &["name", "versions"],
    ),
    (API_GROUP_LIST, &[("apiVersion", "s"), ("groups", "@APIGroup"), ("kind", "s")], &["groups"]),
    (
        API_RESOURCE,
        &[
            ("categories", "l"),
            ("group", "s"),
            ("kind", "r"),
            ("name", "r"),
            ("namespaced", "f"),
            ("shortNames", "l"),
            ("singularName", "r"),
            ("storageVersionHash", "s"),
            ("verbs", "v"),
            ("version", "s"),
        ],
        &["name", "singularName", "namespaced", "kind", "verbs"],
    ),
    (
        API_RESOURCE_LIST,
        &[("apiVersion", "s"), ("groupVersion", "r"), ("kind", "s"), ("resources", "@APIResource")],
        &["groupVersion", "resources"],
    ),
    (
        API_VERSIONS,
        &[
            ("apiVersion", "s"),
            ("kind", "s"),
            ("serverAddressByClientCIDRs", "@ServerAddressByClientCIDR"),
            ("versions", "l"),
        ],
        &["versions", "serverAddressByClientCIDRs"],
    ),
    (
        VERSION_INFO,
        &[
            ("buildDate", "r"),
            ("compiler", "r"),
            ("emulationMajor", "s"),
            ("emulationMinor", "s"),
            ("gitCommit", "r"),
            ("gitTreeState", "r"),
            ("gitVersion", "r"),
            ("goVersion", "r"),
            ("major", "r"),
            ("minCompatibilityMajor", "s"),
            ("minCompatibilityMinor", "s"),
            ("minor", "r"),
            ("platform", "r"),
        ],
        &[
            "major",
            "minor",
            "gitVersion",
            "gitCommit",
            "gitTreeState",
            "buildDate",
            "goVersion",
            "compiler",
            "platform",
        ],
    ),
    (WATCH_EVENT, &[("object", "x"), ("type", "r")], &["type", "object"]),
    (
        "io.k8s.apimachinery.pkg.apis.meta.v1.GroupVersionForDiscovery",
        &[("groupVersion", "r"), ("version", "r")],
        &["groupVersion", "version"],
    ),
];

impl Maker<'_> {
    fn definition(&self, name: &str) -> Value {
        if let Some(mut it) = self.plain(name) {
            if let Some(text) = description(name, "") {
                it.set("description", text);
            }
            return it;
        }
        let mut definition = if let Some((_, words, required)) = OTHERS.iter().find(|(it, ..)| *it == name) {
            let properties: Map = words.iter().map(|(key, word)| (Str::from(*key), self.word(word).into())).collect();
            map!({ "type": "object", "properties": properties, "required": strings(required.iter()) })
        } else if let Some(Type::Struct(it)) = self.schema.definition(name).map(|it| self.schema.ty(it)) {
            self.structure(it)
        } else if let Some(item) = name.strip_suffix("List") {
            self.list_of(item)
        } else {
            map!({ "type": "object" })
        };
        let kinds = self.kinds(name);
        if !kinds.is_empty() {
            definition.insert("x-kubernetes-group-version-kind", kinds);
        }
        definition.into()
    }

    /// Definitions without fields.
    fn plain(&self, name: &str) -> Option<Value> {
        let v3 = self.form == Version::V3;
        Some(match name {
            TIME | MICRO_TIME => value!({ "type": "string", "format": "date-time" }),
            QUANTITY if v3 => value!({ "oneOf": [{ "type": "string" }, { "type": "number" }] }),
            QUANTITY => value!({ "type": "string" }),
            INT_OR_STRING if v3 => {
                value!({ "format": "int-or-string", "oneOf": [{ "type": "integer" }, { "type": "string" }] })
            }
            INT_OR_STRING => value!({ "type": "string", "format": "int-or-string" }),
            FIELDS | RAW_EXTENSION | PATCH => value!({ "type": "object" }),
            _ => return None,
        })
    }

    /// The kinds that objects of a definition have.
    fn kinds(&self, name: &str) -> Vec<Value> {
        let gvk = |group: &str, version: &str, kind: &str| value!({ "group": group, "version": version, "kind": kind });
        if let Some(kind) = name.strip_prefix(META) {
            return match kind {
                "APIGroup" | "APIGroupList" | "APIResourceList" | "APIVersions" | "Status" => vec![gvk("", "v1", kind)],
                "DeleteOptions" | "WatchEvent" => {
                    let versions: BTreeSet<&(Str, Str)> = self.versions.iter().collect();
                    versions.into_iter().map(|(group, version)| gvk(group, version, kind)).collect()
                }
                _ => Vec::new(),
            };
        }
        for it in self.registry.served() {
            if it.definition() == name {
                return vec![gvk(it.group(), it.version(), it.kind.kind)];
            }
            if name.strip_suffix("List") == Some(it.definition()) {
                return vec![gvk(it.group(), it.version(), &format!("{}List", it.kind.kind))];
            }
        }
        let parts = [
            ("", "v1", "Binding"),
            ("authentication.k8s.io", "v1", "TokenRequest"),
            ("autoscaling", "v1", "Scale"),
            ("policy", "v1", "Eviction"),
        ];
        let known = parts.iter().filter(|(group, version, kind)| definition_of(group, version, kind) == Some(name));
        known.map(|(group, version, kind)| gvk(group, version, kind)).collect()
    }

    fn word(&self, word: &str) -> Map {
        let text = map!({ "type": "string" });
        let v3 = self.form == Version::V3;
        match word.split_at(1) {
            ("r", _) if v3 => text.with("default", ""),
            ("f", _) if v3 => map!({ "type": "boolean", "default": false }),
            ("f", _) => map!({ "type": "boolean" }),
            ("l", _) => map!({ "type": "array", "items": text, "x-kubernetes-list-type": "atomic" }),
            ("v", _) => map!({ "type": "array", "items": text }),
            ("x", _) => self.property(RAW_EXTENSION, false),
            ("+", name) => self.property(&format!("{META}{name}"), true),
            ("@", name) => map!({
                "type": "array", "items": reference(&format!("{META}{name}"), self.form), "x-kubernetes-list-type": "atomic",
            }),
            _ => text,
        }
    }

    fn list_of(&self, item: &str) -> Map {
        map!({
            "type": "object", "required": ["items"],
            "properties": {
                "apiVersion": { "type": "string" }, "kind": { "type": "string" },
                "items": { "type": "array", "items": reference(item, self.form) },
                "metadata": self.property(LIST_META, true),
            },
        })
    }

    /// A reference that stands for a field; version 3 cannot have defaults beside it.
    fn property(&self, definition: &str, is_value: bool) -> Map {
        let reference = reference(definition, self.form);
        match self.form {
            Version::V2 => reference,
            Version::V3 if is_value => map!({ "allOf": [reference], "default": {} }),
            Version::V3 => map!({ "allOf": [reference] }),
        }
    }

    fn structure(&self, it: &StructType) -> Map {
        let facts = facts(&it.name);
        let described = |mut map: Map, field: &str| {
            if let Some(text) = description(&it.name, field) {
                map.insert("description", text);
            }
            map
        };
        let field = |field: &Field| {
            let property = described(self.field(field, &facts), &field.name);
            (field.name.clone(), property.into())
        };
        let properties: Map = it.fields.iter().map(field).collect();
        let mut res = described(map!({ "type": "object" }), "");
        if !properties.is_empty() {
            res.insert("properties", properties);
        }
        let required: Vec<Value> = it.in_order().filter(|it| it.required).map(|it| Value::from(&it.name)).collect();
        if !required.is_empty() {
            res.insert("required", required);
        }
        if it.atomic {
            res.insert("x-kubernetes-map-type", "atomic");
        }
        if let Some((.., union)) = facts.iter().find(|(sign, ..)| *sign == '?') {
            res.insert("x-kubernetes-unions", vec![union_of(union)]);
        }
        res
    }

    fn field(&self, field: &Field, facts: &[(char, &str, &str)]) -> Map {
        let is_value = matches!(field.presence, Presence::Value | Presence::OmitZero);
        let ty = self.schema.ty(field.ty);
        let mut res = match (self.definition_name(field.ty, &field.name), ty) {
            (Some(name), Type::Struct(it)) => {
                let mut res = self.property(&name, is_value);
                // Here it is owned otherwise than elsewhere.
                if self.schema.definition(&name).is_some_and(|other| is_atomic(self.schema.ty(other)) != it.atomic) {
                    res.insert("x-kubernetes-map-type", if it.atomic { "atomic" } else { "granular" });
                }
                res
            }
            (Some(name), _) => self.property(&name, false),
            (None, _) => self.inline(ty),
        };
        if self.form == Version::V3 && field.presence == Presence::Always {
            match ty {
                Type::Str => res.insert("default", ""),
                Type::Bool => res.insert("default", false),
                Type::Int32 | Type::Int64 | Type::Number => res.insert("default", 0),
                _ => (),
            }
        }
        if field.retain_keys {
            res.insert("x-kubernetes-patch-strategy", "retainKeys");
        }
        for (sign, _, text) in facts.iter().filter(|(_, name, _)| field.name == *name) {
            match (sign, res.get("items").and_then(Value::as_map)) {
                ('%', _) => {
                    let (key, value) = text.split_once('=').unwrap_or((text, ""));
                    res.insert(format!("x-kubernetes-{key}"), value);
                }
                ('=', Some(items)) => res.insert("items", items.with("enum", strings(text.split(',')))),
                ('=', None) => res.insert("enum", strings(text.split(','))),
                (':', _) if self.form == Version::V3 => {
                    // The file is ours.
                    res.insert("default", json::parse(text.as_bytes()).unwrap_or_default());
                }
                _ => (),
            }
        }
        res
    }

    /// The definition that a field of the type refers to.
    fn definition_name(&self, ty: TypeId, field: &str) -> Option<Str> {
        Some(match self.schema.ty(ty) {
            Type::Any if field == "fieldsV1" => FIELDS.into(),
            Type::Any => RAW_EXTENSION.into(),
            Type::Quantity => QUANTITY.into(),
            Type::IntOrString => INT_OR_STRING.into(),
            Type::Time => TIME.into(),
            Type::MicroTime => MICRO_TIME.into(),
            Type::Struct(it) => it.name.clone(),
            _ => return None,
        })
    }

    fn item(&self, ty: TypeId) -> Map {
        match self.definition_name(ty, "") {
            Some(name) => reference(&name, self.form),
            None => self.inline(self.schema.ty(ty)),
        }
    }

    fn inline(&self, ty: &Type) -> Map {
        match ty {
            Type::Bool => map!({ "type": "boolean" }),
            Type::Int32 => map!({ "type": "integer", "format": "int32" }),
            Type::Int64 => map!({ "type": "integer", "format": "int64" }),
            Type::Number => map!({ "type": "number", "format": "double" }),
            Type::Str => map!({ "type": "string" }),
            Type::Bytes => map!({ "type": "string", "format": "byte" }),
            Type::Map(it) => {
                let mut item = self.item(it.item);
                // Lists in maps are types of their own, which say nothing of ownership.
                item.remove("x-kubernetes-list-type");
                let mut res = map!({ "type": "object", "additionalProperties": item });
                if it.atomic {
                    res.insert("x-kubernetes-map-type", "atomic");
                }
                res
            }
            Type::List(it) => self.list(it),
            _ => map!({ "type": "object" }),
        }
    }

    fn list(&self, it: &ListType) -> Map {
        let kind = match &it.kind {
            ListKind::Atomic => "atomic",
            ListKind::Set => "set",
            ListKind::Map(_) => "map",
        };
        let mut res = map!({ "type": "array", "items": self.item(it.item), "x-kubernetes-list-type": kind });
        if let ListKind::Map(keys) = &it.kind {
            res.insert("x-kubernetes-list-map-keys", keys.iter().map(Value::from).collect::<Vec<_>>());
        }
        if let Some(key) = &it.merge_key {
            res.insert("x-kubernetes-patch-strategy", if it.retain_keys { "merge,retainKeys" } else { "merge" });
            if !key.is_empty() {
                res.insert("x-kubernetes-patch-merge-key", key);
            }
        }
        res
    }
}

/// Of `discriminator,field,field`.
fn union_of(text: &str) -> Value {
    let mut words = text.split(',');
    let mut union = map!({});
    if let Some(discriminator) = words.next().filter(|it| !it.is_empty()) {
        union.insert("discriminator", discriminator);
    }
    let fields: Map = words.map(|it| (Str::from(it), Value::from(super::paths::capital(it)))).collect();
    union.insert("fields-to-discriminateBy", fields);
    union.into()
}

fn is_atomic(ty: &Type) -> bool {
    matches!(ty, Type::Struct(it) if it.atomic)
}

fn strings<T: AsRef<str>>(list: impl Iterator<Item = T>) -> Vec<Value> {
    list.map(|it| Value::from(it.as_ref())).collect()
}
