//! Objects from files and standard input.

use std::rc::Rc;

use meta::quoted;
use value::{Map, Value, json, yaml};

use crate::Cx;
use crate::failure::{Failure, Result};
use crate::mapper::Resource;

/// An object of a file, and where it belongs.
#[derive(Clone, Debug)]
pub(crate) struct Info {
    pub(crate) resource: Rc<Resource>,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) object: Value,
    /// The file; empty for an object that the server gave.
    pub(crate) source: String,
}

impl Info {
    pub(crate) fn url(&self) -> crate::api::Url {
        crate::api::Url::of(&self.resource, &self.namespace, &self.name, "")
    }

    pub(crate) fn collection(&self) -> crate::api::Url {
        crate::api::Url::of(&self.resource, &self.namespace, "", "")
    }
}

/// The files that `-f` names, in the order of their names in a directory.
fn sources(cx: &Cx<'_>) -> Vec<Result<(String, Vec<u8>)>> {
    let mut res = Vec::new();
    let recursive = cx.is("recursive");
    for path in cx.flags().list("filename") {
        if path == "-" {
            res.push(Ok(("STDIN".to_owned(), cx.shell.input.stdin.clone())));
            continue;
        }
        let files = &cx.shell.input.files;
        if let Some(bytes) = files.get(&path) {
            res.push(Ok((path, bytes.clone())));
            continue;
        }
        let folder = match path.trim_end_matches('/') {
            "." => String::new(),
            it => format!("{}/", it.trim_start_matches("./")),
        };
        let inside = |name: &str| {
            let extension = name.rsplit('.').next().unwrap_or_default();
            name.strip_prefix(&folder)
                .is_some_and(|rest| (recursive || !rest.contains('/')) && matches!(extension, "json" | "yaml" | "yml"))
        };
        let found: Vec<_> = files.iter().filter(|(name, _)| inside(name)).collect();
        if found.is_empty() {
            let problem = match path.starts_with("http://") || path.starts_with("https://") {
                true => format!("unable to read URL {}, there is no network here", quoted(&path)),
                false if files.keys().any(|it| it.starts_with(&folder)) => {
                    format!("error reading [{path}]: recognized file extensions are [.json .yaml .yml]")
                }
                false => format!("the path {} does not exist", quoted(&path)),
            };
            res.push(Err(Failure::Text(problem)));
        }
        res.extend(found.into_iter().map(|(name, bytes)| Ok((name.clone(), bytes.clone()))));
    }
    res
}

/// A list's items, each on its own; null documents are left out.
fn flatten(value: Value, res: &mut Vec<Value>) {
    let is_list = value.str_at("kind").is_some_and(|it| it.ends_with("List")) && value.get("items").is_some();
    match is_list {
        true => value.list_at("items").iter().for_each(|it| flatten(it.clone(), res)),
        false if value.is_null() => {}
        false => res.push(value),
    }
}

