//! SchedulingDecision: why a pod went where it is.

use crate::{Kind, Scope, Verbs, columns};

pub(crate) const KIND: Kind = Kind {
    short_names: &["decision"],
    verbs: Verbs::ReadOnly,
    definition: "dev.drydock.sim.v1alpha1.SchedulingDecision",
    columns: || {
        const {
            &[
                columns::name(),
                columns::integer("Attempt", "Which attempt it was.", |it, _| columns::number(it, "status.attempt")),
                columns::text("Chosen", "The node, if there was one.", |it, _| {
                    it.str_at("status.chosen").unwrap_or("<none>").into()
                }),
                columns::wide(columns::text("Message", "Why.", |it, _| columns::string(it, "status.message"))),
                columns::text("Age", "How long ago it was made.", |it, cx| {
                    columns::since(it.str_at("status.time"), cx).into()
                }),
            ]
        }
    },
    ..Kind::new(Scope::Namespaced, "sim.drydock.dev", "v1alpha1", "SchedulingDecision", "schedulingdecisions")
};
