//! VolumeAttributesClass. Follows `pkg/apis/storage/validation`.

use meta::{Errors, Object};

use crate::path::Path;
use crate::pod_template::fields::text;
use crate::storage_class::{parameters, provisioner};
use crate::{Kind, Scope, Strategy, columns};

pub(crate) const KIND: Kind = Kind {
    short_names: &["vac"],
    definition: "io.k8s.api.storage.v1.VolumeAttributesClass",
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("DriverName", "The driver of the volumes.", |it, _| columns::string(it, "driverName")),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        validate,
        validate_update: |new, old, errors| {
            for key in ["driverName", "parameters"] {
                if new.body.get(key) != old.body.get(key) {
                    Path::root(key).forbidden(errors, &format!("updates to {key} are forbidden."));
                }
            }
            validate(new, errors);
        },
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Cluster, "storage.k8s.io", "v1", "VolumeAttributesClass", "volumeattributesclasses")
};

fn validate(it: &Object, errors: &mut Errors) {
    provisioner(text(&it.body, "driverName"), &Path::root("driverName"), errors);
    parameters(&it.body, false, errors);
}
