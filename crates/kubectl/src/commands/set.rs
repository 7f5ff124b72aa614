//! `set`: single fields of pod templates.

use meta::quoted;
use value::quantity::Quantity;
use value::{Map, Value, value};

use super::{Command, DRY_RUN, DryRun, FILES, Help, SELECTOR};
use crate::api::STRATEGIC_PATCH;
use crate::build::Rules;
use crate::failure::{Failure, Result, fail};
use crate::manifest::Info;
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow};

const FLAGS: &str = "all:b local:b field-manager:s";

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "set",
        help: || Help { usage: "SUBCOMMAND", about: "Set specific features on objects" },
        flags: &[],
        run: |cx| super::help::children(cx, "set"),
    },
    Command {
        name: "set env",
        help: || Help {
            usage: "RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N",
            about: "Update environment variables on a pod template",
        },
        flags: &[
            print::FLAGS,
            FILES,
            SELECTOR,
            DRY_RUN,
            FLAGS,
            "c/containers:s from:s prefix:s keys:c list:b resolve:b overwrite:b e/env:a",
        ],
        run: env,
    },
    Command {
        name: "set image",
        help: || Help {
            usage: "(-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N",
            about: "Update the image of a pod template",
        },
        flags: &[print::FLAGS, FILES, SELECTOR, DRY_RUN, FLAGS],
        run: image,
    },
    Command {
        name: "set resources",
        help: || Help {
            usage: "(-f FILENAME | TYPE NAME) ([--limits=LIMITS & --requests=REQUESTS]",
            about: "Update resource requests/limits on objects with pod templates",
        },
        flags: &[print::FLAGS, FILES, SELECTOR, DRY_RUN, FLAGS, "c/containers:s limits:s requests:s"],
        run: resources,
    },
    Command {
        name: "set selector",
        help: || Help {
            usage: "(-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version]",
            about: "Set the selector on a resource",
        },
        flags: &[print::FLAGS, FILES, DRY_RUN, FLAGS, "resource-version:s"],
        run: selector,
    },
    Command {
        name: "set serviceaccount",
        help: || Help {
            usage: "(-f FILENAME | TYPE NAME) SERVICE_ACCOUNT",
            about: "Update the service account of a resource",
        },
        flags: &[print::FLAGS, FILES, DRY_RUN, FLAGS],
        run: service_account,
    },
];

const LOCAL: &str = "error: you must specify resources by --filename when --local is set.\n\
    Example resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'";

/// Where the pod's spec is in an object of a kind.
fn pod_spec(info: &Info) -> Option<&'static str> {
    Some(match &*info.resource.kind {
        "Pod" => "spec",
        "CronJob" => "spec.jobTemplate.spec.template.spec",
        "Deployment" | "DaemonSet" | "ReplicaSet" | "StatefulSet" | "Job" | "ReplicationController" => {
            "spec.template.spec"
        }
        _ => return None,
    })
}

/// What a change makes of a pod's spec.
type Change<'a> = &'a mut dyn FnMut(&mut Cx<'_>, &Info, &mut Value) -> std::result::Result<(), Vec<Failure>>;

/// Changes each object's pod spec and sends what differs.
fn update(cx: &mut Cx<'_>, objects: Vec<String>, operation: &str, what: &str, change: Change<'_>) -> Result<Flow> {
    let (all, dry_run) = (cx.is("all"), DryRun::of(cx)?);
    if all && cx.flags().changed("selector") {
        return fail("cannot set --all and --selector at the same time");
    }
    if cx.is("local") && dry_run == DryRun::Server {
        return fail("cannot specify --local and --dry-run=server - did you mean --dry-run=client?");
    }
    let mut printer = Printer::from_flags(cx)?;
    if cx.is("local") && (!objects.is_empty() || !cx.flags().changed("filename")) {
        return fail(LOCAL);
    }
    let rules = Rules { all_of_type: all, all, args: Some(objects), latest: !cx.is("local"), ..Rules::default() };
    let targets = cx.targets(&rules)?;
    let (infos, mut failures) = cx.collect(targets, &rules);
    for info in infos {
        let place = format!("{}/{}", info.resource.qualified(), info.name);
        let Some(path) = pod_spec(&info) else {
            failures.push(Failure::Text(format!(
                "error: {place} the object is not a pod or does not have a pod template: *v1.{}\n",
                info.resource.kind
            )));
            continue;
        };
        let before = info.object.at(path).cloned().unwrap_or_default();
        let mut after = before.clone();
        if let Err(problems) = change(cx, &info, &mut after) {
            failures.extend(problems);
            continue;
        }
        if before == after {
            continue;
        }
        let mut object = info.object.with(path, &after);
        if dry_run != DryRun::Client && !cx.is("local") {
            let patch = Value::map().with(path, changes(&before, &after));
            let manager = cx.flags().text_or("field-manager", "kubectl-set").to_owned();
            let url = info.url().with("dryRun", dry_run.parameter()).with("fieldManager", &manager);
            match cx.patch(&url, STRATEGIC_PATCH, &patch) {
                Ok(patched) => object = patched,
                Err(failure) => {
                    failures.push(Failure::Text(format!(
                        "failed to patch {what} to pod template{} {}",
                        if operation.starts_with("resource") { "" } else { ":" },
                        failure.message()
                    )));
                    continue;
                }
            }
        }
        printer.print(cx, &object, &dry_run.said(operation))?;
    }
    Failure::all(failures)?;
    Ok(Flow::Done)
}

fn list<'a>(map: &'a Value, key: &str) -> &'a [Value] {
    map.get(key).and_then(Value::as_list).map_or(&[], |it| it)
}

