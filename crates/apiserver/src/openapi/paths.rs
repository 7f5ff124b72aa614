//! The operations on resources.

use kinds::{Registry, Scope, ServedKind, Subresource, Verbs};
use value::{Map, Str, Value, map, value};

use super::parameters::{CONNECTIONS, DELETE, DELETE_COLLECTION, LIST, PATCH, REST, WRITE, parameter, parameters};
use super::{Version, reference, schemas};
use crate::health;

const TYPES: [&str; 3] = ["application/json", "application/vnd.kubernetes.protobuf", "application/yaml"];
const STREAMS: [&str; 2] = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];
const PATCHES: [&str; 4] = [
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
];

/// Kinds whose deletion answers the object and not a status.
const ANSWERED: [&str; 12] = [
    "io.k8s.api.core.v1.PersistentVolume",
    "io.k8s.api.core.v1.PersistentVolumeClaim",
    "io.k8s.api.core.v1.Pod",
    "io.k8s.api.core.v1.PodTemplate",
    "io.k8s.api.core.v1.ResourceQuota",
    "io.k8s.api.core.v1.Service",
    "io.k8s.api.core.v1.ServiceAccount",
    "io.k8s.api.storage.v1.CSIDriver",
    "io.k8s.api.storage.v1.CSINode",
    "io.k8s.api.storage.v1.StorageClass",
    "io.k8s.api.storage.v1.VolumeAttachment",
    "io.k8s.api.storage.v1.VolumeAttributesClass",
];

/// An answer that is no object.
pub(super) const TEXT: &str = "string";

/// How a group and version are called in operations and tags.
pub(super) struct Words {
    /// Such as `BatchV1`.
    pub operation: String,
    /// Such as `batch_v1`.
    pub tag: String,
}

/// `rbac.authorization.k8s.io` and `v1` are `RbacAuthorizationV1` and `rbacAuthorization_v1`.
pub(super) fn words(group: &str, version: &str) -> Words {
    let group = group.strip_suffix(".k8s.io").unwrap_or(group);
    let group = if group.is_empty() { "core" } else { group };
    let parts: Vec<String> = group.split('.').map(capital).collect();
    let name = parts.concat();
    let mut tag = name.clone();
    if let Some(first) = tag.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    if !version.is_empty() {
        tag = format!("{tag}_{version}");
    }
    Words { operation: format!("{name}{}", capital(version)), tag }
}

pub(super) fn capital(word: &str) -> String {
    let mut word = word.to_owned();
    if let Some(first) = word.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    word
}

/// What the operations of one path share.
struct Place<'a> {
    it: ServedKind<'a>,
    words: Words,
    form: Version,
}

/// One operation.
#[derive(Default)]
struct Operation<'a> {
    id: String,
    action: &'a str,
    parameters: &'a [&'a str],
    /// The definition of the body, and whether it must be there.
    body: Option<(&'a str, bool)>,
    /// Codes and the one definition of their answers.
    codes: &'a [&'a str],
    /// The definition's name; [`TEXT`] where it is none.
    answer: String,
    streams: bool,
    /// The kind that the operation is about, where it is another one.
    about: Option<(&'a str, &'a str, &'a str)>,
}

/// Every path below a group and version.
pub(super) fn of_version(registry: &Registry, group: &str, version: &str, form: Version) -> Map {
    let root = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    let words = words(group, version);
    let id = format!("get{}APIResources", words.operation);
    let mut paths: Vec<(Str, Value)> = of_get(&format!("{root}/"), &id, schemas::API_RESOURCE_LIST, &words.tag, form)
        .iter()
        .map(|(path, it)| (path.clone(), it.clone()))
        .collect();
    for it in registry.served().filter(|it| it.group() == group && it.version() == version) {
        let place = Place { it, words: self::words(group, version), form };
        place.paths(&root, &mut paths);
    }
    paths.into()
}

