//! Parameters of operations.

use value::{Value, map, value};

use super::Version;

/// Those of these types; the others are text.
const BOOLEANS: [&str; 14] = [
    "allowWatchBookmarks",
    "follow",
    "force",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "insecureSkipTLSVerifyBackend",
    "orphanDependents",
    "previous",
    "sendInitialEvents",
    "stderr",
    "stdin",
    "stdout",
    "timestamps",
    "tty",
    "watch",
];
const INTEGERS: [&str; 7] =
    ["gracePeriodSeconds", "limit", "limitBytes", "ports", "sinceSeconds", "tailLines", "timeoutSeconds"];

/// The path behind a proxy, told from the parameter `path` of its query.
pub(super) const REST: &str = "/path";

/// Of lists and watches.
pub(super) const LIST: &[&str] = &[
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "shardSelector",
    "timeoutSeconds",
    "watch",
];
/// Of the deletion of one object.
pub(super) const DELETE: &[&str] = &[
    "dryRun",
    "gracePeriodSeconds",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "orphanDependents",
    "propagationPolicy",
];
/// Of the deletion of many.
pub(super) const DELETE_COLLECTION: &[&str] = &[
    "continue",
    "dryRun",
    "fieldSelector",
    "gracePeriodSeconds",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "labelSelector",
    "limit",
    "orphanDependents",
    "propagationPolicy",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "shardSelector",
    "timeoutSeconds",
];
/// Of creations and updates.
pub(super) const WRITE: &[&str] = &["dryRun", "fieldManager", "fieldValidation"];
/// Of patches.
pub(super) const PATCH: &[&str] = &["dryRun", "fieldManager", "fieldValidation", "force"];

/// Parameters of connections and logs by their subresource.
pub(super) const CONNECTIONS: [(&str, &[&str]); 5] = [
    ("attach", &["container", "stderr", "stdin", "stdout", "tty"]),
    ("exec", &["command", "container", "stderr", "stdin", "stdout", "tty"]),
    (
        "log",
        &[
            "container",
            "follow",
            "insecureSkipTLSVerifyBackend",
            "limitBytes",
            "pretty",
            "previous",
            "sinceSeconds",
            "stream",
            "tailLines",
            "timestamps",
        ],
    ),
    ("portforward", &["ports"]),
    ("proxy", &["path"]),
];

pub(super) fn parameter(name: &str, form: Version) -> Value {
    let kind = match name {
        _ if BOOLEANS.contains(&name) => "boolean",
        _ if INTEGERS.contains(&name) => "integer",
        _ => "string",
    };
    let is_path = matches!(name, "name" | "namespace" | REST);
    let mut res = map!({ "name": name.trim_start_matches('/'), "in": if is_path { "path" } else { "query" } });
    match form {
        Version::V2 => {
            res.insert("type", kind);
            res.insert("uniqueItems", true);
        }
        Version::V3 => res.insert("schema", value!({ "type": kind, "uniqueItems": true })),
    }
    if is_path {
        res.insert("required", true);
    }
    res.into()
}

pub(super) fn parameters(names: &[&str], form: Version) -> Value {
    let mut names = names.to_vec();
    names.sort_by_key(|it| it.trim_start_matches('/'));
    names.iter().map(|it| parameter(it, form)).collect::<Vec<_>>().into()
}