/// The strategic merge patch from one pod spec to another: containers by name, other fields whole.
fn changes(before: &Value, after: &Value) -> Value {
    let mut patch = Map::new();
    for (key, new) in after.as_map().into_iter().flat_map(Map::iter) {
        let old = before.get(key);
        if old == Some(new) {
            continue;
        }
        if !matches!(key.as_str(), "containers" | "initContainers") {
            patch.insert(key, new);
            continue;
        }
        let (olds, news) = (list(before, key), list(after, key));
        let mut order = Vec::new();
        let mut items = Vec::new();
        for new in news {
            let name = new.get("name").cloned().unwrap_or_default();
            order.push(value!({"name": &name}));
            let Some(old) = olds.iter().find(|it| it.get("name") == Some(&name)) else { continue };
            let mut item = container_changes(old, new);
            if !item.is_empty() {
                item.insert("name", name);
                items.push(Value::Map(item));
            }
        }
        patch.insert(format!("$setElementOrder/{key}"), order);
        patch.insert(key, items);
    }
    Value::Map(patch)
}

fn container_changes(old: &Value, new: &Value) -> Map {
    let mut item = Map::new();
    for (key, after) in new.as_map().into_iter().flat_map(Map::iter).filter(|(key, it)| old.get(key) != Some(it)) {
        if key == "env" {
            let (olds, news) = (old.list_at("env"), new.list_at("env"));
            let name = |it: &Value| value!({"name": it.get("name").cloned().unwrap_or_default()});
            let mut items: Vec<Value> = news.iter().filter(|it| !olds.contains(it)).cloned().collect();
            let gone = olds.iter().filter(|old| !news.iter().any(|it| it.get("name") == old.get("name")));
            items.extend(gone.map(|it| name(it).with("$patch", "delete")));
            item.insert("$setElementOrder/env", news.iter().map(name).collect::<Vec<_>>());
            item.insert("env", items);
        } else {
            item.insert(key, after);
        }
    }
    if old.get("env").is_some() && new.get("env").is_none() {
        item.insert("env", Value::Null);
    }
    item
}

/// The objects of a command line, and the words after them.
fn split(cx: &Cx<'_>, is_change: fn(&str) -> bool) -> (Vec<String>, Vec<String>) {
    let args = &cx.flags().args;
    let n_objects = args.iter().position(|it| is_change(it)).unwrap_or(args.len());
    (args[..n_objects].to_vec(), args[n_objects..].to_vec())
}

fn require_objects(cx: &Cx<'_>, objects: &[String]) -> Result<()> {
    if objects.is_empty() && !cx.flags().changed("filename") {
        return fail("one or more resources must be specified as <resource> <name> or <resource>/<name>");
    }
    Ok(())
}

fn edit_containers(spec: &mut Value, field: &'static str, edit: &mut dyn FnMut(&mut Value)) {
    let mut containers = spec.list_at(field).to_vec();
    containers.iter_mut().for_each(edit);
    if !containers.is_empty() {
        spec.set(field, containers);
    }
}

