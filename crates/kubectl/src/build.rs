//! Which objects a command line means: `pods web`, `ds/web node/n1`, `-l app=web`, `-f web.yaml`.

use std::rc::Rc;

use meta::quoted;
use value::Value;

use crate::Cx;
use crate::api::Url;
use crate::failure::{Failure, Result, fail};
use crate::manifest::Info;
use crate::mapper::Resource;

const MISSING: &str = "You must provide one or more resources by argument or filename.\n\
    Example resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'";

/// How arguments are read.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    /// A type without names means all of its objects.
    pub(crate) all_of_type: bool,
    /// Only objects of one type.
    pub(crate) one_type: bool,
    /// `--all` was given.
    pub(crate) all: bool,
    /// Where the first arguments are not for the builder, the others.
    pub(crate) args: Option<Vec<String>>,
    /// Objects of files are asked for at the server.
    pub(crate) latest: bool,
}

/// What to ask the server for.
#[derive(Clone)]
pub(crate) enum Target {
    One { resource: Rc<Resource>, namespace: String, name: String },
    All { resource: Rc<Resource>, namespace: String },
    File(Box<Result<Info>>),
}

/// Targets, and whether they can be but one object.
pub(crate) struct Targets {
    pub(crate) list: Vec<Target>,
    pub(crate) single: bool,
}

