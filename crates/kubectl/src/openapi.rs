//! The server's OpenAPI v3 documents, as far as `apply` and `explain` need them.

use value::Value;

use crate::Cx;
use crate::api::Url;
use crate::failure::Result;
use crate::mapper::Resource;

/// The document of one version of a group.
#[derive(Clone)]
pub(crate) struct Document(Value);

impl Document {
    /// The schema of a kind.
    pub(crate) fn of_kind(&self, resource: &Resource) -> Option<&Value> {
        let is_it = |it: &&Value| {
            it.list_at("x-kubernetes-group-version-kind").iter().any(|it| {
                it.str_at("kind") == Some(&*resource.kind)
                    && it.str_at("group").unwrap_or_default() == resource.group
                    && it.str_at("version") == Some(&*resource.version)
            })
        };
        self.0.at("components.schemas")?.as_map()?.values().find(is_it)
    }

    /// The schema that a reference names.
    pub(crate) fn target(&self, reference: &str) -> Option<&Value> {
        self.0.at("components.schemas")?.get(reference.strip_prefix("#/components/schemas/")?)
    }

    /// What a schema refers to; itself where it refers to nothing.
    pub(crate) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        // A reference leads to a reference at most once or twice.
        for _ in 0..8 {
            let reference = schema.str_at("$ref").or_else(|| match schema.list_at("allOf") {
                [one] => one.str_at("$ref"),
                _ => None,
            });
            match reference.and_then(|it| self.target(it)) {
                Some(it) => schema = it,
                None => break,
            }
        }
        schema
    }

    /// Whether objects of a kind can be patched by strategic merge.
    pub(crate) fn merges_strategically(&self, resource: &Resource) -> bool {
        let paths = self.0.get("paths").and_then(Value::as_map);
        let patches = paths.into_iter().flat_map(|it| it.values()).filter_map(|it| it.get("patch"));
        let mut known = false;
        for patch in patches {
            let Some(it) = patch.get("x-kubernetes-group-version-kind") else { continue };
            if it.str_at("kind") == Some(&*resource.kind) {
                known = true;
                let content = patch.at("requestBody.content").and_then(Value::as_map);
                if content.is_some_and(|it| it.contains_key(crate::api::STRATEGIC_PATCH)) {
                    return true;
                }
            }
        }
        !known && (!resource.group.contains('.') || resource.group.ends_with(".k8s.io"))
    }
}

impl Cx<'_> {
    /// The document that describes a resource.
    pub(crate) fn openapi(&mut self, resource: &Resource) -> Result<Document> {
        let path = match &*resource.group {
            "" => format!("/openapi/v3/api/{}", resource.version),
            group => format!("/openapi/v3/apis/{group}/{}", resource.version),
        };
        self.get(&Url::new(&path)).map(Document)
    }
}
