//! Machine: a computer that may be a node.

use meta::Errors;
use value::Map;

use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, one_of, text};
use crate::pod_template::labels;
use crate::workload::{self, spec};
use crate::{Kind, Scope, Strategy, Subresource, columns, node};

pub(crate) const KIND: Kind = Kind {
    short_names: &["mach"],
    categories: &["sim"],
    definition: "dev.drydock.sim.v1alpha1.Machine",
    subresources: &[Subresource::status("Machine")],
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Phase", "What its kubelet is doing.", |it, _| columns::string(it, "status.phase")),
                columns::text("Power", "Whether it is switched on.", |it, _| columns::string(it, "spec.power")),
                columns::text("Network", "Whether it can be reached.", |it, _| columns::string(it, "spec.network")),
                columns::text("Node", "The node that it is.", |it, _| columns::string(it, "status.nodeName")),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        default: |it| workload::edit_or_make(&mut it.body, "spec", default_spec),
        validate: |it, errors| validate_spec(spec(it), &Path::root("spec"), errors),
        validate_update: |new, _, errors| validate_spec(spec(new), &Path::root("spec"), errors),
        ..Strategy::WORKLOAD
    },
    ..Kind::new(Scope::Cluster, "sim.drydock.dev", "v1alpha1", "Machine", "machines")
};

fn default_spec(spec: &mut Map) {
    for (key, value) in [("network", "Connected"), ("power", "On")] {
        if text(spec, key).is_empty() {
            spec.insert(key, value);
        }
    }
}

/// The spec of a machine or of a pool's template, where nothing is filled in yet.
pub(crate) fn validate_spec(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    for (key, supported) in [("power", ["On", "Off"]), ("network", ["Connected", "Partitioned"])] {
        let value = text(spec, key);
        if !value.is_empty() {
            one_of(value, &supported, &path.child(key), errors);
        }
    }
    node::amounts(child_or_empty(spec, "capacity"), &path.child("capacity"), errors);
    if let Some(it) = child(spec, "labels") {
        labels::validate(it, &path.child("labels"), errors);
    }
    node::taints(spec, &path.child("taints"), errors);
}
