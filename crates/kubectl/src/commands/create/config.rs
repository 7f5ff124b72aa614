//! Config maps and secrets from files and literals.

use meta::quoted;
use value::{Map, Value, base64, value};

use super::{finish, name};
use crate::failure::{Failure, Result, fail};
use crate::shell::{Cx, Flow};

/// What is said of a wrong key.
const KEY_RULE: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.len() <= 253 && key.bytes().all(|it| it.is_ascii_alphanumeric() || b"-._".contains(&it))
}

/// The entries of `--from-file`, `--from-literal` and `--from-env-file`.
fn entries(cx: &Cx<'_>) -> Result<Vec<(String, Vec<u8>)>> {
    let flags = cx.flags();
    if flags.changed("from-env-file") && (flags.changed("from-file") || flags.changed("from-literal")) {
        return fail("from-env-file cannot be combined with from-file or from-literal");
    }
    let mut res = Vec::new();
    for source in flags.all("from-file") {
        let (key, path) = match source.split_once('=') {
            Some(("", _)) => return fail(format!("key name for file path {} missing", &source[1..])),
            Some((_, "")) => return fail(format!("file path for key name {} missing", source.trim_end_matches('='))),
            Some((_, path)) if path.contains('=') => return fail("key names or file paths cannot contain '='"),
            Some((key, path)) => (Some(key), path),
            None => (None, source),
        };
        let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        if let Some(bytes) = cx.shell.input.files.get(path) {
            res.push((key.map_or_else(|| base(path), str::to_owned), bytes.clone()));
            continue;
        }
        let folder = format!("{}/", path.trim_end_matches('/'));
        let inside: Vec<_> = cx
            .shell
            .input
            .files
            .iter()
            .filter(|(name, _)| name.strip_prefix(&folder).is_some_and(|it| !it.contains('/')))
            .collect();
        match (inside.is_empty(), key) {
            (true, _) => return fail(format!("error reading {path}: no such file or directory")),
            (false, Some(_)) => return fail("cannot give a key name for a directory path"),
            (false, None) => {
                res.extend(
                    inside.into_iter().map(|(name, bytes)| (base(name), bytes.clone())).filter(|(key, _)| is_key(key)),
                );
            }
        }
    }
    for source in flags.all("from-literal") {
        let Some((key, text)) = source.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return fail(format!("invalid literal source {source}, expected key=value"));
        };
        let text = text.trim_matches(['\'', '"']);
        res.push((key.to_owned(), text.as_bytes().to_vec()));
    }
    for path in flags.all("from-env-file") {
        let bytes =
            cx.file(path).map_err(|_| Failure::Text(format!("error reading {path}: no such file or directory")))?;
        for line in String::from_utf8_lossy(&bytes).lines() {
            let line = line.trim_start();
            if !line.is_empty() && !line.starts_with('#') {
                let (key, text) = line.split_once('=').unwrap_or((line, ""));
                res.push((key.to_owned(), text.as_bytes().to_vec()));
            }
        }
    }
    Ok(res)
}

pub(super) fn config_map(cx: &mut Cx<'_>) -> Result<Flow> {
    let name = name(cx, "create configmap")?;
    let (mut data, mut binary) = (Map::new(), Map::new());
    for (key, bytes) in entries(cx)? {
        if !is_key(&key) {
            return fail(format!("{} is not a valid key name for a ConfigMap: {KEY_RULE}", quoted(&key)));
        }
        for (map, field) in [(&data, "Data"), (&binary, "BinaryData")] {
            if map.contains_key(&key) {
                return fail(format!(
                    "cannot add key {}, another key by that name already exists in {field} for ConfigMap {}",
                    quoted(&key),
                    quoted(&name)
                ));
            }
        }
        match String::from_utf8(bytes) {
            Ok(text) => data.insert(key, text),
            Err(error) => binary.insert(key, base64::encode(error.as_bytes())),
        }
    }
    let mut object = value!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    for (field, map) in [("data", data), ("binaryData", binary)] {
        if !map.is_empty() {
            object.set(field, map);
        }
    }
    finish(cx, object, "failed to create configmap: ")
}

fn finish_secret(cx: &mut Cx<'_>, name: String, entries: Vec<(String, Vec<u8>)>, kind: &str) -> Result<Flow> {
    let mut data = Map::new();
    for (key, bytes) in entries {
        if !is_key(&key) {
            return fail(format!("{} is not valid key name for a Secret {KEY_RULE}", quoted(&key)));
        }
        if data.contains_key(&key) {
            return fail(format!("cannot add key {key}, another key by that name already exists"));
        }
        data.insert(key, base64::encode(&bytes));
    }
    let mut object = value!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}});
    if !data.is_empty() {
        object.set("data", data);
    }
    if !kind.is_empty() {
        object.set("type", kind);
    }
    finish(cx, object, "failed to create secret ")
}

pub(super) fn secret(cx: &mut Cx<'_>) -> Result<Flow> {
    let name = name(cx, "create secret generic")?;
    let entries = entries(cx)?;
    let kind = cx.text("type");
    finish_secret(cx, name, entries, &kind)
}

pub(super) fn docker_secret(cx: &mut Cx<'_>) -> Result<Flow> {
    let name = name(cx, "create secret docker-registry")?;
    let mut entries = entries(cx)?;
    if entries.is_empty() {
        let (user, password, email) = (cx.text("docker-username"), cx.text("docker-password"), cx.text("docker-email"));
        if user.is_empty() || password.is_empty() {
            return fail(
                "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
            );
        }
        let server = cx.flags().text_or("docker-server", "https://index.docker.io/v1/");
        let auth = base64::encode(format!("{user}:{password}").as_bytes());
        let quote = |text: &str| value::json::to_string(&Value::from(text));
        let mut fields = vec![("username", user), ("password", password), ("email", email), ("auth", auth)];
        fields.retain(|(_, text)| !text.is_empty());
        let fields: Vec<String> = fields.iter().map(|(key, text)| format!("{}:{}", quote(key), quote(text))).collect();
        let text = format!("{{\"auths\":{{{}:{{{}}}}}}}", quote(server), fields.join(","));
        entries.push((".dockerconfigjson".into(), text.into_bytes()));
    }
    finish_secret(cx, name, entries, "kubernetes.io/dockerconfigjson")
}

pub(super) fn tls_secret(cx: &mut Cx<'_>) -> Result<Flow> {
    let name = name(cx, "create secret tls")?;
    let (cert, key) = (cx.text("cert"), cx.text("key"));
    if cert.is_empty() || key.is_empty() {
        return fail("key and cert must be specified");
    }
    let entries = vec![("tls.crt".to_owned(), cx.file(&cert)?), ("tls.key".to_owned(), cx.file(&key)?)];
    finish_secret(cx, name, entries, "kubernetes.io/tls")
}
