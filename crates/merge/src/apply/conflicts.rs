//! What others own, and how that is told.

use meta::{Cause, ManagedEntry, Operation, Status, quoted};
use value::Map;

use crate::fields::{difference, paths};
use crate::managed::identifier;

/// Fields of a manager that an applier wants otherwise.
pub(super) struct Conflict {
    pub entry: ManagedEntry,
    pub fields: Map,
}

impl Conflict {
    /// What is left of it when some fields may be taken; `None` for nothing.
    pub fn without(self, allowed: &Map) -> Option<Conflict> {
        let fields = difference(&self.fields, allowed);
        (!fields.is_empty()).then_some(Conflict { fields, ..self })
    }

    /// `"kubelet" with subresource "status" using v1`
    fn manager(&self) -> String {
        let mut text = quoted(&self.entry.manager);
        if !self.entry.subresource.is_empty() {
            text.push_str(" with subresource ");
            text.push_str(&quoted(&self.entry.subresource));
        }
        if self.entry.operation == Operation::Update {
            text.push_str(" using ");
            text.push_str(&self.entry.api_version);
        }
        text
    }
}

/// The answer to an apply that is not forced.
pub(super) fn status(conflicts: &[Conflict]) -> Status {
    let mut sorted: Vec<&Conflict> = conflicts.iter().collect();
    sorted.sort_by_key(|it| identifier(&it.entry));
    let mut causes = Vec::new();
    let mut lines = Vec::new();
    let mut single = String::new();
    for conflict in sorted {
        let manager = conflict.manager();
        lines.push(format!("conflicts with {manager}:"));
        for field in paths(&conflict.fields) {
            lines.push(format!("- {field}"));
            single = format!("conflict with {manager}: {field}");
            let message = format!("conflict with {manager}");
            causes.push(Cause { reason: "FieldManagerConflict".into(), message, field });
        }
    }
    let message = match causes.len() {
        1 => format!("Apply failed with 1 conflict: {single}"),
        n => format!("Apply failed with {n} conflicts: {}", lines.join("\n")),
    };
    Status::apply_conflict(message, causes)
}
