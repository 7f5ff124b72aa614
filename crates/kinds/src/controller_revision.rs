//! ControllerRevision. Follows `pkg/apis/apps/validation`.

use meta::{Errors, Object, qualified};
use value::Value;

use crate::path::Path;
use crate::pod_template::fields::{int, non_negative};
use crate::{Kind, Scope, Strategy, columns};

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.apps.v1.ControllerRevision",
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Controller", "Whose state it keeps.", |it, _| owner(it).into()),
                columns::text("Revision", "Its number.", |it, _| columns::number(it, "revision")),
                columns::created(),
            ]
        }
    },
    strategy: Strategy { validate, validate_update, metadata_checks: 2, ..Strategy::PLAIN },
    ..Kind::new(Scope::Namespaced, "apps", "v1", "ControllerRevision", "controllerrevisions")
};

/// `daemonset.apps/web`
fn owner(it: &Object) -> String {
    let Some(owner) = it.meta.controller() else { return "<none>".to_owned() };
    let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
    format!("{}/{}", qualified(group, &owner.kind.to_ascii_lowercase()), owner.name)
}

fn validate(it: &Object, errors: &mut Errors) {
    revision(it, errors);
    let path = Path::root("data");
    match it.body.get("data") {
        None | Some(Value::Null) => path.required(errors, "data is mandatory"),
        Some(Value::Map(_)) => (),
        Some(_) => path.required(errors, "data must be a valid JSON object"),
    }
}

fn revision(it: &Object, errors: &mut Errors) {
    non_negative(int(&it.body, "revision"), &Path::root("revision"), errors);
}

fn validate_update(new: &Object, old: &Object, errors: &mut Errors) {
    revision(new, errors);
    if new.body.get("data") != old.body.get("data") {
        Path::root("data").invalid(errors, new.body.get("data").cloned().unwrap_or(Value::Null), "field is immutable");
    }
}