/// A path with one GET that has no parameters.
pub(super) fn of_get(path: &str, id: &str, answer: &str, tag: &str, form: Version) -> Map {
    let types: &[&str] = match answer {
        TEXT if path.ends_with("jwks/") => &[health::KEYS],
        TEXT | schemas::VERSION_INFO => &TYPES[..1],
        _ => &TYPES,
    };
    let mut get = map!({ "tags": [tag], "operationId": id, "responses": responses(&["200"], answer, types, form) });
    if form == Version::V2 {
        get.insert("produces", strings(types));
    }
    map!({ path: { "get": get } })
}

fn strings(list: &[&str]) -> Vec<Value> {
    list.iter().map(|it| Value::from(*it)).collect()
}

fn content(definition: &str, types: &[&str], form: Version) -> Map {
    let schema = if definition == TEXT { map!({ "type": TEXT }) } else { reference(definition, form) };
    types.iter().map(|it| (Str::from(*it), value!({ "schema": &schema }))).collect()
}

fn responses(codes: &[&str], answer: &str, types: &[&str], form: Version) -> Map {
    let mut responses = map!({ "401": { "description": "Unauthorized" } });
    for code in codes {
        let description = match *code {
            "201" => "Created",
            "202" => "Accepted",
            _ => "OK",
        };
        let mut response = map!({ "description": description });
        match form {
            Version::V2 if answer == TEXT => response.insert("schema", map!({ "type": TEXT })),
            Version::V2 => response.insert("schema", reference(answer, form)),
            Version::V3 => response.insert("content", content(answer, types, form)),
        }
        responses.insert(*code, response);
    }
    responses
}

