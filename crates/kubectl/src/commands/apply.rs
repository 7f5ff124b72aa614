//! `apply`: makes objects as their manifests say, by comparing with what was applied before or on the server.

use http::Method;
use meta::quoted;
use value::{Map, Value, json, value};

use super::{Command, DRY_RUN, DryRun, FILES, Help, SELECTOR};
use crate::api::{self, Url};
use crate::failure::{Failure, Result, fail};
use crate::manifest::{Info, strings};
use crate::order;
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow};
use crate::strategic::{self, Schema};

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "apply",
    help: || Help {
        usage: "(-f FILENAME | -k DIRECTORY)",
        about: "Apply a configuration to a resource by file name or stdin",
    },
    flags: &[
        print::FLAGS,
        FILES,
        SELECTOR,
        DRY_RUN,
        "server-side:b force-conflicts:b field-manager:s validate:s=strict overwrite:b prune:b all:b force:b \
             cascade:s=background grace-period:i timeout:d wait:b openapi-patch:b prune-allowlist:a subresource:s \
             applyset:s",
    ],
    run: apply,
}];

pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// How often a patch is tried again after a conflict.
const RETRIES_MAX: u32 = 5;

struct Apply {
    dry_run: DryRun,
    manager: String,
    validation: &'static str,
    printer: Printer,
    by_server: bool,
    /// What is printed at the end: with `-o` other than `name`.
    printed: Vec<Value>,
    visited: Vec<Info>,
}

fn apply(cx: &mut Cx<'_>) -> Result<Flow> {
    let by_server = cx.is("server-side");
    if cx.is("force-conflicts") && !by_server {
        return fail("--force-conflicts only works with --server-side");
    }
    let dry_run = DryRun::of(cx)?;
    if dry_run == DryRun::Client && by_server {
        return fail("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)");
    }
    if cx.is("force") && by_server {
        return fail("--force cannot be used with --server-side");
    }
    if !cx.flags().args.is_empty() {
        let text = format!("Unexpected args: [{}]", cx.flags().args.join(" "));
        return crate::failure::usage("apply", &text);
    }
    cx.require_files()?;
    if cx.is("prune") && !cx.is("all") && !cx.flags().changed("selector") {
        return fail(
            "all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector",
        );
    }
    let manager = cx.flags().text_or("field-manager", if by_server { "kubectl" } else { "kubectl-client-side-apply" });
    let mut apply = Apply {
        dry_run,
        manager: manager.to_owned(),
        validation: cx.validation()?,
        printer: Printer::from_flags(cx)?,
        by_server,
        printed: Vec::new(),
        visited: Vec::new(),
    };
    let mut failures = Vec::new();
    let mut n_objects = 0;
    for info in cx.manifests()? {
        let done = match info {
            Ok(info) => {
                n_objects += 1;
                apply.one(cx, info)
            }
            Err(it) => Err(it),
        };
        failures.extend(done.err());
    }
    if n_objects == 0 && failures.is_empty() {
        return fail("no objects passed to apply");
    }
    Failure::all(failures)?;
    if cx.is("prune") {
        apply.prune(cx)?;
    }
    let printed = std::mem::take(&mut apply.printed);
    match printed.as_slice() {
        [] => {}
        [one] => apply.printer.print(cx, one, "")?,
        many => {
            let list = value!({"apiVersion": "v1", "kind": "List", "items": many.to_vec(), "metadata": {"resourceVersion": ""}});
            apply.printer.print(cx, &list, "")?;
        }
    }
    Ok(Flow::Done)
}

/// What stands in the annotation: the manifest without it, and a line break.
pub(crate) fn last_applied_text(object: &Value) -> String {
    let mut annotations = strings(object, "annotations");
    annotations.remove(LAST_APPLIED);
    let mut object = object.clone();
    set_annotations(&mut object, annotations);
    json::to_string(&object) + "\n"
}

fn set_annotations(object: &mut Value, annotations: Map) {
    object.set("metadata.annotations", annotations);
}

/// The object with the annotation of what is applied.
pub(crate) fn with_last_applied(object: &Value) -> Value {
    let mut annotations = strings(object, "annotations");
    annotations.insert(LAST_APPLIED, last_applied_text(object));
    let mut object = object.clone();
    set_annotations(&mut object, annotations);
    object
}

