//! ComponentStatus: whether the parts of the control plane are well. Follows `pkg/registry/core/componentstatus`.

use meta::Object;
use value::Value;

use crate::{Kind, Scope, Verbs, columns};

pub(crate) const KIND: Kind = Kind {
    short_names: &["cs"],
    verbs: Verbs::Look,
    definition: "io.k8s.api.core.v1.ComponentStatus",
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Status", "Healthy or not.", |it, _| {
                    match condition(it).and_then(|it| it.str_at("status")) {
                        None => "Unknown",
                        Some("True") => "Healthy",
                        Some(_) => "Unhealthy",
                    }
                    .into()
                }),
                columns::text("Message", "What the component says.", |it, _| shown(it, "message")),
                columns::text("Error", "Why it is not well.", |it, _| shown(it, "error")),
            ]
        }
    },
    ..Kind::new(Scope::Cluster, "", "v1", "ComponentStatus", "componentstatuses")
};

fn condition(it: &Object) -> Option<&Value> {
    it.list_at("conditions").iter().find(|it| it.str_at("type") == Some("Healthy"))
}

fn shown(it: &Object, key: &str) -> Value {
    condition(it).and_then(|it| it.get(key)).cloned().unwrap_or_else(|| "".into())
}
