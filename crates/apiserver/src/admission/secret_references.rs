//! Which secrets a pod may refer to (`limitSecretReferences` of `plugin/pkg/admission/serviceaccount`).

use meta::Object;
use value::Value;

fn names(list: &[Value]) -> impl Iterator<Item = &str> {
    list.iter().filter_map(|it| it.str_at("name"))
}

/// Only secrets that the account lists. Of an update, only what ephemeral containers refer to.
///
/// # Errors
/// The first reference that is not allowed.
pub(super) fn check(pod: &Object, account: &Object, only_ephemeral: bool) -> Result<(), String> {
    let allowed: Vec<&str> = names(account.list_at("secrets")).collect();
    let owner = account.name();
    let not_its = format!("is not allowed because service account {owner} does not reference that");
    if only_ephemeral {
        return containers(pod, "spec.ephemeralContainers", "ephemeral container", &allowed, &not_its);
    }
    for secret in pod.list_at("spec.volumes").iter().filter_map(|it| it.get("secret")) {
        let name = secret.str_at("secretName").unwrap_or_default();
        if !allowed.contains(&name) {
            return Err(format!("volume with secret.secretName=\"{name}\" {not_its} secret"));
        }
    }
    containers(pod, "spec.initContainers", "init container", &allowed, &not_its)?;
    containers(pod, "spec.containers", "container", &allowed, &not_its)?;
    let pulls: Vec<&str> = names(account.list_at("imagePullSecrets")).collect();
    for (idx, name) in names(pod.list_at("spec.imagePullSecrets")).enumerate() {
        if !pulls.contains(&name) {
            return Err(format!("imagePullSecrets[{idx}].name=\"{name}\" {not_its} imagePullSecret"));
        }
    }
    Ok(())
}

fn containers(pod: &Object, path: &'static str, what: &str, allowed: &[&str], not_its: &str) -> Result<(), String> {
    for container in pod.list_at(path) {
        let name = container.str_at("name").unwrap_or_default();
        for env in container.list_at("env") {
            if let Some(secret) = env.str_at("valueFrom.secretKeyRef.name").filter(|it| !allowed.contains(it)) {
                let env = env.str_at("name").unwrap_or_default();
                return Err(format!(
                    "{what} {name} with envVar {env} referencing secret.secretName=\"{secret}\" {not_its} secret"
                ));
            }
        }
        for secret in container.list_at("envFrom").iter().filter_map(|it| it.str_at("secretRef.name")) {
            if !allowed.contains(&secret) {
                return Err(format!(
                    "{what} {name} with envFrom referencing secret.secretName=\"{secret}\" {not_its} secret"
                ));
            }
        }
    }
    Ok(())
}

/// Pods that stand for what a kubelet runs by itself refer to nothing of the API.
///
/// # Errors
/// What such a pod refers to.
pub(super) fn of_mirror(pod: &Object) -> Result<(), &'static str> {
    if !pod.str_at("spec.serviceAccountName").unwrap_or_default().is_empty() {
        return Err("a mirror pod may not reference service accounts");
    }
    let volumes = pod.list_at("spec.volumes");
    let sources = |it: &'static str| {
        move |volume: &&Value| volume.list_at("projected.sources").iter().any(|source| source.get(it).is_some())
    };
    let in_containers = ["spec.initContainers", "spec.containers"].iter().flat_map(|it| pod.list_at(it)).any(|it| {
        it.list_at("env").iter().any(|it| it.at("valueFrom.secretKeyRef").is_some())
            || it.list_at("envFrom").iter().any(|it| it.get("secretRef").is_some())
    });
    let in_volumes =
        volumes.iter().any(|it| it.get("secret").is_some()) || volumes.iter().any(|it| sources("secret")(&it));
    if in_containers || in_volumes || !pod.list_at("spec.imagePullSecrets").is_empty() {
        return Err("a mirror pod may not reference secrets");
    }
    if volumes.iter().any(|it| sources("serviceAccountToken")(&it)) {
        return Err("a mirror pod may not use ServiceAccountToken volume projections");
    }
    Ok(())
}