/// What was applied before.
fn original(current: &Value) -> Value {
    let annotations = strings(current, "annotations");
    let text = annotations.get(LAST_APPLIED).and_then(Value::as_str).unwrap_or_default();
    json::parse(text.as_bytes()).unwrap_or_default()
}

/// How an object is named in a long error.
fn described(info: &Info) -> String {
    let resource = &info.resource;
    let group_version = format!("{}/{}", resource.group, resource.version);
    format!(
        "Resource: {}, GroupVersionKind: {}\nName: {}, Namespace: {}",
        quoted(&format!("{group_version}, Resource={}", resource.plural)),
        quoted(&format!("{group_version}, Kind={}", resource.kind)),
        quoted(&info.name),
        quoted(&info.namespace)
    )
}

/// A patch and how it is to be applied.
pub(crate) struct Patch {
    pub(crate) patch: Value,
    pub(crate) content_type: &'static str,
    /// What it makes of the live object.
    pub(crate) result: Value,
}

/// The patch that brings `current` to `modified`.
pub(crate) fn patch_for(cx: &mut Cx<'_>, info: &Info, modified: &Value, current: &Value) -> Patch {
    let original = original(current);
    if let Ok(document) = cx.openapi(&info.resource)
        && document.merges_strategically(&info.resource)
        && let Some(node) = document.of_kind(&info.resource)
    {
        let schema = Schema { document: &document, node: Some(node) };
        let patch = strategic::three_way(&original, modified, current, schema);
        let (live, map) = (current.as_map().cloned().unwrap_or_default(), patch.as_map().cloned().unwrap_or_default());
        let result = Value::Map(strategic::patched(&live, &map, schema));
        return Patch { patch, content_type: api::STRATEGIC_PATCH, result };
    }
    let patch = strategic::three_way_merge(&original, modified, current);
    let result = strategic::merged(current, &patch);
    Patch { patch, content_type: api::MERGE_PATCH, result }
}

impl Apply {
    fn one(&mut self, cx: &mut Cx<'_>, mut info: Info) -> Result<()> {
        let generate_name = info.object.str_at("metadata.generateName").unwrap_or_default();
        if info.name.is_empty() && !generate_name.is_empty() {
            return fail(format!("from {generate_name}: cannot use generate name with apply"));
        }
        if self.by_server {
            return self.by_server(cx, info);
        }
        let current = match cx.live(&info) {
            Err(failure) if failure.is_not_found() => return self.create(cx, &info),
            Err(failure) => {
                let verb = format!("retrieving current configuration of:\n{}\nfrom server for:", described(&info));
                return Err(failure.while_doing(&verb, &info.source));
            }
            Ok(current) => current,
        };
        let modified = with_last_applied(&info.object);
        if !strings(&current, "annotations").contains_key(LAST_APPLIED) {
            cx.note(&format!(
                "Warning: resource {} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. \
                 kubectl apply should only be used on resources created declaratively by either kubectl create \
                 --save-config or kubectl apply. The missing annotation will be patched automatically.",
                object_name(&info)
            ));
        }
        let (patch, patched) = self.patch(cx, &info, &modified, current)?;
        info.object = patched;
        warn_if_deleting(cx, &info);
        let operation = if patch.as_map().is_some_and(Map::is_empty) { "unchanged" } else { "configured" };
        self.done(cx, info, operation)
    }

    fn done(&mut self, cx: &mut Cx<'_>, info: Info, operation: &str) -> Result<()> {
        self.visited.push(info.clone());
        if !matches!(cx.flags().text("output"), "" | "name") {
            self.printed.push(info.object);
            return Ok(());
        }
        self.printer.print(cx, &info.object, &self.dry_run.said(operation))
    }

    fn write_url(&self, url: Url) -> Url {
        url.with("dryRun", self.dry_run.parameter())
            .with("fieldManager", &self.manager)
            .with("fieldValidation", self.validation)
    }

    fn create(&mut self, cx: &mut Cx<'_>, info: &Info) -> Result<()> {
        let mut info = info.clone();
        info.object = without_nulls(&with_last_applied(&info.object));
        if self.dry_run != DryRun::Client {
            let url = self.write_url(info.collection());
            info.object = cx.post(&url, &info.object).map_err(|it| it.while_doing("creating", &info.source))?;
        }
        self.done(cx, info, "created")
    }

