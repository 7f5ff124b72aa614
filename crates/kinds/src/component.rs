//! Component: a part of the control plane.

use meta::Errors;
use value::Map;

use crate::path::Path;
use crate::pod_template::fields::{one_of, text};
use crate::workload::{self, spec};
use crate::{Kind, Scope, Strategy, Subresource, columns};

pub(crate) const KIND: Kind = Kind {
    short_names: &["comp"],
    categories: &["sim"],
    definition: "dev.drydock.sim.v1alpha1.Component",
    subresources: &[Subresource::status("Component")],
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("State", "Whether it works.", |it, _| columns::string(it, "spec.state")),
                columns::integer("Queue", "How many objects wait for it.", |it, _| {
                    columns::number(it, "status.queueDepth")
                }),
                columns::integer("Retries", "How often it tried again.", |it, _| columns::number(it, "status.retries")),
                columns::text("Doing", "What it does, in a sentence.", |it, _| columns::string(it, "status.message")),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        default: |it| {
            workload::edit_or_make(&mut it.body, "spec", |spec| {
                if text(spec, "state").is_empty() {
                    spec.insert("state", "Running");
                }
            });
        },
        validate: |it, errors| validate(spec(it), errors),
        validate_update: |new, _, errors| validate(spec(new), errors),
        ..Strategy::WORKLOAD
    },
    ..Kind::new(Scope::Cluster, "sim.drydock.dev", "v1alpha1", "Component", "components")
};

fn validate(spec: &Map, errors: &mut Errors) {
    let path = Path::root("spec");
    one_of(text(spec, "state"), &["Running", "Stopped"], &path.child("state"), errors);
    workload::non_negatives(spec, &["delay"], &path, errors);
}
