//! What a container sees around it: variables, its host's name, the files of its volumes.

use std::collections::BTreeMap;

use kinds::{CONFIG_MAP, SECRET, SERVICE};
use meta::{Key, Object};
use runtime::View;
use value::quantity::Quantity;
use value::{Map, Str, Value, base64};

use crate::shell::Surroundings;

/// Variables and the host's name as the container sees them.
pub(crate) fn surroundings(view: &View<'_>, pod: &Object, container: &Value) -> Surroundings {
    let mut variables: Vec<(Str, Str)> = Vec::new();
    for source in container.list_at("envFrom") {
        let prefix = source.str_at("prefix").unwrap_or("");
        let map = source_of(view, pod, source, "configMapRef", "secretRef");
        variables.extend(map.into_iter().map(|(key, text)| (format!("{prefix}{key}").into(), text)));
    }
    for it in container.list_at("env") {
        let Some(name) = it.get("name").and_then(Value::as_shared_str) else { continue };
        let value = match it.str_at("value") {
            Some(text) => expanded(text, &variables),
            None => match from_elsewhere(view, pod, container, it) {
                Some(text) => text,
                // What is optional and missing is no variable.
                None if it.at("valueFrom.configMapKeyRef").or(it.at("valueFrom.secretKeyRef")).is_some() => continue,
                None => Str::default(),
            },
        };
        variables.push((name.clone(), value));
    }
    Surroundings {
        variables,
        files: BTreeMap::new(),
        image: container.get("image").and_then(Value::as_shared_str).cloned().unwrap_or_default(),
        hostname: pod.at("spec.hostname").and_then(Value::as_shared_str).unwrap_or(&pod.meta.name).clone(),
        unknown_ends: pod.meta.controller().is_some_and(|it| it.kind == "Job"),
    }
}

/// The same with the files of the container's volumes, for a program that may read them.
pub(crate) fn with_files(view: &View<'_>, pod: &Object, container: &Value) -> Surroundings {
    Surroundings { files: files(view, pod, container), ..surroundings(view, pod, container) }
}

/// `$(NAME)` of variables that came before.
fn expanded(text: &str, variables: &[(Str, Str)]) -> Str {
    if !text.contains("$(") {
        return text.into();
    }
    let one = |text: String, (name, value): &(Str, Str)| text.replace(&format!("$({name})"), value);
    variables.iter().fold(text.to_owned(), one).into()
}

/// `valueFrom` of a variable: a field of the pod, a key of a ConfigMap or a Secret, an amount of a resource.
fn from_elsewhere(view: &View<'_>, pod: &Object, container: &Value, variable: &Value) -> Option<Str> {
    let from = variable.get("valueFrom")?;
    if let Some(path) = from.str_at("fieldRef.fieldPath") {
        return field(pod, path);
    }
    if let Some(reference) = from.get("resourceFieldRef") {
        return amount(pod, container, reference);
    }
    let key = from.str_at("configMapKeyRef.key").or_else(|| from.str_at("secretKeyRef.key"))?;
    let texts = source_of(view, pod, from, "configMapKeyRef", "secretKeyRef");
    texts.into_iter().find(|(name, _)| name == key).map(|(_, text)| text)
}

fn field(pod: &Object, path: &str) -> Option<Str> {
    let keyed = |map: &Map, prefix: &str| {
        let key = path.strip_prefix(prefix)?.strip_prefix("['")?.strip_suffix("']")?;
        map.get(key)?.as_shared_str().cloned()
    };
    match path {
        "metadata.name" => Some(pod.meta.name.clone()),
        "metadata.namespace" => Some(pod.meta.namespace.clone()),
        "metadata.uid" => Some(pod.meta.uid.clone()),
        "metadata.labels" => Some(lines(&pod.meta.labels)),
        "metadata.annotations" => Some(lines(&pod.meta.annotations)),
        path => keyed(&pod.meta.labels, "metadata.labels")
            .or_else(|| keyed(&pod.meta.annotations, "metadata.annotations"))
            .or_else(|| pod.body.at_any(path)?.as_shared_str().cloned()),
    }
}

