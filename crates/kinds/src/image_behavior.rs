//! ImageBehavior: what containers of an image do.

use meta::Errors;
use value::{Map, Value};

use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, require};
use crate::workload::spec;
use crate::{Kind, Scope, Strategy, columns, node};

const EXIT_CODE_MAX: i64 = 255;

pub(crate) const KIND: Kind = Kind {
    categories: &["sim"],
    definition: "dev.drydock.sim.v1alpha1.ImageBehavior",
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Image", "Which images behave so.", |it, _| columns::string(it, "spec.image")),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        validate: |it, errors| validate(spec(it), errors),
        validate_update: |new, _, errors| validate(spec(new), errors),
        generation: true,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Cluster, "sim.drydock.dev", "v1alpha1", "ImageBehavior", "imagebehaviors")
};

fn validate(spec: &Map, errors: &mut Errors) {
    let path = Path::root("spec");
    require(spec, "image", &path, errors);
    for (part, key) in [
        ("pull", "seconds"),
        ("start", "seconds"),
        ("ready", "afterSeconds"),
        ("live", "failsAfterSeconds"),
        ("exit", "afterSeconds"),
    ] {
        let negative = child(spec, part).and_then(|it| it.get(key)).filter(|it| is_negative(it));
        if let Some(bad) = negative {
            path.child(part).child(key).invalid(errors, bad, "must be greater than or equal to 0");
        }
    }
    let code = child_or_empty(spec, "exit").get("code").and_then(Value::as_i64).unwrap_or(0);
    if !(0..=EXIT_CODE_MAX).contains(&code) {
        path.child("exit.code").invalid(errors, code, "must be between 0 and 255, inclusive");
    }
    node::amounts(child_or_empty(spec, "usage"), &path.child("usage"), errors);
}

fn is_negative(value: &Value) -> bool {
    match value {
        Value::Int(it) => *it < 0,
        Value::Decimal(text) => text.starts_with('-'),
        _ => false,
    }
}