impl Cx<'_> {
    /// The object as the server has it.
    pub(crate) fn live(&mut self, info: &Info) -> Result<Value> {
        match info.name.is_empty() {
            true => Err("resource name may not be empty".into()),
            false => self.get(&info.url()),
        }
    }

    /// The objects of the files that `-f` names.
    /// What comes before a document that cannot be read is kept.
    pub(crate) fn manifests(&mut self) -> Result<Vec<Result<Info>>> {
        let mut res = Vec::new();
        let selector = match meta::selector::LabelSelector::parse(self.flags().text("selector")) {
            Ok(it) => it,
            Err(problem) => return Err(Failure::Text(problem)),
        };
        for source in sources(self) {
            // A path that does not exist ends the command before anything is done.
            let (source, bytes) = source?;
            let text = String::from_utf8_lossy(&bytes);
            for document in yaml::read_documents(&text) {
                let value = match document {
                    Ok(it) => it.value,
                    Err(error) => {
                        let prefix =
                            if error.message.starts_with("yaml:") { "error converting YAML to JSON: " } else { "" };
                        res.push(Err(Failure::Text(format!("error parsing {source}: {prefix}{error}"))));
                        break;
                    }
                };
                let mut objects = Vec::new();
                flatten(value, &mut objects);
                for object in objects {
                    let info = self.info(object, &source);
                    let chosen = |it: &Info| selector.matches(&strings(&it.object, "labels"));
                    if info.as_ref().is_ok_and(|it| !chosen(it)) {
                        continue;
                    }
                    res.push(info);
                }
            }
        }
        Ok(res)
    }

    /// What an object of a file is.
    pub(crate) fn info(&mut self, object: Value, source: &str) -> Result<Info> {
        let text = |path: &'static str| object.str_at(path).unwrap_or_default().to_owned();
        let (api_version, kind, name) = (text("apiVersion"), text("kind"), text("metadata.name"));
        self.check_type(&object, source)?;
        let namespace = text("metadata.namespace");
        let mapper = self.mapper()?;
        let found = match api_version.is_empty() {
            true => mapper.of_kind("v1", &kind),
            false => mapper.of_kind(&api_version, &kind),
        };
        let Some(resource) = found else {
            return Err(Failure::Text(format!(
                "resource mapping not found for name: {} namespace: {} from {}: no matches for kind {} in version {}\n\
                 ensure CRDs are installed first",
                quoted(&name),
                quoted(&namespace),
                quoted(source),
                quoted(&kind),
                quoted(&api_version)
            )));
        };
        let mut info = Info { resource, namespace, name, object, source: source.to_owned() };
        self.settle_namespace(&mut info)?;
        Ok(info)
    }

    /// Refuses what is no object or does not say what it is.
    fn check_type(&self, object: &Value, source: &str) -> Result<()> {
        let has = |field: &'static str| object.str_at(field).is_some_and(|it| !it.is_empty());
        let checked = self.flags().knows_validation() && self.validation()? != "Ignore";
        let mut problems = Vec::new();
        if object.as_map().is_none() {
            problems.push("invalid object to validate");
        } else {
            problems.extend((!has("apiVersion")).then_some("apiVersion not set"));
            problems.extend((!has("kind")).then_some("kind not set"));
        }
        if checked && !problems.is_empty() {
            let all = problems.join(", ");
            let all = if problems.len() > 1 { format!("[{all}]") } else { all };
            return Err(Failure::Text(format!(
                "error validating {}: error validating data: {all}; if you choose to ignore these errors, turn validation \
                 off with --validate=false",
                quoted(source)
            )));
        }
        let decode = |problem: String| Err(Failure::Text(format!("unable to decode {}: {problem}", quoted(source))));
        let metadata = object.get("metadata").unwrap_or(&Value::Null);
        let name = metadata.get("name").unwrap_or(&Value::Null);
        match () {
            () if object.as_map().is_none() => decode(format!(
                "couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go value of type struct \
                 {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}",
                object.json_type()
            )),
            () if !has("kind") => decode(format!("Object 'Kind' is missing in '{}'", json::to_string(object))),
            () if !matches!(metadata, Value::Null | Value::Map(_)) => decode(format!(
                "json: cannot unmarshal {} into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta",
                metadata.json_type()
            )),
            () if !matches!(name, Value::Null | Value::Str(_)) => decode(format!(
                "json: cannot unmarshal {} into Go struct field ObjectMeta.metadata.name of type string",
                name.json_type()
            )),
            () => Ok(()),
        }
    }

    /// How the server shall treat unknown fields: what `--validate` says.
    pub(crate) fn validation(&self) -> Result<&'static str> {
        Ok(match self.flags().text("validate") {
            "" | "strict" | "true" => "Strict",
            "warn" => "Warn",
            "ignore" | "false" => "Ignore",
            other => {
                return Err(Failure::Text(format!(
                    "invalid - validate option {}; must be one of: strict (or true), warn, ignore (or false)",
                    quoted(other)
                )));
            }
        })
    }

    /// Gives an object without a namespace the one of the command line; refuses one of another.
    fn settle_namespace(&mut self, info: &mut Info) -> Result<()> {
        if !info.resource.namespaced {
            // What stands there is not looked at.
            info.namespace = String::new();
            return Ok(());
        }
        let namespace = self.namespace();
        if info.namespace.is_empty() {
            info.namespace = namespace.clone();
            info.object.set("metadata.namespace", namespace);
        } else if self.flags().changed("namespace") && info.namespace != namespace {
            return Err(Failure::Text(format!(
                "the namespace from the provided object {} does not match the namespace {}. \
                 You must pass '--namespace={}' to perform this operation.",
                quoted(&info.namespace),
                quoted(&namespace),
                info.namespace
            )));
        }
        Ok(())
    }

    /// The bytes of a file of another flag than `-f`.
    pub(crate) fn file(&self, path: &str) -> Result<Vec<u8>> {
        match path {
            "-" => Ok(self.shell.input.stdin.clone()),
            _ => match self.shell.input.files.get(path) {
                Some(bytes) => Ok(bytes.clone()),
                None => Err(format!("open {path}: no such file or directory").into()),
            },
        }
    }

    /// Whether `-f` or `-k` is given.
    ///
    /// # Errors
    /// It is not.
    pub(crate) fn require_files(&self) -> Result<()> {
        match self.flags().changed("filename") || self.flags().changed("kustomize") {
            true => Ok(()),
            false => Err("must specify one of -f and -k".into()),
        }
    }
}

/// The labels or annotations of an object.
pub(crate) fn strings(object: &Value, field: &'static str) -> Map {
    object.get("metadata").and_then(|it| it.map_at(field)).cloned().unwrap_or_default()
}
