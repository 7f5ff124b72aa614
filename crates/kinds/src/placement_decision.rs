//! PlacementDecision: on which nodes a DaemonSet wants a pod.

use meta::Object;
use value::Value;

use crate::{Kind, Scope, Verbs, columns};

pub(crate) const KIND: Kind = Kind {
    verbs: Verbs::ReadOnly,
    definition: "dev.drydock.sim.v1alpha1.PlacementDecision",
    columns: || {
        const {
            &[
                columns::name(),
                columns::integer("Nodes", "How many nodes there are.", |it, _| {
                    (it.list_at("status.nodes").len() as i64).into()
                }),
                columns::integer("Wanted", "How many should run a pod.", |it, _| count(it, "shouldRun")),
                columns::integer("Placed", "How many have one.", |it, _| count(it, "hasPod")),
            ]
        }
    },
    ..Kind::new(Scope::Namespaced, "sim.drydock.dev", "v1alpha1", "PlacementDecision", "placementdecisions")
};

fn count(it: &Object, key: &'static str) -> Value {
    (it.list_at("status.nodes").iter().filter(|it| it.bool_at(key) == Some(true)).count() as i64).into()
}
