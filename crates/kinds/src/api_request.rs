//! APIRequest: one request that the API server answered.

use crate::{Kind, Scope, Verbs, columns};

pub(crate) const KIND: Kind = Kind {
    verbs: Verbs::ReadOnly,
    definition: "dev.drydock.sim.v1alpha1.APIRequest",
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Component", "Who asked.", |it, _| columns::string(it, "status.component")),
                columns::text("Verb", "What for.", |it, _| columns::string(it, "status.verb")),
                columns::text("Path", "Of what.", |it, _| columns::string(it, "status.path")),
                columns::integer("Code", "What the answer was.", |it, _| columns::number(it, "status.code")),
                columns::text("Age", "How long ago it was.", |it, cx| {
                    columns::since(it.str_at("status.time"), cx).into()
                }),
            ]
        }
    },
    ..Kind::new(Scope::Cluster, "sim.drydock.dev", "v1alpha1", "APIRequest", "apirequests")
};
