//! OpenAPI documents, versions 2 and 3, from the table of types and the served kinds (`kube-openapi`).
//!
//! Made when somebody asks, and kept: see [`crate::discovery::Cache`].

mod binary;
mod descriptions;
mod parameters;
mod paths;
mod schemas;

use std::collections::BTreeMap;

use kinds::{Registry, api_version};
use schema::Schema;
use value::{Map, Str, Value, map, value};

use crate::discovery::{self, Cache, Document};

pub(crate) use self::descriptions::description;

/// Which of the two forms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Version {
    V2,
    V3,
}

/// What a document of version 3 is about.
enum Part {
    /// `api/v1`, `apis/GROUP/VERSION`
    Version { group: Str, version: Str },
    /// A path with one GET whose answer is of this type.
    Get { path: String, operation: String, answer: &'static str, tag: String },
}

/// The documents of version 3 by their names.
fn parts(registry: &Registry) -> BTreeMap<String, Part> {
    let mut parts = BTreeMap::new();
    let mut get = |name: &str, operation: String, answer, tag: String| {
        let path = format!("/{name}/");
        parts.insert(name.to_owned(), Part::Get { path, operation, answer, tag });
    };
    get("api", "getCoreAPIVersions".into(), schemas::API_VERSIONS, "core".into());
    get("apis", "getAPIVersions".into(), schemas::API_GROUP_LIST, "apis".into());
    get("version", "getCodeVersion".into(), schemas::VERSION_INFO, "version".into());
    get(
        ".well-known/openid-configuration",
        "getServiceAccountIssuerOpenIDConfiguration".into(),
        paths::TEXT,
        "WellKnown".into(),
    );
    get("openid/v1/jwks", "getServiceAccountIssuerOpenIDKeyset".into(), paths::TEXT, "openid".into());
    let groups = discovery::groups(registry);
    for group in &groups {
        let words = paths::words(&group.name, "");
        get(&format!("apis/{}", group.name), format!("get{}APIGroup", words.operation), schemas::API_GROUP, words.tag);
    }
    parts.insert("api/v1".to_owned(), Part::Version { group: Str::default(), version: "v1".into() });
    for group in groups {
        for version in group.versions {
            let name = format!("apis/{}", api_version(&group.name, &version));
            parts.insert(name, Part::Version { group: group.name.clone(), version });
        }
    }
    parts
}

/// `/openapi/v3`: the documents and their addresses. To know these, all documents are made.
pub(crate) fn index(cache: &mut Cache, registry: &Registry, schema: &Schema) -> Document {
    let mut paths = Map::new();
    for (name, part) in parts(registry) {
        let document = cache.get(&cache_name(&name), &mut || part_document(&part, registry, schema));
        paths.insert(name.as_str(), value!({ "serverRelativeURL": address(&name, &document.hash) }));
    }
    cache.get("openapi/v3", &mut || value!({ "paths": &paths }))
}

/// `/openapi/v3/NAME`
pub(crate) fn document(cache: &mut Cache, registry: &Registry, schema: &Schema, name: &str) -> Option<Document> {
    let part = parts(registry).remove(name)?;
    Some(cache.get(&cache_name(name), &mut || part_document(&part, registry, schema)))
}

/// Where a document of this content is.
pub(crate) fn address(name: &str, hash: &str) -> String {
    format!("/openapi/v3/{name}?hash={hash}")
}

fn cache_name(name: &str) -> String {
    format!("openapi/v3/{name}")
}

fn part_document(part: &Part, registry: &Registry, schema: &Schema) -> Value {
    let (paths, versions) = match part {
        Part::Version { group, version } => {
            let versions = vec![(Str::default(), "v1".into()), (group.clone(), version.clone())];
            (paths::of_version(registry, group, version, Version::V3), versions)
        }
        Part::Get { path, operation, answer, tag } => {
            (paths::of_get(path, operation, answer, tag, Version::V3), Vec::new())
        }
    };
    let schemas = schemas::reachable(registry, schema, &paths, &versions, Version::V3);
    let mut components = map!({ "securitySchemes": { "BearerToken": {
        "type": "apiKey", "description": "Bearer Token authentication", "name": "authorization", "in": "header",
    } } });
    if !schemas.is_empty() {
        components.insert("schemas", schemas);
    }
    value!({
        "openapi": "3.0.0", "info": { "title": "Kubernetes", "version": "1.36" }, "paths": paths, "components": components,
    })
}

/// `/openapi/v2`: everything in one document.
pub(crate) fn whole(cache: &mut Cache, registry: &Registry, schema: &Schema) -> Document {
    cache.get("openapi/v2", &mut || whole_document(registry, schema))
}

/// `/openapi/v2` in protobuf.
pub(crate) fn whole_binary(cache: &mut Cache, registry: &Registry, schema: &Schema) -> Document {
    cache.get_bytes("openapi/v2.pb", &mut || binary::encode(&whole_document(registry, schema)))
}

fn whole_document(registry: &Registry, schema: &Schema) -> Value {
    let mut all: Vec<(Str, Value)> = Vec::new();
    let mut versions = Vec::new();
    for part in parts(registry).into_values() {
        let paths = match part {
            Part::Version { group, version } => {
                let paths = paths::of_version(registry, &group, &version, Version::V2);
                versions.push((group, version));
                paths
            }
            Part::Get { path, operation, answer, tag } => paths::of_get(&path, &operation, answer, &tag, Version::V2),
        };
        all.extend(paths.iter().map(|(path, it)| (path.clone(), it.clone())));
    }
    let paths = Map::from(all);
    let definitions = schemas::reachable(registry, schema, &paths, &versions, Version::V2);
    value!({
        "swagger": "2.0", "info": { "title": "Kubernetes", "version": "1.36" }, "paths": paths,
        "definitions": definitions, "security": [{ "BearerToken": [] }],
        "securityDefinitions": { "BearerToken": {
            "type": "apiKey", "description": "Bearer Token authentication", "name": "authorization", "in": "header",
        } },
    })
}

/// A reference to a definition by its full name.
fn reference(name: &str, version: Version) -> Map {
    let place = match version {
        Version::V2 => "#/definitions/",
        Version::V3 => "#/components/schemas/",
    };
    map!({ "$ref": format!("{place}{name}") })
}

#[cfg(test)]
mod tests;
