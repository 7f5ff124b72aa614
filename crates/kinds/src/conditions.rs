//! `metav1.Condition` of any status (`ValidateConditions` in `k8s.io/apimachinery/pkg/apis/meta/v1/validation`).

use std::collections::BTreeSet;

use meta::{Errors, names};
use value::Map;

use crate::path::Path;
use crate::pod_template::fields::{has, int, maps, named, one_of, text};

const MESSAGE_MAX: usize = 32 * 1024;
const REASON_MAX: usize = 1024;

pub(crate) fn validate(status: &Map, path: &Path<'_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (idx, condition) in maps(status, "conditions") {
        let path = path.index(idx);
        let kind = text(condition, "type");
        if !seen.insert(kind) {
            path.child("type").duplicate(errors, kind);
        }
        one(condition, &path, errors);
    }
}

fn one(condition: &Map, path: &Path<'_>, errors: &mut Errors) {
    named(text(condition, "type"), names::qualified_name, &path.child("type"), errors);
    one_of(text(condition, "status"), &["False", "True", "Unknown"], &path.child("status"), errors);
    let generation = int(condition, "observedGeneration");
    if generation < 0 {
        path.child("observedGeneration").invalid(errors, generation, "must be greater than or equal to zero");
    }
    if !has(condition, "lastTransitionTime") {
        path.child("lastTransitionTime").required(errors, "");
    }
    let reason = text(condition, "reason");
    let reason_path = path.child("reason");
    if reason.is_empty() {
        reason_path.required(errors, "");
    } else {
        if !is_reason(reason) {
            let message = names::regex_error(
                "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
                "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?",
                &["my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB"],
            );
            reason_path.invalid(errors, reason, &message);
        }
        if reason.len() > REASON_MAX {
            reason_path.too_long(errors, REASON_MAX);
        }
    }
    if text(condition, "message").len() > MESSAGE_MAX {
        path.child("message").too_long(errors, MESSAGE_MAX);
    }
}

fn is_reason(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_,:".contains(c))
}
