//! CSINode. Follows `pkg/apis/storage/validation`.

use std::collections::BTreeSet;

use meta::{Errors, Object, names};
use value::{Map, Value};

use crate::path::Path;
use crate::pod_template::fields::{child, int, list, maps, named, non_negative, text, texts};
use crate::pod_template::{internal, validate_csi_driver_name};
use crate::workload::spec;
use crate::{Kind, Scope, Strategy, columns};

/// How long the name of a node may be in a driver's own words.
const ID_MAX: usize = 256;

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.storage.v1.CSINode",
    columns: || {
        const {
            &[
                columns::name(),
                columns::integer("Drivers", "How many drivers the node has.", |it, _| {
                    (list(spec(it), "drivers").len() as i64).into()
                }),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        validate,
        validate_update: |new, old, errors| {
            validate(new, errors);
            for (_, before) in maps(spec(old), "drivers") {
                for (_, now) in maps(spec(new), "drivers").filter(|(_, it)| it.get("name") == before.get("name")) {
                    same(now, before, errors);
                }
            }
        },
        unconditional_update: false,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Cluster, "storage.k8s.io", "v1", "CSINode", "csinodes")
};

/// All but the number of volumes stays as it is.
fn same(now: &Map, before: &Map, errors: &mut Errors) {
    let rest = |it: &Map| it.filtered(|key, _| key != "allocatable");
    if rest(now) != rest(before) {
        let bad: Value = internal::bad_value(&rest(now), "CSINodeDriver");
        Path::root("spec.drivers").invalid(errors, bad, "field is immutable");
    }
}

fn validate(it: &Object, errors: &mut Errors) {
    let root = Path::root("spec.drivers");
    let mut drivers = BTreeSet::new();
    for (idx, driver) in maps(spec(it), "drivers") {
        let path = root.index(idx);
        let (name, id) = (text(driver, "name"), text(driver, "nodeID"));
        validate_csi_driver_name(name, &path.child("name"), errors);
        if id.is_empty() {
            path.child("nodeID").required(errors, "");
        }
        if id.len() > ID_MAX {
            path.child("nodeID").invalid(errors, id, &format!("must be {ID_MAX} characters or less"));
        }
        if let Some(allocatable) = child(driver, "allocatable") {
            non_negative(int(allocatable, "count"), &path.child("allocatable.count"), errors);
        }
        if !drivers.insert(name) {
            path.child("name").duplicate(errors, name);
        }
        let mut keys = BTreeSet::new();
        for (_, key) in texts(driver, "topologyKeys") {
            if key.is_empty() {
                path.required(errors, "");
            }
            if !keys.insert(key) {
                path.duplicate(errors, key);
            }
            named(key, names::qualified_name, &path, errors);
        }
    }
}