    /// The patch that was sent, and what came of it.
    fn patch(&mut self, cx: &mut Cx<'_>, info: &Info, modified: &Value, current: Value) -> Result<(Value, Value)> {
        let mut current = current;
        for retry in 0.. {
            let Patch { patch, content_type, result } = patch_for(cx, info, modified, &current);
            if patch.as_map().is_some_and(Map::is_empty) {
                return Ok((patch, current));
            }
            if self.dry_run == DryRun::Client {
                return Ok((patch, result));
            }
            let url = self.write_url(info.url());
            match cx.patch(&url, content_type, &patch) {
                Ok(patched) => return Ok((patch, patched)),
                Err(failure) if failure.is_conflict() && retry < RETRIES_MAX => current = cx.live(info)?,
                Err(failure) if cx.is("force") && matches!(failure.reason(), "Conflict" | "Invalid") => {
                    return self.replace(cx, info, modified).map(|it| (patch, it));
                }
                Err(failure) => {
                    let verb = format!("applying patch:\n{}\nto:\n{}\nfor:", json::to_string(&patch), described(info));
                    return Err(failure.while_doing("patching", &info.source).while_doing(&verb, &info.source));
                }
            }
        }
        Ok((Value::map(), current))
    }

    /// Deletes and makes anew what cannot be patched.
    fn replace(&mut self, cx: &mut Cx<'_>, info: &Info, modified: &Value) -> Result<Value> {
        cx.delete(&info.url(), &value!({"propagationPolicy": "Background", "gracePeriodSeconds": 0}))?;
        cx.post(&self.write_url(info.collection()), modified)
    }

    fn by_server(&mut self, cx: &mut Cx<'_>, mut info: Info) -> Result<()> {
        if info.name.is_empty() {
            return fail("name is required");
        }
        let subresource = cx.text("subresource");
        let force = if cx.is("force-conflicts") { "true" } else { "false" };
        let url = Url::of(&info.resource, &info.namespace, &info.name, &subresource).with("force", force);
        let url = self.write_url(url);
        let body = json::to_string(&info.object).into_bytes();
        let send = |cx: &mut Cx<'_>| {
            let bytes = cx.raw(Method::PATCH, &url, api::JSON, api::APPLY_PATCH, body.clone())?;
            json::parse(&bytes).map_err(|it| Failure::Text(it.to_string()))
        };
        info.object = match send(cx) {
            Err(failure) if failure.is_conflict() => {
                return Err(Failure::Text(format!("{}{CONFLICT_HELP}", failure.message())));
            }
            sent => sent?,
        };
        if self.dry_run == DryRun::None && self.migrate(cx, &mut info)? {
            info.object = send(cx)?;
        }
        warn_if_deleting(cx, &info);
        self.done(cx, info, "serverside-applied")
    }

    /// Makes the server-side manager of what client-side apply owned; answers whether there was something.
    fn migrate(&self, cx: &mut Cx<'_>, info: &mut Info) -> Result<bool> {
        let annotations = strings(&info.object, "annotations");
        let Some(annotation) = annotations.get(LAST_APPLIED) else { return Ok(false) };
        let managed = info.object.get("metadata").map_or(&[][..], |it| it.list_at("managedFields"));
        let owns = |entry: &&Value, operation: &str| {
            entry.str_at("operation") == Some(operation)
                && entry
                    .at("fieldsV1")
                    .and_then(|it| it.get("f:metadata")?.get("f:annotations")?.get(&format!("f:{LAST_APPLIED}")))
                    .is_some()
        };
        let saved = managed.iter().any(|it| owns(&it, "Apply"));
        let managers: Vec<String> = managed
            .iter()
            .filter(|it| owns(it, "Update") && it.str_at("subresource").unwrap_or_default().is_empty())
            .filter_map(|it| it.str_at("manager"))
            .map(str::to_owned)
            .collect();
        if self.manager == "kubectl" && !saved {
            let just = value!({
                "apiVersion": info.resource.api_version(), "kind": info.resource.kind.as_str(),
                "metadata": {
                    "annotations": {LAST_APPLIED: annotation}, "name": info.name.as_str(), "namespace": info.namespace.as_str(),
                },
            });
            let just = if info.namespace.is_empty() {
                strategic::merged(&just, &value!({"metadata": {"namespace": null}}))
            } else {
                just
            };
            let url = info.url().with("fieldManager", "kubectl-last-applied").with("fieldValidation", self.validation);
            let body = json::to_string(&just).into_bytes();
            let bytes = cx.raw(Method::PATCH, &url, api::JSON, api::APPLY_PATCH, body)?;
            info.object = json::parse(&bytes).unwrap_or_default();
        }
        let managed = info.object.get("metadata").map_or(&[][..], |it| it.list_at("managedFields"));
        let Some(migrated) = migrated(managed, &managers, &self.manager) else { return Ok(false) };
        let version = info.object.str_at("metadata.resourceVersion").unwrap_or_default();
        let patch = value!([
            {"op": "replace", "path": "/metadata/managedFields", "value": migrated},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
        ]);
        let url = info.url().with("fieldManager", &self.manager);
        info.object = cx.patch(&url, api::JSON_PATCH, &patch)?;
        Ok(true)
    }

    fn prune(&mut self, cx: &mut Cx<'_>) -> Result<()> {
        let mut namespaces: Vec<String> =
            self.visited.iter().map(|it| it.namespace.clone()).filter(|it| !it.is_empty()).collect();
        order::texts(&mut namespaces);
        namespaces.dedup();
        let mapper = cx.mapper()?;
        for word in PRUNED {
            let Some(resource) = mapper.find(word) else { continue };
            let places = if resource.namespaced { namespaces.clone() } else { vec![String::new()] };
            for namespace in places {
                let list = cx.list(&cx.target_url(&resource, &namespace), api::JSON)?;
                for item in crate::build::items(&list, &resource) {
                    let uid = item.object.str_at("metadata.uid");
                    let kept = self.visited.iter().any(|it| it.object.str_at("metadata.uid") == uid);
                    if kept || !strings(&item.object, "annotations").contains_key(LAST_APPLIED) {
                        continue;
                    }
                    if self.dry_run != DryRun::Client {
                        let url = item.url().with("dryRun", self.dry_run.parameter());
                        cx.delete(&url, &value!({"propagationPolicy": "Background"}))?;
                    }
                    self.printer.print(cx, &item.object, &self.dry_run.said("pruned"))?;
                }
            }
        }
        Ok(())
    }
}