impl Place<'_> {
    fn paths(&self, root: &str, paths: &mut Vec<(Str, Value)>) {
        let kind = self.it.kind;
        let verbs = kind.verbs.names();
        let scoped = match kind.scope {
            Scope::Namespaced => format!("{root}/namespaces/{{namespace}}/{}", kind.plural),
            Scope::Cluster => format!("{root}/{}", kind.plural),
        };
        let of: &[&str] = if kind.is_namespaced() { &["namespace"] } else { &[] };
        let list = self.on_all(verbs);
        self.push(paths, scoped.clone(), &[of, &["pretty"]].concat(), &list);
        if verbs == Verbs::Create.names() {
            return;
        }
        let one = self.on_one(verbs);
        let named = [of, &["name", "pretty"]].concat();
        self.push(paths, format!("{scoped}/{{name}}"), &named, &one);
        for part in kind.subresources {
            // Connections and logs take `pretty` where they name it.
            let is_text = part.name == "log" || schemas::is_connection(part.kind);
            let named = if is_text { &named[..named.len() - 1] } else { &named };
            let operations = self.on_part(part);
            let path = format!("{scoped}/{{name}}/{}", part.name);
            if part.name == "proxy" {
                let mut below = self.on_part(part);
                below.iter_mut().for_each(|(_, it)| it.id.push_str("WithPath"));
                self.push(paths, format!("{path}/{{path}}"), &[named, &[REST]].concat(), &below);
            }
            self.push(paths, path, named, &operations);
        }
        if verbs.contains(&"list") && kind.is_namespaced() {
            let id = format!("list{}{}ForAllNamespaces", self.words.operation, kind.kind);
            let list = Operation { id, ..self.list() };
            self.push(paths, format!("{root}/{}", kind.plural), &["pretty"], &[("get", list)]);
        }
        if verbs.contains(&"watch") {
            self.old_watches(root, paths);
        }
    }

    /// Such as `ClusterPod` for the operations on one: `Namespaced` comes before the kind.
    fn subject(&self) -> String {
        let kind = self.it.kind;
        format!("{}{}", if kind.is_namespaced() { "Namespaced" } else { "" }, kind.kind)
    }

    fn id(&self, verb: &str, subject: &str) -> String {
        format!("{verb}{}{subject}", self.words.operation)
    }

    fn list(&self) -> Operation<'static> {
        Operation {
            id: self.id("list", &self.subject()),
            action: "list",
            parameters: LIST,
            codes: &["200"],
            answer: format!("{}List", self.it.definition()),
            streams: true,
            ..Operation::default()
        }
    }

    fn on_all(&self, verbs: &[&str]) -> Vec<(&'static str, Operation<'_>)> {
        let definition = self.it.definition();
        let mut res = Vec::new();
        if verbs.contains(&"list") {
            res.push(("get", self.list()));
        }
        if verbs.contains(&"create") {
            let operation = Operation {
                id: self.id("create", &self.subject()),
                action: "post",
                parameters: WRITE,
                body: Some((definition, true)),
                codes: &["200", "201", "202"],
                answer: definition.to_owned(),
                ..Operation::default()
            };
            res.push(("post", operation));
        }
        if verbs.contains(&"deletecollection") {
            let operation = Operation {
                id: self.id("delete", &format!("Collection{}", self.subject())),
                action: "deletecollection",
                parameters: DELETE_COLLECTION,
                body: Some((schemas::DELETE_OPTIONS, false)),
                codes: &["200"],
                answer: schemas::STATUS.to_owned(),
                ..Operation::default()
            };
            res.push(("delete", operation));
        }
        res
    }

    fn on_one(&self, verbs: &[&str]) -> Vec<(&'static str, Operation<'_>)> {
        let definition = self.it.definition();
        let mut res = self.changes(verbs, &self.subject(), definition, None);
        if verbs.contains(&"delete") {
            let answer = if ANSWERED.contains(&definition) { definition } else { schemas::STATUS };
            let operation = Operation {
                id: self.id("delete", &self.subject()),
                action: "delete",
                parameters: DELETE,
                body: Some((schemas::DELETE_OPTIONS, false)),
                codes: &["200", "202"],
                answer: answer.to_owned(),
                ..Operation::default()
            };
            res.push(("delete", operation));
        }
        res
    }

    /// get, patch and update.
    fn changes<'a>(
        &self,
        verbs: &[&str],
        subject: &str,
        definition: &'a str,
        about: Option<(&'a str, &'a str, &'a str)>,
    ) -> Vec<(&'static str, Operation<'a>)> {
        let table = [
            ("get", "read", "get", &[][..], None, &["200"][..]),
            ("patch", "patch", "patch", PATCH, Some(schemas::PATCH), &["200", "201"][..]),
            ("update", "replace", "put", WRITE, Some(definition), &["200", "201"][..]),
        ];
        let mut res = Vec::new();
        for (verb, word, action, parameters, body, codes) in table {
            if verbs.contains(&verb) {
                let operation = Operation {
                    id: self.id(word, subject),
                    action,
                    parameters,
                    body: body.map(|it| (it, true)),
                    codes,
                    answer: definition.to_owned(),
                    streams: false,
                    about,
                };
                res.push((action, operation));
            }
        }
        res
    }

    fn on_part<'a>(&'a self, part: &'a Subresource) -> Vec<(&'static str, Operation<'a>)> {
        let subject = format!("{}{}", self.subject(), capital(part.name));
        let (group, version) = match part.version {
            "" => (self.it.group(), self.it.version()),
            version => (part.group, version),
        };
        let about = Some((group, version, part.kind));
        if part.name == "log" || schemas::is_connection(part.kind) {
            return self.connections(part, &subject, about);
        }
        let definition = schemas::definition_of(group, version, part.kind).unwrap_or(self.it.definition());
        let mut res = self.changes(part.verbs, &subject, definition, about);
        if part.verbs.contains(&"create") {
            let operation = Operation {
                id: self.id("create", &subject),
                action: "post",
                parameters: WRITE,
                body: Some((definition, true)),
                codes: &["200", "201", "202"],
                answer: definition.to_owned(),
                about,
                ..Operation::default()
            };
            res.push(("post", operation));
        }
        res
    }

    /// Logs and streams: text and not objects.
    fn connections<'a>(
        &self,
        part: &'a Subresource,
        subject: &str,
        about: Option<(&'a str, &'a str, &'a str)>,
    ) -> Vec<(&'static str, Operation<'a>)> {
        let parameters = CONNECTIONS.iter().find(|(name, _)| *name == part.name).map_or(&[][..], |(_, it)| it);
        let operation = |id: String, action: &'a str| Operation {
            id,
            action,
            parameters,
            codes: &["200"],
            answer: TEXT.to_owned(),
            about,
            ..Operation::default()
        };
        if part.name == "log" {
            return vec![("get", operation(self.id("read", subject), "get"))];
        }
        let methods: &[&str] = match part.name {
            "proxy" => &["delete", "get", "head", "options", "patch", "post", "put"],
            _ => &["get", "post"],
        };
        let connect = |method: &&'static str| {
            let id = self.id("connect", &format!("{}{subject}", capital(method)));
            (*method, operation(id, "connect"))
        };
        methods.iter().map(connect).collect()
    }

    fn old_watches(&self, root: &str, paths: &mut Vec<(Str, Value)>) {
        let kind = self.it.kind;
        let watch = |id: String, action: &'static str| Operation {
            id,
            action,
            codes: &["200"],
            parameters: LIST,
            answer: schemas::WATCH_EVENT.to_owned(),
            streams: true,
            ..Operation::default()
        };
        let subject = self.subject();
        let mut scoped = format!("{root}/watch/{}", kind.plural);
        let mut named = vec!["pretty"];
        if kind.is_namespaced() {
            let id = self.id("watch", &format!("{}ListForAllNamespaces", kind.kind));
            self.push(paths, scoped, &named, &[("get", watch(id, "watchlist"))]);
            scoped = format!("{root}/watch/namespaces/{{namespace}}/{}", kind.plural);
            named.push("namespace");
        }
        let id = self.id("watch", &format!("{subject}List"));
        self.push(paths, scoped.clone(), &named, &[("get", watch(id, "watchlist"))]);
        named.push("name");
        self.push(paths, format!("{scoped}/{{name}}"), &named, &[("get", watch(self.id("watch", &subject), "watch"))]);
    }

    fn push(
        &self,
        paths: &mut Vec<(Str, Value)>,
        path: String,
        shared: &[&str],
        operations: &[(&'static str, Operation<'_>)],
    ) {
        if operations.is_empty() {
            return;
        }
        // What all operations take stands beside them.
        let common = |name: &&&str| operations.iter().all(|(_, it)| it.parameters.contains(*name));
        let first = operations.first().map_or(&[][..], |(_, it)| it.parameters);
        let common: Vec<&str> = first.iter().filter(common).copied().collect();
        let mut item = map!({ "parameters": parameters(&[shared, &common].concat(), self.form) });
        for (method, operation) in operations {
            item.insert(*method, self.operation(operation, &common));
        }
        paths.push((path.into(), item.into()));
    }

    fn operation(&self, it: &Operation<'_>, common: &[&str]) -> Value {
        let (group, version, kind) = it.about.unwrap_or((self.it.group(), self.it.version(), self.it.kind.kind));
        let types: Vec<&str> = match it.action {
            "connect" => vec!["*/*"],
            _ if it.answer == TEXT => [&TYPES[..], &["text/plain"]].concat(),
            _ if it.streams => [&TYPES[..], &STREAMS].concat(),
            _ => TYPES.to_vec(),
        };
        let mut res = map!({
            "tags": [self.words.tag.as_str()], "operationId": it.id.as_str(),
            "responses": responses(it.codes, &it.answer, &types, self.form), "x-kubernetes-action": it.action,
            "x-kubernetes-group-version-kind": { "group": group, "version": version, "kind": kind },
        });
        let mut list: Vec<Value> = Vec::new();
        if let Some((definition, required)) = it.body {
            let types: &[&str] = if definition == schemas::PATCH { &PATCHES } else { &["*/*"] };
            let mut body = match self.form {
                Version::V2 => map!({ "name": "body", "in": "body", "schema": reference(definition, self.form) }),
                Version::V3 => map!({ "content": content(definition, types, self.form) }),
            };
            if required {
                body.insert("required", true);
            }
            match self.form {
                Version::V2 => {
                    list.push(body.into());
                    res.insert("consumes", strings(types));
                }
                Version::V3 => res.insert("requestBody", body),
            }
        }
        if self.form == Version::V2 {
            res.insert("produces", strings(&types));
        }
        list.extend(it.parameters.iter().filter(|it| !common.contains(it)).map(|it| parameter(it, self.form)));
        if !list.is_empty() {
            res.insert("parameters", list);
        }
        res.into()
    }
}
