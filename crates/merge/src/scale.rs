//! Managed fields between an object and its `scale`: who owns the replicas here owns them there.
//!
//! Follows `managedfields/scalehandler.go` of k8s.io/apimachinery.

use meta::{ManagedEntry, Operation};
use value::{Map, Str, Value};

use crate::fields::{child, difference, has};
use crate::managed::sort;
use crate::memo::element;

const SCALE_VERSION: &str = "autoscaling/v1";
const SCALE_PATH: &[&str] = &["spec", "replicas"];

/// The entries of the scale of an object: those that own `path`, such as `["spec", "replicas"]`, at `api_version`.
pub fn entries_of(parent: &[ManagedEntry], api_version: &str, path: &[&str]) -> Vec<ManagedEntry> {
    let owns = |it: &&ManagedEntry| it.api_version == *api_version && has_path(&it.fields, path);
    let mut entries: Vec<ManagedEntry> = parent
        .iter()
        .filter(owns)
        .map(|it| ManagedEntry { api_version: SCALE_VERSION.into(), fields: set_of(SCALE_PATH), ..it.clone() })
        .collect();
    sort(&mut entries);
    entries
}

/// The entries of an object after its scale was written. New ones have no time.
pub fn entries_after(
    parent: &[ManagedEntry],
    scale: &[ManagedEntry],
    api_version: &Str,
    path: &[&str],
) -> Vec<ManagedEntry> {
    let mut scale: Vec<&ManagedEntry> = scale.iter().collect();
    let mut entries: Vec<ManagedEntry> = Vec::with_capacity(parent.len() + 1);
    for entry in parent.iter().filter(|it| it.api_version == *api_version) {
        if !has_path(&entry.fields, path) {
            entries.push(entry.clone());
            continue;
        }
        // Updates are told apart by their version, too, so that those of a scale are never those of its object.
        let same = |it: &&ManagedEntry| {
            let of = |it: &ManagedEntry| (it.operation, it.manager.clone(), it.subresource.clone());
            it.operation == Operation::Apply && of(it) == of(entry)
        };
        if let Some(idx) = scale.iter().position(same) {
            scale.remove(idx);
            entries.push(entry.clone());
            continue;
        }
        let fields = difference(&entry.fields, &set_of(path));
        if !fields.is_empty() {
            entries.push(ManagedEntry { fields, ..entry.clone() });
        }
    }
    for entry in scale.into_iter().filter(|it| has_path(&it.fields, SCALE_PATH)) {
        entries.push(ManagedEntry {
            api_version: api_version.clone(),
            time: None,
            fields: set_of(path),
            ..entry.clone()
        });
    }
    sort(&mut entries);
    entries
}

fn has_path(set: &Map, path: &[&str]) -> bool {
    match path {
        [] => false,
        [last] => has(set, &element(last)),
        [first, rest @ ..] => child(set, &element(first)).is_some_and(|it| has_path(it, rest)),
    }
}

fn set_of(path: &[&str]) -> Map {
    match path {
        [] => Map::new(),
        [first, rest @ ..] => Map::new().with(element(first), Value::Map(set_of(rest))),
    }
}

#[cfg(test)]
mod tests;
