//! ConfigMap. Follows `pkg/apis/core/validation`.

use meta::{Errors, Object, names};
use value::{Map, base64};

use crate::path::Path;
use crate::pod_template::fields::{child_or_empty, pairs};
use crate::{Kind, Scope, Strategy, columns};

/// Bytes of all values together (`MaxSecretSize`).
pub(crate) const SIZE_MAX: usize = 1024 * 1024;
const IMMUTABLE: &str = "field is immutable when `immutable` is set";

pub(crate) const KIND: Kind = Kind {
    short_names: &["cm"],
    definition: "io.k8s.api.core.v1.ConfigMap",
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Data", "How many entries there are.", |it, _| {
                    ((part(it, "data").len() + part(it, "binaryData").len()) as i64).into()
                }),
                columns::created(),
            ]
        }
    },
    strategy: Strategy { validate, validate_update, metadata_checks: 2, ..Strategy::PLAIN },
    ..Kind::new(Scope::Namespaced, "", "v1", "ConfigMap", "configmaps")
};

pub(crate) fn part<'a>(it: &'a Object, key: &str) -> &'a Map {
    child_or_empty(&it.body, key)
}

/// How many bytes base64 text stands for.
pub(crate) fn decoded_len(text: &str) -> usize {
    base64::decode(text).map_or(0, |it| it.len())
}

fn validate(it: &Object, errors: &mut Errors) {
    let (data, binary) = (part(it, "data"), part(it, "binaryData"));
    let mut size = 0;
    for (key, value) in pairs(data) {
        let path = Path::root("data");
        let path = path.key(key);
        path.invalid_each(errors, key, &names::config_map_key(key));
        if binary.contains_key(key) {
            path.invalid(errors, key, "duplicate of key present in binaryData");
        }
        size += value.len();
    }
    for (key, value) in pairs(binary) {
        Path::root("binaryData").key(key).invalid_each(errors, key, &names::config_map_key(key));
        size += decoded_len(value);
    }
    if size > SIZE_MAX {
        Path::root("").too_long(errors, SIZE_MAX);
    }
}

/// What an immutable object may not change.
pub(crate) fn validate_immutable(new: &Object, old: &Object, parts: &[&str], errors: &mut Errors) {
    if old.bool_at("immutable") != Some(true) {
        return;
    }
    if new.bool_at("immutable") != Some(true) {
        Path::root("immutable").forbidden(errors, IMMUTABLE);
    }
    for key in parts {
        if part(new, key) != part(old, key) {
            Path::root(key).forbidden(errors, IMMUTABLE);
        }
    }
}

fn validate_update(new: &Object, old: &Object, errors: &mut Errors) {
    validate_immutable(new, old, &["data", "binaryData"], errors);
    validate(new, errors);
}
