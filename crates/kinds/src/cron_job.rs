//! CronJob.

use crate::{Kind, Scope, Strategy, Subresource};

pub(crate) fn kind() -> Kind {
    Kind {
        short_names: vec!["cj".into()],
        categories: vec!["all".into()],
        definition: "io.k8s.api.batch.v1.CronJob".into(),
        subresources: vec![Subresource::status("CronJob")],
        strategy: Strategy::WORKLOAD,
        ..Kind::new(Scope::Namespaced, "batch", "v1", "CronJob", "cronjobs")
    }
}
