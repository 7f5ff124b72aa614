//! What a write to an object or to one of its parts may change, and who checks it.

use kinds::Kind;
use meta::{Errors, Object};
use value::Value;

/// The rules of one part of an object.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// Completes what a client sent.
    pub default: fn(&mut Object),
    /// New and old: takes back what this write may not change.
    pub prepare: fn(&mut Object, &Object),
    /// The same and the time in seconds: notes when something changed.
    pub stamp: fn(&mut Object, &Object, i64),
    pub validate: fn(&Object, &Object, &mut Errors),
    /// Whether a change of the spec counts.
    pub counts_generation: bool,
    /// Whether the kind's warnings are given.
    pub warns: bool,
}

impl Rules {
    /// Of `kind`'s subresource `sub`; empty for the object itself.
    pub fn of(kind: &Kind, sub: &str) -> Rules {
        let strategy = &kind.strategy;
        let whole = Rules {
            default: strategy.default,
            prepare: strategy.prepare_update,
            stamp: |_, _, _| (),
            validate: strategy.validate_update,
            counts_generation: true,
            warns: true,
        };
        let is_pod = kind.id == kinds::POD;
        match sub {
            "status" => Rules {
                default: strategy.default_status.unwrap_or(strategy.default),
                prepare: if is_pod { kinds::pod::prepare_status } else { only_status },
                stamp: strategy.stamp_status,
                validate: strategy.validate_status,
                counts_generation: false,
                warns: false,
            },
            "approval" => Rules {
                default: strategy.default,
                prepare: |_, _| (),
                stamp: kinds::certificate_signing_request::prepare_approval,
                validate: kinds::certificate_signing_request::validate_approval,
                counts_generation: false,
                warns: false,
            },
            "ephemeralcontainers" if is_pod => Rules {
                prepare: kinds::pod::prepare_ephemeral_containers,
                validate: kinds::pod::validate_ephemeral_containers,
                ..whole
            },
            "resize" if is_pod => {
                Rules { prepare: kinds::pod::prepare_resize, validate: kinds::pod::validate_resize, ..whole }
            }
            "finalize" => {
                let validate = kinds::namespace::validate_finalize;
                Rules { prepare: only_spec_finalizers, validate, counts_generation: false, warns: false, ..whole }
            }
            "binding" => Rules { prepare: |_, _| (), validate: |_, _, _| (), counts_generation: false, ..whole },
            _ => whole,
        }
    }

    /// A namespace goes only when its content has gone: its own finalizers in `spec` say so.
    pub fn waits_for_spec(object: &Object) -> bool {
        object.kind == kinds::NAMESPACE && !object.list_at("spec.finalizers").is_empty()
    }
}

/// A write of the status changes neither the rest of the body nor who owns the object.
fn only_status(new: &mut Object, old: &Object) {
    if new.differs_in_status_alone(old) {
        return;
    }
    let status = new.body.get("status").cloned();
    new.body = old.body.clone();
    match status {
        Some(status) => {
            if old.body.get("status") != Some(&status) {
                new.body.insert("status", status);
            }
        }
        None => {
            new.body.remove("status");
        }
    }
}

fn only_spec_finalizers(new: &mut Object, old: &Object) {
    let finalizers = new.at("spec.finalizers").cloned().unwrap_or(Value::Null);
    new.body = old.body.clone();
    if finalizers.as_list().is_none_or(|it| it.is_empty()) {
        new.remove("spec.finalizers");
    } else {
        new.set("spec.finalizers", finalizers);
    }
}
