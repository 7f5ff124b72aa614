//! CSIStorageCapacity. Follows `pkg/apis/storage/validation`.

use meta::{Errors, Object, names};

use crate::path::Path;
use crate::pod_template::fields::{child, named, opt_text, text};
use crate::pod_template::{labels, resources};
use crate::storage_class::immutable;
use crate::{Kind, Scope, Strategy};

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.storage.v1.CSIStorageCapacity",
    strategy: Strategy {
        validate,
        validate_update: |new, old, errors| {
            validate(new, errors);
            for key in ["nodeTopology", "storageClassName"] {
                immutable(new, old, key, errors);
            }
        },
        unconditional_update: false,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Namespaced, "storage.k8s.io", "v1", "CSIStorageCapacity", "csistoragecapacities")
};

fn validate(it: &Object, errors: &mut Errors) {
    labels::validate_selector(child(&it.body, "nodeTopology"), &Path::root("nodeTopology"), errors);
    named(text(&it.body, "storageClassName"), names::dns_subdomain, &Path::root("storageClassName"), errors);
    if let Some(amount) = opt_text(&it.body, "capacity").filter(|it| resources::is_negative(it)) {
        Path::root("capacity").invalid(errors, amount, "must be greater than or equal to 0");
    }
}
