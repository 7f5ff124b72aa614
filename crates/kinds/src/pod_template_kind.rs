//! PodTemplate. Follows `pkg/apis/core/validation`.

use meta::{Errors, Object};

use crate::path::Path;
use crate::pod_template::fields::child_or_empty;
use crate::workload;
use crate::{Kind, Scope, Strategy, columns, pod_template};

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.core.v1.PodTemplate",
    columns: || {
        const {
            &[
                columns::name(),
                columns::containers(),
                columns::images(),
                columns::text("Pod Labels", "The labels of its pods.", |it, _| {
                    columns::labels(child_or_empty(child_or_empty(columns::template(it), "metadata"), "labels")).into()
                }),
            ]
        }
    },
    strategy: Strategy {
        default: |it| workload::edit_or_make(&mut it.body, "template", pod_template::default),
        prepare_create: workload::drop_disabled,
        prepare_update: |new, _| workload::drop_disabled(new),
        validate,
        validate_update: |new, _, errors| validate(new, errors),
        warnings: |new, old| match old {
            Some(old) if !workload::template_changed(new, old) => Vec::new(),
            _ => pod_template::warnings_of(columns::template(new), &Path::root("template")),
        },
        generation: true,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Namespaced, "", "v1", "PodTemplate", "podtemplates")
};

fn validate(it: &Object, errors: &mut Errors) {
    pod_template::validate(columns::template(it), &Path::root("template"), errors);
}
