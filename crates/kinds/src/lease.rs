//! Lease. Follows `pkg/apis/coordination/validation`.

use meta::{Errors, Object};

use crate::path::Path;
use crate::pod_template::fields::{child_or_empty, non_negative, opt_int, opt_text, text};
use crate::{Kind, Scope, Strategy, columns};

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.coordination.v1.Lease",
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Holder", "Who holds it.", |it, _| columns::string(it, "spec.holderIdentity")),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        prepare_create: drop_coordination,
        prepare_update: |new, _| drop_coordination(new),
        validate,
        validate_update: |new, _, errors| validate(new, errors),
        create_on_update: true,
        known_finalizers: false,
        unconditional_update: false,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Namespaced, "coordination.k8s.io", "v1", "Lease", "leases")
};

/// Fields behind a feature that is off by default.
fn drop_coordination(it: &mut Object) {
    it.body.edit_map("spec", |spec| {
        for key in ["preferredHolder", "strategy"] {
            spec.remove(key);
        }
    });
}

fn validate(it: &Object, errors: &mut Errors) {
    let spec = child_or_empty(&it.body, "spec");
    let path = Path::root("spec");
    if let Some(seconds) = opt_int(spec, "leaseDurationSeconds").filter(|it| *it <= 0) {
        path.child("leaseDurationSeconds").invalid(errors, seconds, "must be greater than 0");
    }
    if let Some(count) = opt_int(spec, "leaseTransitions") {
        non_negative(count, &path.child("leaseTransitions"), errors);
    }
    if opt_text(spec, "preferredHolder").is_some_and(|it| !it.is_empty()) && text(spec, "strategy").is_empty() {
        path.child("preferredHolder").forbidden(errors, "may only be specified if `strategy` is defined");
    }
}
