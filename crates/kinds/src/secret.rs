//! Secret. Follows `pkg/apis/core/validation`.

use meta::{Errors, Object, names};
use value::{Map, Str, Value, base64, json};

use crate::config_map::{SIZE_MAX, decoded_len, part, validate_immutable};
use crate::path::Path;
use crate::pod_template::fields::{opt_text, pairs};
use crate::{Kind, Scope, SelectableField, Strategy, columns};

/// Names the account of a token (`ServiceAccountNameKey`).
const ACCOUNT_NAME: &str = "kubernetes.io/service-account.name";

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.core.v1.Secret",
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Type", "What the data is for.", |it, _| columns::string(it, "type")),
                columns::text("Data", "How many entries there are.", |it, _| (part(it, "data").len() as i64).into()),
                columns::created(),
            ]
        }
    },
    selectable_fields: &[SelectableField {
        name: "type",
        read: |it| it.at("type").and_then(Value::as_shared_str).cloned().unwrap_or_default(),
    }],
    strategy: Strategy { default, validate, validate_update, warnings, metadata_checks: 2, ..Strategy::PLAIN },
    ..Kind::new(Scope::Namespaced, "", "v1", "Secret", "secrets")
};

/// `stringData` is for writing only: it becomes `data`.
fn default(secret: &mut Object) {
    if let Some(texts) = secret.body.remove("stringData") {
        let mut data = part(secret, "data").clone();
        for (key, value) in texts.as_map().into_iter().flat_map(pairs) {
            data.insert(key, base64::encode(value.as_bytes()));
        }
        if !data.is_empty() {
            secret.body.insert("data", data);
        }
    }
    if secret.str_at("type").is_none_or(str::is_empty) {
        secret.body.insert("type", "Opaque");
    }
}

fn validate(secret: &Object, errors: &mut Errors) {
    let data = part(secret, "data");
    let path = Path::root("data");
    let mut size = 0;
    for (key, value) in pairs(data) {
        path.key(key).invalid_each(errors, key, &names::config_map_key(key));
        size += decoded_len(value);
    }
    if size > SIZE_MAX {
        path.too_long(errors, SIZE_MAX);
    }
    fits_type(secret, data, &path, errors);
}

fn fits_type(secret: &Object, data: &Map, path: &Path<'_>, errors: &mut Errors) {
    let mut required = |key: &str| path.key(key).required(errors, "");
    match secret.str_at("type").unwrap_or("") {
        "kubernetes.io/service-account-token" if is_empty(secret.meta.annotation(ACCOUNT_NAME)) => {
            Path::root("metadata.annotations").key(ACCOUNT_NAME).required(errors, "");
        }
        "kubernetes.io/dockercfg" => holds_json(data, ".dockercfg", path, errors),
        "kubernetes.io/dockerconfigjson" => holds_json(data, ".dockerconfigjson", path, errors),
        "kubernetes.io/basic-auth" if !data.contains_key("username") && !data.contains_key("password") => {
            required("username");
            required("password");
        }
        "kubernetes.io/ssh-auth" if is_empty(opt_text(data, "ssh-privatekey")) => required("ssh-privatekey"),
        "kubernetes.io/tls" => {
            for key in ["tls.crt", "tls.key"].into_iter().filter(|it| !data.contains_key(it)) {
                required(key);
            }
        }
        _ => (),
    }
}

fn is_empty(text: Option<&str>) -> bool {
    text.is_none_or(str::is_empty)
}

fn holds_json(data: &Map, key: &str, path: &Path<'_>, errors: &mut Errors) {
    let path = path.key(key);
    if !data.contains_key(key) {
        return path.required(errors, "");
    }
    let problem = match json::parse(&decoded(data, key)) {
        Ok(Value::Map(_) | Value::Null) => return,
        Ok(other) => {
            format!("json: cannot unmarshal {} into Go value of type map[string]interface {{}}", other.json_type())
        }
        Err(error) => error.to_string(),
    };
    path.invalid(errors, "<secret contents redacted>", &problem);
}

fn decoded(data: &Map, key: &str) -> Vec<u8> {
    opt_text(data, key).and_then(|it| base64::decode(it).ok()).unwrap_or_default()
}

fn validate_update(new: &Object, old: &Object, errors: &mut Errors) {
    let kind_of = |it: &Object| it.at("type").and_then(Value::as_shared_str).cloned().unwrap_or_default();
    let (now, before): (Str, Str) = (kind_of(new), kind_of(old));
    if now != before {
        Path::root("type").invalid(errors, &now, "field is immutable");
    }
    validate_immutable(new, old, &["data"], errors);
    validate(new, errors);
}

/// What `tls.X509KeyPair` says of text without certificate or key; what is in them is not looked at.
fn warnings(secret: &Object, _old: Option<&Object>) -> Vec<String> {
    if secret.str_at("type") != Some("kubernetes.io/tls") {
        return Vec::new();
    }
    let data = part(secret, "data");
    let lost = [("tls.crt", "certificate"), ("tls.key", "key")].into_iter().find(|(key, _)| {
        let text = decoded(data, key);
        !text.windows(PEM.len()).any(|it| it == PEM)
    });
    lost.map(|(_, what)| format!("tls: failed to find any PEM data in {what} input")).into_iter().collect()
}

const PEM: &[u8] = b"-----BEGIN ";
