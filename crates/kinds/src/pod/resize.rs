//! Changes of CPU and memory while a pod runs.

use meta::{Errors, Object};
use value::{Map, Value};

use super::{change, create, qos};
use crate::path::Path;
use crate::pod_template::annotations;
use crate::pod_template::fields::{child, child_or_empty, has, list, maps, text};
use crate::pod_template::is_sidecar;

/// Keeps all but resources and resize policies as it was; nothing where containers were added, removed or moved.
pub fn prepare_resize(new: &mut Object, old: &Object) {
    let before = change::spec_of(old);
    let n_changed = ["containers", "initContainers"]
        .iter()
        .any(|key| list(change::spec_of(new), key).len() != list(before, key).len());
    if n_changed {
        return count(new, old);
    }
    let asked = change::spec_of(new).clone();
    new.body = old.body.clone();
    new.body.edit_map("spec", |spec| {
        take(spec, "resources", &asked);
        for key in ["containers", "initContainers"] {
            let renamed =
                maps(&asked, key).zip(maps(before, key)).any(|((_, a), (_, b))| text(a, "name") != text(b, "name"));
            if renamed {
                take(spec, key, &asked);
                continue;
            }
            spec.edit(key, |containers| {
                let Value::List(containers) = containers else { return };
                containers.edit_each(&mut |idx, container| {
                    let Some(asked) = list(&asked, key).get(idx).and_then(Value::as_map) else { return };
                    if let Value::Map(container) = container {
                        take(container, "resources", asked);
                        take(container, "resizePolicy", asked);
                    }
                });
            });
        }
    });
    change::keep_metadata(new, old);
}

fn count(new: &mut Object, old: &Object) {
    let is_changed = change::spec_of(new) != change::spec_of(old);
    new.meta.generation = old.meta.generation.wrapping_add(i64::from(is_changed));
}

fn take(to: &mut Map, key: &str, from: &Map) {
    match from.get(key) {
        Some(value) if to.get(key) != Some(value) => to.insert(key, value),
        None if to.contains_key(key) => {
            to.remove(key);
        }
        _ => (),
    }
}

const ONLY: &str = "only cpu and memory resources are mutable";

/// `ValidatePodResize`, without what concerns metadata of all kinds.
pub fn validate_resize(new: &Object, old: &Object, errors: &mut Errors) {
    let (spec, before) = (change::spec_of(new), change::spec_of(old));
    let windows = child(before, "os").is_some_and(|it| text(it, "name") == "windows");
    let refused = if old.meta.annotations.contains_key(annotations::MIRROR) {
        Some("static pods cannot be resized")
    } else {
        windows.then_some("windows pods cannot be resized")
    };
    if let Some(detail) = refused {
        *errors = Errors::new();
        return Path::root("").forbidden(errors, detail);
    }
    create::whole(new, errors);
    let path = Path::root("spec");
    let old_status = child_or_empty(&old.body, "status");
    let old_class = match text(old_status, "qosClass") {
        "" => qos::class(before),
        class => class,
    };
    if old_class != qos::class(spec) {
        let shown = text(child_or_empty(&new.body, "status"), "qosClass");
        path.invalid(errors, shown, "Pod QOS Class may not change as a result of resizing");
    }
    if !node_can_resize(old_status) {
        path.forbidden(errors, "Pod running on node without support for resize");
    }
    let mut rest = spec.clone();
    pod_level(&mut rest, before, &path, errors);
    if !list(old_status, "nodeAllocatableResourceClaimStatuses").is_empty() {
        path.forbidden(errors, "pods with node allocatable resource claims cannot be resized");
    }
    if !same_order(spec, before, &path, errors) {
        return;
    }
    for key in ["initContainers", "containers"] {
        for ((idx, container), (_, old)) in maps(spec, key).zip(maps(before, key)) {
            let path = path.child(key);
            let path = path.index(idx);
            nothing_removed(container, old, "resource", &path.child("resources"), errors);
        }
    }
    containers(&mut rest, before, &path, errors);
    if errors.is_empty() && rest != *before {
        path.forbidden(errors, ONLY);
    }
}

/// The kubelet tells the resources of running containers where it can change them.
fn node_can_resize(status: &Map) -> bool {
    let running =
        maps(status, "containerStatuses").find(|(_, it)| child(it, "state").is_some_and(|it| has(it, "running")));
    running.is_none_or(|(_, it)| has(it, "resources"))
}

