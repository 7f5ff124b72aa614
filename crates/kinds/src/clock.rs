//! Clock: virtual time. There is one, called `cluster`.

use cron::zone::Zone;
use meta::Errors;
use value::Map;

use crate::path::Path;
use crate::pod_template::fields::text;
use crate::workload::{self, spec};
use crate::{Kind, Scope, Strategy, Subresource, columns};

pub(crate) const KIND: Kind = Kind {
    categories: &["sim"],
    definition: "dev.drydock.sim.v1alpha1.Clock",
    subresources: &[
        Subresource { name: "advance", verbs: &["create"], ..Subresource::status("Clock") },
        Subresource::status("Clock"),
    ],
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Time", "What it is now.", |it, _| columns::string(it, "status.time")),
                columns::text("Speed", "How many times faster than on the wall.", |it, _| {
                    columns::string(it, "spec.speed")
                }),
                columns::text("Revision", "How many changes there have been.", |it, _| {
                    columns::string(it, "status.revision")
                }),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        default: |it| {
            workload::edit_or_make(&mut it.body, "spec", |spec| {
                if text(spec, "speed").is_empty() {
                    spec.insert("speed", "1");
                }
            });
        },
        validate: |it, errors| validate(spec(it), errors),
        validate_update: |new, _, errors| validate(spec(new), errors),
        validate_name: |name, _| match name {
            "cluster" => Vec::new(),
            _ => vec!["must be 'cluster'".to_owned()],
        },
        ..Strategy::WORKLOAD
    },
    ..Kind::new(Scope::Cluster, "sim.drydock.dev", "v1alpha1", "Clock", "clocks")
};

fn validate(spec: &Map, errors: &mut Errors) {
    let path = Path::root("spec");
    let speed = text(spec, "speed");
    if speed != "max" && speed.parse::<u32>().is_err() {
        path.child("speed").invalid(errors, speed, "must be a whole number or 'max'");
    }
    let zone = text(spec, "timeZone");
    if Zone::find(zone).is_none() {
        path.child("timeZone").invalid(errors, zone, &format!("unknown time zone {zone}"));
    }
}