/// Labels or annotations as a file of the downward API has them.
fn lines(map: &Map) -> Str {
    let line = |(key, it): (&Str, &Value)| format!("{key}={}", meta::quoted(it.as_str().unwrap_or("")));
    map.iter().map(line).collect::<Vec<_>>().join("\n").into()
}

/// `limits.cpu` and the like, in whole units of the divisor.
fn amount(pod: &Object, container: &Value, reference: &Value) -> Option<Str> {
    let named = reference.str_at("containerName").filter(|it| !it.is_empty());
    let mut containers = pod.list_at("spec.containers").iter();
    let of = named.map_or(Some(container), |name| containers.find(|it| it.str_at("name") == Some(name)))?;
    let found = of.map_at("resources")?.at_any(reference.str_at("resource")?)?;
    let amount = Quantity::parse(found.as_str()?).ok()?;
    let divisor = reference.str_at("divisor").and_then(|it| Quantity::parse(it).ok());
    let (amount, divisor) = match divisor.as_ref().map(Quantity::milli_value) {
        Some(millis) if millis > 0 && millis < 1000 => (amount.milli_value(), millis),
        Some(millis) if millis >= 1000 => (amount.value(), millis / 1000),
        _ => (amount.value(), 1),
    };
    Some((amount.saturating_add(divisor - 1) / divisor).to_string().into())
}

/// The texts of the ConfigMap or the Secret that one of two fields names.
fn source_of(view: &View<'_>, pod: &Object, from: &Value, config_map: &str, secret: &str) -> Vec<(Str, Str)> {
    let key = |field: &str| {
        let reference = from.get(field)?;
        Some(Key::new(pod.namespace(), reference.str_at("name").or_else(|| reference.str_at("secretName"))?))
    };
    if let Some(map) = key(config_map).and_then(|it| view.get(CONFIG_MAP, &it)) {
        return texts(map, "data", false).chain(texts(map, "binaryData", true)).collect();
    }
    let secret = key(secret).and_then(|it| view.get(SECRET, &it));
    secret.into_iter().flat_map(|it| texts(it, "data", true)).collect()
}

fn texts<'a>(object: &'a Object, field: &'static str, is_encoded: bool) -> impl Iterator<Item = (Str, Str)> + use<'a> {
    let entries = object.map_at(field).into_iter().flat_map(Map::iter);
    entries.filter_map(move |(key, it)| {
        let text = it.as_shared_str()?;
        let text = match is_encoded {
            true => String::from_utf8_lossy(&base64::decode(text).ok()?).into_owned().into(),
            false => text.clone(),
        };
        Some((key.clone(), text))
    })
}

