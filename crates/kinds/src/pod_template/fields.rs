//! Reads fields of trees as Go reads its structs: what is absent or null is the zero value.

use std::sync::LazyLock;

use meta::{Errors, names};
use value::{Map, Value};

use crate::path::Path;

static EMPTY: LazyLock<Map> = LazyLock::new(Map::new);

/// The text under `key`; empty where there is none.
pub(crate) fn text<'a>(map: &'a Map, key: &str) -> &'a str {
    map.get(key).and_then(Value::as_str).unwrap_or("")
}

/// The text under `key`, where a pointer tells absent from empty.
pub(crate) fn opt_text<'a>(map: &'a Map, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str)
}

/// The number under `key`; 0 where there is none.
pub(crate) fn int(map: &Map, key: &str) -> i64 {
    opt_int(map, key).unwrap_or(0)
}

/// The number under `key`, where a pointer tells absent from 0.
pub(crate) fn opt_int(map: &Map, key: &str) -> Option<i64> {
    map.get(key).and_then(Value::as_i64)
}

/// The flag under `key`; false where there is none.
pub(crate) fn flag(map: &Map, key: &str) -> bool {
    opt_flag(map, key).unwrap_or(false)
}

/// The flag under `key`, where a pointer tells absent from false.
pub(crate) fn opt_flag(map: &Map, key: &str) -> Option<bool> {
    map.get(key).and_then(Value::as_bool)
}

/// The list under `key`; empty where there is none.
pub(crate) fn list<'a>(map: &'a Map, key: &str) -> &'a [Value] {
    map.get(key).and_then(Value::as_list).map_or(&[], |it| it)
}

/// The map under `key`, if there is one.
pub(crate) fn child<'a>(map: &'a Map, key: &str) -> Option<&'a Map> {
    map.get(key).and_then(Value::as_map)
}

/// The map under `key`; an empty one where there is none.
pub(crate) fn child_or_empty<'a>(map: &'a Map, key: &str) -> &'a Map {
    child(map, key).unwrap_or(&EMPTY)
}

/// Whether `key` is set to anything but null.
pub(crate) fn has(map: &Map, key: &str) -> bool {
    map.get(key).is_some_and(|it| !it.is_null())
}

/// The value as a map; an empty one where it is something else.
pub(crate) fn as_map(value: &Value) -> &Map {
    value.as_map().unwrap_or(&EMPTY)
}

/// The maps of the list under `key`, numbered.
pub(crate) fn maps<'a>(map: &'a Map, key: &str) -> impl Iterator<Item = (usize, &'a Map)> + Clone {
    list(map, key).iter().map(as_map).enumerate()
}

/// The texts of the list under `key`, numbered.
pub(crate) fn texts<'a>(map: &'a Map, key: &str) -> impl Iterator<Item = (usize, &'a str)> + Clone {
    list(map, key).iter().map(|it| it.as_str().unwrap_or("")).enumerate()
}

/// Texts of a map such as labels; keys in order.
pub(crate) fn pairs(map: &Map) -> impl Iterator<Item = (&str, &str)> {
    map.iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap_or("")))
}

/// Sets the text under `key` where there is none or an empty one.
pub(crate) fn set_if_empty(map: &mut Map, key: &str, value: &str) {
    if text(map, key).is_empty() {
        map.insert(key, value);
    }
}

/// `Required value` where the text under `key` is empty.
pub(crate) fn require(map: &Map, key: &str, path: &Path<'_>, errors: &mut Errors) {
    if text(map, key).is_empty() {
        path.child(key).required(errors, "");
    }
}

/// `Unsupported value` where `have` is none of `supported`.
pub(crate) fn one_of(have: &str, supported: &[&str], path: &Path<'_>, errors: &mut Errors) {
    if !supported.contains(&have) {
        path.not_supported(errors, have, supported);
    }
}

/// `Required value` for an empty text, `Unsupported value` where it is none of `supported`.
pub(crate) fn required_one_of(have: &str, supported: &[&str], path: &Path<'_>, errors: &mut Errors) {
    if have.is_empty() {
        path.required(errors, "");
    } else {
        one_of(have, supported, path, errors);
    }
}

/// `must be greater than or equal to 0`
pub(crate) fn non_negative(value: i64, path: &Path<'_>, errors: &mut Errors) {
    if value < 0 {
        path.invalid(errors, value, "must be greater than or equal to 0");
    }
}

/// `IsDomainPrefixedPath`: `acme.io/foo`
pub(crate) fn domain_prefixed_path(text: &str, path: &Path<'_>, errors: &mut Errors) {
    if text.is_empty() {
        return path.required(errors, "");
    }
    let Some((domain, rest)) = text.split_once('/').filter(|(domain, rest)| !domain.is_empty() && !rest.is_empty())
    else {
        return path.invalid(errors, text, "must be a domain-prefixed path (such as \"acme.io/foo\")");
    };
    named(domain, names::dns_subdomain, path, errors);
    let allowed = |it: char| it.is_ascii_alphanumeric() || "/-._~%!$&'()*+,;=:".contains(it);
    if !rest.chars().all(allowed) {
        let message = names::regex_error("Invalid path", r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", &[]);
        path.invalid(errors, rest, &message);
    }
}

/// `must be greater than zero`
pub(crate) fn positive(value: i64, path: &Path<'_>, errors: &mut Errors) {
    if value <= 0 {
        path.invalid(errors, value, "must be greater than zero");
    }
}

/// One `Invalid value` for each message that `check` has on `bad`.
pub(crate) fn named(bad: &str, check: fn(&str) -> Vec<String>, path: &Path<'_>, errors: &mut Errors) {
    path.invalid_each(errors, bad, &check(bad));
}

/// The maps of init containers, containers and ephemeral containers with their paths, in upstream's order (`VisitContainersWithPath`).
pub(crate) fn each_container<'a>(spec: &'a Map, path: &Path<'_>, visit: &mut dyn FnMut(&'a Map, &Path<'_>)) {
    for key in ["initContainers", "containers", "ephemeralContainers"] {
        for (idx, container) in maps(spec, key) {
            visit(container, &path.child(key).index(idx));
        }
    }
}
