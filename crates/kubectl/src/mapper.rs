//! Which resources the server has, and which of them a word means.

use std::rc::Rc;

use value::Value;

use crate::Cx;
use crate::api::Url;
use crate::failure::{Result, fail};
use meta::quoted;

const DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// One resource in one version of its group.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Resource {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) kind: String,
    pub(crate) short: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) verbs: Vec<String>,
    pub(crate) subresources: Vec<String>,
    pub(crate) namespaced: bool,
    /// Whether its version is the one that the group prefers.
    pub(crate) preferred: bool,
}

impl Resource {
    pub(crate) fn api_version(&self) -> String {
        match &*self.group {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// `daemonsets.apps`
    pub(crate) fn qualified(&self) -> String {
        meta::qualified(&self.group, &self.plural)
    }

    /// `daemonset.apps`: the kind, not the resource, makes it.
    pub(crate) fn singular_name(&self) -> String {
        meta::qualified(&self.group, &self.kind.to_lowercase())
    }

    pub(crate) fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }
}

/// Everything the server has, in its order.
pub(crate) struct Mapper {
    pub(crate) resources: Vec<Rc<Resource>>,
    /// Group and version of each version of each group.
    pub(crate) versions: Vec<(String, String)>,
}

fn words(value: &Value, field: &'static str) -> Vec<String> {
    value.list_at(field).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

impl Mapper {
    fn read(&mut self, list: &Value) {
        for group in list.list_at("items") {
            let name = group.str_at("metadata.name").unwrap_or_default();
            for (idx, version) in group.list_at("versions").iter().enumerate() {
                let version_name = version.str_at("version").unwrap_or_default();
                self.versions.push((name.to_owned(), version_name.to_owned()));
                for it in version.list_at("resources") {
                    let text = |field: &'static str| it.str_at(field).unwrap_or_default().to_owned();
                    let kind = text("responseKind.kind");
                    let plural = text("resource");
                    let singular = match text("singularResource") {
                        it if it.is_empty() => kind.to_lowercase(),
                        it => it,
                    };
                    self.resources.push(Rc::new(Resource {
                        group: name.to_owned(),
                        version: version_name.to_owned(),
                        plural,
                        singular,
                        kind,
                        short: words(it, "shortNames"),
                        categories: words(it, "categories"),
                        verbs: words(it, "verbs"),
                        subresources: it
                            .list_at("subresources")
                            .iter()
                            .filter_map(|it| it.str_at("subresource"))
                            .map(str::to_owned)
                            .collect(),
                        namespaced: it.str_at("scope") == Some("Namespaced"),
                        preferred: idx == 0,
                    }));
                }
            }
        }
    }

    /// The resource that a word such as `po`, `Pod`, `pods.v1.` or `deployments.apps` means.
    pub(crate) fn find(&self, word: &str) -> Option<Rc<Resource>> {
        let lower = word.to_lowercase();
        if let [resource, version, group] = lower.splitn(3, '.').collect::<Vec<_>>()[..]
            && let Some(it) = self.matching(resource, group, Some(version))
        {
            return Some(it);
        }
        let (resource, group) = lower.split_once('.').unwrap_or((&lower, ""));
        self.matching(resource, group, None)
    }

    fn matching(&self, word: &str, group: &str, version: Option<&str>) -> Option<Rc<Resource>> {
        let mut found = None;
        // Short names come first, as kubectl replaces them before it looks.
        for by_short in [false, true] {
            for exact_group in [true, false] {
                found = found.or_else(|| {
                    self.resources.iter().find(|it| {
                        let named = match by_short {
                            false => it.plural == word || it.singular == word,
                            true => it.short.iter().any(|short| short == word),
                        };
                        let in_group = match (group, exact_group) {
                            ("", _) => version.is_none() || it.group.is_empty(),
                            (group, true) => it.group == group,
                            (group, false) => it.group.starts_with(group),
                        };
                        named && in_group && version.is_none_or(|version| it.version == version)
                    })
                });
            }
        }
        found.or_else(|| self.resources.iter().find(|it| it.kind.to_lowercase() == word && group.is_empty())).cloned()
    }

    /// The resource of an object's kind.
    pub(crate) fn of_kind(&self, api_version: &str, kind: &str) -> Option<Rc<Resource>> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.resources.iter().find(|it| it.kind == kind && it.group == group && it.version == version).cloned()
    }

    /// The resources of a category such as `all`.
    fn category(&self, name: &str) -> Vec<Rc<Resource>> {
        let in_category = |it: &&Rc<Resource>| it.preferred && it.categories.iter().any(|it| it == name);
        self.resources.iter().filter(in_category).cloned().collect()
    }
}

impl Cx<'_> {
    pub(crate) fn mapper(&mut self) -> Result<Rc<Mapper>> {
        if let Some(it) = &self.shell.mapper {
            return Ok(it.clone());
        }
        let mut mapper = Mapper { resources: Vec::new(), versions: Vec::new() };
        for path in ["/api", "/apis"] {
            let list = self.fetch(&Url::new(path), DISCOVERY)?;
            mapper.read(&list);
        }
        let mapper = Rc::new(mapper);
        self.shell.mapper = Some(mapper.clone());
        Ok(mapper)
    }

    /// The resource that a word means.
    pub(crate) fn resource(&mut self, word: &str) -> Result<Rc<Resource>> {
        match self.mapper()?.find(word) {
            Some(it) => Ok(it),
            None => {
                let resource = word.split('.').next().unwrap_or_default();
                fail(format!("the server doesn't have a resource type {}", quoted(resource)))
            }
        }
    }

    /// The words of `pods,svc`, categories replaced by what is in them.
    pub(crate) fn expand(&mut self, words: &str) -> Result<Vec<String>> {
        let mut res = Vec::new();
        for word in words.split(',') {
            let members = match word {
                "" => Vec::new(),
                word => self.mapper()?.category(word),
            };
            match members.is_empty() {
                true => res.push(word.to_owned()),
                false => res.extend(members.iter().map(|it| it.qualified())),
            }
        }
        Ok(res)
    }
}