fn image(cx: &mut Cx<'_>) -> Result<Flow> {
    let (objects, words) = split(cx, |it| it.contains('=') && !it.starts_with('='));
    let pairs: Vec<(String, String)> = words
        .iter()
        .filter_map(|it| it.split_once('='))
        .map(|(name, image)| (name.to_owned(), image.to_owned()))
        .collect();
    let mut problems = Vec::new();
    if objects.is_empty() && !cx.flags().changed("filename") {
        problems.push("one or more resources must be specified as <resource> <name> or <resource>/<name>");
    }
    if pairs.is_empty() {
        problems.push("at least one image update is required");
    } else if pairs.len() > 1 && pairs.iter().any(|(name, _)| name == "*") {
        problems.push(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs",
        );
    }
    if !cx.flags().changed("filename")
        && problems.first().is_some_and(|it| it.starts_with("one or more"))
        && objects.is_empty()
    {
        // The builder speaks first.
        cx.targets(&Rules { args: Some(Vec::new()), ..Rules::default() })?;
    }
    Failure::all(problems.into_iter().map(Failure::from).collect())?;
    update(cx, objects, "image updated", "image update", &mut |_, _, spec| {
        let mut missing = Vec::new();
        for (name, image) in &pairs {
            let mut found = false;
            for field in ["initContainers", "containers"] {
                edit_containers(spec, field, &mut |it| {
                    if name == "*" || it.str_at("name") == Some(name) {
                        found = true;
                        it.set("image", image.as_str());
                    }
                });
            }
            if !found {
                missing.push(Failure::Text(format!("error: unable to find container named {}", quoted(name))));
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    })
}

/// `cpu=1,memory=2Gi`
fn amounts(text: &str) -> Result<Map> {
    let mut map = Map::new();
    for part in text.split(',').filter(|it| !it.is_empty()) {
        let Some((name, amount)) = part.split_once('=') else {
            return fail(format!("Invalid argument syntax {part}, expected <resource>=<value>"));
        };
        if let Err(problem) = Quantity::parse(amount) {
            return fail(problem);
        }
        map.insert(name, amount);
    }
    Ok(map)
}

/// Whether a pattern with `*` matches a name.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, "")) => name.starts_with(before),
        Some((before, after)) => name.starts_with(before) && name.ends_with(after),
    }
}

fn resources(cx: &mut Cx<'_>) -> Result<Flow> {
    let (limits, requests) = (amounts(cx.flags().text("limits"))?, amounts(cx.flags().text("requests"))?);
    if limits.is_empty() && requests.is_empty() {
        return fail("you must specify an update to requests or limits (in the form of --requests/--limits)");
    }
    let objects = cx.flags().args.clone();
    let pattern = cx.flags().text_or("containers", "*").to_owned();
    update(cx, objects, "resource requirements updated", "resources update", &mut |_, _, spec| {
        let mut found = false;
        edit_containers(spec, "containers", &mut |it| {
            if !matches(&pattern, it.str_at("name").unwrap_or_default()) {
                return;
            }
            found = true;
            for (field, amounts) in [("limits", &limits), ("requests", &requests)] {
                for (name, amount) in amounts.iter() {
                    let mut map =
                        it.map_at("resources").and_then(|it| it.get(field)?.as_map()).cloned().unwrap_or_default();
                    map.insert(name, amount);
                    it.set(&format!("resources.{field}"), map);
                }
            }
        });
        match found {
            true => Ok(()),
            false => Err(vec![Failure::Text(format!("error: unable to find container named {pattern}"))]),
        }
    })
}

fn service_account(cx: &mut Cx<'_>) -> Result<Flow> {
    let mut objects = cx.flags().args.clone();
    let Some(account) = objects.pop() else {
        return fail("serviceaccount is required");
    };
    update(cx, objects, "serviceaccount updated", "service account update", &mut |_, _, spec| {
        spec.set("serviceAccountName", account.as_str());
        spec.set("serviceAccount", account.as_str());
        Ok(())
    })
}

fn selector(cx: &mut Cx<'_>) -> Result<Flow> {
    let mut objects = cx.flags().args.clone();
    let Some(text) = objects.pop() else {
        return fail("one selector is required");
    };
    if cx.is("local") && !objects.is_empty() {
        return fail(LOCAL);
    }
    let (all, dry_run) = (cx.is("all"), DryRun::of(cx)?);
    let selector = super::create::generate::labels(&text);
    let mut printer = Printer::from_flags(cx)?;
    let rules = Rules { all_of_type: all, all, args: Some(objects), latest: !cx.is("local"), ..Rules::default() };
    cx.visit(&rules, &mut |cx, info| {
        if !info.resource.is("", "Service") {
            return fail("setting a selector is only supported for Services");
        }
        let mut object = info.object.with("spec.selector", selector.clone());
        if dry_run != DryRun::Client && !cx.is("local") {
            let mut changed = selector.clone();
            for key in info.object.map_at("spec.selector").into_iter().flat_map(Map::keys) {
                if !selector.contains_key(key) {
                    changed.insert(key.clone(), Value::Null);
                }
            }
            let mut patch = value!({"spec": {"selector": changed}});
            if cx.flags().changed("resource-version") {
                patch.set("metadata.resourceVersion", cx.text("resource-version"));
            }
            let manager = cx.flags().text_or("field-manager", "kubectl-set").to_owned();
            let url = info.url().with("dryRun", dry_run.parameter()).with("fieldManager", &manager);
            object = cx.patch(&url, STRATEGIC_PATCH, &patch)?;
        }
        printer.print(cx, &object, &dry_run.said("selector updated"))
    })?;
    Ok(Flow::Done)
}

