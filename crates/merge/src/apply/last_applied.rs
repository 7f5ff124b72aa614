//! The annotation of client-side apply: `kubectl apply --server-side` inherits what it names and keeps it up to date.

use meta::{KindId, Object};
use schema::{Schema, TypeId};
use value::{Map, Value, json};

use super::{check, set};
use crate::fields::difference;
use crate::memo::Memory;
use crate::resets::Resets;
use crate::steps::{changed, removed};

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// `TotalAnnotationSizeLimitB`
const ANNOTATIONS_BYTES_MAX: usize = 256 * 1024;

fn annotation(whole: &Value) -> Option<&str> {
    whole.at("metadata.annotations")?.get(ANNOTATION)?.as_str().filter(|it| !it.is_empty())
}

/// Fields that the annotation names and that the live object still has as named.
pub(super) fn owned(
    schema: &Schema,
    ty: Option<TypeId>,
    api_version: &str,
    live_tree: &Value,
    live: &Object,
    memo: &mut Memory,
) -> Option<Map> {
    let config = json::parse(annotation(live_tree)?.as_bytes()).ok()?;
    if config.str_at("apiVersion") != Some(api_version) || check::check(schema, ty, &config).is_err() {
        return None;
    }
    let set = set::set_of(schema, ty, &config);
    let config = Object::from_map(KindId(0), config.as_map()?);
    let changes = memo.changes(schema, ty, Some(&config), live, Resets(&[]));
    Some(difference(&difference(&set, &changed(&changes)), &removed(&changes)))
}

/// Writes what was applied into the annotation, where there is one.
pub(super) fn follow(whole: &mut Option<Value>, live: impl Fn() -> Value, config: &Value) {
    let mut tree = whole.clone().unwrap_or_else(live);
    let Some(have) = annotation(&tree) else { return };
    let mut plain = config.clone();
    if let Some(map) = plain.as_map_mut() {
        map.edit_map("metadata", |metadata| {
            metadata.edit_map("annotations", |it| {
                it.remove(ANNOTATION);
            });
        });
    }
    let text = json::to_string(&plain) + "\n";
    if have == text {
        return;
    }
    let Some(map) = tree.as_map_mut() else { return };
    map.edit_map("metadata", |metadata| {
        metadata.edit_map("annotations", |it| {
            it.insert(ANNOTATION, text);
            let n_bytes: usize = it.iter().map(|(key, it)| key.len() + it.as_str().map_or(0, str::len)).sum();
            if n_bytes > ANNOTATIONS_BYTES_MAX {
                it.remove(ANNOTATION);
            }
        });
    });
    *whole = Some(tree);
}