/// Variables that every process of a container has, with those of the Services that were there before it.
pub(crate) fn of_every_process(view: &View<'_>, pod: &Object) -> Vec<(Str, Str)> {
    let mut res: Vec<(Str, Str)> = vec![
        ("HOME".into(), "/root".into()),
        ("PATH".into(), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into()),
    ];
    let with_links = pod.bool_at("spec.enableServiceLinks") != Some(false);
    let own = view.list(SERVICE, None).filter(|it| {
        let is_api = it.name() == "kubernetes" && it.namespace() == "default";
        is_api || (with_links && it.namespace() == pod.namespace() && it.meta.created <= pod.meta.created)
    });
    for service in own {
        let Some(ip) = service.str_at("spec.clusterIP").filter(|it| !matches!(*it, "" | "None")) else { continue };
        let name = service.name().to_ascii_uppercase().replace('-', "_");
        for (idx, port) in service.list_at("spec.ports").iter().enumerate() {
            let number = port.i64_at("port").unwrap_or(0);
            let protocol = port.str_at("protocol").unwrap_or("TCP");
            let (upper, lower) = (protocol.to_ascii_uppercase(), protocol.to_ascii_lowercase());
            let mut add = |key: String, text: String| res.push((key.into(), text.into()));
            if idx == 0 {
                add(format!("{name}_SERVICE_HOST"), ip.to_owned());
                add(format!("{name}_SERVICE_PORT"), number.to_string());
                add(format!("{name}_PORT"), format!("{lower}://{ip}:{number}"));
            }
            if let Some(port_name) = port.str_at("name").filter(|it| !it.is_empty()) {
                let port_name = port_name.to_ascii_uppercase().replace('-', "_");
                add(format!("{name}_SERVICE_PORT_{port_name}"), number.to_string());
            }
            let prefix = format!("{name}_PORT_{number}_{upper}");
            add(prefix.clone(), format!("{lower}://{ip}:{number}"));
            add(format!("{prefix}_PROTO"), lower);
            add(format!("{prefix}_PORT"), number.to_string());
            add(format!("{prefix}_ADDR"), ip.to_owned());
        }
    }
    res
}

/// Files of the volumes that are mounted, by their paths.
fn files(view: &View<'_>, pod: &Object, container: &Value) -> BTreeMap<String, String> {
    let mut res = BTreeMap::new();
    for mount in container.list_at("volumeMounts") {
        let (Some(name), Some(path)) = (mount.str_at("name"), mount.str_at("mountPath")) else { continue };
        let volume = pod.list_at("spec.volumes").iter().find(|it| it.str_at("name") == Some(name));
        let Some(volume) = volume else { continue };
        let path = path.trim_end_matches('/');
        let part = mount.str_at("subPath").filter(|it| !it.is_empty());
        for (file, text) in contents(view, pod, container, volume) {
            match part {
                Some(part) if file == part => drop(res.insert(path.to_owned(), text)),
                Some(part) => {
                    if let Some(rest) = file.strip_prefix(part).filter(|it| it.starts_with('/')) {
                        res.insert(format!("{path}{rest}"), text);
                    }
                }
                None => drop(res.insert(format!("{path}/{file}"), text)),
            }
        }
    }
    res
}

/// The files of one volume, by their paths in it.
fn contents(view: &View<'_>, pod: &Object, container: &Value, volume: &Value) -> Vec<(String, String)> {
    if let Some(projected) = volume.get("projected") {
        return projected.list_at("sources").iter().flat_map(|it| contents(view, pod, container, it)).collect();
    }
    if let Some(token) = volume.get("serviceAccountToken") {
        let path = token.str_at("path").unwrap_or("token");
        let account = pod.str_at("spec.serviceAccountName").unwrap_or("default");
        return vec![(path.to_owned(), format!("token of {}/{account}, bound to pod {}", pod.namespace(), pod.name()))];
    }
    if let Some(downward) = volume.get("downwardAPI") {
        let file = |it: &Value| {
            let text = match it.get("resourceFieldRef") {
                Some(reference) => amount(pod, container, reference),
                None => field(pod, it.str_at("fieldRef.fieldPath")?),
            };
            Some((it.str_at("path")?.to_owned(), text?.to_string()))
        };
        return downward.list_at("items").iter().filter_map(file).collect();
    }
    let source = volume.get("configMap").or_else(|| volume.get("secret"));
    let all = source_of(view, pod, volume, "configMap", "secret");
    let items = source.map_or(&[][..], |it| it.list_at("items"));
    if items.is_empty() {
        return all.into_iter().map(|(key, text)| (key.to_string(), text.to_string())).collect();
    }
    let file = |it: &Value| {
        let key = it.str_at("key")?;
        let (_, text) = all.iter().find(|(name, _)| *name == key)?;
        Some((it.str_at("path").unwrap_or(key).to_owned(), text.to_string()))
    };
    items.iter().filter_map(file).collect()
}
