//! SchedulingDecision: why a pod went where it is.

use crate::{Kind, Scope, Verbs};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["decision".into()],
        verbs: Verbs::ReadOnly,
        definition: "dev.drydock.sim.v1alpha1.SchedulingDecision".into(),
        ..Kind::new(Scope::Namespaced, "sim.drydock.dev", "v1alpha1", "SchedulingDecision", "schedulingdecisions")
    }
}
