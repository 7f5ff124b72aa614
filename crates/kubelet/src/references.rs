//! ConfigMaps and Secrets that a pod refers to and that are not there (`makeEnvironmentVariables`, `MakePayload`).

use std::sync::Arc;

use kinds::{CONFIG_MAP, SECRET};
use meta::{Key, KindId, Object};
use runtime::View;
use value::{Str, Value};

/// How a kind is called in messages: of one that is missing, and of a key that is.
struct Source {
    kind: KindId,
    singular: &'static str,
    name: &'static str,
    /// Begins what is said of an item that is not there.
    item: &'static str,
}

const CONFIG_MAPS: Source = Source {
    kind: CONFIG_MAP,
    singular: "configmap",
    name: "ConfigMap",
    item: "configmap references non-existent config key",
};
const SECRETS: Source =
    Source { kind: SECRET, singular: "secret", name: "Secret", item: "references non-existent secret key" };

impl Source {
    fn find<'a>(&self, view: &View<'a>, pod: &Object, name: &Str) -> Result<&'a Arc<Object>, String> {
        let found = view.get(self.kind, &Key::new(&pod.meta.namespace, name));
        found.ok_or_else(|| format!("{} \"{name}\" not found", self.singular))
    }
}

fn text(reference: &Value, key: &'static str) -> Str {
    reference.at(key).and_then(Value::as_shared_str).cloned().unwrap_or_default()
}

fn is_optional(reference: &Value) -> bool {
    reference.bool_at("optional") == Some(true)
}

/// Names of secrets for pulling images that are not there, as the kubelet tells them (`getPullSecretsForPod`).
pub(crate) fn missing_pull_secrets(view: &View<'_>, pod: &Object) -> Option<String> {
    let names = pod.list_at("spec.imagePullSecrets").iter().map(|it| text(it, "name"));
    let missing: Vec<Str> = names.filter(|it| !it.is_empty() && SECRETS.find(view, pod, it).is_err()).collect();
    (!missing.is_empty()).then(|| {
        let list = missing.join(", ");
        format!("Unable to retrieve some image pull secrets ({list}); attempting to pull the image may not succeed.")
    })
}

/// The first variable of a container that has no source.
pub(crate) fn missing_variable(view: &View<'_>, pod: &Object, container: &Value) -> Option<String> {
    let all = container.list_at("envFrom").iter().find_map(|it| {
        let maps = it.get("configMapRef").map(|it| (CONFIG_MAPS, it));
        let (source, reference) = maps.or_else(|| it.get("secretRef").map(|it| (SECRETS, it)))?;
        let found = source.find(view, pod, &text(reference, "name"));
        found.err().filter(|_| !is_optional(reference))
    });
    all.or_else(|| container.list_at("env").iter().find_map(|it| missing_key(view, pod, it.get("valueFrom")?)))
}

fn missing_key(view: &View<'_>, pod: &Object, from: &Value) -> Option<String> {
    let maps = from.get("configMapKeyRef").map(|it| (CONFIG_MAPS, it));
    let (source, reference) = maps.or_else(|| from.get("secretKeyRef").map(|it| (SECRETS, it)))?;
    if is_optional(reference) {
        return None;
    }
    let name = &text(reference, "name");
    let key = reference.str_at("key").unwrap_or("");
    match source.find(view, pod, name) {
        Ok(it) if it.map_at("data").is_some_and(|it| it.contains_key(key)) => None,
        Ok(_) => Some(format!("couldn't find key {key} in {} {}/{name}", source.name, pod.namespace())),
        Err(why) => Some(why),
    }
}

/// Volumes of a pod that cannot be mounted, and why.
pub(crate) fn missing_volumes(view: &View<'_>, pod: &Object) -> Vec<(Str, String)> {
    let one = |volume: &Value| {
        let name = volume.get("name").and_then(Value::as_shared_str)?;
        Some((name.clone(), missing_volume(view, pod, volume)?))
    };
    pod.list_at("spec.volumes").iter().filter_map(one).collect()
}

fn missing_volume(view: &View<'_>, pod: &Object, volume: &Value) -> Option<String> {
    let Some(projected) = volume.get("projected") else { return missing_files(view, pod, volume) };
    let sources = projected.list_at("sources").iter();
    let mut errors: Vec<String> = sources.filter_map(|it| missing_files(view, pod, it)).collect();
    match errors.len() {
        0 => None,
        1 => errors.pop(),
        _ => Some(format!("[{}]", errors.join(", "))),
    }
}

/// What is missing for the files of a ConfigMap or a Secret.
fn missing_files(view: &View<'_>, pod: &Object, volume: &Value) -> Option<String> {
    let maps = volume.get("configMap").map(|it| (CONFIG_MAPS, it));
    let (source, reference) = maps.or_else(|| volume.get("secret").map(|it| (SECRETS, it)))?;
    if is_optional(reference) {
        return None;
    }
    let name = &text(reference, if reference.at("secretName").is_some() { "secretName" } else { "name" });
    let object = match source.find(view, pod, name) {
        Ok(it) => it,
        Err(why) => return Some(why),
    };
    let has =
        |key: &str| ["data", "binaryData"].iter().any(|it| object.map_at(it).is_some_and(|it| it.contains_key(key)));
    let mut keys = reference.list_at("items").iter().filter_map(|it| it.str_at("key"));
    keys.find(|it| !has(it)).map(|key| format!("{}: {key}", source.item))
}