fn env(cx: &mut Cx<'_>) -> Result<Flow> {
    let (objects, mut words) =
        split(cx, |it| (it.contains('=') && !it.starts_with('=')) || (it.ends_with('-') && it.len() > 1));
    if let Some(word) = words.iter().find(|it| !it.contains('=') && !it.ends_with('-')) {
        return fail(format!("all resources must be specified before environment changes: {word}"));
    }
    words.extend(cx.flags().all("env").iter().map(|it| (*it).to_owned()));
    require_objects(cx, &objects)?;
    let list = cx.is("list");
    if list && cx.flags().changed("output") {
        return fail("--list and --output may not be specified together");
    }
    let mut added: Vec<Value> = Vec::new();
    let mut removed: Vec<String> = Vec::new();
    for word in &words {
        match (word.split_once('='), word.strip_suffix('-')) {
            (Some((name, text)), _) => added.push(value!({"name": name, "value": text})),
            (None, Some(name)) => removed.push(name.to_owned()),
            (None, None) => {}
        }
    }
    added.extend(from_source(cx)?);
    let pattern = cx.flags().text_or("containers", "*").to_owned();
    update(cx, objects, "env updated", "env update", &mut |cx, info, spec| {
        let mut lines = String::new();
        for field in ["containers", "initContainers"] {
            edit_containers(spec, field, &mut |it| {
                let name = it.str_at("name").unwrap_or_default().to_owned();
                if !matches(&pattern, &name) {
                    return;
                }
                let env = updated_env(it.list_at("env"), &added, &removed);
                if list {
                    lines.push_str(&format!("# {} {}, container {name}\n", info.resource.kind, info.name));
                    env.iter().for_each(|it| lines.push_str(&env_line(it)));
                } else if env.is_empty() {
                    it.remove("env");
                } else {
                    it.set("env", env);
                }
            });
        }
        cx.out(&lines);
        Ok(())
    })
}

fn env_line(env: &Value) -> String {
    let name = env.str_at("name").unwrap_or_default();
    let Some(from) = env.get("valueFrom") else {
        return format!("{name}={}\n", env.str_at("value").unwrap_or_default());
    };
    let text = |path: &'static str| from.str_at(path).unwrap_or_default();
    let source = match () {
        () if from.get("configMapKeyRef").is_some() => {
            format!("configmap {}, key {}", text("configMapKeyRef.name"), text("configMapKeyRef.key"))
        }
        () if from.get("secretKeyRef").is_some() => {
            format!("secret {}, key {}", text("secretKeyRef.name"), text("secretKeyRef.key"))
        }
        () if from.get("fieldRef").is_some() => format!("field path {}", text("fieldRef.fieldPath")),
        () => format!(
            "container {} resource {}",
            text("resourceFieldRef.containerName"),
            text("resourceFieldRef.resource")
        ),
    };
    format!("# {name} from {source}\n")
}

fn updated_env(old: &[Value], added: &[Value], removed: &[String]) -> Vec<Value> {
    let mut env: Vec<Value> = Vec::new();
    for it in old {
        let name = it.str_at("name").unwrap_or_default();
        if removed.iter().any(|gone| gone == name) {
            continue;
        }
        let new = added.iter().rev().find(|it| it.str_at("name") == Some(name));
        env.push(new.unwrap_or(it).clone());
    }
    for it in added {
        let name = it.str_at("name");
        if !env.iter().any(|have| have.str_at("name") == name) {
            env.push(it.clone());
        }
    }
    env
}

/// Variables for the keys of `--from=configmap/name`.
fn from_source(cx: &mut Cx<'_>) -> Result<Vec<Value>> {
    let from = cx.text("from");
    if from.is_empty() {
        return Ok(Vec::new());
    }
    let rules = Rules { args: Some(vec![from]), ..Rules::default() };
    let targets = cx.targets(&rules)?;
    let (infos, failures) = cx.collect(targets, &rules);
    Failure::all(failures)?;
    let (prefix, keys) = (cx.text("prefix"), cx.flags().list("keys"));
    let mut env = Vec::new();
    for info in infos {
        let reference = match &*info.resource.kind {
            "ConfigMap" => "configMapKeyRef",
            "Secret" => "secretKeyRef",
            _ => return fail("unsupported resource specified in --from"),
        };
        let data = info.object.map_at("data").cloned().unwrap_or_default();
        for key in data.keys().filter(|it| keys.is_empty() || keys.iter().any(|key| key == it.as_str())) {
            let name: String =
                key.chars().map(|it| if it.is_ascii_alphanumeric() || it == '_' { it } else { '_' }).collect();
            let name = format!("{prefix}{}", name.to_uppercase());
            env.push(value!({"name": name, "valueFrom": {(reference): {"key": key, "name": info.name.as_str()}}}));
        }
    }
    Ok(env)
}