/// What `--prune` looks at.
const PRUNED: &[&str] = &[
    "configmaps",
    "endpoints",
    "namespaces",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "replicationcontrollers",
    "secrets",
    "services",
    "jobs.batch",
    "cronjobs.batch",
    "ingresses.networking.k8s.io",
    "daemonsets.apps",
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
];

const CONFLICT_HELP: &str = "
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts";

/// Managed fields with the entries of client-side managers joined to the server-side one; `None` where there are none.
fn migrated(managed: &[Value], managers: &[String], manager: &str) -> Option<Vec<Value>> {
    let is_old = |it: &Value| {
        it.str_at("operation") == Some("Update")
            && it.str_at("subresource").unwrap_or_default().is_empty()
            && managers.iter().any(|name| it.str_at("manager") == Some(name))
    };
    let is_new = |it: &Value| {
        it.str_at("operation") == Some("Apply")
            && it.str_at("subresource").unwrap_or_default().is_empty()
            && it.str_at("manager") == Some(manager)
    };
    let (old, mut rest): (Vec<Value>, Vec<Value>) = managed.iter().cloned().partition(is_old);
    let first = old.first()?;
    let place = match rest.iter().position(is_new) {
        Some(idx) => idx,
        None => {
            rest.insert(0, first.with("operation", "Apply").with("manager", manager));
            0
        }
    };
    for entry in &old {
        let fields = strategic::merged(
            rest[place].get("fieldsV1").unwrap_or(&Value::Null),
            entry.get("fieldsV1").unwrap_or(&Value::Null),
        );
        rest[place].set("fieldsV1", fields);
    }
    Some(rest)
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let entries = map.iter().filter(|(_, it)| !it.is_null()).map(|(key, it)| (key.clone(), without_nulls(it)));
            Value::Map(entries.collect())
        }
        Value::List(items) => items.iter().map(without_nulls).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

/// `daemonsets/web`
fn object_name(info: &Info) -> String {
    format!("{}/{}", info.resource.plural, info.name)
}

fn warn_if_deleting(cx: &mut Cx<'_>, info: &Info) {
    if info.object.str_at("metadata.deletionTimestamp").is_some() {
        cx.note(&format!("Warning: Detected changes to resource {} which is currently being deleted.", info.name));
    }
}