fn same_order(spec: &Map, before: &Map, path: &Path<'_>, errors: &mut Errors) -> bool {
    let n_before = errors.list.len();
    for key in ["containers", "initContainers"] {
        let path = path.child(key);
        if list(spec, key).len() != list(before, key).len() {
            path.forbidden(errors, &format!("{key} may not be added or removed on resize"));
            continue;
        }
        for ((idx, new), (_, old)) in maps(spec, key).zip(maps(before, key)) {
            if text(new, "name") != text(old, "name") {
                path.index(idx)
                    .child("name")
                    .forbidden(errors, &format!("{key} may not be renamed or reordered on resize"));
            }
        }
    }
    errors.list.len() == n_before
}

/// Whether an amount that was there is gone, from `requests` or `limits` of the holder's `resources`.
fn nothing_removed(new: &Map, old: &Map, what: &str, path: &Path<'_>, errors: &mut Errors) {
    let (new, old) = (child_or_empty(new, "resources"), child_or_empty(old, "resources"));
    for key in ["requests", "limits"] {
        let (now, before) = (child_or_empty(new, key), child_or_empty(old, key));
        if before.len() > now.len() || before.keys().any(|it| !now.contains_key(it)) {
            path.child(key).forbidden(errors, &format!("{what} {key} cannot be removed"));
        }
    }
}

/// Gives a holder's `resources` the CPU and memory that they had before (`dropCPUMemoryUpdates`).
fn put_back(holder: &mut Map, before: &Map) {
    let old = child_or_empty(before, "resources");
    let mut resources = child_or_empty(holder, "resources").clone();
    for key in ["limits", "requests"] {
        let mut amounts = child_or_empty(&resources, key).clone();
        for name in ["cpu", "memory"] {
            take(&mut amounts, name, child_or_empty(old, key));
        }
        if amounts.is_empty() && !has(old, key) {
            resources.remove(key);
        } else if resources.get(key).and_then(Value::as_map) != Some(&amounts) {
            resources.insert(key, amounts);
        }
    }
    if resources.is_empty() && !has(before, "resources") {
        holder.remove("resources");
    } else if child(holder, "resources") != Some(&resources) {
        holder.insert("resources", resources);
    }
}

fn pod_level(rest: &mut Map, before: &Map, path: &Path<'_>, errors: &mut Errors) {
    let set = |spec: &Map| {
        let resources = child_or_empty(spec, "resources");
        !child_or_empty(resources, "requests").is_empty() || !child_or_empty(resources, "limits").is_empty()
    };
    if !set(rest) && !set(before) {
        return;
    }
    let resources = path.child("resources");
    if has(before, "resources") {
        if !has(rest, "resources") {
            return resources.forbidden(errors, "pod-level resources cannot be removed");
        }
        nothing_removed(rest, before, "pod-level resource", &resources, errors);
    }
    put_back(rest, before);
    if child(rest, "resources") != child(before, "resources") {
        path.forbidden(errors, "only cpu and memory resources are mutable at pod-level");
    }
}

fn containers(rest: &mut Map, before: &Map, path: &Path<'_>, errors: &mut Errors) {
    for key in ["containers", "initContainers"] {
        let path = path.child(key);
        let old: Vec<&Map> = maps(before, key).map(|(_, it)| it).collect();
        rest.edit(key, |items| {
            let Value::List(items) = items else { return };
            items.edit_each(&mut |idx, item| {
                let (Value::Map(container), Some(before)) = (item, old.get(idx)) else { return };
                let modified = *container != **before;
                put_back(container, before);
                let other = *container != **before;
                if key == "containers" {
                    if other {
                        Path::root("spec").forbidden(errors, ONLY);
                    }
                    return;
                }
                let path = path.index(idx);
                if other {
                    path.forbidden(errors, "only cpu and memory resources for init or sidecar containers are mutable");
                }
                if modified && !is_sidecar(container) {
                    for _ in maps(container, "resizePolicy")
                        .filter(|(_, it)| text(it, "restartPolicy") == "RestartContainer")
                    {
                        let detail =
                            "non-sidecar init containers with a resize policy of RestartContainer cannot be resized";
                        path.forbidden(errors, detail);
                    }
                }
            });
        });
    }
}
