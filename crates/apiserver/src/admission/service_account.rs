//! Pods run as a service account whose token they find mounted (`plugin/pkg/admission/serviceaccount`).

use kinds::{POD, SERVICE_ACCOUNT};
use meta::{Key, Object, Status};
use value::{Map, Str, Value, value};

use super::Request;
use crate::server::ApiServer;

const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const PREFIX: &str = "kube-api-access-";
/// Upstream's `WarnOnlyBoundTokenExpirationPeriod`: an hour and seven seconds.
const EXPIRATION_SECONDS: i64 = 3607;

/// # Errors
/// `Forbidden` for an account that does not exist.
pub(super) fn admit(api: &mut ApiServer, request: &Request<'_>, object: &mut Object) -> Result<(), Status> {
    if !request.creates(POD) || object.meta.annotations.contains_key("kubernetes.io/config.mirror") {
        return Ok(());
    }
    if object.str_at("spec.serviceAccountName").unwrap_or("").is_empty() {
        object.set("spec.serviceAccountName", "default");
    }
    let name: Str = object.str_at("spec.serviceAccountName").unwrap_or("default").into();
    object.set("spec.serviceAccount", &name);
    let key = Key::new(&object.meta.namespace, &name);
    let Some(account) = api.store.get(SERVICE_ACCOUNT, &key).cloned() else {
        let why = format!(
            "error looking up service account {}/{name}: serviceaccount \"{name}\" not found",
            object.meta.namespace
        );
        return Err(request.write.forbidden(super::shown(object), &why));
    };
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