impl Cx<'_> {
    /// Reads the command line's arguments and `-f`, `-l`, `--field-selector`, `-A`.
    pub(crate) fn targets(&mut self, rules: &Rules) -> Result<Targets> {
        let args = rules.args.clone().unwrap_or_else(|| self.flags().args.clone());
        let by_selector = self.flags().changed("selector") || self.flags().changed("field-selector") || rules.all;
        let args = normalized(args);
        if self.flags().changed("filename") {
            if !args.is_empty() {
                return fail(
                    "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
                );
            }
            let list = self.manifests()?.into_iter().map(|it| Target::File(Box::new(it))).collect();
            return Ok(Targets { list, single: false });
        }
        if args.iter().any(|it| it.contains('/')) {
            if !args.iter().all(|it| it.contains('/')) {
                return fail(
                    "there is no need to specify a resource type as a separate argument when passing arguments in \
                     resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource \
                     resource/<resource_name>'",
                );
            }
            return self.tuples(&args, by_selector, rules);
        }
        let (types, names) = match args.split_first() {
            Some((types, names)) => (self.expand(types)?, names.to_vec()),
            None => (Vec::new(), Vec::new()),
        };
        if by_selector || (rules.all_of_type && names.is_empty() && !types.is_empty()) {
            return self.selected(&types, &names, rules);
        }
        if types.is_empty() {
            return fail(MISSING);
        }
        let resources = self.resources(&types, rules)?;
        if names.is_empty() {
            return fail("resource(s) were provided, but no name was specified");
        }
        let [resource] = resources.as_slice() else {
            return fail("you must specify only one resource");
        };
        let single = names.len() == 1;
        let list = names.into_iter().map(|name| self.one(resource, name)).collect::<Result<_>>()?;
        Ok(Targets { list, single })
    }

    fn one(&mut self, resource: &Rc<Resource>, name: String) -> Result<Target> {
        if resource.namespaced && self.is("all-namespaces") {
            return fail("a resource cannot be retrieved by name across all namespaces");
        }
        let namespace = if resource.namespaced { self.namespace() } else { String::new() };
        Ok(Target::One { resource: resource.clone(), namespace, name })
    }

    fn tuples(&mut self, args: &[String], by_selector: bool, rules: &Rules) -> Result<Targets> {
        let mut list = Vec::new();
        for arg in args {
            let (word, name) = arg.split_once('/').unwrap_or_default();
            if name.contains('/') {
                return fail("arguments in resource/name form may not have more than one slash");
            }
            if word.is_empty() || name.is_empty() || word.contains(',') {
                return fail("arguments in resource/name form must have a single resource and name");
            }
            list.push((word, name));
        }
        if by_selector {
            return fail("selectors and the all flag cannot be used when passing resource/name arguments");
        }
        let types: Vec<String> = list.iter().map(|(word, _)| (*word).to_owned()).collect();
        self.resources(&types, rules)?;
        let mut targets = Vec::new();
        for (word, name) in list {
            let resource = self.resource(word)?;
            targets.push(self.one(&resource, name.to_owned())?);
        }
        Ok(Targets { single: targets.len() == 1, list: targets })
    }

    fn selected(&mut self, types: &[String], names: &[String], rules: &Rules) -> Result<Targets> {
        if !names.is_empty() {
            return fail("name cannot be provided when a selector is specified");
        }
        if types.is_empty() {
            return fail("at least one resource must be specified to use a selector");
        }
        let resources = self.resources(types, rules)?;
        let namespace = if self.is("all-namespaces") { String::new() } else { self.namespace() };
        let all = |resource: Rc<Resource>| Target::All { namespace: namespace.clone(), resource };
        Ok(Targets { list: resources.into_iter().map(all).collect(), single: false })
    }

    fn resources(&mut self, words: &[String], rules: &Rules) -> Result<Vec<Rc<Resource>>> {
        let mut res: Vec<Rc<Resource>> = Vec::new();
        for word in words {
            let resource = self.resource(word)?;
            if !res.contains(&resource) {
                res.push(resource);
            }
        }
        if rules.one_type && res.len() > 1 {
            return fail("you may only specify a single resource type");
        }
        Ok(res)
    }

    /// Where a target's objects are, with the selectors of the command line.
    pub(crate) fn target_url(&self, resource: &Resource, namespace: &str) -> Url {
        Url::of(resource, namespace, "", "")
            .with("labelSelector", self.flags().text("selector"))
            .with("fieldSelector", self.flags().text("field-selector"))
    }

    /// A list of what the selectors choose; a refusal says what was asked for.
    pub(crate) fn list_selected(&mut self, resource: &Resource, url: &Url, accept: &str) -> Result<Value> {
        self.list(url, accept).map_err(|failure| {
            if !matches!(failure.reason(), "BadRequest" | "NotFound") {
                return failure;
            }
            let subject = quoted(&format!("{}/{}, Resource={}", resource.group, resource.version, resource.plural));
            let (labels, fields) = (self.flags().text("selector"), self.flags().text("field-selector"));
            failure.prefixed(&match labels.is_empty() && fields.is_empty() {
                true => format!("Unable to list {subject}: "),
                false => format!(
                    "Unable to find {subject} that match label selector {}, field selector {}: ",
                    quoted(labels),
                    quoted(fields)
                ),
            })
        })
    }

    /// The objects of the targets, each as the server has it, with what went wrong.
    pub(crate) fn collect(&mut self, targets: Targets, rules: &Rules) -> (Vec<Info>, Vec<Failure>) {
        let mut infos = Vec::new();
        let mut failures = Vec::new();
        for target in targets.list {
            match self.resolve(target, rules) {
                Ok(found) => infos.extend(found),
                Err(it) => failures.push(it),
            }
        }
        (infos, failures)
    }

    /// The objects of one target.
    pub(crate) fn resolve(&mut self, target: Target, rules: &Rules) -> Result<Vec<Info>> {
        match target {
            Target::File(info) => {
                let mut info = (*info)?;
                if rules.latest {
                    info.object = self.live(&info)?;
                }
                Ok(vec![info])
            }
            Target::One { resource, namespace, name } => {
                let url = Url::of(&resource, &namespace, &name, "");
                let object = self.get(&url)?;
                Ok(vec![Info { resource, namespace, name, object, source: String::new() }])
            }
            Target::All { resource, namespace } => {
                let list = self.list_selected(&resource, &self.target_url(&resource, &namespace), crate::api::JSON)?;
                Ok(items(&list, &resource))
            }
        }
    }

    /// Does `each` for every object; failures are told at the end.
    pub(crate) fn visit(
        &mut self,
        rules: &Rules,
        each: &mut dyn FnMut(&mut Cx<'_>, &Info) -> Result<()>,
    ) -> Result<()> {
        let targets = self.targets(rules)?;
        let mut failures = Vec::new();
        for target in targets.list {
            match self.resolve(target, rules) {
                Ok(infos) => {
                    for info in infos {
                        if let Err(it) = each(self, &info) {
                            failures.push(it);
                        }
                    }
                }
                Err(it) => failures.push(it),
            }
        }
        Failure::all(failures)
    }
}

/// A list's items, with the kind that they do not say themselves.
pub(crate) fn items(list: &Value, resource: &Rc<Resource>) -> Vec<Info> {
    list.list_at("items")
        .iter()
        .map(|item| {
            let mut object = item.clone();
            if object.get("kind").is_none() {
                object.set("kind", resource.kind.as_str());
                object.set("apiVersion", resource.api_version());
            }
            let text = |path: &'static str| object.str_at(path).unwrap_or_default().to_owned();
            Info {
                resource: resource.clone(),
                namespace: text("metadata.namespace"),
                name: text("metadata.name"),
                object,
                source: String::new(),
            }
        })
        .collect()
}

/// `a,b x` is `a/x b/x`.
fn normalized(args: Vec<String>) -> Vec<String> {
    if args.len() < 2 || !args[0].contains(',') || args[0].contains('/') {
        return args;
    }
    let mut res = Vec::new();
    for word in args[0].split(',') {
        res.extend(args[1..].iter().map(|name| format!("{word}/{name}")));
    }
    res
}
