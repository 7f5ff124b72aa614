//! Pods run as a service account whose token they find mounted (`plugin/pkg/admission/serviceaccount`).

use std::sync::Arc;

use kinds::{POD, SERVICE_ACCOUNT};
use meta::{Key, Object, Status};
use value::{Map, Str, Value, map, value};

use super::{Operation, Request, secret_references, set_in_spec, shown};
use crate::server::ApiServer;

const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const PREFIX: &str = "kube-api-access-";
/// Upstream's `WarnOnlyBoundTokenExpirationPeriod`: an hour and seven seconds.
const EXPIRATION_SECONDS: i64 = 3607;

/// # Errors
/// `Forbidden` for an account that does not exist.
pub(super) fn admit(api: &mut ApiServer, request: &Request<'_>, object: &mut Object) -> Result<(), Status> {
    if !request.creates(POD) || is_mirror(object) {
        return Ok(());
    }
    let named = object.at("spec.serviceAccountName").and_then(Value::as_shared_str).filter(|it| !it.is_empty());
    let name = named.cloned().unwrap_or_else(|| Str::literal("default"));
    set_in_spec(object, &map!({ "serviceAccount": &name, "serviceAccountName": &name }));
    let account = account(api, request, object)?;
    let wanted =
        object.bool_at("spec.automountServiceAccountToken").or(account.bool_at("automountServiceAccountToken"));
    if wanted != Some(false) {
        mount(api, object);
    }
    if object.list_at("spec.imagePullSecrets").is_empty() && !account.list_at("imagePullSecrets").is_empty() {
        object.set("spec.imagePullSecrets", account.list_at("imagePullSecrets").to_vec());
    }
    Ok(())
}

/// Pods that stand for what a kubelet runs by itself.
fn is_mirror(object: &Object) -> bool {
    object.meta.annotations.contains_key("kubernetes.io/config.mirror")
}

/// The pod's account.
fn account(api: &ApiServer, request: &Request<'_>, object: &Object) -> Result<Arc<Object>, Status> {
    let name = object.at("spec.serviceAccountName").and_then(Value::as_shared_str).cloned().unwrap_or_default();
    let namespace = &object.meta.namespace;
    api.store.get(SERVICE_ACCOUNT, &Key::new(namespace, &name)).cloned().ok_or_else(|| {
        let why = format!("error looking up service account {namespace}/{name}: serviceaccount \"{name}\" not found");
        request.write.forbidden(shown(object), &why)
    })
}

/// # Errors
/// `Forbidden` for secrets that are not the account's, where it minds, and for what a mirror pod refers to.
pub(super) fn validate(
    api: &ApiServer,
    request: &Request<'_>,
    object: Option<&Object>,
    _: &mut Vec<String>,
) -> Result<(), Status> {
    let write = request.write;
    let adds_containers = request.operation == Operation::Update && write.sub == "ephemeralcontainers";
    let Some(pod) = object.filter(|it| it.kind == POD && (request.creates(POD) || adds_containers)) else {
        return Ok(());
    };
    let refused = |why: String| write.forbidden(shown(pod), &why);
    if !adds_containers && is_mirror(pod) {
        return secret_references::of_mirror(pod).map_err(|why| refused(why.to_owned()));
    }
    let account = account(api, request, pod)?;
    let enforces = account.meta.annotation("kubernetes.io/enforce-mountable-secrets");
    if !enforces.is_some_and(|it| matches!(it, "1" | "t" | "T" | "true" | "TRUE" | "True")) {
        return Ok(());
    }
    secret_references::check(pod, &account, adds_containers).map_err(refused)
}

/// Adds the volume and, to every container without one at that path, the mount.
fn mount(api: &mut ApiServer, object: &mut Object) {
    let existing = object
        .list_at("spec.volumes")
        .iter()
        .filter_map(|it| it.get("name")?.as_shared_str())
        .find(|it| it.starts_with(PREFIX))
        .cloned();
    let name: Str = existing.clone().unwrap_or_else(|| format!("{PREFIX}{}", api.rng.suffix(5)).into());
    let mut spec = object.map_at("spec").cloned().unwrap_or_default();
    let mut needed = false;
    for list in ["initContainers", "containers"] {
        spec.edit_maps(list, |container| needed |= mount_in(container, &name));
    }
    if needed && existing.is_none() {
        let volumes: Vec<Value> = object.list_at("spec.volumes").iter().cloned().chain([volume(&name)]).collect();
        spec.insert("volumes", volumes);
    }
    object.body.insert("spec", spec);
}

fn mount_in(container: &mut Map, name: &Str) -> bool {
    let mounts = container.get("volumeMounts").and_then(Value::as_list).cloned().unwrap_or_default();
    if mounts.iter().any(|it| it.str_at("mountPath") == Some(MOUNT)) {
        return false;
    }
    container.insert("volumeMounts", mounts.pushed(value!({ "mountPath": MOUNT, "name": name, "readOnly": true })));
    true
}

fn volume(name: &Str) -> Value {
    value!({ "name": name, "projected": { "defaultMode": 420, "sources": [
        { "serviceAccountToken": { "expirationSeconds": EXPIRATION_SECONDS, "path": "token" } },
        { "configMap": { "items": [{ "key": "ca.crt", "path": "ca.crt" }], "name": "kube-root-ca.crt" } },
        { "downwardAPI": { "items": [{ "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" }, "path": "namespace" }] } },
    ] } })
}
