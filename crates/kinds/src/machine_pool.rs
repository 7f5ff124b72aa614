//! MachinePool: machines that are alike.

use meta::{Errors, Object};
use value::Map;

use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, text};
use crate::pod_template::labels;
use crate::workload::{self, spec};
use crate::{Kind, Scope, Strategy, Subresource, columns, machine, subdomain_name};

pub(crate) const KIND: Kind = Kind {
    categories: &["sim"],
    definition: "dev.drydock.sim.v1alpha1.MachinePool",
    subresources: &[Subresource::status("MachinePool")],
    columns: || {
        const {
            &[
                columns::name(),
                columns::integer("Desired", "How many machines there should be.", |it, _| {
                    columns::number(it, "spec.replicas")
                }),
                columns::integer("Current", "How many there are.", |it, _| columns::number(it, "status.replicas")),
                columns::integer("Ready", "How many run.", |it, _| columns::number(it, "status.readyReplicas")),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        default: |it| workload::edit_or_make(&mut it.body, "spec", |spec| spec.set_default("replicas", 1)),
        validate: |it, errors| validate(spec(it), errors),
        validate_update: |new: &Object, _, errors| validate(spec(new), errors),
        ..Strategy::WORKLOAD
    },
    ..Kind::new(Scope::Cluster, "sim.drydock.dev", "v1alpha1", "MachinePool", "machinepools")
};

fn validate(spec: &Map, errors: &mut Errors) {
    let path = Path::root("spec");
    workload::non_negatives(spec, &["replicas"], &path, errors);
    let prefix = text(spec, "namePrefix");
    if !prefix.is_empty() {
        // The names of a machine and of its node are one.
        path.child("namePrefix").invalid_each(errors, prefix, &subdomain_name(prefix, true));
    }
    let (template, path) = (child_or_empty(spec, "template"), path.child("template"));
    if let Some(it) = child(template, "labels") {
        labels::validate(it, &path.child("labels"), errors);
    }
    machine::validate_spec(child_or_empty(template, "spec"), &path.child("spec"), errors);
}
