//! Job.

use crate::{Kind, Scope, Strategy, Subresource};

pub(crate) fn kind() -> Kind {
    Kind {
        categories: vec!["all".into()],
        definition: "io.k8s.api.batch.v1.Job".into(),
        subresources: vec![Subresource::status("Job")],
        strategy: Strategy::WORKLOAD,
        ..Kind::new(Scope::Namespaced, "batch", "v1", "Job", "jobs")
    }
}
