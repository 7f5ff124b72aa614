//! RuntimeClass. Follows `pkg/apis/node/validation`.

use std::collections::BTreeSet;

use meta::{Errors, Object, names};
use value::Map;

use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, maps, named, text};
use crate::pod_template::{internal, labels, resources, scheduling, warnings};
use crate::{Kind, Scope, Strategy, columns};

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.node.v1.RuntimeClass",
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Handler", "What nodes call it.", |it, _| columns::string(it, "handler")),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        default: |it| it.body.edit_map("overhead", |it| resources::round(it, "podFixed")),
        validate,
        validate_update: |new, old, errors| {
            validate(new, errors);
            let handler = text(&new.body, "handler");
            if handler != text(&old.body, "handler") {
                Path::root("handler").invalid(errors, handler, "field is immutable");
            }
        },
        warnings: |it, _| {
            let keys = child_or_empty(child_or_empty(&it.body, "scheduling"), "nodeSelector").keys();
            keys.filter_map(|key| warnings::deprecated_label(key).map(|it| format!("scheduling.nodeSelector: {it}")))
                .collect()
        },
        unconditional_update: false,
        create_on_update: true,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Cluster, "node.k8s.io", "v1", "RuntimeClass", "runtimeclasses")
};

fn validate(it: &Object, errors: &mut Errors) {
    match text(&it.body, "handler") {
        "" => Path::root("handler").required(errors, ""),
        handler => named(handler, names::dns_label, &Path::root("handler"), errors),
    }
    if let Some(overhead) = child(&it.body, "overhead") {
        resources::overhead(child_or_empty(overhead, "podFixed"), &Path::root("overhead"), errors);
    }
    let Some(scheduling) = child(&it.body, "scheduling") else { return };
    let path = Path::root("scheduling");
    if let Some(selector) = child(scheduling, "nodeSelector") {
        labels::validate(selector, &path.child("nodeSelector"), errors);
    }
    tolerations(scheduling, &path.child("tolerations"), errors);
}

fn tolerations(scheduling: &Map, path: &Path<'_>, errors: &mut Errors) {
    scheduling::tolerations(scheduling, path, errors);
    let mut seen = BTreeSet::new();
    for (idx, it) in maps(scheduling, "tolerations") {
        if !seen.insert(["key", "operator", "value", "effect"].map(|key| text(it, key))) {
            path.index(idx).duplicate(errors, internal::bad_value(it, "Toleration"));
        }
    }
}
