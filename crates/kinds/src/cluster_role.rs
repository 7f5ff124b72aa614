//! ClusterRole.

use meta::{Errors, Object};

use crate::path::Path;
use crate::pod_template::fields::{child, list, maps};
use crate::pod_template::labels;
use crate::rbac::{GROUP, STRATEGY, rules};
use crate::workload::readable_selector;
use crate::{Kind, Scope, Strategy};

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.rbac.v1.ClusterRole",
    strategy: Strategy { validate, validate_update: |new, _, errors| validate(new, errors), ..STRATEGY },
    ..Kind::new(Scope::Cluster, GROUP, "v1", "ClusterRole", "clusterroles")
};

fn validate(it: &Object, errors: &mut Errors) {
    rules(&it.body, false, errors);
    let Some(aggregation) = child(&it.body, "aggregationRule") else { return };
    let path = Path::root("aggregationRule.clusterRoleSelectors");
    if list(aggregation, "clusterRoleSelectors").is_empty() {
        path.required(errors, "at least one clusterRoleSelector required if aggregationRule is non-nil");
    }
    for (idx, selector) in maps(aggregation, "clusterRoleSelectors") {
        let path = path.index(idx);
        labels::validate_selector(Some(selector), &path, errors);
        if readable_selector(Some(selector)).is_none() {
            path.invalid(errors, value::Value::Null, "invalid label selector.");
        }
    }
}
