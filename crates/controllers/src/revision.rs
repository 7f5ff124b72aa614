//! ControllerRevisions: the templates that a DaemonSet or a StatefulSet has had (`pkg/controller/history`).

use kinds::CONTROLLER_REVISION;
use meta::{Metadata, Object};
use value::{Str, Value, map, value};

use crate::pods;

/// What the present template's revision keeps: a patch that puts the template back (`getPatch`).
pub(crate) fn data(set: &Object) -> Value {
    let template = set.at("spec.template").cloned().unwrap_or_default();
    value!({ "spec": { "template": template.with("$patch", "replace") } })
}

/// Its place among the revisions of its owner; the newest has the highest.
pub(crate) fn number(revision: &Object) -> i64 {
    revision.i64_at("revision").unwrap_or(0)
}

/// A revision of `set`, an object of `apps/v1` and `kind`, with the template's labels and its hash (`NewControllerRevision`).
pub(crate) fn new(
    set: &Object,
    kind: &str,
    name: &Str,
    (label, hash): (&str, &str),
    data: &Value,
    number: i64,
) -> Object {
    let labels = set.map_at("spec.template.metadata.labels").cloned().unwrap_or_default();
    let meta = Metadata {
        labels: labels.with(label, hash),
        annotations: set.meta.annotations.clone(),
        ..Metadata::new(&set.meta.namespace, name).owned_by(pods::controller_ref(set, "apps/v1", kind))
    };
    Object { kind: CONTROLLER_REVISION, meta, body: map!({ "data": data, "revision": number }) }
}
